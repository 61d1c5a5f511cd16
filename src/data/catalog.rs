//! Reading the catalog: which items exist, and which SIDs stand for them.

use std::path::Path;

use super::columns::{build, code_number, sid_of};
use super::frame::{Frame, read};
use super::gather::gather;
use super::view::{Sources, View};
use super::{Fault, Progress, fault};
use crate::catalog::{MemoryCatalog, Sids};
use crate::diagnostic::{Diagnostic, code};
use crate::eval::batch::{By, Column, Texts, Values};
use crate::schema::{CatalogDecl, Entity, Feature, Resolve, Schema};
use crate::source::Span;
use crate::types::Scale;

/// The catalog that a schema names, with every feature of items that its sources bring.
///
/// # Errors
/// A schema that names none, and files that cannot be used.
pub fn read_catalog(schema: &Schema, folder: &Path, progress: &dyn Progress) -> Result<MemoryCatalog, Fault> {
    let Some(mut catalog) = open_catalog(schema, folder, None, progress)? else {
        return Err(Box::new(
            Diagnostic::bare(&code::CATALOG, "the schema names no catalog")
                .help("add `catalog: {file: items.csv, item: item_id, sid: sid}` to the schema"),
        ));
    };
    let needed: Vec<bool> = schema.sources.iter().map(|s| s.entity == Entity::Item && s.key.is_some()).collect();
    let sources = Sources::read(schema, folder, &needed, progress)?;
    let mut texts = std::mem::take(catalog.texts_mut());
    for feature in schema.features.iter().filter(|f| f.entity == Entity::Item && f.scale != Scale::Sid) {
        let brought = feature.from.iter().any(|(source, _)| needed.get(*source) == Some(&true));
        if brought || schema.keys.item.as_ref() == Some(&feature.name) {
            let column = item_column(&sources, schema, Some(&catalog), feature, &mut texts)?;
            catalog.add_column(&feature.name, column)?;
        }
    }
    *catalog.texts_mut() = texts;
    Ok(catalog)
}

/// The catalog that a schema or a command names, if any.
pub fn open_catalog(
    schema: &Schema,
    folder: &Path,
    named: Option<&Path>,
    progress: &dyn Progress,
) -> Result<Option<MemoryCatalog>, Fault> {
    let decl = schema.catalog.clone();
    let (path, decl) = match (named, decl) {
        (Some(path), decl) => {
            let item = schema.keys.item.clone().unwrap_or_else(|| "item_id".into());
            let plain = CatalogDecl {
                file: String::new(),
                item,
                sid: "sid".into(),
                resolve: Resolve::First,
                span: Span::default(),
            };
            (path.to_path_buf(), decl.unwrap_or(plain))
        }
        (None, Some(decl)) => (folder.join(&decl.file), decl),
        (None, None) => return Ok(None),
    };
    progress.step(&format!("reading the catalog {}", file_name(&path)));
    read_items(&path, &decl, schema).map(Some)
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or(String::new(), |n| n.to_string_lossy().into_owned())
}

/// A feature of items by their place in the catalog.
pub fn item_column(
    sources: &Sources,
    schema: &Schema,
    catalog: Option<&MemoryCatalog>,
    feature: &Feature,
    texts: &mut Texts,
) -> Result<Column<'static>, Fault> {
    let catalog = catalog.ok_or_else(|| fault(&code::CATALOG, "no catalog"))?;
    if schema.keys.item.as_deref() == Some(feature.name.as_str()) {
        let keys = catalog.keys().iter().map(|k| texts.number(k)).collect();
        return Ok(Column { by: By::Item, values: Values::Text(keys), valid: None });
    }
    let is_item = |s: usize| schema.sources.get(s).is_some_and(|s| s.entity == Entity::Item && s.key.is_some());
    let Some(source) = feature.from.iter().map(|f| f.0).find(|s| is_item(*s)) else {
        let message = format!("`{}` belongs to items, and no source of items brings it", feature.name);
        return Err(Box::new(Diagnostic::bare(&code::CATALOG, message).help(
            "add the table of items to `sources:`, such as `items: {file: items.csv, entity: item, key: item_id}`",
        )));
    };
    let feature =
        &Feature { from: feature.from.iter().filter(|f| f.0 == source).cloned().collect(), ..feature.clone() };
    let view = View::alone(sources, schema, source)?;
    let rows = sources.by_key(schema, source)?;
    let column = build(&view, feature, texts)?.column;
    let places: Vec<Option<u32>> = catalog.keys().iter().map(|k| rows.get(k).copied()).collect();
    Ok(gather(&column, &places, By::Item))
}

/// Reads a catalog: one row an item.
///
/// # Errors
/// A file that cannot be used, or an item that stands twice.
fn read_items(path: &Path, decl: &CatalogDecl, schema: &Schema) -> Result<MemoryCatalog, Fault> {
    if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json")) {
        return super::sid_json::read(path, schema.sid_shape().unwrap_or(&[]));
    }
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
