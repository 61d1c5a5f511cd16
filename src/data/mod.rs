//! Files of data → batches → files of scores, by polars.
//!
//! ```text
//! frame (csv, parquet, ndjson) ─▶ view (sources joined) ─▶ columns (cleaned features)
//!                               ─▶ spans, lists, catalog ─▶ bind ─▶ eval::Batch ─▶ write
//! ```
//!
//! Knows nothing of the language's syntax: it takes a program and its schema.

mod bind;
mod catalog;
mod cells;
mod columns;
mod contract;
mod frame;
mod gather;
mod lists;
mod ndjson;
mod order;
mod parquet;
mod sequences;
mod sid_json;
mod signals;
mod spans;
mod text;
mod users;
mod view;
mod write;

pub use bind::{Bound, Input, Notes, bind};
pub use catalog::read_catalog;
pub use contract::{Finding, check_contract};
pub use frame::{Frame, content_id, read};
pub use sequences::read_sequences;
pub use signals::read_signals;
pub use users::{read_user_columns, read_user_keys};
pub use write::{write_scores, written_as_csv};

use crate::diagnostic::Diagnostic;

pub use crate::diagnostic::Fault;

/// A fault with its remedy.
fn fault(code: &'static crate::diagnostic::Code, message: impl Into<String>) -> Fault {
    Box::new(Diagnostic::bare(code, message))
}

/// Told of long work: what is being done, and how far it is.
pub trait Progress {
    /// A new piece of work begins.
    fn step(&self, what: &str);
}

/// Nobody watches.
pub struct Silent;

impl Progress for Silent {
    fn step(&self, _: &str) {}
}
