//! Members of spans, and aggregates over them (R3).

use std::collections::HashMap;
use std::rc::Rc;

use super::super::Batch;
use super::super::batch::List;
use super::Work;
use super::expr::{Ctx, Entries};
use super::value::{Key, Value};
use crate::builtins::{Body, Members, ROUNDOFF};
use crate::program::{AggregateExpr, ExprId, Narrowing, SpanKind};
use crate::schema::Longest;
use crate::types::{Level, Ty};

/// Rows of each slate, group and batch in span order, and who of them is a member now.
pub struct Spans {
    slates: Vec<Vec<u32>>,
    /// Rows in or behind each slate.
    seeing: Vec<Vec<u32>>,
    groups: Vec<Vec<u32>>,
    batches: Vec<Vec<u32>>,
    members: [Vec<Vec<u32>>; 3],
    pub equal_places: u64,
}

impl Spans {
    /// All rows, ordered by their place; equal places keep input order and are counted (R3.5).
    pub fn new(batch: &Batch<'_>) -> Self {
        let n = batch.n_rows;
        let mut groups = vec![Vec::new(); batch.request_keys.len()];
        let n_batches = batch.batch_of.iter().max().map_or(0, |m| *m as usize + 1);
        let mut batches = vec![Vec::new(); n_batches];
        let mut slates = vec![Vec::new(); batch.slates.as_ref().map_or(0, |s| s.count)];
        let mut seeing = slates.clone();
        for row in 0..n {
            groups[batch.request_of[row] as usize].push(row as u32);
            batches[batch.batch_of[row] as usize].push(row as u32);
            if let Some(s) = &batch.slates {
                seeing[s.of[row] as usize].push(row as u32);
                if !s.behind[row] {
                    slates[s.of[row] as usize].push(row as u32);
                }
            }
        }
        let mut equal_places = 0;
        let mut sort = |rows: &mut Vec<u32>, place: &dyn Fn(u32) -> u32| {
            rows.sort_by_key(|r| place(*r));
            equal_places += rows.windows(2).filter(|w| place(w[0]) == place(w[1])).count() as u64;
        };
        for rows in &mut groups {
            sort(rows, &|r| batch.rollout[r as usize]);
        }
        if let Some(s) = &batch.slates {
            for rows in &mut slates {
                sort(rows, &|r| s.position[r as usize]);
            }
        }
        Self { slates, seeing, groups, batches, members: Default::default(), equal_places }
    }

    /// Rows whose slate or group is longer than the schema allows (R8.5); with `reads_batch` their batch too.
    pub fn too_long(&self, longest: Longest, batch: &Batch<'_>, reads_batch: bool) -> Vec<usize> {
        let long = |rows: &Vec<u32>, most: u64| rows.len() as u64 > most;
        let mut out = Vec::new();
        for row in 0..batch.n_rows {
            let group = long(&self.groups[batch.request_of[row] as usize], longest.group);
            let slate = batch.slates.as_ref().is_some_and(|s| long(&self.slates[s.of[row] as usize], longest.slate));
            let batch = reads_batch && long(&self.batches[batch.batch_of[row] as usize], longest.batch);
            if group || slate || batch {
                out.push(row);
            }
        }
        out
    }

    /// Takes as members those rows of each span that are left.
    pub fn begin(&mut self, left: impl Fn(usize) -> bool) {
        let keep = |spans: &[Vec<u32>]| -> Vec<Vec<u32>> {
            spans.iter().map(|rows| rows.iter().copied().filter(|r| left(*r as usize)).collect()).collect()
        };
        self.members = [keep(&self.slates), keep(&self.groups), keep(&self.batches)];
    }

    /// The members of a span now, in order.
    pub fn members(&self, kind: SpanKind, holder: usize) -> &[u32] {
        let of = match kind {
            SpanKind::Slate => &self.members[0],
            SpanKind::Group => &self.members[1],
            _ => &self.members[2],
        };
        of.get(holder).map_or(&[], Vec::as_slice)
    }

    /// Rows that see a slate (also from behind it) or lie in a group.
    pub fn seeing(&self, kind: SpanKind, holder: usize) -> &[u32] {
        let of = if kind == SpanKind::Slate { &self.seeing } else { &self.groups };
        of.get(holder).map_or(&[], Vec::as_slice)
    }

    /// How many spans of a kind there are.
    pub fn count(&self, kind: SpanKind) -> usize {
        match kind {
            SpanKind::Slate => self.slates.len(),
            SpanKind::Group => self.groups.len(),
            _ => self.batches.len(),
        }
    }

    /// The holder of a row at a level; `None` where every row is its own: candidates and tokens,
    /// and rows behind a slate without members, each of which sees itself alone (R7.2).
    pub fn holder(&self, level: Level, row: usize, batch: &Batch<'_>) -> Option<u32> {
        match level {
            Level::Constant => Some(0),
            Level::Batch => Some(batch.batch_of[row]),
            Level::Request => Some(batch.request_of[row]),
            Level::Slate => {
                let slate = batch.slates.as_ref()?.of[row];
                (!self.members(SpanKind::Slate, slate as usize).is_empty()).then_some(slate)
            }
            Level::Candidate | Level::Token => None,
        }
    }
}

/// Member values of a span (or of one key in it), in span order.
#[derive(Default)]
pub struct Bucket {
    rows: Vec<u32>,
    values: Vec<f64>,
    errors: Vec<f64>,
}

impl Bucket {
    fn push(&mut self, row: u32, value: (f64, f64)) {
        self.rows.push(row);
        self.values.push(value.0);
        self.errors.push(value.1);
    }
}

impl<'b> Work<'b> {
    /// The meaning of an aggregate for someone.
    pub fn aggregate(&self, id: ExprId, a: &AggregateExpr, ctx: Ctx) -> Value<'b> {
        let expr = self.program.expr(id);
        // The same for a whole span: worked out once (R3.8).
        let holder = match a.span {
            SpanKind::Levels => None,
            _ if expr.level == Level::Token => None,
            _ => self.spans.holder(expr.level, ctx.own, self.batch),
        };
        let memo = holder.map(|h| (id, h, 0));
        if let Some(value) = memo.and_then(|m| self.aggregates.borrow().get(&m).copied()) {
            return value;
        }
        let own = a.own.map_or(0.0, |e| self.value(e, ctx).number());
        let value = match a.span {
            SpanKind::Slate | SpanKind::Group | SpanKind::Batch => self.over_candidates(id, a, ctx, own),
            SpanKind::History => self.over_entries(id, a, ctx, own, self.batch.past.as_ref(), &self.past),
            SpanKind::Targets => self.over_entries(id, a, ctx, own, self.batch.wanted.as_ref(), &self.wanted),
            SpanKind::Levels => self.over_levels(id, a, ctx, own),
        };
        if let Some(memo) = memo {
            self.aggregates.borrow_mut().insert(memo, value);
        }
        value
    }

    fn over_candidates(&self, id: ExprId, a: &AggregateExpr, ctx: Ctx, own: f64) -> Value<'b> {
        let holder = match a.span {
            SpanKind::Slate => match &self.batch.slates {
                Some(slates) => slates.of[ctx.own],
                None => return Value::Missing,
            },
            SpanKind::Group => self.batch.request_of[ctx.own],
            _ => self.batch.batch_of[ctx.own],
        };
        let key = a.per.map_or(Key::None, |(_, own)| self.value(own, ctx).key());
        let members = self.spans.members(a.span, holder as usize);
        let alone = [ctx.own as u32];
        let lonely = a.span == SpanKind::Slate && members.is_empty();
        let members = if lonely { &alone[..] } else { members };
        let of_own = [a.body, a.filter].into_iter().flatten().any(|e| self.program.expr(e).reads_own);
        if of_own || lonely {
            // Each pair of candidate and member by itself.
            let mut bucket = Bucket::default();
            for &row in members.iter().filter(|r| self.in_narrowing(a, ctx, **r)) {
                let at = Ctx { member: row as usize, ..ctx };
                if a.per.is_none_or(|(m, _)| self.value(m, at).key() == key) {
                    bucket.rows.extend(self.member_value(a, at).map(|v| {
                        bucket.values.push(v.0);
                        bucket.errors.push(v.1);
                        row
                    }));
                }
            }
            return self.finish(id, a, &bucket.values, &bucket.errors, own);
        }
        let memo = (id, holder, ctx.level as u32);
        let known = self.buckets.borrow().get(&memo).cloned();
        let buckets = known.unwrap_or_else(|| {
            let mut buckets: HashMap<Key, Bucket> = HashMap::new();
            for &row in members {
                let at = Ctx { member: row as usize, ..ctx };
                let key = a.per.map_or(Key::None, |(m, _)| self.value(m, at).key());
                if let Some(value) = self.member_value(a, at) {
                    buckets.entry(key).or_default().push(row, value);
                }
            }
            let buckets = Rc::new(buckets);
            self.buckets.borrow_mut().insert(memo, Rc::clone(&buckets));
            buckets
        });
        let Some(bucket) = buckets.get(&key) else { return self.finish(id, a, &[], &[], own) };
        if a.narrowing.is_none() {
            return self.finish(id, a, &bucket.values, &bucket.errors, own);
        }
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        for (i, row) in bucket.rows.iter().enumerate() {
            if self.in_narrowing(a, ctx, *row) {
                values.push(bucket.values[i]);
                errors.push(bucket.errors[i]);
            }
        }
        self.finish(id, a, &values, &errors, own)
    }

    /// A member's value and error, if it passes the filter.
    fn member_value(&self, a: &AggregateExpr, at: Ctx) -> Option<(f64, f64)> {
        if a.filter.is_some_and(|f| !self.value(f, at).is_true()) {
            return None;
        }
        let Some(body) = a.body else { return Some((1.0, 0.0)) };
        let value = self.value(body, at);
        match a.function.body {
            // Keys are told apart by a number of their own.
            Body::Key => Some((key_number(&value.key()), 0.0)),
            _ if a.function.body == Body::NothingOrCondition && !value.is_true() => Some((0.0, 0.0)),
            _ => (!value.is_missing()).then(|| (value.number(), value.error())),
        }
    }

    /// Whether a member stands as the narrowing asks (R3.6). A candidate behind its slate stands
    /// behind all members.
    fn in_narrowing(&self, a: &AggregateExpr, ctx: Ctx, row: u32) -> bool {
        let Some(narrowing) = a.narrowing else { return true };
        let own = ctx.own as u32;
        let order = |r: u32| -> (bool, u32, u32) {
            match (a.span, &self.batch.slates) {
                (SpanKind::Slate, Some(s)) => (s.behind[r as usize], s.position[r as usize], r),
                _ => (false, self.batch.rollout[r as usize], r),
            }
        };
        match narrowing {
            Narrowing::Before => order(row) < order(own),
            Narrowing::To => order(row) <= order(own),
            Narrowing::From => order(row) >= order(own),
            Narrowing::After => order(row) > order(own),
            Narrowing::Except => row != own,
        }
    }

    fn over_entries(
        &self,
        id: ExprId,
        a: &AggregateExpr,
        ctx: Ctx,
        own: f64,
        list: Option<&'b List<'b>>,
        entries: &Entries,
    ) -> Value<'b> {
        let Some(list) = list else { return Value::Missing };
        let (start, end) = entries.kept[self.list_holder(Some(list), ctx.own)];
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        for &cell in &list.index[start as usize..end as usize] {
            let cell = cell as usize;
            if entries.fits.get(cell).copied().unwrap_or(true)
                && let Some((value, error)) = self.member_value(a, Ctx { entry: cell, ..ctx })
            {
                values.push(value);
                errors.push(error);
            }
        }
        self.finish(id, a, &values, &errors, own)
    }

    fn over_levels(&self, id: ExprId, a: &AggregateExpr, ctx: Ctx, own: f64) -> Value<'b> {
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        for inner in 0..self.program.n_levels() {
            let stands = match a.narrowing {
                None => true,
                Some(Narrowing::Before) => inner < ctx.level,
                Some(Narrowing::To) => inner <= ctx.level,
                Some(Narrowing::From) => inner >= ctx.level,
                Some(Narrowing::After) => inner > ctx.level,
                Some(Narrowing::Except) => inner != ctx.level,
            };
            if stands && let Some((value, error)) = self.member_value(a, Ctx { inner, ..ctx }) {
                values.push(value);
                errors.push(error);
            }
        }
        self.finish(id, a, &values, &errors, own)
    }

    /// Puts the members' values together.
    fn finish(&self, id: ExprId, a: &AggregateExpr, values: &[f64], errors: &[f64], own: f64) -> Value<'b> {
        if (values.len() as u64) < a.at_least {
            return Value::Missing;
        }
        let members = Members { values, errors, own, share: a.share };
        let Some(result) = (a.function.meaning)(&members) else { return Value::Missing };
        let expr = self.program.expr(id);
        if expr.ty == Ty::Bool {
            return Value::Bool(result != 0.0);
        }
        let value = result.clamp(expr.interval.lo, expr.interval.hi);
        debug_assert!(
            (value - result).abs() <= 1e-9 * result.abs().max(1.0),
            "{} gives {result} outside {:?}",
            a.function.name,
            expr.interval
        );
        let rounding = if expr.ty.is_whole() { 0.0 } else { 2.0 * ROUNDOFF * value.abs() };
        Value::Number { value, error: (a.function.carry)(&members, value) + rounding }
    }
}

/// A number that tells keys apart; SIDs by their codes in base 2³¹ folded into the mantissa would
/// collide, so they are hashed to 52 bits.
fn key_number(key: &Key) -> f64 {
    match key {
        Key::Whole(n) => *n as f64,
        Key::Text(t) => f64::from(*t),
        Key::None => -1.0,
        Key::Sid(codes) => {
            let bytes: Vec<u8> = codes.iter().flat_map(|c| c.to_le_bytes()).collect();
            (twox_hash::XxHash64::oneshot(0, &bytes) >> 12) as f64
        }
    }
}
