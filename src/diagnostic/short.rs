//! One line a finding: `file:line:column: error[RW0201]: message`.

use super::Diagnostic;
use crate::source::Sources;

/// Renders findings as lines that editors and scripts can read.
#[must_use]
pub fn short(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let mut out = String::new();
    for d in diagnostics {
        if let Some(span) = d.span() {
            let (line, column) = sources.line_column(span.file, span.start);
            let name = sources.get(span.file).map_or("", |f| f.name.as_str());
            out.push_str(&format!("{name}:{line}:{column}: "));
        }
        out.push_str(&format!("{}[{}]: {}\n", d.severity.as_str(), d.code.id, d.message));
    }
    out
}
