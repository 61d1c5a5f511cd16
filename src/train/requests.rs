//! Requests as a scorer reads them: histories, and what was taken next.

use super::samples::{Place, Sequences};
use crate::catalog::Catalog;
use crate::host::{Given, Requests, Scorer};

/// A batch of requests: the SIDs of each one's last items, newest first for a decoder and oldest first for a
/// reward, and the SID of what was taken next.
#[derive(Clone, Debug, Default)]
pub struct Prompts<'c> {
    /// By request the last items' SIDs, newest first.
    pub histories: Vec<Vec<&'c [u32]>>,
    /// The targets' codes, one behind the other.
    pub targets: Vec<u32>,
    past: Vec<u32>,
    past_offsets: Vec<u32>,
    each: Vec<u32>,
    levels: usize,
}

impl<'c> Prompts<'c> {
    /// The requests of samples, with the last `most` items of each.
    #[must_use]
    pub fn new(sequences: &Sequences, batch: &[Place], most: usize, catalog: &'c dyn Catalog) -> Self {
        let histories = batch.iter().map(|at| sequences.history(*at, most, catalog)).collect();
        Self::of(histories, targets(sequences, catalog, batch), catalog.n_levels())
    }

    /// Those of histories; `targets` is empty where nobody knows them.
    #[must_use]
    pub fn of(histories: Vec<Vec<&'c [u32]>>, targets: Vec<u32>, levels: usize) -> Self {
        let mut past = Vec::new();
        let mut past_offsets = vec![0_u32];
        for history in &histories {
            history.iter().rev().for_each(|sid| past.extend_from_slice(sid));
            past_offsets.push((past.len() / levels.max(1)) as u32);
        }
        let known = u32::from(!targets.is_empty());
        let each = (0..=histories.len() as u32).map(|i| i * known).collect();
        Self { histories, targets, past, past_offsets, each, levels }
    }

    /// What a scorer asks for of them.
    #[must_use]
    pub fn requests(&self, scorer: &Scorer<'_>) -> Requests<'_> {
        let mut requests = Requests::new(self.histories.len());
        if let Some(input) = scorer.past_input("sid") {
            let codes = Given::Sids { codes: &self.past, levels: self.levels };
            requests = requests.past(&self.past_offsets).with(input, codes);
        }
        if let Some(input) = scorer.wanted_input("sid") {
            let codes = Given::Sids { codes: &self.targets, levels: self.levels };
            requests = requests.wanted(&self.each).with(input, codes);
        }
        requests
    }
}

/// The SIDs of the samples' targets, one behind the other.
pub fn targets(sequences: &Sequences, catalog: &dyn Catalog, batch: &[Place]) -> Vec<u32> {
    batch.iter().flat_map(|at| catalog.sid(sequences.at(*at).1).unwrap_or(&[])).copied().collect()
}
