//! `rewardc generate`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use serde_json::{Value, json};

use super::args::GenerateArgs;
use super::brings::bind;
use super::ground::{Ground, asked, ground, is_held_out, load, reward, spread};
use super::program::could_not;
use super::{Exit, Ui};
use crate::catalog::{Catalog, Free, Legal, Mask};
use crate::decoder::{Generated, LazyDecoder, Sampling, Written, beam_search, sample};
use crate::diagnostic::{Diagnostic, Fault, code};
use crate::host::{Choice, ChosenSlate, Given, Groups, Rollouts, Scorer, Step};
use crate::slate::Slate;
use crate::train::{Lengths, Part, Place, Prompts, Sequences};
use crate::types::Host;
use crate::write::write_whole;

/// Users that are decoded together.
const TOGETHER: usize = 64;

pub fn run(args: &GenerateArgs, ui: &mut Ui) -> Exit {
    work(args, ui).unwrap_or_else(|exit| exit)
}

fn work(args: &GenerateArgs, ui: &mut Ui) -> Result<Exit, Exit> {
    let mut ground = ground(&args.ground, ui)?;
    let reward = args.reward.as_ref().map(|path| reward(path, &args.settings, ui)).transpose()?;
    let users = who(args, &ground.sequences);
    let lines = write_all(args, &mut ground, reward.as_ref(), &users, ui).map_err(|fault| could_not(ui, *fault))?;
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

/// Every user, behind all that they took; or behind all but the last.
fn who(args: &GenerateArgs, sequences: &Sequences) -> Vec<Place> {
    if args.leave_last {
        return asked(sequences, Part::Test, args.who.held_out, args.who.users);
    }
    let whole = sequences.users.iter().zip(0..).map(|(items, user)| (user, items.len() as u32));
    let of_half = whole.filter(|at| !args.who.held_out || is_held_out(at));
    spread(of_half.collect(), args.who.users)
}

fn write_all(
    args: &GenerateArgs,
    ground: &mut Ground,
    reward: Option<&crate::host::Reward>,
    users: &[Place],
    ui: &Ui,
) -> Result<String, Fault> {
    if args.temperature.is_nan() || args.temperature <= 0.0 {
        return Err(Box::new(
            Diagnostic::bare(&code::ARGUMENT, "`--temperature` is above 0")
                .help("`--temperature 1` draws as the model says"),
        ));
    }
    let most = reward.map_or(usize::MAX, |reward| reward.program().longest.group as usize);
    let plenty = (args.length * if reward.is_some() { 4 } else { 1 }).min(most);
    let candidates = args.candidates.unwrap_or(plenty);
    let bound = reward.map(|reward| bind(ground, reward, Host::Serving, (TOGETHER, candidates))?.build());
    let mut scorer = bound.transpose()?;
    let Ground { config, catalog, sequences, device, .. } = &*ground;
    let mut checkpoint = load(&args.checkpoint, config, &**catalog, device)?;
    let model = checkpoint.model()?;
    let lengths = Lengths {
        history: config.decoder.history,
        past: reward.map_or(0, |reward| reward.program().longest.history as usize),
    };
    let mut choices = Choices::default();
    let watch = ui.progress();
    let mut lines = String::new();
    for (i, chunk) in users.chunks(TOGETHER).enumerate() {
        crate::data::Progress::step(&watch, &format!("{} of {} users", i * TOGETHER, users.len()));
        let prompts = Prompts::new(sequences, chunk, lengths, &**catalog);
        let seed = config.seed.wrapping_add(i as u64);
        let some = Together { args, model: &model, catalog: &**catalog, prompts: &prompts, candidates, seed };
        let lists = match &mut scorer {
            None => some.plain()?,
            Some(scorer) => some.chosen(scorer, &mut choices)?,
        };
        for ((user, _), list) in chunk.iter().zip(lists) {
            for (place, line) in list.into_iter().enumerate() {
                let key = sequences.keys.get(*user as usize).map_or_else(|| json!(user), |key| json!(key));
                let head = json!({"user": key, "place": place + 1});
                lines += &format!("{}\n", joined(head, line));
            }
        }
    }
    watch.done();
    choices.told(ui);
    Ok(lines)
}

/// What choices could not do.
#[derive(Default)]
struct Choices {
    lists: usize,
    /// By hard cap, in how many lists it gave way.
    relaxed: BTreeMap<String, usize>,
    /// By hard cap, how many lists it refused.
    refused: BTreeMap<String, usize>,
    empty_places: usize,
    /// Lists without anything.
    empty: usize,
}

impl Choices {
    fn see(&mut self, slate: &Slate) {
        self.lists += 1;
        self.empty_places += slate.empty_places;
        self.empty += usize::from(slate.rows.is_empty());
        slate.relaxed.iter().for_each(|r| *self.relaxed.entry(r.cap.clone()).or_default() += 1);
        slate.refused.iter().for_each(|cap| *self.refused.entry(cap.clone()).or_default() += 1);
    }

    fn told(&self, ui: &Ui) {
        for (cap, n) in &self.relaxed {
            ui.note(&format!("note: `{cap}` gave way in {n} of {} lists: too few candidates keep it\n", self.lists));
        }
        for (cap, n) in &self.refused {
            ui.note(&format!("note: `{cap}` refused {n} of {} lists\n", self.lists));
        }
        if self.empty > 0 {
            ui.note(&format!(
                "note: {} of {} users have an empty list: nothing legal, or nothing that could be scored\n",
                self.empty, self.lists
            ));
        }
        if self.empty_places > 0 {
            ui.note(&format!(
                "note: {} places are empty: no candidate was left that keeps every rule\n",
                self.empty_places
            ));
        }
    }
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

    fn told(&self, written: &Written, items: &[u32]) -> Value {
        let keys: Vec<&str> = items.iter().map(|i| self.catalog.key(*i)).collect();
        json!({"sid": written.sid, "items": keys, "log_prob": written.log_prob, "masked": written.masked})
    }

    fn behind(&self, written: &Written) -> &[u32] {
        let places = self.catalog.behind(&written.sid);
        self.catalog.by_sid().get(places.start as usize..places.end as usize).unwrap_or(&[])
    }

    /// The first of what was written.
    fn plain(&self) -> Result<Vec<Vec<Value>>, Fault> {
        let shape = &self.model.config().shape;
        let legal = Legal::all(self.catalog);
        let free = Free { shape };
        let written = self.decode(if self.args.free { &free } else { &legal })?;
        let list =
            |found: &Vec<Written>| found.iter().take(self.args.length).map(|w| self.told(w, self.behind(w))).collect();
        Ok(written.requests.iter().map(list).collect())
    }

    /// What a reward chooses from what may be written under its rules.
    fn chosen(&self, scorer: &mut Scorer<'_>, choices: &mut Choices) -> Result<Vec<Vec<Value>>, Fault> {
        let requests = self.prompts.requests(scorer);
        let mut written = self.decode(&scorer.masks(&requests)?)?;
        // A SID that was drawn twice is one candidate.
        for request in &mut written.requests {
            let mut seen = BTreeSet::new();
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
        let list = |chosen: &ChosenSlate| {
            choices.see(&chosen.slate);
            let rows = chosen.slate.rows.iter().zip(&chosen.slate.totals).zip(&chosen.items);
            let line = |((row, total), item): ((&u32, &f64), &i32)| {
                let written = flat.get(*row as usize)?;
                // Of several items behind a SID the one that was judged (R5.10).
                let item: Vec<u32> = u32::try_from(*item).into_iter().collect();
                Some(joined(self.told(written, &item), json!({"total": total})))
            };
            rows.filter_map(line).collect()
        };
        Ok(slates.all().iter().map(list).collect())
    }
}

/// The fields of both.
fn joined(mut a: Value, b: Value) -> Value {
    if let (Some(a), Value::Object(b)) = (a.as_object_mut(), b) {
        a.extend(b);
    }
    a
}
