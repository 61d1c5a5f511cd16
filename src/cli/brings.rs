//! What a run brings to its reward: what sequences and decoder know, request features and keys of users, and the
//! predictions of models.

use std::sync::Arc;

use super::ground::Ground;
use crate::data::{read_signals, read_user_columns};
use crate::diagnostic::{Diagnostic, Fault, code};
use crate::host::{Binding, Capacity, CoOccurrence, Need, Owner, Reward, SignalSource, is_predictable};
use crate::train::{Predicted, Predictions};
use crate::types::Host;

/// A binding that brings histories, in training what was taken next, `log_prob` (the decoder's own of a whole SID),
/// columns of the interactions' file, and the models that the config names. Room for `requests` of `group` rollouts
/// each.
///
/// # Errors
/// Groups larger than the schema's longest (RW0903): every rollout would be unscorable. Files and columns that
/// cannot be used.
pub fn bind<'s>(
    ground: &mut Ground,
    reward: &Reward,
    host: Host,
    (requests, group): (usize, usize),
) -> Result<Binding<'s>, Fault> {
    let longest = reward.program().longest;
    if group as u64 > longest.group {
        let message = format!("groups of {group} are asked for, and the schema's longest is {}", longest.group);
        return Err(Box::new(
            Diagnostic::bare(&code::CAPACITY, message)
                .help(format!("ask for {} or fewer, or say `spans: {{longest: {{group: {group}}}}}`", longest.group)),
        ));
    }
    let needs = reward.needs(host);
    let reads = |owner| needs.iter().any(|n| n.owner == owner);
    let capacity = Capacity { requests, group, list: longest.history as usize };
    let mut binding = reward.bind_to(Arc::clone(&ground.catalog)).host(host).capacity(capacity);
    for model in &ground.config.signals {
        for feature in model.features() {
            is_predictable(reward.schema(), "signals", feature)?;
        }
    }
    nobody_brings(ground, &needs)?;
    // Of the models those that the reward reads of, and others of the same features.
    let is_read = |p: &&Predictions| {
        p.features().iter().any(|f| needs.iter().any(|n| n.owner == Owner::Signal && n.feature == *f))
    };
    let models: Vec<Predictions> = ground.config.signals.iter().filter(is_read).cloned().collect();
    if reads(Owner::Past) || models.iter().any(|p| matches!(p.by, Predicted::Follows { .. })) {
        binding = binding.past(&["sid"]);
    }
    if reads(Owner::Wanted) {
        binding = binding.wanted(&["sid"]);
    }
    if needs.iter().any(|n| n.owner == Owner::Rollout && n.feature == "log_prob") {
        binding = binding.rollout(&["log_prob"]);
    }
    let of_users: Vec<String> = needs.iter().filter(|n| n.owner == Owner::Request).map(|n| n.feature.clone()).collect();
    let (schema, keys) = (reward.schema(), &ground.sequences.keys);
    ground.sequences.features = read_user_columns(&ground.interactions, keys, (schema, &ground.data), &of_users)?;
    binding = binding.request(&of_users.iter().map(String::as_str).collect::<Vec<_>>());
    binding = binding.fail_above(ground.config.fail_above);
    for model in &models {
        let source = source(ground, &model.by)?;
        binding = if model.held_out { binding.held_out(source) } else { binding.signals(source) };
    }
    Ok(binding)
}

/// What a command cannot bring, in one message: what is missing in its config, and what only a program can give.
///
/// # Errors
/// RW0901.
fn nobody_brings(ground: &Ground, needs: &[Need]) -> Result<(), Fault> {
    let predicted: Vec<&str> =
        ground.config.signals.iter().filter(|p| !p.held_out).flat_map(Predictions::features).collect();
    let lacks = |need: &Need| {
        let name = &need.feature;
        let why = match need.owner {
            Owner::Signal if !predicted.contains(&name.as_str()) => {
                "a model predicts it: `signals: [{table: FILE, item: COLUMN, features: [NAME]}]` in the config"
            }
            Owner::Rollout if name != "log_prob" => "only `log_prob` is known of a rollout",
            Owner::Past | Owner::Wanted if name != "sid" => "of histories and targets only `sid` is known",
            _ => return None,
        };
        Some(format!("  `{name}`: {why}"))
    };
    let lines: Vec<String> = needs.iter().filter_map(lacks).collect();
    if lines.is_empty() {
        return Ok(());
    }
    let message = format!("the reward reads what nobody brings:\n{}", lines.join("\n"));
    Err(Box::new(
        Diagnostic::bare(&code::NO_PROVIDER, message)
            .help("a program that binds the reward itself may bring anything (docs/plug-in.md)"),
    ))
}

/// A model of the config.
fn source(ground: &Ground, by: &Predicted) -> Result<Box<dyn SignalSource>, Fault> {
    match by {
        Predicted::Table { file, item, user, features } => {
            if user.is_some() && ground.sequences.keys.is_empty() {
                let message = format!("`{file}` is by user, and nothing says which user a request is of");
                return Err(Box::new(
                    Diagnostic::bare(&code::SIGNAL, message)
                        .help("name the column of their keys: `interactions: {…, user: COLUMN}`"),
                ));
            }
            let features: Vec<&str> = features.iter().map(String::as_str).collect();
            Ok(Box::new(read_signals(&ground.data.join(file), item, user.as_deref(), &features)?))
        }
        Predicted::Follows { feature, window, recent, smoothing } => {
            let mut counts = CoOccurrence::new(feature).window(*window).recent(*recent).smoothing(*smoothing);
            // Histories come as SIDs.
            counts = counts.by_sid(&*ground.catalog);
            // What is learned from, and no more: validation and test are to be predicted.
            for items in &ground.sequences.users {
                counts.add(items.get(..items.len().saturating_sub(2)).unwrap_or(&[]));
            }
            Ok(Box::new(counts))
        }
    }
}
