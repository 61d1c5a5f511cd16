//! `rewardc why`.

use super::args::{SummaryFormat, WhyArgs};
use super::score::{prepare, refused};
use super::{Exit, Ui};
use crate::diagnostic::{Diagnostic, code};
use crate::eval::Evaluator;
use crate::eval::reference::{Reference, let_values};
use crate::report::explain;

pub fn run(args: &WhyArgs, ui: &mut Ui) -> Exit {
    let watch = ui.progress();
    let ready = match prepare(&args.input, ui, &watch) {
        Ok(ready) => ready,
        Err(exit) => return exit,
    };
    let scored = Reference.score(&ready.program, &ready.bound.batch, ready.run());
    watch.done();
    let scores = match scored {
        Ok(scores) => scores,
        Err(refusal) => {
            ui.report_bare(refused(&refusal));
            return Exit::CouldNotRun;
        }
    };
    let row = args.row.wrapping_sub(1);
    if row >= scores.n_rows {
        let message = format!("there is no row {}: the data has {} rows, counted from 1", args.row, scores.n_rows);
        ui.report_bare(Diagnostic::bare(&code::ARGUMENT, message));
        return Exit::CouldNotRun;
    }
    let explanation = explain(&ready.program, &scores, row);
    let lets = if args.lets {
        let_values(&ready.program, &ready.bound.batch, ready.run(), row).unwrap_or_default()
    } else {
        Vec::new()
    };
    match args.format {
        SummaryFormat::Json => {
            let value = serde_json::json!({
                "reward": ready.program.reward_id(),
                "host": ready.host.as_str(),
                "row": args.row,
                "explanation": explanation,
                "lets": lets.iter().map(|(n, v)| serde_json::json!({ "name": n, "value": v })).collect::<Vec<_>>(),
            });
            ui.print(&format!("{value:#}\n"));
        }
        SummaryFormat::Human => {
            ui.print(&format!("row {} under {} as {}\n", args.row, ready.program.reward_id(), ready.host));
            ui.print(&explanation.text(ui.style()));
            let width = lets.iter().map(|(n, _)| n.len()).max().unwrap_or(0);
            if !lets.is_empty() {
                ui.print("\n");
            }
            for (name, value) in lets {
                ui.print(&format!(
                    "  let {name:<width$}  {}\n",
                    value.unwrap_or_else(|| "(not worked out here)".into())
                ));
            }
        }
    }
    Exit::Fine
}
