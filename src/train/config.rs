//! A training run in YAML.

use crate::decoder::DecoderConfig;
use crate::diagnostic::{Diagnostic, Diagnostics, Unsound, code};
use crate::source::Sources;
use crate::yaml::{self, Keys, Node};

/// What a run is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainConfig {
    pub name: String,
    /// The schema that names catalog and SID, relative to the config.
    pub schema: String,
    /// File of interactions in the data folder, and its column of items in time order.
    pub interactions: (String, String),
    pub decoder: DecoderConfig,
    pub pretrain: Optimization,
    /// After so many steps of it, 1,000 held-out users' validation items are looked for.
    pub watch: u64,
    pub rl: RlConfig,
    pub seed: u64,
}

/// How weights are moved.
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq)]
pub struct RlConfig {
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rollout {
    /// The beams of a search, the most probable first.
    Beam,
    /// Independent draws.
    Sample,
}

/// What becomes of rewards within their group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalization {
    /// (r − mean) / (spread + 10⁻⁴), the spread that of the population.
    ZScore,
    /// r − mean.
    MeanOnly,
    /// GDPO (arXiv 2601.05242): a z-score of each part of the reward, their weighted sum one over the batch.
    PerTerm,
}

/// How far a step may move a probability (`train::rl`).
#[derive(Clone, Copy, Debug, PartialEq)]
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
            Ok(root) => Some(read(&root, &mut out)),
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

fn read(root: &Node, out: &mut Diagnostics) -> TrainConfig {
    let mut keys = Keys::of(root, "the config", out);
    let name = keys.need_text("train", out);
    let schema = keys.need_text("schema", out);
    let seed = keys.int("seed", out).unwrap_or(1);
    let interactions = keys.need("interactions", out);
    let decoder = keys.take("decoder");
    let pretrain = keys.take("pretrain");
    let rl = keys.take("rl");
    keys.finish(out);
    let interactions = interactions.map_or((String::new(), String::new()), |node| {
        let mut keys = Keys::of(node, "`interactions`", out);
        let found = (keys.need_text("file", out), keys.need_text("items", out));
        keys.finish(out);
        found
    });
    let decoder = decoder.map_or_else(|| DecoderConfig::small(&[]), |node| DecoderConfig::read(node, &[], out));
    let plain = Optimization {
        steps: 3_000,
        batch: 256,
        lr: 3e-3,
        warm_up: 100,
        weight_decay: 0.05,
        drop_items: 0.0,
        clip: 1.0,
    };
    let (pretrain, watch) = pretrain.map_or((plain.clone(), 1_000), |node| {
        let mut keys = Keys::of(node, "`pretrain`", out);
        let watch = keys.int("watch", out).unwrap_or(1_000);
        let found = optimization(&mut keys, plain, out);
        keys.finish(out);
        (found, watch)
    });
    TrainConfig {
        name,
        schema,
        interactions,
        decoder,
        watch,
        pretrain,
        rl: rl.map_or_else(RlConfig::default, |node| rl_config(node, out)),
        seed,
    }
}

fn rl_config(node: &Node, out: &mut Diagnostics) -> RlConfig {
    let plain = RlConfig::default();
    let mut keys = Keys::of(node, "`rl`", out);
    let group = keys.int("group", out).map_or(plain.group, |n| n as usize);
    let rollouts = word(&mut keys, "rollouts", &[("beam", Rollout::Beam), ("sample", Rollout::Sample)], out);
    let masked = word(&mut keys, "decode", &[("masked", true), ("free", false)], out);
    let kinds = [
        ("z_score", Normalization::ZScore),
        ("mean_only", Normalization::MeanOnly),
        ("per_term", Normalization::PerTerm),
    ];
    let advantage = word(&mut keys, "advantage", &kinds, out);
    let (epsilon, delta) = (real(&mut keys, "epsilon", 0.2, out), real(&mut keys, "delta", 0.1, out));
    let bounds = [
        ("none", Bound::None),
        ("ppo", Bound::Ppo { epsilon }),
        ("ecpo", Bound::Ecpo { epsilon, delta }),
        ("gbpo", Bound::Gbpo),
    ];
    let bound = word(&mut keys, "bound", &bounds, out);
    let temperature = real(&mut keys, "temperature", plain.temperature, out);
    if temperature <= 0.0 {
        out.push(Diagnostic::at(&code::SCHEMA_VALUE, node.span, "`temperature` is above 0"));
    }
    if temperature != 1.0 && rollouts.unwrap_or(plain.rollouts) == Rollout::Beam {
        out.push(Diagnostic::at(&code::SCHEMA_VALUE, node.span, "`temperature` is of draws, and `rollouts` are beams"));
    }
    let config = RlConfig {
        group,
        rollouts: rollouts.unwrap_or(plain.rollouts),
        masked: masked.unwrap_or(plain.masked),
        temperature,
        advantage: advantage.unwrap_or(plain.advantage),
        bound: bound.unwrap_or(plain.bound),
        updates: keys.int("updates", out).unwrap_or(plain.updates).max(1),
        joint: real(&mut keys, "joint", plain.joint, out),
        kl: real(&mut keys, "kl", plain.kl, out),
        watch: keys.int("watch", out).unwrap_or(plain.watch),
        optimization: optimization(&mut keys, plain.optimization, out),
    };
    keys.finish(out);
    config
}

/// One of some words.
fn word<T: Copy>(keys: &mut Keys<'_>, key: &'static str, words: &[(&str, T)], out: &mut Diagnostics) -> Option<T> {
    let (text, span) = keys.text(key, out)?;
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        let all: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        out.push(Diagnostic::at(&code::SCHEMA_VALUE, span, format!("`{key}` is one of {}", all.join(", "))));
    }
    found
}

fn optimization(keys: &mut Keys<'_>, default: Optimization, out: &mut Diagnostics) -> Optimization {
    Optimization {
        steps: keys.int("steps", out).unwrap_or(default.steps),
        batch: keys.int("batch", out).map_or(default.batch, |n| n as usize),
        lr: real(keys, "lr", default.lr, out),
        warm_up: keys.int("warm_up", out).unwrap_or(default.warm_up),
        weight_decay: real(keys, "weight_decay", default.weight_decay, out),
        drop_items: real(keys, "drop_items", default.drop_items, out).min(0.95),
        clip: real(keys, "clip", default.clip, out),
    }
}

fn real(keys: &mut Keys<'_>, key: &'static str, default: f64, out: &mut Diagnostics) -> f64 {
    let Some((text, span)) = keys.text(key, out) else { return default };
    match text.parse::<f64>().ok().filter(|v| v.is_finite() && *v >= 0.0) {
        Some(value) => value,
        None => {
            out.push(Diagnostic::at(&code::SCHEMA_VALUE, span, format!("`{key}` is a number from 0")));
            default
        }
    }
}
