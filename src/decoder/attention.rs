//! Attention with grouped queries: `softmax(QKᵀ/√d_head + mask)·V`, several query heads to one key
//! head (Ainslie et al., arXiv 2305.13245).

use candle_core::{D, Result, Tensor};
use candle_nn::ops::softmax;

use super::norm::RmsNorm;
use super::weights::Weights;

/// Sizes that all attention of a model shares.
#[derive(Clone, Copy, Debug)]
pub struct Heads {
    pub size: usize,
    pub heads: usize,
    pub groups: usize,
    pub depth: usize,
}

impl Heads {
    /// Numbers of one head.
    pub fn head(&self) -> usize {
        self.size / self.heads
    }

    /// Numbers of all keys of one position.
    pub fn keys(&self) -> usize {
        self.groups * self.head()
    }
}

/// Queries `[b, t, heads·head]` against keys and values `[b, s, groups·head]`; `mask` is added to the scores,
/// `[b or 1, 1, t or 1, s]`. Gives `[b, t, heads·head]`.
fn attend(heads: &Heads, q: &Tensor, k: &Tensor, v: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
    let (b, t, _) = q.dims3()?;
    let (_, s, _) = k.dims3()?;
    let (head, repeat) = (heads.head(), heads.heads / heads.groups);
    let q = q.reshape((b, t, heads.groups, repeat, head))?.permute((0, 2, 3, 1, 4))?;
    let q = q.reshape((b, heads.groups, repeat * t, head))?;
    let split = |x: &Tensor| x.reshape((b, s, heads.groups, head))?.transpose(1, 2)?.contiguous();
    let (k, v) = (split(k)?, split(v)?);
    let scores = (q.matmul(&k.transpose(2, 3)?.contiguous()?)? * (1.0 / (head as f64).sqrt()))?;
    let scores = scores.reshape((b, heads.groups, repeat, t, s))?;
    let scores = match mask {
        Some(mask) => scores.broadcast_add(&mask.unsqueeze(1)?)?,
        None => scores,
    };
    let weights = softmax(&scores, D::Minus1)?.reshape((b, heads.groups, repeat * t, s))?;
    let out = weights.matmul(&v)?.reshape((b, heads.groups, repeat, t, head))?;
    out.permute((0, 3, 1, 2, 4))?.reshape((b, t, heads.heads * head))
}

/// `[.., in]` times `[in, out]`.
fn project(x: &Tensor, w: &Tensor) -> Result<Tensor> {
    let (b, t, size) = x.dims3()?;
    x.reshape((b * t, size))?.matmul(w)?.reshape((b, t, w.dim(1)?))
}

fn residual(heads: &Heads) -> f64 {
    1.0 / (heads.size as f64 * 2.0 * heads.depth.max(1) as f64).sqrt()
}

/// Attention of the written codes to the context. Keys and values are the context itself: only queries and
/// output are projected.
#[derive(Clone, Debug)]
pub struct CrossAttention {
    heads: Heads,
    norm: RmsNorm,
    query: Tensor,
    out: Tensor,
}

impl CrossAttention {
    pub fn new(name: &str, heads: Heads, weights: &mut Weights) -> Result<Self> {
        let size = heads.size;
        Ok(Self {
            norm: RmsNorm::new(&format!("{name}.norm"), size, weights)?,
            query: weights.normal(&format!("{name}.query"), (size, size), 1.0 / (size as f64).sqrt())?,
            out: weights.normal(&format!("{name}.out"), (size, size), residual(&heads))?,
            heads,
        })
    }

    /// `x` `[b, t, d]`, keys and values `[b, s, groups·head]`, mask `[b, 1, 1, s]`; gives what is added to x.
    pub fn forward(&self, x: &Tensor, keys: &Tensor, values: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let q = project(&self.norm.forward(x)?, &self.query)?;
        project(&attend(&self.heads, &q, keys, values, Some(mask))?, &self.out)
    }
}

/// Causal attention among the written codes.
#[derive(Clone, Debug)]
pub struct SelfAttention {
    heads: Heads,
    norm: RmsNorm,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    out: Tensor,
}

impl SelfAttention {
    pub fn new(name: &str, heads: Heads, weights: &mut Weights) -> Result<Self> {
        let (size, deviation) = (heads.size, 1.0 / (heads.size as f64).sqrt());
        Ok(Self {
            norm: RmsNorm::new(&format!("{name}.norm"), size, weights)?,
            query: weights.normal(&format!("{name}.query"), (size, size), deviation)?,
            key: weights.normal(&format!("{name}.key"), (size, heads.keys()), deviation)?,
            value: weights.normal(&format!("{name}.value"), (size, heads.keys()), deviation)?,
            out: weights.normal(&format!("{name}.out"), (size, size), residual(&heads))?,
            heads,
        })
    }

    /// `x` `[b, t, d]` with the causal mask `[1, 1, t, t]`; gives what is added to x.
    pub fn forward(&self, x: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let (q, k, v) = self.projected(x)?;
        project(&attend(&self.heads, &q, &k, &v, Some(mask))?, &self.out)
    }

    /// The same for one place more: `x` `[b, 1, d]`, keys and values of the places before it; gives what is
    /// added to x, and keys and values with its own.
    pub fn extend(&self, x: &Tensor, before: Option<&KeysValues>) -> Result<(Tensor, KeysValues)> {
        let (q, k, v) = self.projected(x)?;
        let (k, v) = match before {
            Some((keys, values)) => (Tensor::cat(&[keys, &k], 1)?, Tensor::cat(&[values, &v], 1)?),
            None => (k, v),
        };
        Ok((project(&attend(&self.heads, &q, &k, &v, None)?, &self.out)?, (k, v)))
    }

    fn projected(&self, x: &Tensor) -> Result<(Tensor, Tensor, Tensor)> {
        let x = self.norm.forward(x)?;
        Ok((project(&x, &self.query)?, project(&x, &self.key)?, project(&x, &self.value)?))
    }
}

/// Keys and values of written codes, `[b, t, groups·head]` each.
pub type KeysValues = (Tensor, Tensor);
