//! Caps: who passes a bound, and what that costs (R4).

use std::collections::HashMap;

use super::Work;
use super::expr::Ctx;
use super::value::Key;
use crate::eval::{Matches, Share};
use crate::program::{Cap, CapSpan, Charge, SpanKind};

/// What a cap does to each row.
pub struct Outcome {
    /// Who matches the cap's condition.
    pub matching: Vec<bool>,
    /// How many times the penalty a row pays.
    pub units: Vec<f64>,
    /// Whether a penalty of this bound would charge the row.
    pub over: Vec<bool>,
    /// Whether a `scale` of this bound would act on the row.
    pub scaled: Vec<bool>,
    keys: Vec<Key>,
}

/// Members of one span in order, with what was shown before it.
struct Instance {
    members: Vec<u32>,
    shown: u64,
    before: HashMap<Key, u64>,
}

impl Work<'_> {
    /// The price of a `dual` now (R4.8).
    pub fn price(&self, cap: &Cap) -> f64 {
        let Some(Charge::Dual { up_to }) = cap.charge else { return 0.0 };
        let lambda = self.run.state.caps.get(&cap.name).and_then(|c| c.lambda).unwrap_or(0.0);
        crate::types::round_to_f32(lambda.clamp(0.0, self.program.setting(up_to)))
    }

    /// Works out one cap on the members as they are now; caps do not see each other (R4.13).
    pub fn cap(&self, cap: &Cap) -> Outcome {
        let n = self.batch.n_rows;
        let mut keys = vec![Key::None; n];
        let mut outcome = Outcome {
            matching: vec![false; n],
            units: vec![0.0; n],
            over: vec![false; n],
            scaled: vec![false; n],
            keys: Vec::new(),
        };
        for row in (0..n).filter(|r| self.alive(*r)) {
            outcome.matching[row] = cap.on.is_none_or(|on| self.value(on, Ctx::own(row)).is_true());
            if let Some(per) = cap.per.filter(|_| outcome.matching[row]) {
                keys[row] = self.value(per, Ctx::own(row)).key();
            }
        }
        if let CapSpan::Window(_) = cap.span_kind {
            if self.window_is_over(cap) {
                outcome.scaled.clone_from(&outcome.matching);
            }
            return Outcome { keys, ..outcome };
        }
        for (holder, instance) in self.instances(cap, &keys) {
            let over_keys = if cap.least {
                self.short(cap, &instance, &mut outcome)
            } else {
                self.passed(cap, &instance, &keys, &mut outcome)
            };
            let kind = if cap.span_kind == CapSpan::Group { SpanKind::Group } else { SpanKind::Slate };
            if over_keys.is_empty() {
                continue;
            }
            for &row in self.spans.seeing(kind, holder) {
                let row = row as usize;
                outcome.scaled[row] = outcome.matching[row] && over_keys.contains(&keys[row]);
            }
        }
        Outcome { keys, ..outcome }
    }

    /// What choosers and controllers ask of a cap: who matches, by which key, and how large the class is.
    pub fn matches(&self, cap: &Cap, outcome: &Outcome) -> Matches {
        let mut numbers: HashMap<&Key, u32> = HashMap::new();
        let mut texts = Vec::new();
        let keys = outcome.keys.iter().enumerate().map(|(row, key)| {
            *numbers.entry(key).or_insert_with(|| {
                let text = cap.per.filter(|_| *key != Key::None);
                texts.push(text.map_or(String::new(), |per| self.key_text(&self.value(per, Ctx::own(row)))));
                texts.len() as u32 - 1
            })
        });
        Matches {
            keys: keys.collect(),
            key_texts: texts,
            share: self.share(cap, outcome),
            is: outcome.matching.clone(),
        }
    }

    /// The share of the class in the cap's spans, each counting alike (R4.8); a window is measured on the
    /// slates, where there are any.
    fn share(&self, cap: &Cap, outcome: &Outcome) -> Share {
        let by_group = match cap.span_kind {
            CapSpan::Group => true,
            CapSpan::Window(_) => self.batch.slates.is_none(),
            _ => false,
        };
        let kind = if by_group { SpanKind::Group } else { SpanKind::Slate };
        let mut share = Share::default();
        for holder in 0..self.spans.count(kind) {
            let mut members = self.spans.members(kind, holder);
            if let CapSpan::First(k) = cap.span_kind {
                members = members.get(..k as usize).unwrap_or(members);
            }
            if !members.is_empty() {
                let matching = members.iter().filter(|r| outcome.matching[**r as usize]).count();
                share.add(matching as u64, members.len() as u64, self.program.bound(cap.bound));
            }
        }
        share
    }

    /// While the share over the window is above the bound (R4.7); not handed in: at the bound.
    fn window_is_over(&self, cap: &Cap) -> bool {
        let share = self.run.state.caps.get(&cap.name).and_then(|c| c.share);
        match (share, self.program.bound(cap.bound)) {
            (Some(share), Err(bound)) => share > bound.to_f64(),
            _ => false,
        }
    }

    fn instances(&self, cap: &Cap, keys: &[Key]) -> Vec<(usize, Instance)> {
        let kind = if cap.span_kind == CapSpan::Group { SpanKind::Group } else { SpanKind::Slate };
        let state = self.run.state.caps.get(&cap.name);
        let mut found = Vec::new();
        for holder in 0..self.spans.count(kind) {
            let mut members = self.spans.members(kind, holder).to_vec();
            if let CapSpan::First(k) = cap.span_kind {
                members.truncate(k as usize);
            }
            let mut instance = Instance { members, shown: 0, before: HashMap::new() };
            if let (CapSpan::Session, Some(state)) = (cap.span_kind, state) {
                instance.shown = state.shown.unwrap_or(0);
                for row in &instance.members {
                    let key = &keys[*row as usize];
                    let text = cap.per.map(|per| self.key_text(&self.value(per, Ctx::own(*row as usize))));
                    let shown = state.matching.as_ref().map_or(0, |m| m.of(text.as_deref()));
                    instance.before.insert(key.clone(), shown);
                }
            }
            found.push((holder, instance));
        }
        found
    }

    /// `at most`: those past the bound pay (R4.3, R4.5). Gives the keys that are over.
    fn passed(&self, cap: &Cap, instance: &Instance, keys: &[Key], out: &mut Outcome) -> Vec<Key> {
        let n = instance.shown + instance.members.len() as u64;
        let mut over_keys = Vec::new();
        if let CapSpan::InRow(k) = cap.span_kind {
            let allowed = self.program.allowed(cap.bound, k);
            for (i, &row) in instance.members.iter().enumerate() {
                let row = row as usize;
                let from = (i + 1).saturating_sub(k as usize);
                let in_window = instance.members[from..=i]
                    .iter()
                    .filter(|r| out.matching[**r as usize] && keys[**r as usize] == keys[row])
                    .count();
                if out.matching[row] && in_window as u64 > allowed {
                    out.units[row] = 1.0;
                    out.over[row] = true;
                }
            }
            return over_keys;
        }
        let allowed = self.program.allowed(cap.bound, n);
        let mut counted: HashMap<Key, u64> = instance.before.clone();
        for &row in instance.members.iter().filter(|r| out.matching[**r as usize]) {
            let count = counted.entry(keys[row as usize].clone()).or_insert(0);
            *count += 1;
            if *count > allowed && cap.span_kind != CapSpan::Group {
                out.units[row as usize] = 1.0;
                out.over[row as usize] = true;
            }
        }
        for (key, m) in counted.into_iter().filter(|(_, m)| *m > allowed) {
            if cap.span_kind == CapSpan::Group {
                for &row in instance.members.iter().filter(|r| out.matching[**r as usize] && keys[**r as usize] == key)
                {
                    out.units[row as usize] = (m - allowed) as f64 / m as f64;
                    out.over[row as usize] = true;
                }
            }
            over_keys.push(key);
        }
        over_keys
    }

    /// `at least`: those that do not match share the shortfall (R4.4).
    fn short(&self, cap: &Cap, instance: &Instance, out: &mut Outcome) -> Vec<Key> {
        let n = instance.members.len() as u64;
        let matching = instance.members.iter().filter(|r| out.matching[**r as usize]).count() as u64;
        let before = instance.before.get(&Key::None).copied().unwrap_or(0);
        let shortfall = self.program.required(cap.bound, instance.shown + n).saturating_sub(before + matching);
        for &row in instance.members.iter().filter(|_| shortfall > 0) {
            if !out.matching[row as usize] {
                out.units[row as usize] = shortfall as f64 / (n - matching) as f64;
                out.over[row as usize] = true;
            }
        }
        Vec::new()
    }
}
