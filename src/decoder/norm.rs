//! RMSNorm: x · g / √(mean(x²) + ε), over the last dimension (Zhang and Sennrich, arXiv 1910.07467).

use candle_core::{D, Result, Tensor};

use super::weights::Weights;

const EPSILON: f64 = 1e-6;

/// A norm with a gain for each dimension, 1 at the start.
#[derive(Clone, Debug)]
pub struct RmsNorm {
    gain: Tensor,
}

impl RmsNorm {
    pub fn new(name: &str, size: usize, weights: &mut Weights) -> Result<Self> {
        Ok(Self { gain: weights.constant(&format!("{name}.gain"), size, 1.0)? })
    }

    /// `[.., size]` to the same shape.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mean = x.sqr()?.mean_keepdim(D::Minus1)?;
        x.broadcast_div(&(mean + EPSILON)?.sqrt()?)?.broadcast_mul(&self.gain)
    }
}
