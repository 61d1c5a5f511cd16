//! Training: next items first, then reinforcement learning with a compiled reward.
//!
//! ```text
//! Sequences ─▶ samples ─▶ pretrain ─▶ Checkpoint ─▶ rl (host::Scorer) ─▶ Checkpoint
//!                                        └─▶ evaluate: HR@k, NDCG@k, shares of classes
//! ```

mod adamw;
mod baselines;
mod checkpoint;
mod config;
mod evaluate;
mod journal;
mod pretrain;
mod requests;
mod rl;
mod samples;
mod settings;
mod shards;

#[cfg(test)]
mod tests;

pub use adamw::AdamW;
pub use baselines::Baselines;
pub use checkpoint::Checkpoint;
#[cfg(feature = "data")]
pub(crate) use checkpoint::failed;
pub use config::{
    Bound, Interactions, Normalization, Optimization, Predicted, Predictions, RlConfig, Rollout, TrainConfig,
};
pub use evaluate::{Class, Evaluation, Mean, Question, User, evaluate};
pub use journal::Journal;
pub use pretrain::Pretraining;
pub use requests::{Lengths, Prompts};
pub use rl::{Reinforcement, RlStep, Seconds};
pub use samples::{Part, Place, Sequences};
pub use settings::{Settings, differences, settings};
