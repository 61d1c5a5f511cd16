//! What each expression means.

use super::super::batch::{By, Column, List, Values};
use super::Work;
use super::contract::{Cell, entry_fits, look};
use super::value::Value;
use crate::builtins::{self, ROUNDOFF, Signature};
use crate::program::{Arm, CompareOp, Constant, ExprId, FeatureId, Op, Subject};
use crate::types::{LIMIT, Level};

/// Whose values are read while an expression is worked out.
#[derive(Clone, Copy, Debug)]
pub struct Ctx {
    /// Row of the candidate.
    pub own: usize,
    /// Row of the member around.
    pub member: usize,
    /// Cell of the history or target entry around.
    pub entry: usize,
    /// SID level of the token, and of the level looked at; from 0.
    pub level: usize,
    pub inner: usize,
}

impl Ctx {
    /// A candidate by itself.
    pub fn own(row: usize) -> Self {
        Self { own: row, member: row, entry: 0, level: 0, inner: 0 }
    }
}

/// Entries of a list that may be used, by holder.
#[derive(Default)]
pub struct Entries {
    pub kept: Vec<(u32, u32)>,
    pub fits: Vec<bool>,
    pub too_long: Vec<bool>,
}

impl<'b> Work<'b> {
    /// Cuts lists to their limits and looks at the entries that are left (R2.5, R8.5).
    pub fn entries(&mut self) {
        let longest = self.program.longest;
        for wanted in [false, true] {
            let list = if wanted { self.batch.wanted.as_ref() } else { self.batch.past.as_ref() };
            let Some(list) = list else { continue };
            let most = if wanted { longest.targets } else { longest.history } as u32;
            let mut entries = Entries::default();
            let reads = if wanted { &self.program.wanted_reads } else { &self.program.past_reads };
            let cells = list.columns.iter().flatten().map(|c| c.values.len()).max().unwrap_or(0);
            entries.fits =
                (0..cells).map(|cell| entry_fits(self.program, self.batch, &list.columns, reads, cell)).collect();
            for &(start, end) in &list.ranges {
                let cut = end - start > most;
                entries.too_long.push(cut && wanted);
                let start = if cut && !wanted { end - most } else { start };
                self.scores.counts.cut_lists += u64::from(cut && !wanted);
                entries.kept.push((start, end));
            }
            let used: std::collections::HashSet<u32> =
                entries.kept.iter().flat_map(|(a, b)| &list.index[*a as usize..*b as usize]).copied().collect();
            if !reads.is_empty() {
                self.scores.counts.absent_entries += used.iter().filter(|c| !entries.fits[**c as usize]).count() as u64;
            }
            if wanted {
                self.wanted = entries;
            } else {
                self.past = entries;
            }
        }
    }

    /// The holder of a row's list.
    pub fn list_holder(&self, list: Option<&List<'_>>, row: usize) -> usize {
        match list.map(|l| l.by) {
            Some(By::Row) => row,
            _ => self.batch.request_of[row] as usize,
        }
    }

    pub fn cell(&self, column: &Column<'_>, row: usize) -> usize {
        match column.by {
            By::Item => self.item_of[row] as usize,
            _ => self.batch.cell(column, row),
        }
    }

    fn subject(ctx: Ctx, of: Subject) -> usize {
        if of == Subject::Member { ctx.member } else { ctx.own }
    }

    fn feature(&self, id: FeatureId, of: Subject, ctx: Ctx) -> Value<'b> {
        let (columns, cell): (&'b [Option<Column<'b>>], Option<usize>) = match of {
            Subject::Own | Subject::Member => (&self.batch.features, None),
            Subject::Past => (self.batch.past.as_ref().map_or(&[], |l| &l.columns), Some(ctx.entry)),
            Subject::Wanted => (self.batch.wanted.as_ref().map_or(&[], |l| &l.columns), Some(ctx.entry)),
        };
        let Some(column) = columns.get(id.index()).and_then(Option::as_ref) else { return Value::Missing };
        let cell = cell.unwrap_or_else(|| self.cell(column, Self::subject(ctx, of)));
        let declared = &self.program.features[id.index()];
        if declared.nullable && look(declared, &self.program.sid_shape, self.batch, column, cell) != Cell::Known
            || !column.is_valid(cell)
        {
            return Value::Missing;
        }
        match &column.values {
            Values::Real(v) => Value::exact(f64::from(v[cell])),
            Values::Whole(v) => Value::exact(v[cell]),
            Values::Bool(v) => Value::Bool(v[cell]),
            Values::Text(v) => Value::Text(v[cell]),
            Values::Sid { codes, offsets } => Value::Sid(&codes[offsets[cell] as usize..offsets[cell + 1] as usize]),
            Values::Vector { size, values } => Value::Vector(&values[cell * size..(cell + 1) * size]),
            Values::Set { members, offsets } => {
                Value::Set(&members[offsets[cell] as usize..offsets[cell + 1] as usize])
            }
        }
    }

    fn constant(&self, constant: &Constant) -> Value<'b> {
        match constant {
            Constant::Number(n) => Value::exact(*n),
            Constant::Bool(b) => Value::Bool(*b),
            Constant::Text(t) => Value::Text(self.texts.get(&**t).copied().unwrap_or(u32::MAX)),
        }
    }

    /// The meaning of an expression for someone.
    pub fn value(&self, id: ExprId, ctx: Ctx) -> Value<'b> {
        let value = self.meaning(id, ctx);
        debug_assert!(self.keeps_its_proof(id, &value), "{value:?} against {:?}", self.program.expr(id));
        value
    }

    /// Whether a value is what the checker proved of it: known where it cannot be missing, and in
    /// its interval but for f64 rounding. Tests run with this asked of every value.
    fn keeps_its_proof(&self, id: ExprId, value: &Value<'_>) -> bool {
        let expr = self.program.expr(id);
        match value {
            Value::Number { value, .. } => {
                let slack = 1e-9 * value.abs().max(1.0);
                value.is_finite() && expr.interval.lo - slack <= *value && *value <= expr.interval.hi + slack
            }
            _ => true,
        }
    }

    fn meaning(&self, id: ExprId, ctx: Ctx) -> Value<'b> {
        let expr = self.program.expr(id);
        match &expr.op {
            Op::Constant(c) => self.constant(c),
            Op::Sid(codes) => Value::Sid(codes),
            Op::Param(id) => self.constant(&self.program.params[id.index()].value),
            Op::Feature { id, of } => self.feature(*id, *of, ctx),
            Op::Position(of) => match &self.batch.slates {
                Some(slates) => Value::exact(f64::from(slates.position[Self::subject(ctx, *of)])),
                None => Value::Missing,
            },
            Op::Rollout(of) => Value::exact(f64::from(self.batch.rollout[Self::subject(ctx, *of)])),
            Op::Level { inner } => Value::exact((if *inner { ctx.inner } else { ctx.level }) as f64 + 1.0),
            Op::Code { of, inner } => {
                let level = if *inner { ctx.inner } else { ctx.level };
                match self.program.sid_feature.map(|sid| self.feature(sid, *of, ctx)) {
                    Some(Value::Sid(codes)) => codes.get(level).map_or(Value::Missing, |c| Value::exact(f64::from(*c))),
                    _ => Value::Missing,
                }
            }
            Op::Let { id, of, inner } => {
                let row = Self::subject(ctx, *of);
                let level = if *inner { ctx.inner } else { ctx.level };
                let Some(column) = &self.lets[id.index()] else { return Value::Missing };
                let width = if self.program.expr(self.program.lets[id.index()].value).level == Level::Token {
                    self.program.n_levels()
                } else {
                    1
                };
                column[row * width + if width > 1 { level } else { 0 }]
            }
            Op::Part { column, of, inner } => {
                let row = Self::subject(ctx, *of);
                let Some(numbers) = self.scores.column(*column) else { return Value::Missing };
                let level = if *inner { ctx.inner } else { ctx.level };
                let level = if numbers.width > 1 { level } else { 0 };
                numbers
                    .get(row, level)
                    .map_or(Value::Missing, |value| Value::Number { value, error: numbers.error(row, level) })
            }
            Op::InCatalog { id, of } => {
                let row = Self::subject(ctx, *of);
                Value::Bool(self.batch.in_catalog.get(id).is_some_and(|c| c[row]))
            }
            Op::Not(a) => match self.value(*a, ctx) {
                Value::Bool(b) => Value::Bool(!b),
                other => other,
            },
            Op::Negate(a) => match self.value(*a, ctx) {
                Value::Number { value, error } => Value::Number { value: 0.0 - value, error },
                other => other,
            },
            Op::Add(a, b) => self.arithmetic(id, *a, *b, ctx, |x, y| (x + y, 1.0, 1.0)),
            Op::Subtract(a, b) => self.arithmetic(id, *a, *b, ctx, |x, y| (x - y, 1.0, 1.0)),
            Op::Multiply(a, b) => self.arithmetic(id, *a, *b, ctx, |x, y| (x * y, y.abs(), x.abs())),
            Op::Divide(a, b) => match (self.value(*a, ctx), self.value(*b, ctx)) {
                (Value::Number { value: x, error: ex }, Value::Number { value: y, error: ey }) if y != 0.0 => {
                    let value = (x / y).clamp(-LIMIT, LIMIT);
                    let error = ex / y.abs() + value.abs() * ey / y.abs() + ROUNDOFF * value.abs();
                    Value::Number { value, error }
                }
                _ => Value::Missing,
            },
            Op::Compare(op, a, b) => {
                let (x, y) = (self.value(*a, ctx), self.value(*b, ctx));
                if x.is_missing() || y.is_missing() {
                    return Value::Missing;
                }
                let (p, q) = (x.number(), y.number());
                Value::Bool(match op {
                    CompareOp::Equal => x.equals(&y),
                    CompareOp::NotEqual => !x.equals(&y),
                    CompareOp::Less => p < q,
                    CompareOp::LessEqual => p <= q,
                    CompareOp::Greater => p > q,
                    CompareOp::GreaterEqual => p >= q,
                })
            }
            // The right side may rely on the left one (R5.6).
            Op::And(a, b) => Value::Bool(self.value(*a, ctx).is_true() && self.value(*b, ctx).is_true()),
            Op::Or(a, b) => Value::Bool(self.value(*a, ctx).is_true() || self.value(*b, ctx).is_true()),
            Op::Fallback(a, b) => match self.value(*a, ctx) {
                Value::Missing => self.value(*b, ctx),
                known => known,
            },
            Op::IsKnown(a) => Value::Bool(!self.value(*a, ctx).is_missing()),
            Op::OneOf(a, items) => {
                let x = self.value(*a, ctx);
                Value::Bool(items.iter().any(|i| self.value(*i, ctx).equals(&x)))
            }
            Op::InList(a, list) => {
                let list = &self.lists[list.index()];
                Value::Bool(match self.value(*a, ctx) {
                    Value::Text(t) => list.texts.contains(&t),
                    Value::Number { value, .. } => list.numbers.contains(&(value as i64)),
                    _ => false,
                })
            }
            Op::InSet(a, set) => match (self.value(*a, ctx), self.value(*set, ctx)) {
                (Value::Text(t), Value::Set(members)) => Value::Bool(members.contains(&t)),
                _ => Value::Missing,
            },
            Op::If { arms, otherwise } => {
                let taken = arms.iter().find(|(condition, _)| self.value(*condition, ctx).is_true());
                self.value(taken.map_or(*otherwise, |(_, value)| *value), ctx)
            }
            Op::Match { subject, arms, otherwise } => {
                let x = self.value(*subject, ctx);
                let fits = |arm: &Arm| match (arm, x) {
                    (Arm::Text(text), Value::Text(t)) => self.texts.get(text.as_str()) == Some(&t),
                    (Arm::Range(lo, hi), Value::Number { value, .. }) => *lo as f64 <= value && value <= *hi as f64,
                    _ => false,
                };
                match arms.iter().find(|(arm, _)| fits(arm)).map(|(_, v)| *v).or(*otherwise) {
                    Some(value) => self.value(value, ctx),
                    None => Value::Missing,
                }
            }
            Op::Call { function, args } => self.call(id, function, args, ctx),
            Op::Lookup { table, keys } => self.lookup(*table, keys, ctx),
            Op::Aggregate(aggregate) => self.aggregate(id, aggregate, ctx),
        }
    }

    /// A sum, difference or product with its slopes.
    fn arithmetic(&self, id: ExprId, a: ExprId, b: ExprId, ctx: Ctx, f: fn(f64, f64) -> (f64, f64, f64)) -> Value<'b> {
        match (self.value(a, ctx), self.value(b, ctx)) {
            (Value::Number { value: x, error: ex }, Value::Number { value: y, error: ey }) => {
                let (value, by_x, by_y) = f(x, y);
                let own = if self.program.expr(id).ty.is_whole() { 0.0 } else { ROUNDOFF * value.abs() };
                Value::Number { value, error: by_x * ex + by_y * ey + own }
            }
            _ => Value::Missing,
        }
    }

    fn call(&self, id: ExprId, function: &'static builtins::Function, args: &[ExprId], ctx: Ctx) -> Value<'b> {
        let values: Vec<Value<'b>> = args.iter().map(|a| self.value(*a, ctx)).collect();
        if values.iter().any(Value::is_missing) {
            return Value::Missing;
        }
        let numbers: Vec<f64> = values.iter().map(Value::number).collect();
        let errors: Vec<f64> = values.iter().map(Value::error).collect();
        let result = match (function.signature, values.as_slice()) {
            (Signature::Vectors, [Value::Vector(a), Value::Vector(b)]) => builtins::cosine(a, b),
            (Signature::Sids, [Value::Sid(a), Value::Sid(b)]) => Some(if function.name == "common_prefix" {
                builtins::common_prefix(a, b)
            } else {
                builtins::matched_levels(a, b)
            }),
            (Signature::Bucket, [id, n, salt]) => {
                Some(builtins::bucket(&self.key_text(id), n.number() as u64, &self.key_text(salt)))
            }
            _ => (function.meaning)(&numbers),
        };
        let Some(result) = result else { return Value::Missing };
        let interval = self.program.expr(id).interval;
        let value = result.clamp(interval.lo, interval.hi);
        debug_assert!(
            (value - result).abs() <= 1e-9 * result.abs().max(1.0),
            "{} gives {result} outside {interval:?}",
            function.name
        );
        let error = (function.carry)(&numbers, &errors, value) + function.roundoffs * ROUNDOFF * value.abs();
        Value::Number { value, error }
    }

    /// The text by which ids, categories and whole numbers are keys of tables and hashes.
    pub fn key_text(&self, value: &Value<'_>) -> String {
        match value {
            Value::Text(t) => {
                let own = || self.texts.iter().find(|(_, n)| *n == t).map(|(text, _)| (*text).to_string());
                if (*t as usize) < self.batch.texts.len() {
                    self.batch.texts.text(*t).to_string()
                } else {
                    own().unwrap_or_default()
                }
            }
            Value::Number { value, .. } => format!("{}", *value as i64),
            Value::Bool(b) => b.to_string(),
            _ => String::new(),
        }
    }

    fn lookup(&self, table: crate::program::TableId, keys: &[ExprId], ctx: Ctx) -> Value<'b> {
        let parts: Vec<String> = keys.iter().map(|k| self.key_text(&self.value(*k, ctx))).collect();
        match self.program.tables[table.index()].rows.get(&parts.join("\u{1f}")) {
            Some(value) => Value::exact(*value),
            None => Value::Missing,
        }
    }
}
