//! Training: next items first, then reinforcement learning with a compiled reward.
//!
//! ```text
//! Sequences ─▶ samples ─▶ pretrain ─▶ Checkpoint ─▶ rl (host::Scorer) ─▶ Checkpoint
//!                                        └─▶ evaluate: HR@k, NDCG@k, shares of classes
//! ```

mod adamw;
mod checkpoint;
mod config;
mod evaluate;
mod pretrain;
mod rl;
mod samples;

#[cfg(test)]
mod tests;

pub use adamw::AdamW;
pub use checkpoint::Checkpoint;
pub use config::{Optimization, RlConfig, TrainConfig};
pub use evaluate::{Evaluation, evaluate};
pub use pretrain::Pretraining;
pub use rl::{Reinforcement, RlStep};
pub use samples::{Part, Sequences};
