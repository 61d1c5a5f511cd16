//! Whether a slate is the best: by a bound, or by looking at all that could be better.

use super::Proof;
use super::excess::HardCap;
use super::pool::Pool;
use super::rank::Rank;
use super::worth::Worth;
use crate::eval::Refusal;
use crate::program::CapSpan;

/// The most beginnings of slates that are looked at.
const NODES: usize = 30_000;

/// Slates that are judged together.
const TOGETHER: usize = 64;

/// Whether no slate can be better, judged by what its candidates may reach at most.
pub fn by_bound(pool: &Pool, slate: &Rank) -> Proof {
    let is_full = slate.members.len() == pool.places();
    if !is_full || !slate.keeps_rules() || slate.excess.iter().any(|e| *e > 0) {
        return Proof::BestFound { gap: None };
    }
    let gap = most_beginning_with(pool, &[], pool.places(), &slate.excess) - slate.worth;
    if gap <= 1e-12 * slate.worth.abs().max(1.0) { Proof::Optimal } else { Proof::BestFound { gap: Some(gap) } }
}

/// Looks for a better slate than `best` among all; how far that came.
pub fn slate(pool: &Pool, worth: &mut Worth<'_, '_>, best: &mut Rank) -> Result<Proof, Refusal> {
    let by_bound = by_bound(pool, best);
    if by_bound == Proof::Optimal {
        return Ok(by_bound);
    }
    let mut search = Search { pool, worth, nodes: NODES, best: best.clone(), waiting: Vec::new() };
    // A slate with places left empty is the best only where no fuller one keeps the rules.
    let mut all_seen = true;
    for places in (best.members.len()..=pool.places()).rev() {
        all_seen &= search.descend(&mut Vec::with_capacity(places), places)?;
        search.judge()?;
        if !all_seen || search.best.members.len() == places {
            break;
        }
    }
    *best = search.best;
    Ok(if all_seen { Proof::Optimal } else { self::by_bound(pool, best) })
}

struct Search<'s, 'w, 'b> {
    pool: &'s Pool,
    worth: &'s mut Worth<'w, 'b>,
    nodes: usize,
    best: Rank,
    /// Whole slates to be judged.
    waiting: Vec<Vec<usize>>,
}

impl Search<'_, '_, '_> {
    /// Goes through all slates that begin with these; whether all were seen.
    fn descend(&mut self, members: &mut Vec<usize>, places: usize) -> Result<bool, Refusal> {
        if members.len() == places {
            self.waiting.push(members.clone());
            if self.waiting.len() >= if self.pool.totals_known { 1 } else { TOGETHER } {
                self.judge()?;
            }
            return Ok(true);
        }
        let mut all_seen = true;
        let mut tried: Vec<Vec<Option<u32>>> = Vec::new();
        for candidate in self.from(members)..self.pool.len() {
            if members.contains(&candidate) || self.is_like_one(candidate, &mut tried) {
                continue;
            }
            if self.nodes == 0 || !self.worth.has_effort() {
                return Ok(false);
            }
            self.nodes -= 1;
            members.push(candidate);
            if self.may_be_better(members, places) {
                all_seen &= self.descend(members, places)?;
            }
            members.pop();
        }
        Ok(all_seen)
    }

    /// Where totals are known and no cap looks at places, the better of two members stands in front.
    fn from(&self, members: &[usize]) -> usize {
        let in_order = self.pool.totals_known && !self.pool.caps.iter().any(HardCap::is_ordered);
        if in_order { members.last().map_or(0, |last| last + 1) } else { 0 }
    }

    /// Where totals are known, of those that all caps take for alike only the best needs to be tried.
    fn is_like_one(&self, candidate: usize, tried: &mut Vec<Vec<Option<u32>>>) -> bool {
        if !self.pool.totals_known {
            return false;
        }
        let classes: Vec<Option<u32>> = self.pool.caps.iter().map(|cap| cap.class(candidate)).collect();
        let is_like = tried.contains(&classes);
        if !is_like {
            tried.push(classes);
        }
        is_like
    }

    fn may_be_better(&self, members: &[usize], places: usize) -> bool {
        let fuller = places > self.best.members.len() || !self.best.keeps_rules();
        let excess = self.pool.excess(members, places);
        if fuller || excess < self.best.excess {
            return true;
        }
        let most = most_beginning_with(self.pool, members, places, &self.best.excess);
        let close = 1e-12 * self.best.worth.abs().max(1.0);
        excess == self.best.excess && most > self.best.worth + close
    }

    fn judge(&mut self) -> Result<(), Refusal> {
        let waiting = std::mem::take(&mut self.waiting);
        for rank in Rank::all(self.pool, self.worth, waiting)? {
            if rank.keeps_rules() && rank.beats(&self.best) {
                self.best = rank;
            }
        }
        Ok(())
    }
}

/// The worth that no slate can pass which begins with these and breaks no cap that `excess` says is held.
/// Each cap is looked at alone.
fn most_beginning_with(pool: &Pool, members: &[usize], places: usize, excess: &[u64]) -> f64 {
    let held = pool.caps.iter().zip(excess).filter(|(cap, e)| **e == 0 && !cap.least && cap.span == CapSpan::Slate);
    let with_caps = held.map(|(cap, _)| most_under(pool, members, places, cap));
    with_caps.fold(pool.most_worth(members, places), f64::min)
}

/// The same under one cap on the whole slate: what is left is taken best first, as far as its class has room.
fn most_under(pool: &Pool, members: &[usize], places: usize, cap: &HardCap) -> f64 {
    let mut counts: std::collections::HashMap<u32, u64> = std::collections::HashMap::new();
    let bound = cap.bound(places);
    for key in members.iter().filter_map(|c| cap.class(*c)) {
        *counts.entry(key).or_insert(0) += 1;
    }
    let mut worth: f64 = members.iter().enumerate().map(|(p, c)| pool.discount(p) * pool.most(*c)).sum();
    let mut place = members.len();
    for candidate in (0..pool.len()).filter(|c| !members.contains(c)) {
        if place == places {
            break;
        }
        if let Some(key) = cap.class(candidate) {
            let count = counts.entry(key).or_insert(0);
            if *count >= bound {
                continue;
            }
            *count += 1;
        }
        worth += pool.discount(place) * pool.most(candidate);
        place += 1;
    }
    worth
}
