//! Requests as a scorer reads them: histories, and what was taken next.

use super::samples::{Place, Sequences};
use crate::catalog::Catalog;
use crate::host::{Given, OwnedColumn, Requests, Scorer};

/// A batch of requests: the SIDs of each one's last items, newest first for a decoder and oldest first for a
/// reward, and the SID of what was taken next.
#[derive(Clone, Debug, Default)]
pub struct Prompts<'c> {
    /// By request the last items' SIDs that a decoder looks at, newest first.
    pub histories: Vec<Vec<&'c [u32]>>,
    /// The targets' codes, one behind the other; zeros where the target has no SID.
    pub targets: Vec<u32>,
    past: Vec<u32>,
    past_offsets: Vec<u32>,
    wanted: Vec<u32>,
    wanted_offsets: Vec<u32>,
    levels: usize,
    keys: Vec<&'c str>,
    features: Vec<(&'c str, OwnedColumn)>,
}

/// How many of a user's last items are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lengths {
    /// By the decoder.
    pub history: usize,
    /// By the reward: the schema's `longest: {history: …}`.
    pub past: usize,
}

impl<'c> Prompts<'c> {
    /// The requests of samples.
    #[must_use]
    pub fn new(sequences: &'c Sequences, batch: &[Place], lengths: Lengths, catalog: &'c dyn Catalog) -> Self {
        let levels = catalog.n_levels();
        let mut out = Self { levels, past_offsets: vec![0], wanted_offsets: vec![0], ..Self::default() };
        let rows: Vec<usize> = batch.iter().map(|(user, _)| *user as usize).collect();
        out.keys = rows.iter().filter_map(|user| sequences.keys.get(*user).map(String::as_str)).collect();
        out.features = sequences.features.iter().map(|(name, column)| (name.as_str(), column.take(&rows))).collect();
        for at in batch {
            let mut last = sequences.history(*at, lengths.history.max(lengths.past), catalog);
            last.iter().take(lengths.past).rev().for_each(|sid| out.past.extend_from_slice(sid));
            out.past_offsets.push((out.past.len() / levels.max(1)) as u32);
            last.truncate(lengths.history);
            out.histories.push(last);
            let target = catalog.sid(sequences.at(*at).1);
            out.wanted.extend_from_slice(target.unwrap_or(&[]));
            out.wanted_offsets.push((out.wanted.len() / levels.max(1)) as u32);
            match target {
                Some(sid) => out.targets.extend_from_slice(sid),
                None => out.targets.extend(std::iter::repeat_n(0, levels)),
            }
        }
        out
    }

    /// Whether the target of a request has a SID.
    #[must_use]
    pub fn has_target(&self, request: usize) -> bool {
        matches!(self.wanted_offsets.get(request..request + 2), Some([from, to]) if to > from)
    }

    /// What a scorer asks for of them.
    #[must_use]
    pub fn requests(&self, scorer: &Scorer<'_>) -> Requests<'_> {
        let mut requests = Requests::new(self.histories.len());
        if !self.keys.is_empty() {
            requests = requests.keys(&self.keys);
        }
        for (name, column) in &self.features {
            if let Some(input) = scorer.input(name) {
                let (values, valid) = column.given();
                requests = requests.with_nulls(input, values, valid);
            }
        }
        if let Some(input) = scorer.past_input("sid") {
            let codes = Given::Sids { codes: &self.past, levels: self.levels };
            requests = requests.past(&self.past_offsets).with(input, codes);
        }
        if let Some(input) = scorer.wanted_input("sid") {
            let codes = Given::Sids { codes: &self.wanted, levels: self.levels };
            requests = requests.wanted(&self.wanted_offsets).with(input, codes);
        }
        requests
    }
}
