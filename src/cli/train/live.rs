//! What a run shows while it goes, and how it begins and ends.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::super::args::RunFiles;
use super::super::{Exit, Ui};
use crate::diagnostic::{Diagnostic, Fault, code};
use crate::train::{Checkpoint, Settings, differences};

/// Whether a run goes on from its own checkpoint.
///
/// # Errors
/// A checkpoint that is there, and nobody said that the run goes on: it would be lost (RW0805).
pub fn fresh_or_resumed(run: &RunFiles) -> Result<bool, Fault> {
    if !run.out.exists() || run.resume {
        return Ok(run.out.exists());
    }
    let message = format!("`{}` is there already, and this run would replace it", run.out.display());
    Err(Box::new(
        Diagnostic::bare(&code::UNWRITABLE, message).help("`--resume` goes on from it; to begin anew, take it away"),
    ))
}

/// Takes up the settings of a run that goes on or begins.
///
/// # Errors
/// Others than it began with, and nobody said that they may be (RW1001).
pub fn take_up(checkpoint: &mut Checkpoint, own: Settings, run: &RunFiles, ui: &Ui) -> Result<(), Fault> {
    if checkpoint.step > 0 {
        if !run.allow_other_settings {
            checkpoint.check_run(&own)?;
        } else if let Some(differ) = differences(&checkpoint.run, &own) {
            ui.note(&format!("note: the run goes on as another: {differ}\n"));
        }
    }
    checkpoint.run = own;
    Ok(())
}

/// Where metrics go: beside the checkpoint, where nothing is said.
///
/// # Errors
/// The checkpoint's own path, and for a run that begins a file that is there (RW0805).
pub fn metrics_path(run: &RunFiles) -> Result<PathBuf, Fault> {
    let beside = match run.out.extension().is_some_and(|e| e == "safetensors") {
        true => run.out.with_extension("jsonl"),
        false => PathBuf::from(format!("{}.jsonl", run.out.display())),
    };
    let path = run.metrics.clone().unwrap_or(beside);
    let refused = |why: &str, help: &str| {
        Err(Box::new(Diagnostic::bare(&code::UNWRITABLE, format!("`{}` {why}", path.display())).help(help.to_string())))
    };
    if path == run.out {
        return refused("is named for the checkpoint and for its metrics", "name another file with `--metrics`");
    }
    if path.exists() && !run.out.exists() && !run.resume {
        return refused(
            "is there already, and this run would replace it",
            "take it away, or name another with `--metrics`",
        );
    }
    Ok(path)
}

/// The end of a run that had nothing left to do.
pub fn already_done(out: &Path, step: u64, steps: u64, ui: &mut Ui) -> Exit {
    ui.print(&format!("{} is at step {step} of {steps} already\n", out.display()));
    Exit::Fine
}

/// A line that is written over on a terminal; elsewhere one now and then.
pub struct Live {
    is_terminal: bool,
    begun: Instant,
    first: u64,
    steps: u64,
    shown: Instant,
    means: BTreeMap<&'static str, f64>,
}

impl Live {
    pub fn new(first: u64, steps: u64) -> Self {
        let now = Instant::now();
        Self {
            is_terminal: std::io::stderr().is_terminal(),
            begun: now,
            first,
            steps,
            shown: now,
            means: BTreeMap::new(),
        }
    }

    /// A running mean: of what is noisy from step to step.
    pub fn mean(&mut self, what: &'static str, value: f64) -> f64 {
        let mean = self.means.entry(what).or_insert(value);
        *mean += 0.05 * (value - *mean);
        *mean
    }

    /// Steps a second since the run began or went on.
    pub fn rate(&self, step: u64) -> f64 {
        (step - self.first) as f64 / self.begun.elapsed().as_secs_f64().max(1e-9)
    }

    pub fn show(&mut self, step: u64, text: &str, ui: &Ui) {
        let left = (self.steps.saturating_sub(step)) as f64 / self.rate(step).max(1e-9);
        let line = format!("step {step} of {}: {text}, {} left", self.steps, span(left));
        if self.is_terminal {
            // A line that is broken cannot be written over.
            let line: String = line.chars().take(ui.width().saturating_sub(1)).collect();
            let _ = std::io::stderr().lock().write_all(format!("\r\x1b[2K{line}").as_bytes());
        } else if self.shown.elapsed().as_secs() >= 10 || step == self.steps || step == self.first + 1 {
            ui.note(&format!("{line}\n"));
            self.shown = Instant::now();
        }
    }

    /// Takes the line away.
    pub fn done(&self, ui: &Ui) {
        if self.is_terminal {
            ui.note("\r\x1b[2K");
        }
    }

    /// The end of a run that was asked to stop.
    pub fn stopped(&self, step: u64, out: &Path, ui: &Ui) -> Exit {
        self.done(ui);
        ui.note(&format!("stopped behind step {step} of {}; `--resume` goes on from {}\n", self.steps, out.display()));
        Exit::Interrupted
    }
}

/// A time as people say it.
fn span(seconds: f64) -> String {
    match seconds as u64 {
        s if s < 90 => format!("{s} s"),
        s if s < 5_400 => format!("{} min", s.div_ceil(60)),
        s => format!("{:.1} h", s as f64 / 3_600.0),
    }
}
