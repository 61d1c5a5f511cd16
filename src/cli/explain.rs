//! `rewardc explain`.

use super::args::ExplainArgs;
use super::{Exit, Ui};
use crate::builtins;
use crate::diagnostic::{self, Diagnostic, code, did_you_mean};

pub fn run(args: &ExplainArgs, ui: &mut Ui) -> Exit {
    let Some(name) = &args.name else {
        let mut out = String::new();
        for code in diagnostic::ALL {
            out.push_str(&format!("{}  {:<7}  {}\n", code.id, code.severity.as_str(), code.title));
        }
        ui.print(&out);
        return Exit::Fine;
    };
    if let Some(code) = diagnostic::find(name) {
        ui.print(code.page);
        return Exit::Fine;
    }
    if let Some(page) = builtins::page(name) {
        ui.print(&page);
        return Exit::Fine;
    }
    let known = diagnostic::ALL.iter().map(|c| c.id).chain(builtins::names());
    let near = did_you_mean(name, known);
    ui.report_bare(
        Diagnostic::bare(&code::ARGUMENT, format!("`{name}` is neither a code nor a function"))
            .help(near.map_or("`rewardc explain` lists all codes".to_string(), |n| format!("did you mean `{n}`?"))),
    );
    Exit::CouldNotRun
}
