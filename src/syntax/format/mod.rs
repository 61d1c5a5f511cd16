//! Laying a text out in the one way.
//!
//! The formatter works on tokens: comments stay between the tokens they stood between, line breaks
//! inside an expression are the author's, spaces, indents and alignment are ours. What it gives is
//! parsed again and its tree compared with the one it came from, so that a fault of the formatter is
//! a message and never a changed reward.

mod align;
mod lines;
mod space;

use super::parse;
use super::tokens::scan;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::FileId;

/// Why a text was left alone.
#[derive(Clone, Debug, PartialEq)]
pub enum FormatFault {
    /// It has syntax faults.
    Faulty(Vec<Diagnostic>),
    /// The laid-out text would not mean the same: a fault of the formatter.
    Changed,
}

/// The text laid out; a text without tokens stays empty.
///
/// # Errors
/// A [`FormatFault`] where the text is left alone.
pub fn format(text: &str, file: FileId) -> Result<String, FormatFault> {
    let mut found = Diagnostics::default();
    let tree = parse(text, file, &mut found);
    if found.has_errors() {
        return Err(FormatFault::Faulty(found.sorted()));
    }
    let tokens = scan(text);
    let mut lines = lines::lines(&tokens);
    align::align(&mut lines);
    let laid_out = align::render(&lines);
    let mut again = Diagnostics::default();
    let second = parse(&laid_out, file, &mut again);
    if again.has_errors() || second != tree || comments(&laid_out) != comments(text) {
        return Err(FormatFault::Changed);
    }
    Ok(laid_out)
}

fn comments(text: &str) -> Vec<String> {
    let tokens = scan(text);
    tokens
        .iter()
        .filter(|t| t.kind == super::tokens::TokenKind::Comment)
        .map(|t| t.text.trim_end().to_string())
        .collect()
}
