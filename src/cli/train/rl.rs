//! `rewardc train rl`.

use candle_core::Device;
use serde_json::{Map, Value, json};

use super::super::args::RlArgs;
use super::super::brings::bind;
use super::super::ground::{Ground, asked, classes, controllers, ground, is_held_out, load, reward};
use super::super::interrupt::stop_softly;
use super::super::program::could_not;
use super::super::{Exit, Ui};
use super::live::{Live, already_done, fresh_or_resumed, metrics_path};
use crate::data::content_id;
use crate::diagnostic::{Diagnostic, Fault, code};
use crate::eval::ControlState;
use crate::host::{Decode, Order, Reward, Scorer};
use crate::program::Charge;
use crate::train::{
    AdamW, Checkpoint, Class, Evaluation, Journal, Part, Question, Reinforcement, RlStep, Rollout, TrainConfig,
    evaluate, settings,
};
use crate::types::Host;

/// Held-out users that are looked at while a run goes.
const WATCHED: usize = 256;

pub fn run(args: &RlArgs, ui: &mut Ui) -> Result<Exit, Exit> {
    let mut ground = ground(&args.ground, ui)?;
    let reward = reward(&args.reward, &args.settings, ui)?;
    let controllers = controllers(args.controllers.as_deref(), &reward, ui)?;
    work(args, &mut ground, &reward, controllers, ui).map_err(|fault| could_not(ui, *fault))
}

fn work(
    args: &RlArgs,
    ground: &mut Ground,
    reward: &Reward,
    controllers: crate::control::Controllers,
    ui: &mut Ui,
) -> Result<Exit, Fault> {
    let size = (ground.config.rl.optimization.batch, ground.config.rl.group);
    let binding = bind(ground, reward, Host::Training, size)?;
    let Ground { config, catalog, sequences, device, .. } = &*ground;
    let (settings, out) = (&config.rl, &args.run.out);
    let checkpoint = begin(args, config, reward, device)?;
    checkpoint.check_decoder(&config.decoder)?;
    let reference = load(&args.checkpoint, config, &**catalog, device)?;
    let decode = if settings.masked { Decode::Masked } else { Decode::Free };
    let order = if settings.rollouts == Rollout::Beam { Order::Beam } else { Order::Sampled };
    let mut binding = binding.training(decode, order).controllers(controllers);
    if let Some(state) = &checkpoint.state {
        let broken = |why| Box::new(Diagnostic::bare(&code::STATE, format!("the checkpoint's state: {why}")));
        binding = binding.state(ControlState::from_json(state).map_err(broken)?);
    }
    let scorer = binding.build()?;
    scorer.notes().iter().for_each(|note| ui.note(&format!("note: {note}\n")));
    scorer.source_ids().iter().for_each(|id| ui.note(&format!("predictions: {id}\n")));
    uncontrolled(&scorer, ui);
    let classes = classes(&scorer)?;
    let samples: Vec<_> = sequences.samples(Part::Valid).into_iter().filter(|at| !is_held_out(at)).collect();
    let mut run =
        Reinforcement::new((checkpoint, reference), scorer, settings, (sequences, samples), &**catalog, config.seed)?;
    let steps = settings.optimization.steps;
    if run.checkpoint.step >= steps {
        return Ok(already_done(out, run.checkpoint.step, steps, ui));
    }
    let mut journal = Journal::open(&metrics_path(&args.run)?, run.checkpoint.step)?;
    let watched = asked(sequences, Part::Test, true, Some(WATCHED));
    // What is served is looked at as rollouts are written: another width finds other lists.
    let beams = if settings.rollouts == Rollout::Beam { settings.group } else { 10 };
    let question = Question { length: 10, beams, classes: &classes, sampled: 4, seed: config.seed, at_most: None };
    let stop = stop_softly();
    let mut live = Live::new(run.checkpoint.step, steps);
    let save_every = args.run.save_every.unwrap_or(20).max(1);
    let mut last_seen = String::new();
    while run.checkpoint.step < steps {
        let done = run.step()?;
        let step = run.checkpoint.step;
        let mut line = as_json(step, &done);
        if step.is_multiple_of(settings.watch.max(1)) || step == steps {
            let seen = evaluate(run.model(), sequences, &**catalog, &watched, &question, &|_| {})?;
            last_seen = said(&seen, &classes);
            line.insert("watched".into(), seen_json(&seen, &classes));
        }
        journal.write(&Value::Object(line))?;
        let text = told(&done, &mut live);
        live.show(step, &format!("{text}{last_seen}"), ui);
        let stopped = stop.is_asked();
        if step.is_multiple_of(save_every) || step == steps || stopped {
            run.checkpoint.save(out)?;
        }
        if stopped {
            return Ok(live.stopped(step, out, ui));
        }
    }
    live.done(ui);
    ui.print(&format!("wrote {}: step {} of {steps} under {}\n", out.display(), run.checkpoint.step, reward.id()));
    Ok(Exit::Fine)
}

/// Says of each price that nothing moves it.
fn uncontrolled(scorer: &Scorer<'_>, ui: &Ui) {
    for (_, cap) in scorer.program().caps() {
        let is_dual = matches!(cap.charge, Some(Charge::Dual { .. }));
        if is_dual && scorer.state().caps.get(&cap.name).is_none_or(|c| c.lambda.is_none()) {
            ui.note(&format!(
                "note: nothing moves the price of `{}`, and it stays at 0: see `--controllers`\n",
                cap.name
            ));
        }
    }
}

/// The run's own checkpoint, or a new run from another.
fn begin(args: &RlArgs, config: &TrainConfig, reward: &Reward, device: &Device) -> Result<Checkpoint, Fault> {
    let optimizer = AdamW::new(config.rl.optimization.weight_decay, config.rl.optimization.clip);
    let mut own = settings(&config.rl, config.seed);
    for (name, path) in [("checkpoint", Some(&args.checkpoint)), ("controllers", args.controllers.as_ref())] {
        let Some(path) = path else { continue };
        let unread =
            |e| Box::new(Diagnostic::bare(&code::UNREADABLE, format!("cannot read `{}`: {e}", path.display())));
        own.insert(name.to_string(), format!("{:016x}", content_id(path).map_err(unread)?));
    }
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
    if resumed {
        checkpoint.check_run(&own)?;
    }
    checkpoint.run = own;
    if let Some(other) = checkpoint.reward.as_ref().filter(|id| **id != reward.id()) {
        if !args.allow_other_reward {
            let message = format!("`{}` was trained with {other}, and this is {}", path.display(), reward.id());
            return Err(Box::new(
                Diagnostic::bare(&code::CHECKPOINT, message)
                    .help("`--allow-other-reward` goes on all the same; its caps then begin anew"),
            ));
        }
        checkpoint.state = None;
    }
    if !resumed {
        (checkpoint.step, checkpoint.optimizer) = (0, optimizer);
    }
    Ok(checkpoint)
}

/// A step for a journal.
fn as_json(step: u64, done: &RlStep) -> Map<String, Value> {
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
fn told(done: &RlStep, live: &mut Live) -> String {
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

fn said(seen: &Evaluation, classes: &[Class]) -> String {
    let share = |(i, class): (usize, &Class)| {
        let served = seen.mean(|u| u.served.get(i).copied());
        let sampled = seen.mean(|u| u.sampled.get(i).copied());
        format!(", {} served {:.1} %, sampled {:.1} %", class.name, 100.0 * served, 100.0 * sampled)
    };
    classes.iter().enumerate().map(share).collect()
}

fn seen_json(seen: &Evaluation, classes: &[Class]) -> Value {
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
