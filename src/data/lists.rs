//! Histories and targets: list columns of the row, or as-of lists from a source.
//!
//! An as-of list holds the entries of the same `by` strictly before the row's own time: ties and
//! repeats stay out, so that nothing of the moment itself leaks in.

use std::borrow::Cow;
use std::collections::HashMap;

use super::cells::Cells;
use super::columns::build;
use super::order::OrderKeys;
use super::view::View;
use super::{Fault, fault};
use crate::diagnostic::{Diagnostic, code};
use crate::eval::Batch;
use crate::eval::batch::{By, List, Texts};
use crate::program::{FeatureId, Program};
use crate::schema::{Feature, ListDecl, ListFrom};

/// Builds a list of the schema for the features that the program reads in its entries.
pub fn list(
    program: &Program,
    decl: &ListDecl,
    reads: &[FeatureId],
    prefix: &str,
    view: &View<'_>,
    batch: &Batch<'static>,
    texts: &mut Texts,
) -> Result<List<'static>, Fault> {
    match &decl.from {
        ListFrom::Row => of_row(program, decl, reads, prefix, view, batch, texts),
        ListFrom::AsOf { source, by, time, after } => {
            let entries = if *source == view.base {
                None
            } else {
                Some(View::new(view.sources, view.schema, *source, false, &super::Silent)?)
            };
            let entries = entries.as_ref().unwrap_or(view);
            let (ranges, index) = as_of(decl, by, time, *after, view, entries, batch)?;
            let mut columns = vec![None; program.features.len()];
            for id in reads {
                if let (Some(feature), Some(slot)) = (program.features.get(id.index()), columns.get_mut(id.index())) {
                    *slot = Some(build(entries, feature, texts)?.column);
                }
            }
            Ok(List { by: By::Row, ranges, index: index.into(), columns })
        }
    }
}

/// Each holder's range, and the entries that ranges point into.
type Ranges = (Vec<(u32, u32)>, Vec<u32>);

/// For each row the range of its entries, oldest first.
fn as_of(
    decl: &ListDecl,
    by: &str,
    time: &str,
    after: bool,
    view: &View<'_>,
    entries: &View<'_>,
    batch: &Batch<'static>,
) -> Result<Ranges, Fault> {
    let of = |v: &View<'_>, column: &str| v.sources.column(v.base, column, "an as-of list");
    let (owner, own_owner) = (of(entries, by)?, of(view, by)?);
    let keys = |v: &View<'_>| OrderKeys::of(&*of(v, time)?, time);
    let (now, when) = OrderKeys::times(keys(view)?, keys(entries)?, time)?;
    // Repeats stay out, of the scored table and of a list's own source alike.
    let excluded = if std::ptr::eq(view, entries) { batch.excluded.clone() } else { super::spans::excluded(entries)? };
    let mut by_owner: HashMap<String, Vec<u32>> = HashMap::new();
    for row in 0..entries.n_rows {
        let repeat = excluded.get(row).copied().flatten().is_some();
        if repeat || !when.has(row) {
            continue;
        }
        if let Some(key) = owner.get(row) {
            by_owner.entry(key.key()).or_default().push(row as u32);
        }
    }
    let mut index = Vec::with_capacity(entries.n_rows);
    let mut places: HashMap<&String, (u32, u32)> = HashMap::new();
    let mut owners: Vec<&String> = by_owner.keys().collect();
    owners.sort();
    for key in owners {
        let Some(rows) = by_owner.get(key) else { continue };
        let start = index.len() as u32;
        let mut sorted = rows.clone();
        // Stable: equal times in input order.
        sorted.sort_by(|a, b| when.compare(*a as usize, &when, *b as usize));
        index.extend(sorted);
        places.insert(key, (start, index.len() as u32));
    }
    let mut ranges = Vec::with_capacity(view.n_rows);
    for row in 0..view.n_rows {
        let place = own_owner.get(row).and_then(|k| places.get(&k.key()).copied());
        let Some((start, end)) = place.filter(|_| now.has(row)) else {
            ranges.push((0, 0));
            continue;
        };
        let entries = index.get(start as usize..end as usize).unwrap_or(&[]);
        let order = |e: &u32| when.compare(*e as usize, &now, row);
        ranges.push(if after {
            let from = start + entries.partition_point(|e| order(e) != std::cmp::Ordering::Greater) as u32;
            let most = decl.last.map_or(end, |n| from.saturating_add(n as u32));
            (from, end.min(most))
        } else {
            let until = start + entries.partition_point(|e| order(e) == std::cmp::Ordering::Less) as u32;
            let least = decl.last.map_or(start, |n| until.saturating_sub(n as u32));
            (start.max(least), until)
        });
    }
    Ok((ranges, index))
}

/// List columns `past.NAME`, equal over the rows of a request: taken from its first row.
fn of_row(
    program: &Program,
    decl: &ListDecl,
    reads: &[FeatureId],
    prefix: &str,
    view: &View<'_>,
    batch: &Batch<'static>,
    texts: &mut Texts,
) -> Result<List<'static>, Fault> {
    let mut first_row = vec![None; batch.request_keys.len()];
    let left = |row: usize| batch.excluded.get(row).copied().flatten().is_none();
    for (row, request) in batch.request_of.iter().enumerate().filter(|(row, _)| left(*row)) {
        if let Some(slot) = first_row.get_mut(*request as usize) {
            slot.get_or_insert(row);
        }
    }
    // Lengths must agree: between columns of a row, and between the rows of a request.
    let names: Vec<&String> = if reads.is_empty() {
        decl.features.iter().take(1).collect()
    } else {
        reads.iter().filter_map(|id| program.features.get(id.index()).map(|f| &f.name)).collect()
    };
    let mut lengths: Option<Vec<usize>> = None;
    let mut columns = vec![None; program.features.len()];
    for name in names {
        let column = format!("{prefix}.{name}");
        let cells = view.sources.column(view.base, &column, &format!("the list `{prefix}`"))?;
        let own = row_lengths(&cells, &column, view.n_rows)?;
        for (row, request) in batch.request_of.iter().enumerate().filter(|(row, _)| left(*row)) {
            let first = first_row.get(*request as usize).copied().flatten().unwrap_or(row);
            if !same_list(&cells, first, row) {
                let key = batch.request_keys.get(*request as usize).cloned().unwrap_or_default();
                return Err(differs(&column, &key, first, row));
            }
        }
        if let Some(lengths) = &lengths
            && let Some(row) = (0..view.n_rows).find(|r| lengths.get(*r) != own.get(*r))
        {
            return Err(Box::new(
                Diagnostic::bare(
                    &code::LIST_COLUMNS,
                    format!("`{column}` has another length than its neighbours in row {}", row + 1),
                )
                .help(format!("the list columns `{prefix}.…` of a row have equal lengths, oldest first")),
            ));
        }
        lengths = Some(own);
        if let Some(id) = reads.iter().find(|id| program.features.get(id.index()).is_some_and(|f| f.name == *name))
            && let Some(slot) = columns.get_mut(id.index())
            && let Some(feature) = program.features.get(id.index())
        {
            *slot = Some(entries_of(&cells, feature, &first_row, texts, &column)?);
        }
    }
    let mut ranges = Vec::with_capacity(first_row.len());
    let mut end = 0u32;
    for row in &first_row {
        let n = row.and_then(|r| lengths.as_ref()?.get(r).copied()).unwrap_or(0) as u32;
        ranges.push((end, end + n));
        end += n;
    }
    Ok(List { by: By::Request, ranges, index: Cow::Owned((0..end).collect()), columns })
}

/// A message on rows of one request that differ.
pub fn differs(what: &str, request: &str, first: usize, row: usize) -> Fault {
    Box::new(
        Diagnostic::bare(
            &code::REQUEST_DIFFERS,
            format!(
                "`{what}` differs inside request {}: rows {} and {}",
                request.replace('\u{1f}', ", "),
                first + 1,
                row + 1
            ),
        )
        .help("what belongs to the request or user is equal in all of its rows"),
    )
}

fn row_lengths(cells: &Cells, column: &str, n: usize) -> Result<Vec<usize>, Fault> {
    (0..n)
        .map(|row| match cells {
            Cells::List { .. } => Ok(cells.list(row).map_or(0, |(_, range)| range.len())),
            Cells::Text(_) | Cells::Raw(_) => {
                Ok(cells.get(row).map_or(0, |c| if c.key().is_empty() { 0 } else { c.key().split('|').count() }))
            }
            // A column of nulls has no lists at all.
            _ if cells.get(row).is_none() => Ok(0),
            other => Err(fault(&code::COLUMN_TYPE, format!("`{column}` holds {}, not lists", other.word()))),
        })
        .collect()
}

fn same_list(cells: &Cells, a: usize, b: usize) -> bool {
    if a == b {
        return true;
    }
    match (cells.list(a), cells.list(b)) {
        (Some((inner, x)), Some((_, y))) => x.len() == y.len() && x.zip(y).all(|(i, j)| same_cell(inner, i, j)),
        (None, None) => cells.get(a) == cells.get(b),
        _ => false,
    }
}

fn same_cell(inner: &Cells, i: usize, j: usize) -> bool {
    match (inner.list(i), inner.list(j)) {
        (Some((deep, x)), Some((_, y))) => x.len() == y.len() && x.zip(y).all(|(p, q)| deep.get(p) == deep.get(q)),
        (None, None) => inner.get(i) == inner.get(j),
        _ => false,
    }
}

/// The entries of the first row of each request, cleaned as the feature says.
fn entries_of(
    cells: &Cells,
    feature: &Feature,
    first_row: &[Option<usize>],
    texts: &mut Texts,
    column: &str,
) -> Result<crate::eval::batch::Column<'static>, Fault> {
    super::columns::of_entries(cells, feature, first_row, texts).map_err(|found| {
        fault(&code::COLUMN_TYPE, format!("`{column}` has {found}, and feature `{}` is {}", feature.name, feature.ty()))
    })
}
