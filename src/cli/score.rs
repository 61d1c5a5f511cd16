//! `rewardc score`, and what it shares with `why`.

use std::path::{Path, PathBuf};

use super::args::{InputArgs, ScoreArgs, SummaryFormat};
use super::program::{checked_program, could_not};
use super::{Exit, Ui};
use crate::check::{Checked, unreadable};
use crate::data::{Bound, Input, Progress, bind, write_scores, written_as_csv};
use crate::diagnostic::{Diagnostic, code, did_you_mean};
use crate::eval::reference::Reference;
use crate::eval::{ControlState, Evaluator, Refusal, Run, Scores};
use crate::program::Program;
use crate::report::{Summary, summarize};
use crate::source::DiskFiles;
use crate::types::Host;

/// A checked program with its bound data, ready to be scored.
pub struct Ready {
    pub program: Program,
    pub checked: Checked,
    pub bound: Bound,
    pub state: ControlState,
    pub host: Host,
    pub seed: u64,
}

impl Ready {
    /// The circumstances of the run.
    pub fn run(&self) -> Run<'_> {
        Run { host: self.host, state: &self.state, seed: self.seed, step: 0, stop: None }
    }
}

pub fn run(args: &ScoreArgs, ui: &mut Ui) -> Exit {
    if let Some(fault) = args.out.as_deref().and_then(unfit_output) {
        ui.report_bare(fault);
        return Exit::CouldNotRun;
    }
    let watch = ui.progress();
    let ready = match prepare(&args.input, ui, &watch) {
        Ok(ready) => ready,
        Err(exit) => return exit,
    };
    if let Some(path) = args.out.as_deref().filter(|p| is_input(p, &args.input, &ready.checked)) {
        watch.done();
        let message = format!("`{}` is one of the files that are read", path.display());
        ui.report_bare(Diagnostic::bare(&code::ARGUMENT, message).help("write the scores to a file of their own"));
        return Exit::CouldNotRun;
    }
    watch.step(&format!("scoring {} rows", ready.bound.batch.n_rows));
    let scores = match Reference.score(&ready.program, &ready.bound.batch, ready.run()) {
        Ok(scores) => scores,
        Err(refusal) => {
            watch.done();
            ui.report_bare(refused(&refusal));
            return Exit::CouldNotRun;
        }
    };
    if let Some(path) = &args.out {
        watch.step(&format!("writing {}", path.display()));
        let facts = facts(&ready, &scores);
        if let Err(fault) = write_scores(path, &ready.program, &ready.checked.schema, &ready.bound, &scores, &facts) {
            watch.done();
            ui.report_bare(*fault);
            return Exit::CouldNotRun;
        }
    }
    watch.done();
    let mut summary = summarize(&ready.program, &scores);
    notes(&ready, &mut summary);
    match args.format {
        SummaryFormat::Human => {
            ui.print(&format!("{} as {}\n", ready.program.reward_id(), ready.host));
            ui.print(&summary.text());
            if let Some(path) = &args.out {
                ui.print(&format!("\nwrote {}\n", path.display()));
            }
        }
        SummaryFormat::Json => match serde_json::to_value(&summary) {
            Ok(mut value) => {
                if let Some(object) = value.as_object_mut() {
                    object.insert("reward".into(), ready.program.reward_id().into());
                    object.insert("host".into(), ready.host.as_str().into());
                }
                ui.print(&format!("{value:#}\n"));
            }
            Err(_) => return Exit::CouldNotRun,
        },
    }
    Exit::Fine
}

/// What is wrong with an output path, said before any work is done.
fn unfit_output(path: &Path) -> Option<Diagnostic> {
    if let Err(fault) = written_as_csv(path) {
        return Some(*fault);
    }
    if path.is_dir() {
        let message = format!("cannot write `{}`: it is a folder", path.display());
        return Some(Diagnostic::bare(&code::UNWRITABLE, message).help("name a file in it"));
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    (!folder.is_dir()).then(|| {
        let message = format!("cannot write `{}`: there is no folder `{}`", path.display(), folder.display());
        Diagnostic::bare(&code::UNWRITABLE, message).help("make the folder first")
    })
}

/// Whether a path is one of the files that a run reads: to write there would lose them.
fn is_input(path: &Path, args: &InputArgs, checked: &Checked) -> bool {
    let mut beside = path.as_os_str().to_os_string();
    beside.push(".meta.json");
    let out: Vec<PathBuf> = [path, Path::new(&beside)].iter().filter_map(|p| p.canonicalize().ok()).collect();
    let files = checked.schema.sources.iter().map(|s| s.file.clone());
    let mut read: Vec<PathBuf> =
        files.chain(checked.schema.catalog.iter().map(|c| c.file.clone())).map(|f| args.data.join(f)).collect();
    read.extend([Some(args.file.clone()), args.state.clone(), args.catalog.clone()].into_iter().flatten());
    read.extend(checked.tables.iter().map(PathBuf::from));
    read.iter().any(|p| p.canonicalize().is_ok_and(|p| out.contains(&p)))
}

/// What only the data and the run know, beside what the scores say.
fn notes(ready: &Ready, summary: &mut Summary) {
    let notes = &ready.bound.notes;
    for (feature, n) in &notes.clipped {
        summary.notes.push(format!("{n} values of {feature} brought in by `clip`"));
    }
    for (source, n) in &notes.unmatched {
        summary.notes.push(format!("{n} rows without a match in {source}"));
    }
    if notes.resolved > 0 {
        summary.notes.push(format!("{} rows have a SID with several items behind it", notes.resolved));
    }
    if notes.slates_made {
        summary.notes.push("slates are made up by the schema, not logged".into());
    }
    let stateful = ready.program.caps().any(|(_, c)| {
        matches!(c.charge, Some(crate::program::Charge::Dual { .. }))
            || matches!(c.span_kind, crate::program::CapSpan::Window(_) | crate::program::CapSpan::Session)
    });
    if stateful && ready.state.is_start() {
        summary.notes.push("state: start".into());
    }
    for note in ready.state.notes(&ready.program) {
        summary.notes.push(note.to_string());
    }
}

/// What a score file says of itself (R4.12, R8.4).
fn facts(ready: &Ready, scores: &Scores) -> Vec<(String, String)> {
    let state = if ready.state.is_start() {
        "start".to_string()
    } else {
        serde_json::to_string(&ready.state).unwrap_or_default()
    };
    let batch = ready.checked.schema.spans.batch.clone().unwrap_or_else(|| "all rows".into());
    let request = ready.checked.schema.spans.request.join(", ");
    let params: Vec<String> = ready.program.params.iter().map(|p| format!("{}={}", p.name, p.value)).collect();
    let read: Vec<String> = ready.bound.read.iter().map(|(name, id)| format!("{name}#{id:016x}")).collect();
    [
        ("rewardc.reward", ready.program.reward_id()),
        ("rewardc.language", "1".to_string()),
        ("rewardc.host", ready.host.to_string()),
        ("rewardc.seed", ready.seed.to_string()),
        ("rewardc.step", "0".to_string()),
        ("rewardc.state", state),
        ("rewardc.read", read.join(" ")),
        ("rewardc.batch", batch),
        ("rewardc.request", request),
        ("rewardc.params", params.join(" ")),
        ("rewardc.partial", scores.partial.to_string()),
        ("rewardc.slates", if ready.bound.notes.slates_made { "made" } else { "as given" }.to_string()),
        ("rewardc.evaluator", Reference.name().to_string()),
    ]
    .into_iter()
    .map(|(k, v)| (k.to_string(), v))
    .collect()
}

/// Checks the file, applies settings, reads state and data.
pub fn prepare(args: &InputArgs, ui: &mut Ui, progress: &dyn Progress) -> Result<Ready, Exit> {
    let (checked, program) = checked_program(&args.file, &args.settings, ui)?;
    let host = Host::named(&args.host).unwrap_or(Host::Logs);
    if !program.hosts.contains(&host) {
        return Err(could_not(ui, refused(&Refusal::HostNotNamed { host })));
    }
    let state = state_of(args.state.as_deref(), &program, ui)?;
    if !args.data.is_dir() {
        let message = format!("`{}` is not a folder", args.data.display());
        return Err(could_not(
            ui,
            Diagnostic::bare(&code::ARGUMENT, message).help("`--data` names the folder of the schema's files"),
        ));
    }
    let input = Input { folder: args.data.clone(), host, catalog: args.catalog.clone() };
    let bound = bind(&program, &checked.schema, &input, progress).map_err(|fault| could_not(ui, *fault))?;
    Ok(Ready { program, checked, bound, state, host, seed: args.seed })
}

/// The state in a file; without one every cap is at its start.
fn state_of(path: Option<&Path>, program: &Program, ui: &mut Ui) -> Result<ControlState, Exit> {
    let Some(path) = path else { return Ok(ControlState::default()) };
    let read = DiskFiles::around(path).and_then(|f| f.read_entry(path));
    let (_, text) = read.map_err(|fault| could_not(ui, unreadable(path, &fault)))?;
    let state = ControlState::from_json(&text).map_err(|why| {
        let message = format!("`{}` is not a control state: {why}", path.display());
        let help = r#"for example {"caps": {"NAME": {"lambda": 0.3, "share": 0.12, "shown": 40, "matching": 5}}}"#;
        could_not(ui, Diagnostic::bare(&code::STATE, message).help(help))
    })?;
    let known: Vec<&str> = program.caps().map(|(_, c)| c.name.as_str()).collect();
    match state.caps.keys().find(|k| !known.contains(&k.as_str())) {
        None => Ok(state),
        Some(unknown) => {
            let near = did_you_mean(unknown, known.iter().copied());
            let message = format!("the state speaks of a cap `{unknown}` that the file does not have");
            let diagnostic = Diagnostic::bare(&code::STATE, message);
            Err(could_not(ui, diagnostic.maybe_help(near.map(|n| format!("did you mean `{n}`?")))))
        }
    }
}

/// A refusal of the evaluator as a coded message.
pub fn refused(refusal: &Refusal) -> Diagnostic {
    let (code, help) = match refusal {
        Refusal::NoSlates { .. } => (
            &code::NO_SLATE_IN_DATA,
            "say in the schema what a slate is: `spans: {slate: {by: [slate_id], position: pos}}`, or how one is made",
        ),
        Refusal::Missing { .. } => (&code::COLUMN, "add it to the data or to the schema's `sources:`"),
        Refusal::HostNotNamed { .. } => {
            (&code::HOST_NOT_NAMED, "add it to `for …` at the head of the file, or choose another `--host`")
        }
        Refusal::UnknownCap { .. } => (&code::STATE, "remove it from the state"),
        Refusal::BadState { why } if why.contains("no effect") => {
            (&code::STATE, "take it out, or name the cap it is meant for")
        }
        Refusal::BadState { .. } => {
            (&code::STATE, "write `\"matching\": 5`, or with `per KEY` `\"matching\": {\"a1\": 2}`")
        }
        Refusal::Stopped => (&code::INTERRUPTED, "run it again"),
        Refusal::BadBatch { .. } => (&code::CONTRACT, "this is a fault of the binding: please report it"),
    };
    Diagnostic::bare(code, refusal.to_string()).help(help)
}
