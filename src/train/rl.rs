//! Reinforcement learning with a compiled reward, through `host::Scorer` only.
//!
//! ```text
//! requests ─▶ beams (rollouts, groups whole) ─▶ Scorer ─▶ z-score of reward + cost + advantages
//!                                                  └─▶ A · log π under the mask, next items beside it
//! ```

use std::collections::BTreeMap;

use candle_core::{D, Result, Tensor};
use candle_nn::ops::log_softmax;
use rand::Rng;

use super::checkpoint::{Checkpoint, failed};
use super::config::RlConfig;
use super::pretrain::{diverged, next_item_loss, step_random, targets};
use super::samples::{Place, Sequences};
use crate::catalog::Catalog;
use crate::control::{Moved, Observed};
use crate::decoder::{LazyDecoder, beam_search};
use crate::diagnostic::Fault;
use crate::host::{Given, Groups, Requests, Rollouts, Scorer, Step, StepCounts};
use crate::program::Column;
use crate::types::ChannelKind;

/// A run of reinforcement learning.
pub struct Reinforcement<'r, 's> {
    pub checkpoint: Checkpoint,
    pub scorer: Scorer<'s>,
    model: LazyDecoder,
    settings: &'r RlConfig,
    sequences: &'r Sequences,
    catalog: &'r dyn Catalog,
    samples: Vec<Place>,
    advantages: Vec<Column>,
    seed: u64,
}

/// What a step did.
#[derive(Clone, Debug)]
pub struct RlStep {
    pub loss: f64,
    /// Mean reward, and its spread within groups.
    pub reward: (f64, f64),
    pub cost: f64,
    /// Share of groups whose rewards are all alike: they teach nothing.
    pub constant_groups: f64,
    pub counts: StepCounts,
    pub moved: Vec<Moved>,
}

impl<'r, 's> Reinforcement<'r, 's> {
    /// Goes on from a checkpoint; requests are drawn from `samples`.
    ///
    /// # Errors
    /// A checkpoint that does not fit.
    pub fn new(
        mut checkpoint: Checkpoint,
        scorer: Scorer<'s>,
        settings: &'r RlConfig,
        (sequences, samples): (&'r Sequences, Vec<Place>),
        catalog: &'r dyn Catalog,
        seed: u64,
    ) -> std::result::Result<Self, Fault> {
        checkpoint.check_catalog(catalog)?;
        let model = checkpoint.model()?;
        let program = scorer.reward().program();
        let is_advantage = |(_, c): &(usize, &crate::program::Channel)| c.kind == ChannelKind::Advantage;
        let advantages =
            program.channels.iter().enumerate().filter(is_advantage).map(|(i, _)| Column::Channel(i)).collect();
        checkpoint.reward = Some(scorer.reward().id());
        checkpoint.step = 0;
        Ok(Self { checkpoint, scorer, model, settings, sequences, catalog, samples, advantages, seed })
    }

    /// The policy as it is now.
    #[must_use]
    pub fn model(&self) -> &LazyDecoder {
        &self.model
    }

    /// One step: rollouts, rewards, an update, and the end of the step.
    ///
    /// # Errors
    /// A loss that is no number (RW1003), a step that the scorer refuses.
    pub fn step(&mut self) -> std::result::Result<RlStep, Fault> {
        let step = self.checkpoint.step + 1;
        let mut random = step_random(self.seed, step);
        let batch: Vec<Place> = (0..self.settings.optimization.batch)
            .filter_map(|_| self.samples.get(random.random_range(0..self.samples.len().max(1))).copied())
            .collect();
        let most = self.model.config().history;
        let histories: Vec<Vec<&[u32]>> =
            batch.iter().map(|at| self.sequences.history(*at, most, self.catalog)).collect();
        let context = self.model.read(&histories).map_err(failed)?;
        let beams = beam_search(&self.model, &context, self.catalog, self.settings.group).map_err(failed)?;
        let mut codes: Vec<u32> = Vec::new();
        let mut offsets = vec![0_u32];
        for request in &beams.requests {
            request.iter().for_each(|beam| codes.extend_from_slice(&beam.sid));
            offsets.push(offsets.last().copied().unwrap_or(0) + request.len() as u32);
        }
        let (scored, advantage) = self.score(&batch, &histories, &codes, &offsets, step)?;
        let loss = self.loss(&histories, &codes, &offsets, &advantage, &batch).map_err(failed)?;
        let value = f64::from(loss.to_scalar::<f32>().map_err(failed)?);
        if !value.is_finite() {
            return Err(diverged(step, value));
        }
        let grads = loss.backward().map_err(failed)?;
        let Checkpoint { weights, optimizer, .. } = &mut self.checkpoint;
        optimizer.step(weights, &grads, step, self.settings.optimization.rate(step)).map_err(failed)?;
        self.checkpoint.step = step;
        let moved = self.scorer.end_step(&Observed::default())?;
        self.checkpoint.state = Some(self.scorer.state().to_json());
        Ok(RlStep { loss: value, moved, ..scored })
    }

    /// Rewards, and the advantage of each rollout; one without a reward has none.
    fn score(
        &mut self,
        batch: &[Place],
        histories: &[Vec<&[u32]>],
        codes: &[u32],
        offsets: &[u32],
        step: u64,
    ) -> std::result::Result<(RlStep, Vec<f32>), Fault> {
        let levels = self.model.config().shape.len();
        let mut past = (Vec::new(), vec![0_u32]);
        for history in histories {
            // The reward reads histories oldest first.
            history.iter().rev().for_each(|sid| past.0.extend_from_slice(sid));
            past.1.push((past.0.len() / levels) as u32);
        }
        let wanted = targets(self.sequences, self.catalog, batch);
        let each: Vec<u32> = (0..=batch.len() as u32).collect();
        let mut requests = Requests::new(batch.len());
        if let Some(input) = self.scorer.past_input("sid") {
            requests = requests.past(&past.1).with(input, Given::Sids { codes: &past.0, levels });
        }
        if let Some(input) = self.scorer.wanted_input("sid") {
            requests = requests.wanted(&each).with(input, Given::Sids { codes: &wanted, levels });
        }
        let rollouts = Rollouts::new(Groups::Offsets(offsets)).sids(codes, levels);
        let scored = self.scorer.score(&requests, &rollouts, Step { seed: self.seed, step })?;
        let mut advantage = vec![0.0_f32; scored.len()];
        let (mut sum, mut spread, mut constant, mut groups) = (0.0, 0.0, 0.0, 0.0);
        for group in offsets.windows(2) {
            let [from, to] = group else { continue };
            let rows = (*from as usize..*to as usize).filter(|r| scored.in_statistics().get(*r) == Some(&true));
            let rewards: BTreeMap<usize, f64> = rows.filter_map(|r| Some((r, scored.reward().get(r, 0)?))).collect();
            let n = rewards.len() as f64;
            if rewards.is_empty() {
                continue;
            }
            let mean = rewards.values().sum::<f64>() / n;
            let deviation = (rewards.values().map(|r| (r - mean).powi(2)).sum::<f64>() / n).sqrt();
            (sum, spread, groups) = (sum + mean, spread + deviation, groups + 1.0);
            constant += f64::from(deviation < 1e-9);
            for (row, reward) in rewards {
                let mut own = (reward - mean) / (deviation + 1e-4);
                // What is charged after normalizing, and advantages as they stand.
                own += scored.cost().get(row, 0).unwrap_or(0.0);
                let channel = |c: &Column| scored.column(*c).and_then(|c| c.get(row, 0)).unwrap_or(0.0);
                own += self.advantages.iter().map(channel).sum::<f64>();
                if let Some(slot) = advantage.get_mut(row) {
                    *slot = own as f32;
                }
            }
        }
        let costs: Vec<f64> = (0..scored.len()).filter_map(|r| scored.cost().get(r, 0)).collect();
        let step = RlStep {
            loss: 0.0,
            reward: (sum / f64::max(groups, 1.0), spread / f64::max(groups, 1.0)),
            cost: costs.iter().sum::<f64>() / costs.len().max(1) as f64,
            constant_groups: constant / f64::max(groups, 1.0),
            counts: scored.counts(),
            moved: Vec::new(),
        };
        Ok((step, advantage))
    }

    /// −mean of A·log π under the mask that the rollouts were written under, and the next-item loss beside it.
    fn loss(
        &self,
        histories: &[Vec<&[u32]>],
        codes: &[u32],
        offsets: &[u32],
        advantage: &[f32],
        batch: &[Place],
    ) -> Result<Tensor> {
        let levels = self.model.config().shape.len();
        let beams = offsets.windows(2).map(|w| if let [a, b] = w { (b - a) as usize } else { 0 }).max().unwrap_or(0);
        // Groups of equal length: what fills them up has no advantage.
        let (mut even, mut weights) = (Vec::new(), Vec::new());
        for group in offsets.windows(2) {
            let [from, to] = group else { continue };
            even.extend_from_slice(codes.get(*from as usize * levels..*to as usize * levels).unwrap_or(&[]));
            weights.extend_from_slice(advantage.get(*from as usize..*to as usize).unwrap_or(&[]));
            let missing = beams - (to - from) as usize;
            even.extend(std::iter::repeat_n(0, missing * levels));
            weights.extend(std::iter::repeat_n(0.0, missing));
        }
        let context = self.model.read(histories)?;
        let logits = self.model.forced(&context, &even, beams)?;
        let rows = weights.len();
        let mut log_prob: Option<Tensor> = None;
        let mut allowed = Vec::new();
        for (level, logits) in logits.iter().enumerate() {
            let n = logits.dim(1)?;
            let mut mask = vec![-1e9_f32; rows * n];
            for (row, sid) in mask.chunks_mut(n).zip(even.chunks(levels)) {
                self.catalog.allowed(sid.get(..level).unwrap_or(&[]), &mut allowed);
                for code in allowed.iter().chain(sid.get(level)) {
                    if let Some(slot) = row.get_mut(*code as usize) {
                        *slot = 0.0;
                    }
                }
            }
            let mask = Tensor::from_vec(mask, (rows, n), self.model.device())?;
            let column: Vec<u32> = even.chunks(levels).filter_map(|sid| sid.get(level).copied()).collect();
            let column = Tensor::from_vec(column, (rows, 1), self.model.device())?;
            let part = log_softmax(&(logits + mask)?, D::Minus1)?.gather(&column, 1)?;
            log_prob = Some(match log_prob {
                Some(sum) => (sum + part)?,
                None => part,
            });
        }
        let Some(log_prob) = log_prob else { candle_core::bail!("a SID has at least one level") };
        let weights = Tensor::from_vec(weights, (rows, 1), self.model.device())?;
        let policy = ((log_prob * weights)?.sum_all()? * (-1.0 / offsets.last().copied().unwrap_or(1).max(1) as f64))?;
        let next = next_item_loss(&self.model, histories, &targets(self.sequences, self.catalog, batch))?;
        policy + (next * self.settings.joint)?
    }
}
