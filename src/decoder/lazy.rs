//! The model: blocks of cross-attention, self-attention and feed-forward, and a head for each level.

use candle_core::{DType, Device, Result, Tensor};

use super::attention::{CrossAttention, Heads, KeysValues, SelfAttention};
use super::config::DecoderConfig;
use super::context::ContextProcessor;
use super::feed_forward::FeedForward;
use super::norm::RmsNorm;
use super::tree::Tree;
use super::weights::Weights;

/// What histories became: shared by all layers, and by all beams of a request.
#[derive(Clone, Debug)]
pub struct Context {
    keys: Tensor,
    values: Tensor,
    mask: Tensor,
}

impl Context {
    /// Number of requests.
    ///
    /// # Errors
    /// None that a user can bring about.
    pub fn requests(&self) -> Result<usize> {
        self.keys.dim(0)
    }

    /// The same without a way back to gradients.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self { keys: self.keys.detach(), values: self.values.detach(), mask: self.mask.detach() }
    }
}

/// What was written so far, by beam: so that the next code costs one place, not all of them.
#[derive(Clone, Debug)]
pub struct State {
    beams: usize,
    logits: Tensor,
    layers: Vec<KeysValues>,
}

impl State {
    /// Beams of each request.
    #[must_use]
    pub fn beams(&self) -> usize {
        self.beams
    }

    /// The same without a way back to gradients, which would keep every number that led to it in memory.
    #[must_use]
    pub fn detached(&self) -> Self {
        let layers = self.layers.iter().map(|(k, v)| (k.detach(), v.detach())).collect();
        Self { beams: self.beams, logits: self.logits.detach(), layers }
    }

    /// The logits of the next code, `[requests · beams, codes of that level]`.
    #[must_use]
    pub fn logits(&self) -> &Tensor {
        &self.logits
    }
}

/// A lazy decoder.
#[derive(Clone, Debug)]
pub struct LazyDecoder {
    config: DecoderConfig,
    context: ContextProcessor,
    begin: Tensor,
    codes: Vec<Tensor>,
    levels: Tensor,
    blocks: Vec<(CrossAttention, SelfAttention, FeedForward)>,
    norms: Vec<RmsNorm>,
    heads: Vec<Tensor>,
    device: Device,
}

impl LazyDecoder {
    /// With variables of these names; those that are not there yet are made.
    ///
    /// # Errors
    /// Variables of other shapes.
    pub fn new(config: &DecoderConfig, weights: &mut Weights) -> Result<Self> {
        let size = config.d_model;
        let heads = Heads { size, heads: config.heads, groups: config.kv_groups, depth: 3 * config.layers };
        let deviation = 1.0 / (size as f64).sqrt();
        let last = config.shape.len().saturating_sub(1);
        let codes = config
            .shape
            .iter()
            .take(last)
            .enumerate()
            .map(|(level, n)| weights.normal(&format!("codes.{level}"), (*n as usize, size), deviation));
        let codes = codes.collect::<Result<_>>()?;
        let blocks = (0..config.layers).map(|i| {
            Ok((
                CrossAttention::new(&format!("blocks.{i}.cross"), heads, weights)?,
                SelfAttention::new(&format!("blocks.{i}.self"), heads, weights)?,
                FeedForward::new(&format!("blocks.{i}.ffn"), size, config.d_ffn, heads.depth, weights)?,
            ))
        });
        let blocks = blocks.collect::<Result<_>>()?;
        let mut out = Vec::new();
        let mut norms = Vec::new();
        for (level, n) in config.shape.iter().enumerate() {
            norms.push(RmsNorm::new(&format!("heads.{level}.norm"), size, weights)?);
            out.push(weights.normal(&format!("heads.{level}.out"), (size, *n as usize), deviation)?);
        }
        Ok(Self {
            context: ContextProcessor::new(config, &heads, weights)?,
            begin: weights.normal("begin", (1, size), deviation)?,
            levels: weights.normal("levels", (config.shape.len(), size), deviation)?,
            codes,
            blocks,
            norms,
            heads: out,
            device: weights.device().clone(),
            config: config.clone(),
        })
    }

    /// What it is made of.
    #[must_use]
    pub fn config(&self) -> &DecoderConfig {
        &self.config
    }

    /// The device that it lies on.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The context of histories: by request the SIDs of its last items, newest first; no more than the
    /// config's `history` are looked at.
    ///
    /// # Errors
    /// What candle says.
    pub fn read(&self, histories: &[Vec<&[u32]>]) -> Result<Context> {
        let (b, s) = (histories.len(), self.config.history);
        let mut by_level = vec![Vec::with_capacity(b * s); self.config.shape.len()];
        let mut mask = Vec::with_capacity(b * s);
        for history in histories {
            for place in 0..s {
                let item = history.get(place);
                // A user without a history looks at one empty item: attention to nothing is no number.
                let seen = item.is_some() || (place == 0 && history.is_empty());
                mask.push(if seen { 0.0_f32 } else { -1e9 });
                for ((codes, n), level) in by_level.iter_mut().zip(&self.config.shape).zip(0..) {
                    codes.push(item.and_then(|sid| sid.get(level)).copied().unwrap_or(*n).min(*n));
                }
            }
        }
        let codes: Vec<Tensor> =
            by_level.into_iter().map(|codes| Tensor::from_vec(codes, (b, s), &self.device)).collect::<Result<_>>()?;
        let (keys, values) = self.context.forward(&codes)?;
        Ok(Context { keys, values, mask: Tensor::from_vec(mask, (b, 1, 1, s), &self.device)? })
    }

    /// One empty beam for each request.
    ///
    /// # Errors
    /// What candle says.
    pub fn begin(&self, context: &Context) -> Result<State> {
        let (rows, size) = (context.requests()?, self.config.d_model);
        let x = self.begin.broadcast_as((rows, 1, size))?.contiguous()?;
        self.place(context, &x, 1, &[], 0)
    }

    /// Beams with a code more: row i goes on from row `parents[i]` of the state by `codes[i]`, `beams` rows for
    /// each request, one request after the other.
    ///
    /// # Errors
    /// What candle says.
    pub fn extend(
        &self,
        context: &Context,
        state: &State,
        parents: &[u32],
        codes: &[u32],
        beams: usize,
    ) -> Result<State> {
        let written = state.layers.first().map_or(Ok(0), |(keys, _)| keys.dim(1))?;
        let Some(table) = self.codes.get(written.saturating_sub(1)) else {
            candle_core::bail!("a SID has {} codes", self.config.shape.len())
        };
        let parents = Tensor::from_slice(parents, parents.len(), &self.device)?;
        let codes = Tensor::from_slice(codes, codes.len(), &self.device)?;
        let x = table.index_select(&codes, 0)?.unsqueeze(1)?;
        let of_parents = |(k, v): &KeysValues| Ok((k.index_select(&parents, 0)?, v.index_select(&parents, 0)?));
        let layers = state.layers.iter().map(of_parents).collect::<Result<Vec<_>>>()?;
        self.place(context, &x, beams, &layers, written)
    }

    /// One place of every row, behind what was written.
    fn place(&self, context: &Context, x: &Tensor, beams: usize, before: &[KeysValues], at: usize) -> Result<State> {
        let (requests, size) = (context.requests()?, self.config.d_model);
        let rows = requests * beams;
        let mut x = x.broadcast_add(&self.levels.narrow(0, at, 1)?)?;
        let mut layers = Vec::with_capacity(self.blocks.len());
        for (i, (cross, own, feed)) in self.blocks.iter().enumerate() {
            let wide = x.reshape((requests, beams, size))?;
            let seen = cross.forward(&wide, &context.keys, &context.values, &context.mask)?;
            x = (x + seen.reshape((rows, 1, size))?)?;
            let (added, kept) = own.extend(&x, before.get(i))?;
            x = (&x + added)?;
            layers.push(kept);
            let flat = x.reshape((rows, size))?;
            x = (&flat + feed.forward(&flat)?)?.unsqueeze(1)?;
        }
        Ok(State { beams, logits: self.head(at, &x.squeeze(1)?)?, layers })
    }

    /// The logits of every level of whole SIDs (`[rows, codes]` each), teacher-forced: `beams` SIDs for each
    /// request, one request after the other.
    ///
    /// # Errors
    /// What candle says.
    pub fn forced(&self, context: &Context, sids: &[u32], beams: usize) -> Result<Vec<Tensor>> {
        let levels = self.config.shape.len();
        let hidden = self.hidden(context, sids, levels, beams)?;
        (0..levels).map(|level| self.head(level, &hidden.narrow(1, level, 1)?.squeeze(1)?)).collect()
    }

    /// The logits behind every distinct prefix of requests' SIDs, teacher-forced: by level `[requests · width, codes]`,
    /// in the rows that [`Tree::rows`] says; rows that fill a request up are of no meaning. The same numbers as
    /// [`Self::forced`] for each SID alone.
    ///
    /// # Errors
    /// What candle says.
    pub fn forced_trees(&self, context: &Context, trees: &[Tree]) -> Result<Vec<Tensor>> {
        let mut state = self.begin(context)?;
        let mut logits = vec![state.logits.clone()];
        for level in 1..self.config.shape.len() {
            let (before, width) = (state.beams, Tree::width(trees, level));
            let (mut parents, mut codes) = (Vec::new(), Vec::new());
            for (request, tree) in trees.iter().enumerate() {
                for place in 0..width {
                    let (parent, code) = tree.step(level, place).unwrap_or((0, 0));
                    parents.push((request * before) as u32 + parent);
                    codes.push(code);
                }
            }
            state = self.extend(context, &state, &parents, &codes, width)?;
            logits.push(state.logits.clone());
        }
        Ok(logits)
    }

    fn head(&self, level: usize, hidden: &Tensor) -> Result<Tensor> {
        match (self.norms.get(level), self.heads.get(level)) {
            (Some(norm), Some(head)) => norm.forward(hidden)?.matmul(head),
            _ => candle_core::bail!("there is no level {}", level + 1),
        }
    }

    /// Hidden states `[rows, places, d]` behind BOS and all codes but the last of rows of `places` codes.
    fn hidden(&self, context: &Context, codes: &[u32], places: usize, beams: usize) -> Result<Tensor> {
        let requests = context.requests()?;
        let (rows, size) = (requests * beams, self.config.d_model);
        let mut inputs = vec![self.begin.broadcast_as((rows, 1, size))?.contiguous()?];
        for (level, table) in self.codes.iter().enumerate().take(places.saturating_sub(1)) {
            let column: Vec<u32> = codes.chunks(places.max(1)).filter_map(|c| c.get(level).copied()).collect();
            let column = Tensor::from_vec(column, rows, &self.device)?;
            inputs.push(table.index_select(&column, 0)?.reshape((rows, 1, size))?);
        }
        let mut x = Tensor::cat(&inputs, 1)?.broadcast_add(&self.levels.narrow(0, 0, places)?)?;
        let causal = causal(places, &self.device)?;
        for (cross, own, feed) in &self.blocks {
            // Beams of a request look at the same context: they stand side by side as more queries.
            let wide = x.reshape((requests, beams * places, size))?;
            let seen = cross.forward(&wide, &context.keys, &context.values, &context.mask)?;
            x = (x + seen.reshape((rows, places, size))?)?;
            x = (&x + own.forward(&x, &causal)?)?;
            let flat = x.reshape((rows * places, size))?;
            x = (&flat + feed.forward(&flat)?)?.reshape((rows, places, size))?;
        }
        Ok(x)
    }
}

/// −10⁹ above the diagonal, `[1, 1, t, t]`.
fn causal(places: usize, device: &Device) -> Result<Tensor> {
    let mask: Vec<f32> =
        (0..places).flat_map(|row| (0..places).map(move |column| if column > row { -1e9 } else { 0.0 })).collect();
    Tensor::from_vec(mask, (1, 1, places, places), device)?.to_dtype(DType::F32)
}
