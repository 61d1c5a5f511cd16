//! Formulas, ranges and trends that the declarations of scalar functions share.

use super::Trend;
use crate::types::{Interval, LIMIT};

pub(super) fn at(x: &[Interval], i: usize) -> Interval {
    x.get(i).copied().unwrap_or(Interval::point(0.0))
}

pub(super) fn num(x: &[f64], i: usize) -> f64 {
    x.get(i).copied().unwrap_or(0.0)
}

pub(super) fn anything(_: &[Interval]) -> Result<(), &'static str> {
    Ok(())
}

pub(super) fn never(_: &[Interval]) -> bool {
    false
}

pub(super) fn rising(_: usize, _: &[Interval]) -> Trend {
    Trend::Rising
}

pub(super) fn unknown(_: usize, _: &[Interval]) -> Trend {
    Trend::Unknown
}

pub(super) fn unit(_: &[Interval]) -> Interval {
    Interval::new(0.0, 1.0)
}

pub(super) fn largest(_: &[f64], e: &[f64], _: f64) -> f64 {
    e.iter().copied().fold(0.0, f64::max)
}

pub(super) fn exact(_: &[f64], _: &[f64], _: f64) -> f64 {
    0.0
}

pub(super) fn fold(x: &[Interval], ends: fn(f64, f64) -> f64) -> Interval {
    let lo = x.iter().map(|i| i.lo).reduce(ends).unwrap_or(0.0);
    let hi = x.iter().map(|i| i.hi).reduce(ends).unwrap_or(0.0);
    Interval::new(lo, hi)
}

/// Largest absolute value of `logit` (R6.5).
pub(super) const LOGIT_BOUND: f64 = 13.8155;

/// A logarithm of a positive number, on an interval that may touch 0.
pub(super) fn log_range(x: Interval, log: fn(f64) -> f64, from: f64) -> Interval {
    let lo = if x.lo > from { log(x.lo) } else { -1e3 };
    let hi = if x.hi > from { log(x.hi) } else { -1e3 };
    Interval::new(lo, hi.max(lo))
}

pub(super) fn bring(x: f64) -> f64 {
    x.clamp(-LIMIT, LIMIT)
}

pub(super) fn smoothstep(x: f64, lo: f64, hi: f64) -> f64 {
    let t = ((x - lo) / (hi - lo)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// The radius of `haversine`, in metres.
pub(super) const EARTH: f64 = 6_371_008.8;

pub(super) fn haversine(x: &[f64]) -> f64 {
    let (lat1, lon1, lat2, lon2) =
        (num(x, 0).to_radians(), num(x, 1).to_radians(), num(x, 2).to_radians(), num(x, 3).to_radians());
    let (a, b) = (((lat2 - lat1) / 2.0).sin(), ((lon2 - lon1) / 2.0).sin());
    let h = (a * a + lat1.cos() * lat2.cos() * b * b).clamp(0.0, 1.0);
    2.0 * EARTH * h.sqrt().asin()
}

/// The largest k with base^k ≤ x / unit (R6.6): the logarithm guesses, the powers decide.
pub(super) fn log_band(x: f64, unit: f64, base: f64) -> Option<f64> {
    if x <= 0.0 || unit <= 0.0 || base <= 1.0 {
        return None;
    }
    let ratio = x / unit;
    let mut k = (ratio.ln() / base.ln()).floor().clamp(-3_000.0, 3_000.0) as i32;
    while base.powi(k) > ratio && k > -3_000 {
        k -= 1;
    }
    while base.powi(k + 1) <= ratio && k < 3_000 {
        k += 1;
    }
    Some(f64::from(k))
}

pub(super) fn pow(x: f64, k: f64) -> Option<f64> {
    if (x < 0.0 && k.fract() != 0.0) || (x == 0.0 && k < 0.0) {
        return None;
    }
    Some(bring(x.powf(k)))
}

pub(super) fn pow_range(x: &[Interval]) -> Interval {
    let (x, k) = (at(x, 0), at(x, 1).lo);
    let end = |v: f64| bring(v.abs().powf(k)) * if v < 0.0 && k.rem_euclid(2.0) == 1.0 { -1.0 } else { 1.0 };
    if k == 0.0 {
        return Interval::point(1.0);
    }
    if k < 0.0 && x.lo <= 0.0 && x.hi >= 0.0 {
        return if x.lo >= 0.0 { Interval::new(end(x.hi).min(LIMIT), LIMIT) } else { Interval::all() };
    }
    let (a, b) = (end(x.lo), end(x.hi));
    let both = Interval::new(a.min(b), a.max(b));
    let range = if x.lo < 0.0 && x.hi > 0.0 { both.with_zero() } else { both };
    if x.lo < 0.0 && k.fract() != 0.0 { Interval::new(0.0, end(x.hi.max(0.0)).max(0.0)) } else { range }
}

pub(super) fn pow_trend(i: usize, x: &[Interval]) -> Trend {
    let (x, k) = (at(x, 0), at(x, 1).lo);
    match i {
        0 if x.lo >= 0.0 => {
            if k >= 0.0 {
                Trend::Rising
            } else {
                Trend::Falling
            }
        }
        0 if k > 0.0 && k.rem_euclid(2.0) == 1.0 => Trend::Rising,
        _ => Trend::Unknown,
    }
}
