//! Whether a space stands between two tokens.

use super::super::tokens::{Token, TokenKind};
use crate::types::RESERVED;

/// Whether a `-` behind this token is a sign and not a subtraction.
pub fn is_prefix(before: Option<&Token<'_>>) -> bool {
    let Some(before) = before else { return true };
    match before.kind {
        TokenKind::Number | TokenKind::Text => false,
        TokenKind::Word => is_word_of_grammar(before.text),
        _ => !matches!(before.text, ")" | "]" | "}"),
    }
}

/// Words behind which an operand follows.
fn is_word_of_grammar(word: &str) -> bool {
    let operand = matches!(word, "true" | "false" | "this");
    !operand
        && (RESERVED.contains(&word)
            || matches!(word, "weight" | "within" | "penalty" | "scale" | "lambda" | "most" | "least"))
}

/// Whether a space stands between two neighbours. `signed`: the first is a prefix sign; `tight`:
/// they stood together and may belong to one literal (dates, SIDs of tests).
pub fn space_between(a: &Token<'_>, b: &Token<'_>, signed: bool, tight: bool) -> bool {
    if signed {
        return false;
    }
    if tight && (slash(a, b) || dash(a, b)) {
        return false;
    }
    match (a.text, b.text) {
        (_, "," | ")" | "]" | ":") | ("(" | "[", _) => false,
        (".", _) | (_, ".") | ("..", _) | (_, "..") => false,
        (_, "(") => match a.kind {
            TokenKind::Word => is_word_of_grammar(a.text) || a.text == "this",
            _ => true,
        },
        ("{", "}") => false,
        _ => true,
    }
}

fn slash(a: &Token<'_>, b: &Token<'_>) -> bool {
    (a.kind == TokenKind::Number && b.is("/")) || (a.is("/") && b.kind == TokenKind::Number)
}

fn dash(a: &Token<'_>, b: &Token<'_>) -> bool {
    (a.kind == TokenKind::Number && b.is("-")) || (a.is("-") && b.kind == TokenKind::Number)
}
