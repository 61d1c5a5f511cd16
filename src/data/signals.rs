//! A file of stored predictions as a signal source.

use std::path::Path;

use super::frame::{content_id, read};
use super::{Fault, fault};
use crate::diagnostic::{Diagnostic, code};
use crate::host::{TableBy, TableSignals};

/// Reads a table of predictions (CSV, Parquet or NDJSON): a column of item keys, with `request` one of
/// request keys, and a column for each feature, in the unit of the schema. Its id is the file's name with a
/// hash of its bytes.
///
/// # Errors
/// A file or column that cannot be used, a cell that is no number, a row that stands twice.
pub fn read_signals(path: &Path, item: &str, request: Option<&str>, features: &[&str]) -> Result<TableSignals, Fault> {
    let frame = read(path)?;
    let key = |column: &str| -> Result<Vec<String>, Fault> {
        let cells = frame.cells(column, "the table of predictions")?;
        let of = |row: usize| {
            let none = || fault(&code::SIGNAL, format!("`{}` has no `{column}` in row {}", frame.name, row + 1));
            cells.get(row).map(|c| c.key()).ok_or_else(none)
        };
        (0..frame.height()).map(of).collect()
    };
    let items = key(item)?;
    let requests = request.map(key).transpose()?;
    let mut columns = Vec::with_capacity(features.len());
    for feature in features {
        let cells = frame.cells(feature, "the table of predictions")?;
        let value = |row: usize| match cells.get(row) {
            None => Ok(f32::NAN),
            Some(cell) => cell.number().map(|n| n as f32).ok_or_else(|| {
                let message =
                    format!("`{feature}` of `{}` is no number in row {}: {}", frame.name, row + 1, cell.key());
                Box::new(
                    Diagnostic::bare(&code::SIGNAL, message).help("predictions are numbers; an empty cell is none"),
                )
            }),
        };
        columns.push(((*feature).to_string(), (0..frame.height()).map(value).collect::<Result<_, Fault>>()?));
    }
    let name = path.file_name().map_or(String::new(), |n| n.to_string_lossy().into_owned());
    let id = content_id(path).map_err(|e| fault(&code::DATA_FILE, format!("cannot read `{}`: {e}", path.display())))?;
    let by = if requests.is_some() { TableBy::RequestAndItem } else { TableBy::Item };
    let mut requests = requests.map(Vec::into_iter);
    let keys = items.into_iter().map(|item| (requests.as_mut().and_then(Iterator::next), item));
    TableSignals::new(format!("{name}#{id:016x}"), by, keys.collect::<Vec<_>>(), columns)
}
