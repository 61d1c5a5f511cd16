//! One step: inputs → batch → scores. Scratch is kept from step to step.

use std::sync::Arc;
use std::time::Instant;

use super::bound::{Bound, Capacity, Declared, Provider};
use super::faults::refused;
use super::gather::{Cleaned, asked_in_catalog, find_history, find_items, find_sids, lend};
use super::given::Slot;
use super::groups::Layout;
use super::inputs::{InputId, Requests, Rollouts};
use super::masks::Masks;
use super::pairs::SignalRoom;
use super::reads::{constant_picks, early, unseen};
use super::reward::Reward;
use super::scored::Scored;
use super::sources::SignalSource;
use crate::catalog::Catalog;
use crate::control::Controllers;
use crate::diagnostic::Fault;
use crate::eval::reference::Reference;
use crate::eval::{ControlState, Evaluator, Run, Scores, Share, Stop, Texts};
use crate::program::{Column, FeatureId, Program, column_names, columns};
use crate::slate::{self, Choice};
use crate::types::{Host, Scale};

/// What differs from step to step besides the data: `pick … at random` draws by both (R1.11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    pub seed: u64,
    pub step: u64,
}

/// A bound reward: one for each worker.
pub struct Scorer<'c> {
    reward: Reward,
    capacity: Capacity,
    pub(super) bound: Bound,
    pub(super) state: ControlState,
    pub(super) controllers: Controllers,
    /// Requests scored since the last step was ended, and what was seen of each part's class.
    pub(super) unended: u64,
    pub(super) seen: Vec<Share>,
    notes: Vec<String>,
    evaluator_seconds: f64,
    evaluator: Reference,
    pub(super) masks: Option<Masks>,
    /// Texts of the catalog, and behind them those of the step.
    texts: Texts,
    catalog_texts: usize,
    cleaned: Cleaned,
    /// SIDs of items that were handed in without.
    item_sids: Vec<u32>,
    layout: Layout,
    pub(super) signals: SignalRoom<'c>,
    pub(super) scores: Scores,
    pub(super) item_idx: Vec<i32>,
    pub(super) in_statistics: Vec<bool>,
}

/// What a binding resolved to.
pub struct Resolved<'c> {
    pub reward: Reward,
    pub catalog: Option<Arc<dyn Catalog>>,
    pub host: Host,
    pub declared: Vec<(String, Declared)>,
    pub providers: Vec<Option<Provider>>,
    pub sources: Vec<Box<dyn SignalSource + 'c>>,
    pub held_out: Vec<Box<dyn SignalSource + 'c>>,
    pub state: ControlState,
    pub controllers: Controllers,
    pub capacity: Capacity,
    pub fail_above: f64,
    /// Rollouts are decoded under the catalog's mask.
    pub masked: bool,
}

impl<'c> Scorer<'c> {
    pub(super) fn new(resolved: Resolved<'c>) -> Self {
        let Resolved { reward, catalog, host, declared, providers, sources, held_out, fail_above, .. } = resolved;
        let Resolved { state, controllers, capacity, .. } = resolved;
        let (mut program, schema) = reward.parts();
        let off = if resolved.masked { constant_picks(&program) } else { Vec::new() };
        let seen = vec![Share::default(); program.parts.len()];
        let mut notes: Vec<String> = state.notes(&program).iter().map(ToString::to_string).collect();
        notes.extend(unseen(&program, host, &controllers));
        for channel in off {
            let program = Arc::make_mut(&mut program);
            if let Some(channel) = program.channels.get_mut(channel) {
                // Of none picked every number is null.
                channel.pick = Some(0);
                notes.push(format!(
                    "`{}` is switched off: under the mask every rollout keeps the rules, so it would be the same for all",
                    channel.name
                ));
            }
        }
        let asks_for_items = providers.contains(&Some(Provider::Catalog)) || !asked_in_catalog(&program).is_empty();
        let predicted: Vec<FeatureId> = providers
            .iter()
            .zip(0..)
            .filter(|(p, _)| matches!(p, Some(Provider::Signal(..))))
            .map(|(_, i)| FeatureId(i))
            .collect();
        let bound = Bound {
            early: early(&program, &predicted, host),
            slate_first: schema.spans.training.as_ref().and_then(|t| t.slate_first),
            program,
            schema,
            catalog,
            host,
            declared,
            providers,
            asks_for_items,
        };
        let room = SignalRoom::new(sources, held_out, fail_above);
        Self { state, controllers, seen, notes, signals: room, ..Self::of_rules(reward, bound, capacity) }
    }

    /// A scorer without sources, controllers and state: scratch for the capacity, and what was bound.
    pub(super) fn of_rules(reward: Reward, bound: Bound, capacity: Capacity) -> Self {
        let texts = bound.catalog.as_ref().map_or_else(Texts::default, |c| c.texts().clone());
        let n_rows = capacity.requests * capacity.group;
        let mut cleaned = Cleaned::default();
        cleaned.sid.reserve(Scale::Sid, n_rows);
        for (name, as_what) in &bound.declared {
            let mut slot = Slot::default();
            let cells = match as_what {
                Declared::Request => capacity.requests,
                Declared::Rollout => n_rows,
                Declared::Past | Declared::Wanted => capacity.requests * capacity.list,
                Declared::Unused => 0,
            };
            if let Some(feature) = bound.schema.feature(name) {
                slot.reserve(feature.scale, cells);
            }
            cleaned.slots.push(slot);
        }
        let program = &bound.program;
        let mut layout = Layout::with_room(capacity.requests, n_rows);
        layout.columns = Vec::with_capacity(program.features.len());
        layout.in_catalog = asked_in_catalog(program).into_iter().map(|f| (f, Vec::with_capacity(n_rows))).collect();
        Self {
            scores: Scores::empty(program, bound.host, 0, Vec::new()),
            signals: SignalRoom::new(Vec::new(), Vec::new(), 1.0),
            catalog_texts: texts.len(),
            item_idx: Vec::with_capacity(n_rows),
            in_statistics: Vec::with_capacity(n_rows),
            evaluator: Reference,
            seen: vec![Share::default(); program.parts.len()],
            reward,
            capacity,
            bound,
            state: ControlState::default(),
            controllers: Controllers::default(),
            unended: 0,
            notes: Vec::new(),
            evaluator_seconds: 0.0,
            masks: None,
            texts,
            cleaned,
            item_sids: Vec::new(),
            layout,
        }
    }

    /// The program as it was bound: what a host makes constant is switched off.
    #[must_use]
    pub fn program(&self) -> &Arc<Program> {
        &self.bound.program
    }

    /// The most that a step may hold.
    #[must_use]
    pub fn capacity(&self) -> Capacity {
        self.capacity
    }

    /// The reward that is bound.
    #[must_use]
    pub fn reward(&self) -> &Reward {
        &self.reward
    }

    /// The state that the next step is scored with.
    #[must_use]
    pub fn state(&self) -> &ControlState {
        &self.state
    }

    /// The key of an item as results number it; empty for −1, and without a catalog.
    #[must_use]
    pub fn item_key(&self, item: i32) -> &str {
        match (&self.bound.catalog, u32::try_from(item)) {
            (Some(catalog), Ok(item)) => catalog.key(item),
            _ => "",
        }
    }

    /// Seconds that the last step spent in the evaluator: what is around it is the interface's.
    #[must_use]
    pub fn evaluator_seconds(&self) -> f64 {
        self.evaluator_seconds
    }

    /// What somebody should know about this binding, a line each: what was switched off, what of the state
    /// was brought in.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The ids of the signal sources, to stand beside the reward id.
    #[must_use]
    pub fn source_ids(&self) -> Vec<String> {
        self.signals.sources.iter().map(|s| s.id()).collect()
    }

    /// The id of a declared column of requests or rollouts.
    #[must_use]
    pub fn input(&self, feature: &str) -> Option<InputId> {
        self.declared(feature, &[Declared::Request, Declared::Rollout])
    }

    /// The id of a declared column of history entries.
    #[must_use]
    pub fn past_input(&self, feature: &str) -> Option<InputId> {
        self.declared(feature, &[Declared::Past])
    }

    /// The id of a declared column of targets.
    #[must_use]
    pub fn wanted_input(&self, feature: &str) -> Option<InputId> {
        self.declared(feature, &[Declared::Wanted])
    }

    fn declared(&self, feature: &str, kinds: &[Declared]) -> Option<InputId> {
        self.bound.declared.iter().position(|(name, d)| name == feature && kinds.contains(d)).map(InputId::of)
    }

    /// The scores of the last step; nothing before the first.
    #[must_use]
    pub fn last(&self) -> Scored<'_> {
        Scored {
            program: &self.bound.program,
            scores: &self.scores,
            item_idx: &self.item_idx,
            in_statistics: &self.in_statistics,
            signals: &self.signals.counts,
        }
    }

    /// All columns with their names, in the order that every score file has them.
    #[must_use]
    pub fn columns(&self) -> Vec<(String, Column)> {
        let program = &self.bound.program;
        columns(program).into_iter().map(|c| (column_names(program, c), c)).collect()
    }

    /// The column of a part or channel: `watching`, `watching.raw`, `ads.over`, a channel's name.
    #[must_use]
    pub fn column_named(&self, name: &str) -> Option<Column> {
        columns(&self.bound.program).into_iter().find(|c| column_names(&self.bound.program, *c) == name)
    }

    /// Scores the rollouts of a step.
    ///
    /// # Errors
    /// Inputs that do not fit (RW0902) or are past the capacity (RW0903), a source that fails
    /// (RW0904). Single values that break the schema's contract are no errors: their rollouts are
    /// `unscorable`.
    pub fn score(&mut self, requests: &Requests<'_>, rollouts: &Rollouts<'_>, step: Step) -> Result<Scored<'_>, Fault> {
        self.work(requests, rollouts, step, None, None)?;
        Ok(self.last())
    }

    /// The same, asking `stop` now and then; where it says so, the step is given up (RW0808) and the scorer
    /// is as it was.
    ///
    /// # Errors
    /// As [`Scorer::score`], and RW0808.
    pub fn score_until(
        &mut self,
        requests: &Requests<'_>,
        rollouts: &Rollouts<'_>,
        step: Step,
        stop: &dyn Fn() -> bool,
    ) -> Result<Scored<'_>, Fault> {
        self.work(requests, rollouts, step, None, Some(Stop(stop)))?;
        Ok(self.last())
    }

    /// A step, and with a `choice` its slates.
    pub(super) fn work(
        &mut self,
        requests: &Requests<'_>,
        rollouts: &Rollouts<'_>,
        step: Step,
        choice: Option<&Choice<'_>>,
        stop: Option<Stop<'_>>,
    ) -> Result<Option<slate::Chosen>, Fault> {
        let Self { bound, cleaned, layout, texts, signals, state, evaluator, .. } = self;
        texts.truncate(self.catalog_texts);
        layout.fill(requests, rollouts, &self.capacity)?;
        let with_sids;
        let rollouts = match find_sids(bound, rollouts, &mut self.item_sids) {
            None => rollouts,
            Some(levels) => {
                with_sids = rollouts.clone().sids(&self.item_sids, levels);
                &with_sids
            }
        };
        cleaned.fill(bound, layout, requests, rollouts, texts)?;
        find_items(bound, layout, rollouts)?;
        if signals.reads_history() {
            find_history(bound, layout, (requests, rollouts), &mut signals.history)?;
        }
        let mut batch = lend(bound, cleaned, layout, texts, requests, rollouts)?;
        let run = Run { host: bound.host, state, seed: step.seed, step: step.step, stop };
        let asked = signals.ask(bound, evaluator, &mut batch, run);
        let begun = Instant::now();
        let mut outcome = asked.and_then(|()| evaluator.score(&bound.program, &batch, run).map_err(refused));
        self.evaluator_seconds = begun.elapsed().as_secs_f64();
        let mut chosen = None;
        if let (Some(choice), Ok(scores)) = (choice, &outcome) {
            match slate::choose(&bound.program, evaluator, &mut batch, run, scores, choice) {
                Ok(slates) => chosen = Some(slates),
                Err(refusal) => outcome = Err(refused(refusal)),
            }
        }
        *texts = layout.take_back(batch);
        let scores = outcome?;
        self.item_idx.clear();
        self.item_idx.extend(scores.item_of.iter().map(index));
        self.in_statistics.clear();
        self.in_statistics.extend((0..scores.n_rows).map(|row| scores.in_statistics(row)));
        self.scores = scores;
        self.unended += requests.n as u64;
        for (part, matches) in &self.scores.matches {
            if let Some(seen) = self.seen.get_mut(*part) {
                seen.include(matches.share);
            }
        }
        Ok(chosen)
    }
}

/// An item as results have it: −1 where there is none.
pub(super) fn index(item: &u32) -> i32 {
    if *item == u32::MAX { -1 } else { *item as i32 }
}
