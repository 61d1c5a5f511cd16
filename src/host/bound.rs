//! What a binding fixed for all steps.

use std::sync::Arc;

use super::inputs::InputId;
use crate::catalog::Catalog;
use crate::program::Program;
use crate::schema::Schema;
use crate::types::Host;

/// Program, catalog, host and providers.
pub struct Bound {
    pub program: Arc<Program>,
    pub schema: Arc<Schema>,
    pub catalog: Option<Arc<dyn Catalog>>,
    pub host: Host,
    /// Columns the host hands in, in the order declared.
    pub declared: Vec<(String, Declared)>,
    /// By feature of the program.
    pub providers: Vec<Option<Provider>>,
    /// The first so many rollouts of a group stand for the slate.
    pub slate_first: Option<u64>,
    /// Whether anything is read by item, or asked of the catalog.
    pub asks_for_items: bool,
    /// The rules in front of the first that reads a prediction: who passes them is asked about.
    pub early: Program,
}

/// What a declared column holds a value for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declared {
    Request,
    Rollout,
    Past,
    Wanted,
    /// Declared, and not looked at.
    Unused,
}

impl Declared {
    /// The call that declares it.
    pub fn call(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Rollout => "rollout",
            Self::Past => "past",
            Self::Wanted => "wanted",
            Self::Unused => "unused",
        }
    }
}

/// Who brings a feature that a candidate has itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// The catalog's column of that name.
    Catalog,
    Sid,
    Column(InputId),
    /// A source, and the place of the feature among what it provides.
    Signal(usize, usize),
}

/// The most that a step may hold; scratch for it is made when the scorer is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    pub requests: usize,
    /// Rollouts of one request.
    pub group: usize,
    /// Entries of one history or list of targets.
    pub list: usize,
}

impl Default for Capacity {
    fn default() -> Self {
        Self { requests: 1_024, group: 512, list: 200 }
    }
}
