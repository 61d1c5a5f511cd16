//! What a reward costs: operations per request, by level (R8.5).

use std::collections::HashMap;

use super::Checker;
use crate::diagnostic::{Diagnostic, code};
use crate::program::{AggregateKind, ExprId, Op, Program, SpanKind};
use crate::types::Level;

/// Most operations per request (over batch: per batch).
const REFUSED: f64 = 1e8;
/// From here on it is worth a word.
const WARNED: f64 = 1e7;

/// Operations of a program.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// Per request, with every span at its longest.
    pub request: f64,
    /// Once per batch, for spans over it.
    pub batch: f64,
}

/// Adds up the work below some roots, each expression once.
pub fn work(program: &Program, roots: &[ExprId]) -> Work {
    let longest = program.longest;
    let holders = |level: Level| -> f64 {
        match level {
            Level::Constant | Level::Batch | Level::Request => 1.0,
            Level::Slate => longest.group as f64 / longest.slate.max(1) as f64,
            Level::Candidate => longest.group as f64,
            Level::Token => longest.group as f64 * program.n_levels().max(1) as f64,
        }
    };
    let mut work = Work::default();
    let mut counted: HashMap<ExprId, ()> = HashMap::new();
    // (expression, how often it is worked out in a request, how often in a batch)
    let mut stack: Vec<(ExprId, f64, f64)> = roots.iter().map(|r| (*r, holders(program.expr(*r).level), 0.0)).collect();
    while let Some((id, times, batch_times)) = stack.pop() {
        let expr = program.expr(id);
        let (times, batch_times) = match &expr.op {
            Op::Let { .. } => (times, batch_times),
            _ if counted.insert(id, ()).is_some() => continue,
            _ => (times, batch_times),
        };
        work.request += times;
        work.batch += batch_times;
        match &expr.op {
            Op::Let { id, .. } => {
                if let Some(value) = program.lets.get(id.index()).map(|l| l.value) {
                    stack.push((value, holders(program.expr(value).level), 0.0));
                }
            }
            Op::Aggregate(a) => {
                let members = match a.span {
                    SpanKind::Slate => longest.slate,
                    SpanKind::Group => longest.group,
                    SpanKind::Batch => longest.batch,
                    SpanKind::History => longest.history,
                    SpanKind::Targets => longest.targets,
                    SpanKind::Levels => program.n_levels() as u64,
                } as f64;
                let inner: Vec<ExprId> = [a.body, a.filter, a.per.map(|p| p.0)].into_iter().flatten().collect();
                let own: Vec<ExprId> = [a.own, a.per.map(|p| p.1)].into_iter().flatten().collect();
                // A body that reads the candidate is worked out for each pair; any other once a
                // member, and ranks are then found by searching.
                let pairs = inner.iter().any(|e| program.expr(*e).level > Level::Request) || a.narrowing.is_some();
                if a.span == SpanKind::Batch {
                    let each = if pairs { members * members } else { members };
                    stack.extend(inner.into_iter().map(|e| (e, 0.0, each)));
                    let searched = matches!(a.function.kind, AggregateKind::Rank | AggregateKind::Percentile);
                    work.batch += each * if searched { members.log2().max(1.0) } else { 1.0 };
                } else {
                    let each = if pairs || matches!(a.span, SpanKind::History | SpanKind::Targets | SpanKind::Levels) {
                        times * members
                    } else {
                        holders(Level::Candidate).max(members)
                    };
                    let looked_at = if expr.level >= Level::Candidate { times * members } else { each };
                    work.request += looked_at;
                    stack.extend(inner.into_iter().map(|e| (e, each, 0.0)));
                }
                stack.extend(own.into_iter().map(|e| (e, times, batch_times)));
            }
            op => op.children(|c| stack.push((c, times, batch_times))),
        }
    }
    work
}

impl Checker {
    /// The part or channel that takes the most work by itself.
    fn dearest(&self) -> Option<crate::source::Span> {
        let program = &self.program;
        let parts = program.parts.iter().map(|p| match p {
            crate::program::Part::Term(t) => (vec![t.value], t.span),
            crate::program::Part::Gate(g) => (vec![g.condition], g.span),
            crate::program::Part::Cap(c) => (c.on.into_iter().chain(c.per).collect(), c.span),
        });
        let rules = program.rules.iter().map(|r| (vec![r.condition], r.span));
        let channels = program.channels.iter().map(|c| (vec![c.value], c.span));
        let all = parts.chain(rules).chain(channels).map(|(roots, span)| {
            let found = work(program, &roots);
            (found.request.max(found.batch), span)
        });
        all.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, span)| span)
    }

    pub(super) fn cost(&mut self) {
        let work = work(&self.program, &self.program.roots());
        let most = work.request.max(work.batch);
        let per = if work.batch > work.request { "batch" } else { "request" };
        let widest = self.dearest();
        let span = widest.unwrap_or_else(|| self.head.scenario.as_ref().map_or(self.program.formula.span, |s| s.span));
        if most > REFUSED {
            self.error(
                Diagnostic::at(
                    &code::WORK,
                    span,
                    format!("this reward takes up to {most:.1e} operations per {per}; 1e8 are allowed"),
                )
                .help(
                    "narrow the `longest:` spans in the schema, or avoid looking from each candidate at each other one",
                ),
            );
        } else if most > WARNED {
            self.error(
                Diagnostic::at(
                    &code::MUCH_WORK,
                    span,
                    format!("this reward takes up to {most:.1e} operations per {per}, most of them here"),
                )
                .help(
                    "narrow the `longest:` spans in the schema, or avoid looking from each candidate at each other one",
                ),
            );
        }
    }
}
