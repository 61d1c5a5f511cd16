//! The context processor: a user's history of items as normalized keys and values.

use candle_core::{Result, Tensor};

use super::attention::Heads;
use super::config::DecoderConfig;
use super::norm::RmsNorm;
use super::weights::Weights;

/// Item at place i from the end: Σ over levels of its code's embedding, plus the place's embedding, through
/// one gated layer to `S·G·d_head` numbers, cut into chunks and normalized: k = RMSNorm(C₀), v = RMSNorm(C₁)
/// with two chunks, else v = k (OneRec-V2 §2.2, with L_kv = 1).
#[derive(Clone, Debug)]
pub struct ContextProcessor {
    codes: Vec<Tensor>,
    places: Tensor,
    gate: Tensor,
    up: Tensor,
    norms: Vec<RmsNorm>,
    width: usize,
}

impl ContextProcessor {
    pub fn new(config: &DecoderConfig, heads: &Heads, weights: &mut Weights) -> Result<Self> {
        let (size, width) = (config.d_model, heads.keys());
        let codes = config.shape.iter().enumerate().map(|(level, n)| {
            weights.normal(&format!("context.codes.{level}"), (*n as usize + 1, size), 0.5 / (size as f64).sqrt())
        });
        let codes = codes.collect::<Result<_>>()?;
        let deviation = 1.0 / (size as f64).sqrt();
        let out = config.kv_chunks * width;
        Ok(Self {
            codes,
            places: weights.normal("context.places", (config.history, size), deviation)?,
            gate: weights.normal("context.gate", (size, out), deviation)?,
            up: weights.normal("context.up", (size, out), deviation)?,
            norms: (0..config.kv_chunks)
                .map(|i| RmsNorm::new(&format!("context.norm.{i}"), width, weights))
                .collect::<Result<_>>()?,
            width,
        })
    }

    /// Codes of the histories by level, each `[b, s]`, a code past the codebook for what is not there; gives
    /// keys and values `[b, s, groups·head]`.
    pub fn forward(&self, codes: &[Tensor]) -> Result<(Tensor, Tensor)> {
        let mut x: Option<Tensor> = None;
        for (table, codes) in self.codes.iter().zip(codes) {
            let (b, s) = codes.dims2()?;
            let part = table.index_select(&codes.flatten_all()?, 0)?.reshape((b, s, table.dim(1)?))?;
            x = Some(match x {
                Some(sum) => (sum + part)?,
                None => part,
            });
        }
        let Some(x) = x else { candle_core::bail!("a SID has at least one level") };
        let (b, s, size) = x.dims3()?;
        let x = x.broadcast_add(&self.places.narrow(0, 0, s)?)?.reshape((b * s, size))?;
        let x = (x.matmul(&self.gate)?.silu()? * x.matmul(&self.up)?)?.reshape((b, s, ()))?;
        let chunk = |i: usize, norm: &RmsNorm| norm.forward(&x.narrow(2, i * self.width, self.width)?.contiguous()?);
        let chunks = self.norms.iter().enumerate().map(|(i, norm)| chunk(i, norm)).collect::<Result<Vec<_>>>()?;
        match chunks.as_slice() {
            [keys] => Ok((keys.clone(), keys.clone())),
            [keys, values] => Ok((keys.clone(), values.clone())),
            _ => candle_core::bail!("a context has one or two chunks"),
        }
    }
}
