//! Aggregates: functions over the members of a span.

use crate::types::{Decimal, Interval};

/// An aggregate.
pub struct Aggregate {
    pub name: &'static str,
    pub kind: AggregateKind,
    pub form: &'static str,
    pub about: &'static str,
    pub body: Body,
    /// What it is over no members (R3.10).
    pub empty: Emptiness,
    /// Range from that of the body, the most members, and whether there may be none.
    pub range: fn(Interval, u64, bool) -> Interval,
    /// The meaning in f64; `None` is missing.
    pub meaning: fn(&Members) -> Option<f64>,
    /// Error bound from the members' errors and the result.
    pub carry: fn(&Members, f64) -> f64,
}

impl PartialEq for Aggregate {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl std::fmt::Debug for Aggregate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Which aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AggregateKind {
    Count,
    Share,
    Sum,
    Mean,
    Min,
    Max,
    Any,
    All,
    Std,
    StdSample,
    Rank,
    Percentile,
    Quantile,
    Entropy,
    Dcg,
}

/// What an aggregate looks at in each member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Nothing, or a condition: `count`.
    NothingOrCondition,
    Condition,
    Number,
    /// A number that is also worked out for the candidate: `rank`.
    Ranked,
    /// The candidate's number `among` the members': `percentile`.
    Among,
    /// A number, and a constant share behind it: `quantile`.
    NumberAndShare,
    /// An id, category or whole number: `entropy`.
    Key,
}

/// What an aggregate is over no members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emptiness {
    /// A number or a condition: never missing.
    Known,
    /// Missing where there may be no members.
    Missing,
    /// May be missing always (`std_sample` of one).
    AlwaysMissing,
}

/// The members' values in span order; conditions are 1 and 0, keys are numbered.
pub struct Members<'a> {
    pub values: &'a [f64],
    pub errors: &'a [f64],
    /// The candidate's own value, for `rank` and `percentile`.
    pub own: f64,
    /// The share of `quantile`.
    pub share: Decimal,
}

impl Members<'_> {
    fn n(&self) -> f64 {
        self.values.len() as f64
    }

    fn sum(&self) -> f64 {
        self.values.iter().sum()
    }

    fn mean(&self) -> Option<f64> {
        (!self.values.is_empty()).then(|| self.sum() / self.n())
    }

    /// Sum of squared distances from the mean.
    fn spread(&self) -> Option<f64> {
        let mean = self.mean()?;
        Some(self.values.iter().map(|v| (v - mean) * (v - mean)).sum())
    }

    fn worst(&self) -> f64 {
        self.errors.iter().copied().fold(0.0, f64::max)
    }

    /// Error of a sum: the members' own, and one roundoff of each partial sum at most.
    fn sum_error(&self) -> f64 {
        let sizes: f64 = self.values.iter().map(|v| v.abs()).sum();
        self.errors.iter().sum::<f64>() + super::ROUNDOFF * sizes
    }
}

/// Discount of place k, from 1.
fn discount(k: usize) -> f64 {
    1.0 / (k as f64 + 1.0).log2()
}

fn discounts(n: u64) -> f64 {
    (1..=n.min(1_000_000) as usize).map(discount).sum()
}

fn body_itself(x: Interval, _: u64, _: bool) -> Interval {
    x
}

fn zero_to_one(_: Interval, _: u64, _: bool) -> Interval {
    Interval::new(0.0, 1.0)
}

/// n times x, for every n between the fewest and the most.
fn many(x: Interval, most: f64, fewest: f64) -> Interval {
    let ends = [x.lo * most, x.lo * fewest, x.hi * most, x.hi * fewest];
    Interval::new(
        ends.iter().copied().fold(f64::INFINITY, f64::min),
        ends.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    )
}

fn none(_: &Members, _: f64) -> f64 {
    0.0
}

/// All aggregates.
pub static AGGREGATES: &[Aggregate] = &[
    Aggregate {
        name: "count",
        kind: AggregateKind::Count,
        form: "count(over S), count(COND over S)",
        about: "The number of members, or of those that satisfy the condition.",
        body: Body::NothingOrCondition,
        empty: Emptiness::Known,
        range: |_, n, _| Interval::new(0.0, n as f64),
        meaning: |m| Some(m.sum()),
        carry: none,
    },
    Aggregate {
        name: "share",
        kind: AggregateKind::Share,
        form: "share(COND over S)",
        about: "The share of members that satisfy the condition; missing over no members.",
        body: Body::Condition,
        empty: Emptiness::Missing,
        range: zero_to_one,
        meaning: |m| m.mean(),
        carry: none,
    },
    Aggregate {
        name: "sum",
        kind: AggregateKind::Sum,
        form: "sum(x over S)",
        about: "The sum in span order; 0 over no members.",
        body: Body::Number,
        empty: Emptiness::Known,
        range: |x, n, empty| many(x, n as f64, if empty { 0.0 } else { 1.0 }),
        meaning: |m| Some(m.sum()),
        carry: |m, _| m.sum_error(),
    },
    Aggregate {
        name: "mean",
        kind: AggregateKind::Mean,
        form: "mean(x over S)",
        about: "The mean; missing over no members.",
        body: Body::Number,
        empty: Emptiness::Missing,
        range: body_itself,
        meaning: |m| m.mean(),
        carry: |m, _| m.sum_error() / m.n(),
    },
    Aggregate {
        name: "min",
        kind: AggregateKind::Min,
        form: "min(x over S)",
        about: "The least value; missing over no members.",
        body: Body::Number,
        empty: Emptiness::Missing,
        range: body_itself,
        meaning: |m| m.values.iter().copied().reduce(f64::min),
        carry: |m, _| m.worst(),
    },
    Aggregate {
        name: "max",
        kind: AggregateKind::Max,
        form: "max(x over S)",
        about: "The greatest value; missing over no members.",
        body: Body::Number,
        empty: Emptiness::Missing,
        range: body_itself,
        meaning: |m| m.values.iter().copied().reduce(f64::max),
        carry: |m, _| m.worst(),
    },
    Aggregate {
        name: "any",
        kind: AggregateKind::Any,
        form: "any(COND over S)",
        about: "Whether some member satisfies the condition; false over no members.",
        body: Body::Condition,
        empty: Emptiness::Known,
        range: zero_to_one,
        meaning: |m| Some(f64::from(m.values.iter().any(|v| *v != 0.0))),
        carry: none,
    },
    Aggregate {
        name: "all",
        kind: AggregateKind::All,
        form: "all(COND over S)",
        about: "Whether every member satisfies the condition; true over no members.",
        body: Body::Condition,
        empty: Emptiness::Known,
        range: zero_to_one,
        meaning: |m| Some(f64::from(m.values.iter().all(|v| *v != 0.0))),
        carry: none,
    },
    Aggregate {
        name: "std",
        kind: AggregateKind::Std,
        form: "std(x over S)",
        about: "The standard deviation, dividing by n; missing over no members.",
        body: Body::Number,
        empty: Emptiness::Missing,
        range: |x, _, _| Interval::new(0.0, (x.hi - x.lo) / 2.0),
        meaning: |m| Some((m.spread()? / m.n()).sqrt()),
        carry: |m, _| 2.0 * m.worst() + super::ROUNDOFF * m.values.iter().map(|v| v.abs()).fold(0.0, f64::max) * 4.0,
    },
    Aggregate {
        name: "std_sample",
        kind: AggregateKind::StdSample,
        form: "std_sample(x over S)",
        about: "The standard deviation, dividing by n − 1; missing over fewer than two members.",
        body: Body::Number,
        empty: Emptiness::AlwaysMissing,
        range: |x, _, _| Interval::new(0.0, (x.hi - x.lo) / std::f64::consts::SQRT_2),
        meaning: |m| if m.values.len() > 1 { Some((m.spread()? / (m.n() - 1.0)).sqrt()) } else { None },
        carry: |m, _| 3.0 * m.worst() + super::ROUNDOFF * m.values.iter().map(|v| v.abs()).fold(0.0, f64::max) * 4.0,
    },
    Aggregate {
        name: "rank",
        kind: AggregateKind::Rank,
        form: "rank(x over S)",
        about: "1 and the number of members with a strictly greater x: the best has rank 1.",
        body: Body::Ranked,
        empty: Emptiness::Known,
        range: |_, n, _| Interval::new(1.0, n as f64),
        meaning: |m| Some(1.0 + m.values.iter().filter(|v| **v > m.own).count() as f64),
        carry: none,
    },
    Aggregate {
        name: "percentile",
        kind: AggregateKind::Percentile,
        form: "percentile(x among y over S)",
        about: "The share of members whose y is at most the candidate's x; missing over no members.",
        body: Body::Among,
        empty: Emptiness::Missing,
        range: zero_to_one,
        meaning: |m| {
            let below = m.values.iter().filter(|v| **v <= m.own).count();
            (!m.values.is_empty()).then(|| below as f64 / m.n())
        },
        carry: none,
    },
    Aggregate {
        name: "quantile",
        kind: AggregateKind::Quantile,
        form: "quantile(x, Q over S)",
        about: "Of the members' values in rising order the one at place max(1, ⌈Q·n⌉): always a member's own value.",
        body: Body::NumberAndShare,
        empty: Emptiness::Missing,
        range: body_itself,
        meaning: |m| {
            let mut sorted = m.values.to_vec();
            sorted.sort_by(f64::total_cmp);
            let place = m.share.ceil_of(sorted.len() as u64).max(1);
            sorted.get(place as usize - 1).copied()
        },
        carry: |m, _| m.worst(),
    },
    Aggregate {
        name: "entropy",
        kind: AggregateKind::Entropy,
        form: "entropy(KEY over S)",
        about: "−Σ p ln p over the shares of the key's values; missing over no members.",
        body: Body::Key,
        empty: Emptiness::Missing,
        range: |_, n, _| Interval::new(0.0, (n.max(1) as f64).ln()),
        meaning: |m| {
            let mut sorted = m.values.to_vec();
            sorted.sort_by(f64::total_cmp);
            let mut total = 0.0;
            for run in sorted.chunk_by(|a, b| a == b) {
                let p = run.len() as f64 / m.n();
                total -= p * p.ln();
            }
            (!sorted.is_empty()).then_some(total)
        },
        carry: |m, r| super::ROUNDOFF * (4.0 * r + m.n().ln().max(1.0)),
    },
    Aggregate {
        name: "dcg",
        kind: AggregateKind::Dcg,
        form: "dcg(x over S)",
        about: "Σ x / log2(k + 1), k the place among the members, from 1; 0 over no members.",
        body: Body::Number,
        empty: Emptiness::Known,
        range: |x, n, empty| many(x, discounts(n), if empty { 0.0 } else { 1.0 }),
        meaning: |m| Some(m.values.iter().enumerate().map(|(i, v)| v * discount(i + 1)).sum()),
        carry: |m, _| m.sum_error() * 4.0,
    },
];
