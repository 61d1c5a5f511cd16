//! The catalog: which items exist, and which items each SID stands for.

use std::collections::HashMap;
use std::path::Path;

use super::columns::{code_number, sid_of};
use super::frame::{Frame, read};
use super::{Fault, fault};
use crate::diagnostic::{Diagnostic, code};
use crate::schema::{CatalogDecl, Schema};

/// Items in catalog order.
pub struct Catalog {
    pub items: Vec<String>,
    by_item: HashMap<String, u32>,
    by_sid: HashMap<Vec<u32>, Vec<u32>>,
}

impl Catalog {
    /// Reads a catalog: one row an item.
    ///
    /// # Errors
    /// A file that cannot be used, or an item that stands twice.
    pub fn read(path: &Path, decl: &CatalogDecl, schema: &Schema) -> Result<Self, Fault> {
        let frame = read(path)?;
        let items = frame.cells(&decl.item, "the catalog")?;
        let sids = sids(&frame, decl, schema)?;
        let mut catalog = Self { items: Vec::new(), by_item: HashMap::new(), by_sid: HashMap::new() };
        for (row, sid) in sids.into_iter().enumerate().take(frame.height()) {
            let Some(item) = items.get(row).map(|c| c.key()) else {
                return Err(fault(
                    &code::CATALOG,
                    format!("`{}` has no `{}` in row {}", frame.name, decl.item, row + 1),
                ));
            };
            if let Some(first) = catalog.by_item.insert(item.clone(), row as u32) {
                return Err(Box::new(
                    Diagnostic::bare(
                        &code::KEY_TWICE,
                        format!("`{}` has the item {item} twice, in rows {} and {}", frame.name, first + 1, row + 1),
                    )
                    .help("a catalog has one row an item; several items may share a SID"),
                ));
            }
            catalog.items.push(item.clone());
            if let Some(sid) = sid {
                let shape = schema.sid_shape().unwrap_or(&[]);
                if !shape.is_empty() && (sid.len() != shape.len() || sid.iter().zip(shape).any(|(c, n)| c >= n)) {
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
                catalog.by_sid.entry(sid).or_default().push(row as u32);
            }
        }
        Ok(catalog)
    }

    /// The place of an item.
    pub fn item(&self, key: &str) -> Option<u32> {
        self.by_item.get(key).copied()
    }

    /// The items behind a SID, in catalog order.
    pub fn behind(&self, sid: &[u32]) -> &[u32] {
        self.by_sid.get(sid).map_or(&[], Vec::as_slice)
    }
}

/// The SID of each row: one column, or a column for each level (the SID feature's own, or a, b, c, d).
fn sids(frame: &Frame, decl: &CatalogDecl, schema: &Schema) -> Result<Vec<Option<Vec<u32>>>, Fault> {
    let levels = schema.sid_shape().map_or(0, <[u32]>::len);
    if frame.has(&decl.sid) {
        let cells = frame.cells(&decl.sid, "the catalog")?;
        return Ok((0..frame.height()).map(|row| sid_of(&cells, row)).collect());
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
