//! A file's findings with the texts they point into, as an error.

use super::Diagnostic;
use crate::source::Sources;

/// A file that does not check: its findings with the texts they point into.
pub struct Unsound {
    pub diagnostics: Vec<Diagnostic>,
    pub sources: Sources,
}

impl std::fmt::Display for Unsound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(super::short(&self.diagnostics, &self.sources).trim_end())
    }
}

impl std::fmt::Debug for Unsound {
    /// As a reader of a panic wants it: the findings.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Unsound {}
