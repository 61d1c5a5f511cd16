//! Working out a program on a batch.
//!
//! One meaning, several evaluators: [`mod@reference`] is the definition (`docs/semantics.md` R1–R6, scalar,
//! f64); others come behind the same [`Evaluator`] and agree with it as R6.3 says. Nothing here
//! knows of files, of polars or of the command line.

pub mod batch;
mod memory;
mod pick;
pub mod reference;
mod scores;
mod select;
mod state;

pub use batch::{Batch, By, Column, List, Texts, Values};
pub use memory::Memory;
pub use pick::{pick_key, picked};
pub use scores::{Counts, Matches, NumberColumn, Reason, Scores, Share, Verdict};
pub use state::{CapState, ControlState, Matching, StateNote};

use crate::program::Program;
use crate::types::Host;

/// Under which circumstances a batch is scored.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    pub host: Host,
    pub state: &'a ControlState,
    /// For `pick … at random` (R1.11).
    pub seed: u64,
    pub step: u64,
    /// Asked now and then while it is worked: whether to give up.
    pub stop: Option<Stop<'a>>,
}

/// Whether somebody wants work to end.
#[derive(Clone, Copy)]
pub struct Stop<'a>(pub &'a dyn Fn() -> bool);

impl std::fmt::Debug for Stop<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stop")
    }
}

/// Why an evaluator did not score a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The program reads the slate and the batch has none (R7.2).
    NoSlates { part: String },
    /// The program reads something that the batch does not bring.
    Missing { what: String },
    /// The file does not name this host (R7.1).
    HostNotNamed { host: Host },
    /// The state names a cap that the program does not have (R4.12).
    UnknownCap { name: String },
    /// The state of a cap does not have the shape of that cap.
    BadState { why: String },
    /// The batch contradicts itself.
    BadBatch { why: String },
    /// It was told to give up ([`Run::stop`]).
    Stopped,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoSlates { part } => write!(f, "`{part}` reads the slate, and this batch has none"),
            Self::Missing { what } => write!(f, "the batch does not bring {what}"),
            Self::HostNotNamed { host } => write!(f, "the file is not for {host}"),
            Self::UnknownCap { name } => write!(f, "the state speaks of a cap `{name}` that the program does not have"),
            Self::BadState { why } => f.write_str(why),
            Self::BadBatch { why } => write!(f, "the batch contradicts itself: {why}"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

impl std::error::Error for Refusal {}

/// Something that works out a program.
pub trait Evaluator {
    /// Its name in reports.
    fn name(&self) -> &'static str;

    /// Scores every candidate of a batch.
    ///
    /// # Errors
    /// A [`Refusal`] where program, batch and host do not fit.
    fn score(&self, program: &Program, batch: &Batch<'_>, run: Run<'_>) -> Result<Scores, Refusal>;
}
