//! `rewardc test`.

use std::path::{Path, PathBuf};

use super::args::{Format, TestArgs};
use super::check::{load, options};
use super::{Exit, Ui};
use crate::diagnostic::{Diagnostic, code};
use crate::testing::{self, Outcome};

pub fn run(args: &TestArgs, ui: &mut Ui) -> Exit {
    let roots = if args.paths.is_empty() { vec![PathBuf::from(".")] } else { args.paths.clone() };
    let mut files = Vec::new();
    for root in &roots {
        if let Err(fault) = reward_files(root, &mut files) {
            ui.report_bare(fault);
            return Exit::CouldNotRun;
        }
    }
    if files.is_empty() {
        ui.report_bare(Diagnostic::bare(&code::ARGUMENT, "there is no `.reward` file here"));
        return Exit::CouldNotRun;
    }
    let mut tally = Tally::default();
    let mut documents = Vec::new();
    for file in &files {
        test_file(file, args.format, ui, &mut tally, &mut documents);
    }
    match args.format {
        Format::Json => ui.print(&format!("{:#}\n", serde_json::Value::Array(documents))),
        _ => ui.print(&format!(
            "{} {} passed, {} failed, in {} {}\n",
            if tally.failed + tally.broken + tally.unreadable == 0 { "ok:" } else { "FAILED:" },
            tally.passed,
            tally.failed + tally.broken + tally.unreadable,
            files.len(),
            if files.len() == 1 { "file" } else { "files" }
        )),
    }
    match (tally.unreadable, tally.failed + tally.broken) {
        (0, 0) => Exit::Fine,
        (0, _) => Exit::Findings,
        _ => Exit::CouldNotRun,
    }
}

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    /// Files that do not check.
    broken: usize,
    unreadable: usize,
}

fn test_file(file: &Path, format: Format, ui: &mut Ui, tally: &mut Tally, documents: &mut Vec<serde_json::Value>) {
    let checked = match load(file, &options()) {
        Ok(checked) => checked,
        Err(fault) => {
            if format == Format::Json {
                let findings = crate::diagnostic::json(&[fault], &crate::source::Sources::default());
                documents.push(serde_json::json!({ "file": file.display().to_string(), "findings": findings }));
            } else {
                ui.report_bare(fault);
            }
            tally.unreadable += 1;
            return;
        }
    };
    if checked.used_only && !checked.has_errors() {
        return;
    }
    let Some(program) = &checked.program else {
        tally.broken += 1;
        if format == Format::Json {
            documents.push(serde_json::json!({ "file": file.display().to_string(), "findings": crate::diagnostic::json(&checked.diagnostics, &checked.sources) }));
        } else {
            ui.print(&format!("{}: does not check\n", file.display()));
            ui.report(&checked.diagnostics, &checked.sources, format);
        }
        return;
    };
    let outcomes: Vec<Outcome> = checked.tests.iter().map(|t| testing::run(program, &checked.schema, t)).collect();
    if format == Format::Json {
        let tests: Vec<_> = outcomes
            .iter()
            .map(|o| {
                serde_json::json!({ "name": o.name, "host": o.host.as_str(), "passed": o.passed(),
                    "failures": crate::diagnostic::json(&o.failures, &checked.sources), "trace": o.trace })
            })
            .collect();
        documents.push(serde_json::json!({ "file": file.display().to_string(), "tests": tests }));
    } else {
        ui.print(&format!("{}\n", file.display()));
    }
    for outcome in outcomes {
        if outcome.passed() {
            tally.passed += 1
        } else {
            tally.failed += 1
        }
        if format == Format::Json {
            continue;
        }
        ui.print(&format!(
            "  {} {} (as {})\n",
            if outcome.passed() { "ok  " } else { "FAIL" },
            outcome.name,
            outcome.host
        ));
        if !outcome.passed() {
            ui.report(&outcome.failures, &checked.sources, format);
            if let Some(trace) = &outcome.trace {
                ui.print(&indented(trace));
            }
        }
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|l| format!("      {l}\n")).collect()
}

/// All reward files under a path, in order of name; hidden folders and `target` are left out.
pub fn reward_files(path: &Path, out: &mut Vec<PathBuf>) -> Result<(), Diagnostic> {
    let unreadable = |e: std::io::Error| {
        let why =
            if e.kind() == std::io::ErrorKind::NotFound { "no such file or folder".to_string() } else { e.to_string() };
        Diagnostic::bare(&code::UNREADABLE, format!("cannot read `{}`: {why}", path.display()))
    };
    if path.is_file() {
        out.push(path.to_path_buf());
        return Ok(());
    }
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(path).map_err(unreadable)?.filter_map(Result::ok).map(|e| e.path()).collect();
    entries.sort();
    for entry in entries {
        let name = entry.file_name().map_or(String::new(), |n| n.to_string_lossy().into_owned());
        if entry.is_dir() && !entry.is_symlink() && !name.starts_with('.') && name != "target" {
            reward_files(&entry, out)?;
        } else if name.ends_with(".reward") {
            out.push(entry);
        }
    }
    Ok(())
}
