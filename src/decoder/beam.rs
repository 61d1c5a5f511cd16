//! Beam search under a mask.

use candle_core::Result;

use super::lazy::{Context, LazyDecoder};
use super::write::{Generated, Open, Taken, write};
use crate::catalog::Mask;

/// Beam search of `width` for each request, the most probable first. A beam's score is the model's own: its
/// log-probabilities are taken over all codes, and then masked. Where fewer SIDs are legal than the width,
/// there are fewer beams.
///
/// # Errors
/// What candle says.
pub fn beam_search(model: &LazyDecoder, context: &Context, mask: &dyn Mask, width: usize) -> Result<Generated> {
    write(model, context, mask, 1.0, &mut |open| best(open, width))
}

fn best(open: &Open<'_>, width: usize) -> Vec<Taken> {
    let score = |t: &Taken| open.written.get(t.beam).map_or(0.0, |w| w.log_prob) + t.way.log_prob;
    let all = open.ways.iter().enumerate();
    let mut next: Vec<(f64, Taken)> = all
        .flat_map(|(beam, ways)| ways.iter().map(move |way| Taken { beam, way: *way }))
        .map(|taken| (score(&taken), taken))
        .collect();
    // Ties by prefix and code, so that a run can be repeated.
    let order = |(a, x): &(f64, Taken), (b, y): &(f64, Taken)| {
        b.total_cmp(a).then(x.beam.cmp(&y.beam)).then(x.way.code.cmp(&y.way.code))
    };
    if next.len() > width {
        next.select_nth_unstable_by(width.saturating_sub(1), order);
        next.truncate(width);
    }
    next.sort_by(order);
    next.into_iter().map(|(_, taken)| taken).collect()
}
