//! Text → syntax tree, and back.
//!
//! ```text
//! text ──cut──▶ declarations ──pest──▶ pairs ──build──▶ ast::File
//! text ──format──▶ text
//! ```
//!
//! Nothing here knows what a name means or what type a value has. pest's own types stay in this
//! folder.

pub mod ast;
mod build;
mod cut;
mod expected;
mod format;
mod operators;
mod parse;
mod tokens;

pub use format::{FormatFault, format};
pub use parse::parse;
pub use tokens::{TokenKind, scan};

/// The words that begin a declaration, as messages list them.
pub const DECLARATION_WORDS: [&str; 26] = [
    "language",
    "scenario",
    "version",
    "schema",
    "allow",
    "param",
    "let",
    "fn",
    "table",
    "list",
    "use",
    "term",
    "gate",
    "cap",
    "require",
    "reward",
    "slate",
    "advantage",
    "sample",
    "token",
    "hint",
    "monitor",
    "test",
    "preference",
    "ecosystem",
    "format",
];
