//! What a step is to learn: rollouts, what was allowed behind each of their prefixes, and their advantages.

use std::ops::Range;

use candle_core::{D, Error, Result, Tensor};
use candle_nn::ops::log_softmax;

use super::super::config::RlConfig;
use super::super::pretrain::next_item_loss;
use super::super::requests::Prompts;
use super::advantage::Advantages;
use super::objective::policy_loss;
use crate::catalog::{Mask, NextCodes};
use crate::decoder::{Generated, LazyDecoder, Tree, Written};

/// What is added to a logit that may not be.
const NEVER: f32 = -1e9;

/// One step's work.
pub struct Task<'p> {
    prompts: &'p Prompts<'p>,
    /// Each request's rollouts.
    trees: Vec<Tree>,
    /// Where each request's rollouts begin, and behind them how many there are.
    offsets: Vec<u32>,
    /// By request and level the codes allowed behind each distinct prefix; none where all are.
    allowed: Option<Vec<Vec<NextCodes>>>,
    levels: usize,
    temperature: f64,
    /// `rollouts · levels` each.
    advantages: Vec<f32>,
    weights: Vec<f32>,
    /// log π of each code when it was written, `rollouts · levels`; empty before the first update.
    old: Vec<f32>,
}

/// What a shard saw besides its loss; of the first update only.
pub struct Seen {
    pub log_prob: Vec<f32>,
    /// Shares of the batch's means.
    pub entropy: f64,
    pub kl: f64,
}

impl<'p> Task<'p> {
    pub fn new(
        prompts: &'p Prompts<'_>,
        written: &Generated,
        mask: &dyn Mask,
        levels: usize,
        temperature: f64,
    ) -> Self {
        let tree = |request: &Vec<Written>| Tree::new(request.iter().flat_map(|w| &w.sid).copied().collect(), levels);
        let trees: Vec<Tree> = written.requests.iter().map(tree).collect();
        let (_, offsets) = written.flat();
        let next = |(request, tree): (usize, &Tree)| {
            let at = |level| NextCodes::of(mask, tree.prefixes(level).map(|prefix| (request, prefix)));
            (0..levels).map(at).collect()
        };
        let allowed = (!mask.is_free()).then(|| trees.iter().enumerate().map(next).collect());
        let (advantages, weights, old) = (Vec::new(), Vec::new(), Vec::new());
        Self { prompts, trees, offsets, allowed, levels, temperature, advantages, weights, old }
    }

    pub fn n_requests(&self) -> usize {
        self.trees.len()
    }

    /// Takes the advantages of the rollouts.
    pub fn set(&mut self, own: &Advantages) {
        self.advantages.clone_from(&own.values);
        self.weights.clone_from(&own.weights);
    }

    /// Takes what the rollouts' codes were worth when they were written, shard by shard.
    pub fn set_old(&mut self, log_probs: Vec<Vec<f32>>) {
        self.old = log_probs.into_iter().flatten().collect();
    }

    /// The loss of some requests: their part of the mean over all rollouts of Σ over levels of the policy loss,
    /// of the next-item loss, and of KL.
    pub fn loss(
        &self,
        model: &LazyDecoder,
        reference: Option<&LazyDecoder>,
        settings: &RlConfig,
        requests: Range<usize>,
    ) -> Result<(Tensor, Seen)> {
        let share = requests.len() as f64 / self.n_requests() as f64;
        let levels = self.levels;
        let histories = self.prompts.histories.get(requests.clone()).unwrap_or(&[]);
        let targets = self.prompts.targets.get(requests.start * levels..requests.end * levels).unwrap_or(&[]);
        let next = (next_item_loss(model, histories, targets)? * (settings.joint * share))?;
        let mut seen = Seen { log_prob: Vec::new(), entropy: 0.0, kl: 0.0 };
        let at = |request: usize| self.offsets.get(request).copied().unwrap_or(0) as usize;
        let rollouts = at(requests.start)..at(requests.end);
        if rollouts.is_empty() {
            return Ok((next, seen));
        }
        let n = at(self.n_requests()) as f64;
        let trees = self.trees.get(requests.clone()).unwrap_or(&[]);
        let forced = |model: &LazyDecoder| -> Result<Vec<Tensor>> {
            let logits = model.forced_trees(&model.read(histories)?, trees)?;
            logits.iter().enumerate().map(|(level, logits)| self.masked(level, &requests, logits)).collect()
        };
        let own = forced(model)?;
        let first = self.old.is_empty();
        let before = reference.map(&forced).transpose()?;
        let mut log_probs = Vec::with_capacity(levels);
        let mut kl_loss: Option<Tensor> = None;
        for (level, own) in own.iter().enumerate() {
            let (height, width) = own.dims2()?;
            let rows = Tree::rows(trees, level);
            let codes = trees.iter().flat_map(Tree::sids).filter_map(|sid| sid.get(level));
            let cells: Vec<u32> = rows.iter().zip(codes).map(|(row, code)| row * width as u32 + code).collect();
            let cells = Tensor::from_vec(cells, rollouts.len(), model.device())?;
            log_probs.push(own.flatten_all()?.index_select(&cells, 0)?.unsqueeze(1)?);
            // How many rollouts go through each prefix; none through what fills a request up.
            let mut counts = vec![0_f32; height];
            for row in &rows {
                if let Some(count) = counts.get_mut(*row as usize) {
                    *count += 1.0;
                }
            }
            let counts = Tensor::from_vec(counts, (height, 1), model.device())?;
            // Codes that may not be have π = 0, and their terms are 0.
            let mean = |x: &Tensor| (own.exp()? * x)?.sum_keepdim(1)?.mul(&counts)?.sum_all();
            let per_code = |sum: &Tensor| Ok::<_, Error>(f64::from(sum.to_scalar::<f32>()?) / (n * levels as f64));
            if first {
                seen.entropy -= per_code(&mean(&own.detach())?)?;
            }
            if let Some(before) = before.as_ref().and_then(|b| b.get(level)) {
                let kl = mean(&(own - before.detach())?)?;
                seen.kl += per_code(&kl)?;
                kl_loss = Some(match kl_loss {
                    Some(sum) => (sum + kl)?,
                    None => kl,
                });
            }
        }
        let log_prob = Tensor::cat(&log_probs, 1)?;
        let from = |all: &[f32]| -> Result<Tensor> {
            let own = all.get(rollouts.start * levels..rollouts.end * levels).unwrap_or(&[]);
            Tensor::from_slice(own, (rollouts.len(), levels), model.device())
        };
        let old = if first { log_prob.detach() } else { from(&self.old)? };
        let advantage = from(&self.advantages)?;
        let each = policy_loss(settings.bound, &log_prob, &old, &advantage)?.mul(&from(&self.weights)?)?;
        let mut loss = ((each.sum_all()? * (1.0 / n))? + next)?;
        if let (Some(kl), true) = (kl_loss, settings.kl > 0.0) {
            loss = (loss + (kl * (settings.kl / n))?)?;
        }
        if first {
            seen.log_prob = log_prob.detach().flatten_all()?.to_vec1()?;
        }
        Ok((loss, seen))
    }

    /// Log-probabilities behind each prefix of a level among what was allowed, at the temperature; `NEVER` for the
    /// others.
    fn masked(&self, level: usize, requests: &Range<usize>, logits: &Tensor) -> Result<Tensor> {
        let logits = if self.temperature == 1.0 { logits.clone() } else { (logits / self.temperature)? };
        let Some(allowed) = &self.allowed else { return log_softmax(&logits, D::Minus1) };
        let (height, width) = logits.dims2()?;
        let each = height / requests.len().max(1) * width;
        let mut mask = vec![0_f32; height * width];
        for (mask, allowed) in mask.chunks_mut(each.max(1)).zip(allowed.iter().skip(requests.start)) {
            let Some(allowed) = allowed.get(level) else { continue };
            for (row, codes) in mask.chunks_mut(width).zip(allowed.rows()) {
                row.fill(NEVER);
                for code in codes {
                    if let Some(slot) = row.get_mut(*code as usize) {
                        *slot = 0.0;
                    }
                }
            }
        }
        let mask = Tensor::from_vec(mask, (height, width), logits.device())?;
        log_softmax(&(logits + mask)?, D::Minus1)
    }
}
