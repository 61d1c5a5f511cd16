//! `rewardc check`.

use std::path::Path;

use super::args::{CheckArgs, Format};
use super::{Exit, Ui};
use crate::check::{self, Checked, Options, Report, unreadable};
use crate::diagnostic::{Diagnostic, code};
use crate::source::DiskFiles;
use crate::testing;
use crate::types::shown_number;

pub fn run(args: &CheckArgs, ui: &mut Ui) -> Exit {
    let options = Options { deny_warnings: args.deny.is_some(), ..options() };
    let mut exit = Exit::Fine;
    let mut documents = Vec::new();
    for path in &args.files {
        let checked = match load(path, &options) {
            Ok(checked) => with_tests(checked),
            Err(fault) => {
                if args.format == Format::Json {
                    let findings = crate::diagnostic::json(&[fault], &crate::source::Sources::default());
                    documents.push(serde_json::json!({ "file": path.display().to_string(), "findings": findings }));
                } else {
                    ui.report(&[fault], &crate::source::Sources::default(), args.format);
                }
                exit = Exit::CouldNotRun;
                continue;
            }
        };
        if checked.has_errors() && exit == Exit::Fine {
            exit = Exit::Findings;
        }
        let report = checked.program.as_ref().map(check::report);
        if args.format == Format::Json {
            documents.push(document(path, &checked, report.as_ref()));
            continue;
        }
        ui.report(&checked.diagnostics, &checked.sources, args.format);
        match report {
            Some(report) if args.format == Format::Human => ui.print(&table(path, &report, ui)),
            None if checked.used_only && !checked.has_errors() => {
                ui.print(&format!(
                    "{}: a file for others to use; it is checked with each that uses it\n",
                    path.display()
                ));
            }
            _ => {}
        }
    }
    if args.format == Format::Json {
        ui.print(&format!("{:#}\n", serde_json::Value::Array(documents)));
    }
    exit
}

/// Adds what is wrong with the file's tests themselves: names, hosts, settings. Whether their
/// expectations hold is for `rewardc test` to say.
fn with_tests(mut checked: Checked) -> Checked {
    let Some(program) = &checked.program else { return checked };
    let refused = checked.tests.iter().flat_map(|t| testing::run(program, &checked.schema, t).failures);
    checked.diagnostics.extend(refused.filter(|d| d.code != &code::EXPECTATION));
    checked.diagnostics.sort_by_key(|d| d.span().map(|s| (s.file, s.start)));
    checked
}

/// As of today (UTC).
pub fn options() -> Options {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64);
    let today = jiff::Timestamp::from_second(now).ok().map(|t| jiff::tz::TimeZone::UTC.to_datetime(t).date());
    Options { deny_warnings: false, today }
}

/// Reads and checks a file; a file that cannot be read is a fault of its own.
pub fn load(path: &Path, options: &Options) -> Result<Checked, Diagnostic> {
    let files = DiskFiles::around(path).map_err(|f| unreadable(path, &f))?;
    let (name, text) = files.read_entry(path).map_err(|f| unreadable(path, &f))?;
    Ok(check::check(&name, &text, &files, options))
}

/// The table of parts and the theorems, for people.
fn table(path: &Path, report: &Report, ui: &Ui) -> String {
    let mut out = format!("{} {}\n\n", ui.bold(&path.display().to_string()), report.reward_id);
    let name = report.rows.iter().map(|r| r.name.len()).max().unwrap_or(4).max(8);
    let kind = report.rows.iter().map(|r| r.kind.len()).max().unwrap_or(4);
    out.push_str(&format!(
        "  {:<kind$}  {:<name$}  {:<22}  {:<10} {:<24} {:>9}\n",
        "", "part", "proven range", "known", "acts in", "work"
    ));
    for row in &report.rows {
        let range = row.range.map_or("-".to_string(), |r| format!("[{}, {}]", shown_number(r.lo), shown_number(r.hi)));
        let hosts = row.hosts.iter().map(|h| h.as_str()).collect::<Vec<_>>().join(" ");
        let line = format!(
            "  {:<kind$}  {:<name$}  {range:<22}  {:<10} {hosts:<24} {:>9}  {}",
            row.kind,
            row.name,
            row.availability.to_string(),
            operations(row.work),
            row.note
        );
        out.push_str(line.trim_end());
        out.push('\n');
    }
    for (what, range) in [("reward", report.reward), ("cost", report.cost), ("total", report.total)] {
        out.push_str(&format!(
            "  {:<kind$}  {what:<name$}  [{}, {}]\n",
            "=",
            shown_number(range.lo),
            shown_number(range.hi)
        ));
    }
    out.push_str(&format!("\n  cost: up to {} operations per request", operations(report.work.request)));
    if report.work.batch > 0.0 {
        out.push_str(&format!(", {} per batch", operations(report.work.batch)));
    }
    out.push('\n');
    for theorem in &report.theorems {
        let mark = if theorem.holds { "proved " } else { "refuted" };
        let why = if theorem.why.is_empty() { String::new() } else { format!(" ({})", theorem.why) };
        out.push_str(&format!("  {mark}  {}{why}\n", theorem.claim));
    }
    if !report.opaque.is_empty() {
        out.push_str(&format!("  opaque   given, with no proof against leaks: {}\n", report.opaque.join(", ")));
    }
    out
}

fn operations(n: f64) -> String {
    if n < 1e4 { format!("{n:.0}") } else { format!("{n:.1e}") }
}

fn document(path: &Path, checked: &Checked, report: Option<&Report>) -> serde_json::Value {
    let parts = report.map(|r| {
        r.rows
            .iter()
            .map(|row| {
                serde_json::json!({
                    "kind": row.kind,
                    "name": row.name,
                    "range": row.range.map(|r| [r.lo, r.hi]),
                    "known": row.availability.to_string(),
                    "hosts": row.hosts.iter().map(|h| h.as_str()).collect::<Vec<_>>(),
                    "work": row.work,
                    "note": row.note,
                })
            })
            .collect::<Vec<_>>()
    });
    let theorems = report.map(|r| {
        r.theorems
            .iter()
            .map(|t| serde_json::json!({ "claim": t.claim, "holds": t.holds, "why": t.why }))
            .collect::<Vec<_>>()
    });
    serde_json::json!({
        "file": path.display().to_string(),
        "reward": report.map(|r| r.reward_id.clone()),
        "findings": crate::diagnostic::json(&checked.diagnostics, &checked.sources),
        "parts": parts,
        "range": report.map(|r| serde_json::json!({
            "reward": [r.reward.lo, r.reward.hi], "cost": [r.cost.lo, r.cost.hi], "total": [r.total.lo, r.total.hi],
        })),
        "work": report.map(|r| serde_json::json!({ "request": r.work.request, "batch": r.work.batch })),
        "theorems": theorems,
        "opaque": report.map(|r| r.opaque.clone()),
    })
}
