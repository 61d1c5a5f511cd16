//! Sampling under a mask.

use candle_core::Result;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::lazy::{Context, LazyDecoder};
use super::write::{Generated, Open, Taken, Way, write};
use crate::catalog::Mask;

/// How SIDs are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// SIDs for each request; the same one may be drawn twice.
    pub n: usize,
    /// Logits are divided by it, > 0.
    pub temperature: f64,
    pub seed: u64,
}

/// Draws SIDs for each request, code by code among those allowed, renormalized at each level. Every number
/// drawn follows from seed, request, place and level alone. Where nothing is legal, nothing is drawn.
///
/// # Errors
/// What candle says.
pub fn sample(model: &LazyDecoder, context: &Context, mask: &dyn Mask, sampling: Sampling) -> Result<Generated> {
    write(model, context, mask, sampling.temperature, &mut |open| draw(open, sampling))
}

fn draw(open: &Open<'_>, sampling: Sampling) -> Vec<Taken> {
    let own = sampling.seed ^ (open.request as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut random = ChaCha8Rng::seed_from_u64(own);
    random.set_stream(open.level as u64);
    // At the first level all are drawn from the one beam that is empty.
    let beams =
        (0..if open.level == 0 { sampling.n } else { open.written.len() }).map(|i| if open.level == 0 { 0 } else { i });
    beams
        .filter_map(|beam| {
            let drawn: f64 = random.random();
            Some(Taken { beam, way: pick(open.ways.get(beam)?, drawn)? })
        })
        .collect()
}

/// The way at which the running sum of probabilities passes `drawn`.
fn pick(ways: &[Way], drawn: f64) -> Option<Way> {
    let mut sum = 0.0;
    let passes = |way: &&Way| {
        sum += way.masked.exp();
        drawn < sum
    };
    ways.iter().find(passes).or(ways.last()).copied()
}
