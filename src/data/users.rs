//! What a file with a row for each user says of them: keys, and features of requests as a scorer takes them.

use super::cells::Cells;
use super::frame::Frame;
use super::{Fault, fault};
use crate::diagnostic::{Diagnostic, code};
use crate::host::{OwnedColumn, OwnedValues};
use crate::schema::Schema;

/// The keys in a column, one for each row.
///
/// # Errors
/// A column that is not there, a row without a key (RW1004).
pub fn read_user_keys(frame: &Frame, column: &str) -> Result<Vec<String>, Fault> {
    let cells = frame.cells(column, "the config's `interactions`")?;
    let key = |row: usize| {
        let none = || fault(&code::SEQUENCES, format!("`{}` has no `{column}` in row {}", frame.name, row + 1));
        cells.get(row).map(|c| c.key()).ok_or_else(none)
    };
    (0..frame.height()).map(key).collect()
}

/// Features of requests, each from the first column that the schema names for it and the file has: a cell for
/// each row, raw.
///
/// # Errors
/// A column that is not there, or of a kind that no feature of a request has.
pub fn read_user_columns(
    frame: &Frame,
    schema: &Schema,
    features: &[String],
) -> Result<Vec<(String, OwnedColumn)>, Fault> {
    let column = |name: &String| {
        let named = schema.feature(name).map_or(&[][..], |f| f.from.as_slice());
        let there = named.iter().map(|(_, column)| column).find(|c| frame.has(c)).unwrap_or(name);
        let cells = frame.cells(there, &format!("the reward's `{name}`"))?;
        let owned = owned(&cells, frame.height()).ok_or_else(|| {
            let message = format!("`{there}` of `{}` is of a kind that no feature of a request has", frame.name);
            Box::new(
                Diagnostic::bare(&code::COLUMN_TYPE, message)
                    .help("a cell is a number, true or false, a text, or a list of texts"),
            )
        })?;
        Ok((name.clone(), owned))
    };
    features.iter().map(column).collect()
}

fn owned(cells: &Cells, n: usize) -> Option<OwnedColumn> {
    fn split<T: Clone + Default>(cells: &[Option<T>]) -> (Vec<T>, Vec<bool>) {
        (cells.iter().map(|c| c.clone().unwrap_or_default()).collect(), cells.iter().map(Option::is_some).collect())
    }
    let (values, valid) = match cells {
        Cells::Int(v) => {
            let (cells, valid) = split(v);
            (OwnedValues::Wholes(cells), valid)
        }
        Cells::Float(v) => {
            let (cells, valid) = split(v);
            (OwnedValues::Doubles(cells), valid)
        }
        Cells::Bool(v) => {
            let (cells, valid) = split(v);
            (OwnedValues::Bools(cells), valid)
        }
        Cells::Text(v) | Cells::Raw(v) => {
            let (cells, valid) = split(v);
            (OwnedValues::Texts(cells), valid)
        }
        Cells::List { offsets, valid, inner } => {
            let members = (0..*offsets.last()?).map(|at| inner.get(at).map_or(String::new(), |c| c.key())).collect();
            let offsets = offsets.iter().map(|at| *at as u32).collect();
            (OwnedValues::Sets { members, offsets }, valid.clone())
        }
        Cells::Moment(..) => return None,
    };
    (valid.len() == n).then_some(OwnedColumn { values, valid })
}
