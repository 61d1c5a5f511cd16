//! `rewardc generate`.

use std::io::Write;

use serde_json::json;

use super::args::GenerateArgs;
use super::ground::{Ground, bind, ground, load, reward, tests};
use super::program::could_not;
use super::{Exit, Ui};
use crate::catalog::{Catalog, Free, Legal, Mask};
use crate::decoder::{Generated, LazyDecoder, Sampling, Written, beam_search, sample};
use crate::diagnostic::{Diagnostic, Fault, code};
use crate::host::{Capacity, Choice, Given, Groups, Rollouts, Scorer, Step};
use crate::train::{Place, Prompts};
use crate::types::Host;
use crate::write::write_whole;

/// Users that are decoded together.
const TOGETHER: usize = 64;

pub fn run(args: &GenerateArgs, ui: &mut Ui) -> Exit {
    work(args, ui).unwrap_or_else(|exit| exit)
}

fn work(args: &GenerateArgs, ui: &mut Ui) -> Result<Exit, Exit> {
    let ground = ground(&args.ground, ui)?;
    let reward = args.reward.as_ref().map(|path| reward(path, &args.settings, ui)).transpose()?;
    let users = tests(&ground.sequences, args.who.held_out, args.who.users);
    let lines = write_all(args, &ground, reward.as_ref(), &users, ui).map_err(|fault| could_not(ui, *fault))?;
    match &args.out {
        None => ui.print(&lines),
        Some(path) => {
            let written = write_whole(path, |file| file.write_all(lines.as_bytes()));
            written.map_err(|e| {
                let message = format!("cannot write `{}`: {e}", path.display());
                could_not(ui, Diagnostic::bare(&code::UNWRITABLE, message))
            })?;
            ui.print(&format!("wrote {}: {} users\n", path.display(), users.len()));
        }
    }
    Ok(Exit::Fine)
}

fn write_all(
    args: &GenerateArgs,
    Ground { config, catalog, sequences, device }: &Ground,
    reward: Option<&crate::host::Reward>,
    users: &[Place],
    ui: &Ui,
) -> Result<String, Fault> {
    if args.temperature.is_nan() || args.temperature <= 0.0 || args.length == 0 {
        return Err(Box::new(
            Diagnostic::bare(&code::ARGUMENT, "`--temperature` is above 0, and `--length` 1 or more")
                .help("`--temperature 1` draws as the model says"),
        ));
    }
    let model = load(&args.checkpoint, config, &**catalog, device)?.model()?;
    let candidates = args.candidates.unwrap_or(args.length * if reward.is_some() { 4 } else { 1 });
    let capacity = Capacity { requests: TOGETHER, group: candidates, list: config.decoder.history };
    let bound = reward.map(|reward| bind(reward, catalog, Host::Serving, capacity).build());
    let mut scorer = bound.transpose()?;
    let watch = ui.progress();
    let mut lines = String::new();
    for (i, chunk) in users.chunks(TOGETHER).enumerate() {
        crate::data::Progress::step(&watch, &format!("{} of {} users", i * TOGETHER, users.len()));
        let prompts = Prompts::new(sequences, chunk, config.decoder.history, &**catalog);
        let seed = config.seed.wrapping_add(i as u64);
        let some = Together { args, model: &model, catalog: &**catalog, prompts: &prompts, candidates, seed };
        let lists = match &mut scorer {
            None => some.plain()?,
            Some(scorer) => some.chosen(scorer)?,
        };
        for ((user, _), list) in chunk.iter().zip(lists) {
            for (place, line) in list.into_iter().enumerate() {
                let head = json!({"user": user, "place": place + 1});
                lines += &format!("{}\n", joined(head, line));
            }
        }
    }
    watch.done();
    Ok(lines)
}

/// Some users whose lists are written together.
struct Together<'a> {
    args: &'a GenerateArgs,
    model: &'a LazyDecoder,
    catalog: &'a dyn Catalog,
    prompts: &'a Prompts<'a>,
    candidates: usize,
    seed: u64,
}

impl Together<'_> {
    fn decode(&self, mask: &dyn Mask) -> Result<Generated, Fault> {
        let failed = crate::train::failed;
        let context = self.model.read(&self.prompts.histories).map_err(failed)?;
        let (n, temperature, seed) = (self.candidates, self.args.temperature, self.seed);
        let written = if self.args.sample {
            sample(self.model, &context, mask, Sampling { n, temperature, seed })
        } else {
            beam_search(self.model, &context, mask, n)
        };
        written.map_err(failed)
    }

    fn told(&self, written: &Written) -> serde_json::Value {
        let places = self.catalog.behind(&written.sid);
        let items = self.catalog.by_sid().get(places.start as usize..places.end as usize).unwrap_or(&[]);
        let keys: Vec<&str> = items.iter().map(|i| self.catalog.key(*i)).collect();
        json!({"sid": written.sid, "items": keys, "log_prob": written.log_prob, "masked": written.masked})
    }

    /// The first of what was written.
    fn plain(&self) -> Result<Vec<Vec<serde_json::Value>>, Fault> {
        let shape = &self.model.config().shape;
        let legal = Legal::all(self.catalog);
        let free = Free { shape };
        let written = self.decode(if self.args.free { &free } else { &legal })?;
        let list = |found: &Vec<Written>| found.iter().take(self.args.length).map(|w| self.told(w)).collect();
        Ok(written.requests.iter().map(list).collect())
    }

    /// What a reward chooses from what may be written under its rules.
    fn chosen(&self, scorer: &mut Scorer<'_>) -> Result<Vec<Vec<serde_json::Value>>, Fault> {
        let requests = self.prompts.requests(scorer);
        let mut written = self.decode(&scorer.masks(&requests)?)?;
        // A SID that was drawn twice is one candidate.
        for request in &mut written.requests {
            let mut seen = std::collections::BTreeSet::new();
            request.retain(|w| seen.insert(w.sid.clone()));
        }
        let (codes, offsets) = written.flat();
        let log_probs: Vec<f64> = written.requests.iter().flatten().map(|w| w.log_prob).collect();
        let mut rollouts = Rollouts::new(Groups::Offsets(&offsets)).sids(&codes, self.catalog.n_levels());
        if let Some(input) = scorer.input("log_prob") {
            rollouts = rollouts.with(input, Given::Doubles(&log_probs));
        }
        let step = Step { seed: self.seed, step: 0 };
        let slates = scorer.choose(&requests, &rollouts, step, &Choice::of(self.args.length))?;
        let flat: Vec<&Written> = written.requests.iter().flatten().collect();
        let totals = scorer.last();
        let line = |row: &u32| {
            let written = flat.get(*row as usize)?;
            let total = totals.total().get(*row as usize, 0);
            Some(joined(self.told(written), json!({"total": total})))
        };
        Ok(slates.all().iter().map(|s| s.slate.rows.iter().filter_map(line).collect()).collect())
    }
}

/// The fields of both.
fn joined(mut a: serde_json::Value, b: serde_json::Value) -> serde_json::Value {
    if let (Some(a), serde_json::Value::Object(b)) = (a.as_object_mut(), b) {
        a.extend(b);
    }
    a
}
