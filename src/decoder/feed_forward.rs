//! A gated feed-forward layer: W₃(silu(W₁x) ⊙ W₂x) (Shazeer, arXiv 2002.05202).

use candle_core::{Result, Tensor};

use super::norm::RmsNorm;
use super::weights::Weights;

/// `d → hidden → d`, behind its own norm.
#[derive(Clone, Debug)]
pub struct FeedForward {
    norm: RmsNorm,
    gate: Tensor,
    up: Tensor,
    down: Tensor,
}

impl FeedForward {
    pub fn new(name: &str, size: usize, hidden: usize, depth: usize, weights: &mut Weights) -> Result<Self> {
        let into = 1.0 / (size as f64).sqrt();
        // What is added to the residual stream is made smaller with depth (GPT-2).
        let out = 1.0 / (hidden as f64 * 2.0 * depth.max(1) as f64).sqrt();
        Ok(Self {
            norm: RmsNorm::new(&format!("{name}.norm"), size, weights)?,
            gate: weights.normal(&format!("{name}.gate"), (size, hidden), into)?,
            up: weights.normal(&format!("{name}.up"), (size, hidden), into)?,
            down: weights.normal(&format!("{name}.down"), (hidden, size), out)?,
        })
    }

    /// `[rows, d]` to what is added to it.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = self.norm.forward(x)?;
        let gate = x.matmul(&self.gate)?.silu()?;
        (gate * x.matmul(&self.up)?)?.matmul(&self.down)
    }
}
