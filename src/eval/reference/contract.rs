//! Looking at values before they are used (R2.4, R2.5).

use super::super::batch::{Column, Values};
use super::super::{Batch, Reason};
use super::Work;
use crate::program::{FeatureId, Program};
use crate::schema::{Feature, Names};

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    Known,
    Missing,
    Faulty(Reason),
}

/// Looks at one cell of a feature.
pub fn look(feature: &Feature, shape: &[u32], batch: &Batch<'_>, column: &Column<'_>, cell: usize) -> Cell {
    let absent = if feature.nullable { Cell::Missing } else { Cell::Faulty(Reason::AbsentValue) };
    if !column.is_valid(cell) {
        return absent;
    }
    let number = |v: f64| {
        if v.is_nan() {
            if feature.nullable { Cell::Missing } else { Cell::Faulty(Reason::NotANumber) }
        } else if feature.range.contains(v) {
            Cell::Known
        } else {
            Cell::Faulty(Reason::OutOfRange)
        }
    };
    match &column.values {
        Values::Real(v) => number(f64::from(v[cell])),
        Values::Whole(v) if v[cell].fract() != 0.0 && v[cell].is_finite() => Cell::Faulty(Reason::OutOfRange),
        Values::Whole(v) => number(v[cell]),
        Values::Bool(_) => Cell::Known,
        Values::Text(v) => match &feature.names {
            Names::Open => Cell::Known,
            Names::Declared(names) => {
                let text = batch.texts.text(v[cell]);
                if names.iter().any(|n| n == text) { Cell::Known } else { Cell::Faulty(Reason::UnknownCategory) }
            }
        },
        Values::Sid { codes, offsets } => {
            let codes = &codes[offsets[cell] as usize..offsets[cell + 1] as usize];
            let fits = codes.len() == shape.len() && codes.iter().zip(shape).all(|(c, n)| c < n);
            if fits { Cell::Known } else { Cell::Faulty(Reason::BadSid) }
        }
        Values::Vector { size, values } => {
            let values = &values[cell * size..(cell + 1) * size];
            if values.iter().any(|v| v.is_nan()) {
                return if feature.nullable { Cell::Missing } else { Cell::Faulty(Reason::NotANumber) };
            }
            if values.iter().any(|v| v.is_infinite() || !feature.range.contains(f64::from(*v))) {
                return Cell::Faulty(Reason::OutOfRange);
            }
            let norm: f64 = values.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>().sqrt();
            if norm < 1e-12 { absent } else { Cell::Known }
        }
        Values::Set { .. } => Cell::Known,
    }
}

impl Work<'_> {
    /// Why a candidate's own value cannot be used, if so.
    pub fn fault(&self, feature: FeatureId, row: usize) -> Option<Reason> {
        let declared = &self.program.features[feature.index()];
        let column = self.batch.features.get(feature.index())?.as_ref()?;
        let cell = self.cell(column, row);
        if self.batch.predicted.contains(&feature) && !column.is_valid(cell) {
            return Some(Reason::SignalFailed);
        }
        match look(declared, &self.program.sid_shape, self.batch, column, cell) {
            Cell::Faulty(reason) => Some(reason),
            Cell::Known | Cell::Missing => None,
        }
    }
}

/// Whether a list's entry keeps the contract of every feature that is read in entries.
pub fn entry_fits(
    program: &Program,
    batch: &Batch<'_>,
    columns: &[Option<Column<'_>>],
    reads: &[FeatureId],
    cell: usize,
) -> bool {
    reads.iter().all(|id| {
        let column = columns.get(id.index()).and_then(Option::as_ref);
        let found = column.map(|c| look(&program.features[id.index()], &program.sid_shape, batch, c, cell));
        !matches!(found, None | Some(Cell::Faulty(_)))
    })
}
