//! What a bound program looks at: which a loop must know before it hands rollouts in.

use super::scorer::Scorer;
use crate::control::{Controllers, Counted};
use crate::program::{CapSpan, Charge, FeatureId, Narrowing, Op, Program, SpanKind};
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

/// Controllers whose cap the scorer itself never sees in this host, a line each.
pub fn unseen(program: &Program, host: Host, controllers: &Controllers) -> Vec<String> {
    let caps = program.caps().filter_map(|(_, cap)| Some((cap, controllers.caps.get(&cap.name)?)));
    let unseen = caps.filter(|(cap, controller)| match (host, controller.counts) {
        (Host::Training, counted) => counted == Counted::Shown,
        (Host::Logs, counted) => counted == Counted::Generated,
        // Slates are chosen at serving, and say what they show; before the choice there are only groups.
        (Host::Serving, counted) => counted == Counted::Generated && cap.span_kind != CapSpan::Group,
    });
    let line = |(cap, controller): (&crate::program::Cap, &crate::control::Controller)| {
        let what = controller.counts.as_str();
        format!(
            "`{}` counts what is {what}, which {host} does not show: hand its measurement in at the end of a step",
            cap.name
        )
    };
    unseen.map(line).collect()
}

/// The rules in front of the first that reads what a model predicts, and nothing else of the program: who
/// passes them is asked about.
pub fn early(program: &Program, predicted: &[FeatureId], host: Host) -> Program {
    let mut early = program.clone();
    let reads = |rule: &crate::program::Rule| {
        rule.acts_in(host) && rule.reads.iter().any(|feature| predicted.contains(feature))
    };
    early.worked_rules = Some(program.rules.iter().position(reads).unwrap_or(program.rules.len()));
    early.parts.clear();
    early.channels.clear();
    early.formula = crate::program::Formula::default();
    early
}
