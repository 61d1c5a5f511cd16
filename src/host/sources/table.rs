//! Predictions that were worked out before: a table by item, or by request and item.

use std::collections::HashMap;

use super::{Pairs, SignalSource, Signals};
use crate::diagnostic::{Diagnostic, Fault, code};

/// What a row of a table is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableBy {
    Item,
    /// The request's own key and the item's.
    RequestAndItem,
}

/// Stored predictions. A pair without a row, or with a null, has failed: it is counted, and its rollouts
/// are `unscorable(signal_failed)`.
pub struct TableSignals {
    id: String,
    features: Vec<String>,
    by: TableBy,
    rows: HashMap<String, u32>,
    /// By feature, in the unit of the schema; NaN is null.
    columns: Vec<Vec<f32>>,
    key: String,
}

/// Between the keys of a request and an item: no key holds it.
const SEPARATOR: char = '\u{1f}';

impl TableSignals {
    /// A table: a key (with `RequestAndItem` a pair of keys) and a value of each feature for each row.
    ///
    /// # Errors
    /// Columns of unequal length, or a key that stands twice (RW0904).
    pub fn new(
        id: impl Into<String>,
        by: TableBy,
        keys: impl IntoIterator<Item = (Option<String>, String)>,
        columns: Vec<(String, Vec<f32>)>,
    ) -> Result<Self, Fault> {
        let id = id.into();
        let refused = |why: String| {
            Box::new(
                Diagnostic::bare(&code::SIGNAL, format!("the table `{id}` {why}"))
                    .help("a table has one row for each item, or for each request and item"),
            )
        };
        let mut rows = HashMap::new();
        for (row, (request, item)) in keys.into_iter().enumerate() {
            let shown = request.as_ref().map_or_else(|| item.clone(), |r| format!("{item} of request {r}"));
            let key = match (by, request) {
                (TableBy::RequestAndItem, Some(request)) => format!("{request}{SEPARATOR}{item}"),
                (TableBy::RequestAndItem, None) => return Err(refused(format!("has no request in row {}", row + 1))),
                (TableBy::Item, _) => item,
            };
            if let Some(first) = rows.insert(key, row as u32) {
                return Err(refused(format!("has the item {shown} twice, in rows {} and {}", first + 1, row + 1)));
            }
        }
        if let Some((name, values)) = columns.iter().find(|(_, values)| values.len() != rows.len()) {
            return Err(refused(format!("has {} values of `{name}` for {} rows", values.len(), rows.len())));
        }
        let (features, columns) = columns.into_iter().unzip();
        Ok(Self { id, features, by, rows, columns, key: String::new() })
    }
}

impl SignalSource for TableSignals {
    fn id(&self) -> String {
        self.id.clone()
    }

    fn provides(&self) -> Vec<String> {
        self.features.clone()
    }

    fn predict(&mut self, pairs: &Pairs<'_>, out: &mut Signals<'_>) -> Result<(), String> {
        for pair in 0..pairs.len() {
            self.key.clear();
            if self.by == TableBy::RequestAndItem {
                self.key.push_str(pairs.request_key(pair));
                self.key.push(SEPARATOR);
            }
            self.key.push_str(pairs.item_key(pair));
            let Some(row) = self.rows.get(&self.key) else { continue };
            for (i, column) in self.columns.iter().enumerate() {
                if let (Some(value), Some(slot)) = (column.get(*row as usize), out.column(i).get_mut(pair)) {
                    *slot = *value;
                }
            }
        }
        Ok(())
    }
}
