//! What rows are ordered by: columns of one kind, so that the order is one.
//!
//! A column of numbers, of moments or of texts has an order; numbers beside texts, and moments beside
//! times of day, have none, and are refused rather than guessed at.

use std::cmp::Ordering;

use super::Fault;
use super::cells::{Cell, Cells, MomentKind};
use super::text::moment_of;
use crate::diagnostic::{Diagnostic, code};

/// A column by which rows are ordered.
#[derive(Clone, Debug, PartialEq)]
pub enum OrderKeys {
    /// Whole numbers of any size: times in nanoseconds keep every digit.
    Whole(Vec<Option<i128>>),
    Real(Vec<Option<f64>>),
    /// Nanoseconds.
    Moment(MomentKind, Vec<Option<i128>>),
    Text(Vec<Option<String>>),
}

impl OrderKeys {
    /// The order of a column: of texts as moments where all of them are dates and times, as numbers
    /// where all are numbers.
    ///
    /// # Errors
    /// Lists, conditions, and numbers beside texts (RW0603).
    pub fn of(cells: &Cells, column: &str) -> Result<Self, Fault> {
        let n = cells.len();
        let each = || (0..n).filter_map(|row| cells.get(row));
        if matches!(cells, Cells::List { .. } | Cells::Bool(_)) {
            return Err(no_order(format!("`{column}` holds {}", cells.word())));
        }
        if let Some(Cell::Moment(kind, _)) = each().next() {
            let moments = (0..n).map(|row| match cells.get(row) {
                Some(Cell::Moment(_, at)) => Some(at),
                _ => None,
            });
            return Ok(Self::Moment(kind, moments.collect()));
        }
        if each().all(|c| whole(&c).is_some()) {
            return Ok(Self::Whole((0..n).map(|row| whole(&cells.get(row)?)).collect()));
        }
        if each().all(|c| c.number().is_some_and(|v| !v.is_nan())) {
            return Ok(Self::Real((0..n).map(|row| cells.get(row)?.number()).collect()));
        }
        if matches!(cells, Cells::Float(_)) {
            return Err(no_order(format!("`{column}` holds NaN")));
        }
        let moment = |c: &Cell<'_>| if let Cell::Text(t) | Cell::Raw(t) = c { moment_of(t) } else { None };
        if each().all(|c| moment(&c).is_some()) {
            let moments = (0..n).map(|row| moment(&cells.get(row)?));
            return Ok(Self::Moment(MomentKind::Instant, moments.collect()));
        }
        Ok(Self::Text((0..n).map(|row| cells.get(row).map(|c| c.key())).collect()))
    }

    /// Order of two rows, the second of this or of another column that [`OrderKeys::with`] brought
    /// together with it; null last.
    pub fn compare(&self, a: usize, other: &Self, b: usize) -> Ordering {
        fn of<T>(a: Option<&Option<T>>, b: Option<&Option<T>>, order: impl Fn(&T, &T) -> Ordering) -> Ordering {
            match (a.and_then(Option::as_ref), b.and_then(Option::as_ref)) {
                (Some(x), Some(y)) => order(x, y),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            }
        }
        match (self, other) {
            (Self::Whole(x), Self::Whole(y)) | (Self::Moment(_, x), Self::Moment(_, y)) => {
                of(x.get(a), y.get(b), i128::cmp)
            }
            (Self::Real(x), Self::Real(y)) => of(x.get(a), y.get(b), f64::total_cmp),
            (Self::Text(x), Self::Text(y)) => of(x.get(a), y.get(b), String::cmp),
            _ => Ordering::Equal,
        }
    }

    /// Whether a row has a key.
    pub fn has(&self, row: usize) -> bool {
        match self {
            Self::Whole(v) | Self::Moment(_, v) => v.get(row).is_some_and(Option::is_some),
            Self::Real(v) => v.get(row).is_some_and(Option::is_some),
            Self::Text(v) => v.get(row).is_some_and(Option::is_some),
        }
    }

    /// Two columns of times, brought to one kind.
    ///
    /// # Errors
    /// Columns of different kinds, or of texts that are no times: what comes before what would be a
    /// guess (RW0603).
    pub fn times(own: Self, entries: Self, column: &str) -> Result<(Self, Self), Fault> {
        match (own, entries) {
            (Self::Moment(a, _), Self::Moment(b, _)) if a != b => {
                Err(no_order(format!("`{column}` holds {} in one file and {} in the other", a.word(), b.word())))
            }
            (Self::Whole(a), Self::Real(b)) => Ok((Self::Real(to_real(a)), Self::Real(b))),
            (Self::Real(a), Self::Whole(b)) => Ok((Self::Real(a), Self::Real(to_real(b)))),
            (Self::Text(_), _) | (_, Self::Text(_)) => {
                Err(no_order(format!("`{column}` holds texts that are neither numbers nor dates")))
            }
            (a, b) if std::mem::discriminant(&a) == std::mem::discriminant(&b) => Ok((a, b)),
            // A column of nulls is of any kind.
            (a, b) if !a.any() || !b.any() => Ok((a, b)),
            _ => Err(no_order(format!("`{column}` holds numbers in one file and moments in the other"))),
        }
    }

    fn any(&self) -> bool {
        match self {
            Self::Whole(v) | Self::Moment(_, v) => v.iter().any(Option::is_some),
            Self::Real(v) => v.iter().any(Option::is_some),
            Self::Text(v) => v.iter().any(Option::is_some),
        }
    }
}

fn to_real(whole: Vec<Option<i128>>) -> Vec<Option<f64>> {
    whole.into_iter().map(|v| v.map(|n| n as f64)).collect()
}

fn whole(cell: &Cell<'_>) -> Option<i128> {
    match cell {
        Cell::Int(n) => Some(i128::from(*n)),
        Cell::Raw(t) | Cell::Text(t) => t.trim().parse().ok(),
        _ => None,
    }
}

fn no_order(what: String) -> Fault {
    Box::new(
        Diagnostic::bare(&code::COLUMN_TYPE, format!("{what}: it has no order"))
            .help("times are numbers of one unit, or dates and times such as `2026-03-01T12:30:00`, in every file"),
    )
}

#[cfg(test)]
mod tests {
    use super::{Cells, OrderKeys, Ordering};

    fn raw(values: &[&str]) -> OrderKeys {
        let cells = values.iter().map(|v| (!v.is_empty()).then(|| (*v).to_string())).collect();
        OrderKeys::of(&Cells::Raw(cells), "t").unwrap()
    }

    #[test]
    fn a_column_has_one_order() {
        let numbers = raw(&["9", "10", ""]);
        assert_eq!(numbers.compare(0, &numbers, 1), Ordering::Less);
        assert_eq!(numbers.compare(2, &numbers, 1), Ordering::Greater);
        // As texts all the way: "10" < "1a" < "9".
        let mixed = raw(&["9", "10", "1a"]);
        assert_eq!(mixed.compare(1, &mixed, 2), Ordering::Less);
        assert_eq!(mixed.compare(2, &mixed, 0), Ordering::Less);
        assert_eq!(mixed.compare(1, &mixed, 0), Ordering::Less);
        let big = raw(&["1650886200000000001", "1650886200000000000"]);
        assert_eq!(big.compare(0, &big, 1), Ordering::Greater);
    }

    #[test]
    fn times_of_two_files_are_of_one_kind() {
        let (a, b) = (raw(&["2022-04-25T11:30:00"]), raw(&["2022-04-25 11:29:59", "2022-04-25 12:00:00"]));
        let (a, b) = OrderKeys::times(a, b, "t").unwrap();
        assert_eq!([b.compare(0, &a, 0), b.compare(1, &a, 0)], [Ordering::Less, Ordering::Greater]);
        let refused = |a, b| OrderKeys::times(raw(a), raw(b), "t").unwrap_err().code.id;
        assert_eq!(refused(&["1650886200"], &["2022-04-25 12:00:00"]), "RW0603");
        assert_eq!(refused(&["noon"], &["noon"]), "RW0603");
        let (a, b) = OrderKeys::times(raw(&["1"]), raw(&["0.5"]), "t").unwrap();
        assert_eq!(b.compare(0, &a, 0), Ordering::Less);
    }
}
