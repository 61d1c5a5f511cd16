//! Repair: a slate is changed in one or two places as long as that makes it better.

use super::pool::Pool;
use super::rank::Rank;
use super::worth::Worth;
use crate::eval::Refusal;

/// Candidates that are tried in each place in one round.
const TRIED: usize = 16;

/// A slate that no single exchange tried makes better, and that keeps every rule: where none is found, with
/// places left empty.
pub fn slate(pool: &Pool, worth: &mut Worth<'_, '_>, mut best: Rank) -> Result<Rank, Refusal> {
    let mut rounds = 0;
    while worth.has_effort() && rounds < 8 * (pool.places() + 1) {
        rounds += 1;
        let found = Rank::all(pool, worth, neighbours(pool, &best))?;
        let better = found.into_iter().min_by(Rank::compare).filter(|r| r.beats(&best));
        match better {
            Some(better) => best = better,
            None if best.keeps_rules() => break,
            None => best = replaced(pool, worth, best)?,
        }
    }
    while !best.keeps_rules() {
        let kept = best.members.iter().zip(&best.failing).filter(|(_, fails)| !**fails).map(|(c, _)| *c);
        best = Rank::of(pool, worth, kept.collect())?;
    }
    Ok(best)
}

/// The same members, the greatest total first, where that makes the slate no worse.
pub fn best_first(pool: &Pool, worth: &mut Worth<'_, '_>, slate: Rank) -> Result<Rank, Refusal> {
    let mut places: Vec<usize> = (0..slate.members.len()).collect();
    let total = |place: &usize| slate.totals.get(*place).copied().unwrap_or(0.0);
    places.sort_by(|a, b| total(b).total_cmp(&total(a)));
    let members = places.iter().filter_map(|p| slate.members.get(*p)).copied().collect();
    let sorted = Rank::of(pool, worth, members)?;
    Ok(if slate.beats(&sorted) { slate } else { sorted })
}

/// Slates with one member replaced, or two in each other's place.
fn neighbours(pool: &Pool, slate: &Rank) -> Vec<Vec<usize>> {
    let members = &slate.members;
    let mut found = Vec::new();
    let broken = slate.excess.iter().any(|e| *e > 0);
    for (place, total) in slate.totals.iter().enumerate() {
        let fails = slate.failing.get(place).copied().unwrap_or(false);
        let unused = (0..pool.len()).filter(|c| !members.contains(c));
        // Candidates come best first: behind the first that cannot gain, none does.
        let may_gain = unused.take_while(|c| fails || broken || pool.most(*c) > *total);
        for candidate in may_gain.take(TRIED) {
            let mut other = members.clone();
            if let Some(slot) = other.get_mut(place) {
                *slot = candidate;
            }
            found.push(other);
        }
    }
    for a in 0..members.len() {
        for b in a + 1..members.len() {
            let mut other = members.clone();
            other.swap(a, b);
            found.push(other);
        }
    }
    found
}

/// The first failing member replaced by any candidate with which fewer fail; without one, left out.
fn replaced(pool: &Pool, worth: &mut Worth<'_, '_>, slate: Rank) -> Result<Rank, Refusal> {
    let Some(place) = slate.failing.iter().position(|f| *f) else { return Ok(slate) };
    let unused: Vec<usize> = (0..pool.len()).filter(|c| !slate.members.contains(c)).collect();
    for chunk in unused.chunks(4 * TRIED) {
        let with = |candidate: &usize| {
            let mut other = slate.members.clone();
            if let Some(slot) = other.get_mut(place) {
                *slot = *candidate;
            }
            other
        };
        let found = Rank::all(pool, worth, chunk.iter().map(with).collect())?;
        if let Some(better) = found.into_iter().min_by(Rank::compare).filter(|r| r.beats(&slate)) {
            return Ok(better);
        }
        if !worth.has_effort() {
            break;
        }
    }
    let mut members = slate.members;
    members.remove(place);
    Rank::of(pool, worth, members)
}
