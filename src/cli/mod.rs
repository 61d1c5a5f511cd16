//! The command line: one file a command, thin.
//!
//! Exit codes: 0 fine (warnings included), 1 findings, 2 could not run; 130 stopped by Ctrl-C.

mod args;
#[cfg(all(feature = "data", feature = "decoder"))]
mod brings;
mod catalog;
mod check;
mod control;
#[cfg(all(feature = "data", feature = "decoder"))]
mod decoder;
#[cfg(feature = "data")]
mod demo;
#[cfg(all(feature = "data", feature = "decoder"))]
mod eval;
mod explain;
mod fmt;
#[cfg(all(feature = "data", feature = "decoder"))]
mod generate;
#[cfg(all(feature = "data", feature = "decoder"))]
mod ground;
mod interrupt;
mod program;
#[cfg(feature = "data")]
mod schema;
#[cfg(feature = "data")]
mod score;
mod test;
#[cfg(all(feature = "data", feature = "decoder"))]
mod train;
mod ui;
#[cfg(feature = "data")]
mod why;

use std::process::ExitCode;

use clap::Parser;

use crate::diagnostic;
use args::{Cli, Command};
use ui::Ui;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Fine,
    Findings,
    CouldNotRun,
    /// Stopped by Ctrl-C, with everything saved.
    #[cfg(all(feature = "data", feature = "decoder"))]
    Interrupted,
}

/// Parses the arguments and runs the command.
#[must_use]
pub fn main() -> ExitCode {
    #[cfg(feature = "decoder")]
    one_thread_a_tensor();
    // Walks over expressions recurse; a thread of its own has room for the deepest one allowed.
    let worker = std::thread::Builder::new().stack_size(256 << 20).spawn(run);
    let exit = match worker.map(std::thread::JoinHandle::join) {
        Ok(Ok(exit)) => exit,
        _ => Exit::CouldNotRun,
    };
    match exit {
        Exit::Fine => ExitCode::SUCCESS,
        Exit::Findings => ExitCode::from(1),
        Exit::CouldNotRun => ExitCode::from(2),
        #[cfg(all(feature = "data", feature = "decoder"))]
        Exit::Interrupted => ExitCode::from(130),
    }
}

/// Shards of a batch have a thread each (`train::shards`); with threads of its own inside each, candle takes
/// twice as long. What somebody asks for stands.
#[cfg(feature = "decoder")]
#[expect(unsafe_code, reason = "the environment is set while no other thread runs")]
fn one_thread_a_tensor() {
    for name in ["RAYON_NUM_THREADS", "CANDLE_NUM_THREADS"] {
        if std::env::var_os(name).is_none() {
            unsafe { std::env::set_var(name, "1") };
        }
    }
}

fn run() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no faults, and neither is a closed pipe.
            if !error.use_stderr() || error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
                let _ = error.print();
                return if error.use_stderr() { Exit::CouldNotRun } else { Exit::Fine };
            }
            let text = error.to_string();
            let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
            let message = first.trim_start_matches("error: ").trim().to_string();
            let help = rest
                .lines()
                .map(|l| l.trim().trim_start_matches("tip: "))
                .filter(|l| !l.is_empty() && !l.starts_with("For more information"))
                .collect::<Vec<_>>()
                .join("\n");
            let help = if help.is_empty() { "see `rewardc --help`".to_string() } else { help };
            let fault = diagnostic::Diagnostic::bare(&diagnostic::code::ARGUMENT, message).help(help);
            Ui::new(args::Color::Auto).report_bare(fault);
            return Exit::CouldNotRun;
        }
    };
    let mut ui = Ui::new(cli.color);
    // Of the others none writes, and none takes long.
    if !matches!(cli.command, Command::Check(_) | Command::Explain(_)) {
        interrupt::on_interrupt();
    }
    let exit = match &cli.command {
        Command::Check(args) => check::run(args, &mut ui),
        Command::Explain(args) => explain::run(args, &mut ui),
        Command::Fmt(args) => fmt::run(args, &mut ui),
        Command::Test(args) => test::run(args, &mut ui),
        Command::Control(args) => control::run(args, &mut ui),
        Command::Catalog(args) => catalog::run(args, &mut ui),
        #[cfg(feature = "data")]
        Command::Score(args) => score::run(args, &mut ui),
        #[cfg(feature = "data")]
        Command::Why(args) => why::run(args, &mut ui),
        #[cfg(feature = "data")]
        Command::Schema(args) => schema::run(args, &mut ui),
        #[cfg(feature = "data")]
        Command::Demo(args) => demo::run(args, &mut ui),
        #[cfg(all(feature = "data", feature = "decoder"))]
        Command::Train(args) => train::run(args, &mut ui),
        #[cfg(all(feature = "data", feature = "decoder"))]
        Command::Generate(args) => generate::run(args, &mut ui),
        #[cfg(all(feature = "data", feature = "decoder"))]
        Command::Eval(args) => eval::run(args, &mut ui),
        #[cfg(all(feature = "data", feature = "decoder"))]
        Command::Decoder(args) => decoder::run(args, &mut ui),
        #[cfg(not(all(feature = "data", feature = "decoder")))]
        Command::Train(_) | Command::Generate(_) | Command::Eval(_) | Command::Decoder(_) => {
            use crate::diagnostic::{Diagnostic, code};
            ui.report_bare(
                Diagnostic::bare(&code::NOT_BUILT_IN, "this build has no decoder")
                    .help("build with `--features decoder`"),
            );
            Exit::CouldNotRun
        }
        #[cfg(not(feature = "data"))]
        Command::Score(_) | Command::Why(_) | Command::Schema(_) | Command::Demo(_) => {
            use crate::diagnostic::{Diagnostic, code};
            ui.report_bare(
                Diagnostic::bare(&code::NOT_BUILT_IN, "this build reads no data files")
                    .help("build with `--features data`"),
            );
            Exit::CouldNotRun
        }
    };
    if ui.finish() { exit } else { Exit::CouldNotRun }
}
