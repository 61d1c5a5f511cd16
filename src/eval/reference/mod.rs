//! The reference evaluator: the definition of what a program means.
//!
//! Scalar, f64, one rule after the other as `docs/semantics.md` numbers them. It carries for every
//! number a first-order bound on what f32 roundoff may change (R6.3). Nothing is clever here but
//! one thing: what is the same for every candidate of a span is worked out once.
//!
//! ```text
//! resolve (R5.10) ─▶ excluded ─▶ for each rule: look, members, condition ─▶ verdicts
//!                 ─▶ look at the rest ─▶ parts, caps, reward, cost, total ─▶ channels, monitors
//! ```
#![expect(
    clippy::indexing_slicing,
    reason = "row, let and feature numbers come from the program and from a batch that was verified"
)]

mod aggregate;
mod caps;
mod contract;
pub use contract::{Cell, look};
mod expr;
mod parts;
mod resolve;
mod value;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::{Batch, Evaluator, Reason, Refusal, Run, Scores, Verdict};
use crate::program::{
    Cap, CapSpan, ChannelKind, Charge, ExprId, FeatureId, LetId, Op, Program, RuleValue, SpanKind, own_reads,
};
use crate::types::{Host, Level};

use aggregate::{Bucket, Spans};
use expr::Ctx;
use value::Value;

/// The reference evaluator.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reference;

impl Evaluator for Reference {
    fn name(&self) -> &'static str {
        "reference"
    }

    fn score(&self, program: &Program, batch: &Batch<'_>, run: Run<'_>) -> Result<Scores, Refusal> {
        Ok(work_out(program, batch, run)?.scores)
    }
}

/// The order of work (R1.1).
fn work_out<'b>(program: &'b Program, batch: &'b Batch<'b>, run: Run<'b>) -> Result<Work<'b>, Refusal> {
    refuse(program, batch, run)?;
    let mut work = Work::new(program, batch, run);
    work.exclude();
    work.resolve();
    for k in 0..program.rules.len().min(program.worked_rules.unwrap_or(usize::MAX)) {
        work.rule(k);
    }
    work.parts();
    if work.stopped.get() { Err(Refusal::Stopped) } else { Ok(work) }
}

/// What does not fit is said before anything is worked out (R7.1, R7.2, R4.12).
fn refuse(program: &Program, batch: &Batch<'_>, run: Run<'_>) -> Result<(), Refusal> {
    batch.verify().map_err(|why| Refusal::BadBatch { why })?;
    if !program.hosts.contains(&run.host) {
        return Err(Refusal::HostNotNamed { host: run.host });
    }
    if batch.slates.is_none() && run.host != Host::Serving && program.reads_slate(run.host).is_some() {
        let part = program
            .rules
            .iter()
            .find(|r| r.acts_in(run.host) && program.expr(r.condition).reads_slate)
            .map(|r| r.name.clone());
        let part = part
            .or_else(|| program.terms().find(|(_, t)| program.expr(t.value).reads_slate).map(|(_, t)| t.name.clone()))
            .or_else(|| {
                program.gates().find(|(_, g)| program.expr(g.condition).reads_slate).map(|(_, g)| g.name.clone())
            })
            .or_else(|| program.caps().find(|(_, c)| program.cap_reads_slate(c)).map(|(_, c)| c.name.clone()));
        return Err(Refusal::NoSlates { part: part.unwrap_or_else(|| "a channel".into()) });
    }
    if let Some(name) = run.state.caps.keys().find(|n| !program.caps().any(|(_, c)| c.name == **n)) {
        return Err(Refusal::UnknownCap { name: name.clone() });
    }
    for (_, cap) in program.caps() {
        if let Some(why) = run.state.caps.get(&cap.name).and_then(|state| without_effect(cap, state)) {
            return Err(Refusal::BadState { why });
        }
        let per_key = match run.state.caps.get(&cap.name).and_then(|c| c.matching.as_ref()) {
            Some(super::Matching::PerKey(_)) => true,
            Some(super::Matching::All(_)) => false,
            None => continue,
        };
        if per_key != cap.per.is_some() {
            let shape =
                if per_key { "one number: it has no `per KEY`" } else { "a number for each key: it counts `per KEY`" };
            return Err(Refusal::BadState { why: format!("the `matching` of `{}` is {shape}", cap.name) });
        }
    }
    for (list, reads, word) in
        [(&batch.past, &program.past_reads, "past"), (&batch.wanted, &program.wanted_reads, "wanted")]
    {
        for id in reads {
            let there = list.as_ref().and_then(|l| l.columns.get(id.index())).is_some_and(Option::is_some);
            if !there {
                return Err(Refusal::Missing { what: format!("`{word}.{}`", program.features[id.index()].name) });
            }
        }
    }
    let roots = program.host_roots(run.host);
    let mut lacking = None;
    crate::program::visit(program, &roots, |id| {
        let absent = match &program.expr(id).op {
            Op::Feature { id, of: crate::program::Subject::Own | crate::program::Subject::Member } => batch
                .features
                .get(id.index())
                .is_none_or(Option::is_none)
                .then(|| format!("`{}`", program.features[id.index()].name)),
            Op::InCatalog { id, .. } => (!batch.in_catalog.contains_key(id)).then(|| "a catalog".to_string()),
            Op::Aggregate(a) => {
                let needs_past = a.span == crate::program::SpanKind::History && batch.past.is_none();
                let needs_wanted = a.span == crate::program::SpanKind::Targets && batch.wanted.is_none();
                (needs_past || needs_wanted).then(|| format!("`{}`", a.span.as_str()))
            }
            _ => None,
        };
        if lacking.is_none() {
            lacking = absent;
        }
    });
    match lacking {
        Some(what) => Err(Refusal::Missing { what }),
        None => Ok(()),
    }
}

/// Features that are asked for their existence, and those whose own values are read.
fn catalog_only(program: &Program, roots: &[ExprId]) -> (Vec<FeatureId>, Vec<FeatureId>) {
    let (mut asked, mut read) = (Vec::new(), Vec::new());
    crate::program::visit(program, roots, |id| match program.expr(id).op {
        Op::InCatalog { id, .. } => asked.push(id),
        Op::Feature { id, .. } => read.push(id),
        Op::Code { .. } => read.extend(program.sid_feature),
        _ => {}
    });
    (asked, read)
}

/// A state that its cap has no use for: most likely a slip of the hand.
fn without_effect(cap: &Cap, state: &super::CapState) -> Option<String> {
    let no_use = |there: bool, field: &str, needs: &str| {
        there.then(|| format!("`{field}` of `{}` has no effect: the cap {needs}", cap.name))
    };
    let dual = matches!(cap.charge, Some(Charge::Dual { .. }));
    let window = matches!(cap.span_kind, CapSpan::Window(_));
    let session = cap.span_kind == CapSpan::Session;
    no_use(state.lambda.is_some() && !dual, "lambda", "is no `dual`")
        .or_else(|| no_use(state.share.is_some() && !window, "share", "is not over a window"))
        .or_else(|| {
            no_use((state.shown.is_some() || state.matching.is_some()) && !session, "shown", "is not of a session")
        })
}

/// The value of every named `let` for one row, as text; `None` for those nothing there reads.
///
/// # Errors
/// As [`Evaluator::score`].
pub fn let_values(
    program: &Program,
    batch: &Batch<'_>,
    run: Run<'_>,
    row: usize,
) -> Result<Vec<(String, Option<String>)>, Refusal> {
    let work = work_out(program, batch, run)?;
    let shown = |id: usize| -> Option<String> {
        let level = work.program.expr(work.program.lets[id].value).level;
        let width = if level == Level::Token { work.program.n_levels() } else { 1 };
        let column = work.lets[id].as_ref()?;
        let values: Vec<String> = (0..width).map(|l| work.shown(&column[row * width + l])).collect();
        Some(values.join(" "))
    };
    let named = program.lets.iter().enumerate().filter_map(|(i, l)| Some((l.name.clone()?, shown(i))));
    Ok(named.collect())
}

/// Member values of a span by key.
type Buckets = HashMap<value::Key, Bucket>;

/// The state of one scoring.
struct Work<'b> {
    program: &'b Program,
    batch: &'b Batch<'b>,
    run: Run<'b>,
    scores: Scores,
    /// Items that SIDs were resolved to; the batch's own where there was nothing to resolve.
    item_of: Vec<u32>,
    spans: Spans,
    /// Columns of lets by let, `None` while not worked out at this stage.
    lets: Vec<Option<Vec<Value<'b>>>>,
    /// Numbers of the program's own texts.
    texts: HashMap<&'b str, u32>,
    /// Members of lists as numbers, by list.
    lists: Vec<ListSet>,
    /// Entries of history and targets that keep their contract.
    past: expr::Entries,
    wanted: expr::Entries,
    /// Aggregates and member values that are the same for a whole span.
    aggregates: RefCell<HashMap<(ExprId, u32, u32), Value<'b>>>,
    buckets: RefCell<HashMap<(ExprId, u32, u32), Rc<Buckets>>>,
    stopped: std::cell::Cell<bool>,
}

/// A `list` with the batch's own numbers of its texts.
struct ListSet {
    texts: std::collections::HashSet<u32>,
    numbers: std::collections::HashSet<i64>,
}

impl<'b> Work<'b> {
    fn new(program: &'b Program, batch: &'b Batch<'b>, run: Run<'b>) -> Self {
        let item_of = if batch.item_of.is_empty() { vec![u32::MAX; batch.n_rows] } else { batch.item_of.clone() };
        let mut texts = HashMap::new();
        let mut next = batch.texts.len() as u32;
        for text in program_texts(program) {
            let number = batch.texts.find(text).unwrap_or_else(|| {
                next += 1;
                next - 1
            });
            texts.entry(text).or_insert(number);
        }
        let lists = program
            .lists
            .iter()
            .map(|l| ListSet {
                texts: l
                    .values
                    .iter()
                    .filter_map(|v| batch.texts.find(v).or_else(|| texts.get(v.as_str()).copied()))
                    .collect(),
                numbers: l.values.iter().filter_map(|v| v.parse().ok()).collect(),
            })
            .collect();
        let mut work = Self {
            program,
            batch,
            run,
            scores: Scores::empty(program, run.host, batch.n_rows, item_of.clone()),
            item_of,
            spans: Spans::new(batch),
            lets: vec![None; program.lets.len()],
            texts,
            lists,
            past: expr::Entries::default(),
            wanted: expr::Entries::default(),
            aggregates: RefCell::default(),
            buckets: RefCell::default(),
            stopped: std::cell::Cell::default(),
        };
        work.scores.counts.equal_places = work.spans.equal_places;
        work.entries();
        work
    }

    fn shown(&self, value: &Value<'_>) -> String {
        match value {
            Value::Number { value, .. } => crate::types::shown_number(*value),
            Value::Sid(codes) => codes.iter().map(u32::to_string).collect::<Vec<_>>().join("/"),
            Value::Missing => "missing".into(),
            Value::Vector(v) => format!("vector of {}", v.len()),
            Value::Set(v) => format!("set of {}", v.len()),
            other => self.key_text(other),
        }
    }

    fn alive(&self, row: usize) -> bool {
        self.scores.verdicts[row] == Verdict::Scored && !self.stops(row)
    }

    /// Whether the work was told to end; asked every 256 rows.
    fn stops(&self, row: usize) -> bool {
        if row.is_multiple_of(256)
            && let Some(stop) = self.run.stop
        {
            self.stopped.set(self.stopped.get() || (stop.0)());
        }
        self.stopped.get()
    }

    /// Candidates that are out before any rule: padding, repeats, spans that are too long.
    fn exclude(&mut self) {
        for row in 0..self.batch.n_rows {
            if let Some(reason) = self.batch.excluded[row] {
                self.scores.verdicts[row] = Verdict::Unscorable(reason);
            }
        }
        // The bound on a batch is one on the work over it: who does not look over it may have more rows.
        let reads_batch = self.program.reads_span(SpanKind::Batch, self.run.host);
        for row in self.spans.too_long(self.program.longest, self.batch, reads_batch) {
            if self.alive(row) {
                self.scores.verdicts[row] = Verdict::Unscorable(Reason::SpanTooLong);
            }
        }
        for row in 0..self.batch.n_rows {
            if self.alive(row)
                && self.wanted.too_long.get(self.list_holder(self.batch.wanted.as_ref(), row)).copied().unwrap_or(false)
            {
                self.scores.verdicts[row] = Verdict::Unscorable(Reason::SpanTooLong);
            }
        }
    }

    /// Whether a part over the slate waits for the slate choice (R7.3).
    fn put_off(&self, reads_slate: bool) -> bool {
        reads_slate && self.batch.slates.is_none()
    }

    /// Rule k: look at what it reads, then ask those that are left (R1.2, R2.4, R3.4).
    fn rule(&mut self, k: usize) {
        let rule = &self.program.rules[k];
        if !rule.acts_in(self.run.host) {
            return;
        }
        // A SID that is none is no item's: `sid in catalog` fails for it, where nothing else of it is read.
        let (asked, read) = catalog_only(self.program, &[rule.condition]);
        self.look_at(&rule.reads, |f, reason| reason != Reason::BadSid || !asked.contains(&f) || read.contains(&f));
        // Pieces that need no slate act at once; the rest is a promise of the slate choice (R5.9, R7.3).
        let waits = self.put_off(self.program.expr(rule.condition).reads_slate);
        self.scores.partial |= waits;
        let conditions: Vec<ExprId> = if waits {
            rule.pieces.iter().copied().filter(|p| !self.program.expr(*p).reads_slate).collect()
        } else {
            vec![rule.condition]
        };
        self.stage(&conditions);
        let failed: Vec<usize> = (0..self.batch.n_rows)
            .filter(|row| self.alive(*row) && !conditions.iter().all(|c| self.value(*c, Ctx::own(*row)).is_true()))
            .collect();
        for row in failed {
            self.scores.verdicts[row] = match rule.value {
                RuleValue::Drop => Verdict::Dropped(k as u32),
                RuleValue::Reward(_) | RuleValue::Lowest => Verdict::Illegal(k as u32),
            };
        }
    }

    /// Looks at features of the candidates that are left; the first that breaks its contract decides.
    fn look(&mut self, features: &[FeatureId]) {
        self.look_at(features, |_, _| true);
    }

    /// The same, where only some faults count.
    fn look_at(&mut self, features: &[FeatureId], counts: impl Fn(FeatureId, Reason) -> bool) {
        for row in 0..self.batch.n_rows {
            if !self.alive(row) {
                continue;
            }
            let fault = features.iter().find_map(|f| self.fault(*f, row).filter(|reason| counts(*f, *reason)));
            if let Some(reason) = fault {
                self.scores.verdicts[row] = Verdict::Unscorable(reason);
            }
        }
    }

    /// Begins a stage: members are who is left now, and what depends on them is worked out anew.
    fn stage(&mut self, roots: &[ExprId]) {
        let verdicts = &self.scores.verdicts;
        self.spans.begin(|row| verdicts[row] == Verdict::Scored);
        self.aggregates.borrow_mut().clear();
        self.buckets.borrow_mut().clear();
        for id in 0..self.lets.len() {
            if self.program.expr(self.program.lets[id].value).staged {
                self.lets[id] = None;
            }
        }
        for id in self.program.lets_below(roots) {
            let value = self.program.expr(self.program.lets[id.index()].value);
            if self.lets[id.index()].is_none() && !self.put_off(value.reads_slate) {
                let column = self.let_column(id);
                self.lets[id.index()] = Some(column);
            }
        }
    }

    /// A let's column: a value for each row (and SID level), equal over the rows of its holder (R3.7).
    fn let_column(&self, id: LetId) -> Vec<Value<'b>> {
        let value = self.program.lets[id.index()].value;
        let level = self.program.expr(value).level;
        let width = if level == Level::Token { self.program.n_levels() } else { 1 };
        let mut column = vec![Value::Missing; self.batch.n_rows * width];
        let mut by_holder: HashMap<u32, Value<'b>> = HashMap::new();
        for row in (0..self.batch.n_rows).filter(|r| self.alive(*r)) {
            match self.spans.holder(level, row, self.batch) {
                Some(holder) => {
                    let known = by_holder.entry(holder).or_insert_with(|| self.value(value, Ctx::own(row)));
                    column[row] = *known;
                }
                None => {
                    for l in 0..width {
                        column[row * width + l] = self.value(value, Ctx { level: l, ..Ctx::own(row) });
                    }
                }
            }
        }
        column
    }

    /// Everything outside `format` (R1.3–R1.10).
    fn parts(&mut self) {
        let host = self.run.host;
        let roots = self.program.part_roots(host);
        self.look(&own_reads(self.program, &roots));
        self.stage(&roots);
        self.score_parts();
        self.illegal_values();
        self.channels(false);
        self.channels(true);
        let put_off_channel = self
            .program
            .channels
            .iter()
            .any(|c| c.kind != ChannelKind::Monitor && self.put_off(self.program.expr(c.value).reads_slate));
        self.scores.partial |= put_off_channel;
        self.scores.item_of = std::mem::take(&mut self.item_of);
    }
}

/// The texts a program compares with.
fn program_texts(program: &Program) -> impl Iterator<Item = &str> {
    let constants = program.exprs.iter().filter_map(|e| match &e.op {
        Op::Constant(crate::program::Constant::Text(t)) => Some(&**t),
        _ => None,
    });
    let arms = program.exprs.iter().filter_map(|e| match &e.op {
        Op::Match { arms, .. } => Some(arms.iter().filter_map(|(a, _)| match a {
            crate::program::Arm::Text(t) => Some(t.as_str()),
            crate::program::Arm::Range(..) => None,
        })),
        _ => None,
    });
    let params = program.params.iter().filter_map(|p| match &p.value {
        crate::program::Constant::Text(t) => Some(&**t),
        _ => None,
    });
    constants.chain(arms.flatten()).chain(params)
}
