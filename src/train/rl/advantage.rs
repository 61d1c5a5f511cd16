//! Rewards → advantages: what of each rollout is better than its group.
//!
//! A = normalized reward + `cost` + every `advantage`, the last two as they stand.

use super::super::config::Normalization;
use crate::host::Scored;
use crate::program::{Addend, AddendOf, Charge, Column, Part, Program};
use crate::types::ChannelKind;

/// What is added to a spread before it divides.
const EPSILON: f64 = 1e-4;

/// Advantages and weights of a step's rollouts.
#[derive(Clone, Debug, Default)]
pub struct Advantages {
    /// `levels` numbers for each rollout; 0 for one without a reward.
    pub values: Vec<f32>,
    /// What the loss of each code is multiplied by, `levels` numbers for each rollout.
    pub weights: Vec<f32>,
    /// Mean reward of groups, and the mean of their spreads.
    pub reward: (f64, f64),
    /// The share of groups whose rewards are all alike: they teach nothing.
    pub constant_groups: f64,
}

/// The columns of a program that make advantages.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Parts of the reward, each with what it weighs (for [`Normalization::PerTerm`]).
    parts: Vec<(Column, f64)>,
    advantages: Vec<Column>,
    tokens: Vec<Column>,
    weights: Vec<Column>,
    token_weights: Vec<Column>,
}

impl Sources {
    /// Those of a program.
    pub fn of(program: &Program) -> Self {
        let named = |kind: ChannelKind| {
            let of = program.channels.iter().enumerate().filter(move |(_, c)| c.kind == kind);
            of.map(|(i, _)| Column::Channel(i)).collect()
        };
        let parts = (0..program.parts.len()).filter_map(|i| Some((Column::Part(i), weight_in_reward(program, i)?)));
        Self {
            parts: parts.collect(),
            advantages: named(ChannelKind::Advantage),
            tokens: named(ChannelKind::TokenAdvantage),
            weights: named(ChannelKind::SampleWeight),
            token_weights: named(ChannelKind::TokenWeight),
        }
    }
}

/// What a part weighs in the reward; none for one that is charged as cost, and for a sum without it.
fn weight_in_reward(program: &Program, place: usize) -> Option<f64> {
    let (own, preference) = match program.parts.get(place)? {
        // The column is weighted: its z-score has the sign of the weight already.
        Part::Term(term) => (program.setting(term.weight).abs(), term.preference),
        Part::Gate(_) => (1.0, true),
        Part::Cap(cap) => match cap.charge? {
            Charge::Penalty { after_normalizing: false, .. } => (1.0, false),
            Charge::Scale(_) => (1.0, true),
            Charge::Penalty { .. } | Charge::Dual { .. } => return None,
        },
    };
    let reaches = |of: AddendOf| match of {
        AddendOf::Preference => preference,
        AddendOf::Ecosystem => !preference,
        AddendOf::Part(part) => part == place,
    };
    let factor = |a: &Addend| if a.negative { -program.setting(a.factor) } else { program.setting(a.factor) };
    let addends = &program.formula.addends;
    let sum: f64 = addends.iter().filter(|a| reaches(a.of)).map(factor).sum();
    let factor = if addends.is_empty() { 1.0 } else { sum };
    (factor != 0.0).then_some(own * factor)
}

/// The advantages of a step: rollouts `offsets[i]..offsets[i + 1]` make a group.
pub fn advantages(
    scored: &Scored<'_>,
    offsets: &[u32],
    levels: usize,
    sources: &Sources,
    kind: Normalization,
) -> Advantages {
    let n = scored.len();
    let counts = |row: usize| scored.in_statistics().get(row) == Some(&true);
    let rewards: Vec<Option<f64>> = (0..n).map(|row| scored.reward().get(row, 0).filter(|_| counts(row))).collect();
    let column = |column: &Column, row: usize, level: usize| {
        scored.column(*column).and_then(|c| c.get(row, if c.width > 1 { level } else { 0 }))
    };
    let mut parts = Vec::new();
    if kind == Normalization::PerTerm {
        let part = |(c, weight): &(Column, f64)| {
            let values: Vec<Option<f64>> = (0..n).map(|row| column(c, row, 0).filter(|_| counts(row))).collect();
            (*weight, values)
        };
        parts.extend(sources.parts.iter().map(part));
        // A rollout that failed a rule has no parts: its reward is one of its own, against nothing.
        let is_scored = |row: usize| scored.verdicts().get(row) == Some(&crate::eval::Verdict::Scored);
        let rule = rewards.iter().enumerate().map(|(row, r)| r.map(|r| if is_scored(row) { 0.0 } else { r }));
        parts.push((1.0, rule.collect()));
    }
    let normalized = normalized(kind, &rewards, &parts, offsets);
    let mut out = Advantages { reward: spread_of(&rewards, offsets), ..Advantages::default() };
    out.constant_groups = share_constant(&rewards, offsets);
    for (row, own) in normalized.iter().enumerate() {
        let sum =
            |columns: &[Column], level: usize| -> f64 { columns.iter().filter_map(|c| column(c, row, level)).sum() };
        let whole = own.map(|own| own + scored.cost().get(row, 0).unwrap_or(0.0) + sum(&sources.advantages, 0));
        let at = |level: usize| whole.map_or(0.0, |whole| whole + sum(&sources.tokens, level)) as f32;
        out.values.extend((0..levels).map(at));
        let product = |columns: &[Column], level: usize| -> f64 {
            columns.iter().map(|c| column(c, row, level).unwrap_or(1.0)).product()
        };
        let sample = product(&sources.weights, 0);
        out.weights.extend((0..levels).map(|level| (sample * product(&sources.token_weights, level)) as f32));
    }
    out
}

/// Rewards normalized within their groups; `parts` of each rollout, with what they weigh, for
/// [`Normalization::PerTerm`] alone.
pub fn normalized(
    kind: Normalization,
    rewards: &[Option<f64>],
    parts: &[(f64, Vec<Option<f64>>)],
    offsets: &[u32],
) -> Vec<Option<f64>> {
    match kind {
        Normalization::ZScore => by_group(rewards, offsets, |x, mean, spread| (x - mean) / (spread + EPSILON)),
        Normalization::MeanOnly => by_group(rewards, offsets, |x, mean, _| x - mean),
        Normalization::PerTerm => per_term(parts, rewards, offsets),
    }
}

/// The mean and the spread (population) of those of a group that have a value.
fn moments(values: &[Option<f64>]) -> Option<(f64, f64)> {
    let there: Vec<f64> = values.iter().flatten().copied().collect();
    let n = there.len() as f64;
    let mean = there.iter().sum::<f64>() / n;
    let spread = (there.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
    (!there.is_empty()).then_some((mean, spread))
}

/// Each group's values.
fn groups<'v>(values: &'v [Option<f64>], offsets: &'v [u32]) -> impl Iterator<Item = &'v [Option<f64>]> {
    let group = |w: &[u32]| if let [a, b] = w { values.get(*a as usize..*b as usize) } else { None };
    offsets.windows(2).map(move |w| group(w).unwrap_or(&[]))
}

fn by_group(values: &[Option<f64>], offsets: &[u32], normal: impl Fn(f64, f64, f64) -> f64) -> Vec<Option<f64>> {
    let mut out = Vec::with_capacity(values.len());
    for group in groups(values, offsets) {
        let (mean, spread) = moments(group).unwrap_or_default();
        out.extend(group.iter().map(|x| x.map(|x| normal(x, mean, spread))));
    }
    out
}

/// GDPO (arXiv 2601.05242): each part a z-score within the group, their weighted sum one over the batch.
fn per_term(parts: &[(f64, Vec<Option<f64>>)], rewards: &[Option<f64>], offsets: &[u32]) -> Vec<Option<f64>> {
    let mut sums: Vec<Option<f64>> = rewards.iter().map(|r| r.map(|_| 0.0)).collect();
    for (weight, values) in parts {
        let own = by_group(values, offsets, |x, mean, spread| (x - mean) / (spread + EPSILON));
        for (sum, own) in sums.iter_mut().zip(own) {
            if let (Some(sum), Some(own)) = (sum.as_mut(), own) {
                *sum += weight * own;
            }
        }
    }
    let (mean, spread) = moments(&sums).unwrap_or_default();
    sums.into_iter().map(|sum| sum.map(|sum| (sum - mean) / (spread + 1e-6))).collect()
}

fn spread_of(rewards: &[Option<f64>], offsets: &[u32]) -> (f64, f64) {
    let all: Vec<(f64, f64)> = groups(rewards, offsets).filter_map(moments).collect();
    let n = all.len().max(1) as f64;
    (all.iter().map(|m| m.0).sum::<f64>() / n, all.iter().map(|m| m.1).sum::<f64>() / n)
}

fn share_constant(rewards: &[Option<f64>], offsets: &[u32]) -> f64 {
    let all: Vec<bool> = groups(rewards, offsets).filter_map(moments).map(|(_, spread)| spread < 1e-9).collect();
    all.iter().filter(|c| **c).count() as f64 / all.len().max(1) as f64
}
