//! Columns as their owner has them → columns of a batch.
//!
//! Values are raw, as the schema describes them (`unit`, `missing`, `clip`). What needs no cleaning is
//! lent as it is; the rest is cleaned into scratch that is kept from step to step.

use std::borrow::Cow;
use std::fmt::Write;

use crate::eval::batch::{By, Column, Texts, Values};
use crate::schema::Feature;
use crate::types::Scale;

/// Values of a column.
#[derive(Clone, Copy, Debug)]
pub enum Given<'a> {
    Reals(&'a [f32]),
    Doubles(&'a [f64]),
    /// Counts, ids, or 0 and 1 of a condition.
    Wholes(&'a [i64]),
    Bools(&'a [bool]),
    Texts(&'a [&'a str]),
    Strings(&'a [String]),
    /// `levels` codes a cell; what is no code is `u32::MAX`.
    Sids {
        codes: &'a [u32],
        levels: usize,
    },
    /// `size` numbers a cell.
    Vectors {
        values: &'a [f32],
        size: usize,
    },
    /// Members `offsets[i]..offsets[i + 1]` of cell i.
    Sets {
        members: &'a [String],
        offsets: &'a [u32],
    },
}

impl Given<'_> {
    /// Number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Reals(v) => v.len(),
            Self::Doubles(v) => v.len(),
            Self::Wholes(v) => v.len(),
            Self::Bools(v) => v.len(),
            Self::Texts(v) => v.len(),
            Self::Strings(v) => v.len(),
            Self::Sids { codes, levels } => codes.len() / (*levels).max(1),
            Self::Vectors { values, size } => values.len() / (*size).max(1),
            Self::Sets { offsets, .. } => offsets.len().saturating_sub(1),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Reals(_) | Self::Doubles(_) => "real numbers",
            Self::Wholes(_) => "whole numbers",
            Self::Bools(_) => "true and false",
            Self::Texts(_) | Self::Strings(_) => "texts",
            Self::Sids { .. } => "SIDs",
            Self::Vectors { .. } => "vectors",
            Self::Sets { .. } => "sets",
        }
    }

    fn number(&self, at: usize) -> Option<f64> {
        match self {
            Self::Reals(v) => v.get(at).map(|x| f64::from(*x)),
            Self::Doubles(v) => v.get(at).copied(),
            Self::Wholes(v) => v.get(at).map(|n| *n as f64),
            _ => None,
        }
    }

    fn text(&self, at: usize) -> Option<&str> {
        match self {
            Self::Texts(v) => v.get(at).copied(),
            Self::Strings(v) => v.get(at).map(String::as_str),
            _ => None,
        }
    }
}

/// A column with what of it is there.
#[derive(Clone, Copy, Debug)]
pub struct GivenColumn<'a> {
    pub values: Given<'a>,
    /// `false`: null. Left out: all are there.
    pub valid: Option<&'a [bool]>,
}

impl GivenColumn<'_> {
    fn is_valid(&self, at: usize) -> bool {
        self.valid.is_none_or(|v| v.get(at).copied().unwrap_or(false))
    }
}

/// Cleaned values of one feature, kept from step to step.
#[derive(Debug, Default)]
pub struct Slot {
    reals: Vec<f32>,
    wholes: Vec<f64>,
    bools: Vec<bool>,
    numbers: Vec<u32>,
    offsets: Vec<u32>,
    valid: Vec<bool>,
    digits: String,
    /// Whether values, and validity, are the owner's own.
    lends: bool,
    lends_valid: bool,
}

impl Slot {
    /// Cleans a column of `n` cells.
    ///
    /// # Errors
    /// A sentence on what does not fit: length, kind.
    pub fn fill(
        &mut self,
        feature: &Feature,
        given: &GivenColumn<'_>,
        n: usize,
        texts: &mut Texts,
    ) -> Result<(), String> {
        let (values, len) = (given.values, given.values.len());
        if len != n {
            return Err(format!("it has {len} values, and {n} are wanted"));
        }
        if given.valid.is_some_and(|v| v.len() != n) {
            return Err(format!("its validity has {} entries for {n} values", given.valid.map_or(0, <[bool]>::len)));
        }
        self.lends = false;
        self.lends_valid = feature.missing.is_empty();
        self.valid.clear();
        match (feature.scale, values) {
            (Scale::Count, Given::Doubles(_)) if feature.is_clean() => self.lends = true,
            (Scale::Count, Given::Reals(_) | Given::Doubles(_) | Given::Wholes(_)) => {
                self.wholes.clear();
                for at in 0..n {
                    let number = self.cleaned(feature, given, at);
                    self.wholes.push(number);
                }
            }
            (Scale::Bool, Given::Bools(_)) if feature.truths.is_empty() => self.lends = true,
            (Scale::Bool, Given::Bools(v)) => {
                self.bools.clear();
                self.bools.extend(v.iter().map(|raw| feature.truths.iter().any(|t| t.is_bool(*raw))));
            }
            (Scale::Bool, Given::Wholes(v)) => {
                self.bools.clear();
                for (at, raw) in v.iter().enumerate() {
                    let there = given.is_valid(at) && !feature.is_missing_number(*raw as f64);
                    self.note(there);
                    self.bools.push(match raw {
                        _ if !there => false,
                        _ if !feature.truths.is_empty() => feature.truths.iter().any(|t| t.is_number(*raw as f64)),
                        0 => false,
                        1 => true,
                        _ => return Err(format!("it has {raw} in row {}, and is true or false", at + 1)),
                    });
                }
            }
            (Scale::Category | Scale::Id, Given::Texts(_) | Given::Strings(_)) => {
                self.numbers.clear();
                for at in 0..n {
                    let text = values.text(at).unwrap_or("");
                    let there = given.is_valid(at) && !feature.is_missing_text(text);
                    self.note(there);
                    self.numbers.push(if there { texts.number(text) } else { 0 });
                }
            }
            (Scale::Category | Scale::Id, Given::Wholes(v)) => {
                self.numbers.clear();
                for (at, raw) in v.iter().enumerate() {
                    let there = given.is_valid(at) && !feature.is_missing_number(*raw as f64);
                    self.note(there);
                    self.digits.clear();
                    let _ = write!(self.digits, "{raw}");
                    self.numbers.push(if there { texts.number(&self.digits) } else { 0 });
                }
            }
            (Scale::Sid, Given::Sids { codes, levels }) => {
                if levels == 0 || codes.len() != n * levels {
                    return Err(format!("{} codes do not make {n} SIDs of {levels} levels", codes.len()));
                }
                if levels != feature.shape.len() {
                    let wanted = feature.shape.len();
                    return Err(format!("its SIDs have {levels} levels, and the schema's have {wanted}"));
                }
                self.lends = true;
                self.offsets.clear();
                self.offsets.extend((0..=n).map(|i| (i * levels) as u32));
            }
            (Scale::Vector(wanted), Given::Vectors { values, size }) => {
                if size != wanted || values.len() != n * size {
                    return Err(format!("its vectors have {size} numbers, and {wanted} are wanted"));
                }
                self.lends = true;
            }
            (Scale::Set, Given::Sets { members, offsets }) => {
                let ascends = offsets.windows(2).all(|w| matches!(w, [a, b] if a <= b));
                if !ascends || offsets.last().is_some_and(|end| *end as usize != members.len()) {
                    return Err("its offsets do not add up to its members".into());
                }
                self.numbers.clear();
                self.numbers.extend(members.iter().map(|m| texts.number(m)));
            }
            (scale, Given::Reals(_) | Given::Doubles(_) | Given::Wholes(_)) if scale.is_number() => {
                if matches!(values, Given::Reals(_)) && feature.is_clean() {
                    self.lends = true;
                } else {
                    self.reals.clear();
                    for at in 0..n {
                        let number = self.cleaned(feature, given, at);
                        self.reals.push(number as f32);
                    }
                }
            }
            (_, other) => return Err(format!("it holds {}, and is {}", other.word(), feature.ty())),
        }
        Ok(())
    }

    /// Notes whether a cell is there, where the owner's own validity does not say it.
    fn note(&mut self, there: bool) {
        if !self.lends_valid {
            self.valid.push(there);
        }
    }

    fn cleaned(&mut self, feature: &Feature, given: &GivenColumn<'_>, at: usize) -> f64 {
        let raw = given.values.number(at).unwrap_or(f64::NAN);
        self.note(given.is_valid(at) && !feature.is_missing_number(raw));
        feature.cleaned(raw).0
    }

    /// The column that [`Slot::fill`] made of `given`.
    pub fn column<'a>(&'a self, feature: &Feature, given: &GivenColumn<'a>, by: By) -> Column<'a> {
        let values = match (feature.scale, given.values) {
            (Scale::Count, Given::Doubles(v)) if self.lends => Values::Whole(Cow::Borrowed(v)),
            (Scale::Count, _) => Values::Whole(Cow::Borrowed(&self.wholes)),
            (Scale::Bool, Given::Bools(v)) if self.lends => Values::Bool(Cow::Borrowed(v)),
            (Scale::Bool, _) => Values::Bool(Cow::Borrowed(&self.bools)),
            (Scale::Category | Scale::Id, _) => Values::Text(Cow::Borrowed(&self.numbers)),
            (_, Given::Sids { codes, .. }) => {
                Values::Sid { codes: Cow::Borrowed(codes), offsets: Cow::Borrowed(&self.offsets) }
            }
            (_, Given::Vectors { values, size }) => Values::Vector { size, values: Cow::Borrowed(values) },
            (_, Given::Sets { offsets, .. }) => {
                Values::Set { members: Cow::Borrowed(&self.numbers), offsets: Cow::Borrowed(offsets) }
            }
            (_, Given::Reals(v)) if self.lends => Values::Real(Cow::Borrowed(v)),
            _ => Values::Real(Cow::Borrowed(&self.reals)),
        };
        let valid = if self.valid.is_empty() { given.valid } else { Some(self.valid.as_slice()) };
        Column { by, values, valid: valid.map(Cow::Borrowed) }
    }

    /// Makes room for so many cells, so that a step within the capacity allocates nothing.
    pub fn reserve(&mut self, scale: Scale, n: usize) {
        match scale {
            Scale::Count => self.wholes.reserve(n),
            Scale::Bool => self.bools.reserve(n),
            Scale::Category | Scale::Id | Scale::Set => self.numbers.reserve(n),
            Scale::Sid => self.offsets.reserve(n + 1),
            Scale::Vector(_) => {}
            _ => self.reals.reserve(n),
        }
        self.valid.reserve(n);
    }
}

#[cfg(test)]
mod tests {
    use super::{By, Given, GivenColumn, Slot, Texts, Values};

    /// A condition of which another value is true than usual: bools and whole numbers go through it alike.
    #[test]
    fn what_is_true_is_what_the_schema_says() {
        let text = "schema: t\nfeatures: {off: {entity: request, scale: bool, true: [0]}}\n";
        let mut found = crate::diagnostic::Diagnostics::default();
        let schema = crate::schema::read(text, crate::source::FileId(0), &mut found);
        let feature = schema.feature("off").unwrap();
        for values in [Given::Bools(&[true, false]), Given::Wholes(&[1, 0])] {
            let (given, mut slot) = (GivenColumn { values, valid: None }, Slot::default());
            slot.fill(feature, &given, 2, &mut Texts::default()).unwrap();
            let column = slot.column(feature, &given, By::Request);
            assert!(matches!(&column.values, Values::Bool(b) if **b == [false, true]), "{:?}", column.values);
        }
    }
}
