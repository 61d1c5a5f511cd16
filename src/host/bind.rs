//! Binding: every feature that a reward reads gets its provider, before the first step.

use std::sync::Arc;

use super::bound::{Capacity, Declared};
use super::gather::history_input;
use super::providers::{Asked, resolve};
use super::reward::Reward;
use super::scorer::{Resolved, Scorer};
use super::sources::SignalSource;
use crate::catalog::Catalog;
use crate::control::Controllers;
use crate::diagnostic::{Diagnostic, Fault, code, did_you_mean};
use crate::eval::ControlState;
use crate::schema::{Entity, Schema};
use crate::types::Host;

/// How rollouts are decoded in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decode {
    /// Any code may follow: illegal SIDs occur.
    Free,
    /// Only codes that lead to an item which keeps the rules that are known before decoding.
    Masked,
}

/// In which order a group's rollouts come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Beam,
    Sampled,
}

/// Most rollouts, or entries of lists, of one step.
const MOST_CELLS: usize = 1 << 26;

/// A binding under way.
pub struct Binding<'s> {
    pub(super) reward: Reward,
    pub(super) catalog: Option<Arc<dyn Catalog>>,
    pub(super) host: Host,
    pub(super) decode: Decode,
    pub(super) order: Option<Order>,
    pub(super) declared: Vec<(String, Declared)>,
    pub(super) sources: Vec<Box<dyn SignalSource + 's>>,
    pub(super) held_out: Vec<Box<dyn SignalSource + 's>>,
    pub(super) state: ControlState,
    pub(super) controllers: Controllers,
    pub(super) capacity: Capacity,
    pub(super) fail_above: f64,
}

impl<'s> Binding<'s> {
    pub(super) fn new(reward: Reward, catalog: Option<Arc<dyn Catalog>>) -> Self {
        Self {
            reward,
            catalog,
            host: Host::Training,
            decode: Decode::Free,
            order: None,
            declared: Vec::new(),
            sources: Vec::new(),
            held_out: Vec::new(),
            state: ControlState::default(),
            controllers: Controllers::default(),
            capacity: Capacity::default(),
            fail_above: 0.1,
        }
    }

    /// For training. `rollouts` must agree with the schema's `spans: {training: {order: …}}`.
    #[must_use]
    pub fn training(mut self, decode: Decode, rollouts: Order) -> Self {
        (self.host, self.decode, self.order) = (Host::Training, decode, Some(rollouts));
        self
    }

    /// For serving: candidates before the choice; what reads the slate is put off (R7.3).
    #[must_use]
    pub fn serving(mut self) -> Self {
        self.host = Host::Serving;
        self
    }

    /// For logs.
    #[must_use]
    pub fn logs(mut self) -> Self {
        self.host = Host::Logs;
        self
    }

    /// As this host; of training with free decoding.
    #[must_use]
    pub fn host(mut self, host: Host) -> Self {
        self.host = host;
        self
    }

    /// Columns with a value for each request.
    #[must_use]
    pub fn request(self, features: &[&str]) -> Self {
        self.declare(features, Declared::Request)
    }

    /// Columns with a value for each rollout: what the decoder or the host worked out.
    #[must_use]
    pub fn rollout(self, features: &[&str]) -> Self {
        self.declare(features, Declared::Rollout)
    }

    /// Columns with a value for each entry of the requests' histories.
    #[must_use]
    pub fn past(self, features: &[&str]) -> Self {
        self.declare(features, Declared::Past)
    }

    /// Columns with a value for each entry of the requests' targets.
    #[must_use]
    pub fn wanted(self, features: &[&str]) -> Self {
        self.declare(features, Declared::Wanted)
    }

    fn declare(mut self, features: &[&str], as_what: Declared) -> Self {
        self.declared.extend(features.iter().map(|f| ((*f).to_string(), as_what)));
        self
    }

    /// A model that predicts features of (request, item) pairs.
    #[must_use]
    pub fn signals(mut self, source: impl SignalSource + 's) -> Self {
        self.sources.push(Box::new(source));
        self
    }

    /// A second model of features that another one predicts already: its mean is shown beside the
    /// first's, and a gap that grows is reward hacking.
    #[must_use]
    pub fn held_out(mut self, source: impl SignalSource + 's) -> Self {
        self.held_out.push(Box::new(source));
        self
    }

    /// The share of failed pairs past which a step is refused; 0.1 where nothing is said.
    #[must_use]
    pub fn fail_above(mut self, share: f64) -> Self {
        self.fail_above = share;
        self
    }

    /// The state of the caps to begin with.
    #[must_use]
    pub fn state(mut self, state: ControlState) -> Self {
        self.state = state;
        self
    }

    /// What moves the state at [`Scorer::end_step`]; without controllers only sessions' counts move.
    #[must_use]
    pub fn controllers(mut self, controllers: Controllers) -> Self {
        self.controllers = controllers;
        self
    }

    /// The most that a step may hold.
    #[must_use]
    pub fn capacity(mut self, capacity: Capacity) -> Self {
        self.capacity = capacity;
        self
    }

    /// Resolves everything and makes the scratch.
    ///
    /// # Errors
    /// A host that the file does not name (RW0211), slates that nothing stands for (RW0607), a
    /// state of another reward or cap (RW0807), and in one message every feature without a provider
    /// (RW0901); a capacity that no memory has (RW0903).
    pub fn build(self) -> Result<Scorer<'s>, Fault> {
        let program = self.reward.program();
        let host = self.host;
        let Capacity { requests, group, list } = self.capacity;
        if [group, list].iter().any(|n| requests.checked_mul(*n).is_none_or(|cells| cells > MOST_CELLS)) {
            let message = format!("a capacity of {requests} requests with {group} rollouts and {list} entries each");
            return Err(Box::new(
                Diagnostic::bare(&code::CAPACITY, message)
                    .help(format!("scratch is made at once, for at most {MOST_CELLS} rollouts or entries")),
            ));
        }
        if !program.hosts.contains(&host) {
            return Err(Box::new(
                Diagnostic::bare(&code::HOST_NOT_NAMED, format!("the file is not for {host}"))
                    .help("add it to `for …` at the head of the file; what it reads is then checked for it"),
            ));
        }
        let training = self.reward.schema().spans.training.as_ref();
        let first = training.and_then(|t| t.slate_first);
        if host == Host::Training && first.is_none() && program.reads_slate(host).is_some() {
            return Err(Box::new(
                Diagnostic::bare(
                    &code::NO_SLATE_IN_DATA,
                    "the file reads the slate, and in training one rollout is none",
                )
                .help("say in the schema what stands for it: `spans: {training: {slate: first 10 of group}}`"),
            ));
        }
        if let (Host::Training, Some(order), Some(decl)) = (host, self.order, training)
            && first.is_some()
            && (order == Order::Beam) != decl.beam_order
        {
            let says = if decl.beam_order { "beam" } else { "sampled" };
            return Err(Box::new(
                Diagnostic::bare(&code::CONTRACT, format!("the schema says `order: {says}`, and the rollouts are not"))
                    .help("the first rollouts stand for the slate, so their order is part of its meaning"),
            ));
        }
        if let Some(written) = self.state.reward.as_ref().filter(|id| **id != self.reward.id()) {
            let message = format!("the state belongs to {written}, and this is {}", self.reward.id());
            return Err(Box::new(
                Diagnostic::bare(&code::STATE, message)
                    .help("start anew, or take `reward` out of the state to carry it over"),
            ));
        }
        if let Some(unknown) = self.state.caps.keys().find(|k| !program.caps().any(|(_, c)| c.name == **k)) {
            let message = format!("the state speaks of a cap `{unknown}` that the file does not have");
            return Err(Box::new(Diagnostic::bare(&code::STATE, message).help("take it out of the state")));
        }
        if let Some(unknown) = self.controllers.caps.keys().find(|k| !program.caps().any(|(_, c)| c.name == **k)) {
            let message = format!("the controllers are of a reward with a cap `{unknown}`, and this has none");
            return Err(Box::new(Diagnostic::bare(&code::CONTROLLER, message).help("load them for this reward")));
        }
        self.check_sources()?;
        self.check_catalog()?;
        let asks = self.sources.iter().chain(&self.held_out).find(|s| s.reads_history());
        if let Some(source) = asks.filter(|_| history_input(self.reward.schema(), &self.declared).is_none()) {
            let message = format!("`{}` reads histories, and nobody brings them", source.id());
            return Err(Box::new(
                Diagnostic::bare(&code::NO_PROVIDER, message)
                    .help("add `.past(&[…])` with the SID, or with the schema's item key"),
            ));
        }
        let providers = resolve(&Asked {
            reward: &self.reward,
            host,
            catalog: self.catalog.as_deref(),
            declared: &self.declared,
            sources: &self.sources,
        })?;
        let Self { reward, catalog, host, declared, sources, held_out, mut state, capacity, fail_above, .. } = self;
        let masked = host == Host::Training && self.decode == Decode::Masked;
        state.reward.get_or_insert_with(|| reward.id());
        self.controllers.begin(&mut state);
        Ok(Scorer::new(Resolved {
            reward,
            catalog,
            host,
            declared,
            providers,
            sources,
            held_out,
            state,
            controllers: self.controllers,
            capacity,
            fail_above,
            masked,
        }))
    }
}

impl Binding<'_> {
    /// What a source predicts is a feature of the schema, and nobody else brings it.
    fn check_sources(&self) -> Result<(), Fault> {
        let schema = self.reward.schema();
        let provided: Vec<(String, String)> = self
            .sources
            .iter()
            .chain(&self.held_out)
            .flat_map(|s| s.provides().into_iter().map(|feature| (s.id(), feature)))
            .collect();
        for (id, feature) in &provided {
            is_predictable(schema, id, feature)?;
        }
        let mut first: Vec<String> = Vec::new();
        for feature in self.sources.iter().flat_map(|s| s.provides()) {
            if first.contains(&feature) {
                return Err(Box::new(
                    Diagnostic::bare(&code::HOST_INPUT, format!("two models predict `{feature}`"))
                        .help("leave one of both out, or hold it out: it is then only compared"),
                ));
            }
            first.push(feature);
        }
        if let Some(feature) = self.held_out.iter().flat_map(|s| s.provides()).find(|f| !first.contains(f)) {
            let message = format!("`{feature}` is predicted by a held-out model alone, which is only compared");
            return Err(Box::new(
                Diagnostic::bare(&code::HOST_INPUT, message).help("name the model that the reward reads as well"),
            ));
        }
        let twice = self.sources.iter().flat_map(|s| s.provides()).find(|feature| {
            self.declared.iter().any(|(name, as_what)| name == feature && *as_what == Declared::Rollout)
        });
        match twice {
            None => Ok(()),
            Some(feature) => Err(Box::new(
                Diagnostic::bare(&code::HOST_INPUT, format!("`{feature}` is predicted, and handed in as well"))
                    .help("leave one of both out: which of them counts would be a guess"),
            )),
        }
    }

    /// The catalog's SIDs are those of the schema.
    fn check_catalog(&self) -> Result<(), Fault> {
        let (Some(catalog), Some(shape)) = (&self.catalog, self.reward.schema().sid_shape()) else { return Ok(()) };
        let fits = catalog.shape().iter().zip(shape).all(|(used, codes)| used <= codes);
        if catalog.n_levels() == 0 || (catalog.n_levels() == shape.len() && fits) {
            return Ok(());
        }
        let message =
            format!("the catalog's codes fill the shape {:?}, and the schema's SIDs have {shape:?}", catalog.shape());
        Err(Box::new(
            Diagnostic::bare(&code::CATALOG, message)
                .help("a SID has one code for each level, below its codebook's size"),
        ))
    }
}

/// Whether a feature is one that the schema gives to models.
///
/// # Errors
/// A feature that the schema does not have, or gives to somebody else (RW0902).
pub(crate) fn is_predictable(schema: &Schema, model: &str, feature: &str) -> Result<(), Fault> {
    let refused = |message: String| Diagnostic::bare(&code::HOST_INPUT, message);
    match schema.feature(feature) {
        None => {
            let near = did_you_mean(feature, schema.features.iter().map(|f| f.name.as_str()));
            let message = format!("`{model}` predicts `{feature}`, and the schema has no such feature");
            Err(Box::new(refused(message).maybe_help(near.map(|n| format!("did you mean `{n}`?")))))
        }
        Some(known) if known.entity != Entity::Model => {
            let message = format!("`{model}` predicts `{feature}`, which the schema does not give to models");
            let help = format!("`{feature}: {{entity: model, …}}` in the schema, or predict another");
            Err(Box::new(refused(message).help(help)))
        }
        Some(_) => Ok(()),
    }
}

impl Reward {
    /// Begins a binding to a catalog.
    #[must_use]
    pub fn bind<'s, C: Catalog + 'static>(&self, catalog: &Arc<C>) -> Binding<'s> {
        Binding::new(self.clone(), Some(Arc::<C>::clone(catalog)))
    }

    /// The same for a catalog of any kind.
    #[must_use]
    pub fn bind_to<'s>(&self, catalog: Arc<dyn Catalog>) -> Binding<'s> {
        Binding::new(self.clone(), Some(catalog))
    }

    /// Begins a binding without a catalog: every feature of items is then a column of the rollouts.
    #[must_use]
    pub fn bind_without_catalog<'s>(&self) -> Binding<'s> {
        Binding::new(self.clone(), None)
    }
}
