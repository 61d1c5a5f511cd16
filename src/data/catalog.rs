//! Reading the catalog: which items exist, and which SIDs stand for them.

use std::path::Path;

use super::columns::{code_number, sid_of};
use super::frame::{Frame, read};
use super::{Fault, fault};
use crate::catalog::{MemoryCatalog, Sids};
use crate::diagnostic::{Diagnostic, code};
use crate::schema::{CatalogDecl, Schema};

/// Reads a catalog: one row an item.
///
/// # Errors
/// A file that cannot be used, or an item that stands twice.
pub fn read_items(path: &Path, decl: &CatalogDecl, schema: &Schema) -> Result<MemoryCatalog, Fault> {
    let frame = read(path)?;
    let cells = frame.cells(&decl.item, "the catalog")?;
    let shape = schema.sid_shape().unwrap_or(&[]);
    let (mut keys, mut codes) = (Vec::with_capacity(frame.height()), Vec::new());
    let mut levels = shape.len();
    for (row, sid) in sids(&frame, decl, schema)?.into_iter().enumerate().take(frame.height()) {
        let Some(item) = cells.get(row).map(|c| c.key()) else {
            let message = format!("`{}` has no `{}` in row {}", frame.name, decl.item, row + 1);
            return Err(fault(&code::CATALOG, message));
        };
        if let Some(sid) = &sid {
            // Without a shape the first SID gives the number of levels.
            levels = if levels == 0 { sid.len() } else { levels };
            if sid.len() != levels || sid.iter().zip(shape).any(|(c, n)| c >= n) {
                let message = format!(
                    "the SID of item {item} in row {} of `{}` does not have the shape {shape:?} of the schema",
                    row + 1,
                    frame.name
                );
                return Err(Box::new(
                    Diagnostic::bare(&code::CATALOG, message)
                        .help("its codes count from 0, each below its level's size: correct the row, or `shape:`"),
                ));
            }
        }
        keys.push(item);
        codes.push(sid);
    }
    let flat: Vec<u32> = codes.into_iter().flat_map(|sid| sid.unwrap_or_else(|| vec![u32::MAX; levels])).collect();
    MemoryCatalog::new(keys, (levels > 0).then_some(Sids { codes: &flat, levels }))
        .map_err(|fault| Box::new(Diagnostic { message: format!("{} (`{}`)", fault.message, frame.name), ..*fault }))
}

/// The SID of each row: one column, or a column for each level (the SID feature's own, or a, b, c, d).
fn sids(frame: &Frame, decl: &CatalogDecl, schema: &Schema) -> Result<Vec<Option<Vec<u32>>>, Fault> {
    let levels = schema.sid_shape().map_or(0, <[u32]>::len);
    if frame.has(&decl.sid) {
        let cells = frame.cells(&decl.sid, "the catalog")?;
        let sid = |row: usize| match (sid_of(&cells, row, levels), cells.get(row)) {
            (None, Some(cell)) => Err(Box::new(
                Diagnostic::bare(
                    &code::CATALOG,
                    format!("`{}` of `{}` is no SID in row {}: {}", decl.sid, frame.name, row + 1, cell.key()),
                )
                .help("a SID is a list of codes, a text such as `1|2|3`, or with one level a number"),
            )),
            (sid, _) => Ok(sid),
        };
        return (0..frame.height()).map(sid).collect();
    }
    let named: Vec<String> = schema.features.iter().find(|f| !f.shape.is_empty() && f.from.len() > 1).map_or_else(
        || ["a", "b", "c", "d", "e", "f", "g", "h"].iter().take(levels).map(|s| (*s).to_string()).collect(),
        |f| f.from.iter().map(|(_, c)| c.clone()).collect(),
    );
    if levels == 0 || !named.iter().all(|c| frame.has(c)) {
        let message =
            format!("`{}` has no column `{}`, and no columns {} either", frame.name, decl.sid, named.join(", "));
        return Err(fault(&code::CATALOG, message));
    }
    let mut columns = Vec::new();
    for name in &named {
        columns.push(frame.cells(name, "the catalog")?);
    }
    Ok((0..frame.height()).map(|row| columns.iter().map(|c| c.get(row)?.number().map(code_number)).collect()).collect())
}
