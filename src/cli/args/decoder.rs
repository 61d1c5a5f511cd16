//! The arguments of what has to do with a decoder.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::SummaryFormat;

/// The most of what is asked of one user.
const MOST: usize = 100_000;

/// A whole number from 1.
fn from_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| (1..=MOST).contains(n)).ok_or_else(|| format!("it is a whole number from 1 to {MOST}"))
}

/// A whole number from 0.
fn from_none(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n <= MOST).ok_or_else(|| format!("it is a whole number from 0 to {MOST}"))
}

/// How many users: any number of them.
fn some(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| "it is a whole number from 1".to_string())
}

#[derive(Debug, Args)]
pub struct TrainArgs {
    #[command(subcommand)]
    pub command: TrainCommand,
}

#[derive(Debug, Subcommand)]
pub enum TrainCommand {
    /// Learn to write the next item's SID.
    Pretrain(PretrainArgs),
    /// Learn by a reward, from a checkpoint.
    Rl(RlArgs),
}

/// What every decoder stands on.
#[derive(Debug, Args)]
pub struct GroundArgs {
    /// The config (YAML).
    pub config: PathBuf,
    /// Folder of the data files.
    #[arg(long)]
    pub data: PathBuf,
    /// A catalog file (`rewardc catalog build`); left out: what the schema names is read anew.
    #[arg(long)]
    pub catalog: Option<PathBuf>,
    /// Where tensors lie: `cpu`, `cuda:0`.
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// In the place of the config's `seed`.
    #[arg(long)]
    pub seed: Option<u64>,
}

/// What a run writes.
#[derive(Debug, Args)]
pub struct RunFiles {
    /// Where the checkpoint is written.
    #[arg(long)]
    pub out: PathBuf,
    /// Go on from the checkpoint at `--out`, if there is one.
    #[arg(long)]
    pub resume: bool,
    /// Go on with other settings or data than the run began with: it is then a run that only both could repeat.
    #[arg(long, requires = "resume")]
    pub allow_other_settings: bool,
    /// Steps between checkpoints; left out: 500 of `pretrain`, 20 of `rl`.
    #[arg(long)]
    pub save_every: Option<u64>,
    /// Where each step's numbers go (JSON, a line a step); left out: beside the checkpoint, `.jsonl`.
    #[arg(long)]
    pub metrics: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct PretrainArgs {
    #[command(flatten)]
    pub ground: GroundArgs,
    #[command(flatten)]
    pub run: RunFiles,
}

#[derive(Debug, Args)]
pub struct RlArgs {
    #[command(flatten)]
    pub ground: GroundArgs,
    #[command(flatten)]
    pub run: RunFiles,
    /// The checkpoint to begin with.
    #[arg(long)]
    pub checkpoint: PathBuf,
    /// The reward file.
    #[arg(long)]
    pub reward: PathBuf,
    /// How its caps are moved (YAML).
    #[arg(long)]
    pub controllers: Option<PathBuf>,
    /// Give a `param` another value.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub settings: Vec<String>,
    /// Go on from a checkpoint that was trained with another reward.
    #[arg(long)]
    pub allow_other_reward: bool,
}

/// Whose lists are made.
#[derive(Debug, Args)]
pub struct Users {
    /// Only users whose requests reinforcement learning never draws.
    #[arg(long)]
    pub held_out: bool,
    /// No more than so many, evenly spread over all.
    #[arg(long, value_parser = some)]
    pub users: Option<usize>,
}

#[derive(Debug, Args)]
pub struct GenerateArgs {
    #[command(flatten)]
    pub ground: GroundArgs,
    /// The decoder.
    #[arg(long)]
    pub checkpoint: PathBuf,
    #[command(flatten)]
    pub who: Users,
    /// Hide each user's last item, as `eval` does; left out: what may come behind all that they took.
    #[arg(long)]
    pub leave_last: bool,
    /// Items for each user.
    #[arg(long, default_value_t = 10, value_parser = from_one)]
    pub length: usize,
    /// Candidates for each user: beams, or draws; left out: four times `--length` with a reward, else as many.
    #[arg(long, value_parser = from_one)]
    pub candidates: Option<usize>,
    /// Draw instead of a beam search.
    #[arg(long)]
    pub sample: bool,
    /// Of draws.
    #[arg(long, default_value_t = 1.0, requires = "sample")]
    pub temperature: f64,
    /// Write without any mask: what is written may stand for no item.
    #[arg(long, conflicts_with = "reward")]
    pub free: bool,
    /// A reward for serving: its rules become masks, its `total` chooses, its hard caps are kept.
    #[arg(long)]
    pub reward: Option<PathBuf>,
    /// Give a `param` of it another value.
    #[arg(long = "set", value_name = "NAME=VALUE", requires = "reward")]
    pub settings: Vec<String>,
    /// Where to write (NDJSON, a line an item; `user` is the key that the config's
    /// `interactions: {user: COLUMN}` names, or the row, from 0); left out: standard
    /// output.
    #[arg(long)]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct EvalArgs {
    #[command(flatten)]
    pub ground: GroundArgs,
    /// The decoder.
    #[arg(long)]
    pub checkpoint: PathBuf,
    #[command(flatten)]
    pub who: Users,
    /// Look for each user's last item but one, by which settings are chosen; left out: for the last.
    #[arg(long)]
    pub validation: bool,
    /// Items of a list.
    #[arg(long, default_value_t = 10, value_parser = from_one)]
    pub length: usize,
    /// Width of the search, of which the first are the list, from `--length` on; left out: as wide. A list that is held to a
    /// share is looked for in four times as many.
    #[arg(long, value_parser = from_one)]
    pub beams: Option<usize>,
    /// A reward for training whose caps say which classes to look at; it has no part in what is decoded.
    #[arg(long)]
    pub reward: Option<PathBuf>,
    /// Give a `param` of it another value.
    #[arg(long = "set", value_name = "NAME=VALUE", requires = "reward")]
    pub settings: Vec<String>,
    /// Draws for each user, under the mask and without.
    #[arg(long, default_value_t = 0, value_parser = from_none)]
    pub sampled: usize,
    /// Hold lists to a share of a class, by the best beams that keep it: `CAP=10%`, of `--length`.
    #[arg(long, value_name = "CAP=SHARE", requires = "reward", conflicts_with = "baselines")]
    pub at_most: Option<String>,
    /// Popularity and what followed the last item, beside it.
    #[arg(long)]
    pub baselines: bool,
    #[arg(long, value_enum, default_value_t = SummaryFormat::Human)]
    pub format: SummaryFormat,
}

#[derive(Debug, Args)]
pub struct DecoderArgs {
    #[command(subcommand)]
    pub command: DecoderCommand,
}

#[derive(Debug, Subcommand)]
pub enum DecoderCommand {
    /// Say what a decoder is made of: parameters and operations, part by part.
    Describe {
        /// The config (YAML); its schema is read beside it.
        config: PathBuf,
        /// Beams of a search.
        #[arg(long, default_value_t = 10)]
        beams: u64,
        #[arg(long, value_enum, default_value_t = SummaryFormat::Human)]
        format: SummaryFormat,
    },
}
