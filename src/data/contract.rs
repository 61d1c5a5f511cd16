//! What in the data breaks the schema's contract: `rewardc schema check`.

use std::path::Path;

use super::bind::by_request;
use super::catalog::open_catalog;
use super::columns::build;
use super::lists::list;
use super::view::{Sources, View};
use super::{Fault, Progress};
use crate::diagnostic::{Code, code};
use crate::eval::Batch;
use crate::eval::batch::Texts;
use crate::eval::reference::{Cell, look};
use crate::program::{FeatureId, Program};
use crate::schema::{Entity, Schema};
use crate::types::Level;

/// Something that breaks the contract.
#[derive(Clone, Debug)]
pub struct Finding {
    pub code: &'static Code,
    pub message: String,
    pub help: Option<String>,
}

/// Looks at every feature of a schema in its data: findings, and what the schema itself asks for
/// (repeats, clipped values) as notes.
///
/// # Errors
/// Only where a file cannot be read at all; everything else is a finding.
pub fn check_contract(
    schema: &Schema,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<(Vec<Finding>, Vec<String>), Fault> {
    let mut findings = Vec::new();
    let mut notes = Vec::new();
    let needed = vec![true; schema.sources.len()];
    let sources = Sources::read(schema, folder, &needed, progress)?;
    let mut push = |fault: Fault| findings.push(Finding { code: fault.code, message: fault.message, help: fault.help });
    let mut joins = true;
    for (i, source) in schema.sources.iter().enumerate().skip(1) {
        if source.key.is_some()
            && let Err(fault) = sources.by_key(schema, i)
        {
            push(fault);
            joins = false;
        }
    }
    if !joins {
        return Ok((findings, notes));
    }
    let catalog = match open_catalog(schema, folder, None, progress) {
        Ok(catalog) => catalog,
        Err(fault) => {
            push(fault);
            None
        }
    };
    let by_item = catalog.is_some() && schema.keys.item.as_ref().is_some_and(|k| !sources.has(0, k));
    let view = View::new(&sources, schema, 0, by_item, progress)?;
    let mut batch = Batch::default();
    if let Err(fault) = super::spans::fill(&mut batch, &view, crate::types::Host::Logs) {
        push(fault);
    }
    for (name, decl) in [("past", &schema.past), ("wanted", &schema.wanted)] {
        let Some(decl) = decl else { continue };
        progress.step(&format!("looking at the list `{name}`"));
        // A program that reads all of the list's features and nothing else.
        let program = Program { features: schema.features.clone(), ..Program::default() };
        let ids = (0..).map(FeatureId).zip(&schema.features);
        let reads: Vec<FeatureId> = ids.filter(|(_, f)| decl.features.contains(&f.name)).map(|(id, _)| id).collect();
        if let Err(fault) = list(&program, decl, &reads, name, &view, &batch, &mut Texts::default()) {
            push(fault);
        }
    }
    for (i, unmatched) in view.unmatched.iter().enumerate().filter(|(_, n)| **n > 0) {
        let Some(source) = schema.sources.get(i).filter(|s| !s.may_miss) else { continue };
        push(Box::new(
            crate::diagnostic::Diagnostic::bare(&code::KEY_ABSENT, format!("{unmatched} of {} rows have no match in `{}`", view.n_rows, source.file))
                .help("`join: may miss` makes its features nullable; else these rows are unscorable(absent_value) once one is read"),
        ));
    }
    let shape = schema.sid_shape().unwrap_or(&[]).to_vec();
    let repeated = batch.excluded.iter().flatten().count();
    if repeated > 0 {
        notes.push(format!(
            "{repeated} rows repeat an earlier one: unscorable(repeated), and without a place in a slate"
        ));
    }
    for feature in &schema.features {
        // A model's signals and targets need not lie in the data.
        let optional = matches!(feature.entity, Entity::Model | Entity::Target | Entity::Rollout);
        let there = feature.from.iter().all(|(s, c)| sources.has(*s, c));
        // What the scored rows do not reach is looked at with the list or the catalog that brings it.
        let in_list = [&schema.past, &schema.wanted].into_iter().flatten().any(|l| l.features.contains(&feature.name));
        let of_catalog = by_item && feature.entity == Entity::Item;
        if (optional || in_list) && !there || of_catalog {
            continue;
        }
        progress.step(&format!("looking at {}", feature.name));
        let mut texts = Texts::default();
        let cleaned = match build(&view, feature, &mut texts) {
            Ok(cleaned) => cleaned,
            Err(fault) => {
                findings.push(Finding { code: fault.code, message: fault.message, help: fault.help });
                continue;
            }
        };
        batch.texts = texts;
        if feature.entity.level() == Level::Request
            && let Err(fault) = by_request(&batch, feature, cleaned.column.clone())
        {
            findings.push(Finding { code: fault.code, message: fault.message, help: fault.help });
        }
        let mut counted: std::collections::BTreeMap<&str, (u64, usize)> = std::collections::BTreeMap::new();
        for row in 0..view.n_rows {
            if let Cell::Faulty(reason) = look(feature, &shape, &batch, &cleaned.column, row) {
                counted.entry(reason.as_str()).or_insert((0, row)).0 += 1;
            }
        }
        for (reason, (n, first)) in counted {
            let message = format!(
                "feature `{}`: {n} of {} rows are {reason}, the first is row {}",
                feature.name,
                view.n_rows,
                first + 1
            );
            let help = match reason {
                "absent_value" => "`nullable: true` lets it be missing",
                "out_of_range" => {
                    "widen `range:`, bring values in by `clip:`, or name values that mean missing by `missing:`"
                }
                "unknown_category" => "add the names, or write `names: open`",
                _ => "mend the data",
            };
            findings.push(Finding { code: &code::CONTRACT, message, help: Some(help.into()) });
        }
        if cleaned.clipped > 0 {
            notes.push(format!(
                "feature `{}`: {} of {} values are brought in by `clip`",
                feature.name, cleaned.clipped, view.n_rows
            ));
        }
    }
    Ok((findings, notes))
}
