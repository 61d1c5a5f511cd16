//! What a bound program looks at: which a loop must know before it hands rollouts in.

use super::scorer::Scorer;
use crate::program::{Charge, Narrowing, Op, Program, SpanKind};
use crate::types::{Host, Level};

impl Scorer<'_> {
    /// Whether a rollout's numbers depend on its place in the group: on `rollout`, or on a slate that the first
    /// rollouts stand for. A loop whose rollouts come in no order must give them one.
    #[must_use]
    pub fn reads_places(&self) -> bool {
        let (program, mut reads) = (&self.bound.program, false);
        crate::program::visit(program, &program.host_roots(self.bound.host), |id| {
            reads |= match &program.expr(id).op {
                Op::Rollout(_) | Op::Position(_) => true,
                Op::Aggregate(a) => a.narrowing.is_some_and(|n| n != Narrowing::Except),
                _ => false,
            };
        });
        let slates = program.reads_span(SpanKind::Slate, self.bound.host)
            || program.caps().any(|(_, cap)| program.cap_reads_slate(cap));
        reads || slates
    }

    /// Whether a rollout's numbers depend on the whole batch.
    #[must_use]
    pub fn reads_batch(&self) -> bool {
        self.bound.program.reads_span(SpanKind::Batch, self.bound.host)
    }

    /// Whether a rollout's numbers may depend on the others of its group: a loop that scores rollouts one by
    /// one must bring whole groups then.
    #[must_use]
    pub fn needs_groups(&self) -> bool {
        let (program, host) = (&self.bound.program, self.bound.host);
        let over = [SpanKind::Slate, SpanKind::Group, SpanKind::Batch];
        let counts = |cap: &crate::program::Cap| !matches!(cap.charge, Some(Charge::Dual { .. }) | None);
        over.iter().any(|span| program.reads_span(*span, host))
            || program.caps().any(|(_, cap)| counts(cap))
            || program.channels.iter().any(|c| c.pick.is_some())
    }
}

/// Picks of a constant whose rollouts differ only by rules that the decoder's mask keeps already.
pub fn constant_picks(program: &Program) -> Vec<usize> {
    let known = |e: crate::program::ExprId| program.expr(e).availability <= crate::types::Availability::Request;
    let acting = program.rules.iter().filter(|r| r.acts_in(Host::Training));
    let all_masked = acting.clone().count() > 0 && acting.clone().all(|r| r.pieces.iter().all(|p| known(*p)));
    let constant = |e: crate::program::ExprId| program.expr(e).level == Level::Constant;
    let picks = program.channels.iter().enumerate().filter(|(_, c)| c.pick.is_some() && constant(c.value));
    picks.filter(|_| all_masked).map(|(i, _)| i).collect()
}

/// Rules that are known before a model is asked (R5.9): nothing else of the program.
pub fn early(program: &Program) -> Program {
    let known = |e: &crate::program::ExprId| program.expr(*e).availability <= crate::types::Availability::Request;
    let mut early = program.clone();
    early.rules = program
        .rules
        .iter()
        .flat_map(|rule| {
            rule.pieces.iter().copied().filter(known).map(|piece| {
                let reads = crate::program::own_reads(program, &[piece]);
                crate::program::Rule { condition: piece, pieces: vec![piece], reads, ..rule.clone() }
            })
        })
        .collect();
    early.parts.clear();
    early.channels.clear();
    early.formula = crate::program::Formula::default();
    early.past_reads.clear();
    early.wanted_reads.clear();
    early
}
