//! Reinforcement learning with a compiled reward, through `host::Scorer` only.
//!
//! ```text
//! requests ─▶ rollouts (groups whole) ─▶ Scorer ─▶ advantages ─▶ policy loss under the same mask ─▶ update
//!    ▲             masks ◀── Scorer          │                      next items, KL beside it         │
//!    └───────────────────────────────────────┴── end_step: prices of caps ◀──────────────────────────┘
//! ```

mod advantage;
mod objective;
mod rollouts;
mod task;

#[cfg(test)]
mod tests;

use std::time::Instant;

use rand::Rng;

use self::advantage::{Sources, advantages};
use self::task::Task;
use super::checkpoint::{Checkpoint, failed};
use super::config::RlConfig;
use super::pretrain::{diverged, step_random};
use super::requests::{Lengths, Prompts};
use super::samples::{Place, Sequences};
use super::shards::gradients;
use crate::catalog::{Catalog, Free, Mask};
use crate::control::{Moved, Observed};
use crate::decoder::{Generated, LazyDecoder};
use crate::diagnostic::{Diagnostic, Fault, code};
use crate::host::{Given, Groups, Rollouts, Scored, Scorer, Step, StepCounts};
use crate::program::{Column, column_names, columns};
use crate::types::ChannelKind;

/// A run of reinforcement learning.
pub struct Reinforcement<'r, 's> {
    pub checkpoint: Checkpoint,
    pub scorer: Scorer<'s>,
    model: LazyDecoder,
    /// The policy that the run began with.
    reference: LazyDecoder,
    settings: &'r RlConfig,
    sequences: &'r Sequences,
    catalog: &'r dyn Catalog,
    samples: Vec<Place>,
    sources: Sources,
    seed: u64,
}

/// What a step did.
#[derive(Clone, Debug, Default)]
pub struct RlStep {
    pub loss: f64,
    /// Mean reward of groups, and the mean of their spreads.
    pub reward: (f64, f64),
    /// By column of the program its mean and spread over the rollouts that have one.
    pub columns: Vec<(String, f64, f64)>,
    /// Share of groups whose rewards are all alike: they teach nothing.
    pub constant_groups: f64,
    /// Entropy (nats a code) of what might be written, under the mask, behind what was.
    pub entropy: f64,
    /// KL (nats a code) to the policy that the run began with, at the same places; where it was measured.
    pub kl: Option<f64>,
    /// The norm of the gradients of the last update, before clipping.
    pub gradient: f64,
    /// By cap the share of its class among all rollouts that are scored.
    pub shares: Vec<(String, Option<f64>)>,
    pub counts: StepCounts,
    pub dead_ends: u64,
    pub moved: Vec<Moved>,
    pub seconds: Seconds,
}

/// Where a step's time went.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seconds {
    /// The decoder's own arithmetic while rollouts are written.
    pub decoder: f64,
    /// The rest of writing them: masks, and the choice of codes.
    pub rollouts: f64,
    pub reward: f64,
    /// Forward and backward, and the update.
    pub loss: f64,
}

impl<'r, 's> Reinforcement<'r, 's> {
    /// Goes on from a checkpoint, at its step; `reference` is the policy that the run began with. Requests are
    /// drawn from `samples`.
    ///
    /// # Errors
    /// A checkpoint that does not fit.
    pub fn new(
        (mut checkpoint, mut reference): (Checkpoint, Checkpoint),
        scorer: Scorer<'s>,
        settings: &'r RlConfig,
        (sequences, samples): (&'r Sequences, Vec<Place>),
        catalog: &'r dyn Catalog,
        seed: u64,
    ) -> Result<Self, Fault> {
        checkpoint.check_catalog(catalog)?;
        reference.check_decoder(&checkpoint.config)?;
        let (model, reference) = (checkpoint.model()?, reference.model()?);
        let sources = Sources::of(scorer.reward().program());
        refuse_channels(scorer.program())?;
        let has_sid = |at: &Place| catalog.sid(sequences.at(*at).1).is_some();
        let samples: Vec<Place> = samples.into_iter().filter(has_sid).collect();
        if samples.is_empty() {
            return Err(Box::new(
                Diagnostic::bare(
                    &code::SEQUENCES,
                    "no user's validation item is of the catalog, and nothing can be asked for",
                )
                .help("a user needs three items; the last but one is what a request is to find"),
            ));
        }
        checkpoint.reward = Some(scorer.reward().id());
        Ok(Self { checkpoint, scorer, model, reference, settings, sequences, catalog, samples, sources, seed })
    }

    /// The policy as it is now.
    #[must_use]
    pub fn model(&self) -> &LazyDecoder {
        &self.model
    }

    /// One step: rollouts, rewards, updates, and the end of the step. What it draws follows from the seed and
    /// its number alone.
    ///
    /// # Errors
    /// A loss that is no number (RW1003), a step that the scorer refuses.
    pub fn step(&mut self) -> Result<RlStep, Fault> {
        let step = self.checkpoint.step + 1;
        let mut random = step_random(self.seed, step);
        let batch: Vec<Place> = (0..self.settings.optimization.batch)
            .filter_map(|_| self.samples.get(random.random_range(0..self.samples.len().max(1))).copied())
            .collect();
        let past = self.scorer.program().longest.history as usize;
        let lengths = Lengths { history: self.model.config().history, past };
        let prompts = Prompts::new(self.sequences, &batch, lengths, self.catalog);
        let begun = Instant::now();
        let (written, mut task) = self.write(&prompts, random.random())?;
        let (codes, offsets) = written.flat();
        if codes.is_empty() {
            return Err(nothing_to_write(step));
        }
        let writing = begun.elapsed().as_secs_f64();
        let log_probs: Vec<f64> = written.requests.iter().flatten().map(|w| w.log_prob).collect();
        let mut rows = Rollouts::new(Groups::Offsets(&offsets)).sids(&codes, self.catalog.n_levels());
        if let Some(input) = self.scorer.input("log_prob") {
            rows = rows.with(input, Given::Doubles(&log_probs));
        }
        let requests = prompts.requests(&self.scorer);
        let program = std::sync::Arc::clone(self.scorer.program());
        let scored = self.scorer.score(&requests, &rows, Step { seed: self.seed, step })?;
        let own = advantages(&scored, &offsets, self.catalog.n_levels(), &self.sources, self.settings.advantage);
        let mut done = RlStep { dead_ends: written.dead_ends, ..measured(&scored, &program) };
        (done.reward, done.constant_groups) = (own.reward, own.constant_groups);
        let decoder = written.decoder_seconds;
        let reward = begun.elapsed().as_secs_f64() - writing;
        done.seconds = Seconds { decoder, rollouts: writing - decoder, reward, loss: 0.0 };
        task.set(&own);
        let with_kl = self.settings.kl > 0.0 || step == 1 || step.is_multiple_of(self.settings.watch.max(1));
        self.update(&mut task, (step, &batch), with_kl, &mut done)?;
        done.seconds.loss = begun.elapsed().as_secs_f64() - writing - reward;
        self.checkpoint.step = step;
        done.moved = self.scorer.end_step(&Observed::default())?;
        self.checkpoint.state = Some(self.scorer.state().to_json());
        Ok(done)
    }

    /// Rollouts of every request, and the codes that were allowed behind each prefix of them.
    fn write<'p>(&mut self, prompts: &'p Prompts<'_>, seed: u64) -> Result<(Generated, Task<'p>), Fault> {
        let requests = prompts.requests(&self.scorer);
        let free = Free { shape: &self.model.config().shape };
        let legal;
        let mask: &dyn Mask = if self.settings.masked {
            legal = self.scorer.masks(&requests)?;
            &legal
        } else {
            &free
        };
        let written = rollouts::write(&self.model, prompts, mask, self.settings, seed).map_err(failed)?;
        let task = Task::new(prompts, &written, mask, self.catalog.n_levels(), self.settings.temperature);
        Ok((written, task))
    }

    fn update(
        &mut self,
        task: &mut Task<'_>,
        (step, batch): (u64, &[Place]),
        with_kl: bool,
        done: &mut RlStep,
    ) -> Result<(), Fault> {
        let updates = self.settings.updates;
        for update in 0..updates {
            let Checkpoint { weights, optimizer, .. } = &mut self.checkpoint;
            let reference = (with_kl && update == 0 || self.settings.kl > 0.0).then_some(&self.reference);
            let work = |rows| task.loss(&self.model, reference, self.settings, rows);
            let (grads, losses) = gradients(weights, task.n_requests(), work).map_err(failed)?;
            let loss: f64 = losses.iter().map(|(loss, _)| loss).sum();
            if update == 0 {
                done.loss = loss;
                done.entropy = losses.iter().map(|(_, seen)| seen.entropy).sum();
                done.kl = reference.map(|_| losses.iter().map(|(_, seen)| seen.kl).sum());
                task.set_old(losses.into_iter().map(|(_, seen)| seen.log_prob).collect());
            }
            let number = (step - 1) * updates + update + 1;
            let rate = self.settings.optimization.rate(step);
            done.gradient = optimizer.step(weights, &grads, number, rate).map_err(failed)?;
            if !loss.is_finite() || !done.gradient.is_finite() {
                return Err(diverged(step, loss, batch));
            }
        }
        Ok(())
    }
}

/// What a reward says to an objective and this one does not take: dropped in silence it would be a reward that acts
/// in one loop and not in another.
fn refuse_channels(program: &crate::program::Program) -> Result<(), Fault> {
    let untaken = [ChannelKind::TokenReward, ChannelKind::Hint, ChannelKind::SlateReward];
    let Some(channel) = program.channels.iter().find(|c| untaken.contains(&c.kind)) else { return Ok(()) };
    let message = format!("`{}` is a {}, which this objective does not take", channel.name, channel.kind.word());
    Err(Box::new(Diagnostic::bare(&code::OBJECTIVE, message).help(
        "it takes `advantage`, `token advantage`, `sample weight` and `token weight`; a `monitor` moves nothing",
    )))
}

/// A step in which no request may write anything.
fn nothing_to_write(step: u64) -> Fault {
    let message = format!("in step {step} none of the requests has anything that it may write");
    Box::new(Diagnostic::bare(&code::NOTHING_LEGAL, message).help(
        "the rules of the reward leave these requests no SID of the catalog: `rewardc score` shows which of them does so; \
         where only few users are left with nothing, a larger `batch` of `rl` has others too",
    ))
}

/// What the scorer saw of a step.
fn measured(scored: &Scored<'_>, program: &crate::program::Program) -> RlStep {
    let of = |column: Column| {
        let c = scored.column(column)?;
        let there: Vec<f64> = c.values.iter().zip(&c.known).filter(|(_, known)| **known).map(|(v, _)| *v).collect();
        let n = there.len() as f64;
        let mean = there.iter().sum::<f64>() / n;
        let spread = (there.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
        (!there.is_empty()).then(|| (column_names(program, column), mean, spread))
    };
    let share = |cap: &str| {
        let is = scored.matching(cap)?;
        let scored_rows = scored.verdicts().iter().filter(|v| **v == crate::eval::Verdict::Scored).count();
        (scored_rows > 0).then(|| is.iter().filter(|is| **is).count() as f64 / scored_rows as f64)
    };
    RlStep {
        columns: columns(program).into_iter().filter_map(of).collect(),
        shares: program.caps().map(|(_, cap)| (cap.name.clone(), share(&cap.name))).collect(),
        counts: scored.counts(),
        ..RlStep::default()
    }
}
