//! Findings as a JSON array, for programs.

use serde::Serialize;

use super::Diagnostic;
use crate::source::Sources;

#[derive(Serialize)]
struct Finding<'a> {
    code: &'a str,
    severity: &'a str,
    message: &'a str,
    places: Vec<Place<'a>>,
    help: Option<&'a str>,
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    /// Byte offsets, half open.
    start: u32,
    end: u32,
    text: &'a str,
}

/// Findings as a JSON value: `[{code, severity, message, places, help}]`.
#[must_use]
pub fn json(diagnostics: &[Diagnostic], sources: &Sources) -> serde_json::Value {
    let findings: Vec<Finding> = diagnostics
        .iter()
        .map(|d| Finding {
            code: d.code.id,
            severity: d.severity.as_str(),
            message: &d.message,
            help: d.help.as_deref(),
            places: d
                .labels
                .iter()
                .map(|l| {
                    let (line, column) = sources.line_column(l.span.file, l.span.start);
                    let file = sources.get(l.span.file).map_or("", |f| f.name.as_str());
                    Place { file, line, column, start: l.span.start, end: l.span.end, text: &l.text }
                })
                .collect(),
        })
        .collect();
    serde_json::to_value(findings).unwrap_or_default()
}
