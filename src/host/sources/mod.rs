//! Signal sources: models that predict what a reward reads of a (request, item) pair.

mod cooccurrence;
mod table;

pub use cooccurrence::CoOccurrence;
pub use table::{TableBy, TableSignals};

use crate::catalog::Catalog;
use crate::eval::By;

/// The distinct pairs of a step whose item is legal so far, and what is known of them.
pub struct Pairs<'a> {
    pub(in crate::host) requests: &'a [u32],
    pub(in crate::host) items: &'a [u32],
    pub(in crate::host) rows: &'a [u32],
    pub(in crate::host) keys: &'a [String],
    pub(in crate::host) catalog: Option<&'a dyn Catalog>,
    pub(in crate::host) history: &'a History,
}

/// The items of histories.
#[derive(Debug)]
pub struct History {
    /// By request, or by rollout.
    pub(in crate::host) by: By,
    pub(in crate::host) ranges: Vec<(u32, u32)>,
    /// Oldest first, by their number in the catalog; `u32::MAX` for an entry that is no item of it.
    pub(in crate::host) items: Vec<u32>,
}

impl Default for History {
    fn default() -> Self {
        Self { by: By::Request, ranges: Vec::new(), items: Vec::new() }
    }
}

impl History {
    fn of(&self, holder: u32) -> &[u32] {
        let (from, to) = self.ranges.get(holder as usize).copied().unwrap_or((0, 0));
        self.items.get(from as usize..to as usize).unwrap_or(&[])
    }
}

impl Pairs<'_> {
    /// Number of pairs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Request of each pair, by its place in the step.
    #[must_use]
    pub fn requests(&self) -> &[u32] {
        self.requests
    }

    /// Item of each pair, by its number in the catalog.
    #[must_use]
    pub fn items(&self) -> &[u32] {
        self.items
    }

    /// A rollout of each pair, by its place in the step: the first that has it.
    #[must_use]
    pub fn rows(&self) -> &[u32] {
        self.rows
    }

    /// The key of a pair's request.
    #[must_use]
    pub fn request_key(&self, pair: usize) -> &str {
        self.requests.get(pair).and_then(|r| self.keys.get(*r as usize)).map_or("", String::as_str)
    }

    /// The items of a pair's history, oldest first, by their number in the catalog; `u32::MAX` for an entry
    /// that is no item of it. For a source that [reads histories](SignalSource::reads_history).
    #[must_use]
    pub fn history(&self, pair: usize) -> &[u32] {
        let holders = if self.history.by == By::Row { self.rows } else { self.requests };
        holders.get(pair).map_or(&[], |holder| self.history.of(*holder))
    }

    /// The number of items in the catalog; 0 where there is none.
    #[must_use]
    pub fn n_items(&self) -> usize {
        self.catalog.map_or(0, Catalog::n_items)
    }

    /// The key of a pair's item; empty where there is no catalog.
    #[must_use]
    pub fn item_key(&self, pair: usize) -> &str {
        match (self.catalog, self.items.get(pair)) {
            (Some(catalog), Some(item)) => catalog.key(*item),
            _ => "",
        }
    }
}

/// Where a source writes: a column for each feature it provides, NaN where it writes nothing.
pub struct Signals<'a> {
    pub(in crate::host) columns: &'a mut [Vec<f32>],
}

impl Signals<'_> {
    /// The values of the i-th feature of [`SignalSource::provides`], a value for each pair, in the
    /// unit of the schema. A pair left at NaN has failed: `unscorable(signal_failed)`.
    pub fn column(&mut self, i: usize) -> &mut [f32] {
        self.columns.get_mut(i).map_or(&mut [], Vec::as_mut_slice)
    }
}

/// A model behind a reward. It is called once a step, on distinct pairs.
pub trait SignalSource: Send {
    /// What it is, with its version: written beside the reward id.
    fn id(&self) -> String;

    /// Features of the schema that it predicts.
    fn provides(&self) -> Vec<String>;

    /// Whether it asks for histories. The host then declares them by SID or by item key, whether the
    /// reward reads them or not.
    fn reads_history(&self) -> bool {
        false
    }

    /// Predicts all of them for all pairs.
    ///
    /// # Errors
    /// Why nothing could be predicted; the step ends then.
    fn predict(&mut self, pairs: &Pairs<'_>, out: &mut Signals<'_>) -> Result<(), String>;
}

impl<S: SignalSource + ?Sized> SignalSource for Box<S> {
    fn id(&self) -> String {
        (**self).id()
    }

    fn provides(&self) -> Vec<String> {
        (**self).provides()
    }

    fn reads_history(&self) -> bool {
        (**self).reads_history()
    }

    fn predict(&mut self, pairs: &Pairs<'_>, out: &mut Signals<'_>) -> Result<(), String> {
        (**self).predict(pairs, out)
    }
}

/// A closure that predicts one feature: it fills a value for each pair.
pub struct SignalFn<F> {
    id: String,
    feature: String,
    predict: F,
}

impl<F: FnMut(&Pairs<'_>, &mut [f32]) -> Result<(), String> + Send> SignalFn<F> {
    /// A source of `feature`.
    pub fn new(id: impl Into<String>, feature: impl Into<String>, predict: F) -> Self {
        Self { id: id.into(), feature: feature.into(), predict }
    }
}

impl<F: FnMut(&Pairs<'_>, &mut [f32]) -> Result<(), String> + Send> SignalSource for SignalFn<F> {
    fn id(&self) -> String {
        self.id.clone()
    }

    fn provides(&self) -> Vec<String> {
        vec![self.feature.clone()]
    }

    fn predict(&mut self, pairs: &Pairs<'_>, out: &mut Signals<'_>) -> Result<(), String> {
        (self.predict)(pairs, out.column(0))
    }
}
