//! The arguments of every command.

mod decoder;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use decoder::{DecoderArgs, EvalArgs, GenerateArgs, TrainArgs};
#[cfg(all(feature = "data", feature = "decoder"))]
pub use decoder::{DecoderCommand, GroundArgs, PretrainArgs, RlArgs, RunFiles, TrainCommand, Users};

/// Reward systems for generative recommendation, as files that are checked.
#[derive(Debug, Parser)]
#[command(name = "rewardc", version, about, max_term_width = 100)]
pub struct Cli {
    /// Colour in the output.
    #[arg(long, value_enum, default_value_t = Color::Auto, global = true)]
    pub color: Color,
    #[command(subcommand)]
    pub command: Command,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what is wrong with a reward file, and what is proved about it.
    Check(CheckArgs),
    /// Print the page of a code (RW0201) or of a function (tanh).
    Explain(ExplainArgs),
    /// Lay reward files out in the one way.
    Fmt(FmtArgs),
    /// Run the tests that stand in reward files.
    Test(TestArgs),
    /// Apply a reward to a log or to stored rollouts.
    Score(ScoreArgs),
    /// Show one score as a sum.
    Why(WhyArgs),
    /// Show the state of a reward's caps, or move it by what was measured.
    Control(ControlArgs),
    /// Check data against its schema.
    Schema(SchemaArgs),
    /// Make a catalog file, or say what is in one.
    Catalog(CatalogArgs),
    /// Train a decoder: on next items, then by a reward.
    Train(TrainArgs),
    /// Write items for users with a trained decoder.
    Generate(GenerateArgs),
    /// Say how good a decoder is, and what it shows.
    Eval(EvalArgs),
    /// Say what a decoder is made of.
    Decoder(DecoderArgs),
    /// Everything once, on a small made-up feed: no data needed.
    Demo(DemoArgs),
}

/// How findings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Human,
    Short,
    Json,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Reward files.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// What to treat as an error.
    #[arg(long, value_parser = ["warnings"])]
    pub deny: Option<String>,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A code or a function; left out: the list of all.
    pub name: Option<String>,
}

#[derive(Debug, Args)]
pub struct FmtArgs {
    /// Reward files; `-` or none: standard input to standard output.
    pub files: Vec<PathBuf>,
    /// Change nothing, only say which files are not formatted.
    #[arg(long)]
    pub check: bool,
}

#[derive(Debug, Args)]
pub struct TestArgs {
    /// Reward files or folders; left out: the folder we are in.
    pub paths: Vec<PathBuf>,
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// What `score` and `why` share.
#[derive(Debug, Args)]
pub struct InputArgs {
    /// The reward file.
    pub file: PathBuf,
    /// Folder of the data files that the schema names.
    #[arg(long)]
    pub data: PathBuf,
    /// The host to score as.
    #[arg(long, default_value = "logs", value_parser = ["logs", "training", "serving"])]
    pub host: String,
    /// State of caps (JSON); left out: every cap at its start.
    #[arg(long)]
    pub state: Option<PathBuf>,
    /// Seed of `pick … at random`.
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,
    /// Catalog (CSV or Parquet, one row an item).
    #[arg(long)]
    pub catalog: Option<PathBuf>,
    /// Give a `param` another value.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub settings: Vec<String>,
}

#[derive(Debug, Args)]
pub struct ScoreArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// Where to write the scores: `.parquet` or `.csv`.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// How the summary is written.
    #[arg(long, value_enum, default_value_t = SummaryFormat::Human)]
    pub format: SummaryFormat,
}

/// How a summary or explanation is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SummaryFormat {
    Human,
    Json,
}

#[derive(Debug, Args)]
pub struct WhyArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// Row of the data, from 1.
    #[arg(long, allow_negative_numbers = true)]
    pub row: usize,
    /// Show the value of every `let` too.
    #[arg(long)]
    pub lets: bool,
    #[arg(long, value_enum, default_value_t = SummaryFormat::Human)]
    pub format: SummaryFormat,
}

#[derive(Debug, Args)]
pub struct ControlArgs {
    #[command(subcommand)]
    pub command: ControlCommand,
}

#[derive(Debug, Subcommand)]
pub enum ControlCommand {
    /// Say where each cap stands.
    Show(ControlFiles),
    /// Move the state by a measurement, and write it in the place of the old one.
    Step {
        #[command(flatten)]
        files: ControlFiles,
        /// What was measured (JSON): `{"requests": 500, "caps": {"ads": {"spans": 500, "share": 0.12}}}`.
        #[arg(long, conflicts_with = "data", required_unless_present = "data")]
        observed: Option<PathBuf>,
        /// Measure it on a log: the folder of the data files that the schema names.
        #[arg(long)]
        data: Option<PathBuf>,
        /// Catalog of the log (CSV or Parquet, one row an item).
        #[arg(long, requires = "data")]
        catalog: Option<PathBuf>,
        /// Write nothing, only say what would move.
        #[arg(long)]
        dry_run: bool,
    },
}

/// What a reward's control stands on.
#[derive(Debug, Args)]
pub struct ControlFiles {
    /// The reward file.
    pub file: PathBuf,
    /// How its caps are moved (YAML).
    #[arg(long)]
    pub controllers: PathBuf,
    /// The state (JSON); a file that is not there yet stands for the start.
    #[arg(long)]
    pub state: PathBuf,
    /// Give a `param` another value.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub settings: Vec<String>,
}

#[derive(Debug, Args)]
pub struct SchemaArgs {
    #[command(subcommand)]
    pub command: SchemaCommand,
}

#[derive(Debug, Subcommand)]
pub enum SchemaCommand {
    /// Say what in the data breaks the contract.
    Check {
        /// The schema.
        file: PathBuf,
        /// Folder of the data files; left out: the schema alone is checked.
        #[arg(long)]
        data: Option<PathBuf>,
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
}

#[derive(Debug, Args)]
pub struct CatalogArgs {
    #[command(subcommand)]
    pub command: CatalogCommand,
}

#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    /// Put the items that a schema names, their SIDs and their features into one file.
    Build {
        /// The schema.
        #[arg(long)]
        schema: PathBuf,
        /// Folder of the data files.
        #[arg(long)]
        data: PathBuf,
        /// Where to write it.
        #[arg(long)]
        out: PathBuf,
    },
    /// Say what is in a catalog file.
    Info {
        /// The catalog.
        file: PathBuf,
        #[arg(long, value_enum, default_value_t = SummaryFormat::Human)]
        format: SummaryFormat,
    },
}

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Folder to put the demo into; left out: `rewardc-demo` here, `rewardc-demo-train` with `--train`.
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// The whole way in a few minutes: a catalog, a decoder that learns, and a reward that moves it.
    #[arg(long)]
    pub train: bool,
    /// Seed of what is made up.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}
