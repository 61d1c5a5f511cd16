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
    /// Rollouts of a request: the beams of a search.
    pub group: usize,
    /// The weight of the next-item loss beside it.
    pub joint: f64,
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
    let gentle =
        Optimization { steps: 120, batch: 32, lr: 3e-4, warm_up: 10, weight_decay: 0.0, drop_items: 0.0, clip: 1.0 };
    TrainConfig {
        name,
        schema,
        interactions,
        decoder,
        pretrain: pretrain.map_or(plain.clone(), |node| {
            let mut keys = Keys::of(node, "`pretrain`", out);
            let found = optimization(&mut keys, plain, out);
            keys.finish(out);
            found
        }),
        rl: rl.map_or(RlConfig { optimization: gentle.clone(), group: 32, joint: 0.5 }, |node| {
            let mut keys = Keys::of(node, "`rl`", out);
            let group = keys.int("group", out).map_or(32, |n| n as usize);
            let joint = real(&mut keys, "joint", 0.5, out);
            let found = RlConfig { optimization: optimization(&mut keys, gentle, out), group, joint };
            keys.finish(out);
            found
        }),
        seed,
    }
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
