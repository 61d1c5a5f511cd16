//! What anybody would recommend without a model: the most popular items, and those that followed the last one.

use std::collections::HashMap;

use super::evaluate::{Class, Evaluation, judge, of_users};
use super::samples::{Part, Place, Sequences};
use crate::catalog::Catalog;

/// Counts of what was taken, and of what was taken next, from everything in front of what is asked.
#[derive(Debug)]
pub struct Baselines {
    /// Items, the most popular first.
    popular: Vec<u32>,
    /// Behind an item the items that followed it, the most frequent first, the more popular first of equal ones.
    next: HashMap<u32, Vec<u32>>,
}

impl Baselines {
    /// Counts what lies in front of a part.
    #[must_use]
    pub fn count(sequences: &Sequences, part: Part, catalog: &dyn Catalog) -> Self {
        let mut taken = vec![0_u64; catalog.n_items()];
        let mut pairs: HashMap<u32, HashMap<u32, u64>> = HashMap::new();
        for at in sequences.samples(part) {
            let (before, _) = sequences.at(at);
            for item in before {
                if let Some(n) = taken.get_mut(*item as usize) {
                    *n += 1;
                }
            }
            for pair in before.windows(2) {
                if let [a, b] = pair {
                    *pairs.entry(*a).or_default().entry(*b).or_default() += 1;
                }
            }
        }
        let has_sid = |item: &u32| catalog.sid(*item).is_some();
        let count = |item: u32| taken.get(item as usize).copied().unwrap_or(0);
        let mut popular: Vec<u32> = (0..catalog.n_items() as u32).filter(has_sid).collect();
        popular.sort_by(|a, b| count(*b).cmp(&count(*a)).then(a.cmp(b)));
        let ordered = |(item, followed): (u32, HashMap<u32, u64>)| {
            let mut next: Vec<(u32, u64)> = followed.into_iter().filter(|(i, _)| has_sid(i)).collect();
            next.sort_by(|a, b| b.1.cmp(&a.1).then(count(b.0).cmp(&count(a.0))).then(a.0.cmp(&b.0)));
            (item, next.into_iter().map(|(i, _)| i).collect())
        };
        let next = pairs.into_iter().map(ordered).collect();
        Self { popular, next }
    }

    /// The most popular items, for everybody.
    #[must_use]
    pub fn popularity(
        &self,
        sequences: &Sequences,
        catalog: &dyn Catalog,
        (samples, length): (&[Place], usize),
        classes: &[Class],
    ) -> Evaluation {
        let list = distinct(self.popular.iter().copied(), catalog, length);
        lists(sequences, catalog, samples, classes, |_| list.clone())
    }

    /// What followed the last item, then the most popular ones.
    #[must_use]
    pub fn markov(
        &self,
        sequences: &Sequences,
        catalog: &dyn Catalog,
        (samples, length): (&[Place], usize),
        classes: &[Class],
    ) -> Evaluation {
        lists(sequences, catalog, samples, classes, |before| {
            let followed = before.last().and_then(|last| self.next.get(last)).map_or(&[][..], Vec::as_slice);
            distinct(followed.iter().chain(&self.popular).copied(), catalog, length)
        })
    }
}

/// Judges the list that each user gets for the items before the test.
fn lists(
    sequences: &Sequences,
    catalog: &dyn Catalog,
    samples: &[Place],
    classes: &[Class],
    list: impl Fn(&[u32]) -> Vec<u32>,
) -> Evaluation {
    let user = |at: &Place| {
        let (before, target) = sequences.at(*at);
        judge(&list(before), target, catalog, classes)
    };
    of_users(samples.iter().map(user).collect(), catalog)
}

/// The first items of different SIDs.
fn distinct(items: impl Iterator<Item = u32>, catalog: &dyn Catalog, length: usize) -> Vec<u32> {
    let mut list: Vec<u32> = Vec::with_capacity(length);
    for item in items {
        if list.len() == length {
            break;
        }
        if !list.iter().any(|i| catalog.sid(*i) == catalog.sid(item)) {
            list.push(item);
        }
    }
    list
}
