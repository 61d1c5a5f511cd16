//! How the rows of a step make requests and groups.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::bound::Capacity;
use super::faults::unfit;
use super::inputs::{Groups, Requests, Rollouts};
use crate::diagnostic::{Diagnostic, Fault, code};
use crate::eval::batch::{By, Column, Slates};
use crate::eval::{Batch, Reason};
use crate::program::FeatureId;

/// Row by row what a batch says of its shape; kept from step to step.
#[derive(Debug, Default)]
pub struct Layout {
    pub n_rows: usize,
    pub request_of: Vec<u32>,
    pub request_keys: Vec<String>,
    pub rollout: Vec<u32>,
    pub batch_of: Vec<u32>,
    pub excluded: Vec<Option<Reason>>,
    pub item_of: Vec<u32>,
    /// Items behind each row's SID.
    pub behind: Vec<(u32, u32)>,
    pub slates: Slates,
    pub past: ListRoom,
    pub wanted: ListRoom,
    /// By feature that is asked for its existence: whether it exists, row by row.
    pub in_catalog: BTreeMap<FeatureId, Vec<bool>>,
    /// Emptied columns of the step before, for their room.
    pub columns: Vec<Option<Column<'static>>>,
}

/// What a list of entries is made of.
#[derive(Debug)]
pub struct ListRoom {
    /// A range of entries for each holder.
    pub ranges: Vec<(u32, u32)>,
    /// The entries in order.
    pub index: Vec<u32>,
    /// Requests, or rows.
    pub by: By,
    /// Emptied columns, for their room.
    pub columns: Vec<Option<Column<'static>>>,
}

impl Default for ListRoom {
    fn default() -> Self {
        Self { ranges: Vec::new(), index: Vec::new(), by: By::Request, columns: Vec::new() }
    }
}

/// The room of columns without what they held.
fn emptied(columns: Vec<Option<Column<'_>>>) -> Vec<Option<Column<'static>>> {
    columns.into_iter().map_while(|_| None).collect()
}

impl Layout {
    /// With room for so many requests and rows.
    pub fn with_room(requests: usize, rows: usize) -> Self {
        let keys = std::iter::repeat_with(|| String::with_capacity(24)).take(requests).collect();
        Self {
            request_keys: keys,
            request_of: Vec::with_capacity(rows),
            rollout: Vec::with_capacity(rows),
            batch_of: Vec::with_capacity(rows),
            excluded: Vec::with_capacity(rows),
            item_of: Vec::with_capacity(rows),
            behind: Vec::with_capacity(rows),
            ..Self::default()
        }
    }

    /// Lays out a step.
    ///
    /// # Errors
    /// Groups, keys, lists or padding that do not add up (RW0902), and more than the capacity (RW0903).
    pub fn fill(&mut self, requests: &Requests<'_>, rollouts: &Rollouts<'_>, capacity: &Capacity) -> Result<(), Fault> {
        let n = requests.n;
        at_most("requests", n, capacity.requests)?;
        self.request_of.clear();
        self.rollout.clear();
        for request in 0..n {
            let size = match rollouts.groups {
                Groups::Even(size) => size,
                Groups::Offsets(offsets) => group(offsets, n, request)?,
            };
            at_most("rollouts of one request", size, capacity.group)?;
            self.request_of.extend(std::iter::repeat_n(request as u32, size));
            self.rollout.extend(1..=size as u32);
        }
        self.n_rows = self.request_of.len();
        self.keys(requests)?;
        self.batches(rollouts.batches, n)?;
        self.excluded.clear();
        self.excluded.resize(self.n_rows, None);
        if let Some(padding) = rollouts.padding {
            if padding.len() != self.n_rows {
                return Err(unfit(format!("`padding` has {} entries for {} rollouts", padding.len(), self.n_rows)));
            }
            for (slot, _) in self.excluded.iter_mut().zip(padding).filter(|(_, pad)| **pad) {
                *slot = Some(Reason::Padding);
            }
        }
        let holders = (n, self.n_rows);
        lists(&mut self.past, (requests.past, rollouts.past), holders, "past", capacity)?;
        lists(&mut self.wanted, (requests.wanted, rollouts.wanted), holders, "wanted", capacity)
    }

    /// One batch, or those handed in.
    fn batches(&mut self, given: Option<&[u32]>, n: usize) -> Result<(), Fault> {
        self.batch_of.clear();
        let Some(given) = given else {
            self.batch_of.resize(self.n_rows, 0);
            return Ok(());
        };
        if given.len() != self.n_rows || given.iter().any(|b| *b as usize >= self.n_rows) {
            return Err(unfit(format!("the batches do not fit {} rollouts: they count from 0", self.n_rows)));
        }
        self.batch_of.extend_from_slice(given);
        let rows = self.request_of.windows(2).zip(given.windows(2));
        let cut = rows.filter(|(r, b)| matches!((r, b), ([r1, r2], [b1, b2]) if r1 == r2 && b1 != b2)).count();
        if cut > 0 {
            return Err(unfit(format!("a request lies in one batch, and {cut} of {n} are cut")));
        }
        Ok(())
    }

    /// Takes back what a batch was lent.
    pub fn take_back(&mut self, batch: Batch<'_>) -> crate::eval::Texts {
        self.request_of = batch.request_of;
        self.request_keys = batch.request_keys;
        self.rollout = batch.rollout;
        self.batch_of = batch.batch_of;
        self.excluded = batch.excluded;
        self.item_of = batch.item_of;
        self.in_catalog = batch.in_catalog;
        self.slates = batch.slates.unwrap_or_default();
        if let Some(behind) = batch.items_behind {
            self.behind = behind.ranges;
        }
        for (list, own) in [(batch.past, &mut self.past), (batch.wanted, &mut self.wanted)] {
            if let Some(list) = list {
                *own = ListRoom {
                    ranges: list.ranges,
                    index: list.index.into_owned(),
                    by: list.by,
                    columns: emptied(list.columns),
                };
            }
        }
        // Nothing is left in it: what remains is the room.
        self.columns = emptied(batch.features);
        batch.texts
    }

    fn keys(&mut self, requests: &Requests<'_>) -> Result<(), Fault> {
        if requests.keys.is_some_and(|k| k.len() != requests.n) {
            let given = requests.keys.map_or(0, <[_]>::len);
            return Err(unfit(format!("there are {given} keys for {} requests", requests.n)));
        }
        self.request_keys.resize_with(requests.n, String::new);
        for (i, key) in self.request_keys.iter_mut().enumerate() {
            key.clear();
            match requests.keys.and_then(|k| k.get(i)) {
                Some(own) => key.push_str(own),
                None => {
                    let _ = write!(key, "{}", i + 1);
                }
            }
        }
        Ok(())
    }
}

fn at_most(what: &str, n: usize, most: usize) -> Result<(), Fault> {
    if n <= most {
        return Ok(());
    }
    Err(Box::new(
        Diagnostic::bare(&code::CAPACITY, format!("{n} {what}, and the scorer was built for {most}"))
            .help("build it with a larger `.capacity(…)`"),
    ))
}

/// The size of one group by offsets.
fn group(offsets: &[u32], n: usize, request: usize) -> Result<usize, Fault> {
    let bounds = (offsets.get(request), offsets.get(request + 1));
    match bounds {
        (Some(from), Some(to)) if from <= to && offsets.len() == n + 1 && offsets.first() == Some(&0) => {
            Ok((to - from) as usize)
        }
        _ => Err(unfit(format!(
            "the group offsets do not add up: {n} requests have {} of them, ascending from 0",
            n + 1
        ))),
    }
}

/// The ranges of a list's entries, by request or by row.
fn lists(
    list: &mut ListRoom,
    given: (Option<&[u32]>, Option<&[u32]>),
    holders: (usize, usize),
    name: &str,
    capacity: &Capacity,
) -> Result<(), Fault> {
    let ListRoom { ranges, index, by, .. } = list;
    ranges.clear();
    index.clear();
    let (offsets, n, of_what) = match given {
        (Some(_), Some(_)) => return Err(unfit(format!("`{name}` is handed in for requests and for rollouts"))),
        (Some(offsets), None) => (offsets, holders.0, "requests"),
        (None, Some(offsets)) => (offsets, holders.1, "rollouts"),
        (None, None) => return Ok(()),
    };
    *by = if of_what == "requests" { By::Request } else { By::Row };
    let fits = offsets.len() == n + 1 && offsets.first() == Some(&0);
    if !fits || !offsets.windows(2).all(|w| matches!(w, [a, b] if a <= b)) {
        return Err(unfit(format!(
            "the offsets of the entries of `{name}` do not add up: {n} {of_what} have {} of them, ascending from 0",
            n + 1
        )));
    }
    for window in offsets.windows(2) {
        if let [from, to] = window {
            if (to - from) as usize > capacity.list {
                at_most(&format!("entries of `{name}`"), (to - from) as usize, capacity.list)?;
            }
            ranges.push((*from, *to));
        }
    }
    index.extend(0..offsets.last().copied().unwrap_or(0));
    Ok(())
}
