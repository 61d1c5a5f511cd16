//! How rows make requests, batches and slates (schema.md, R3.5, R7.2).

use std::collections::{BTreeMap, HashMap, HashSet};

use super::order::OrderKeys;
use super::text::truth;
use super::view::View;
use super::{Fault, fault};
use crate::diagnostic::{Diagnostic, code};
use crate::eval::batch::Slates;
use crate::eval::{Batch, Reason};
use crate::schema::SlateDecl;
use crate::types::Host;

/// Fills in requests, batches, rollout numbers, exclusions and slates.
///
/// A request lies in one batch (R3.1): the same key in two batches is two requests.
pub fn fill(batch: &mut Batch<'static>, view: &View<'_>, host: Host) -> Result<(), Fault> {
    let spans = &view.schema.spans;
    let n = view.n_rows;
    batch.n_rows = n;
    batch.batch_of = match &spans.batch {
        Some(column) => {
            let columns = std::slice::from_ref(column);
            numbers(whole(view.keys(columns, "`spans: batch`")?, columns)?)
        }
        None => vec![0; n],
    };
    let mut columns = spans.request.clone();
    if columns.is_empty() {
        columns.extend(view.schema.keys.request.clone());
    }
    let keys: Vec<String> = if columns.is_empty() {
        (1..=n).map(|r| r.to_string()).collect()
    } else {
        whole(view.keys(&columns, "`spans: request`")?, &columns)?
    };
    let mut requests: HashMap<(&str, u32), u32> = HashMap::new();
    for (row, key) in keys.iter().enumerate() {
        let next = requests.len() as u32;
        let in_batch = batch.batch_of.get(row).copied().unwrap_or(0);
        let request = *requests.entry((key, in_batch)).or_insert_with(|| {
            batch.request_keys.push(key.clone());
            next
        });
        batch.request_of.push(request);
    }
    let mut counts = vec![0u32; batch.request_keys.len()];
    for request in &batch.request_of {
        if let Some(count) = counts.get_mut(*request as usize) {
            *count += 1;
            batch.rollout.push(*count);
        }
    }
    batch.excluded = excluded(view)?;
    batch.slates = slates(batch, view, host)?;
    Ok(())
}

/// Keys that are all there: to put rows without one together would be a guess.
fn whole(keys: Vec<Option<String>>, columns: &[String]) -> Result<Vec<String>, Fault> {
    if let Some(row) = keys.iter().position(Option::is_none) {
        return Err(Box::new(
            Diagnostic::bare(
                &code::CONTRACT,
                format!("row {} has no `{}`, by which rows are put together", row + 1, columns.join("`, `")),
            )
            .help("fill it in, or take these rows out"),
        ));
    }
    Ok(keys.into_iter().flatten().collect())
}

/// Equal texts get equal numbers, in order of first appearance.
fn numbers(keys: Vec<String>) -> Vec<u32> {
    let mut known: HashMap<String, u32> = HashMap::new();
    keys.into_iter()
        .map(|key| {
            let next = known.len() as u32;
            *known.entry(key).or_insert(next)
        })
        .collect()
}

/// Rows that are out before any rule: padded beams, repeats of `distinct`.
pub fn excluded(view: &View<'_>) -> Result<Vec<Option<Reason>>, Fault> {
    let mut out = vec![None; view.n_rows];
    let distinct = view.schema.sources.get(view.base).map(|s| s.distinct.clone()).unwrap_or_default();
    if !distinct.is_empty() {
        let mut seen = HashSet::with_capacity(view.n_rows);
        for (slot, key) in out.iter_mut().zip(view.keys(&distinct, "`distinct`")?) {
            // A row without one of the columns repeats nothing.
            if key.is_some() && !seen.insert(key) {
                *slot = Some(Reason::Repeated);
            }
        }
    }
    if let Some(column) = &view.schema.keys.padding {
        let cells = view.sources.column(view.base, column, "`keys: padding`")?;
        for (row, slot) in out.iter_mut().enumerate() {
            let Some(cell) = cells.get(row) else { continue };
            match truth(&cell) {
                Some(true) => *slot = Some(Reason::Padding),
                Some(false) => {}
                None => {
                    let message = format!("`{column}` in row {} says neither yes nor no: {}", row + 1, cell.key());
                    return Err(Box::new(
                        Diagnostic::bare(&code::COLUMN_TYPE, message)
                            .help("a padding column holds true and false, or 1 and 0"),
                    ));
                }
            }
        }
    }
    Ok(out)
}

fn slates(batch: &Batch<'static>, view: &View<'_>, host: Host) -> Result<Option<Slates>, Fault> {
    let spans = &view.schema.spans;
    let first = spans.training.as_ref().and_then(|t| t.slate_first);
    match (host, first, &spans.slate) {
        // Candidates before the choice have no slate (R7.3).
        (Host::Serving, ..) => Ok(None),
        (Host::Training, Some(first), _) => {
            let mut slates = Slates::default();
            slates.fill_first_of_groups(&batch.request_of, &batch.rollout, first, batch.request_keys.len());
            Ok(Some(slates))
        }
        // Slates are made up of logged rows only: a rollout is no impression.
        (Host::Training, None, Some(SlateDecl::Made { .. })) => Ok(None),
        (_, _, Some(SlateDecl::Made { every, order, keep_short })) => {
            made(batch, view, *every, order, *keep_short).map(Some)
        }
        (_, _, Some(SlateDecl::Logged { by, position })) => logged(batch, view, by, position.as_deref()).map(Some),
        (_, _, None) => Ok(None),
    }
}

/// Rows of each request by their order, excluded rows left out.
fn ordered(batch: &Batch<'static>, view: &View<'_>, order: &[String]) -> Result<Vec<Vec<usize>>, Fault> {
    let mut keys = Vec::new();
    for column in order {
        keys.push(OrderKeys::of(&*view.sources.column(view.base, column, "the order of slates")?, column)?);
    }
    let mut groups = vec![Vec::new(); batch.request_keys.len()];
    for row in 0..batch.n_rows {
        if batch.excluded.get(row).copied().flatten().is_none()
            && let Some(group) = batch.request_of.get(row).and_then(|r| groups.get_mut(*r as usize))
        {
            group.push(row);
        }
    }
    for rows in &mut groups {
        rows.sort_by(|a, b| {
            keys.iter()
                .map(|k| k.compare(*a, k, *b))
                .find(|o| *o != std::cmp::Ordering::Equal)
                .unwrap_or(std::cmp::Ordering::Equal)
        });
    }
    Ok(groups)
}

/// Slates cut from each request's rows.
fn made(
    batch: &Batch<'static>,
    view: &View<'_>,
    every: u64,
    order: &[String],
    keep_short: bool,
) -> Result<Slates, Fault> {
    let n = batch.n_rows;
    // Slate 0 has no members: rows without a place lie behind it and see themselves alone.
    let mut slates = Slates { of: vec![0; n], position: vec![1; n], behind: vec![true; n], count: 1 };
    for rows in ordered(batch, view, order)? {
        for piece in rows.chunks(every.max(1) as usize) {
            if !keep_short && (piece.len() as u64) < every {
                continue;
            }
            let slate = slates.count as u32;
            for (place, row) in piece.iter().enumerate() {
                put(&mut slates, *row, slate, place as u32 + 1);
            }
            slates.count += 1;
        }
    }
    Ok(slates)
}

fn put(slates: &mut Slates, row: usize, slate: u32, position: u32) {
    if let (Some(of), Some(place), Some(behind)) =
        (slates.of.get_mut(row), slates.position.get_mut(row), slates.behind.get_mut(row))
    {
        *of = slate;
        *place = position;
        *behind = false;
    }
}

/// Slates as logged: rows of a request with equal columns, places by a column or in input order.
fn logged(batch: &Batch<'static>, view: &View<'_>, by: &[String], position: Option<&str>) -> Result<Slates, Fault> {
    let n = batch.n_rows;
    let mut slates = Slates { of: vec![0; n], position: vec![1; n], behind: vec![true; n], count: 1 };
    let places = match position {
        Some(column) => Some(view.sources.column(view.base, column, "`slate: position`")?),
        None => None,
    };
    let mut known: BTreeMap<(u32, String), (u32, u32)> = BTreeMap::new();
    for (row, key) in view.keys(by, "`slate: by`")?.into_iter().enumerate() {
        let excluded = batch.excluded.get(row).copied().flatten().is_some();
        let (Some(key), false) = (key, excluded) else { continue };
        let request = batch.request_of.get(row).copied().unwrap_or(0);
        let next = slates.count as u32;
        let slate = known.entry((request, key)).or_insert((next, 0));
        slate.1 += 1;
        let (of, counted) = *slate;
        slates.count = slates.count.max(of as usize + 1);
        let place = match &places {
            None => counted,
            Some(cells) => match cells.get(row).and_then(|c| c.number()) {
                Some(p) if p >= 1.0 && p.fract() == 0.0 && p < 1e9 => p as u32,
                _ => {
                    let column = position.unwrap_or("");
                    return Err(Box::new(
                        Diagnostic::bare(
                            &code::CONTRACT,
                            format!("`{column}` in row {} is not a place from 1", row + 1),
                        )
                        .help("positions are whole numbers from 1"),
                    ));
                }
            },
        };
        put(&mut slates, row, of, place);
    }
    if slates.count > u32::MAX as usize {
        return Err(fault(&code::CONTRACT, "too many slates"));
    }
    Ok(slates)
}
