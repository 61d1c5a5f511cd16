//! Walking a program: what some of its expressions stand on.

use std::collections::{BTreeSet, HashSet};

use super::{
    Bound, ChannelKind, Charge, ExprId, FeatureId, LetId, Op, Part, Program, RuleValue, Setting, SpanKind, Subject,
};
use crate::schema::Resolve;
use crate::types::Host;

/// Visits every expression below some roots once, through lets, in the order read.
pub fn visit(program: &Program, roots: &[ExprId], mut each: impl FnMut(ExprId)) {
    let mut seen: HashSet<ExprId> = HashSet::new();
    let mut stack: Vec<ExprId> = roots.iter().rev().copied().collect();
    while let Some(id) = stack.pop() {
        if !seen.insert(id) {
            continue;
        }
        each(id);
        let mut children = Vec::new();
        let op = &program.expr(id).op;
        op.children(|c| children.push(c));
        if let Op::Let { id, .. } = op {
            children.extend(program.lets.get(id.index()).map(|l| l.value));
        }
        children.reverse();
        stack.extend(children);
    }
}

/// Features read as a candidate's own (or a member's), in the order read.
pub fn own_reads(program: &Program, roots: &[ExprId]) -> Vec<FeatureId> {
    let mut found = Vec::new();
    visit(program, roots, |id| {
        let feature = match program.expr(id).op {
            Op::Feature { id, of: Subject::Own | Subject::Member } | Op::InCatalog { id, .. } => Some(id),
            Op::Code { of: Subject::Own | Subject::Member, .. } => program.sid_feature,
            _ => None,
        };
        if let Some(feature) = feature.filter(|f| !found.contains(f)) {
            found.push(feature);
        }
    });
    found
}

/// Features read in history and target entries.
pub fn entry_reads(program: &Program, roots: &[ExprId]) -> (Vec<FeatureId>, Vec<FeatureId>) {
    let (mut past, mut wanted) = (Vec::new(), Vec::new());
    visit(program, roots, |id| {
        let (list, feature) = match program.expr(id).op {
            Op::Feature { id, of: Subject::Past } => (&mut past, Some(id)),
            Op::Feature { id, of: Subject::Wanted } => (&mut wanted, Some(id)),
            Op::Code { of: Subject::Past, .. } => (&mut past, program.sid_feature),
            Op::Code { of: Subject::Wanted, .. } => (&mut wanted, program.sid_feature),
            _ => return,
        };
        if let Some(feature) = feature.filter(|f| !list.contains(f)) {
            list.push(feature);
        }
    });
    (past, wanted)
}

impl Program {
    /// Every expression that a result stands on, in any host.
    #[must_use]
    pub fn roots(&self) -> Vec<ExprId> {
        let rules = self.rules.iter().map(|r| r.condition);
        let terms = self.terms().map(|(_, t)| t.value);
        let gates = self.gates().map(|(_, g)| g.condition);
        let caps = self.caps().flat_map(|(_, c)| c.on.into_iter().chain(c.per));
        let channels = self.channels.iter().map(|c| c.value);
        rules.chain(terms).chain(gates).chain(caps).chain(channels).collect()
    }

    /// Every number outside expressions: weights, bounds, values of rules, factors.
    pub fn settings(&self) -> impl Iterator<Item = Setting> {
        let rules = self.rules.iter().filter_map(|r| match r.value {
            RuleValue::Reward(s) => Some(s),
            _ => None,
        });
        let weights = self.terms().map(|(_, t)| t.weight);
        let bounds = self.caps().filter_map(|(_, c)| match c.bound {
            Bound::Param(id) => Some(Setting::Param(id)),
            _ => None,
        });
        let charges = self.caps().filter_map(|(_, c)| match c.charge {
            Some(Charge::Penalty { weight, .. }) => Some(weight),
            Some(Charge::Scale(factor)) => Some(factor),
            Some(Charge::Dual { up_to }) => Some(up_to),
            None => None,
        });
        let factors = self.formula.addends.iter().map(|a| a.factor);
        let clamp = self.formula.clamp.into_iter().flat_map(|(lo, hi)| [lo, hi]);
        rules.chain(weights).chain(bounds).chain(charges).chain(factors).chain(clamp)
    }

    /// Every expression that decides, adds or is measured outside `format` in a host.
    #[must_use]
    pub fn part_roots(&self, host: Host) -> Vec<ExprId> {
        // In the order of work (R1.1, R1.3): preference, then ecosystem, then cost.
        let cap_roots = |c: &super::Cap| c.on.into_iter().chain(c.per).collect::<Vec<_>>();
        let caps =
            |wanted: fn(Option<Charge>) -> bool| self.caps().filter(move |(_, c)| wanted(c.charge)).map(|(_, c)| c);
        let mut roots: Vec<ExprId> = self.terms().filter(|(_, t)| t.preference).map(|(_, t)| t.value).collect();
        roots.extend(self.gates().map(|(_, g)| g.condition));
        roots.extend(caps(|c| matches!(c, Some(Charge::Scale(_)))).flat_map(cap_roots));
        for part in &self.parts {
            match part {
                Part::Term(t) if !t.preference => roots.push(t.value),
                Part::Cap(c) if matches!(c.charge, Some(Charge::Penalty { after_normalizing: false, .. })) => {
                    roots.extend(cap_roots(c))
                }
                _ => {}
            }
        }
        roots.extend(
            caps(|c| !matches!(c, Some(Charge::Scale(_) | Charge::Penalty { after_normalizing: false, .. })))
                .flat_map(cap_roots),
        );
        let exists = |c: &&super::Channel| c.kind != ChannelKind::Monitor || c.hosts.contains(&host);
        roots.extend(self.channels.iter().filter(exists).map(|c| c.value));
        roots
    }

    /// Everything that is worked out in a host: its rules, then the rest.
    #[must_use]
    pub fn host_roots(&self, host: Host) -> Vec<ExprId> {
        let worked = self.worked_rules.unwrap_or(usize::MAX);
        let rules = self.rules.iter().take(worked).filter(|r| r.acts_in(host)).map(|r| r.condition);
        rules.chain(self.part_roots(host)).collect()
    }

    /// Features read as a candidate's own in a host, and the one by which SIDs are resolved.
    #[must_use]
    pub fn own_features(&self, host: Host) -> Vec<FeatureId> {
        let mut own = own_reads(self, &self.host_roots(host));
        if let Resolve::By(name) = &self.resolve {
            let by = self.features.iter().position(|f| f.name == *name).map(|i| FeatureId(i as u32));
            own.extend(by.filter(|b| !own.contains(b)));
        }
        own
    }

    /// Whether anything worked out in a host looks over a span.
    #[must_use]
    pub fn reads_span(&self, span: SpanKind, host: Host) -> bool {
        let mut reads = false;
        visit(self, &self.host_roots(host), |id| {
            reads |= matches!(&self.expr(id).op, Op::Aggregate(a) if a.span == span);
        });
        reads
    }

    /// The lets below some roots, each behind what it reads.
    #[must_use]
    pub fn lets_below(&self, roots: &[ExprId]) -> Vec<LetId> {
        let mut found = BTreeSet::new();
        visit(self, roots, |id| {
            if let Op::Let { id, .. } = self.expr(id).op {
                found.insert(id);
            }
        });
        found.into_iter().collect()
    }
}
