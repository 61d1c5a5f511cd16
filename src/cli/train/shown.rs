//! What a step of reinforcement learning says of itself: to a journal, and to somebody who watches.

use serde_json::{Map, Value, json};

use super::live::Live;
use crate::train::{Class, Evaluation, RlStep};

/// A step for a journal.
pub fn as_json(step: u64, done: &RlStep) -> Map<String, Value> {
    let pair = |(name, mean, spread): &(String, f64, f64)| (name.clone(), json!({"mean": mean, "sd": spread}));
    let rules = done.counts.by_rule.iter().map(|(rule, n)| (rule.clone(), json!(n)));
    let reasons = done.counts.by_reason.iter().filter(|(_, n)| *n > 0).map(|(r, n)| ((*r).to_string(), json!(n)));
    let verdicts: Map<String, Value> =
        [("scored".to_string(), json!(done.counts.scored))].into_iter().chain(rules).chain(reasons).collect();
    let mut caps = Map::new();
    for ((name, rollouts), (_, span, _)) in done.shares.iter().zip(&done.counts.shares) {
        let moved = done.moved.iter().find(|m| m.cap == *name);
        let (target, lambda) = (moved.and_then(|m| Some(m.share?.1)), moved.and_then(|m| Some(m.lambda?.1)));
        let cap = json!({"rollouts": rollouts, "span": span, "target": target, "lambda": lambda});
        caps.insert(name.clone(), cap);
    }
    let signals = &done.counts.signals;
    let held_out = signals.held_out.iter().map(|(name, own, other)| (name.clone(), json!([own, other])));
    let held_out: Map<String, Value> = held_out.collect();
    let all = json!({
        "step": step,
        "loss": done.loss,
        "reward": {"mean": done.reward.0, "spread": done.reward.1},
        "constant_groups": done.constant_groups,
        "entropy": done.entropy,
        "kl": done.kl,
        "gradient": done.gradient,
        "parts": done.columns.iter().map(pair).collect::<Map<_, _>>(),
        "rollouts": done.counts.rollouts,
        "dead_ends": done.dead_ends,
        "verdicts": verdicts,
        "signals": {"pairs": signals.pairs, "failed": signals.failed, "held_out": held_out},
        "caps": caps,
        "seconds": {"decoder": done.seconds.decoder, "rollouts": done.seconds.rollouts, "reward": done.seconds.reward, "loss": done.seconds.loss},
    });
    if let Value::Object(map) = all { map } else { Map::new() }
}

/// The same for somebody who watches.
pub fn told(done: &RlStep, live: &mut Live) -> String {
    let mut text = format!(
        "reward {:.4} ± {:.4}, {:.0} % alike, entropy {:.3}",
        live.mean("reward", done.reward.0),
        live.mean("spread", done.reward.1),
        100.0 * done.constant_groups,
        live.mean("entropy", done.entropy)
    );
    let scored = done.counts.scored as f64 / done.counts.rollouts.max(1) as f64;
    if scored < 1.0 {
        text += &format!(", {:.1} % scored", 100.0 * scored);
    }
    for (cap, span, _) in &done.counts.shares {
        let price = done.moved.iter().find(|m| m.cap == *cap).and_then(|m| m.lambda);
        text += &format!(", {cap} {:.1} %", 100.0 * span.unwrap_or(0.0));
        if let Some((_, price)) = price {
            text += &format!(" at {price:.3}");
        }
    }
    text
}

/// What held-out users would be served.
pub fn said(seen: &Evaluation, classes: &[Class]) -> String {
    let share = |(i, class): (usize, &Class)| {
        let served = seen.mean(|u| u.served.get(i).copied());
        let sampled = seen.mean(|u| u.sampled.get(i).copied());
        format!(", {} served {:.1} %, sampled {:.1} %", class.name, 100.0 * served, 100.0 * sampled)
    };
    classes.iter().enumerate().map(share).collect()
}

/// The same for a journal.
pub fn seen_json(seen: &Evaluation, classes: &[Class]) -> Value {
    let by_class = |of: &dyn Fn(usize) -> f64| -> Map<String, Value> {
        classes.iter().enumerate().map(|(i, class)| (class.name.clone(), json!(of(i)))).collect()
    };
    json!({
        "users": seen.users.len(),
        "hr": seen.mean(|u| Some(u.hit)),
        "ndcg": seen.mean(|u| Some(u.ndcg)),
        "log_prob": seen.mean(|u| u.log_prob),
        "legal": seen.mean(|u| u.legal),
        "served": by_class(&|i| seen.mean(|u| u.served.get(i).copied())),
        "sampled": by_class(&|i| seen.mean(|u| u.sampled.get(i).copied())),
    })
}
