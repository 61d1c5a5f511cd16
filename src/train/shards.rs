//! A batch in shards: each worked out on a thread of its own, gradients added up in the order of shards.
//!
//! How many shards there are never depends on the machine, so that neither does a sum.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

use candle_core::{Device, Result, Tensor};
use rayon::prelude::*;

use crate::decoder::Weights;

/// Gradients by variable.
pub type Gradients = BTreeMap<String, Tensor>;

/// Shards of a batch on the CPU; a GPU takes it whole.
const SHARDS: usize = 4;

/// The shards of `n` rows; none is empty.
pub fn shards(device: &Device, n: usize) -> Vec<Range<usize>> {
    let shards = if device.is_cpu() { SHARDS } else { 1 };
    (0..shards).map(|i| n * i / shards..n * (i + 1) / shards).filter(|rows| !rows.is_empty()).collect()
}

/// The gradients of a sum of losses, each over a range of `n` rows; also each loss and what came with it.
///
/// # Errors
/// What candle says.
pub fn gradients<T: Send>(
    weights: &Weights,
    n: usize,
    loss: impl Fn(Range<usize>) -> Result<(Tensor, T)> + Sync,
) -> Result<(Gradients, Vec<(f64, T)>)> {
    let one = |rows: Range<usize>| -> Result<(Gradients, (f64, T))> {
        let (loss, besides) = loss(rows)?;
        let found = loss.backward()?;
        let own =
            weights.vars().iter().filter_map(|(name, var)| Some((name.clone(), found.get(var.as_tensor())?.detach())));
        Ok((own.collect(), (f64::from(loss.to_scalar::<f32>()?), besides)))
    };
    let done = in_order(shards(weights.device(), n), one);
    let (mut sum, mut losses) = (Gradients::new(), Vec::new());
    for shard in done {
        let (grads, loss) = shard?;
        losses.push(loss);
        for (name, grad) in grads {
            let grad = match sum.get(&name) {
                Some(before) => (before + grad)?,
                None => grad,
            };
            sum.insert(name, grad);
        }
    }
    Ok((sum, losses))
}

/// Works on many things at once; results come in their order.
pub fn in_order<A: Send, T: Send>(things: Vec<A>, work: impl Fn(A) -> T + Sync + Send) -> Vec<T> {
    static POOL: OnceLock<Option<rayon::ThreadPool>> = OnceLock::new();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    match POOL.get_or_init(|| rayon::ThreadPoolBuilder::new().num_threads(threads).build().ok()) {
        Some(pool) => pool.install(|| things.into_par_iter().map(&work).collect()),
        None => things.into_iter().map(work).collect(),
    }
}
