//! Scalar functions on numbers, and the signatures of those on vectors, SIDs and ids.

use super::formulas::{
    EARTH, LOGIT_BOUND, anything, at, bring, exact, fold, haversine, largest, log_band, log_range, never, num, pow,
    pow_range, pow_trend, rising, smoothstep, unit, unknown,
};
use super::{Function, Signature, Trend};
use crate::types::Interval;

/// All scalar functions.
pub static FUNCTIONS: &[Function] = &[
    Function {
        name: "abs",
        form: "abs(x)",
        about: "The size of x without its sign.",
        arity: (1, 1),
        signature: Signature::Same,
        domain: anything,
        missing: never,
        range: |x| {
            let x = at(x, 0);
            let least = if x.lo <= 0.0 && x.hi >= 0.0 { 0.0 } else { x.lo.abs().min(x.hi.abs()) };
            Interval { nonzero: x.nonzero, ..Interval::new(least, x.lo.abs().max(x.hi.abs())) }
        },
        trend: |_, x| Trend::by_sign(at(x, 0)),
        meaning: |x| Some(num(x, 0).abs()),
        carry: largest,
        roundoffs: 0.0,
    },
    Function {
        name: "min",
        form: "min(a, b, …)",
        about: "The least of its arguments.",
        arity: (2, 16),
        signature: Signature::Same,
        domain: anything,
        missing: never,
        range: |x| fold(x, f64::min),
        trend: rising,
        meaning: |x| x.iter().copied().reduce(f64::min),
        carry: largest,
        roundoffs: 0.0,
    },
    Function {
        name: "max",
        form: "max(a, b, …)",
        about: "The greatest of its arguments.",
        arity: (2, 16),
        signature: Signature::Same,
        domain: anything,
        missing: never,
        range: |x| fold(x, f64::max),
        trend: rising,
        meaning: |x| x.iter().copied().reduce(f64::max),
        carry: largest,
        roundoffs: 0.0,
    },
    Function {
        name: "clamp",
        form: "clamp(x, lo, hi)",
        about: "x brought into [lo, hi]. That lo ≤ hi must be provable.",
        arity: (3, 3),
        signature: Signature::Same,
        domain: |x| if at(x, 1).hi <= at(x, 2).lo { Ok(()) } else { Err("`lo` is at most `hi`") },
        missing: never,
        range: |x| {
            let (x, lo, hi) = (at(x, 0), at(x, 1), at(x, 2));
            Interval::new(x.lo.max(lo.lo).min(hi.lo), x.hi.max(lo.hi).min(hi.hi))
        },
        trend: rising,
        meaning: |x| Some(num(x, 0).max(num(x, 1)).min(num(x, 2))),
        carry: largest,
        roundoffs: 0.0,
    },
    Function {
        name: "floor",
        form: "floor(x)",
        about: "The largest whole number not above x.",
        arity: (1, 1),
        signature: Signature::Whole,
        domain: anything,
        missing: never,
        range: |x| at(x, 0).rising(f64::floor),
        trend: rising,
        meaning: |x| Some(num(x, 0).floor()),
        carry: exact,
        roundoffs: 0.0,
    },
    Function {
        name: "exp",
        form: "exp(x)",
        about: "e to the power x. That x ≤ 60 must be provable.",
        arity: (1, 1),
        signature: Signature::Plain,
        domain: |x| if at(x, 0).hi <= 60.0 { Ok(()) } else { Err("its argument is at most 60") },
        missing: never,
        range: |x| at(x, 0).rising(f64::exp),
        trend: rising,
        meaning: |x| Some(num(x, 0).exp()),
        carry: |_, e, r| r * num(e, 0),
        roundoffs: 4.0,
    },
    Function {
        name: "log",
        form: "log(x)",
        about: "The natural logarithm; missing where x ≤ 0.",
        arity: (1, 1),
        signature: Signature::Plain,
        domain: anything,
        missing: |x| !at(x, 0).is_positive(),
        range: |x| log_range(at(x, 0), f64::ln, 0.0),
        trend: rising,
        meaning: |x| (num(x, 0) > 0.0).then(|| num(x, 0).ln()),
        carry: |x, e, _| num(e, 0) / num(x, 0),
        roundoffs: 4.0,
    },
    Function {
        name: "log2",
        form: "log2(x)",
        about: "The logarithm to base 2; missing where x ≤ 0.",
        arity: (1, 1),
        signature: Signature::Plain,
        domain: anything,
        missing: |x| !at(x, 0).is_positive(),
        range: |x| log_range(at(x, 0), f64::log2, 0.0),
        trend: rising,
        meaning: |x| (num(x, 0) > 0.0).then(|| num(x, 0).log2()),
        carry: |x, e, _| num(e, 0) / (num(x, 0) * std::f64::consts::LN_2),
        roundoffs: 4.0,
    },
    Function {
        name: "log1p",
        form: "log1p(x)",
        about: "The natural logarithm of 1 + x; missing where x ≤ −1.",
        arity: (1, 1),
        signature: Signature::Plain,
        domain: anything,
        missing: |x| at(x, 0).lo <= -1.0,
        range: |x| log_range(at(x, 0), f64::ln_1p, -1.0),
        trend: rising,
        meaning: |x| (num(x, 0) > -1.0).then(|| num(x, 0).ln_1p()),
        carry: |x, e, _| num(e, 0) / (1.0 + num(x, 0)),
        roundoffs: 4.0,
    },
    Function {
        name: "sqrt",
        form: "sqrt(x)",
        about: "The square root; missing where x < 0.",
        arity: (1, 1),
        signature: Signature::Plain,
        domain: anything,
        missing: |x| at(x, 0).lo < 0.0,
        range: |x| at(x, 0).rising(|v| v.max(0.0).sqrt()),
        trend: rising,
        meaning: |x| (num(x, 0) >= 0.0).then(|| num(x, 0).sqrt()),
        carry: |_, e, r| if r > 0.0 { num(e, 0) / (2.0 * r) } else { num(e, 0).sqrt() },
        roundoffs: 1.0,
    },
    Function {
        name: "pow",
        form: "pow(x, k)",
        about: "x to the power of the constant k; missing where x < 0 and k is not whole, or x = 0 and k < 0. \
                A result past ±1e30 is brought to it.",
        arity: (2, 2),
        signature: Signature::Power,
        domain: anything,
        missing: |x| {
            let (x, k) = (at(x, 0), at(x, 1).lo);
            (x.lo < 0.0 && k.fract() != 0.0) || (k < 0.0 && x.contains(0.0) && !x.nonzero)
        },
        range: pow_range,
        trend: pow_trend,
        meaning: |x| pow(num(x, 0), num(x, 1)),
        carry: |x, e, r| if num(x, 0) == 0.0 { num(e, 0) } else { (num(x, 1) * r / num(x, 0)).abs() * num(e, 0) },
        roundoffs: 8.0,
    },
    Function {
        name: "logit",
        form: "logit(p)",
        about: "ln p − ln(1 − p), brought into ±13.8155. That p lies in [0, 1] must be provable.",
        arity: (1, 1),
        signature: Signature::Plain,
        domain: |x| if at(x, 0).lo >= 0.0 && at(x, 0).hi <= 1.0 { Ok(()) } else { Err("its argument lies in [0, 1]") },
        missing: never,
        range: |x| at(x, 0).rising(|p| (p.ln() - (1.0 - p).ln()).clamp(-LOGIT_BOUND, LOGIT_BOUND)),
        trend: rising,
        meaning: |x| {
            let p = num(x, 0);
            Some((p.ln() - (1.0 - p).ln()).clamp(-LOGIT_BOUND, LOGIT_BOUND))
        },
        carry: |x, e, _| {
            let p = num(x, 0);
            // ln p and ln(1 − p) are each a few roundoffs off by themselves; past the bound nothing shows.
            let slope = if p > 0.0 && p < 1.0 { num(e, 0) / (p * (1.0 - p)) } else { 0.0 };
            (slope + 4.0 * super::ROUNDOFF * (1.0 + LOGIT_BOUND)).min(2.0 * LOGIT_BOUND)
        },
        roundoffs: 4.0,
    },
    Function {
        name: "sigmoid",
        form: "sigmoid(x)",
        about: "1 / (1 + e^−x): turns a logit into a probability.",
        arity: (1, 1),
        signature: Signature::Plain,
        domain: anything,
        missing: never,
        range: |x| at(x, 0).rising(|v| 1.0 / (1.0 + (-v).exp())),
        trend: rising,
        meaning: |x| Some(1.0 / (1.0 + (-num(x, 0)).exp())),
        carry: |_, e, r| r * (1.0 - r) * num(e, 0),
        roundoffs: 6.0,
    },
    Function {
        name: "tanh",
        form: "tanh(x)",
        about: "The hyperbolic tangent: close to x near 0, never beyond ±1.",
        arity: (1, 1),
        signature: Signature::Plain,
        domain: anything,
        missing: never,
        range: |x| at(x, 0).rising(f64::tanh),
        trend: rising,
        meaning: |x| Some(num(x, 0).tanh()),
        carry: |_, e, r| (1.0 - r * r) * num(e, 0),
        roundoffs: 4.0,
    },
    Function {
        name: "hinge",
        form: "hinge(x, k)",
        about: "How far x is above k: max(0, x − k).",
        arity: (2, 2),
        signature: Signature::Same,
        domain: anything,
        missing: never,
        range: |x| at(x, 0).minus(at(x, 1)).rising(|v| v.max(0.0)),
        trend: |i, _| if i == 0 { Trend::Rising } else { Trend::Falling },
        meaning: |x| Some((num(x, 0) - num(x, 1)).max(0.0)),
        carry: |_, e, _| num(e, 0) + num(e, 1),
        roundoffs: 1.0,
    },
    Function {
        name: "smoothstep",
        form: "smoothstep(x, lo, hi)",
        about: "0 below lo, 1 above hi, t²(3 − 2t) between, with t = (x − lo) / (hi − lo). \
                That lo < hi must be provable.",
        arity: (3, 3),
        signature: Signature::Ratio,
        domain: |x| if at(x, 1).hi < at(x, 2).lo { Ok(()) } else { Err("`lo` is below `hi`") },
        missing: never,
        range: |x| {
            let (v, lo, hi) = (at(x, 0), at(x, 1), at(x, 2));
            let ends = [(lo.lo, hi.lo), (lo.lo, hi.hi), (lo.hi, hi.lo), (lo.hi, hi.hi)];
            let low = ends.iter().map(|&(l, h)| smoothstep(v.lo, l, h)).fold(1.0, f64::min);
            let high = ends.iter().map(|&(l, h)| smoothstep(v.hi, l, h)).fold(0.0, f64::max);
            Interval::new(low, high)
        },
        trend: |i, _| if i == 0 { Trend::Rising } else { Trend::Falling },
        meaning: |x| Some(smoothstep(num(x, 0), num(x, 1), num(x, 2))),
        carry: |x, e, _| 1.5 * e.iter().sum::<f64>() / (num(x, 2) - num(x, 1)),
        roundoffs: 4.0,
    },
    Function {
        name: "decay",
        form: "decay(age, half_life)",
        about: "0.5^(age / half_life): 1 at age 0, a half after each half-life; a negative age counts as 0. \
                That half_life > 0 must be provable.",
        arity: (2, 2),
        signature: Signature::Ratio,
        domain: |x| if at(x, 1).is_positive() { Ok(()) } else { Err("`half_life` is above 0") },
        missing: never,
        range: |x| {
            let (age, half) = (at(x, 0).rising(|v| v.max(0.0)), at(x, 1));
            let value = |age: f64, half: f64| if half > 0.0 { 0.5f64.powf(age / half) } else { 0.0 };
            Interval::new(value(age.hi, half.lo), value(age.lo, half.hi))
        },
        trend: |i, _| if i == 0 { Trend::Falling } else { Trend::Rising },
        meaning: |x| Some(0.5f64.powf(num(x, 0).max(0.0) / num(x, 1))),
        carry: |x, e, r| {
            let (age, half) = (num(x, 0).max(0.0), num(x, 1));
            r * std::f64::consts::LN_2 * (num(e, 0) / half + age * num(e, 1) / (half * half))
        },
        roundoffs: 64.0,
    },
    Function {
        name: "smoothed",
        form: "smoothed(k, n, a, b)",
        about: "(k + a) / (n + b): a rate with a prior. That n + b > 0 must be provable.",
        arity: (4, 4),
        signature: Signature::Ratio,
        domain: |x| if at(x, 1).plus(at(x, 3)).lo > 0.0 { Ok(()) } else { Err("`n + b` is above 0") },
        missing: never,
        range: |x| at(x, 0).plus(at(x, 2)).over(at(x, 1).plus(at(x, 3))),
        trend: |i, x| match i {
            0 | 2 => Trend::Rising,
            _ => Trend::by_sign(at(x, 0).plus(at(x, 2))).turned(),
        },
        meaning: |x| Some(bring((num(x, 0) + num(x, 2)) / (num(x, 1) + num(x, 3)))),
        carry: |x, e, r| {
            let below = num(x, 1) + num(x, 3);
            (num(e, 0) + num(e, 2) + r.abs() * (num(e, 1) + num(e, 3))) / below
        },
        roundoffs: 3.0,
    },
    Function {
        name: "harmonic_mean",
        form: "harmonic_mean(a, b)",
        about: "2ab / (a + b), and 0 where both are 0. That both are ≥ 0 must be provable.",
        arity: (2, 2),
        signature: Signature::SameReal,
        domain: |x| {
            if at(x, 0).lo >= 0.0 && at(x, 1).lo >= 0.0 { Ok(()) } else { Err("both arguments are at least 0") }
        },
        missing: never,
        range: |x| {
            let value = |a: f64, b: f64| if a + b > 0.0 { 2.0 * a * b / (a + b) } else { 0.0 };
            Interval::new(value(at(x, 0).lo, at(x, 1).lo), value(at(x, 0).hi, at(x, 1).hi))
        },
        trend: rising,
        meaning: |x| {
            let (a, b) = (num(x, 0), num(x, 1));
            Some(if a + b > 0.0 { 2.0 * a * b / (a + b) } else { 0.0 })
        },
        carry: |_, e, _| 2.0 * (num(e, 0) + num(e, 1)),
        roundoffs: 4.0,
    },
    Function {
        name: "band",
        form: "band(x, [e1, e2, …])",
        about: "How many of the rising edges are at most x: 0 below the first, 1 from the first on, and so on.",
        arity: (2, 2),
        signature: Signature::Band,
        domain: anything,
        missing: never,
        // The second argument's interval is [0, number of edges].
        range: |x| at(x, 1),
        trend: |i, _| if i == 0 { Trend::Rising } else { Trend::Flat },
        // x, then the edges.
        meaning: |x| Some(x.iter().skip(1).filter(|e| **e <= num(x, 0)).count() as f64),
        carry: exact,
        roundoffs: 0.0,
    },
    Function {
        name: "log_band",
        form: "log_band(x, unit, base)",
        about: "The largest whole k with base^k ≤ x / unit; missing where x ≤ 0. \
                `log_band(duration, 1 s, 2)` is 3 from 8 s to just below 16 s.",
        arity: (3, 3),
        signature: Signature::LogBand,
        domain: |x| {
            if !at(x, 1).is_positive() || at(x, 1).lo <= 0.0 {
                Err("`unit` is above 0")
            } else if at(x, 2).lo <= 1.0 {
                Err("`base` is above 1")
            } else {
                Ok(())
            }
        },
        missing: |x| !at(x, 0).is_positive(),
        range: |x| {
            let (v, unit, base) = (at(x, 0), at(x, 1), at(x, 2));
            let value = |v: f64, unit: f64| log_band(v, unit, base.lo).unwrap_or(-3_000.0);
            let (a, b) = (value(v.lo, unit.hi), value(v.hi, unit.lo));
            Interval::new(a.min(b), a.max(b))
        },
        trend: |i, _| if i == 0 { Trend::Rising } else { Trend::Unknown },
        meaning: |x| log_band(num(x, 0), num(x, 1), num(x, 2)),
        carry: exact,
        roundoffs: 0.0,
    },
    Function {
        name: "cosine",
        form: "cosine(a, b)",
        about: "The cosine of the angle between two vectors of one size.",
        arity: (2, 2),
        signature: Signature::Vectors,
        domain: anything,
        missing: never,
        range: |_| Interval::new(-1.0, 1.0),
        trend: unknown,
        meaning: |_| None,
        carry: |_, _, _| 16.0 * super::ROUNDOFF,
        roundoffs: 4.0,
    },
    Function {
        name: "haversine",
        form: "haversine(lat, lon, lat, lon)",
        about: "The distance between two places given in degrees, on a sphere of radius 6,371.0088 km.",
        arity: (4, 4),
        signature: Signature::Haversine,
        domain: anything,
        missing: never,
        range: |_| Interval::new(0.0, std::f64::consts::PI * EARTH),
        trend: unknown,
        meaning: |x| Some(haversine(x)),
        carry: |_, e, _| EARTH.to_radians() * (e.iter().sum::<f64>() + 360.0 * super::ROUNDOFF),
        roundoffs: 64.0,
    },
    Function {
        name: "matched_levels",
        form: "matched_levels(s, t)",
        about: "How many levels of two SIDs have equal codes, wherever they stand.",
        arity: (2, 2),
        signature: Signature::Sids,
        domain: anything,
        missing: never,
        range: |x| at(x, 0),
        trend: unknown,
        meaning: |_| None,
        carry: exact,
        roundoffs: 0.0,
    },
    Function {
        name: "common_prefix",
        form: "common_prefix(s, t)",
        about: "The number of levels at the beginning on which two SIDs agree.",
        arity: (2, 2),
        signature: Signature::Sids,
        domain: anything,
        missing: never,
        range: |x| at(x, 0),
        trend: unknown,
        meaning: |_| None,
        carry: exact,
        roundoffs: 0.0,
    },
    Function {
        name: "bucket",
        form: "bucket(id, n, \"salt\")",
        about: "A number from 0 to n − 1 that depends on the id and the salt alone (xxh64 of both, modulo n): \
                for hold-outs and placebo classes.",
        arity: (3, 3),
        signature: Signature::Bucket,
        domain: anything,
        missing: never,
        range: unit,
        trend: unknown,
        meaning: |_| None,
        carry: exact,
        roundoffs: 0.0,
    },
];
