//! What a decoder is made of, part by part: counted from its sizes, by the same formulas that it computes.

use super::config::DecoderConfig;

/// One part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Describes {
    pub part: &'static str,
    pub parameters: u64,
    /// Floating-point operations of a training step for one sample: forward, and twice that backward.
    pub train_flops: u64,
    /// Those of a beam search for one request, keys and values kept.
    pub decode_flops: u64,
}

/// The parts of a decoder, and what a search with so many beams costs. Matrix products are counted (2 operations
/// for each multiplication and addition), not norms, activations and softmax.
#[must_use]
pub fn describe(config: &DecoderConfig, beams: u64) -> Vec<Describes> {
    let [d, ffn, layers, history] = [config.d_model, config.d_ffn, config.layers, config.history].map(|n| n as u64);
    let chunks = config.kv_chunks as u64;
    let keys = config.kv_groups as u64 * (config.d_model / config.heads.max(1)) as u64;
    let levels = config.shape.len() as u64;
    let codes: u64 = config.shape.iter().map(|n| u64::from(*n)).sum();
    let inner: u64 = config.shape.iter().rev().skip(1).map(|n| u64::from(*n)).sum();
    // Places worked out: one for each code; in a search the first one once, the others for each beam.
    let searched = 1 + levels.saturating_sub(1) * beams;
    // Of place t there are t + 1 keys to look at.
    let pairs = levels * (levels + 1) / 2;
    let searched_pairs = 1 + (pairs - 1) * beams;
    let part = |part, parameters, per_sample: u64, per_search: u64| Describes {
        part,
        parameters,
        train_flops: 3 * 2 * per_sample,
        decode_flops: 2 * per_search,
    };
    let context = 2 * d * chunks * keys;
    let self_projections = 2 * d * d + 2 * d * keys;
    let each =
        |per_place: u64, per_pair: u64, pairs: u64, places: u64| layers * (per_place * places + per_pair * pairs);
    vec![
        part("codes of histories", (codes + levels) * d + history * d, 0, 0),
        part("context processor", context + chunks * keys, history * context, history * context),
        part("codes that are written", (inner + 1 + levels) * d, 0, 0),
        part(
            "cross-attention",
            layers * (2 * d * d + d),
            each(2 * d * d + 2 * d * history, 0, 0, levels),
            each(2 * d * d + 2 * d * history, 0, 0, searched),
        ),
        part(
            "self-attention",
            layers * (self_projections + d),
            each(self_projections, 2 * d, levels * levels, levels),
            each(self_projections, 2 * d, searched_pairs, searched),
        ),
        part(
            "feed-forward",
            layers * (3 * d * ffn + d),
            each(3 * d * ffn, 0, 0, levels),
            each(3 * d * ffn, 0, 0, searched),
        ),
        part("heads", codes * d + levels * d, codes * d, heads_searched(config, beams)),
    ]
}

/// The first head is asked once, the others for each beam.
fn heads_searched(config: &DecoderConfig, beams: u64) -> u64 {
    let d = config.d_model as u64;
    config.shape.iter().enumerate().map(|(i, n)| u64::from(*n) * d * if i == 0 { 1 } else { beams }).sum()
}
