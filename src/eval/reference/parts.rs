//! Preference, ecosystem, reward, cost, total, and the channels (R1.3–R1.11).

use super::Work;
use super::caps::Outcome;
use super::expr::Ctx;
use crate::builtins::ROUNDOFF;
use crate::eval::{Verdict, pick::picked};
use crate::program::{AddendOf, ChannelKind, Charge, Column, Part, RuleValue};
use crate::types::Interval;

/// A running sum with its error bound.
#[derive(Clone, Copy, Default)]
struct Sum {
    value: f64,
    error: f64,
}

impl Sum {
    fn add(&mut self, value: f64, error: f64) {
        self.value += value;
        self.error += error + ROUNDOFF * self.value.abs();
    }

    fn within(self, range: Interval) -> Self {
        Self { value: self.value.clamp(range.lo, range.hi), ..self }
    }
}

impl Work<'_> {
    fn write(&mut self, column: Column, row: usize, sum: Sum) {
        if let Some(numbers) = self.scores.column_mut(column) {
            numbers.set(row, 0, sum.value, sum.error);
        }
    }

    /// Every part of every scored candidate, and the sums.
    pub fn score_parts(&mut self) {
        let program = self.program;
        let caps: Vec<Option<Outcome>> = program
            .parts
            .iter()
            .map(|p| match p {
                Part::Cap(c) => Some(self.cap(c)),
                _ => None,
            })
            .collect();
        for (i, cap) in program.caps() {
            let reads_slate = [cap.on, cap.per].into_iter().flatten().any(|e| program.expr(e).reads_slate);
            if let Some(outcome) = caps[i].as_ref().filter(|_| !self.put_off(reads_slate)) {
                let matches = self.matches(cap, outcome);
                self.scores.matches.insert(i, matches);
            }
        }
        for row in 0..self.batch.n_rows {
            if !self.alive(row) {
                continue;
            }
            let preference = self.preference(row, &caps);
            let ecosystem = self.ecosystem(row, &caps);
            let reward = self.reward(row, preference, ecosystem);
            let cost = self.cost(row, &caps);
            let mut total = reward;
            total.add(cost.value, cost.error);
            self.write(Column::Total, row, total.within(program.ranges.total));
        }
    }

    /// A weighted term; `None` where it waits for the slate choice.
    fn term(&mut self, index: usize, row: usize) -> Option<Sum> {
        let Part::Term(term) = &self.program.parts[index] else { return None };
        if self.put_off(self.program.expr(term.value).reads_slate) {
            self.scores.partial = true;
            return None;
        }
        let raw = self.value(term.value, Ctx::own(row));
        // The checker proves that a term is known wherever a candidate is scored.
        debug_assert!(!raw.is_missing(), "the term `{}` is missing in row {row}", term.name);
        let interval = self.program.expr(term.value).interval.outward_f32();
        let (raw, error) = (raw.number().clamp(interval.lo, interval.hi), raw.error());
        let weight = self.program.setting(term.weight);
        let value = weight * raw;
        let weighted = Sum { value, error: weight.abs() * error + ROUNDOFF * value.abs() }.within(term.range);
        self.write(Column::Raw(index), row, Sum { value: raw, error });
        self.write(Column::Part(index), row, weighted);
        Some(weighted)
    }

    fn preference(&mut self, row: usize, caps: &[Option<Outcome>]) -> Sum {
        let program = self.program;
        let mut sum = Sum::default();
        for (i, _) in program.terms().filter(|(_, t)| t.preference) {
            if let Some(term) = self.term(i, row) {
                sum.add(term.value, term.error);
            }
        }
        let mut closed = false;
        for (i, gate) in program.gates() {
            if self.put_off(program.expr(gate.condition).reads_slate) {
                self.scores.partial = true;
                continue;
            }
            let mut took = Sum::default();
            let shut = !self.value(gate.condition, Ctx::own(row)).is_true();
            *self.scores.counts.closed.entry(i).or_insert(0) += u64::from(shut);
            if shut && !closed {
                closed = true;
                took = Sum { value: sum.value.min(0.0) - sum.value, error: sum.error };
                sum.value = sum.value.min(0.0);
            }
            self.write(Column::Part(i), row, took.within(gate.range));
        }
        for (i, cap) in program.caps() {
            let Some(Charge::Scale(factor)) = cap.charge else { continue };
            if self.put_off(program.cap_reads_slate(cap)) {
                self.scores.partial = true;
                continue;
            }
            let mut took = Sum::default();
            if caps[i].as_ref().is_some_and(|o| o.scaled[row]) && sum.value > 0.0 {
                let left = program.setting(factor) * sum.value;
                took = Sum { value: left - sum.value, error: sum.error + ROUNDOFF * sum.value };
                sum = Sum { value: left, error: sum.error + ROUNDOFF * left };
            }
            self.write(Column::Part(i), row, took.within(cap.range));
            self.write_over(i, row, caps);
        }
        let sum = sum.within(program.ranges.preference);
        self.write(Column::Preference, row, sum);
        sum
    }

    fn write_over(&mut self, index: usize, row: usize, caps: &[Option<Outcome>]) {
        let Part::Cap(cap) = &self.program.parts[index] else { return };
        let on_group = matches!(cap.span_kind, crate::program::CapSpan::Group | crate::program::CapSpan::Window(_));
        if on_group || self.batch.slates.is_some() {
            let over = caps[index].as_ref().is_some_and(|o| o.over[row]);
            self.write(Column::Over(index), row, Sum { value: f64::from(over), error: 0.0 });
        }
    }

    /// A penalty's charge; `None` where it waits for the slate choice.
    fn penalty(&mut self, index: usize, row: usize, caps: &[Option<Outcome>]) -> Option<Sum> {
        let Part::Cap(cap) = &self.program.parts[index] else { return None };
        let Some(Charge::Penalty { weight, .. }) = cap.charge else { return None };
        if self.put_off(self.program.cap_reads_slate(cap)) {
            self.scores.partial = true;
            return None;
        }
        let units = caps[index].as_ref().map_or(0.0, |o| o.units[row]);
        let value = 0.0 - self.program.setting(weight) * units;
        let charge = Sum { value, error: 2.0 * ROUNDOFF * value.abs() }.within(cap.range);
        self.write(Column::Part(index), row, charge);
        self.write_over(index, row, caps);
        Some(charge)
    }

    fn ecosystem(&mut self, row: usize, caps: &[Option<Outcome>]) -> Sum {
        let program = self.program;
        let mut sum = Sum::default();
        for (i, part) in program.parts.iter().enumerate() {
            let added = match part {
                Part::Term(t) if !t.preference => self.term(i, row),
                Part::Cap(c) if matches!(c.charge, Some(Charge::Penalty { after_normalizing: false, .. })) => {
                    self.penalty(i, row, caps)
                }
                _ => None,
            };
            if let Some(added) = added {
                sum.add(added.value, added.error);
            }
        }
        let sum = sum.within(program.ranges.ecosystem);
        self.write(Column::Ecosystem, row, sum);
        sum
    }

    fn reward(&mut self, row: usize, preference: Sum, ecosystem: Sum) -> Sum {
        let program = self.program;
        let mut sum = Sum::default();
        for addend in &program.formula.addends {
            let of = match addend.of {
                AddendOf::Preference => preference,
                AddendOf::Ecosystem => ecosystem,
                AddendOf::Part(i) => match self.scores.column(Column::Part(i)) {
                    Some(c) => Sum { value: c.get(row, 0).unwrap_or(0.0), error: c.error(row, 0) },
                    None => Sum::default(),
                },
            };
            let factor = program.setting(addend.factor) * if addend.negative { -1.0 } else { 1.0 };
            let value = factor * of.value;
            sum.add(value, factor.abs() * of.error + ROUNDOFF * value.abs());
        }
        if let Some((lo, hi)) = program.formula.clamp {
            let clamped = sum.value.max(program.setting(lo)).min(program.setting(hi));
            let changed = Sum { value: clamped - sum.value, error: sum.error };
            self.write(Column::Clamp, row, changed.within(program.ranges.clamp));
            sum.value = clamped;
        }
        let sum = sum.within(program.ranges.reward);
        self.write(Column::Reward, row, sum);
        sum
    }

    fn cost(&mut self, row: usize, caps: &[Option<Outcome>]) -> Sum {
        let program = self.program;
        let mut sum = Sum::default();
        for (i, cap) in program.caps() {
            match cap.charge {
                Some(Charge::Penalty { after_normalizing: true, .. }) => {
                    if let Some(charge) = self.penalty(i, row, caps) {
                        sum.add(charge.value, charge.error);
                    }
                }
                Some(Charge::Dual { .. }) => {
                    if self.put_off(program.cap_reads_slate(cap)) {
                        self.scores.partial = true;
                        continue;
                    }
                    let price = if caps[i].as_ref().is_some_and(|o| o.matching[row]) { self.price(cap) } else { 0.0 };
                    let charge =
                        Sum { value: if cap.least { price } else { 0.0 - price }, error: 0.0 }.within(cap.range);
                    self.write(Column::Part(i), row, charge);
                    self.write_over(i, row, caps);
                    sum.add(charge.value, charge.error);
                }
                // A promise of the slate choice moves no number (R4.9).
                None if !self.put_off(program.cap_reads_slate(cap)) => {
                    self.write(Column::Part(i), row, Sum::default());
                    self.write_over(i, row, caps);
                }
                _ => {}
            }
        }
        let sum = sum.within(program.ranges.cost);
        self.write(Column::Cost, row, sum);
        sum
    }

    /// What a failed rule gives is the reward itself (R1.9, R2.1).
    pub fn illegal_values(&mut self) {
        for row in 0..self.batch.n_rows {
            let Verdict::Illegal(k) = self.scores.verdicts[row] else { continue };
            let value = match self.program.rules[k as usize].value {
                RuleValue::Reward(setting) => self.program.setting(setting),
                RuleValue::Lowest | RuleValue::Drop => self.program.ranges.reward.lo,
            };
            self.write(Column::Reward, row, Sum { value, error: 0.0 });
            self.write(Column::Cost, row, Sum::default());
            self.write(Column::Total, row, Sum { value, error: 0.0 });
        }
    }

    /// Channels, then monitors, which may read what was worked out before them.
    pub fn channels(&mut self, monitors: bool) {
        let program = self.program;
        for (i, channel) in program.channels.iter().enumerate() {
            if (channel.kind == ChannelKind::Monitor) != monitors
                || (monitors && !channel.hosts.contains(&self.run.host))
            {
                continue;
            }
            let expr = program.expr(channel.value);
            if self.put_off(expr.reads_slate) {
                continue;
            }
            if monitors {
                self.stage_parts(channel.value);
            }
            let kept = channel.pick.map(|k| self.picked(k, &channel.name));
            let width = if program.is_token(Column::Channel(i)) { program.n_levels() } else { 1 };
            for row in 0..self.batch.n_rows {
                if !self.alive(row) || kept.as_ref().is_some_and(|k| !k[row]) {
                    continue;
                }
                for level in 0..width {
                    let value = self.value(channel.value, Ctx { level, ..Ctx::own(row) });
                    if !value.is_missing()
                        && let Some(numbers) = self.scores.column_mut(Column::Channel(i))
                    {
                        let clamped = value.number().clamp(channel.range.lo, channel.range.hi);
                        numbers.set(row, level, clamped, value.error());
                    }
                }
            }
        }
    }

    /// Works out again the aggregates of a monitor that look at parts of the score.
    fn stage_parts(&mut self, value: crate::program::ExprId) {
        self.aggregates.borrow_mut().clear();
        self.buckets.borrow_mut().clear();
        for id in self.program.lets_below(&[value]) {
            if self.program.lets[id.index()].name.is_none() {
                let column = self.let_column(id);
                self.lets[id.index()] = Some(column);
            }
        }
    }

    /// Which rows a channel keeps: of all rollouts of the group, before any rule (R1.11).
    fn picked(&self, k: u64, channel: &str) -> Vec<bool> {
        let mut kept = vec![false; self.batch.n_rows];
        let mut groups: Vec<Vec<usize>> = vec![Vec::new(); self.batch.request_keys.len()];
        for row in 0..self.batch.n_rows {
            groups[self.batch.request_of[row] as usize].push(row);
        }
        for (request, rows) in groups.iter().enumerate() {
            let rollouts: Vec<u32> = rows.iter().map(|r| self.batch.rollout[*r]).collect();
            let key = &self.batch.request_keys[request];
            for (row, keep) in rows.iter().zip(picked(k, &rollouts, self.run.seed, self.run.step, key, channel)) {
                kept[*row] = keep;
            }
        }
        kept
    }
}
