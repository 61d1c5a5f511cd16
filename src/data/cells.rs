//! Raw cells of a column, before any cleaning.

use polars::prelude::*;

use super::{Fault, fault};
use crate::diagnostic::{Diagnostic, code};

/// A column's raw values; `None` is null (an empty CSV cell).
#[derive(Clone, Debug)]
pub enum Cells {
    Int(Vec<Option<i64>>),
    Float(Vec<Option<f64>>),
    Bool(Vec<Option<bool>>),
    Text(Vec<Option<String>>),
    /// Texts of a file without types (CSV): a number, a condition or a text, as its feature says.
    Raw(Vec<Option<String>>),
    /// Dates, times and durations in nanoseconds: they order and identify, and are no numbers.
    Moment(MomentKind, Vec<Option<i128>>),
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
    Moment(MomentKind, i128),
}

/// What nanoseconds count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MomentKind {
    /// A date: its beginning, from 1970, in UTC.
    Date,
    /// A date with a time, from 1970, in UTC where no zone is said.
    Instant,
    /// A time of day, from midnight.
    Time,
    Duration,
}

impl MomentKind {
    /// What it is called.
    pub fn word(self) -> &'static str {
        match self {
            Self::Date => "dates",
            Self::Instant => "dates with a time",
            Self::Time => "times of day",
            Self::Duration => "durations",
        }
    }
}

/// A moment as ISO 8601 writes it; a time of day or a duration as its nanoseconds.
fn written(kind: MomentKind, at: i128) -> String {
    let instant = jiff::Timestamp::from_nanosecond(at).ok();
    match (kind, instant) {
        (MomentKind::Date, Some(t)) => jiff::tz::TimeZone::UTC.to_datetime(t).date().to_string(),
        (MomentKind::Instant, Some(t)) => t.to_string(),
        _ => at.to_string(),
    }
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
            DataType::Date => Self::Moment(MomentKind::Date, physical(series, 86_400_000_000_000).map_err(wrong)?),
            DataType::Datetime(unit, _) => {
                Self::Moment(MomentKind::Instant, physical(series, nanoseconds(*unit)).map_err(wrong)?)
            }
            DataType::Duration(unit) => {
                Self::Moment(MomentKind::Duration, physical(series, nanoseconds(*unit)).map_err(wrong)?)
            }
            DataType::Time => Self::Moment(MomentKind::Time, physical(series, 1).map_err(wrong)?),
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
                let message =
                    format!("column `{}` of `{file}` is of type {other}, which no feature has", series.name());
                return Err(Box::new(
                    Diagnostic::bare(&code::COLUMN_TYPE, message).help("write it as numbers, texts or lists of them"),
                ));
            }
        })
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        match self {
            Self::Int(v) => v.len(),
            Self::Moment(_, v) => v.len(),
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
            Self::Moment(kind, v) => v.get(at).copied().flatten().map(|m| Cell::Moment(*kind, m)),
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

    /// As polars writes it; moments as ISO texts.
    pub fn series(&self, name: &str) -> PolarsResult<Column> {
        let name: PlSmallStr = name.into();
        Ok(match self {
            Self::Int(v) => Column::new(name, v),
            Self::Float(v) => Column::new(name, v),
            Self::Bool(v) => Column::new(name, v),
            Self::Text(v) | Self::Raw(v) => Column::new(name, v),
            Self::Moment(kind, v) => {
                Column::new(name, v.iter().map(|m| m.map(|at| written(*kind, at))).collect::<Vec<_>>())
            }
            Self::List { valid, .. } => {
                let lists = (0..valid.len()).map(|row| {
                    let (inner, range) = self.list(row)?;
                    let indices: Vec<u32> = range.map(|i| i as u32).collect();
                    let series = inner.series("").ok()?;
                    let taken = series.take(&UInt32Chunked::from_vec(PlSmallStr::EMPTY, indices)).ok()?;
                    Some(taken.take_materialized_series())
                });
                Column::from(lists.collect::<ListChunked>().into_series().with_name(name))
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
            Self::Moment(kind, _) => kind.word(),
            Self::List { .. } => "lists",
        }
    }
}

impl Cell<'_> {
    /// As the text of a key: whole numbers without a point (R6.1).
    pub fn key(&self) -> String {
        match self {
            Self::Int(n) => n.to_string(),
            Self::Moment(kind, at) => written(*kind, *at),
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
            Self::Bool(_) | Self::Text(_) | Self::Moment(..) => None,
        }
    }
}

fn nanoseconds(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Nanoseconds => 1,
        TimeUnit::Microseconds => 1_000,
        TimeUnit::Milliseconds => 1_000_000,
    }
}

/// The stored numbers of a column of moments, in nanoseconds.
fn physical(series: &Series, unit: i128) -> PolarsResult<Vec<Option<i128>>> {
    let cast = series.to_physical_repr().cast(&DataType::Int64)?;
    Ok(cast.i64()?.iter().map(|v| v.map(|n| i128::from(n) * unit)).collect())
}
