//! A batch cut anew: slates under trial, each a request of its own.

use std::borrow::Cow;
use std::mem::take;

use super::batch::{Batch, By, Column, List, Slates, Texts, Values};

impl<'a> Batch<'a> {
    /// The slates as a batch: each list of rows is a slate in that order and a request of its own, its
    /// items those given by row. With `whole_group`, what else the request holds lies behind its slate.
    pub fn on_slates<R>(
        &mut self,
        slates: &[&[u32]],
        items: &[u32],
        whole_group: bool,
        work: impl FnOnce(&Batch<'_>) -> R,
    ) -> R {
        // Texts are the batch's own and too many to copy: they are lent to the other, and come back.
        let texts = take(&mut self.texts);
        let mut cut = self.cut(slates, items, whole_group);
        cut.texts = texts;
        let done = work(&cut);
        let texts = take(&mut cut.texts);
        drop(cut);
        self.texts = texts;
        done
    }

    fn cut(&self, slates: &[&[u32]], items: &[u32], whole_group: bool) -> Batch<'_> {
        let slates: Vec<&&[u32]> = slates.iter().filter(|s| !s.is_empty()).collect();
        let (mut rows, mut requests) = (Vec::new(), Vec::new());
        let mut made = Slates { count: slates.len(), ..Slates::default() };
        let mut request_of = Vec::new();
        for (number, slate) in slates.iter().enumerate() {
            let request = slate.first().and_then(|r| self.request_of.get(*r as usize)).copied().unwrap_or(0);
            requests.push(request as usize);
            let rest = |row: &u32| self.request_of.get(*row as usize) == Some(&request) && !slate.contains(row);
            let behind = (0..self.n_rows as u32).filter(|_| whole_group).filter(rest);
            for (place, row) in slate.iter().copied().chain(behind).enumerate() {
                rows.push(row as usize);
                request_of.push(number as u32);
                made.of.push(number as u32);
                made.position.push(place as u32 + 1);
                made.behind.push(place >= slate.len());
            }
        }
        let features = self.features.iter().map(|column| {
            let column = column.as_ref()?;
            Some(match column.by {
                By::Item => Column::lend(column),
                By::Row => column.gather(&rows, By::Row),
                By::Request => column.gather(&requests, By::Request),
            })
        });
        let by_row = |values: &[u32]| rows.iter().map(|r| values.get(*r).copied().unwrap_or(u32::MAX)).collect();
        let list = |list: &'_ List<'a>| List {
            by: list.by,
            ranges: if list.by == By::Row { &rows } else { &requests }
                .iter()
                .map(|holder| list.ranges.get(*holder).copied().unwrap_or((0, 0)))
                .collect(),
            index: Cow::Owned(list.index.to_vec()),
            columns: list.columns.iter().map(|c| c.as_ref().map(|c| c.clone().into_owned())).collect(),
        };
        Batch {
            n_rows: rows.len(),
            texts: Texts::default(),
            request_keys: requests.iter().map(|r| self.request_keys.get(*r).cloned().unwrap_or_default()).collect(),
            batch_of: vec![0; rows.len()],
            rollout: by_row(&self.rollout),
            excluded: rows.iter().map(|r| self.excluded.get(*r).copied().flatten()).collect(),
            features: features.collect(),
            in_catalog: self
                .in_catalog
                .iter()
                .map(|(id, known)| (*id, rows.iter().map(|r| known.get(*r).copied().unwrap_or(false)).collect()))
                .collect(),
            past: self.past.as_ref().map(list),
            wanted: self.wanted.as_ref().map(list),
            item_of: by_row(items),
            items_behind: None,
            predicted: self.predicted.clone(),
            request_of,
            slates: Some(made),
        }
    }
}

impl Column<'_> {
    /// These cells in this order; a cell that the column does not have is null.
    #[must_use]
    pub fn gather(&self, cells: &[usize], by: By) -> Column<'static> {
        fn pick<T: Copy + Default>(values: &[T], cells: &[usize]) -> Cow<'static, [T]> {
            cells.iter().map(|c| values.get(*c).copied().unwrap_or_default()).collect()
        }
        fn spans(values: &[u32], offsets: &[u32], cells: &[usize]) -> (Cow<'static, [u32]>, Cow<'static, [u32]>) {
            let (mut found, mut ends) = (Vec::new(), vec![0]);
            for cell in cells {
                if let (Some(from), Some(to)) = (offsets.get(*cell), offsets.get(cell + 1)) {
                    found.extend_from_slice(values.get(*from as usize..*to as usize).unwrap_or(&[]));
                }
                ends.push(found.len() as u32);
            }
            (found.into(), ends.into())
        }
        let values = match &self.values {
            Values::Real(v) => Values::Real(pick(v, cells)),
            Values::Whole(v) => Values::Whole(pick(v, cells)),
            Values::Bool(v) => Values::Bool(pick(v, cells)),
            Values::Text(v) => Values::Text(pick(v, cells)),
            Values::Sid { codes, offsets } => {
                let (codes, offsets) = spans(codes, offsets, cells);
                Values::Sid { codes, offsets }
            }
            Values::Set { members, offsets } => {
                let (members, offsets) = spans(members, offsets, cells);
                Values::Set { members, offsets }
            }
            Values::Vector { size, values } => {
                let places: Vec<usize> = cells.iter().flat_map(|c| (0..*size).map(move |i| c * size + i)).collect();
                Values::Vector { size: *size, values: pick(values, &places) }
            }
        };
        let all_there = self.valid.is_none() && cells.iter().all(|c| *c < self.values.len());
        let valid = (!all_there).then(|| cells.iter().map(|c| self.is_valid(*c)).collect());
        Column { by, values, valid }
    }
}
