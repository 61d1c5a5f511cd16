//! What a host brings, put together as a batch: columns are lent, items found behind SIDs.

use std::borrow::Cow;
use std::mem::take;

use super::bound::{Bound, Declared, Provider};
use super::given::{Given, GivenColumn, Slot};
use super::groups::{Layout, ListRoom};
use super::inputs::{InputId, Requests, Rollouts};
use super::sources::History;

use super::faults::unfit;
use crate::diagnostic::Fault;
use crate::eval::Batch;
use crate::eval::batch::{By, Column, ItemsBehind, List, Texts};
use crate::program::FeatureId;
use crate::schema::Schema;
use crate::types::{Host, Scale};

/// Cleaned columns of a step.
#[derive(Debug, Default)]
pub struct Cleaned {
    /// By declared column.
    pub slots: Vec<Slot>,
    pub sid: Slot,
}

/// The column handed in for an input.
fn handed<'a>(columns: &[(InputId, GivenColumn<'a>)], input: InputId) -> Option<GivenColumn<'a>> {
    columns.iter().find(|(id, _)| *id == input).map(|(_, column)| *column)
}

impl Cleaned {
    /// Cleans every declared column into its slot.
    ///
    /// # Errors
    /// A column that is not handed in, was not declared, or does not fit (RW0902).
    pub fn fill(
        &mut self,
        bound: &Bound,
        layout: &Layout,
        requests: &Requests<'_>,
        rollouts: &Rollouts<'_>,
        texts: &mut Texts,
    ) -> Result<(), Fault> {
        for (i, (name, as_what)) in bound.declared.iter().enumerate() {
            let (columns, n) = match as_what {
                Declared::Request => (&requests.columns, requests.n),
                Declared::Rollout => (&rollouts.columns, layout.n_rows),
                Declared::Past => (&requests.columns, layout.past.index.len()),
                Declared::Wanted => (&requests.columns, layout.wanted.index.len()),
                Declared::Unused => continue,
            };
            let Some(given) = handed(columns, InputId(i as u32)) else {
                return Err(unfit(format!("`{name}` was declared and is not handed in")));
            };
            if let (Some(slot), Some(feature)) = (self.slots.get_mut(i), bound.schema.feature(name)) {
                slot.fill(feature, &given, n, texts).map_err(|why| unfit(format!("`{name}`: {why}")))?;
            }
        }
        let mut all = requests.columns.iter().chain(&rollouts.columns);
        if all.any(|(id, _)| id.0 as usize >= bound.declared.len()) {
            return Err(unfit("a column is handed in that this scorer did not declare"));
        }
        let Some(sids) = &rollouts.sids else { return Ok(()) };
        let Some(feature) = bound.schema.features.iter().find(|f| f.scale == Scale::Sid) else {
            return Err(unfit("SIDs are handed in, and the schema has none"));
        };
        self.sid.fill(feature, sids, layout.n_rows, texts).map_err(|why| unfit(format!("the SIDs: {why}")))
    }
}

/// The item of each row: handed in, or behind its SID (R5.10); none is `u32::MAX`, never a substitute.
///
/// # Errors
/// Items of another catalog, or none where the reward needs them (RW0902).
pub fn find_items(bound: &Bound, layout: &mut Layout, rollouts: &Rollouts<'_>) -> Result<(), Fault> {
    let n = layout.n_rows;
    layout.item_of.clear();
    layout.behind.clear();
    match (bound.catalog.as_deref(), rollouts.items, &rollouts.sids) {
        (Some(catalog), Some((items, id)), _) => {
            if id != catalog.id() {
                return Err(unfit("the items are numbered by another catalog than the one that is bound"));
            }
            if items.len() != n {
                return Err(unfit(format!("there are {} items for {n} rollouts", items.len())));
            }
            let known = |item: &u32| if (*item as usize) < catalog.n_items() { *item } else { u32::MAX };
            layout.item_of.extend(items.iter().map(known));
        }
        (Some(catalog), None, Some(GivenColumn { values: Given::Sids { codes, levels }, .. })) => {
            for sid in codes.chunks_exact(*levels) {
                let range = catalog.behind(sid);
                let first = catalog.by_sid().get(range.start as usize).filter(|_| !range.is_empty());
                layout.item_of.push(first.copied().unwrap_or(u32::MAX));
                layout.behind.push((range.start, range.end));
            }
        }
        (Some(_), None, _) if bound.asks_for_items => return Err(unfit("neither SIDs nor items are handed in")),
        (None, Some(_), _) => return Err(unfit("items are handed in, and no catalog is bound")),
        (_, None, _) => layout.item_of.resize(n, u32::MAX),
    }
    for known in layout.in_catalog.values_mut() {
        known.clear();
        known.extend(layout.item_of.iter().map(|i| *i != u32::MAX));
    }
    Ok(())
}

/// The SIDs of items that are handed in without: those of the catalog.
pub fn find_sids(bound: &Bound, rollouts: &Rollouts<'_>, sids: &mut Vec<u32>) -> Option<usize> {
    let catalog = bound.catalog.as_deref().filter(|c| c.n_levels() > 0)?;
    let (items, None) = (rollouts.items?.0, rollouts.sids) else { return None };
    let levels = catalog.n_levels();
    sids.clear();
    for item in items {
        match catalog.sid(*item) {
            Some(sid) => sids.extend_from_slice(sid),
            None => sids.extend(std::iter::repeat_n(u32::MAX, levels)),
        }
    }
    Some(levels)
}

/// The items of the histories, for sources that ask for them: by the SIDs or the item keys that the host
/// hands in.
///
/// # Errors
/// Histories that are not handed in (RW0902).
pub fn find_history(
    bound: &Bound,
    layout: &Layout,
    (requests, rollouts): (&Requests<'_>, &Rollouts<'_>),
    history: &mut History,
) -> Result<(), Fault> {
    history.ranges.clone_from(&layout.past.ranges);
    history.by = layout.past.by;
    history.items.clear();
    let Some(catalog) = bound.catalog.as_deref() else {
        return Err(unfit("a source asks for histories, and no catalog says which items they are"));
    };
    let given = requests.past.or(rollouts.past);
    let (Some(input), Some(_)) = (history_input(&bound.schema, &bound.declared), given) else {
        return Err(unfit("a source asks for histories, and none are handed in"));
    };
    match handed(&requests.columns, input).map(|c| c.values) {
        Some(Given::Sids { codes, levels }) => history.items.extend(codes.chunks_exact(levels.max(1)).map(|sid| {
            let range = catalog.behind(sid);
            catalog.by_sid().get(range.start as usize).filter(|_| !range.is_empty()).copied().unwrap_or(u32::MAX)
        })),
        Some(Given::Strings(keys)) => {
            history.items.extend(keys.iter().map(|k| catalog.item(k).unwrap_or(u32::MAX)));
        }
        Some(Given::Wholes(keys)) => {
            history.items.extend(keys.iter().map(|k| catalog.item(&k.to_string()).unwrap_or(u32::MAX)));
        }
        _ => return Err(unfit("the histories are handed in neither as SIDs nor as item keys")),
    }
    Ok(())
}

/// The declared column that says which items a history holds.
pub fn history_input(schema: &Schema, declared: &[(String, Declared)]) -> Option<InputId> {
    let is_item = |name: &str| {
        schema.keys.item.as_deref() == Some(name) || schema.feature(name).is_some_and(|f| f.scale == Scale::Sid)
    };
    declared.iter().position(|(name, as_what)| *as_what == Declared::Past && is_item(name)).map(InputId::of)
}

/// The step as a batch that borrows the host's columns and the scorer's scratch; `layout` gets its
/// own back by [`Layout::take_back`].
///
/// # Errors
/// Slates or SIDs that are missing or do not fit (RW0902).
pub fn lend<'a>(
    bound: &'a Bound,
    cleaned: &'a Cleaned,
    layout: &mut Layout,
    texts: &mut Texts,
    requests: &Requests<'a>,
    rollouts: &Rollouts<'a>,
) -> Result<Batch<'a>, Fault> {
    let slates = has_slates(bound, layout, rollouts, requests.n)?;
    let mut features: Vec<Option<Column<'a>>> = take(&mut layout.columns);
    for (i, provider) in bound.providers.iter().enumerate() {
        features.push(match provider {
            None | Some(Provider::Signal(..)) => None,
            Some(provider) => {
                let feature = bound.program.features.get(i).map_or("", |f| f.name.as_str());
                Some(column(bound, cleaned, *provider, feature, requests, rollouts)?)
            }
        });
    }
    let many = bound.catalog.as_deref().filter(|_| !layout.behind.is_empty());
    let items_behind =
        many.map(|catalog| ItemsBehind { ranges: take(&mut layout.behind), items: Cow::Borrowed(catalog.by_sid()) });
    let given = requests.past.or(rollouts.past);
    let past = given.map(|_| entries(bound, cleaned, &mut layout.past, Declared::Past, requests)).transpose()?;
    let given = requests.wanted.or(rollouts.wanted);
    let wanted = given.map(|_| entries(bound, cleaned, &mut layout.wanted, Declared::Wanted, requests)).transpose()?;
    Ok(Batch {
        n_rows: layout.n_rows,
        texts: take(texts),
        request_of: take(&mut layout.request_of),
        request_keys: take(&mut layout.request_keys),
        batch_of: take(&mut layout.batch_of),
        rollout: take(&mut layout.rollout),
        slates: slates.then(|| take(&mut layout.slates)),
        excluded: take(&mut layout.excluded),
        features,
        in_catalog: take(&mut layout.in_catalog),
        past,
        wanted,
        item_of: take(&mut layout.item_of),
        items_behind,
        predicted: Vec::new(),
    })
}

/// Lays out the slates, if the step has any (R7.2, R7.3).
fn has_slates(bound: &Bound, layout: &mut Layout, rollouts: &Rollouts<'_>, n: usize) -> Result<bool, Fault> {
    match (bound.host, bound.slate_first, rollouts.slates) {
        (Host::Training | Host::Serving, _, Some(_)) => {
            Err(unfit("slates are handed in, and only logs have any: training takes the schema's, serving chooses"))
        }
        (Host::Training, Some(first), _) => {
            layout.slates.fill_first_of_groups(&layout.request_of, &layout.rollout, first, n);
            Ok(true)
        }
        (Host::Logs, _, Some((of, position))) => {
            let n_rows = layout.n_rows;
            let counts = |slate: &u32| (*slate as usize) < n_rows || *slate == u32::MAX;
            let counts = of.iter().all(counts) && !position.contains(&0);
            if of.len() != n_rows || position.len() != n_rows || !counts {
                let message = format!("the slates do not fit {n_rows} rollouts: slates count from 0, places from 1");
                return Err(unfit(message));
            }
            // Slate 0 has no members: rows without a place lie behind it and see themselves alone.
            layout.slates.of.clear();
            layout.slates.of.extend(of.iter().map(|slate| slate.wrapping_add(1)));
            layout.slates.position.clear();
            layout.slates.position.extend_from_slice(position);
            layout.slates.behind.clear();
            layout.slates.behind.extend(of.iter().map(|slate| *slate == u32::MAX));
            layout.slates.count = layout.slates.of.iter().max().map_or(0, |m| *m as usize + 1);
            Ok(true)
        }
        _ => Ok(false),
    }
}

fn column<'a>(
    bound: &'a Bound,
    cleaned: &'a Cleaned,
    provider: Provider,
    feature: &str,
    requests: &Requests<'a>,
    rollouts: &Rollouts<'a>,
) -> Result<Column<'a>, Fault> {
    let declared = bound.schema.feature(feature).ok_or_else(|| unfit(format!("the schema has no `{feature}`")))?;
    match provider {
        Provider::Catalog => {
            let lent = bound.catalog.as_deref().and_then(|c| c.column(feature));
            lent.ok_or_else(|| unfit(format!("the catalog has no `{feature}`")))
        }
        Provider::Sid => {
            let sids = rollouts.sids.ok_or_else(|| unfit(format!("no SIDs are handed in, and `{feature}` is read")))?;
            Ok(cleaned.sid.column(declared, &sids, By::Row))
        }
        Provider::Column(input) => {
            let by = match bound.declared.get(input.0 as usize) {
                Some((_, Declared::Request)) => By::Request,
                _ => By::Row,
            };
            let columns = if by == By::Request { &requests.columns } else { &rollouts.columns };
            let slot = cleaned.slots.get(input.0 as usize);
            let (Some(given), Some(slot)) = (handed(columns, input), slot) else {
                return Err(unfit(format!("`{feature}` is not handed in")));
            };
            Ok(slot.column(declared, &given, by))
        }
        Provider::Signal(..) => Err(unfit(format!("`{feature}` comes of a signal source"))),
    }
}

fn entries<'a>(
    bound: &'a Bound,
    cleaned: &'a Cleaned,
    list: &mut ListRoom,
    which: Declared,
    requests: &Requests<'a>,
) -> Result<List<'a>, Fault> {
    let ListRoom { ranges, index, by, columns } = take(list);
    let mut columns: Vec<Option<Column<'a>>> = columns;
    columns.resize(bound.program.features.len(), None);
    for (i, (name, as_what)) in bound.declared.iter().enumerate().filter(|(_, (_, d))| *d == which) {
        let place = bound.program.features.iter().position(|f| f.name == *name);
        let (Some(place), Some(feature)) = (place, bound.schema.feature(name)) else { continue };
        let given = handed(&requests.columns, InputId(i as u32));
        if let (Some(slot), Some(given), Some(column)) = (cleaned.slots.get(i), given, columns.get_mut(place)) {
            debug_assert_eq!(*as_what, which);
            *column = Some(slot.column(feature, &given, By::Row));
        }
    }
    Ok(List { by, ranges, index: Cow::Owned(index), columns })
}

/// Features that are asked whether they exist: by these `in_catalog` is kept.
pub fn asked_in_catalog(bound_program: &crate::program::Program) -> Vec<FeatureId> {
    let exprs = bound_program.exprs.iter();
    let mut asked: Vec<FeatureId> = exprs
        .filter_map(|e| if let crate::program::Op::InCatalog { id, .. } = e.op { Some(id) } else { None })
        .collect();
    asked.sort();
    asked.dedup();
    asked
}
