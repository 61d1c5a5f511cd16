//! What a run of reinforcement learning begins with, and what its bits follow from.

use candle_core::Device;

use super::super::args::RlArgs;
use super::super::ground::{Ground, hash_of};
use super::live::fresh_or_resumed;
use crate::diagnostic::{Diagnostic, Fault, code};
use crate::host::Reward;
use crate::program::Constant;
use crate::train::{AdamW, Checkpoint, Settings, TrainConfig, differences, settings};

/// The run's own checkpoint, or a new run from another.
pub fn begin(args: &RlArgs, config: &TrainConfig, reward: &Reward, device: &Device) -> Result<Checkpoint, Fault> {
    let optimizer = AdamW::new(config.rl.optimization.weight_decay, config.rl.optimization.clip);
    let params = params(reward);
    let resumed = fresh_or_resumed(&args.run)?;
    let path = if resumed { &args.run.out } else { &args.checkpoint };
    let mut checkpoint = Checkpoint::load(path, optimizer.clone(), device)?;
    if resumed && checkpoint.reward.is_none() {
        let message = format!("`{}` is of a run on next items, and this one goes by a reward", path.display());
        return Err(Box::new(
            Diagnostic::bare(&code::CHECKPOINT, message)
                .help("name it with `--checkpoint`, and write to another `--out`"),
        ));
    }
    if let Some(other) = checkpoint.reward.as_ref().filter(|id| **id != reward.id()) {
        if !args.allow_other_reward {
            let differ = differences(&checkpoint.params, &params).map_or(String::new(), |d| format!(": {d}"));
            let message = format!("`{}` was trained with {other}, and this is {}{differ}", path.display(), reward.id());
            return Err(Box::new(
                Diagnostic::bare(&code::CHECKPOINT, message)
                    .help("`--allow-other-reward` goes on all the same; its caps then begin anew"),
            ));
        }
        checkpoint.state = None;
    }
    checkpoint.params = params;
    if !resumed {
        // Another run begins with the weights alone.
        (checkpoint.step, checkpoint.optimizer, checkpoint.state) = (0, optimizer, None);
    }
    Ok(checkpoint)
}

/// What a run's bits follow from.
pub fn own_settings(args: &RlArgs, ground: &Ground, scorer_sources: &[String]) -> Result<Settings, Fault> {
    let mut own = settings(&ground.config.rl, ground.config.seed);
    own.extend(ground.hashes()?);
    own.insert("checkpoint".into(), hash_of(&args.checkpoint)?);
    if let Some(path) = &args.controllers {
        own.insert("controllers".into(), hash_of(path)?);
    }
    if !scorer_sources.is_empty() {
        own.insert("predictions".into(), scorer_sources.join(", "));
    }
    Ok(own)
}

/// The values of a reward's params.
fn params(reward: &Reward) -> Settings {
    let text = |value: &Constant| match value {
        // Numbers of a program are of single precision.
        Constant::Number(n) => (*n as f32).to_string(),
        Constant::Bool(b) => b.to_string(),
        Constant::Text(t) => t.to_string(),
    };
    reward.program().params.iter().map(|p| (p.name.clone(), text(&p.value))).collect()
}
