//! What training, generation and evaluation stand on: config, catalog, users' sequences, device.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::Device;

use super::args::{Format, GroundArgs};
use super::program::could_not;
use super::{Exit, Ui};
use crate::catalog::{Catalog, FileCatalog};
use crate::check::unreadable;
use crate::control::Controllers;
use crate::data::{Frame, content_id, read_catalog, read_sequences, read_user_keys};
use crate::diagnostic::{Diagnostic, Diagnostics, Fault, Unsound, code};
use crate::host::{Reward, Scorer};
use crate::schema;
use crate::source::{DiskFiles, Sources};
use crate::train::{AdamW, Checkpoint, Class, Interactions, Part, Place, Sequences, Settings, TrainConfig};

/// What was read.
pub struct Ground {
    pub config: TrainConfig,
    pub catalog: Arc<dyn Catalog>,
    pub sequences: Sequences,
    pub device: Device,
    /// The file of what users took.
    pub interactions: Frame,
    /// The folder of the data files.
    pub data: PathBuf,
    /// The files that a run's bits follow from, by what they hold.
    files: [(&'static str, Vec<PathBuf>); 2],
}

impl Ground {
    /// Hashes of the interactions, and of the items with all that is known of them.
    pub fn hashes(&self) -> Result<Settings, Fault> {
        let of = |(name, paths): &(&str, Vec<PathBuf>)| {
            let hashes = paths.iter().map(|path| hash_of(path)).collect::<Result<Vec<_>, Fault>>()?;
            Ok((name.to_string(), hashes.join(" ")))
        };
        self.files.iter().map(of).collect()
    }
}

pub fn unsound(ui: &mut Ui, unsound: &Unsound) -> Exit {
    ui.report(&unsound.diagnostics, &unsound.sources, Format::Human);
    Exit::Findings
}

/// A config, with the shape of its schema's SIDs.
pub fn config(path: &Path, ui: &mut Ui) -> Result<(TrainConfig, schema::Schema), Exit> {
    let read = |path: &Path, ui: &mut Ui| {
        let read = DiskFiles::around(path).and_then(|f| f.read_entry(path));
        read.map_err(|fault| could_not(ui, unreadable(path, &fault)))
    };
    let (name, text) = read(path, ui)?;
    let mut config = TrainConfig::from_text(&name, &text).map_err(|u| unsound(ui, &u))?;
    let beside = path.parent().unwrap_or(Path::new("")).join(&config.schema);
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
    Ok((config, schema))
}

pub fn ground(args: &GroundArgs, ui: &mut Ui) -> Result<Ground, Exit> {
    let (mut config, schema) = config(&args.config, ui)?;
    if let Some(seed) = args.seed {
        config.seed = seed;
    }
    let watch = ui.progress();
    let opened = open(args, &schema, &config, &watch);
    watch.done();
    let (catalog, interactions, sequences) = opened.map_err(|f| could_not(ui, *f))?;
    let files = files(args, &schema, &config);
    let device = device(&args.device).map_err(|f| could_not(ui, *f))?;
    Ok(Ground { config, catalog, sequences, device, interactions, data: args.data.clone(), files })
}

type Opened = (Arc<dyn Catalog>, Frame, Sequences);

fn open(
    args: &GroundArgs,
    schema: &schema::Schema,
    config: &TrainConfig,
    watch: &dyn crate::data::Progress,
) -> Result<Opened, Fault> {
    let catalog: Arc<dyn Catalog> = match &args.catalog {
        Some(file) => Arc::new(FileCatalog::open(file)?),
        None => Arc::new(read_catalog(schema, &args.data, watch)?),
    };
    let shape = &config.decoder.shape;
    let fits = catalog.shape().iter().zip(shape).all(|(used, codes)| used <= codes);
    if catalog.n_levels() != shape.len() || shape.is_empty() || !fits {
        let message = format!("the catalog's codes fill {:?}, and the schema's SIDs have {shape:?}", catalog.shape());
        return Err(Box::new(
            Diagnostic::bare(&code::CATALOG, message)
                .help("a decoder writes the SIDs of the schema that its config names"),
        ));
    }
    let Interactions { file, items, user } = &config.interactions;
    let frame = crate::data::read(&args.data.join(file))?;
    let users = read_sequences(&frame, items, &*catalog)?;
    let keys = user.as_ref().map_or(Ok(Vec::new()), |column| read_user_keys(&frame, column))?;
    Ok((catalog, frame, Sequences { users, keys, features: Vec::new() }))
}

/// The interactions' file, and those of items.
fn files(args: &GroundArgs, schema: &schema::Schema, config: &TrainConfig) -> [(&'static str, Vec<PathBuf>); 2] {
    let named = schema.catalog.iter().map(|c| &c.file).chain(schema.sources.iter().map(|s| &s.file));
    let mut items: Vec<PathBuf> = named.map(|file| args.data.join(file)).collect();
    items.extend(args.catalog.clone());
    // A schema may name a log besides, which no run reads.
    items.retain(|path| path.is_file());
    [("interactions", vec![args.data.join(&config.interactions.file)]), ("items", items)]
}

/// A hash of a file's bytes.
pub fn hash_of(path: &Path) -> Result<String, Fault> {
    let id = content_id(path)
        .map_err(|e| Box::new(Diagnostic::bare(&code::UNREADABLE, format!("cannot read `{}`: {e}", path.display()))))?;
    Ok(format!("{id:016x}"))
}

/// A device by its name: `cpu`, `cuda:0`.
fn device(name: &str) -> Result<Device, Fault> {
    let number = name.strip_prefix("cuda").map(|n| n.strip_prefix(':').unwrap_or("0").parse::<usize>());
    match (name, number) {
        ("cpu", _) => Ok(Device::Cpu),
        (_, Some(Ok(number))) => cuda(number),
        _ => Err(Box::new(
            Diagnostic::bare(&code::NOT_BUILT_IN, format!("there is no device `{name}`")).help("`cpu`, or `cuda:0`"),
        )),
    }
}

#[cfg(feature = "cuda")]
fn cuda(number: usize) -> Result<Device, Fault> {
    Device::new_cuda(number).map_err(|e| {
        // With a backtrace asked for, candle's message goes on for pages.
        let why = e.to_string();
        let message = format!("the GPU {number} cannot be used: {}", why.lines().next().unwrap_or(""));
        Box::new(Diagnostic::bare(&code::ARITHMETIC, message).help("`--device cpu` needs none"))
    })
}

#[cfg(not(feature = "cuda"))]
fn cuda(number: usize) -> Result<Device, Fault> {
    let message = format!("this build has no GPU code, and `cuda:{number}` is asked for");
    Err(Box::new(
        Diagnostic::bare(&code::NOT_BUILT_IN, message).help("build with `--features cuda` (docs/training.md)"),
    ))
}

/// Whether reinforcement learning never draws this user's requests: that half is what a run is judged by.
pub fn is_held_out((user, _): &Place) -> bool {
    !user.is_multiple_of(2)
}

/// What is looked for: of users that reinforcement learning does not see, or of all; no more than `most`.
pub fn asked(sequences: &Sequences, part: Part, held_out: bool, most: Option<usize>) -> Vec<Place> {
    let all = sequences.samples(part).into_iter().filter(|at| !held_out || is_held_out(at));
    spread(all.collect(), most)
}

/// No more than `most` of them, evenly spread: users come in an order that may mean something.
pub fn spread(all: Vec<Place>, most: Option<usize>) -> Vec<Place> {
    let (n, most) = (all.len(), most.unwrap_or(usize::MAX));
    if n <= most {
        return all;
    }
    (0..most).filter_map(|i| all.get((i as u128 * n as u128 / most as u128) as usize).copied()).collect()
}

/// A checkpoint to decode with or to begin from.
pub fn load(path: &Path, config: &TrainConfig, catalog: &dyn Catalog, device: &Device) -> Result<Checkpoint, Fault> {
    let checkpoint = Checkpoint::load(path, AdamW::new(0.0, config.rl.optimization.clip), device)?;
    checkpoint.check_catalog(catalog)?;
    checkpoint.check_decoder(&config.decoder)?;
    Ok(checkpoint)
}

/// Reads a reward and sets its params.
pub fn reward(path: &Path, settings: &[String], ui: &mut Ui) -> Result<Reward, Exit> {
    let mut reward = Reward::load(path).map_err(|u| unsound(ui, &u))?;
    for setting in settings {
        let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
        reward.set(name, value).map_err(|f| could_not(ui, *f))?;
    }
    Ok(reward)
}

/// How the caps of a reward are moved.
pub fn controllers(path: Option<&Path>, reward: &Reward, ui: &mut Ui) -> Result<Controllers, Exit> {
    let Some(path) = path else { return Ok(Controllers::default()) };
    Controllers::load(path, reward.program()).map_err(|u| unsound(ui, &u))
}

/// The classes of a reward's caps.
pub fn classes(scorer: &Scorer<'_>) -> Result<Vec<Class>, Fault> {
    Ok(scorer.classes()?.into_iter().map(|(name, members)| Class { name, members }).collect())
}
