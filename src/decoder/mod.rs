//! A lazy decoder (OneRec-V2, arXiv 2508.20900 §2.2) in candle: a user's history in, semantic IDs out.
//!
//! ```text
//! history of SIDs ─ContextProcessor─▶ keys = values (normalized once, no projection)
//!                                          │ shared by all layers and all beams
//! BOS, s¹, s² ─▶ [cross-attention, causal self-attention, gated FFN] × n ─▶ a head for each level
//!                                          write: beam search, sampling ◀── catalog::Mask
//! ```
//!
//! Nothing here knows of rewards or of the command line.

mod attention;
mod beam;
mod config;
mod context;
mod describe;
mod feed_forward;
mod lazy;
mod norm;
mod sample;
mod tree;
mod weights;
mod write;

#[cfg(test)]
mod tests;

pub use beam::beam_search;
pub use config::DecoderConfig;
pub use describe::{Describes, describe};
pub use lazy::{Context, LazyDecoder, State};
pub use sample::{Sampling, sample};
pub use tree::Tree;
pub use weights::Weights;
pub use write::{Generated, Written};
