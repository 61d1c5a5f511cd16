//! `rewardc demo`: everything once, on a small made-up feed.

mod feed;
#[cfg(feature = "decoder")]
mod train;
#[cfg(feature = "decoder")]
mod world;

use std::io::Write;
use std::path::{Path, PathBuf};

use super::args::{CheckArgs, DemoArgs, Format, InputArgs, ScoreArgs, SummaryFormat, TestArgs, WhyArgs};
use super::{Exit, Ui};
use crate::diagnostic::{Diagnostic, code};
use crate::write::write_whole;

const REWARD: &str = include_str!("../../../rewards/short_video/main_feed.reward");
const SCHEMA: &str = include_str!("../../../rewards/short_video/short_video.yaml");

pub fn run(args: &DemoArgs, ui: &mut Ui) -> Exit {
    let name = if args.train { "rewardc-demo-train" } else { "rewardc-demo" };
    let folder = args.dir.clone().unwrap_or_else(|| PathBuf::from(name));
    if args.train {
        return trained(args, &folder, ui);
    }
    if let Err(e) = lay_out(&folder, args.seed) {
        ui.report_bare(Diagnostic::bare(&code::UNWRITABLE, format!("cannot write into `{}`: {e}", folder.display())));
        return Exit::CouldNotRun;
    }
    let reward = folder.join("main_feed.reward");
    ui.print(&format!(
        "A made-up feed of {} requests lies in {}/: the log, its videos, the schema, and the reward\nof the main feed. Each step prints the command that it stands for.\n",
        feed::REQUESTS,
        folder.display()
    ));
    let path = |p: &Path| p.display().to_string();
    let (file, data, out) = (path(&reward), path(&folder), folder.join("scores.parquet"));

    command(ui, &format!("rewardc check {file}"));
    let check = CheckArgs { files: vec![reward.clone()], format: Format::Human, deny: None };
    let checked = super::check::run(&check, ui);
    if checked != Exit::Fine {
        return checked;
    }
    command(ui, &format!("rewardc test {file}"));
    let tested = super::test::run(&TestArgs { paths: vec![reward.clone()], format: Format::Human }, ui);
    if tested != Exit::Fine {
        return tested;
    }
    let input = || InputArgs {
        file: reward.clone(),
        data: folder.clone(),
        host: "logs".into(),
        state: None,
        seed: 0,
        catalog: None,
        settings: Vec::new(),
    };
    command(ui, &format!("rewardc score {file} --data {data} --out {}", out.display()));
    let score = ScoreArgs { input: input(), out: Some(out), format: SummaryFormat::Human };
    let scored = super::score::run(&score, ui);
    if scored != Exit::Fine {
        return scored;
    }
    command(ui, &format!("rewardc why {file} --data {data} --row {}", feed::TELLING_ROW));
    let why = WhyArgs { input: input(), row: feed::TELLING_ROW, lets: true, format: SummaryFormat::Human };
    let explained = super::why::run(&why, ui);
    ui.print(&format!("\nNow change {file}, for example the weights of `liking`, and run the commands again.\n"));
    explained
}

#[cfg(feature = "decoder")]
fn trained(args: &DemoArgs, folder: &Path, ui: &mut Ui) -> Exit {
    train::run(args, folder, ui)
}

#[cfg(not(feature = "decoder"))]
fn trained(_: &DemoArgs, _: &Path, ui: &mut Ui) -> Exit {
    ui.report_bare(
        Diagnostic::bare(&code::NOT_BUILT_IN, "this build has no decoder").help("build with `--features decoder`"),
    );
    Exit::CouldNotRun
}

fn command(ui: &mut Ui, words: &str) {
    let line = ui.bold(&format!("$ {words}"));
    ui.print(&format!("\n{line}\n"));
}

/// Writes the demo's files.
fn lay_out(folder: &Path, seed: u64) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let feed = feed::make(seed);
    let files = [
        ("main_feed.reward", REWARD.to_string()),
        ("short_video.yaml", SCHEMA.to_string()),
        ("videos.csv", feed.videos),
        ("log.ndjson", feed.log),
    ];
    for (name, text) in files {
        // What a newcomer has changed stays changed.
        let edited = matches!(name, "main_feed.reward" | "short_video.yaml") && folder.join(name).exists();
        if edited {
            continue;
        }
        write_whole(&folder.join(name), |f| f.write_all(text.as_bytes()))?;
    }
    Ok(())
}
