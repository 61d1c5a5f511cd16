//! Rules as masks: what of the catalog may be written, before anything is.
//!
//! ```text
//! rules known from catalog, request or the codes alone ─▶ SIDs that fail one ─▶ Taken ─▶ Legal, a decoder's mask
//! ```
//!
//! The evaluator itself judges every SID, so that a mask means what the rule means.

use std::sync::Arc;

use super::bound::{Bound, Capacity, Declared, Provider};
use super::given::Given;
use super::inputs::{Groups, Requests, Rollouts};
use super::reward::Reward;
use super::scorer::{Scorer, Step};
use crate::catalog::{Catalog, Legal, Taken};
use crate::diagnostic::{Diagnostic, Fault, code};
use crate::eval::Verdict;
use crate::program::{CompareOp, ExprId, Formula, Op, Program, Rule, SpanKind, Subject, own_reads};
use crate::types::{Availability, Host};

/// SIDs that are judged together.
pub(super) const TOGETHER: usize = 8_192;

/// What a scorer keeps for its masks.
pub struct Masks {
    taken: Taken,
    /// Judges what stands or falls by the request; none where no rule does.
    of_request: Option<Box<Scorer<'static>>>,
    /// Only a SID of the request's own past can fail: nothing else is judged.
    only_past: bool,
}

impl Scorer<'_> {
    /// What each of these requests may write: SIDs of the catalog that keep every rule which is known from the
    /// catalog, the request and the codes alone. Rules that read a prediction, a target or other rollouts are
    /// none of these: what is written is judged again when it is scored.
    ///
    /// # Errors
    /// A binding without a catalog, or whose catalog has no SIDs (RW0611); requests that do not fit (RW0902).
    pub fn masks(&mut self, requests: &Requests<'_>) -> Result<Legal<'_>, Fault> {
        let Some(catalog) = self.bound.catalog.clone().filter(|c| c.n_levels() > 0) else {
            return Err(Box::new(
                Diagnostic::bare(&code::CATALOG, "a mask is made of a catalog with SIDs, and none is bound")
                    .help("bind the reward to the catalog that is decoded"),
            ));
        };
        let mut masks = match self.masks.take() {
            Some(masks) => masks,
            None => Masks::new(self, &*catalog)?,
        };
        let filled = masks.fill(requests, &*catalog);
        let masks = self.masks.insert(masks);
        filled?;
        match self.bound.catalog.as_deref() {
            Some(catalog) => Ok(Legal::without(catalog, &masks.taken)),
            None => Err(Box::new(Diagnostic::bare(&code::CATALOG, "no catalog is bound"))),
        }
    }

    /// A scorer of nothing but these rules.
    pub(super) fn judge(&self, rules: Vec<Rule>, with_requests: bool, capacity: Capacity) -> Scorer<'static> {
        let mut program = (*self.bound.program).clone();
        program.rules = rules;
        program.worked_rules = None;
        program.parts.clear();
        program.channels.clear();
        program.formula = Formula::default();
        // No rule of these looks at the others of its group: how many are judged together is of no matter.
        program.longest.group = u64::MAX;
        program.wanted_reads.clear();
        if !with_requests {
            program.past_reads.clear();
        }
        let keeps = |d: Declared| with_requests && matches!(d, Declared::Request | Declared::Past);
        let declared = self.bound.declared.iter();
        let declared: Vec<(String, Declared)> =
            declared.map(|(n, d)| (n.clone(), if keeps(*d) { *d } else { Declared::Unused })).collect();
        let is_brought = |p: &Provider| match p {
            Provider::Signal(..) => false,
            Provider::Column(input) => declared.get(input.place()).is_some_and(|(_, d)| *d != Declared::Unused),
            Provider::Catalog | Provider::Sid => true,
        };
        let providers = self.bound.providers.iter().map(|p| p.filter(is_brought)).collect();
        let bound = Bound {
            early: program.clone(),
            program: Arc::new(program),
            schema: Arc::clone(&self.bound.schema),
            catalog: self.bound.catalog.clone(),
            host: self.bound.host,
            declared,
            providers,
            slate_first: None,
            asks_for_items: true,
        };
        Scorer::of_rules(Reward::clone(self.reward()), bound, capacity)
    }
}

impl Masks {
    fn new(scorer: &Scorer<'_>, catalog: &dyn Catalog) -> Result<Self, Fault> {
        let (program, host) = (&*scorer.bound.program, scorer.bound.host);
        let by_request = |rule: &Rule| reads_request(program, rule.condition, &scorer.bound);
        let all = known_pieces(program, host, &scorer.bound);
        let (of_request, standing): (Vec<Rule>, Vec<Rule>) = all.iter().cloned().partition(by_request);
        let only_past = of_request.iter().all(|rule| spares_all_but_past(program, rule.condition));
        let mut taken = Taken::default();
        if !standing.is_empty() {
            let capacity = Capacity { requests: 1, group: TOGETHER, list: 0 };
            let mut judge = scorer.judge(standing, false, capacity);
            let mut is_left = Vec::with_capacity(catalog.by_sid().len());
            for places in every_sid(catalog).chunks(TOGETHER) {
                for (keeps, n) in judge.keep(&Requests::new(1), catalog, &[places])?.into_iter().zip(places) {
                    is_left.extend(std::iter::repeat_n(keeps, n.len()));
                }
            }
            taken = Taken::for_all(&is_left);
        }
        let rows = if only_past { scorer.capacity().list } else { TOGETHER };
        let capacity = Capacity { group: rows, ..scorer.capacity() };
        // All rules again: which of several items a SID stands for goes by all of them (R5.10).
        let of_request = (!of_request.is_empty()).then(|| Box::new(scorer.judge(all, true, capacity)));
        Ok(Self { taken, of_request, only_past })
    }

    /// Judges what goes by the request.
    fn fill(&mut self, requests: &Requests<'_>, catalog: &dyn Catalog) -> Result<(), Fault> {
        self.taken.clear_requests();
        let Some(judge) = &mut self.of_request else { return Ok(()) };
        let mut rows: Vec<Vec<std::ops::Range<u32>>> =
            if self.only_past { judge.past_sids(requests, catalog) } else { vec![every_sid(catalog); requests.n] };
        let taken = &self.taken;
        rows.iter_mut().for_each(|rows| rows.retain(|places| taken.is_left(places.start)));
        let mut failed: Vec<Vec<u32>> = vec![Vec::new(); requests.n];
        let most = rows.iter().map(Vec::len).max().unwrap_or(0);
        for from in (0..most).step_by(judge.capacity().group.max(1)) {
            let to = from + judge.capacity().group.max(1);
            let part: Vec<&[std::ops::Range<u32>]> =
                rows.iter().map(|r| r.get(from.min(r.len())..to.min(r.len())).unwrap_or(&[])).collect();
            let mut keeps = judge.keep(requests, catalog, &part)?.into_iter();
            for (failed, part) in failed.iter_mut().zip(&part) {
                for places in part.iter() {
                    if keeps.next() == Some(false) {
                        failed.extend(places.clone());
                    }
                }
            }
        }
        failed.into_iter().for_each(|places| self.taken.push(places));
        Ok(())
    }
}

impl Scorer<'_> {
    /// Whether SIDs, given by the places of their items, keep this scorer's rules: `sids` by request.
    fn keep(
        &mut self,
        requests: &Requests<'_>,
        catalog: &dyn Catalog,
        sids: &[&[std::ops::Range<u32>]],
    ) -> Result<Vec<bool>, Fault> {
        let mut offsets = vec![0_u32];
        let mut codes = Vec::new();
        for of_request in sids {
            for places in *of_request {
                let item = catalog.by_sid().get(places.start as usize).copied().unwrap_or(u32::MAX);
                codes.extend_from_slice(catalog.sid(item).unwrap_or(&[]));
            }
            offsets.push(offsets.last().copied().unwrap_or(0) + of_request.len() as u32);
        }
        let rollouts = Rollouts::new(Groups::Offsets(&offsets)).sids(&codes, catalog.n_levels());
        let scored = self.score(requests, &rollouts, Step::default())?;
        Ok(scored.verdicts().iter().map(|v| *v == Verdict::Scored).collect())
    }

    /// By request the distinct SIDs of its history that the catalog has, by the places of their items.
    fn past_sids(&self, requests: &Requests<'_>, catalog: &dyn Catalog) -> Vec<Vec<std::ops::Range<u32>>> {
        let sid = self.bound.schema.features.iter().find(|f| f.scale == crate::types::Scale::Sid);
        let input = sid.and_then(|sid| self.past_input(&sid.name));
        let column = input.and_then(|input| requests.columns.iter().find(|(id, _)| *id == input));
        let (Some((_, column)), Some(offsets)) = (column, requests.past) else { return vec![Vec::new(); requests.n] };
        let Given::Sids { codes, levels } = column.values else { return vec![Vec::new(); requests.n] };
        let entry = |entry: u32| codes.get(entry as usize * levels..(entry as usize + 1) * levels).unwrap_or(&[]);
        let of_request = |range: &[u32]| {
            let [from, to] = range else { return Vec::new() };
            let mut places: Vec<_> = (*from..*to).map(|e| catalog.behind(entry(e))).filter(|p| !p.is_empty()).collect();
            places.sort_by_key(|p| p.start);
            places.dedup();
            places
        };
        offsets.windows(2).map(of_request).collect()
    }
}

/// Every SID of a catalog once, as the places of its items.
fn every_sid(catalog: &dyn Catalog) -> Vec<std::ops::Range<u32>> {
    let mut at = 0;
    let groups = catalog.by_sid().chunk_by(|a, b| catalog.sid(*a) == catalog.sid(*b));
    let place = |group: &[u32]| {
        let from = at;
        at += group.len() as u32;
        from..at
    };
    groups.map(place).collect()
}

/// The pieces of acting rules that are known once the codes are, each as a rule of its own (R5.9).
/// What reads a column that the host brings with each rollout waits until there are rollouts.
fn known_pieces(program: &Program, host: Host, bound: &Bound) -> Vec<Rule> {
    let acting = program.rules.iter().filter(|rule| rule.acts_in(host));
    let known = |piece: &ExprId| {
        let of_rollouts = |d: Declared| d == Declared::Rollout;
        program.expr(*piece).availability <= Availability::Code && !reads(program, *piece, bound, &of_rollouts)
    };
    let as_rule = |rule: &Rule, piece: ExprId| Rule { condition: piece, pieces: vec![piece], ..rule.clone() };
    acting.flat_map(|rule| rule.pieces.iter().copied().filter(known).map(|piece| as_rule(rule, piece))).collect()
}

/// Whether an expression reads anything that differs from request to request.
fn reads_request(program: &Program, condition: ExprId, bound: &Bound) -> bool {
    reads_history(program, condition) || reads(program, condition, bound, &|d| d == Declared::Request)
}

/// Whether an expression reads anything but the catalog and the codes.
pub(super) fn reads_beyond_catalog(program: &Program, condition: ExprId, bound: &Bound) -> bool {
    reads_history(program, condition) || reads(program, condition, bound, &|_| true)
}

fn reads_history(program: &Program, condition: ExprId) -> bool {
    let mut found = false;
    crate::program::visit(program, &[condition], |id| {
        found |= matches!(&program.expr(id).op, Op::Aggregate(a) if a.span == SpanKind::History);
    });
    found
}

/// Whether an expression reads a candidate's own feature that the host hands in as a column of such a kind, or
/// that nobody brings beforehand.
fn reads(program: &Program, condition: ExprId, bound: &Bound, kind: &dyn Fn(Declared) -> bool) -> bool {
    own_reads(program, &[condition]).iter().any(|feature| match bound.providers.get(feature.index()) {
        Some(Some(Provider::Column(input))) => bound.declared.get(input.place()).is_some_and(|(_, d)| kind(*d)),
        Some(Some(Provider::Signal(..))) => kind(Declared::Rollout),
        _ => false,
    })
}

/// Whether a condition is `sid not in past.sid`: then only what the past holds can fail it.
fn spares_all_but_past(program: &Program, condition: ExprId) -> bool {
    let Op::Not(inner) = &program.expr(condition).op else { return false };
    let Op::Aggregate(any) = &program.expr(*inner).op else { return false };
    let is_sid = |e: ExprId, subject: Subject| {
        let sid = program.sid_feature;
        matches!(&program.expr(e).op, Op::Feature { id, of } if Some(*id) == sid && *of == subject)
    };
    let equal = |body: ExprId| match &program.expr(body).op {
        Op::Compare(CompareOp::Equal, a, b) => is_sid(*a, Subject::Past) && is_sid(*b, Subject::Own),
        _ => false,
    };
    let plain = any.narrowing.is_none() && any.per.is_none() && any.at_least == 0;
    any.span == SpanKind::History && any.function.name == "any" && plain && any.body.is_some_and(equal)
}
