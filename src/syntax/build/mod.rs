//! pest's pairs → syntax tree.
//!
//! Functions give `None` only where a pair does not have the shape the grammar promises; faults of
//! the text that the grammar lets through on purpose (to be named better) go into `found`.

mod decl;
mod expr;
mod test;

use pest::iterators::{Pair, Pairs};

use super::ast::{Allow, Block, ConstantKind, DeclKind, Name, Number, Spanned};
use crate::diagnostic::{Diagnostic, Diagnostics, code};
use crate::source::{FileId, Span};

mod generated {
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/reward.pest"]
    pub struct Rewarding;
}
pub use generated::{Rewarding, Rule};

/// Longest name.
const MOST_NAME: usize = 128;

/// What one cut holds.
pub enum Parsed {
    Language(Spanned<u64>),
    Scenario(Spanned<String>),
    Version(Spanned<u64>),
    Schema(Spanned<String>, Option<Vec<Name>>),
    Allow(Allow),
    Open(Block),
    Decl(DeclKind),
}

/// Builds trees from the pairs of one cut.
pub struct Builder<'t> {
    file: FileId,
    /// Offset of the cut in its file.
    base: usize,
    text: &'t str,
    pub found: Diagnostics,
}

impl<'t> Builder<'t> {
    /// A builder for the cut `text` at `base`.
    pub fn new(file: FileId, base: usize, text: &'t str) -> Self {
        Self { file, base, text, found: Diagnostics::default() }
    }

    /// The content of a cut, and how many blocks it closes behind it.
    pub fn cut(&mut self, mut pairs: Pairs<'_, Rule>) -> Option<(Parsed, usize)> {
        let mut inner = pairs.next()?.into_inner();
        let content = inner.next()?;
        let closes = inner.find(|p| p.as_rule() == Rule::closing).map_or(0, |p| p.into_inner().count());
        let parsed = match content.as_rule() {
            Rule::w_preference => Parsed::Open(Block::Preference),
            Rule::w_ecosystem => Parsed::Open(Block::Ecosystem),
            Rule::w_format => Parsed::Open(Block::Format),
            _ => self.declaration(content)?,
        };
        Some((parsed, closes))
    }

    fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        let span = pair.as_span();
        Span::new(self.file, self.base + span.start(), self.base + span.end())
    }

    /// The source text of a place in this cut.
    pub(crate) fn text_of(&self, span: Span) -> &'t str {
        let start = (span.start as usize).saturating_sub(self.base);
        self.text.get(start..start + span.len()).unwrap_or("")
    }

    fn name(&mut self, pair: &Pair<'_, Rule>) -> Name {
        let span = self.span(pair);
        if span.len() > MOST_NAME {
            self.found.push(
                Diagnostic::at(&code::LITERAL, span, format!("a name of more than {MOST_NAME} characters"))
                    .help("names head the columns of score files: keep them short"),
            );
        }
        Spanned { node: pair.as_str().to_string(), span }
    }

    fn int(&mut self, pair: &Pair<'_, Rule>) -> Spanned<u64> {
        let span = self.span(pair);
        let node = pair.as_str().replace('_', "").parse().unwrap_or_else(|_| {
            self.found.push(Diagnostic::at(&code::LITERAL, span, "this whole number is too large"));
            0
        });
        Spanned { node, span }
    }

    /// A text literal with its escapes resolved.
    fn text(&mut self, pair: Pair<'_, Rule>) -> Spanned<String> {
        let span = self.span(&pair);
        let raw = pair.into_inner().next().map_or("", |p| p.as_str());
        let mut node = String::with_capacity(raw.len());
        let mut chars = raw.chars();
        while let Some(c) = chars.next() {
            match (c, c == '\\') {
                (_, false) => node.push(c),
                _ => match chars.next() {
                    Some('n') => node.push('\n'),
                    Some(c @ ('"' | '\\')) => node.push(c),
                    other => {
                        let shown: String = other.into_iter().collect();
                        self.found.push(
                            Diagnostic::at(&code::LITERAL, span, format!("`\\{shown}` is not an escape"))
                                .help("texts have `\\\"`, `\\\\` and `\\n`"),
                        );
                    }
                },
            }
        }
        Spanned { node, span }
    }

    /// A number with its `%` or unit, the one space between checked.
    fn number(&mut self, pair: Pair<'_, Rule>) -> Number {
        let span = self.span(&pair);
        let mut number = Number { digits: String::new(), percent: false, unit: None };
        let mut blanks = 0;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::decimal => number.digits = part.as_str().replace('_', ""),
                Rule::percent => number.percent = true,
                Rule::blanks => blanks = part.as_str().len(),
                Rule::unit => number.unit = Some(part.as_str().to_string()),
                _ => {}
            }
        }
        if let Some(unit) = number.unit.as_ref().filter(|_| blanks != 1) {
            let digits = &number.digits;
            self.found.push(
                Diagnostic::at(&code::QUANTITY, span, "a number and its unit stand one space apart")
                    .help(format!("write `{digits} {unit}`")),
            );
        }
        if !number.decimal().is_finite() || number.decimal() > crate::types::LIMIT {
            self.found.push(Diagnostic::at(&code::LITERAL, span, "this number is past 1e30"));
            number.digits = "0".into();
        }
        number
    }

    fn constant(&mut self, pair: Pair<'_, Rule>) -> Option<Spanned<ConstantKind>> {
        let span = self.span(&pair);
        let mut negative = false;
        for part in pair.into_inner() {
            let node = match part.as_rule() {
                Rule::minus => {
                    negative = true;
                    continue;
                }
                Rule::number => ConstantKind::Number { number: self.number(part), negative },
                Rule::boolean => ConstantKind::Bool(part.as_str() == "true"),
                Rule::text => ConstantKind::Text(self.text(part).node),
                _ => return None,
            };
            if negative && !matches!(node, ConstantKind::Number { .. }) {
                self.found.push(Diagnostic::at(&code::LITERAL, span, "only a number may begin with `-`"));
            }
            return Some(Spanned { node, span });
        }
        None
    }
}
