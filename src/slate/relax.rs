//! What a slate could not hold, and why.

use super::Relaxed;
use super::excess::HardCap;
use super::pool::Pool;
use super::rank::Rank;
use crate::program::CapSpan;

/// The hard caps that a slate breaks, in the order written.
pub fn relaxed(pool: &Pool, slate: &Rank) -> Vec<Relaxed> {
    let broken = pool.caps.iter().zip(&slate.excess).enumerate().filter(|(_, (_, excess))| **excess > 0);
    broken
        .map(|(i, (cap, excess))| Relaxed {
            cap: cap.name.clone(),
            excess: *excess,
            why: why(pool, cap, i, slate.members.len()),
        })
        .collect()
}

fn why(pool: &Pool, cap: &HardCap, place: usize, n: usize) -> String {
    let candidates = pool.len();
    let matching = (0..candidates).filter(|c| cap.matches(*c)).count();
    let least = fewest(pool, cap, n);
    if cap.span == CapSpan::Session && least > 0 {
        return format!("the session was shown {} items before, too many of them of this class", cap.shown());
    }
    if least > 0 && cap.least {
        return format!("only {matching} of {candidates} candidates are of this class");
    }
    if least > 0 {
        return format!("only {} of {candidates} candidates are of no class that is full", candidates - matching);
    }
    if place > 0 { "a hard cap before it leaves no room".into() } else { "no slate was found that holds it".into() }
}

/// The least excess of this cap alone, on a slate in any order.
fn fewest(pool: &Pool, cap: &HardCap, n: usize) -> u64 {
    if cap.is_ordered() {
        // A single cap over places can be held whenever enough candidates do not match.
        let plain = (0..pool.len()).filter(|c| cap.matches(*c) == cap.least).count();
        return (n as u64).saturating_sub(plain as u64).saturating_sub(cap.bound(n));
    }
    let mut members: Vec<usize> = Vec::with_capacity(n);
    while members.len() < n {
        let left = (0..pool.len()).filter(|c| !members.contains(c));
        let next = left.min_by_key(|c| {
            let mut with = members.clone();
            with.push(*c);
            (cap.excess(&with, n, pool.len()), cap.matches(*c) != cap.least)
        });
        match next {
            Some(candidate) => members.push(candidate),
            None => break,
        }
    }
    cap.excess(&members, n, 0)
}
