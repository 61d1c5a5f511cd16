//! What a binding fixed for all steps.

use std::sync::Arc;

use super::providers::{Declared, Provider};
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
    /// Rules as far as they are known without a model: which items a source is asked about.
    pub early: Program,
}
