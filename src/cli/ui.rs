//! Writing to the terminal: colour, width, closed pipes.

use std::io::{IsTerminal, Write};

use super::args::{Color, Format};
use crate::diagnostic::{self, Diagnostic, HumanStyle};
#[cfg(feature = "data")]
use crate::report::Style;
use crate::source::Sources;

/// Where a command's words go.
pub struct Ui {
    color_out: bool,
    color_err: bool,
    width: usize,
    /// Whoever read standard output has gone: nothing more is written, and that is no fault.
    closed: bool,
    /// Standard output could not be written for another reason.
    failed: bool,
}

impl Ui {
    pub fn new(color: Color) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let wants = |terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !plain,
        };
        let width = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok()).or_else(terminal_width).unwrap_or(100);
        Self {
            color_out: wants(std::io::stdout().is_terminal()),
            color_err: wants(std::io::stderr().is_terminal()),
            width: usize::clamp(width, 40, 160),
            closed: false,
            failed: false,
        }
    }

    /// Writes to standard output.
    pub fn print(&mut self, text: &str) {
        if self.closed || self.failed {
            return;
        }
        let mut out = std::io::stdout().lock();
        if let Err(e) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            self.closed = e.kind() == std::io::ErrorKind::BrokenPipe;
            self.failed = !self.closed;
            if self.failed {
                let message = format!("cannot write standard output: {e}");
                self.report_bare(Diagnostic::bare(&diagnostic::code::UNWRITABLE, message));
            }
        }
    }

    /// Writes to standard error, for findings and progress.
    #[expect(clippy::unused_self, reason = "all words of a command go through here")]
    pub fn note(&self, text: &str) {
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }

    /// Columns of the terminal.
    #[cfg(all(feature = "data", feature = "decoder"))]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether everything meant for standard output was written.
    pub fn finish(&self) -> bool {
        !self.failed
    }

    /// The style of waterfalls and tables.
    #[cfg(feature = "data")]
    pub fn style(&self) -> Style {
        Style { color: self.color_out, width: self.width }
    }

    /// Findings: on standard error for people, on standard output for programs.
    pub fn report(&mut self, diagnostics: &[Diagnostic], sources: &Sources, format: Format) {
        let diagnostics = &tamed(diagnostics);
        match format {
            Format::Human => {
                let style = HumanStyle { color: self.color_err, unicode: true, width: self.width };
                self.note(&diagnostic::human(diagnostics, sources, style));
            }
            Format::Short => self.print(&diagnostic::short(diagnostics, sources)),
            Format::Json => {
                let json = diagnostic::json(diagnostics, sources);
                self.print(&format!("{json:#}\n"));
            }
        }
    }

    /// One finding without a place.
    pub fn report_bare(&mut self, diagnostic: Diagnostic) {
        self.report(&[diagnostic], &Sources::default(), Format::Human);
    }

    /// Bold, where there is colour.
    pub fn bold(&self, text: &str) -> String {
        if self.color_out { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_string() }
    }
}

/// Messages may quote what data files hold: control characters become visible signs, so that no file
/// steers the terminal.
fn tamed(diagnostics: &[Diagnostic]) -> Vec<Diagnostic> {
    let tame = |text: &str| -> String {
        text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
    };
    let mut tamed = diagnostics.to_vec();
    for diagnostic in &mut tamed {
        diagnostic.message = tame(&diagnostic.message);
        diagnostic.help = diagnostic.help.as_deref().map(tame);
    }
    tamed
}

/// Columns of the terminal, asked of the terminal itself.
fn terminal_width() -> Option<usize> {
    terminal_size::terminal_size().map(|(w, _)| usize::from(w.0))
}

/// Progress on standard error, one line that is written over; silent where nobody watches.
#[cfg(feature = "data")]
pub struct Watch {
    live: bool,
    begun: std::time::Instant,
}

#[cfg(feature = "data")]
impl Ui {
    /// A line for long work.
    pub fn progress(&self) -> Watch {
        Watch { live: std::io::stderr().is_terminal(), begun: std::time::Instant::now() }
    }
}

#[cfg(feature = "data")]
impl Watch {
    /// Takes the line away.
    pub fn done(&self) {
        if self.live {
            let _ = std::io::stderr().lock().write_all(b"\r\x1b[2K");
        }
    }
}

#[cfg(feature = "data")]
impl crate::data::Progress for Watch {
    fn step(&self, what: &str) {
        if self.live {
            let seconds = self.begun.elapsed().as_secs_f64();
            let _ = std::io::stderr().lock().write_all(format!("\r\x1b[2K{seconds:5.1} s  {what} …").as_bytes());
        }
    }
}
