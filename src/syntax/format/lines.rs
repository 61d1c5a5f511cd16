//! Tokens → lines: where lines break, and how deep they stand.

use std::collections::HashSet;

use super::super::cut;
use super::super::tokens::{Token, TokenKind};
use super::space::{is_prefix, space_between};

/// A token of a line with the space before it.
#[derive(Clone, Debug)]
pub struct Piece {
    pub text: String,
    pub space: bool,
    /// Further spaces, by alignment.
    pub pad: usize,
}

/// One line.
#[derive(Clone, Debug, Default)]
pub struct Line {
    pub pieces: Vec<Piece>,
    /// Blocks around it.
    pub depth: usize,
    /// Brackets open around a continuation line.
    pub inner: usize,
    pub kind: LineKind,
    pub blank_before: bool,
    /// Comment behind the code.
    pub trailing: Option<String>,
}

/// What a line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineKind {
    /// Begins a declaration, an item, an expectation.
    #[default]
    Start,
    /// Goes on with the line before; `true`: begins with an operator.
    Continuation(bool),
    Comment,
    /// `}` alone.
    Close,
}

/// What a `{` opens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Brace {
    /// A block: each entry on a line of its own.
    Block,
    Cap,
    Test,
    /// `item { … }`, `match x { … }`: as the author breaks it.
    Inline,
}

/// Lays tokens out in lines.
pub fn lines(tokens: &[Token<'_>]) -> Vec<Line> {
    let code: Vec<Token> = tokens.iter().filter(|t| t.kind != TokenKind::Comment).copied().collect();
    let declared = cut::starts(&code).into_iter().map(|(at, _)| at).collect();
    let mut layout =
        Layout { out: Vec::new(), open: Vec::new(), round: 0, code, declared, statement: "", in_head: true };
    let mut at = 0;
    let mut previous: Option<Token> = None;
    for token in tokens {
        if token.kind == TokenKind::Comment {
            layout.comment(token, previous.as_ref());
        } else {
            layout.token(token, previous.as_ref(), at);
            at += 1;
        }
        previous = Some(*token);
    }
    layout.out
}

struct Layout<'t> {
    out: Vec<Line>,
    open: Vec<Brace>,
    /// Open round and square brackets.
    round: usize,
    code: Vec<Token<'t>>,
    /// Where declarations begin among `code`.
    declared: HashSet<usize>,
    /// First word of the statement we are in.
    statement: &'t str,
    in_head: bool,
}

impl<'t> Layout<'t> {
    fn blocks(&self) -> usize {
        self.open.iter().filter(|b| **b != Brace::Inline).count()
    }

    fn inline(&self) -> usize {
        self.open.iter().filter(|b| **b == Brace::Inline).count()
    }

    fn comment(&mut self, token: &Token<'t>, previous: Option<&Token<'t>>) {
        let text = token.text.trim_end().to_string();
        let own_line = token.breaks > 0 || previous.is_none();
        let last_takes = self.out.last().is_some_and(|l| l.trailing.is_none() && l.kind != LineKind::Comment);
        if !own_line && last_takes {
            if let Some(line) = self.out.last_mut() {
                line.trailing = Some(text);
            }
            return;
        }
        let piece = Piece { text, space: false, pad: 0 };
        let inner = self.round + self.inline();
        let blank_before = token.breaks > 1 && previous.is_some_and(|p| !p.is("{"));
        self.out.push(Line {
            pieces: vec![piece],
            depth: self.blocks(),
            inner,
            kind: LineKind::Comment,
            blank_before,
            trailing: None,
        });
    }

    fn token(&mut self, token: &Token<'t>, previous: Option<&Token<'t>>, at: usize) {
        let next = self.code.get(at + 1).copied();
        let after = self.code.get(at + 2).copied();
        let before = at.checked_sub(1).and_then(|i| self.code.get(i)).copied();
        let starts = self.starts(at, token, before.as_ref(), next.as_ref(), after.as_ref());
        if starts {
            self.statement = token.text;
            self.round = 0;
            self.in_head &= matches!(token.text, "language" | "scenario" | "version" | "schema" | "for");
        }
        let closes_block = token.is("}") && self.open.last().is_some_and(|b| *b != Brace::Inline);
        let opened =
            before.as_ref().is_some_and(|b| b.is("{")) && self.open.last().is_some_and(|b| *b != Brace::Inline);
        let after_close =
            before.as_ref().is_some_and(|b| b.is("}")) && self.inline() == 0 && self.round == 0 && !token.is("}");
        let after_comment = previous.is_some_and(|p| p.kind == TokenKind::Comment);
        let breaks = token.breaks > 0
            || starts
            || closes_block
            || (opened && !token.is("}"))
            || after_comment
            || self.out.is_empty()
            || after_close;
        let empty = closes_block && before.as_ref().is_some_and(|b| b.is("{")) && !after_comment;
        if closes_block || (token.is("}") && !self.open.is_empty()) {
            self.open.pop();
        }
        if matches!(token.text, ")" | "]") {
            self.round = self.round.saturating_sub(1);
        }
        if breaks && !empty {
            let kind = if closes_block {
                LineKind::Close
            } else if starts {
                LineKind::Start
            } else {
                LineKind::Continuation(is_operator(token, before.as_ref()))
            };
            let opened = previous.is_some_and(|b| b.is("{"));
            let blank_before = token.breaks > 1 && !opened && !closes_block && !after_comment_line(previous, token);
            let inner = self.round + self.inline();
            self.out.push(Line { pieces: Vec::new(), depth: self.blocks(), inner, kind, blank_before, trailing: None });
        }
        let tight = before.as_ref().is_some_and(|b| b.end() == token.start)
            && (self.statement == "allow" || self.open.contains(&Brace::Test));
        let space = before.as_ref().is_some_and(|b| space_between(b, token, self.prefix_before(at), tight));
        if let Some(line) = self.out.last_mut() {
            let space = space && !line.pieces.is_empty();
            line.pieces.push(Piece { text: token.text.to_string(), space, pad: 0 });
        }
        if matches!(token.text, "(" | "[") && token.kind == TokenKind::Mark {
            self.round += 1;
        }
        if token.is("{") {
            let brace = self.brace(at);
            self.open.push(brace);
        }
    }

    /// Whether the token before `at` is a prefix sign.
    fn prefix_before(&self, at: usize) -> bool {
        let sign = at.checked_sub(1).and_then(|i| self.code.get(i)).is_some_and(|t| t.is("-"));
        let before = at.checked_sub(2).and_then(|i| self.code.get(i));
        sign && is_prefix(before)
    }

    /// What the `{` at a place opens: told by the words of its statement.
    fn brace(&self, at: usize) -> Brace {
        let word = |back: usize| at.checked_sub(back).and_then(|i| self.code.get(i)).map_or("", |t| t.text);
        if matches!(self.statement, "preference" | "ecosystem" | "format") && self.open.is_empty() {
            return Brace::Block;
        }
        if self.statement == "cap" && !self.open.contains(&Brace::Cap) && !self.match_is_open(at) {
            return Brace::Cap;
        }
        if self.statement == "test" && !self.open.contains(&Brace::Test) {
            return Brace::Test;
        }
        let in_test = self.open.contains(&Brace::Test);
        if in_test && matches!(word(1), "history" | "targets" | "state") {
            return if self.stays_on_its_line(at) { Brace::Inline } else { Brace::Block };
        }
        if in_test && (word(2) == "of" || word(1) == "of") {
            return Brace::Block;
        }
        Brace::Inline
    }

    /// Whether the author wrote the braces that open at a place on one line.
    fn stays_on_its_line(&self, at: usize) -> bool {
        let mut depth = 0;
        for token in self.code.get(at..).unwrap_or(&[]).iter() {
            if depth > 0 && token.breaks > 0 {
                return false;
            }
            depth += i32::from(token.is("{")) - i32::from(token.is("}"));
            if depth == 0 {
                return true;
            }
        }
        false
    }

    /// Whether the condition of a cap has a `match` whose braces come first.
    fn match_is_open(&self, at: usize) -> bool {
        let Some(before) = self.code.get(..at) else { return false };
        let start = before.iter().rposition(|t| t.is("cap")).unwrap_or(0);
        let piece = before.get(start..).unwrap_or(&[]);
        let matches = piece.iter().filter(|t| t.is("match")).count();
        let opened = piece.iter().filter(|t| t.is("{")).count();
        matches > opened
    }

    /// Whether a token begins a statement.
    fn starts(
        &self,
        at: usize,
        token: &Token<'t>,
        before: Option<&Token<'t>>,
        next: Option<&Token<'t>>,
        after: Option<&Token<'t>>,
    ) -> bool {
        if token.kind != TokenKind::Word || self.open.last() == Some(&Brace::Inline) {
            return false;
        }
        let dotted = before.is_some_and(|b| b.is("."));
        match self.open.last() {
            Some(Brace::Cap) => match token.text {
                "at" => before.is_some_and(|b| b.is("{")),
                "penalty" | "dual" | "hard" => !dotted && self.round == 0 && !before.is_some_and(|b| b.is("{")),
                "scale" => {
                    self.round == 0
                        && next.is_some_and(|n| matches!(n.kind, TokenKind::Number | TokenKind::Word))
                        && !is_operator_word(before)
                }
                _ => false,
            },
            Some(Brace::Test) | Some(Brace::Block) if self.open.contains(&Brace::Test) => {
                let opens = next.is_some_and(|n| n.is("{") || n.is("*"));
                let spans = next.is_some_and(|n| n.is("of")) && after.is_some_and(|a| a.kind == TokenKind::Number);
                let entry = matches!(before.map(|b| b.text), Some("{" | "}"))
                    || before.is_some_and(|b| b.kind != TokenKind::Mark);
                match token.text {
                    "expect" => true,
                    "with" => next.is_some_and(|n| n.kind == TokenKind::Word) && after.is_some_and(|a| a.is("=")),
                    "item" | "request" | "history" | "targets" | "state" => opens && entry,
                    "slate" | "group" => spans && !before.is_some_and(|b| b.is("of")),
                    _ => {
                        self.open.last() == Some(&Brace::Block)
                            && next.is_some_and(|n| n.is(":"))
                            && !before.is_some_and(|b| b.is(","))
                    }
                }
            }
            _ => {
                let head_for = token.text == "for" && self.in_head && !self.out.is_empty();
                head_for || self.declared.contains(&at)
            }
        }
    }
}

fn after_comment_line(previous: Option<&Token<'_>>, token: &Token<'_>) -> bool {
    // A comment keeps its distance to what follows: one blank line at most, as elsewhere.
    previous.is_some_and(|p| p.kind == TokenKind::Comment) && token.breaks <= 1
}

fn is_operator_word(token: Option<&Token<'_>>) -> bool {
    token.is_some_and(|t| {
        matches!(
            t.text,
            "and" | "or" | "not" | "per" | "of" | "{" | "+" | "-" | "*" | "/" | "==" | "!=" | "<" | ">" | "<=" | ">="
        )
    })
}

/// Whether a line that begins with this token goes on an expression from its left.
fn is_operator(token: &Token<'_>, before: Option<&Token<'_>>) -> bool {
    let sign = token.is("-") && !is_prefix(before);
    sign || matches!(
        token.text,
        "+" | "*" | "/" | "??" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "and" | "or" | "then" | "else" | "in" | "is"
    )
}
