//! A program and its data → a batch.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::catalog::{item_column, open_catalog};
use super::columns::build;
use super::frame::content_id;
use super::gather::gather;
use super::lists::{differs, list};
use super::view::{Sources, View};
use super::{Fault, Progress, fault, spans};
use crate::catalog::{Catalog, MemoryCatalog};
use crate::diagnostic::{Diagnostic, code};
use crate::eval::Batch;
use crate::eval::batch::{By, Column, ItemsBehind, Texts, Values};
use crate::program::{FeatureId, Program, SpanKind};
use crate::schema::{Entity, Feature, ListFrom, Schema, SlateDecl};
use crate::types::{Host, Level, Scale};

/// What is scored, and as which host.
#[derive(Clone, Debug)]
pub struct Input {
    pub folder: PathBuf,
    pub host: Host,
    /// Instead of the schema's own catalog.
    pub catalog: Option<PathBuf>,
}

/// Things noticed while binding, for the summary.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// Values brought into a `clip`, by feature.
    pub clipped: BTreeMap<String, u64>,
    /// Rows without a match, by source.
    pub unmatched: BTreeMap<String, u64>,
    /// Slates were made up by the schema, not logged.
    pub slates_made: bool,
    /// Several items behind one SID: rows that had to be resolved.
    pub resolved: u64,
}

/// A batch with what score files keep beside it.
pub struct Bound {
    pub batch: Batch<'static>,
    pub notes: Notes,
    /// The table that was scored.
    pub base: super::Frame,
    /// Its key columns, which score files keep in front.
    pub keys: Vec<polars::prelude::Column>,
    /// What was read and how it is told from other content, by name.
    pub read: Vec<(String, u64)>,
    /// Item keys by item number, where rows are scored by item.
    pub items: Vec<String>,
}

/// Reads the data and binds it to a program.
///
/// # Errors
/// A coded message naming what does not fit; nothing is scored then.
pub fn bind(program: &Program, schema: &Schema, input: &Input, progress: &dyn Progress) -> Result<Bound, Fault> {
    if schema.sources.is_empty() {
        return Err(Box::new(
            Diagnostic::bare(&code::DATA_FILE, "the schema names no data: it has no `sources:`").help(
                "add the table of rows to score, such as `sources: {log: {file: log.parquet, entity: impression}}`",
            ),
        ));
    }
    let own = program.own_features(input.host);
    let needed = needed_sources(program, schema, &own);
    let sources = Sources::read(schema, &input.folder, &needed, progress)?;
    let catalog = open_catalog(schema, &input.folder, input.catalog.as_deref(), progress)?;
    let has_item_column = schema.keys.item.as_ref().is_none_or(|k| sources.has(0, k));
    let by_item = catalog.is_some() && !has_item_column;
    let view = View::new(&sources, schema, 0, by_item, progress)?;
    if view.n_rows == 0 {
        let name = sources.frame(0)?.name.clone();
        return Err(fault(&code::NO_ROWS, format!("`{name}` has no rows")));
    }
    let base = sources.frame(0)?.clone();
    let keys = schema.key_columns();
    let kept = keys.iter().filter(|k| base.has(k) && k.as_str() != "item");
    let keys = kept.map(|k| base.series(k)).collect::<Result<_, _>>()?;
    let mut batch = Batch::default();
    spans::fill(&mut batch, &view, input.host)?;
    let mut binder = Binder {
        program,
        schema,
        view: &view,
        catalog: catalog.as_ref(),
        by_item,
        batch,
        texts: Texts::default(),
        notes: Notes::default(),
    };
    progress.step("binding features");
    binder.items()?;
    binder.features(&own)?;
    binder.lists(input.host, progress)?;
    binder.membership(&own)?;
    for (i, unmatched) in view.unmatched.iter().enumerate().filter(|(_, n)| **n > 0) {
        let name = schema.sources.get(i).map_or(String::new(), |s| s.name.clone());
        binder.notes.unmatched.insert(name, *unmatched);
    }
    binder.notes.slates_made = matches!(schema.spans.slate, Some(SlateDecl::Made { .. }))
        && binder.batch.slates.is_some()
        && input.host == Host::Logs;
    let Binder { mut batch, texts, notes, .. } = binder;
    batch.texts = texts;
    let mut read = Vec::new();
    for (source, _) in schema.sources.iter().zip(&sources.frames).filter(|(_, frame)| frame.is_some()) {
        let id = content_id(&input.folder.join(&source.file));
        let id = id.map_err(|e| fault(&code::DATA_FILE, format!("cannot read `{}`: {e}", source.file)))?;
        read.push((source.file.clone(), id));
    }
    read.extend(catalog.iter().map(|c| ("catalog".to_string(), c.id())));
    let items = catalog.map_or_else(Vec::new, MemoryCatalog::into_keys);
    Ok(Bound { batch, notes, base, keys, read, items })
}

/// Sources that something is read from.
fn needed_sources(program: &Program, schema: &Schema, own: &[FeatureId]) -> Vec<bool> {
    let mut needed = vec![false; schema.sources.len()];
    let mut need = |i: usize| {
        if let Some(slot) = needed.get_mut(i) {
            *slot = true;
        }
    };
    need(0);
    for id in own.iter().chain(&program.past_reads).chain(&program.wanted_reads) {
        for (source, _) in program.features.get(id.index()).map(|f| f.from.as_slice()).unwrap_or(&[]) {
            need(*source);
        }
    }
    for list in [&schema.past, &schema.wanted].into_iter().flatten() {
        if let ListFrom::AsOf { source, .. } = list.from {
            need(source);
        }
    }
    // Without a catalog the item source says which items exist.
    if schema.catalog.is_none()
        && let Some(items) = schema.sources.iter().position(|s| s.entity == Entity::Item)
    {
        need(items);
    }
    needed
}

struct Binder<'a> {
    program: &'a Program,
    schema: &'a Schema,
    view: &'a View<'a>,
    catalog: Option<&'a MemoryCatalog>,
    /// Rows are SIDs, and items come through the catalog.
    by_item: bool,
    batch: Batch<'static>,
    texts: Texts,
    notes: Notes,
}

impl Binder<'_> {
    /// The item of each row, or the items behind its SID (R5.10).
    fn items(&mut self) -> Result<(), Fault> {
        let Some(catalog) = self.catalog else { return Ok(()) };
        if !self.by_item {
            if let Some(key) = &self.schema.keys.item {
                let cells = self.view.sources.column(0, key, "`keys: item`")?;
                self.batch.item_of = (0..self.view.n_rows)
                    .map(|r| cells.get(r).and_then(|c| catalog.item(&c.key())).unwrap_or(u32::MAX))
                    .collect();
            }
            return Ok(());
        }
        let ranges = self.sids()?.iter().map(|sid| catalog.behind(sid)).map(|r| (r.start, r.end)).collect();
        let behind = ItemsBehind { ranges, items: catalog.by_sid().to_vec().into() };
        let rows = 0..self.view.n_rows;
        self.batch.item_of = rows.clone().map(|r| behind.of(r).first().copied().unwrap_or(u32::MAX)).collect();
        self.notes.resolved = rows.filter(|r| behind.of(*r).len() > 1).count() as u64;
        self.batch.items_behind = Some(behind);
        Ok(())
    }

    /// The SID of each row, empty where it has none.
    fn sids(&mut self) -> Result<Vec<Vec<u32>>, Fault> {
        let Some(feature) = self.schema.features.iter().find(|f| f.scale == Scale::Sid) else {
            return Err(fault(&code::CATALOG, "the schema has no SID by which rows could be found in the catalog"));
        };
        let column = build(self.view, feature, &mut self.texts)?.column;
        let Values::Sid { codes, offsets } = &column.values else { return Ok(Vec::new()) };
        Ok(offsets
            .windows(2)
            .map(|w| match w {
                [a, b] => codes.get(*a as usize..*b as usize).unwrap_or(&[]).to_vec(),
                _ => Vec::new(),
            })
            .collect())
    }

    fn features(&mut self, own: &[FeatureId]) -> Result<(), Fault> {
        for (i, feature) in self.program.features.iter().enumerate() {
            if !own.contains(&FeatureId(i as u32)) {
                self.batch.features.push(None);
                continue;
            }
            let column = if self.by_item && feature.entity == Entity::Item && feature.scale != Scale::Sid {
                item_column(self.view.sources, self.schema, self.catalog, feature, &mut self.texts)?
            } else {
                let cleaned = build(self.view, feature, &mut self.texts)?;
                if cleaned.clipped > 0 {
                    self.notes.clipped.insert(feature.name.clone(), cleaned.clipped);
                }
                if feature.entity.level() == Level::Request {
                    by_request(&self.batch, feature, cleaned.column)?
                } else {
                    cleaned.column
                }
            };
            self.batch.features.push(Some(column));
        }
        Ok(())
    }

    fn lists(&mut self, host: Host, progress: &dyn Progress) -> Result<(), Fault> {
        let (past, wanted) = crate::program::entry_reads(self.program, &self.program.host_roots(host));
        if let Some(decl) = self.schema.past.as_ref().filter(|_| self.program.reads_span(SpanKind::History, host)) {
            progress.step("building histories");
            self.batch.past = Some(list(self.program, decl, &past, "past", self.view, &self.batch, &mut self.texts)?);
        }
        if let Some(decl) = self.schema.wanted.as_ref().filter(|_| self.program.reads_span(SpanKind::Targets, host)) {
            progress.step("building targets");
            self.batch.wanted =
                Some(list(self.program, decl, &wanted, "wanted", self.view, &self.batch, &mut self.texts)?);
        }
        Ok(())
    }

    /// Whether the item of each row exists: by the catalog, else by the item source.
    fn membership(&mut self, own: &[FeatureId]) -> Result<(), Fault> {
        for id in own {
            let Some(feature) = self.program.features.get(id.index()) else { continue };
            let is_sid = feature.scale == Scale::Sid;
            let is_item = self.schema.keys.item.as_deref() == Some(feature.name.as_str());
            if !is_sid && !is_item {
                continue;
            }
            let known: Vec<bool> = match self.catalog {
                Some(catalog) if is_sid => self.sids()?.iter().map(|sid| !catalog.behind(sid).is_empty()).collect(),
                Some(_) => self.batch.item_of.iter().map(|i| *i != u32::MAX).collect(),
                None => match self.schema.sources.iter().position(|s| s.entity == Entity::Item) {
                    Some(source) => (0..self.view.n_rows).map(|r| self.view.row_in(source, r).is_some()).collect(),
                    None => continue,
                },
            };
            self.batch.in_catalog.insert(*id, known);
        }
        Ok(())
    }
}

/// A feature of the request: one value, equal in all of its rows.
pub fn by_request(
    batch: &Batch<'static>,
    feature: &Feature,
    column: Column<'static>,
) -> Result<Column<'static>, Fault> {
    let mut first: Vec<Option<u32>> = vec![None; batch.request_keys.len()];
    for (row, request) in batch.request_of.iter().enumerate() {
        let excluded = batch.excluded.get(row).copied().flatten().is_some();
        let Some(slot) = first.get_mut(*request as usize).filter(|_| !excluded) else { continue };
        let seen = *slot.get_or_insert(row as u32) as usize;
        if !same_cell(&column, seen, row) {
            let key = batch.request_keys.get(*request as usize).cloned().unwrap_or_default();
            return Err(differs(&feature.name, &key, seen, row));
        }
    }
    Ok(gather(&column, &first, By::Request))
}

/// Whether two cells of a column are equal, nulls and NaNs included.
fn same_cell(column: &Column<'_>, a: usize, b: usize) -> bool {
    if a == b {
        return true;
    }
    if column.is_valid(a) != column.is_valid(b) {
        return false;
    }
    let range = |offsets: &[u32], i: usize| {
        offsets.get(i).copied().unwrap_or(0) as usize..offsets.get(i + 1).copied().unwrap_or(0) as usize
    };
    match &column.values {
        Values::Real(v) => v.get(a).map(|x| x.to_bits()) == v.get(b).map(|x| x.to_bits()),
        Values::Whole(v) => v.get(a).map(|x| x.to_bits()) == v.get(b).map(|x| x.to_bits()),
        Values::Bool(v) => v.get(a) == v.get(b),
        Values::Text(v) => v.get(a) == v.get(b),
        Values::Sid { codes, offsets } => codes.get(range(offsets, a)) == codes.get(range(offsets, b)),
        Values::Set { members, offsets } => members.get(range(offsets, a)) == members.get(range(offsets, b)),
        Values::Vector { size, values } => values.get(a * size..(a + 1) * size) == values.get(b * size..(b + 1) * size),
    }
}
