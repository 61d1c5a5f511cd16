//! `rewardc control`.

use std::path::Path;

use super::args::{ControlArgs, ControlCommand, ControlFiles, Format};
use super::program::{checked_program, could_not};
use super::{Exit, Ui};
use crate::check::unreadable;
use crate::control::{Controllers, Moved, Observed, step};
use crate::diagnostic::{Diagnostic, code};
use crate::eval::{CapState, ControlState};
use crate::host::{load_or_start_of, save};
use crate::program::{Cap, Charge, Program};
use crate::source::DiskFiles;
use crate::types::shown_number;

/// A program with its controllers and the state they move.
struct Ready {
    program: Program,
    controllers: Controllers,
    state: ControlState,
}

pub fn run(args: &ControlArgs, ui: &mut Ui) -> Exit {
    match &args.command {
        ControlCommand::Show(files) => match prepare(files, ui) {
            Ok(ready) => show(&ready, ui),
            Err(exit) => exit,
        },
        ControlCommand::Step { files, observed, data, catalog, dry_run } => {
            let ready = match prepare(files, ui) {
                Ok(ready) => ready,
                Err(exit) => return exit,
            };
            let observed = match (observed, data) {
                (Some(path), _) => read(path, &ready.program, ui),
                (None, Some(data)) => measure(files, data, catalog.as_deref(), &ready, ui),
                (None, None) => Ok(Observed::default()),
            };
            match observed {
                Ok(observed) => moved(&ready, files, &observed, *dry_run, ui),
                Err(exit) => exit,
            }
        }
    }
}

fn prepare(files: &ControlFiles, ui: &mut Ui) -> Result<Ready, Exit> {
    let (_, program) = checked_program(&files.file, &files.settings, ui)?;
    let controllers = Controllers::load(&files.controllers, &program).map_err(|unsound| {
        let unread = unsound.diagnostics.iter().all(|d| d.labels.is_empty());
        ui.report(&unsound.diagnostics, &unsound.sources, Format::Human);
        if unread { Exit::CouldNotRun } else { Exit::Findings }
    })?;
    let mut state = load_or_start_of(&files.state, &program.reward_id()).map_err(|fault| could_not(ui, *fault))?;
    let unknown = state.caps.keys().find(|name| !program.caps().any(|(_, c)| c.name == **name));
    if let Some(unknown) = unknown {
        let message = format!("the state speaks of a cap `{unknown}` that the file does not have");
        return Err(could_not(ui, Diagnostic::bare(&code::STATE, message).help("take it out of the state")));
    }
    controllers.begin(&mut state);
    Ok(Ready { program, controllers, state })
}

fn read(path: &Path, program: &Program, ui: &mut Ui) -> Result<Observed, Exit> {
    let (_, text) = DiskFiles::around(path)
        .and_then(|f| f.read_entry(path))
        .map_err(|fault| could_not(ui, unreadable(path, &fault)))?;
    Observed::from_json(&text, program).map_err(|why| {
        let message = format!("`{}` is no measurement: {why}", path.display());
        let help = r#"for example {"requests": 500, "caps": {"NAME": {"spans": 500, "share": 0.12}}}"#;
        could_not(ui, Diagnostic::bare(&code::OBSERVED, message).help(help))
    })
}

/// What a log shows of the caps that count what was shown.
#[cfg(feature = "data")]
fn measure(
    files: &ControlFiles,
    data: &Path,
    catalog: Option<&Path>,
    ready: &Ready,
    ui: &mut Ui,
) -> Result<Observed, Exit> {
    use super::args::InputArgs;
    use super::score;
    use crate::control::{Counted, Seen};
    use crate::eval::Evaluator;
    use crate::eval::reference::Reference;

    let args = InputArgs {
        file: files.file.clone(),
        data: data.to_path_buf(),
        host: "logs".into(),
        state: None,
        seed: 0,
        catalog: catalog.map(Path::to_path_buf),
        settings: files.settings.clone(),
    };
    let watch = ui.progress();
    let log = score::prepare(&args, ui, &watch)?;
    let scores = Reference.score(&log.program, &log.bound.batch, log.run());
    watch.done();
    let scores = scores.map_err(|refusal| could_not(ui, score::refused(&refusal)))?;
    let caps = ready.program.caps().filter_map(|(i, cap)| {
        ready.controllers.caps.get(&cap.name).filter(|c| c.counts == Counted::Shown)?;
        Some((cap.name.clone(), Seen::Share { share: scores.matches.get(&i)?.share, age: 0 }))
    });
    Ok(Observed { requests: log.bound.batch.request_keys.len() as u64, caps: caps.collect() })
}

#[cfg(not(feature = "data"))]
fn measure(_: &ControlFiles, _: &Path, _: Option<&Path>, _: &Ready, ui: &mut Ui) -> Result<Observed, Exit> {
    let fault = Diagnostic::bare(&code::NOT_BUILT_IN, "this build reads no data files");
    Err(could_not(ui, fault.help("build with `--features data`, or hand in `--observed`")))
}

fn moved(ready: &Ready, files: &ControlFiles, observed: &Observed, dry_run: bool, ui: &mut Ui) -> Exit {
    let stepped = match step(&ready.program, &ready.controllers, &ready.state, observed) {
        Ok(stepped) => stepped,
        Err(fault) => return could_not(ui, *fault),
    };
    if !dry_run && let Err(fault) = save(&stepped.state, &files.state) {
        return could_not(ui, *fault);
    }
    ui.print(&format!("{}, {} requests\n", ready.program.reward_id(), observed.requests));
    for moved in &stepped.moved {
        ui.print(&line(moved));
    }
    let end =
        if dry_run { "nothing written: a dry run".to_string() } else { format!("wrote {}", files.state.display()) };
    ui.print(&format!("{end}\n"));
    Exit::Fine
}

fn percent(share: f64) -> String {
    format!("{}%", shown_number((share * 1e4).round() / 100.0))
}

fn line(moved: &Moved) -> String {
    let lambda = match moved.lambda {
        Some((was, now)) if was == now => format!("lambda stays {}", shown_number(now)),
        Some((was, now)) => format!("lambda {} to {}", shown_number(was), shown_number(now)),
        None => "no price".to_string(),
    };
    let share = match (moved.share, moved.unmeasured) {
        (_, n) if n > 0 => format!("not measured for {n} {}", if n == 1 { "step" } else { "steps" }),
        (Some((share, target)), _) => format!("share {} of {}", percent(share), percent(target)),
        (None, _) => "counted, its window is not full yet".to_string(),
    };
    format!("  {}: {share}, {lambda}\n", moved.cap)
}

fn show(ready: &Ready, ui: &mut Ui) -> Exit {
    ui.print(&format!("{}, controllers {}\n", ready.program.reward_id(), ready.controllers.name));
    for (_, cap) in ready.program.caps() {
        let state = ready.state.caps.get(&cap.name).cloned().unwrap_or_default();
        if let Some(text) = standing(cap, &state, ready) {
            ui.print(&format!("  {}: {text}\n", cap.name));
        }
    }
    Exit::Fine
}

/// Where a cap with a state stands; none for one without.
fn standing(cap: &Cap, state: &CapState, ready: &Ready) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(Charge::Dual { up_to }) = cap.charge {
        let lambda = shown_number(state.lambda.unwrap_or(0.0));
        parts.push(format!("lambda {lambda} of up to {}", shown_number(ready.program.setting(up_to))));
    }
    if let Some(share) = state.share {
        parts.push(format!("share {}", percent(share)));
    }
    if let Some(shown) = state.shown {
        parts.push(format!("{} of {shown} shown match", state.matching.as_ref().map_or(0, |m| m.of(None))));
    }
    match (ready.controllers.caps.get(&cap.name), &state.memory) {
        (None, _) if parts.is_empty() => return None,
        (None, _) if state.shown.is_some() => {}
        (None, _) => parts.push("no controller: it stays".into()),
        (Some(controller), None) => {
            parts.push(format!("nothing counted yet, counts what is {}", controller.counts.as_str()));
        }
        (Some(controller), Some(memory)) => {
            if memory.weight > 0.0 {
                parts.push(format!("measured {} of {}", percent(memory.share), percent(memory.target)));
            }
            parts.push(format!("{} updates", memory.updates));
            if let Some(window) = controller.window {
                parts.push(format!("{} requests, {} steps since, of {window}", memory.requests, memory.steps));
            }
            if memory.unmeasured > 0 {
                parts.push(format!("not measured for {} steps", memory.unmeasured));
            }
        }
    }
    Some(parts.join(", "))
}
