//! A training run in YAML.

mod numbers;
mod read;
mod signals;

use serde::Serialize;

pub use signals::{Predicted, Predictions};

use crate::decoder::DecoderConfig;
use crate::diagnostic::{Diagnostics, Unsound};
use crate::source::Sources;
use crate::yaml;

/// What a run is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainConfig {
    pub name: String,
    /// The schema that names catalog and SID, relative to the config.
    pub schema: String,
    pub interactions: Interactions,
    /// What models predict that the reward reads.
    pub signals: Vec<Predictions>,
    /// The share of pairs without a prediction past which a step is refused.
    pub fail_above: f64,
    pub decoder: DecoderConfig,
    pub pretrain: Optimization,
    /// After so many steps of it, 1,000 held-out users' validation items are looked for.
    pub watch: u64,
    pub rl: RlConfig,
    pub seed: u64,
}

/// The file of what users took, a row a user.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Interactions {
    /// In the data folder.
    pub file: String,
    /// Its column of item keys, each user's in time order.
    pub items: String,
    /// Its column of users' keys, if any.
    pub user: Option<String>,
}

/// How weights are moved.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Optimization {
    pub steps: u64,
    pub batch: usize,
    pub lr: f64,
    /// Steps in which the rate rises to `lr`; behind them it falls to a tenth by half a cosine.
    pub warm_up: u64,
    pub weight_decay: f64,
    /// The share of a history's items that a step leaves out, drawn anew each time: what is known of a user
    /// must not hang on one item.
    pub drop_items: f64,
    pub clip: f64,
}

impl Optimization {
    /// The learning rate of a step, from 1.
    #[must_use]
    pub fn rate(&self, step: u64) -> f64 {
        if step <= self.warm_up {
            return self.lr * step as f64 / self.warm_up.max(1) as f64;
        }
        let done = (step - self.warm_up) as f64 / (self.steps.saturating_sub(self.warm_up)).max(1) as f64;
        self.lr * (0.1 + 0.9 * 0.5 * (1.0 + (std::f64::consts::PI * done.min(1.0)).cos()))
    }
}

/// How a policy is moved by a reward.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RlConfig {
    #[serde(flatten)]
    pub optimization: Optimization,
    /// Rollouts of a request.
    pub group: usize,
    pub rollouts: Rollout,
    /// Whether rollouts are written under the mask of the catalog and of the rules that are known beforehand.
    pub masked: bool,
    /// Of sampled rollouts; the policy is trained at the same.
    pub temperature: f64,
    pub advantage: Normalization,
    pub bound: Bound,
    /// Updates with the same rollouts: behind the first, π is no longer what wrote them.
    pub updates: u64,
    /// The weight of the next-item loss beside it.
    pub joint: f64,
    /// The weight of KL(π ‖ the policy that the run began with), over the codes allowed behind what was written.
    pub kl: f64,
    /// After so many steps, held-out users are looked at.
    pub watch: u64,
}

/// How rollouts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rollout {
    /// The beams of a search, the most probable first.
    Beam,
    /// Independent draws.
    Sample,
}

/// What becomes of rewards within their group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalization {
    /// (r − mean) / (spread + 10⁻⁴), the spread that of the population.
    ZScore,
    /// r − mean.
    MeanOnly,
    /// GDPO (arXiv 2601.05242): a z-score of each part of the reward, their weighted sum one over the batch.
    PerTerm,
}

/// How far a step may move a probability (`train::rl`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    None,
    Ppo { epsilon: f64 },
    Ecpo { epsilon: f64, delta: f64 },
    Gbpo,
}

impl Default for RlConfig {
    fn default() -> Self {
        Self {
            optimization: Optimization {
                steps: 120,
                batch: 32,
                lr: 3e-4,
                warm_up: 10,
                weight_decay: 0.0,
                drop_items: 0.0,
                clip: 1.0,
            },
            group: 32,
            rollouts: Rollout::Beam,
            masked: true,
            temperature: 1.0,
            advantage: Normalization::ZScore,
            bound: Bound::None,
            updates: 1,
            joint: 0.5,
            kl: 0.0,
            watch: 20,
        }
    }
}

impl TrainConfig {
    /// Reads a config. The decoder's shape is the schema's, and is filled in by whoever reads that.
    ///
    /// # Errors
    /// Every fault with its place.
    pub fn from_text(name: &str, text: &str) -> Result<Self, Unsound> {
        let mut sources = Sources::default();
        let file = sources.add(name, text);
        let mut out = Diagnostics::default();
        let config = match yaml::parse(text, file) {
            Ok(root) => Some(read::read(&root, &mut out)),
            Err(fault) => {
                out.push(fault);
                None
            }
        };
        match config {
            Some(config) if !out.has_errors() => Ok(config),
            _ => Err(Unsound { diagnostics: out.sorted(), sources }),
        }
    }
}
