//! AdamW (Loshchilov and Hutter, arXiv 1711.05101) whose moments can be saved, with clipping by the global norm.

use std::collections::BTreeMap;

use candle_core::{Result, Tensor};

use super::shards::Gradients;
use crate::decoder::Weights;

/// Moments by variable, and the settings that do not change.
#[derive(Clone, Debug)]
pub struct AdamW {
    moments: BTreeMap<String, (Tensor, Tensor)>,
    pub betas: (f64, f64),
    pub weight_decay: f64,
    /// Gradients are scaled down to this global norm; 0: they are left as they are.
    pub clip: f64,
}

const EPSILON: f64 = 1e-8;

impl AdamW {
    /// Without moments yet.
    #[must_use]
    pub fn new(weight_decay: f64, clip: f64) -> Self {
        Self { moments: BTreeMap::new(), betas: (0.9, 0.98), weight_decay, clip }
    }

    /// The moments of each variable.
    #[must_use]
    pub fn moments(&self) -> &BTreeMap<String, (Tensor, Tensor)> {
        &self.moments
    }

    /// Takes up the moments of a checkpoint.
    pub fn set_moments(&mut self, moments: BTreeMap<String, (Tensor, Tensor)>) {
        self.moments = moments;
    }

    /// Moves every variable that has a gradient; `step` counts from 1. Gives the norm of the gradients before
    /// clipping; where that is no number, nothing is moved.
    ///
    /// # Errors
    /// What candle says.
    pub fn step(&mut self, weights: &Weights, grads: &Gradients, step: u64, lr: f64) -> Result<f64> {
        let mut squares = 0.0;
        for grad in grads.values() {
            squares += f64::from(grad.sqr()?.sum_all()?.to_scalar::<f32>()?);
        }
        let norm = squares.sqrt();
        if !norm.is_finite() {
            return Ok(norm);
        }
        let scale = if self.clip > 0.0 && norm > self.clip { self.clip / norm } else { 1.0 };
        let (first, second) = self.betas;
        let power = |beta: f64| 1.0 - beta.powf(step as f64);
        for (name, var) in weights.vars() {
            let Some(grad) = grads.get(name) else { continue };
            let grad = (grad * scale)?;
            let (m, v) = match self.moments.get(name) {
                Some((m, v)) => (m.clone(), v.clone()),
                None => (grad.zeros_like()?, grad.zeros_like()?),
            };
            let m = ((m * first)? + (&grad * (1.0 - first))?)?;
            let v = ((v * second)? + (grad.sqr()? * (1.0 - second))?)?;
            let moved = ((&m * (lr / power(first)))? / ((&v * (1.0 / power(second)))?.sqrt()? + EPSILON)?)?;
            // Gains of norms are not decayed: they have one dimension.
            let decay = if var.rank() > 1 { lr * self.weight_decay } else { 0.0 };
            var.set(&((var.as_tensor().detach() * (1.0 - decay))? - moved)?)?;
            self.moments.insert(name.clone(), (m.detach(), v.detach()));
        }
        Ok(norm)
    }
}
