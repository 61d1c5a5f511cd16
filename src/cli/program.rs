//! What commands that use a reward begin with: the checked program with its settings.

use std::collections::BTreeSet;
use std::path::Path;

use super::args::Format;
use super::check::{load, options};
use super::{Exit, Ui};
use crate::check::{Checked, set_param};
use crate::diagnostic::{Diagnostic, code};
use crate::program::Program;

/// Reports why a command could not run.
pub fn could_not(ui: &mut Ui, diagnostic: Diagnostic) -> Exit {
    ui.report_bare(diagnostic);
    Exit::CouldNotRun
}

/// Checks a file and applies `--set`.
pub fn checked_program(file: &Path, settings: &[String], ui: &mut Ui) -> Result<(Checked, Program), Exit> {
    let checked = load(file, &options()).map_err(|fault| could_not(ui, fault))?;
    if !checked.diagnostics.is_empty() {
        ui.report(&checked.diagnostics, &checked.sources, Format::Human);
    }
    let Some(mut program) = checked.program.clone() else { return Err(Exit::Findings) };
    let mut set = BTreeSet::new();
    for setting in settings {
        let Some((name, value)) = setting.split_once('=') else {
            let message = format!("`{setting}` is not NAME=VALUE");
            return Err(could_not(
                ui,
                Diagnostic::bare(&code::SETTING, message).help("for example `--set marketing_cap=8%`"),
            ));
        };
        if !set.insert(name.trim()) {
            let message = format!("`{name}` is set twice");
            return Err(could_not(ui, Diagnostic::bare(&code::SETTING, message).help("give each param one value")));
        }
        set_param(&mut program, checked.schema.currency.as_deref(), name.trim(), value)
            .map_err(|f| could_not(ui, Diagnostic::bare(&code::SETTING, f.message).maybe_help(f.help)))?;
    }
    Ok((checked, program))
}
