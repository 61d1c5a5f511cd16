//! A slate under trial, and which of two is better.

use std::cmp::Ordering;

use super::pool::Pool;
use super::worth::Worth;
use crate::eval::Refusal;

/// A slate with all that it is judged by.
#[derive(Clone, Debug)]
pub struct Rank {
    /// Candidates in their places.
    pub members: Vec<usize>,
    /// Members that break a rule which was put off: a promise, so none may be left.
    pub failing: Vec<bool>,
    /// By hard cap, in the order written.
    pub excess: Vec<u64>,
    pub totals: Vec<f64>,
    pub worth: f64,
}

impl Rank {
    /// Judges one slate.
    pub fn of(pool: &Pool, worth: &mut Worth<'_, '_>, members: Vec<usize>) -> Result<Self, Refusal> {
        let mut all = Self::all(pool, worth, vec![members])?;
        Ok(all.remove(0))
    }

    /// Judges slates together.
    pub fn all(pool: &Pool, worth: &mut Worth<'_, '_>, slates: Vec<Vec<usize>>) -> Result<Vec<Self>, Refusal> {
        let judged = worth.of(pool, &slates)?;
        let ranks = slates.into_iter().zip(judged).map(|(members, (totals, failing))| {
            let excess = pool.excess(&members, members.len());
            let worth = totals.iter().enumerate().map(|(p, t)| pool.discount(p) * t).sum();
            Self { members, failing, excess, totals, worth }
        });
        Ok(ranks.collect())
    }

    /// Whether it keeps every rule that was put off.
    pub fn keeps_rules(&self) -> bool {
        !self.failing.contains(&true)
    }

    /// Better first: kept rules, filled places, hard caps in order, then worth; worths within rounding of
    /// each other are equal.
    pub fn compare(&self, other: &Self) -> Ordering {
        let failing = |r: &Self| r.failing.iter().filter(|f| **f).count();
        let close = 1e-12 * self.worth.abs().max(other.worth.abs()).max(1.0);
        failing(self)
            .cmp(&failing(other))
            .then(other.members.len().cmp(&self.members.len()))
            .then(self.excess.cmp(&other.excess))
            .then(if (self.worth - other.worth).abs() <= close {
                Ordering::Equal
            } else {
                other.worth.total_cmp(&self.worth)
            })
    }

    /// Whether it is better than another.
    pub fn beats(&self, other: &Self) -> bool {
        self.compare(other) == Ordering::Less
    }
}
