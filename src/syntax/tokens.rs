//! A plain scan of the text into words, numbers, marks and comments, with their places.
//!
//! It knows just enough to find where declarations begin and to lay a text out anew; what the
//! tokens mean is the grammar's business.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Word,
    Number,
    Text,
    Mark,
    Comment,
}

/// A token and its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Token<'a> {
    pub kind: TokenKind,
    pub text: &'a str,
    pub start: usize,
    /// Line breaks between the token before and this one.
    pub breaks: usize,
}

impl Token<'_> {
    /// Offset behind the last byte.
    #[must_use]
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it is this word or mark.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.text == text && matches!(self.kind, TokenKind::Word | TokenKind::Mark)
    }
}

/// Marks of two characters; every other mark is one character.
const PAIRS: [&str; 7] = ["??", "==", "!=", "<=", ">=", "->", ".."];

/// Scans a whole text; never fails, unknown characters become marks.
#[must_use]
pub fn scan(text: &str) -> Vec<Token<'_>> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::with_capacity(text.len() / 4);
    let (mut at, mut breaks) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        let kind = match byte {
            b'\n' => {
                breaks += 1;
                at += 1;
                continue;
            }
            // A carriage return ends a line of its own only where no line feed follows.
            b'\r' if bytes.get(at + 1) != Some(&b'\n') => {
                breaks += 1;
                at += 1;
                continue;
            }
            b' ' | b'\t' | b'\r' => {
                at += 1;
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at = end_while(bytes, at, |b| !ends_line(b));
                TokenKind::Comment
            }
            b'"' => {
                at = end_of_text(bytes, at);
                TokenKind::Text
            }
            b'0'..=b'9' => {
                at = end_of_number(bytes, at);
                TokenKind::Number
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                at = end_while(bytes, at, |b| b.is_ascii_alphanumeric() || b == b'_');
                TokenKind::Word
            }
            _ => {
                let rest = text.get(at..).unwrap_or("");
                let pair = PAIRS.iter().find(|p| rest.starts_with(**p));
                at += pair.map_or_else(|| rest.chars().next().map_or(1, char::len_utf8), |p| p.len());
                TokenKind::Mark
            }
        };
        let text = text.get(start..at).unwrap_or("");
        tokens.push(Token { kind, text, start, breaks });
        breaks = 0;
    }
    tokens
}

fn end_while(bytes: &[u8], from: usize, keep: impl Fn(u8) -> bool) -> usize {
    bytes.iter().skip(from).position(|&b| !keep(b)).map_or(bytes.len(), |n| from + n)
}

fn ends_line(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Behind the closing quote, or at the end of the line where there is none.
fn end_of_text(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b if ends_line(b) => return at,
            b'\\' if bytes.get(at + 1).is_some_and(|&b| !ends_line(b)) => at += 2,
            _ => at += 1,
        }
    }
    bytes.len().min(at)
}

/// Digits, a fraction (not the `..` of a range), an exponent, `%`.
fn end_of_number(bytes: &[u8], from: usize) -> usize {
    let digits = |at| end_while(bytes, at, |b| b.is_ascii_digit() || b == b'_');
    let digit_at = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut at = digits(from);
    if bytes.get(at) == Some(&b'.') && digit_at(at + 1) {
        at = digits(at + 1);
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        if digit_at(at + 1 + sign) {
            at = digits(at + 1 + sign);
        }
    }
    if bytes.get(at) == Some(&b'%') { at + 1 } else { at }
}
