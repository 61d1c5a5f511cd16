//! Interactions: each user's items in time order, as a list column.

use super::Fault;
use super::cells::Cells;
use super::frame::Frame;
use crate::catalog::Catalog;
use crate::diagnostic::{Diagnostic, code};

/// A file with a row for each user and a list of item keys in time order; gives the items by their number
/// in the catalog, `u32::MAX` for a key that it does not have.
///
/// # Errors
/// A file or column that cannot be used.
pub fn read_sequences(frame: &Frame, items: &str, catalog: &dyn Catalog) -> Result<Vec<Vec<u32>>, Fault> {
    let cells = frame.cells(items, "training")?;
    let Cells::List { offsets, inner, .. } = &cells else {
        let message = format!("`{items}` of `{}` is no column of lists", frame.name);
        return Err(Box::new(
            Diagnostic::bare(&code::SEQUENCES, message).help("a row holds one user's items in time order"),
        ));
    };
    let item = |at: usize| inner.get(at).and_then(|c| catalog.item(&c.key())).unwrap_or(u32::MAX);
    Ok(offsets.windows(2).map(|w| if let [a, b] = w { (*a..*b).map(item).collect() } else { Vec::new() }).collect())
}
