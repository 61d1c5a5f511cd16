//! Next items: the mean over the levels of a SID of −log π(code | history, codes before it).

use candle_core::{D, Result, Tensor};
use candle_nn::ops::log_softmax;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::checkpoint::{Checkpoint, failed};
use super::config::Optimization;
use super::samples::{Part, Place, Sequences};
use super::shards::gradients;
use crate::catalog::Catalog;
use crate::decoder::LazyDecoder;
use crate::diagnostic::{Diagnostic, Fault, code};

/// A run of next-item training.
pub struct Pretraining<'r> {
    pub checkpoint: Checkpoint,
    model: LazyDecoder,
    settings: &'r Optimization,
    sequences: &'r Sequences,
    catalog: &'r dyn Catalog,
    samples: Vec<Place>,
    seed: u64,
}

impl<'r> Pretraining<'r> {
    /// Goes on from a checkpoint.
    ///
    /// # Errors
    /// A checkpoint that does not fit; no sample to learn from (RW1004).
    pub fn new(
        mut checkpoint: Checkpoint,
        settings: &'r Optimization,
        sequences: &'r Sequences,
        catalog: &'r dyn Catalog,
        seed: u64,
    ) -> std::result::Result<Self, Fault> {
        checkpoint.check_catalog(catalog)?;
        let model = checkpoint.model()?;
        let has_sid = |at: &Place| catalog.sid(sequences.at(*at).1).is_some();
        let samples: Vec<Place> = sequences.samples(Part::Train).into_iter().filter(has_sid).collect();
        if samples.is_empty() {
            return Err(Box::new(
                Diagnostic::bare(
                    &code::SEQUENCES,
                    "no user has three items of the catalog, and nothing can be learned",
                )
                .help("a user's last item is kept for the test and the one before for validation"),
            ));
        }
        Ok(Self { checkpoint, model, settings, sequences, catalog, samples, seed })
    }

    /// The model as it is now.
    #[must_use]
    pub fn model(&self) -> &LazyDecoder {
        &self.model
    }

    /// Samples that it draws from.
    #[must_use]
    pub fn n_samples(&self) -> usize {
        self.samples.len()
    }

    /// One step; gives its loss. Which samples it sees follows from the seed and its number alone, so that a run
    /// that goes on from a checkpoint is the run that was not stopped.
    ///
    /// # Errors
    /// A loss that is no number (RW1003): nothing was moved.
    pub fn step(&mut self) -> std::result::Result<f64, Fault> {
        let step = self.checkpoint.step + 1;
        let mut random = step_random(self.seed, step);
        let batch: Vec<Place> = (0..self.settings.batch)
            .filter_map(|_| self.samples.get(random.random_range(0..self.samples.len())).copied())
            .collect();
        let most = self.model.config().history;
        let mut histories: Vec<Vec<&[u32]>> =
            batch.iter().map(|at| self.sequences.history(*at, most, self.catalog)).collect();
        if self.settings.drop_items > 0.0 {
            let mut keeps = |_: &&[u32]| random.random::<f64>() >= self.settings.drop_items;
            histories.iter_mut().for_each(|history| history.retain(&mut keeps));
        }
        let sid = |at: &Place| self.catalog.sid(self.sequences.at(*at).1).unwrap_or(&[]);
        let targets: Vec<u32> = batch.iter().flat_map(sid).copied().collect();
        let (n, levels) = (batch.len(), self.model.config().shape.len());
        let Checkpoint { weights, optimizer, .. } = &mut self.checkpoint;
        let (grads, losses) = gradients(weights, n, |rows| {
            let (of, to) = (rows.start * levels, rows.end * levels);
            let histories = histories.get(rows.clone()).unwrap_or(&[]);
            let loss = next_item_loss(&self.model, histories, targets.get(of..to).unwrap_or(&[]))?;
            Ok(((loss * (rows.len() as f64 / n as f64))?, ()))
        })
        .map_err(failed)?;
        let loss = losses.iter().map(|(loss, ())| loss).sum::<f64>();
        let norm = optimizer.step(weights, &grads, step, self.settings.rate(step)).map_err(failed)?;
        if !loss.is_finite() || !norm.is_finite() {
            return Err(diverged(step, loss, &batch));
        }
        // The tensors of the model are those of the variables: they moved with them.
        self.checkpoint.step = step;
        Ok(loss)
    }
}

/// What a step draws from: it follows from the seed and the step's number alone.
pub fn step_random(seed: u64, step: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed.wrapping_add(step.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
}

/// A step whose loss, or its gradient, is no number; and its batch.
pub fn diverged(step: u64, loss: f64, batch: &[Place]) -> Fault {
    let first: Vec<String> = batch.iter().take(8).map(|(user, place)| format!("{user}:{place}")).collect();
    let more =
        if batch.len() > first.len() { format!(" and {} more", batch.len() - first.len()) } else { String::new() };
    let message = format!(
        "the loss of step {step} is {loss}, or its gradient is none; its batch (row of the interactions:place of the item \
         that is wanted, from 0) is {}{more}",
        first.join(", ")
    );
    Box::new(
        Diagnostic::bare(&code::DIVERGED, message)
            .help("what was saved before is still good: go on from it, or begin anew, with a smaller `lr`"),
    )
}

/// The mean loss of targets behind histories (newest first).
///
/// # Errors
/// What candle says.
pub fn next_item_loss(model: &LazyDecoder, histories: &[Vec<&[u32]>], targets: &[u32]) -> Result<Tensor> {
    let levels = model.config().shape.len();
    let context = model.read(histories)?;
    let logits = model.forced(&context, targets, 1)?;
    let mut sum: Option<Tensor> = None;
    for (level, logits) in logits.iter().enumerate() {
        let column: Vec<u32> = targets.chunks(levels).filter_map(|sid| sid.get(level).copied()).collect();
        let column = Tensor::from_vec(column, (histories.len(), 1), model.device())?;
        let loss = log_softmax(logits, D::Minus1)?.gather(&column, 1)?.mean_all()?.neg()?;
        sum = Some(match sum {
            Some(sum) => (sum + loss)?,
            None => loss,
        });
    }
    match sum {
        Some(sum) => sum / levels as f64,
        None => candle_core::bail!("a SID has at least one level"),
    }
}
