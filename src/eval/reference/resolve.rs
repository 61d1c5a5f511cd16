//! Several items behind one SID: which one is meant (R5.10).

use super::Work;
use super::contract::{Cell, look};
use super::expr::Ctx;
use crate::eval::batch::Values;
use crate::program::ExprId;
use crate::schema::Resolve;
use crate::types::Availability;

impl Work<'_> {
    /// Chooses an item for each row that has several. Rule by rule those stay that pass what is
    /// known of an item by itself; a rule that leaves none decides later, on any of those left.
    pub fn resolve(&mut self) {
        let Some(behind) = &self.batch.items_behind else { return };
        let rules: Vec<(Vec<ExprId>, &[crate::program::FeatureId])> = self
            .program
            .rules
            .iter()
            .filter(|r| r.acts_in(self.run.host))
            .map(|r| {
                let early = |e: &&ExprId| self.program.expr(**e).availability <= Availability::Request;
                (r.pieces.iter().filter(early).copied().collect(), r.reads.as_slice())
            })
            .collect();
        let early: Vec<ExprId> = rules.iter().flat_map(|(pieces, _)| pieces.clone()).collect();
        for row in 0..self.batch.n_rows {
            let items = behind.of(row);
            if items.len() < 2 {
                if let Some(item) = items.first() {
                    self.item_of[row] = *item;
                }
                continue;
            }
            let mut left = items.to_vec();
            for (pieces, reads) in &rules {
                let stay: Vec<u32> =
                    left.iter().copied().filter(|item| self.passes(row, *item, pieces, reads, &early)).collect();
                if stay.is_empty() {
                    break;
                }
                left = stay;
            }
            self.item_of[row] = self.preferred(row, &left);
        }
        self.lets.iter_mut().for_each(|l| *l = None);
    }

    /// Whether a row with this item passes the pieces of a rule.
    fn passes(
        &mut self,
        row: usize,
        item: u32,
        pieces: &[ExprId],
        reads: &[crate::program::FeatureId],
        early: &[ExprId],
    ) -> bool {
        self.item_of[row] = item;
        if reads.iter().any(|f| self.fault(*f, row).is_some()) {
            return false;
        }
        // Lets hold the values of the item before; only this row's are asked for.
        for id in self.program.lets_below(early) {
            let value = self.program.lets[id.index()].value;
            let mut column = vec![super::Value::Missing; self.batch.n_rows];
            column[row] = self.value(value, Ctx::own(row));
            self.lets[id.index()] = Some(column);
        }
        pieces.iter().all(|p| self.value(*p, Ctx::own(row)).is_true())
    }

    /// The first in catalog order, or the highest by a feature, missing last.
    fn preferred(&mut self, row: usize, left: &[u32]) -> u32 {
        let first = left.first().copied().unwrap_or(u32::MAX);
        let Resolve::By(name) = &self.program.resolve else { return first };
        let Some(feature) = self.program.features.iter().position(|f| f.name == *name) else { return first };
        let Some(column) = self.batch.features.get(feature).and_then(Option::as_ref) else { return first };
        let declared = &self.program.features[feature];
        let mut best: Option<(f64, u32)> = None;
        for &item in left {
            self.item_of[row] = item;
            let cell = self.cell(column, row);
            if look(declared, &self.program.sid_shape, self.batch, column, cell) != Cell::Known {
                continue;
            }
            let value = match &column.values {
                Values::Real(v) => f64::from(v[cell]),
                Values::Whole(v) => v[cell],
                _ => continue,
            };
            if best.is_none_or(|(b, _)| value > b) {
                best = Some((value, item));
            }
        }
        best.map_or(first, |b| b.1)
    }
}
