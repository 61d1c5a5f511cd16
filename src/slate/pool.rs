//! The candidates of one request, best first, with the hard caps on them.

use super::Choice;
use super::bound::most_gained;
use super::excess::HardCap;
use crate::eval::{Run, Scores};
use crate::program::{Column, Program};

/// Scored candidates, numbered from the one with the greatest total that it may reach.
pub struct Pool {
    rows: Vec<u32>,
    /// The total that a candidate cannot pass on any slate; falling.
    pub most: Vec<f64>,
    /// The total where it does not depend on the slate.
    pub totals_known: bool,
    pub caps: Vec<HardCap>,
    /// What each place weighs.
    pub discounts: Vec<f64>,
}

impl Pool {
    pub fn new(program: &Program, run: Run<'_>, scores: &Scores, choice: &Choice<'_>, mut rows: Vec<u32>) -> Self {
        let gained = if scores.partial { most_gained(program, run.host) } else { Some(0.0) };
        let most = |row: u32| {
            let total = scores.get(Column::Total, row as usize).unwrap_or(0.0);
            gained.map_or(program.ranges.total.hi, |g| (total + g).min(program.ranges.total.hi))
        };
        let total = |row: u32| scores.get(Column::Total, row as usize).unwrap_or(0.0);
        rows.sort_by(|a, b| most(*b).total_cmp(&most(*a)).then(total(*b).total_cmp(&total(*a))).then(a.cmp(b)));
        let places = choice.places.min(rows.len());
        let caps = program.caps().filter_map(|(i, cap)| {
            let state = run.state.caps.get(&cap.name);
            HardCap::of(program, cap, scores.matches.get(&i)?, state, &rows, places)
        });
        Self {
            caps: caps.collect(),
            most: rows.iter().map(|r| most(*r)).collect(),
            totals_known: !scores.partial,
            discounts: (0..places).map(|p| choice.discount(p)).collect(),
            rows,
        }
    }

    /// How many candidates there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Places that can be filled.
    pub fn places(&self) -> usize {
        self.discounts.len()
    }

    /// The row of a candidate.
    pub fn row(&self, candidate: usize) -> u32 {
        self.rows.get(candidate).copied().unwrap_or(u32::MAX)
    }

    /// What a place weighs.
    pub fn discount(&self, place: usize) -> f64 {
        self.discounts.get(place).copied().unwrap_or(0.0)
    }

    /// The total that a candidate cannot pass.
    pub fn most(&self, candidate: usize) -> f64 {
        self.most.get(candidate).copied().unwrap_or(f64::NEG_INFINITY)
    }

    /// The least excess of every hard cap that a slate of `full` members can have which begins with these.
    pub fn excess(&self, members: &[usize], full: usize) -> Vec<u64> {
        let cap = |cap: &HardCap| {
            // Only a floor looks at what is left.
            let left = |c: &usize| cap.matches(*c) && !members.contains(c);
            let supply = if cap.least { (0..self.len()).filter(left).count() } else { 0 };
            cap.excess(members, full, supply)
        };
        self.caps.iter().map(cap).collect()
    }

    /// The worth that no slate of `places` can pass which begins with these, caps apart.
    pub fn most_worth(&self, members: &[usize], places: usize) -> f64 {
        let begun = members.iter().enumerate().map(|(p, c)| self.discount(p) * self.most(*c));
        let rest = (0..self.len()).filter(|c| !members.contains(c)).take(places - members.len());
        let rest = rest.enumerate().map(|(i, c)| self.discount(members.len() + i) * self.most(c));
        begun.sum::<f64>() + rest.sum::<f64>()
    }
}
