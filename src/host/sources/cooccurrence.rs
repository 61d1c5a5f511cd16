//! What follows what: a source made of interactions alone.

use std::collections::HashMap;

use super::{Pairs, SignalSource, Signals};
use crate::catalog::Catalog;

/// How likely an item follows the history, by what followed its items in other people's.
///
/// `p(j | i) = (n(i → j) + a·p(j)) / (n(i) + a)`, where `n(i → j)` counts j within the next `window` items
/// behind i, `n(i)` all that followed i, and `p(j)` is j's share of all interactions; a history's prediction is
/// the mean over its last `recent` items that are known, and `p(j)` where there are none. With `window` 1 and
/// `recent` 1 it is a first-order Markov chain with additive smoothing towards the popularity.
/// A number in [0, 1].
pub struct CoOccurrence {
    feature: String,
    window: usize,
    recent: usize,
    smoothing: f64,
    follows: HashMap<(u32, u32), u32>,
    followed: HashMap<u32, u32>,
    seen: HashMap<u32, u32>,
    interactions: u64,
    /// By item the one that stands for all behind its SID; empty: each for itself.
    stands_for: Vec<u32>,
}

impl CoOccurrence {
    /// Counts nothing yet: with `window` 1, `recent` 3 and smoothing 1.
    #[must_use]
    pub fn new(feature: impl Into<String>) -> Self {
        Self {
            feature: feature.into(),
            window: 1,
            recent: 3,
            smoothing: 1.0,
            follows: HashMap::new(),
            followed: HashMap::new(),
            seen: HashMap::new(),
            interactions: 0,
            stands_for: Vec::new(),
        }
    }

    /// Counts so many items behind each, from 1.
    #[must_use]
    pub fn window(mut self, items: usize) -> Self {
        self.window = items.max(1);
        self
    }

    /// Predicts from so many of a history's last items, from 1.
    #[must_use]
    pub fn recent(mut self, items: usize) -> Self {
        self.recent = items.max(1);
        self
    }

    /// The weight of the popularity, above 0.
    #[must_use]
    pub fn smoothing(mut self, weight: f64) -> Self {
        self.smoothing = weight.max(f64::MIN_POSITIVE);
        self
    }

    /// Counts the items behind one SID as one: histories that come as SIDs do not tell them apart. To be said before
    /// anything is counted.
    #[must_use]
    pub fn by_sid(mut self, catalog: &dyn Catalog) -> Self {
        let first = |item: u32| {
            let behind = catalog.sid(item).map(|sid| catalog.behind(sid).start as usize);
            behind.and_then(|at| catalog.by_sid().get(at).copied()).unwrap_or(item)
        };
        self.stands_for = (0..catalog.n_items() as u32).map(first).collect();
        self
    }

    fn same(&self, item: u32) -> u32 {
        self.stands_for.get(item as usize).copied().unwrap_or(item)
    }

    /// Counts one user's items, oldest first, by their number in the catalog. What is to be predicted must
    /// not be among them.
    pub fn add(&mut self, items: &[u32]) {
        let items: Vec<u32> = items.iter().map(|item| self.same(*item)).collect();
        let known = |item: &u32| *item != u32::MAX;
        for (place, item) in items.iter().enumerate().filter(|(_, item)| known(item)) {
            *self.seen.entry(*item).or_insert(0) += 1;
            self.interactions += 1;
            for next in items.iter().skip(place + 1).take(self.window).filter(|n| known(n)) {
                *self.follows.entry((*item, *next)).or_insert(0) += 1;
                *self.followed.entry(*item).or_insert(0) += 1;
            }
        }
    }

    /// The prediction for one item behind a history.
    #[must_use]
    pub fn predict_one(&self, history: &[u32], item: u32) -> f64 {
        let (item, history) = (self.same(item), history.iter().map(|item| self.same(*item)).collect::<Vec<_>>());
        let count = |n: Option<&u32>| f64::from(n.copied().unwrap_or(0));
        let popularity = count(self.seen.get(&item)) / (self.interactions.max(1)) as f64;
        let recent = history.iter().rev().filter(|i| self.followed.contains_key(i)).take(self.recent);
        let (mut sum, mut n) = (0.0, 0.0);
        for before in recent {
            let follows = count(self.follows.get(&(*before, item)));
            let followed = count(self.followed.get(before));
            sum += (follows + self.smoothing * popularity) / (followed + self.smoothing);
            n += 1.0;
        }
        if n > 0.0 { sum / n } else { popularity }
    }
}

impl SignalSource for CoOccurrence {
    fn id(&self) -> String {
        let Self { window, recent, smoothing, interactions, .. } = self;
        format!("cooccurrence@window={window},recent={recent},smoothing={smoothing},interactions={interactions}")
    }

    fn provides(&self) -> Vec<String> {
        vec![self.feature.clone()]
    }

    fn reads_history(&self) -> bool {
        true
    }

    fn predict(&mut self, pairs: &Pairs<'_>, out: &mut Signals<'_>) -> Result<(), String> {
        for (pair, slot) in out.column(0).iter_mut().enumerate() {
            if let Some(item) = pairs.items().get(pair) {
                *slot = self.predict_one(pairs.history(pair), *item) as f32;
            }
        }
        Ok(())
    }
}
