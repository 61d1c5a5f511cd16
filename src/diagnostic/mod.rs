//! Messages: one table of codes, one collector, one renderer a file.
//!
//! A message has a stable code, a place, what was expected, and a remedy. Nothing here knows the
//! language; rooms above hand in words.

mod codes;
mod human;
mod json;
mod short;
mod unsound;

pub use codes::{ALL, Code, find};
pub use human::{HumanStyle, human};
pub use json::json;
pub use short::short;
pub use unsound::Unsound;

/// The codes by name, as `code::UNKNOWN_NAME`.
pub mod code {
    pub use super::codes::table::*;
}

use crate::source::Span;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The file means nothing until this is mended.
    Error,
    /// Values are what they are; somebody should look.
    Warning,
}

impl Severity {
    /// The word shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A place with what to say there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub span: Span,
    pub text: String,
}

/// One finding.
#[derive(Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub code: &'static Code,
    pub severity: Severity,
    /// Lower-case, no final stop, user text in backticks; enough by itself if one line is shown.
    pub message: String,
    /// The first is the place itself, the others show what it conflicts with. Empty for findings
    /// without a place in a text.
    pub labels: Vec<Label>,
    pub help: Option<String>,
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.id, self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, " (help: {help})"))
    }
}

impl std::fmt::Debug for Diagnostic {
    /// As a reader of a panic, or of what `main` returns, wants it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Diagnostic {}

/// A finding that ends what was asked for.
pub type Fault = Box<Diagnostic>;

impl Diagnostic {
    /// A finding at a place.
    #[must_use]
    pub fn at(code: &'static Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity,
            message: message.into(),
            labels: vec![Label { span, text: String::new() }],
            help: None,
        }
    }

    /// A finding without a place in a text (a data file, an argument).
    #[must_use]
    pub fn bare(code: &'static Code, message: impl Into<String>) -> Self {
        Self { code, severity: code.severity, message: message.into(), labels: Vec::new(), help: None }
    }

    /// Words to stand at the main place.
    #[must_use]
    pub fn saying(mut self, text: impl Into<String>) -> Self {
        if let Some(label) = self.labels.first_mut() {
            label.text = text.into();
        }
        self
    }

    /// A second place.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// The remedy.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// The remedy, where there is one.
    #[must_use]
    pub fn maybe_help(mut self, text: Option<String>) -> Self {
        self.help = text.or(self.help);
        self
    }

    /// The main place, if it has one.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|l| l.span)
    }
}

/// Findings of one run.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
}

/// Past this many findings the rest is only counted: a broken file of a megabyte has one lesson.
const MOST: usize = 200;

impl Diagnostics {
    /// Adds a finding; the same one at the same place is kept once.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if self.found.len() < MOST && !self.found.contains(&diagnostic) {
            self.found.push(diagnostic);
        }
    }

    /// Whether any of them is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|d| d.severity == Severity::Error)
    }

    /// All, in the order of the source.
    #[must_use]
    pub fn sorted(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|d| (d.span().map(|s| (s.file, s.start)), d.code.id));
        self.found
    }

    /// The findings so far, in the order found.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.found.iter()
    }

    /// Mutable access, for raising severities and silencing.
    pub fn retain(&mut self, keep: impl FnMut(&mut Diagnostic) -> bool) {
        self.found.retain_mut(keep);
    }

    /// Takes over those of another run.
    pub fn extend(&mut self, other: Diagnostics) {
        for diagnostic in other.found {
            self.push(diagnostic);
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { found: vec![diagnostic] }
    }
}

/// The nearest of some names, if one is near enough to be a slip of the hand.
#[must_use]
pub fn did_you_mean<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1);
    names
        .into_iter()
        .filter(|n| n.len().abs_diff(word.len()) <= limit)
        .map(|n| (distance(word, n), n))
        .filter(|&(d, _)| d <= limit)
        .min_by_key(|&(d, n)| (d, n))
        .map(|(_, n)| n)
}

/// Edit distance in which swapping two neighbours counts as one slip.
#[expect(clippy::indexing_slicing, reason = "row i + 1 is filled from rows i and i − 1, each one longer than b")]
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, &x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &y) in b.iter().enumerate() {
            let mut best = (rows[i][j] + usize::from(x != y)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == y {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
