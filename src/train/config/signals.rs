//! Which models predict what a run's reward reads.

use super::numbers::real;
use crate::diagnostic::{Diagnostic, Diagnostics, code};
use crate::yaml::{Keys, Node, Value};

/// One model's predictions.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    pub by: Predicted,
    /// A second model of features that another one predicts already: it is only compared.
    pub held_out: bool,
}

/// How they are come by.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicted {
    /// Worked out before: a file in the data folder, a row for each item, or for each user and item.
    Table { file: String, item: String, user: Option<String>, features: Vec<String> },
    /// How likely an item follows the history, by what followed in the part that is learned from
    /// (`host::CoOccurrence`).
    Follows { feature: String, window: usize, recent: usize, smoothing: f64 },
}

impl Predictions {
    /// The features that it predicts.
    #[must_use]
    pub fn features(&self) -> Vec<&str> {
        match &self.by {
            Predicted::Table { features, .. } => features.iter().map(String::as_str).collect(),
            Predicted::Follows { feature, .. } => vec![feature],
        }
    }
}

pub fn read(node: &Node, out: &mut Diagnostics) -> Vec<Predictions> {
    if matches!(node.value, Value::Map(_)) {
        let message = "`signals` is a list of models: `[{table: FILE, item: COLUMN, features: [NAME]}]`";
        out.push(Diagnostic::at(&code::SCHEMA_VALUE, node.span, message));
    }
    node.items().iter().filter_map(|node| one(node, out)).collect()
}

fn one(node: &Node, out: &mut Diagnostics) -> Option<Predictions> {
    let mut keys = Keys::of(node, "a model of `signals`", out);
    let table = keys.text("table", out);
    let follows = keys.text("follows", out);
    let held_out = keys.flag("held_out", out);
    let by = match (table, follows) {
        (Some((file, _)), None) => Some(Predicted::Table {
            file: file.to_string(),
            item: keys.need_text("item", out),
            user: keys.text("user", out).map(|(column, _)| column.to_string()),
            features: keys.texts("features", out).unwrap_or_default().into_iter().map(|f| f.0.to_string()).collect(),
        }),
        (None, Some((feature, _))) => Some(Predicted::Follows {
            feature: feature.to_string(),
            window: keys.int("window", out).map_or(1, |n| n as usize),
            recent: keys.int("recent", out).map_or(3, |n| n as usize),
            smoothing: smoothing(&mut keys, out),
        }),
        _ => {
            let message = "a model of `signals` has either `table: FILE` or `follows: FEATURE`";
            out.push(Diagnostic::at(&code::SCHEMA_VALUE, node.span, message));
            return None;
        }
    };
    keys.finish(out);
    by.map(|by| Predictions { by, held_out })
}

fn smoothing(keys: &mut Keys<'_>, out: &mut Diagnostics) -> f64 {
    let found = real(keys, "smoothing", 1.0, out);
    if found == 0.0 {
        out.push(Diagnostic::at(&code::SCHEMA_VALUE, keys.span, "`smoothing` is above 0"));
    }
    found
}
