//! `rewardc train`.

use std::path::Path;
use std::sync::Arc;

use candle_core::Device;

use super::args::{Format, TrainArgs, TrainCommand, TrainFiles};
use super::program::could_not;
use super::{Exit, Ui};
use crate::catalog::{Catalog, MemoryCatalog};
use crate::check::unreadable;
use crate::control::Controllers;
use crate::data::{Silent, read_catalog, read_sequences};
use crate::decoder::LazyDecoder;
use crate::diagnostic::{Diagnostics, Fault, Unsound};
use crate::host::{Capacity, Decode, Given, Groups, Order, Requests, Reward, Rollouts, Scorer, Step};
use crate::schema;
use crate::source::{DiskFiles, Sources};
use crate::train::{
    AdamW, Checkpoint, Optimization, Part, Pretraining, Reinforcement, Sequences, TrainConfig, evaluate,
};

/// What every run reads first.
struct Ground {
    config: TrainConfig,
    catalog: Arc<MemoryCatalog>,
    sequences: Sequences,
}

pub fn run(args: &TrainArgs, ui: &mut Ui) -> Exit {
    let done = match &args.command {
        TrainCommand::Pretrain { run, resume } => pretrain(run, *resume, ui),
        TrainCommand::Rl { run, checkpoint, reward, controllers, settings } => {
            rl(run, checkpoint, reward, controllers.as_deref(), settings, ui)
        }
    };
    match done {
        Ok(()) => Exit::Fine,
        Err(exit) => exit,
    }
}

fn unsound(ui: &mut Ui, unsound: &Unsound) -> Exit {
    ui.report(&unsound.diagnostics, &unsound.sources, Format::Human);
    Exit::Findings
}

fn ground(files: &TrainFiles, ui: &mut Ui) -> Result<Ground, Exit> {
    let read = |path: &Path, ui: &mut Ui| {
        let read = DiskFiles::around(path).and_then(|f| f.read_entry(path));
        read.map_err(|fault| could_not(ui, unreadable(path, &fault)))
    };
    let (name, text) = read(&files.config, ui)?;
    let mut config = TrainConfig::from_text(&name, &text).map_err(|u| unsound(ui, &u))?;
    let beside = files.config.parent().unwrap_or(Path::new("")).join(&config.schema);
    let (schema_name, schema_text) = read(&beside, ui)?;
    let mut sources = Sources::default();
    let id = sources.add(schema_name, schema_text.clone());
    let mut found = Diagnostics::default();
    let schema = schema::read(&schema_text, id, &mut found);
    if found.has_errors() {
        ui.report(&found.sorted(), &sources, Format::Human);
        return Err(Exit::Findings);
    }
    config.decoder.shape = schema.sid_shape().unwrap_or(&[]).to_vec();
    let fault = |fault: Fault, ui: &mut Ui| could_not(ui, *fault);
    let catalog = read_catalog(&schema, &files.data, &Silent).map_err(|f| fault(f, ui))?;
    let (file, items) = &config.interactions;
    let users = read_sequences(&files.data.join(file), items, &catalog).map_err(|f| fault(f, ui))?;
    Ok(Ground { config, catalog: Arc::new(catalog), sequences: Sequences { users } })
}

fn optimizer(settings: &Optimization) -> AdamW {
    AdamW::new(settings.weight_decay, settings.clip)
}

fn pretrain(files: &TrainFiles, resume: bool, ui: &mut Ui) -> Result<(), Exit> {
    let Ground { config, catalog, sequences } = ground(files, ui)?;
    let (settings, device) = (&config.pretrain, Device::Cpu);
    let optimizer = optimizer(settings);
    let checkpoint = if resume {
        Checkpoint::load(&files.out, optimizer, &device)
    } else {
        Checkpoint::new(&config.decoder, config.seed, catalog.id(), optimizer, &device)
    };
    let checkpoint = checkpoint.map_err(|f| could_not(ui, *f))?;
    checkpoint.check_decoder(&config.decoder).map_err(|f| could_not(ui, *f))?;
    let params = checkpoint.weights.n_params();
    let mut run =
        Pretraining::new(checkpoint, settings, &sequences, &*catalog, config.seed).map_err(|f| could_not(ui, *f))?;
    ui.note(&format!("{} items, {} users, {params} parameters\n", catalog.n_items(), sequences.users.len()));
    let begun = std::time::Instant::now();
    let (mut sum, mut n) = (0.0, 0.0);
    while run.checkpoint.step < settings.steps {
        sum += run.step().map_err(|f| could_not(ui, *f))?;
        n += 1.0;
        let step = run.checkpoint.step;
        if step.is_multiple_of(100) || step == settings.steps {
            let seconds = begun.elapsed().as_secs_f64();
            ui.note(&format!("step {step} of {}: loss {:.4}, {seconds:.0} s\n", settings.steps, sum / n));
            (sum, n) = (0.0, 0.0);
            run.checkpoint.save(&files.out).map_err(|f| could_not(ui, *f))?;
        }
    }
    let model = run.model().clone();
    report(&model, &sequences, &*catalog, &[], ui)
}

/// Whether reinforcement learning never draws this user's requests: that half is what a run is judged by.
fn is_held_out((user, _): &(u32, u32)) -> bool {
    !user.is_multiple_of(2)
}

/// What a policy is worth, and what it shows, on the users that reinforcement learning does not see; decoded
/// under the catalog's mask alone.
fn report(
    model: &LazyDecoder,
    sequences: &Sequences,
    catalog: &dyn Catalog,
    classes: &[(String, Vec<bool>)],
    ui: &mut Ui,
) -> Result<(), Exit> {
    let samples: Vec<_> = sequences.samples(Part::Test).into_iter().filter(is_held_out).take(4_000).collect();
    let found =
        evaluate(model, sequences, catalog, (&samples, 10), classes, &mut |_| {}).map_err(|f| could_not(ui, *f))?;
    ui.print(&format!(
        "{} held-out users: HR@10 {:.4} by SID, {:.4} by item, NDCG@10 {:.4}\n",
        found.users, found.hit_rate_sid, found.hit_rate, found.ndcg
    ));
    for ((class, _), share) in classes.iter().zip(&found.shares) {
        ui.print(&format!("  {class}: {:.2} % of what is served\n", 100.0 * share));
    }
    Ok(())
}

/// The items of each cap's class, as the reward itself says.
fn classes(
    scorer: &mut Scorer<'_>,
    catalog: &MemoryCatalog,
    config: &TrainConfig,
) -> Result<Vec<(String, Vec<bool>)>, Fault> {
    let caps: Vec<String> = scorer.reward().program().caps().map(|(_, c)| c.name.clone()).collect();
    let mut classes: Vec<(String, Vec<bool>)> = caps.into_iter().map(|c| (c, Vec::new())).collect();
    let items: Vec<u32> = (0..catalog.n_items() as u32).collect();
    let (group, levels) = (config.rl.group, config.decoder.shape.len());
    for chunk in items.chunks(group * config.rl.optimization.batch) {
        let groups: Vec<u32> = (0..chunk.len() as u32).step_by(group).chain([chunk.len() as u32]).collect();
        let n = groups.len() - 1;
        let none = vec![0; n + 1];
        let mut requests = Requests::new(n);
        if let Some(input) = scorer.past_input("sid") {
            requests = requests.past(&none).with(input, Given::Sids { codes: &[], levels });
        }
        if let Some(input) = scorer.wanted_input("sid") {
            requests = requests.wanted(&none).with(input, Given::Sids { codes: &[], levels });
        }
        let rollouts = Rollouts::new(Groups::Offsets(&groups)).items(chunk, catalog.id());
        let scored = scorer.score(&requests, &rollouts, Step::default())?;
        for (cap, members) in &mut classes {
            members.extend_from_slice(scored.matching(cap).unwrap_or(&[]));
        }
    }
    Ok(classes)
}

fn rl(
    files: &TrainFiles,
    from: &Path,
    reward: &Path,
    controllers: Option<&Path>,
    settings: &[String],
    ui: &mut Ui,
) -> Result<(), Exit> {
    let Ground { config, catalog, sequences } = ground(files, ui)?;
    let checkpoint = Checkpoint::load(from, optimizer(&config.rl.optimization), &Device::Cpu);
    let mut checkpoint = checkpoint.map_err(|f| could_not(ui, *f))?;
    checkpoint.optimizer = optimizer(&config.rl.optimization);
    let mut reward = Reward::load(reward).map_err(|u| unsound(ui, &u))?;
    for setting in settings {
        let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
        reward.set(name, value).map_err(|f| could_not(ui, *f))?;
    }
    let capacity =
        Capacity { requests: config.rl.optimization.batch, group: config.rl.group, list: config.decoder.history };
    let needs = reward.needs(crate::types::Host::Training);
    let reads = |owner| needs.iter().any(|n| n.owner == owner);
    let mut binding = reward.bind(&catalog).training(Decode::Masked, Order::Beam).capacity(capacity);
    if reads(crate::host::Owner::Past) {
        binding = binding.past(&["sid"]);
    }
    if reads(crate::host::Owner::Wanted) {
        binding = binding.wanted(&["sid"]);
    }
    if let Some(path) = controllers {
        let controllers = Controllers::load(path, reward.program()).map_err(|u| unsound(ui, &u))?;
        binding = binding.controllers(controllers);
    }
    let mut scorer = binding.build().map_err(|f| could_not(ui, *f))?;
    let classes = classes(&mut scorer, &catalog, &config).map_err(|f| could_not(ui, *f))?;
    scorer.forget_step();
    let samples = sequences.samples(Part::Valid).into_iter().filter(|at| !is_held_out(at)).collect();
    let mut run = Reinforcement::new(checkpoint, scorer, &config.rl, (&sequences, samples), &*catalog, config.seed)
        .map_err(|f| could_not(ui, *f))?;
    let begun = std::time::Instant::now();
    while run.checkpoint.step < config.rl.optimization.steps {
        let done = run.step().map_err(|f| could_not(ui, *f))?;
        let step = run.checkpoint.step;
        if step.is_multiple_of(10) {
            let shares: Vec<String> = done
                .counts
                .shares
                .iter()
                .map(|(cap, share, _)| format!("{cap} {:.1} %", 100.0 * share.unwrap_or(0.0)))
                .collect();
            let prices: Vec<String> = done.moved.iter().filter_map(|m| Some(format!("{:.3}", m.lambda?.1))).collect();
            ui.note(&format!(
                "step {step}: loss {:.4}, reward {:.4} ± {:.4}, cost {:.4}, {} price {}, {:.0} % constant, {:.0} s\n",
                done.loss,
                done.reward.0,
                done.reward.1,
                done.cost,
                shares.join(" "),
                prices.join(" "),
                100.0 * done.constant_groups,
                begun.elapsed().as_secs_f64()
            ));
        }
    }
    run.checkpoint.save(&files.out).map_err(|f| could_not(ui, *f))?;
    let model = run.model().clone();
    report(&model, &sequences, &*catalog, &classes, ui)
}
