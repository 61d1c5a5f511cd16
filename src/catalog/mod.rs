//! Which items exist, which SIDs stand for them, and what is known of them by themselves.
//!
//! ```text
//! SID ──behind──▶ items ──column──▶ features        prefix ──allowed──▶ next codes ──Taken──▶ Mask
//! ```
//!
//! Items are numbered from 0 in catalog order. Nothing here knows the language.

mod file;
mod format;
mod legal;
mod memory;
mod sorted;

pub use file::FileCatalog;
pub use format::write;
pub use legal::{Free, Legal, Mask, NextCodes, Taken};
pub use memory::{MemoryCatalog, Sids};

use crate::eval::batch::{Column, Texts};

/// What a reward asks of a catalog.
pub trait Catalog: Send + Sync {
    /// Number of items.
    fn n_items(&self) -> usize;

    /// Levels of a SID; 0 where items have none.
    fn n_levels(&self) -> usize;

    /// The key of an item as text; empty for a number that is none.
    fn key(&self, item: u32) -> &str;

    /// The item of a key.
    fn item(&self, key: &str) -> Option<u32>;

    /// All items ordered by SID, those of one SID in catalog order: what [`Catalog::behind`] points into.
    fn by_sid(&self) -> &[u32];

    /// The items that a SID stands for, as a range of [`Catalog::by_sid`]; empty for a SID that no item has.
    fn behind(&self, sid: &[u32]) -> std::ops::Range<u32> {
        if sid.len() == self.n_levels() && !sid.is_empty() { self.beneath(sid) } else { 0..0 }
    }

    /// The items whose SID begins with a prefix, as a range of [`Catalog::by_sid`].
    fn beneath(&self, prefix: &[u32]) -> std::ops::Range<u32>;

    /// By level one more than the greatest code that any item has; empty where items have no SIDs.
    fn shape(&self) -> &[u32];

    /// The SID of an item; none for an item without one, and for a number that is none.
    fn sid(&self, item: u32) -> Option<&[u32]>;

    /// The codes that may follow a prefix, ascending, into `next` (emptied first). A prefix that no
    /// item begins with, and a whole SID, have none.
    fn allowed(&self, prefix: &[u32], next: &mut Vec<u32>);

    /// A feature of items by item, cleaned as the schema says.
    fn column(&self, feature: &str) -> Option<Column<'_>>;

    /// Names of the features it has.
    fn features(&self) -> Vec<&str>;

    /// The texts that its columns' numbers stand for.
    fn texts(&self) -> &Texts;

    /// A hash of keys and SIDs: a batch made with another catalog is told by it.
    fn id(&self) -> u64;
}
