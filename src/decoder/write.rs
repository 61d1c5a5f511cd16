//! Writing SIDs code by code: what beam search and sampling share.

use std::time::Instant;

use candle_core::{D, Result};
use candle_nn::ops::log_softmax;

use super::lazy::{Context, LazyDecoder};
use crate::catalog::Mask;

/// A SID that was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written {
    pub sid: Vec<u32>,
    /// The model's own: Σ over levels of log π over all codes, before any mask.
    pub log_prob: f64,
    /// Σ over levels of the log-probability among the codes that were allowed, at the temperature: what it was
    /// drawn from.
    pub masked: f64,
}

/// What was written for each request.
#[derive(Clone, Debug, Default)]
pub struct Generated {
    pub requests: Vec<Vec<Written>>,
    /// Beams that ended at a prefix which nothing legal goes on from.
    pub dead_ends: u64,
    /// How long the model itself worked; the rest is masks and choice.
    pub decoder_seconds: f64,
}

impl Generated {
    /// Everything that was written, request by request: codes one behind the other, and where each request's
    /// begin (in SIDs).
    #[must_use]
    pub fn flat(&self) -> (Vec<u32>, Vec<u32>) {
        let mut offsets = vec![0_u32];
        let codes = self.requests.iter().flatten().flat_map(|w| &w.sid).copied().collect();
        for request in &self.requests {
            offsets.push(offsets.last().copied().unwrap_or(0) + request.len() as u32);
        }
        (codes, offsets)
    }
}

/// A code that may follow.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    pub code: u32,
    pub log_prob: f64,
    pub masked: f64,
}

/// A way that is taken, from one of a request's beams.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    pub beam: usize,
    pub way: Way,
}

/// Where a request stands.
pub struct Open<'a> {
    pub request: usize,
    pub level: usize,
    pub written: &'a [Written],
    /// By beam the ways on.
    pub ways: &'a [Vec<Way>],
}

/// Writes level by level; `choose` says which ways are taken, from one empty beam for each request on.
/// Beams of a request share its context, and each code is worked out once: keys and values of those before
/// it are kept.
pub fn write(
    model: &LazyDecoder,
    context: &Context,
    mask: &dyn Mask,
    temperature: f64,
    choose: &mut dyn FnMut(&Open<'_>) -> Vec<Taken>,
) -> Result<Generated> {
    let (requests, levels) = (context.requests()?, model.config().shape.len());
    let mut out = Generated { requests: vec![vec![Written::default()]; requests], ..Generated::default() };
    let mut begun = Instant::now();
    let context = &context.detached();
    let mut state = model.begin(context)?.detached();
    let mut allowed = Vec::new();
    for level in 0..levels {
        let beams = state.beams();
        let log_probs: Vec<Vec<f32>> = log_softmax(state.logits(), D::Minus1)?.to_vec2()?;
        out.decoder_seconds += begun.elapsed().as_secs_f64();
        let (mut parents, mut codes) = (Vec::new(), Vec::new());
        let mut grown: Vec<Vec<(usize, Written)>> = Vec::with_capacity(requests);
        for (request, written) in out.requests.iter().enumerate() {
            let ways: Vec<Vec<Way>> = written
                .iter()
                .enumerate()
                .map(|(place, beam)| {
                    mask.next(request, &beam.sid, &mut allowed);
                    let row = log_probs.get(request * beams + place).map_or(&[][..], Vec::as_slice);
                    ways(row, &allowed, temperature)
                })
                .collect();
            out.dead_ends += ways.iter().filter(|w| w.is_empty()).count() as u64;
            let taken = choose(&Open { request, level, written, ways: &ways });
            let longer = |t: &Taken| {
                let mut next = written.get(t.beam)?.clone();
                next.sid.push(t.way.code);
                next.log_prob += t.way.log_prob;
                next.masked += t.way.masked;
                Some((t.beam, next))
            };
            grown.push(taken.iter().filter_map(longer).collect());
        }
        let most = grown.iter().map(Vec::len).max().unwrap_or(0).max(1);
        for (request, grown) in grown.iter().enumerate() {
            for place in 0..most {
                // Rows of equal number; nobody looks at what fills them up.
                let (beam, code) = grown.get(place).map_or((0, 0), |(b, w)| (*b, w.sid.last().copied().unwrap_or(0)));
                parents.push((request * beams + beam) as u32);
                codes.push(code);
            }
        }
        out.requests = grown.into_iter().map(|g| g.into_iter().map(|(_, w)| w).collect()).collect();
        begun = Instant::now();
        if level + 1 < levels {
            state = model.extend(context, &state, &parents, &codes, most)?.detached();
        }
    }
    Ok(out)
}

/// The ways on by a row of log-probabilities, renormalized over what is allowed.
fn ways(row: &[f32], allowed: &[u32], temperature: f64) -> Vec<Way> {
    let own = |code: &u32| row.get(*code as usize).map(|p| (*code, f64::from(*p)));
    let found: Vec<(u32, f64)> = allowed.iter().filter_map(own).collect();
    let most = found.iter().map(|(_, p)| *p).fold(f64::NEG_INFINITY, f64::max);
    // The greatest is taken away first, so that no temperature makes it too large a number.
    let sum = found.iter().map(|(_, p)| ((p - most) / temperature).exp()).sum::<f64>().ln();
    found
        .into_iter()
        .map(|(code, log_prob)| Way { code, log_prob, masked: (log_prob - most) / temperature - sum })
        .collect()
}
