//! YAML → a config.

use super::numbers::{real, share, size, whole};
use super::{Bound, Interactions, Normalization, Optimization, RlConfig, Rollout, TrainConfig, signals};
use crate::decoder::DecoderConfig;
use crate::diagnostic::{Diagnostic, Diagnostics, code};
use crate::yaml::{Keys, Node};

/// Reads the root of a config.
pub fn read(root: &Node, out: &mut Diagnostics) -> TrainConfig {
    let mut keys = Keys::of(root, "the config", out);
    let name = keys.need_text("train", out);
    let schema = keys.need_text("schema", out);
    let seed = whole(&mut keys, "seed", 1, out);
    let interactions = keys.need("interactions", out);
    let decoder = keys.take("decoder");
    let pretrain = keys.take("pretrain");
    let rl = keys.take("rl");
    let signals = keys.take("signals");
    let fail_above = share(&mut keys, "fail_above", 0.1, out);
    keys.finish(out);
    let interactions = interactions.map_or_else(Interactions::default, |node| {
        let mut keys = Keys::of(node, "`interactions`", out);
        let (file, items) = (keys.need_text("file", out), keys.need_text("items", out));
        let user = keys.text("user", out).map(|(column, _)| column.to_string());
        keys.finish(out);
        Interactions { file, items, user }
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
        let drop_items = share(&mut keys, "drop_items", plain.drop_items, out);
        let found = Optimization { drop_items, ..optimization(&mut keys, plain, out) };
        keys.finish(out);
        (found, watch)
    });
    TrainConfig {
        name,
        schema,
        interactions,
        signals: signals.map_or_else(Vec::new, |node| signals::read(node, out)),
        fail_above,
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
    let group = size(&mut keys, "group", plain.group, out);
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
        batch: size(keys, "batch", default.batch, out),
        lr: real(keys, "lr", default.lr, out),
        warm_up: whole(keys, "warm_up", default.warm_up, out),
        weight_decay: real(keys, "weight_decay", default.weight_decay, out),
        drop_items: default.drop_items,
        clip: real(keys, "clip", default.clip, out),
    }
}
