//! The rollouts of a step, written in shards of its requests.

use std::ops::Range;
use std::time::Instant;

use candle_core::Result;

use super::super::config::{RlConfig, Rollout};
use super::super::requests::Prompts;
use super::super::shards::{in_order, shards};
use crate::catalog::Mask;
use crate::decoder::{Generated, LazyDecoder, Sampling, beam_search, sample};

/// A mask as the requests from one on see it.
struct FromRequest<'m> {
    mask: &'m dyn Mask,
    first: usize,
}

impl Mask for FromRequest<'_> {
    fn next(&self, request: usize, prefix: &[u32], next: &mut Vec<u32>) {
        self.mask.next(self.first + request, prefix, next);
    }

    fn is_free(&self) -> bool {
        self.mask.is_free()
    }
}

/// Writes every request's rollouts. What is drawn follows from the seed, the shard and the request's place in it: a GPU,
/// which takes a batch whole, draws others.
///
/// # Errors
/// What candle says.
pub fn write(
    model: &LazyDecoder,
    prompts: &Prompts<'_>,
    mask: &dyn Mask,
    settings: &RlConfig,
    seed: u64,
) -> Result<Generated> {
    let RlConfig { group: n, temperature, .. } = *settings;
    let one = |rows: Range<usize>| -> Result<(Generated, f64)> {
        let begun = Instant::now();
        let context = model.read(prompts.histories.get(rows.clone()).unwrap_or(&[]))?;
        let reading = begun.elapsed().as_secs_f64();
        let mask = FromRequest { mask, first: rows.start };
        let mut written = match settings.rollouts {
            Rollout::Beam => beam_search(model, &context, &mask, n)?,
            Rollout::Sample => {
                let seed = seed.wrapping_add(rows.start as u64);
                sample(model, &context, &mask, Sampling { n, temperature, seed })?
            }
        };
        written.decoder_seconds += reading;
        Ok((written, begun.elapsed().as_secs_f64()))
    };
    let begun = Instant::now();
    let (mut all, mut worked) = (Generated::default(), 0.0);
    for some in in_order(shards(model.device(), prompts.histories.len()), one) {
        let (some, seconds) = some?;
        worked += seconds;
        all.requests.extend(some.requests);
        all.dead_ends += some.dead_ends;
        all.decoder_seconds += some.decoder_seconds;
    }
    // Shards work side by side: the decoder's share of their work, of the time that passed.
    all.decoder_seconds *= begun.elapsed().as_secs_f64() / worked.max(f64::MIN_POSITIVE);
    Ok(all)
}
