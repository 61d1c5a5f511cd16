//! `rewardc demo --train`: the whole way once, from a catalog to a policy that a reward has moved.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use super::super::args::{
    CatalogArgs, CatalogCommand, CheckArgs, DemoArgs, EvalArgs, Format, GroundArgs, PretrainArgs, RlArgs, RunFiles,
    SummaryFormat, TrainArgs, TrainCommand, Users,
};
use super::super::{Exit, Ui, catalog, check, eval, train};
use super::{command, world};
use crate::diagnostic::{Diagnostic, code};
use crate::write::write_whole;

const FILES: [(&str, &str); 4] = [
    ("feed.reward", include_str!("../../../rewards/demo/feed.reward")),
    ("feed.yaml", include_str!("../../../rewards/demo/feed.yaml")),
    ("config.yaml", include_str!("../../../rewards/demo/config.yaml")),
    ("controllers.yaml", include_str!("../../../rewards/demo/controllers.yaml")),
];

pub fn run(args: &DemoArgs, folder: &Path, ui: &mut Ui) -> Exit {
    if let Err(e) = lay_out(folder, args.seed) {
        ui.report_bare(Diagnostic::bare(&code::UNWRITABLE, format!("cannot write into `{}`: {e}", folder.display())));
        return Exit::CouldNotRun;
    }
    ui.print(&format!(
        "A made-up world lies in {}/: 1,440 videos with semantic IDs, 3,000 users, a reward that holds marketing\n\
         to a fifth of what is served, and a config. Each step prints the command that it stands for.\n",
        folder.display()
    ));
    steps(folder, ui).unwrap_or_else(|exit| exit)
}

fn steps(folder: &Path, ui: &mut Ui) -> Result<Exit, Exit> {
    let begun = Instant::now();
    let at = |name: &str| folder.join(name);
    let told = |name: &str| at(name).display().to_string();
    let fine = |exit: Exit| if exit == Exit::Fine { Ok(()) } else { Err(exit) };
    let ground = || GroundArgs {
        config: at("config.yaml"),
        data: folder.to_path_buf(),
        catalog: Some(at("feed.catalog")),
        device: "cpu".into(),
        seed: None,
    };
    let files = |out: &str| RunFiles {
        out: at(out),
        resume: false,
        allow_other_settings: false,
        save_every: None,
        metrics: None,
    };
    let shared = format!("{} --data {} --catalog {}", told("config.yaml"), folder.display(), told("feed.catalog"));

    command(ui, &format!("rewardc check {}", told("feed.reward")));
    fine(check::run(&CheckArgs { files: vec![at("feed.reward")], format: Format::Human, deny: None }, ui))?;

    command(
        ui,
        &format!(
            "rewardc catalog build --schema {} --data {} --out {}",
            told("feed.yaml"),
            folder.display(),
            told("feed.catalog")
        ),
    );
    let build = CatalogCommand::Build { schema: at("feed.yaml"), data: folder.to_path_buf(), out: at("feed.catalog") };
    fine(catalog::run(&CatalogArgs { command: build }, ui))?;

    command(ui, &format!("rewardc train pretrain {shared} --out {}", told("base.safetensors")));
    let pretrain = PretrainArgs { ground: ground(), run: files("base.safetensors") };
    fine(train::run(&TrainArgs { command: TrainCommand::Pretrain(pretrain) }, ui))?;

    command(
        ui,
        &format!(
            "rewardc train rl {shared} --checkpoint {} --reward {} --controllers {} --out {}",
            told("base.safetensors"),
            told("feed.reward"),
            told("controllers.yaml"),
            told("steered.safetensors")
        ),
    );
    let rl = RlArgs {
        ground: ground(),
        run: files("steered.safetensors"),
        checkpoint: at("base.safetensors"),
        reward: at("feed.reward"),
        controllers: Some(at("controllers.yaml")),
        settings: Vec::new(),
        allow_other_reward: false,
    };
    fine(train::run(&TrainArgs { command: TrainCommand::Rl(rl) }, ui))?;

    let question = |checkpoint: &str| EvalArgs {
        ground: ground(),
        checkpoint: at(checkpoint),
        who: Users { held_out: true, users: None },
        validation: false,
        length: 10,
        beams: None,
        reward: Some(at("feed.reward")),
        settings: Vec::new(),
        sampled: 4,
        at_most: None,
        baselines: false,
        format: SummaryFormat::Human,
    };
    let mut rows = Vec::new();
    let mut classes = Vec::new();
    for (name, checkpoint) in [("before", "base.safetensors"), ("after", "steered.safetensors")] {
        let reward = told("feed.reward");
        command(
            ui,
            &format!(
                "rewardc eval {shared} --checkpoint {} --reward {reward} --held-out --sampled 4",
                told(checkpoint)
            ),
        );
        let (found, seen) = eval::judged(&question(checkpoint), ui)?;
        rows.extend(found.into_iter().map(|(_, found)| (name, found)));
        classes = seen;
    }
    ui.print(&eval::table(&question("base.safetensors"), &rows, &classes));
    ui.print(&format!(
        "\nDone in {} s. No reward had a part in these lists: only the policy has changed.\n\
         Now change the cap in {}, and run the last three commands again.\n",
        begun.elapsed().as_secs(),
        told("feed.reward")
    ));
    Ok(Exit::Fine)
}

/// Writes the demo's files; what it makes itself is made anew.
fn lay_out(folder: &Path, seed: u64) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, text) in FILES {
        // What a newcomer has changed stays changed.
        if !folder.join(name).exists() {
            write_whole(&folder.join(name), |f| f.write_all(text.as_bytes()))?;
        }
    }
    let made = world::make(seed);
    for (name, text) in [("videos.csv", made.videos), ("users.ndjson", made.users)] {
        write_whole(&folder.join(name), |f| f.write_all(text.as_bytes()))?;
    }
    for name in ["base.safetensors", "base.jsonl", "steered.safetensors", "steered.jsonl"] {
        match std::fs::remove_file(folder.join(name)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    Ok(())
}
