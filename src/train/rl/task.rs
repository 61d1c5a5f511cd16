//! What a step is to learn: rollouts in rows of equal number, what was allowed where, and their advantages.

use std::ops::Range;

use candle_core::{D, Error, Result, Tensor};
use candle_nn::ops::log_softmax;

use super::super::config::RlConfig;
use super::super::pretrain::next_item_loss;
use super::super::requests::Prompts;
use super::advantage::Advantages;
use super::objective::policy_loss;
use crate::catalog::{Mask, NextCodes};
use crate::decoder::{Generated, LazyDecoder};

/// What is added to a logit that may not be.
const NEVER: f32 = -1e9;

/// One step's work.
pub struct Task<'p> {
    prompts: &'p Prompts<'p>,
    /// Rollouts of each request, filled up to `beams` rows.
    codes: Vec<u32>,
    beams: usize,
    /// Rollouts of each request before they were filled up.
    sizes: Vec<usize>,
    /// By level the codes allowed behind each row's prefix; none where all are.
    allowed: Option<Vec<NextCodes>>,
    shape: Vec<u32>,
    temperature: f64,
    /// `rows · levels` each.
    advantages: Vec<f32>,
    weights: Vec<f32>,
    /// log π of each code when it was written, `rows · levels`; empty before the first update.
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
        shape: &[u32],
        temperature: f64,
    ) -> Self {
        let levels = shape.len();
        let sizes: Vec<usize> = written.requests.iter().map(Vec::len).collect();
        let beams = sizes.iter().max().copied().unwrap_or(0);
        let mut codes = Vec::with_capacity(sizes.len() * beams * levels);
        for request in &written.requests {
            request.iter().for_each(|w| codes.extend_from_slice(&w.sid));
            // What fills a group up has no advantage.
            codes.extend(std::iter::repeat_n(0, (beams - request.len()) * levels));
        }
        let at = |level: usize| {
            let rows = codes.chunks(levels).enumerate();
            NextCodes::of(mask, rows.map(|(row, sid)| (row / beams.max(1), sid.get(..level).unwrap_or(&[]))))
        };
        let allowed = (!mask.is_free()).then(|| (0..levels).map(at).collect());
        Self {
            prompts,
            codes,
            beams,
            sizes,
            allowed,
            shape: shape.to_vec(),
            temperature,
            advantages: Vec::new(),
            weights: Vec::new(),
            old: Vec::new(),
        }
    }

    pub fn n_requests(&self) -> usize {
        self.sizes.len()
    }

    /// Takes the advantages of the rollouts as they were written.
    pub fn set(&mut self, own: &Advantages) {
        let levels = self.shape.len();
        let mut row = 0;
        for size in &self.sizes {
            let missing = self.beams - size;
            let rows = row..row + size;
            self.advantages.extend_from_slice(own.values.get(rows.start * levels..rows.end * levels).unwrap_or(&[]));
            self.advantages.extend(std::iter::repeat_n(0.0, missing * levels));
            self.weights.extend_from_slice(own.weights.get(rows.start * levels..rows.end * levels).unwrap_or(&[]));
            self.weights.extend(std::iter::repeat_n(0.0, missing * levels));
            row += size;
        }
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
        let levels = self.shape.len();
        let histories = self.prompts.histories.get(requests.clone()).unwrap_or(&[]);
        let targets = self.prompts.targets.get(requests.start * levels..requests.end * levels).unwrap_or(&[]);
        let next = (next_item_loss(model, histories, targets)? * (settings.joint * share))?;
        let mut seen = Seen { log_prob: Vec::new(), entropy: 0.0, kl: 0.0 };
        if self.beams == 0 {
            return Ok((next, seen));
        }
        let rows = requests.start * self.beams..requests.end * self.beams;
        let n = self.sizes.iter().sum::<usize>().max(1) as f64;
        let codes = self.codes.get(rows.start * levels..rows.end * levels).unwrap_or(&[]);
        let is_real = self.real(&requests, model)?;
        let forced = |model: &LazyDecoder| -> Result<Vec<Tensor>> {
            let logits = model.forced(&model.read(histories)?, codes, self.beams)?;
            logits.iter().enumerate().map(|(level, logits)| self.masked(level, &rows, logits)).collect()
        };
        let own = forced(model)?;
        let first = self.old.is_empty();
        let before = reference.map(&forced).transpose()?;
        let mut log_probs = Vec::with_capacity(levels);
        let mut kl_loss: Option<Tensor> = None;
        for (level, own) in own.iter().enumerate() {
            let column: Vec<u32> = codes.chunks(levels).filter_map(|sid| sid.get(level).copied()).collect();
            let column = Tensor::from_vec(column, (rows.len(), 1), model.device())?;
            log_probs.push(own.gather(&column, 1)?);
            // Codes that may not be have π = 0, and their terms are 0.
            let mean = |x: &Tensor| (own.exp()? * x)?.sum_keepdim(1)?.mul(&is_real)?.sum_all();
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
        let shape = (rows.len(), levels);
        let from = |all: &[f32], width: usize| -> Result<Tensor> {
            let own = all.get(rows.start * width..rows.end * width).unwrap_or(&[]);
            Tensor::from_slice(own, (rows.len(), width), model.device())
        };
        let old = if first { log_prob.detach() } else { from(&self.old, levels)? };
        let advantage = from(&self.advantages, levels)?;
        let each = policy_loss(settings.bound, &log_prob, &old, &advantage)?.mul(&from(&self.weights, levels)?)?;
        debug_assert_eq!(each.dims2()?, shape);
        let mut loss = ((each.sum_all()? * (1.0 / n))? + next)?;
        if let (Some(kl), true) = (kl_loss, settings.kl > 0.0) {
            loss = (loss + (kl * (settings.kl / n))?)?;
        }
        if first {
            seen.log_prob = log_prob.detach().flatten_all()?.to_vec1()?;
        }
        Ok((loss, seen))
    }

    /// 1 for a row that was written, 0 for one that fills a group up; `[rows, 1]`.
    fn real(&self, requests: &Range<usize>, model: &LazyDecoder) -> Result<Tensor> {
        let of = |size: &usize| (0..self.beams).map(|i| f32::from(u8::from(i < *size))).collect::<Vec<_>>();
        let all: Vec<f32> = self.sizes.get(requests.clone()).unwrap_or(&[]).iter().flat_map(of).collect();
        let n = all.len();
        Tensor::from_vec(all, (n, 1), model.device())
    }

    /// Log-probabilities of a level among what was allowed, at the temperature; `NEVER` for the others.
    fn masked(&self, level: usize, rows: &Range<usize>, logits: &Tensor) -> Result<Tensor> {
        let logits = if self.temperature == 1.0 { logits.clone() } else { (logits / self.temperature)? };
        let Some(allowed) = self.allowed.as_ref().and_then(|a| a.get(level)) else {
            return log_softmax(&logits, D::Minus1);
        };
        let width = logits.dim(1)?;
        let mut mask = vec![NEVER; rows.len() * width];
        let levels = self.shape.len();
        let own = self.codes.chunks(levels).skip(rows.start).map(|sid| sid.get(level));
        for ((row, codes), own) in mask.chunks_mut(width).zip(allowed.rows().skip(rows.start)).zip(own) {
            // What was written was allowed; what only fills a group up must be a number all the same.
            for code in codes.iter().chain(own) {
                if let Some(slot) = row.get_mut(*code as usize) {
                    *slot = 0.0;
                }
            }
        }
        let mask = Tensor::from_vec(mask, (rows.len(), width), logits.device())?;
        log_softmax(&(logits + mask)?, D::Minus1)
    }
}
