//! `rewardc train rl`.

use serde_json::Value;

use super::super::args::RlArgs;
use super::super::brings::bind;
use super::super::ground::{Ground, asked, classes, controllers, ground, is_held_out, load, reward};
use super::super::interrupt::stop_softly;
use super::super::program::could_not;
use super::super::{Exit, Ui};
use super::begin::{begin, own_settings};
use super::live::{Live, already_done, metrics_path, take_up};
use super::shown::{as_json, said, seen_json, told};
use crate::diagnostic::{Diagnostic, Fault, code};
use crate::eval::ControlState;
use crate::host::{Decode, Order, Reward, Scorer};
use crate::program::Charge;
use crate::train::{Journal, Part, Question, Reinforcement, Rollout, evaluate};
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
    let mut checkpoint = begin(args, config, reward, device)?;
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
    let own = own_settings(args, ground, &scorer.source_ids())?;
    take_up(&mut checkpoint, own, &args.run, ui)?;
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
        if !watched.is_empty() && (step.is_multiple_of(settings.watch.max(1)) || step == steps) {
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
