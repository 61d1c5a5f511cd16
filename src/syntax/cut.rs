//! Cutting a text into declarations, so that one broken declaration does not hide the next.
//!
//! A declaration begins with its word; the word together with the token behind it can stand nowhere
//! else, so the cut needs no grammar. Nesting is counted here too, before any recursive parser runs.

use super::build::Rule;
use super::tokens::{Token, TokenKind};
use crate::diagnostic::{Diagnostic, Diagnostics, code};
use crate::source::{FileId, Span};

/// Deepest nesting of brackets, `if`, `match` and runs of `not` and `-` (R8.5).
const MAX_NESTING: usize = 64;

/// One declaration's piece of the text: up to where the next begins.
#[derive(Clone, Debug)]
pub struct Cut {
    pub rule: Rule,
    pub start: usize,
    /// Behind the last token that is not a comment.
    pub end: usize,
    pub description: Option<String>,
    /// Not to be parsed: nested too deep, or with a text that is not closed; already reported.
    pub hopeless: bool,
    /// The name it seems to declare.
    pub name: Option<String>,
    /// `}` more than `{` in it: how many blocks it closes, where it cannot be parsed.
    pub closes: usize,
}

/// Cuts the tokens of a file; what stands before the first declaration is given as its range.
pub fn cut(tokens: &[Token], file: FileId, out: &mut Diagnostics) -> (Vec<Cut>, Option<(usize, usize)>) {
    let code_tokens: Vec<(usize, &Token)> =
        tokens.iter().enumerate().filter(|(_, t)| t.kind != TokenKind::Comment).collect();
    let starts = starts(&code_tokens.iter().map(|(_, t)| **t).collect::<Vec<_>>());
    let leading = match (code_tokens.first(), starts.first()) {
        (Some((_, first)), Some(&(i, _))) if i > 0 => {
            Some((first.start, code_tokens.get(i - 1).map_or(first.end(), |(_, t)| t.end())))
        }
        (Some((_, first)), None) => Some((first.start, code_tokens.last().map_or(first.end(), |(_, t)| t.end()))),
        _ => None,
    };
    let mut cuts = Vec::with_capacity(starts.len());
    for (k, &(i, rule)) in starts.iter().enumerate() {
        let until = starts.get(k + 1).map_or(code_tokens.len(), |s| s.0);
        let piece = code_tokens.get(i..until).unwrap_or(&[]);
        let (Some(first), Some(last)) = (piece.first(), piece.last()) else { continue };
        let hopeless = match too_deep(piece) {
            Some(at) => {
                let span = Span::new(file, at.start, at.end());
                out.push(
                    Diagnostic::at(&code::NESTING, span, format!("nested more than {MAX_NESTING} deep"))
                        .saying("too deep from here on")
                        .help("give the inner parts names with `let`"),
                );
                true
            }
            None => unclosed(piece, file, out),
        };
        let count = |mark: &str| piece.iter().filter(|(_, t)| t.is(mark)).count();
        cuts.push(Cut {
            rule,
            start: first.1.start,
            end: last.1.end(),
            description: description(tokens, first.0),
            hopeless,
            name: declared_name(piece),
            closes: count("}").saturating_sub(count("{")),
        });
    }
    (cuts, leading)
}

/// Where declarations begin among tokens without comments.
pub fn starts(code: &[Token<'_>]) -> Vec<(usize, Rule)> {
    let mut starts = Vec::new();
    let mut skip = 0;
    for (i, token) in code.iter().enumerate() {
        if i < skip || token.kind != TokenKind::Word {
            continue;
        }
        let dotted = i > 0 && code.get(i - 1).is_some_and(|t| t.is("."));
        if !dotted && let Some((rule, words)) = begins(token.text, code.get(i + 1), code.get(i + 2)) {
            starts.push((i, rule));
            skip = i + words;
        }
    }
    starts
}

/// The rule that a word begins, with the number of words that belong to its beginning.
fn begins(word: &str, next: Option<&Token>, after: Option<&Token>) -> Option<(Rule, usize)> {
    let next_is = |text: &str| next.is_some_and(|t| t.is(text));
    let next_kind = |kind| next.is_some_and(|t| t.kind == kind);
    let after_is = |text: &str| after.is_some_and(|t| t.is(text));
    let named = |rule| (next_kind(TokenKind::Word) && after_is("=")).then_some((rule, 1));
    let when = |holds: bool, rule| holds.then_some((rule, 1));
    // The name on the same line belongs to the declaration, also where it is a word such as `reward`.
    let naming =
        |rule| Some((rule, if next.is_some_and(|t| t.kind == TokenKind::Word && t.breaks == 0) { 2 } else { 1 }));
    match word {
        "param" => naming(Rule::param_cut),
        "let" => naming(Rule::let_cut),
        "fn" => naming(Rule::fn_cut),
        "term" => naming(Rule::term_cut),
        "gate" => naming(Rule::gate_cut),
        "cap" => naming(Rule::cap_cut),
        "require" => naming(Rule::require_cut),
        "language" => when(next_kind(TokenKind::Number), Rule::language_cut),
        "version" => when(next_kind(TokenKind::Number), Rule::version_cut),
        "scenario" => when(next_kind(TokenKind::Word), Rule::scenario_cut),
        "schema" => when(next_kind(TokenKind::Text), Rule::schema_cut),
        "use" => when(next_kind(TokenKind::Text), Rule::use_cut),
        "test" => when(next_kind(TokenKind::Text), Rule::test_cut),
        "allow" => when(next_kind(TokenKind::Word), Rule::allow_cut),
        "table" => when(next_kind(TokenKind::Word) && after_is("from"), Rule::table_cut),
        "list" => when(next_kind(TokenKind::Word) && after_is("of"), Rule::list_cut),
        "reward" => when(next_is("="), Rule::reward_cut),
        "slate" => (next_is("reward") && after_is("=")).then_some((Rule::slate_reward_cut, 2)),
        "advantage" => named(Rule::advantage_cut),
        "hint" => named(Rule::hint_cut),
        "monitor" => named(Rule::monitor_cut),
        "sample" => when(next_is("weight"), Rule::sample_cut).map(|(r, _)| (r, 2)),
        "token" => {
            when(next_is("reward") || next_is("advantage") || next_is("weight"), Rule::token_cut).map(|(r, _)| (r, 2))
        }
        "preference" => when(next_is("{"), Rule::preference_cut),
        "ecosystem" => when(next_is("{"), Rule::ecosystem_cut),
        "format" => when(next_is("{"), Rule::format_cut),
        _ => None,
    }
}

/// Reports a text that ends with its line instead of with a quote.
fn unclosed(piece: &[(usize, &Token<'_>)], file: FileId, out: &mut Diagnostics) -> bool {
    let open = piece.iter().find(|(_, t)| t.kind == TokenKind::Text && (t.text.len() < 2 || !t.text.ends_with('"')));
    if let Some((_, t)) = open {
        out.push(
            Diagnostic::at(&code::LITERAL, Span::new(file, t.start, t.end()), "this text is not closed")
                .help("a text stands on one line, between double quotes"),
        );
    }
    open.is_some()
}

/// The word behind the words of a declaration.
fn declared_name(piece: &[(usize, &Token<'_>)]) -> Option<String> {
    let words = piece.iter().map(|(_, t)| t).take_while(|t| t.kind == TokenKind::Word);
    let starts = [
        "param",
        "let",
        "fn",
        "table",
        "list",
        "term",
        "gate",
        "cap",
        "require",
        "advantage",
        "sample",
        "token",
        "hint",
        "monitor",
        "reward",
        "weight",
    ];
    words.skip(1).find(|t| !starts.contains(&t.text)).map(|t| t.text.to_string())
}

/// The token at which a piece is nested too deep. An `if` counts until its bracket or argument
/// ends; an `else if` goes on with the `if` before it.
fn too_deep<'t>(piece: &[(usize, &'t Token<'t>)]) -> Option<&'t Token<'t>> {
    let (mut open, mut ifs, mut run) = (Vec::new(), 0usize, 0usize);
    let mut before = "";
    for (_, token) in piece {
        match token.text {
            "(" | "[" | "{" => open.push(ifs),
            ")" | "]" | "}" => ifs = open.pop().unwrap_or(0),
            "," => ifs = open.last().copied().unwrap_or(0),
            "if" if before != "else" => ifs += 1,
            "match" => ifs += 1,
            _ => {}
        }
        run = if matches!(token.text, "-" | "not") { run + 1 } else { 0 };
        if open.len() + ifs + run > MAX_NESTING {
            return Some(token);
        }
        before = token.text;
    }
    None
}

/// The comment lines directly above token `at`, without their marks.
fn description(tokens: &[Token], at: usize) -> Option<String> {
    let mut lines = Vec::new();
    let mut below = tokens.get(at)?;
    for token in tokens.get(..at)?.iter().rev() {
        let own_line = token.breaks > 0 || token.start == 0;
        if token.kind != TokenKind::Comment || below.breaks != 1 || !own_line {
            break;
        }
        lines.push(token.text.trim_start_matches('/').trim());
        below = token;
    }
    lines.reverse();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
