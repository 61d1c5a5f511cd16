//! Beam search under a catalog's masks.

use candle_core::{D, Result};
use candle_nn::ops::log_softmax;

use super::lazy::{Context, LazyDecoder};
use crate::catalog::Catalog;

/// One SID that was written, with its log-probability before any mask: Σ over levels of log π.
#[derive(Clone, Debug, PartialEq)]
pub struct Beam {
    pub sid: Vec<u32>,
    pub log_prob: f64,
}

/// The beams of each request, the most probable first.
#[derive(Clone, Debug, Default)]
pub struct Beams {
    pub requests: Vec<Vec<Beam>>,
    /// Beams that ended at a prefix no item goes on from.
    pub dead_ends: u64,
}

/// Beam search of `width` for each request. Only codes that lead to an item may follow: log-probabilities are
/// taken over all codes and then masked, so that a beam's score is the model's own. Where fewer SIDs are
/// legal than the width, there are fewer beams.
///
/// # Errors
/// What candle says.
pub fn beam_search(model: &LazyDecoder, context: &Context, catalog: &dyn Catalog, width: usize) -> Result<Beams> {
    let (requests, levels) = (context.requests()?, model.config().shape.len());
    let mut out = Beams { requests: vec![vec![Beam { sid: Vec::new(), log_prob: 0.0 }]; requests], dead_ends: 0 };
    let mut allowed = Vec::new();
    for level in 0..levels {
        let beams = out.requests.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let mut prefixes = Vec::with_capacity(requests * beams * level);
        for request in &out.requests {
            for place in 0..beams {
                match request.get(place) {
                    Some(beam) => prefixes.extend_from_slice(&beam.sid),
                    // Only there to make rows of equal number; nobody looks at it.
                    None => prefixes.extend(std::iter::repeat_n(0, level)),
                }
            }
        }
        let logits = model.next(context, &prefixes, level, beams)?;
        let log_probs: Vec<Vec<f32>> = log_softmax(&logits, D::Minus1)?.to_vec2()?;
        for (request, found) in out.requests.iter_mut().enumerate() {
            let mut next: Vec<(f64, usize, u32)> = Vec::new();
            for (place, beam) in found.iter().enumerate() {
                catalog.allowed(&beam.sid, &mut allowed);
                out.dead_ends += u64::from(allowed.is_empty());
                let Some(row) = log_probs.get(request * beams + place) else { continue };
                let scored = allowed
                    .iter()
                    .filter_map(|code| Some((beam.log_prob + f64::from(*row.get(*code as usize)?), place, *code)));
                next.extend(scored);
            }
            // Ties by prefix and code, so that a run can be repeated.
            let order = |a: &(f64, usize, u32), b: &(f64, usize, u32)| {
                b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2))
            };
            if next.len() > width {
                next.select_nth_unstable_by(width - 1, order);
                next.truncate(width);
            }
            next.sort_by(order);
            let grown = next.into_iter().filter_map(|(log_prob, place, code)| {
                let mut sid = found.get(place)?.sid.clone();
                sid.push(code);
                Some(Beam { sid, log_prob })
            });
            *found = grown.collect();
        }
    }
    Ok(out)
}
