//! A lazy decoder (OneRec-V2, arXiv 2508.20900 §2.2) in candle: a user's history in, semantic IDs out.
//!
//! ```text
//! history of SIDs ─ContextProcessor─▶ keys = values (normalized once, no projection)
//!                                          │ shared by all layers and all beams
//! BOS, s¹, s² ─▶ [cross-attention, causal self-attention, gated FFN] × n ─▶ a head for each level
//! ```
//!
//! Nothing here knows of rewards or of the command line.

mod attention;
mod beam;
mod config;
mod context;
mod feed_forward;
mod lazy;
mod norm;
mod weights;

#[cfg(test)]
mod tests;

pub use beam::{Beam, Beams, beam_search};
pub use config::DecoderConfig;
pub use lazy::{Context, LazyDecoder};
pub use weights::Weights;
