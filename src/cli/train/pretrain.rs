//! `rewardc train pretrain`.

use super::super::args::PretrainArgs;
use super::super::ground::{Ground, asked, ground};
use super::super::interrupt::stop_softly;
use super::super::program::could_not;
use super::super::{Exit, Ui};
use super::live::{Live, already_done, fresh_or_resumed, metrics_path, take_up};
use crate::diagnostic::{Diagnostic, Fault, code};
use crate::train::{AdamW, Checkpoint, Journal, Part, Pretraining, Question, evaluate};

/// Held-out users whose validation item is looked for while a run goes.
const WATCHED: usize = 1_000;

pub fn run(args: &PretrainArgs, ui: &mut Ui) -> Result<Exit, Exit> {
    let ground = ground(&args.ground, ui)?;
    work(args, &ground, ui).map_err(|fault| could_not(ui, *fault))
}

fn work(args: &PretrainArgs, ground: &Ground, ui: &mut Ui) -> Result<Exit, Fault> {
    let Ground { config, catalog, sequences, device, .. } = ground;
    let catalog = &**catalog;
    let (out, settings) = (&args.run.out, &config.pretrain);
    let optimizer = AdamW::new(settings.weight_decay, settings.clip);
    let mut own = crate::train::settings(settings, config.seed);
    // Of items it sees nothing but the SIDs, which the catalog's own hash speaks for.
    own.extend(ground.hashes()?.remove_entry("interactions"));
    let mut checkpoint = match fresh_or_resumed(&args.run)? {
        true => Checkpoint::load(out, optimizer, device)?,
        false => Checkpoint::new(&config.decoder, config.seed, catalog.id(), optimizer, device)?,
    };
    checkpoint.check_decoder(&config.decoder)?;
    if let Some(reward) = &checkpoint.reward {
        let message = format!("`{}` was trained with {reward}, and this is a run on next items", out.display());
        return Err(Box::new(Diagnostic::bare(&code::CHECKPOINT, message).help("write to another `--out`")));
    }
    take_up(&mut checkpoint, own, &args.run, ui)?;
    let params = checkpoint.weights.n_params();
    let mut run = Pretraining::new(checkpoint, settings, sequences, catalog, config.seed)?;
    if run.checkpoint.step >= settings.steps {
        return Ok(already_done(out, run.checkpoint.step, settings.steps, ui));
    }
    let mut journal = Journal::open(&metrics_path(&args.run)?, run.checkpoint.step)?;
    ui.note(&format!(
        "{} items, {} users, {} samples, {params} parameters\n",
        catalog.n_items(),
        sequences.users.len(),
        run.n_samples()
    ));
    let watched = asked(sequences, Part::Valid, true, Some(WATCHED));
    let question = Question { length: 10, beams: 10, classes: &[], sampled: 0, seed: config.seed, at_most: None };
    let mut last_seen = String::new();
    let stop = stop_softly();
    let mut live = Live::new(run.checkpoint.step, settings.steps);
    let save_every = args.run.save_every.unwrap_or(500).max(1);
    while run.checkpoint.step < settings.steps {
        let loss = run.step()?;
        let step = run.checkpoint.step;
        let mut validation = serde_json::Value::Null;
        if step.is_multiple_of(config.watch.max(1)) || step == settings.steps {
            let seen = evaluate(run.model(), sequences, catalog, &watched, &question, &|_| {})?;
            let (hr, ndcg) = (seen.mean(|u| Some(u.hit)), seen.mean(|u| Some(u.ndcg)));
            last_seen = format!(", HR@10 {hr:.4}, NDCG@10 {ndcg:.4}");
            validation = serde_json::json!({"users": watched.len(), "hr": hr, "ndcg": ndcg});
        }
        let rate = settings.rate(step);
        journal.write(&serde_json::json!({"step": step, "loss": loss, "lr": rate, "validation": validation}))?;
        let speed = settings.batch as f64 * live.rate(step);
        let mean = live.mean("loss", loss);
        live.show(step, &format!("loss {mean:.4}, {speed:.0} samples a second{last_seen}"), ui);
        let stopped = stop.is_asked();
        if step.is_multiple_of(save_every) || step == settings.steps || stopped {
            run.checkpoint.save(out)?;
        }
        if stopped {
            return Ok(live.stopped(step, out, ui));
        }
    }
    live.done(ui);
    ui.print(&format!("wrote {}: step {} of {}\n", out.display(), run.checkpoint.step, settings.steps));
    Ok(Exit::Fine)
}
