//! `rewardc schema`.

use std::path::Path;

use super::args::{Format, SchemaArgs, SchemaCommand};
use super::{Exit, Ui};
use crate::check::unreadable;
use crate::data::check_contract;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::schema;
use crate::source::{DiskFiles, Sources};

pub fn run(args: &SchemaArgs, ui: &mut Ui) -> Exit {
    let SchemaCommand::Check { file, data, format } = &args.command;
    check(file, data.as_deref(), *format, ui)
}

fn check(file: &Path, data: Option<&Path>, format: Format, ui: &mut Ui) -> Exit {
    let (name, text) = match DiskFiles::around(file).and_then(|f| f.read_entry(file)) {
        Ok(read) => read,
        Err(fault) => {
            ui.report_bare(unreadable(file, &fault));
            return Exit::CouldNotRun;
        }
    };
    let mut sources = Sources::default();
    let id = sources.add(name, text.clone());
    let mut found = Diagnostics::default();
    let schema = schema::read(&text, id, &mut found);
    let faulty = found.has_errors();
    let json = format == Format::Json;
    let data = match data {
        Some(data) if !faulty => data,
        _ => {
            ui.report(&found.sorted(), &sources, format);
            if !faulty && !json {
                ui.print(&format!("{}: fine ({} features)\n", file.display(), schema.features.len()));
            }
            return if faulty { Exit::Findings } else { Exit::Fine };
        }
    };
    let watch = ui.progress();
    let findings = check_contract(&schema, data, &watch);
    watch.done();
    match findings {
        Err(fault) => {
            ui.report(&[*fault], &sources, format);
            Exit::CouldNotRun
        }
        Ok((findings, notes)) => {
            for note in notes {
                ui.note(&format!("note: {note}\n"));
            }
            let diagnostics: Vec<Diagnostic> = findings
                .iter()
                .map(|f| Diagnostic::bare(f.code, f.message.clone()).maybe_help(f.help.clone()))
                .collect();
            ui.report(&diagnostics, &sources, format);
            if diagnostics.is_empty() && json {
                return Exit::Fine;
            }
            if diagnostics.is_empty() {
                ui.print(&format!("{}: the data keeps the contract\n", file.display()));
                return Exit::Fine;
            }
            Exit::Findings
        }
    }
}
