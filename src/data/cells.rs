//! Raw cells of a column, before any cleaning.

use polars::prelude::*;

use super::{Fault, fault};
use crate::diagnostic::code;

/// A column's raw values; `None` is null (an empty CSV cell).
#[derive(Clone, Debug)]
pub enum Cells {
    Int(Vec<Option<i64>>),
    Float(Vec<Option<f64>>),
    Bool(Vec<Option<bool>>),
    Text(Vec<Option<String>>),
    /// Texts of a file without types (CSV): a number, a condition or a text, as its feature says.
    Raw(Vec<Option<String>>),
    /// Dates, times and durations in their file's own unit: they order and identify, and are no numbers.
    Moment(Vec<Option<i64>>),
    /// Offsets into the inner cells; nulls are marked apart.
    List {
        offsets: Vec<usize>,
        valid: Vec<bool>,
        inner: Box<Cells>,
    },
}

/// One raw value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'c> {
    Int(i64),
    Float(f64),
    Bool(bool),
    Text(&'c str),
    Raw(&'c str),
    Moment(i64),
}

impl Cells {
    /// Reads a polars column.
    ///
    /// # Errors
    /// A coded message for a type that no feature can have.
    pub fn of(series: &Series, file: &str) -> Result<Self, Fault> {
        let wrong = |e: PolarsError| {
            fault(&code::COLUMN_TYPE, format!("column `{}` of `{file}` cannot be used: {e}", series.name()))
        };
        let dtype = series.dtype();
        Ok(match dtype {
            DataType::Boolean => Self::Bool(series.bool().map_err(wrong)?.iter().collect()),
            DataType::String => {
                Self::Text(series.str().map_err(wrong)?.iter().map(|v| v.map(str::to_string)).collect())
            }
            DataType::Float32 | DataType::Float64 => {
                let cast = series.cast(&DataType::Float64).map_err(wrong)?;
                Self::Float(cast.f64().map_err(wrong)?.iter().collect())
            }
            DataType::UInt64 => {
                let numbers = series.u64().map_err(wrong)?;
                if numbers.iter().flatten().any(|n| n > i64::MAX as u64) {
                    Self::Raw(numbers.iter().map(|v| v.map(|n| n.to_string())).collect())
                } else {
                    Self::Int(numbers.iter().map(|v| v.map(|n| n as i64)).collect())
                }
            }
            DataType::Categorical(..) | DataType::Enum(..) => {
                let texts = series.cast(&DataType::String).map_err(wrong)?;
                Self::Text(texts.str().map_err(wrong)?.iter().map(|v| v.map(str::to_string)).collect())
            }
            DataType::Date | DataType::Datetime(..) | DataType::Time | DataType::Duration(_) => {
                let cast = series.to_physical_repr().cast(&DataType::Int64).map_err(wrong)?;
                Self::Moment(cast.i64().map_err(wrong)?.iter().collect())
            }
            t if t.is_integer() => {
                let cast = series.strict_cast(&DataType::Int64).map_err(wrong)?;
                Self::Int(cast.i64().map_err(wrong)?.iter().collect())
            }
            DataType::Null => Self::Int(vec![None; series.len()]),
            DataType::Array(inner, _) => Self::of(&series.cast(&DataType::List(inner.clone())).map_err(wrong)?, file)?,
            DataType::List(_) => {
                let lists = series.list().map_err(wrong)?;
                let (mut offsets, mut valid) = (vec![0], Vec::with_capacity(series.len()));
                for length in lists.lst_lengths().iter() {
                    valid.push(length.is_some());
                    let last = offsets.last().copied().unwrap_or(0);
                    offsets.push(last + length.unwrap_or(0) as usize);
                }
                let inner = lists.explode(ExplodeOptions { empty_as_null: false, keep_nulls: false }).map_err(wrong)?;
                Self::List { offsets, valid, inner: Box::new(Self::of(&inner, file)?) }
            }
            other => {
                return Err(fault(
                    &code::COLUMN_TYPE,
                    format!("column `{}` of `{file}` is of type {other}, which no feature has", series.name()),
                ));
            }
        })
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        match self {
            Self::Int(v) | Self::Moment(v) => v.len(),
            Self::Float(v) => v.len(),
            Self::Bool(v) => v.len(),
            Self::Text(v) | Self::Raw(v) => v.len(),
            Self::List { valid, .. } => valid.len(),
        }
    }

    /// One value; null and lists give `None`.
    pub fn get(&self, at: usize) -> Option<Cell<'_>> {
        match self {
            Self::Int(v) => v.get(at).copied().flatten().map(Cell::Int),
            Self::Float(v) => v.get(at).copied().flatten().map(Cell::Float),
            Self::Bool(v) => v.get(at).copied().flatten().map(Cell::Bool),
            Self::Text(v) => v.get(at).and_then(Option::as_deref).map(Cell::Text),
            Self::Raw(v) => v.get(at).and_then(Option::as_deref).map(Cell::Raw),
            Self::Moment(v) => v.get(at).copied().flatten().map(Cell::Moment),
            Self::List { .. } => None,
        }
    }

    /// The range of a list's values; `None` for null.
    pub fn list(&self, at: usize) -> Option<(&Cells, std::ops::Range<usize>)> {
        match self {
            Self::List { offsets, valid, inner } if valid.get(at).copied().unwrap_or(false) => {
                Some((inner, *offsets.get(at)?..*offsets.get(at + 1)?))
            }
            _ => None,
        }
    }

    /// As polars writes it; lists of lists as texts.
    pub fn series(&self, name: &str) -> PolarsResult<Column> {
        let name: PlSmallStr = name.into();
        Ok(match self {
            Self::Int(v) | Self::Moment(v) => Column::new(name, v),
            Self::Float(v) => Column::new(name, v),
            Self::Bool(v) => Column::new(name, v),
            Self::Text(v) | Self::Raw(v) => Column::new(name, v),
            Self::List { valid, .. } => {
                let texts: Vec<Option<String>> = (0..valid.len())
                    .map(|row| {
                        let (inner, range) = self.list(row)?;
                        Some(
                            range
                                .map(|i| inner.get(i).map_or(String::new(), |c| c.key()))
                                .collect::<Vec<_>>()
                                .join("|"),
                        )
                    })
                    .collect();
                Column::new(name, texts)
            }
        })
    }

    /// What its values are, for messages.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Int(_) => "whole numbers",
            Self::Float(_) => "numbers",
            Self::Bool(_) => "true and false",
            Self::Text(_) | Self::Raw(_) => "texts",
            Self::Moment(_) => "moments",
            Self::List { .. } => "lists",
        }
    }
}

impl Cell<'_> {
    /// As the text of a key: whole numbers without a point (R6.1).
    pub fn key(&self) -> String {
        match self {
            Self::Int(n) | Self::Moment(n) => n.to_string(),
            Self::Float(f) if f.fract() == 0.0 && f.abs() < 9e15 => format!("{}", *f as i64),
            Self::Float(f) => f.to_string(),
            Self::Bool(b) => b.to_string(),
            Self::Text(t) | Self::Raw(t) => (*t).to_string(),
        }
    }

    /// As a number; conditions, texts and moments are none.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Int(n) => Some(*n as f64),
            Self::Float(f) => Some(*f),
            Self::Raw(t) => t.trim().parse().ok(),
            Self::Bool(_) | Self::Text(_) | Self::Moment(_) => None,
        }
    }
}
