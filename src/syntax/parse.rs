//! The parser: cuts, parses each cut, and puts the declarations together.
//!
//! It never fails: what cannot be read is reported and left out, and reading resumes at the next
//! declaration word.

use pest::Parser;
use pest::error::{ErrorVariant, InputLocation};

use super::ast::{Allow, Block, Decl, File};
use super::build::{Builder, Parsed, Rewarding};
use super::cut::{Cut, cut};
use super::{expected, tokens};
use crate::diagnostic::{Diagnostic, Diagnostics, code};
use crate::source::{FileId, Span};

/// Parses a whole text. Every independent fault is in `out`.
pub fn parse(text: &str, file: FileId, out: &mut Diagnostics) -> File {
    let scanned = tokens::scan(text);
    let (cuts, leading) = cut(&scanned, file, out);
    if let Some(range) = leading {
        out.push(expected::leading(text, file, range));
    }
    let mut assembly = Assembly {
        file,
        tree: File::default(),
        open: Vec::new(),
        allows: Vec::new(),
        described: None,
        stage: 0,
        forgiven: 0,
    };
    for piece in &cuts {
        let parsed = if piece.hopeless { None } else { parse_cut(text, file, piece, out) };
        match parsed {
            Some((parsed, closes)) => {
                assembly.take(parsed, piece, out);
                assembly.close(closes, piece, out);
            }
            None => {
                assembly.tree.broken.extend(piece.name.clone());
                assembly.lost(piece);
                assembly.close(piece.closes, piece, out);
            }
        }
    }
    assembly.finish(out)
}

fn parse_cut(text: &str, file: FileId, cut: &Cut, out: &mut Diagnostics) -> Option<(Parsed, usize)> {
    let piece = text.get(cut.start..cut.end)?;
    match Rewarding::parse(cut.rule, piece) {
        Ok(pairs) => {
            let mut builder = Builder::new(file, cut.start, piece);
            let built = builder.cut(pairs);
            let fine = !builder.found.has_errors();
            out.extend(builder.found);
            if !fine {
                return None;
            }
            if built.is_none() {
                let span = Span::new(file, cut.start, cut.end);
                out.push(Diagnostic::at(&code::UNEXPECTED, span, "this declaration cannot be read"));
            }
            built
        }
        Err(error) => {
            let at = match error.location {
                InputLocation::Pos(at) | InputLocation::Span((at, _)) => cut.start + at,
            };
            let tried = match error.variant {
                ErrorVariant::ParsingError { positives, .. } => positives,
                ErrorVariant::CustomError { .. } => Vec::new(),
            };
            let fault = expected::unexpected(text, file, cut, at, &tried);
            let strays = fault.code == &crate::diagnostic::code::UNKNOWN_DECLARATION;
            out.push(fault);
            // What stands before a line that begins nothing may be sound by itself.
            let shorter = text.get(cut.start..at)?.trim_end();
            let end = cut.start + shorter.len();
            (strays && end < cut.end && end > cut.start)
                .then(|| parse_cut(text, file, &Cut { end, ..cut.clone() }, out))
                .flatten()
                .map(|(parsed, _)| (parsed, cut.closes))
        }
    }
}

/// Puts parsed declarations into their blocks and watches the order of the head.
struct Assembly {
    file: FileId,
    tree: File,
    open: Vec<(Block, Span)>,
    allows: Vec<(Allow, Span)>,
    described: Option<String>,
    /// How far the head has come: 1 language … 4 schema, 5 past it.
    stage: u8,
    /// `}` that will come without an open block, after a block was reported inside another.
    forgiven: usize,
}

impl Assembly {
    fn take(&mut self, parsed: Parsed, cut: &Cut, out: &mut Diagnostics) {
        let span = Span::new(self.file, cut.start, cut.end);
        match parsed {
            Parsed::Language(n) => self.head(1, span, out, |h| h.language.replace(n).is_some()),
            Parsed::Scenario(s) => self.head(2, span, out, |h| h.scenario.replace(s).is_some()),
            Parsed::Version(n) => self.head(3, span, out, |h| h.version.replace(n).is_some()),
            Parsed::Schema(path, hosts) => self.head(4, span, out, |h| {
                h.hosts = hosts;
                h.schema.replace(path).is_some()
            }),
            Parsed::Allow(allow) => {
                if self.allows.is_empty() {
                    self.described.clone_from(&cut.description);
                }
                self.allows.push((allow, span));
            }
            Parsed::Open(block) => {
                if let Some((_, opened)) = self.open.last() {
                    out.push(
                        Diagnostic::at(&code::BRACES, span, "a block cannot stand inside a block")
                            .also(*opened, "this one is still open")
                            .help("close the block before with `}`"),
                    );
                    self.forgiven += self.open.len();
                    self.open.clear();
                }
                self.stage = 5;
                self.open.push((block, span));
            }
            Parsed::Decl(kind) => {
                self.stage = 5;
                let block = self.open.last().map_or(Block::Top, |b| b.0);
                if let Some(place) = place_of(&kind).filter(|p| *p != block) {
                    let message = format!("a `{}` stands in `{} {{ … }}`", kind.word(), block_word(place));
                    let help = format!("move this `{}` into `{} {{ … }}`", kind.word(), block_word(place));
                    out.push(Diagnostic::at(&code::MISPLACED, first_word(span, kind.word()), message).help(help));
                } else if block != Block::Top && top_only(&kind) {
                    let message = format!("a `{}` stands outside the blocks", kind.word());
                    out.push(Diagnostic::at(&code::MISPLACED, first_word(span, kind.word()), message));
                }
                let allows: Vec<Allow> = self.allows.drain(..).map(|a| a.0).collect();
                let described = self.described.take();
                let description = if allows.is_empty() { cut.description.clone() } else { described };
                self.tree.decls.push(Decl { block, description, allows, kind, span });
            }
        }
    }

    /// A line of the head that cannot be read is there all the same.
    fn lost(&mut self, cut: &Cut) {
        let span = Span::new(self.file, cut.start, cut.end);
        let word = |node: &str| super::ast::Spanned { node: node.to_string(), span };
        let number = super::ast::Spanned { node: 1, span };
        let head = &mut self.tree.head;
        match cut.rule {
            super::build::Rule::language_cut => _ = head.language.get_or_insert(number),
            super::build::Rule::version_cut => _ = head.version.get_or_insert(number),
            super::build::Rule::scenario_cut => _ = head.scenario.get_or_insert(word("\u{0}")),
            super::build::Rule::schema_cut => _ = head.schema.get_or_insert(word("\u{0}")),
            _ => {}
        }
    }

    fn head(&mut self, stage: u8, span: Span, out: &mut Diagnostics, put: impl FnOnce(&mut super::ast::Head) -> bool) {
        let twice = put(&mut self.tree.head);
        if twice {
            out.push(Diagnostic::at(&code::HEAD, span, "this line of the head stands twice"));
        } else if stage < self.stage {
            out.push(
                Diagnostic::at(&code::HEAD, span, "the head stands first, in this order")
                    .help("`language 1`, `scenario a.b`, `version N`, `schema \"f.yaml\"`, `for …`"),
            );
        }
        self.stage = self.stage.max(stage);
    }

    fn close(&mut self, times: usize, cut: &Cut, out: &mut Diagnostics) {
        for _ in 0..times {
            if self.open.pop().is_none() {
                if self.forgiven > 0 {
                    self.forgiven -= 1;
                    continue;
                }
                let span = Span::new(self.file, cut.end.saturating_sub(1), cut.end);
                out.push(Diagnostic::at(&code::BRACES, span, "this `}` closes nothing"));
                break;
            }
        }
    }

    fn finish(self, out: &mut Diagnostics) -> File {
        for (_, span) in &self.open {
            out.push(Diagnostic::at(&code::BRACES, *span, "this block is never closed").help("add `}` at its end"));
        }
        if let Some((_, span)) = self.allows.first() {
            out.push(Diagnostic::at(&code::ALLOW, *span, "`allow` stands above the declaration it speaks of"));
        }
        self.tree
    }
}

fn place_of(kind: &super::ast::DeclKind) -> Option<Block> {
    use super::ast::DeclKind::{Cap, Gate, Require};
    match kind {
        Gate { .. } => Some(Block::Preference),
        Cap(_) => Some(Block::Ecosystem),
        Require { .. } => Some(Block::Format),
        _ => None,
    }
}

fn top_only(kind: &super::ast::DeclKind) -> bool {
    use super::ast::DeclKind::{Channel, Reward, Test, Use};
    matches!(kind, Channel { .. } | Reward { .. } | Test(_) | Use { .. })
}

fn block_word(block: Block) -> &'static str {
    match block {
        Block::Top => "the file",
        Block::Preference => "preference",
        Block::Ecosystem => "ecosystem",
        Block::Format => "format",
    }
}

fn first_word(span: Span, word: &str) -> Span {
    Span { end: span.start + word.len() as u32, ..span }
}
