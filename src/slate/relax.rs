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
    if !cannot_be_held(pool, cap, n) {
        let before = "a hard cap before it leaves no room";
        return if place > 0 { before.into() } else { "no slate that keeps the rules was found to hold it".into() };
    }
    if cap.span == CapSpan::Session && cap.shown() > 0 {
        let side = if cap.least { "few" } else { "many" };
        return format!("of the {} items that the session was shown before, too {side} are of this class", cap.shown());
    }
    if cap.least {
        return format!("only {matching} of {candidates} candidates are of this class");
    }
    match cap.keys() {
        Some(keys) => format!("the candidates of this class have only {keys} different keys"),
        None => format!("only {} of {candidates} candidates are not of this class", candidates - matching),
    }
}

/// Whether no slate of `n` members holds this cap, were it the only one.
fn cannot_be_held(pool: &Pool, cap: &HardCap, n: usize) -> bool {
    let matching = (0..pool.len()).filter(|c| cap.matches(*c)).count();
    let others = pool.len() - matching;
    match cap.span {
        // As many as a row of windows has room for, or needs.
        CapSpan::InRow(k) => {
            let (k, bound) = (k as usize, cap.bound(k as usize) as usize);
            let room = n / k * bound + (n % k).min(bound);
            if cap.least { matching < n / k * bound } else { cap.keys().is_none() && n > others + room }
        }
        CapSpan::First(k) => {
            let first = n.min(k as usize);
            least(pool, cap, first) > 0
        }
        _ => least(pool, cap, n) > 0,
    }
}

/// The least excess of one cap on a slate whose members are taken for it alone.
fn least(pool: &Pool, cap: &HardCap, n: usize) -> u64 {
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
