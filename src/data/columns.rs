//! Cleaning raw cells into a feature: `missing`, first known, `unit`, `clip` (docs/schema.md); the range
//! is looked at when the value is used.

use std::borrow::Cow;
use std::rc::Rc;

use super::cells::{Cell, Cells};
use super::text::truth;
use super::view::View;
use super::{Fault, fault};
use crate::diagnostic::{Diagnostic, code};
use crate::eval::batch::{By, Column, Texts, Values};
use crate::schema::{Feature, Raw};
use crate::types::Scale;

/// What a cell with a date, a time or a duration is called.
const MOMENT: &str = "a date, time or duration";

/// A cleaned column and how many values were clipped.
pub struct Cleaned {
    pub column: Column<'static>,
    pub clipped: u64,
}

/// Builds a feature over the rows of a view.
///
/// # Errors
/// A column that is not there or whose values are of another kind.
pub fn build(view: &View<'_>, feature: &Feature, texts: &mut Texts) -> Result<Cleaned, Fault> {
    if feature.scale == Scale::Sid && feature.from.len() > 1 {
        return sid_of_columns(view, feature);
    }
    let what = format!("feature `{}`", feature.name);
    let mut from: Vec<(usize, Rc<Cells>)> = Vec::new();
    for (source, column) in &feature.from {
        from.push(view.cells(*source, column, &what)?);
    }
    // Each row's cell: the first of `from` that is known.
    let pick = |row: usize| -> Option<(&Cells, usize)> {
        from.iter().find_map(|(source, cells)| {
            let at = view.row_in(*source, row)?;
            holds(feature, cells, at).then_some((&**cells, at))
        })
    };
    let mut cleaner = Cleaner { feature, texts, clipped: 0, fault: None };
    let values = cleaner.values(view.n_rows, &pick);
    if let Some((row, found)) = cleaner.fault {
        // The cell itself may lie in a joined file, in another row.
        let place = from.iter().zip(&feature.from).find_map(|((source, cells), (_, column))| {
            let at = view.row_in(*source, row)?;
            holds(feature, cells, at).then_some((*source, column, at))
        });
        let (source, column, row) = place.map_or((view.base, "", row), |(s, c, at)| (s, c.as_str(), at));
        let file = view.sources.frame(source).map_or("", |f| f.name.as_str());
        return Err(Box::new(
            Diagnostic::bare(
                &code::COLUMN_TYPE,
                format!(
                    "column `{column}` of `{file}` has {found} in row {}, and {what} is of scale {}",
                    row + 1,
                    scale_word(feature.scale)
                ),
            )
            .help(match found.as_str() {
                MOMENT => {
                    "write it as a number in the feature's unit: what a moment counts in differs from file to file"
                }
                _ => "correct `scale:` or `from:` in the schema, or the data",
            }),
        ));
    }
    let valid: Vec<bool> = (0..view.n_rows).map(|r| pick(r).is_some()).collect();
    let column = Column { by: By::Row, values, valid: Some(Cow::Owned(valid)) };
    Ok(Cleaned { column, clipped: cleaner.clipped })
}

fn scale_word(scale: Scale) -> String {
    match scale {
        Scale::Vector(n) => format!("vector({n})"),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// Whether a cell holds a value or a list that is there.
fn holds(feature: &Feature, cells: &Cells, at: usize) -> bool {
    match cells.get(at) {
        Some(cell) => is_known(feature, &cell),
        None => cells.list(at).is_some(),
    }
}

/// Whether a raw value is there: no sentinel, and in a nullable feature not NaN either (R2.4).
fn is_known(feature: &Feature, cell: &Cell<'_>) -> bool {
    let nan = feature.nullable && feature.scale.is_number() && cell.number().is_some_and(f64::is_nan);
    !nan && !feature.missing.iter().any(|raw| same(raw, cell))
}

fn same(raw: &Raw, cell: &Cell<'_>) -> bool {
    match cell {
        Cell::Int(b) => raw.is_number(*b as f64),
        Cell::Float(b) => raw.is_number(*b),
        Cell::Text(b) => raw.is_text(b),
        // A number in a file without types may have spaces around it.
        Cell::Raw(b) => raw.is_text(b) || matches!(raw, Raw::Number(_)) && raw.is_text(b.trim()),
        Cell::Bool(b) => raw.is_bool(*b),
        Cell::Moment(..) => false,
    }
}

struct Cleaner<'a> {
    feature: &'a Feature,
    texts: &'a mut Texts,
    clipped: u64,
    /// The first value of another kind: row and what it is.
    fault: Option<(usize, String)>,
}

type Pick<'p, 'c> = &'p dyn Fn(usize) -> Option<(&'c Cells, usize)>;

impl Cleaner<'_> {
    fn wrong(&mut self, row: usize, cells: &Cells, at: usize) {
        let shown = cells.get(at).map_or(cells.word().to_string(), |c| match c {
            Cell::Text(t) | Cell::Raw(t) => format!("the text \"{}\"", t.chars().take(40).collect::<String>()),
            Cell::Moment(..) => MOMENT.to_string(),
            other => other.key(),
        });
        self.fault.get_or_insert((row, shown));
    }

    fn number(&mut self, row: usize, pick: Pick<'_, '_>) -> f64 {
        let Some((cells, at)) = pick(row) else { return 0.0 };
        let Some(raw) = cells.get(at).and_then(|c| c.number()) else {
            self.wrong(row, cells, at);
            return 0.0;
        };
        let (value, clipped) = self.feature.cleaned(raw);
        self.clipped += u64::from(clipped);
        value
    }

    fn values(&mut self, n: usize, pick: Pick<'_, '_>) -> Values<'static> {
        match self.feature.scale {
            Scale::Count => Values::Whole((0..n).map(|r| self.number(r, pick)).collect()),
            Scale::Bool => Values::Bool((0..n).map(|r| self.condition(r, pick)).collect()),
            Scale::Category | Scale::Id => Values::Text((0..n).map(|r| self.text(r, pick)).collect()),
            Scale::Sid => self.codes(n, pick),
            Scale::Set => self.set(n, pick),
            Scale::Vector(size) => self.vector(n, size, pick),
            _ => Values::Real((0..n).map(|r| self.number(r, pick) as f32).collect()),
        }
    }

    fn condition(&mut self, row: usize, pick: Pick<'_, '_>) -> bool {
        let Some((cells, at)) = pick(row) else { return false };
        let Some(cell) = cells.get(at) else {
            self.wrong(row, cells, at);
            return false;
        };
        if !self.feature.truths.is_empty() {
            return self.feature.truths.iter().any(|t| same(t, &cell));
        }
        truth(&cell).unwrap_or_else(|| {
            self.wrong(row, cells, at);
            false
        })
    }

    fn text(&mut self, row: usize, pick: Pick<'_, '_>) -> u32 {
        let Some((cells, at)) = pick(row) else { return 0 };
        match cells.get(at) {
            Some(Cell::Text(t) | Cell::Raw(t)) => self.texts.number(t),
            Some(cell) => self.texts.number(&cell.key()),
            None => {
                self.wrong(row, cells, at);
                0
            }
        }
    }

    /// SIDs as lists of codes, or as texts `1|2|3`, `1/2/3`, `<a_1><b_2><c_3>`.
    fn codes(&mut self, n: usize, pick: Pick<'_, '_>) -> Values<'static> {
        let (mut codes, mut offsets) = (Vec::new(), vec![0u32]);
        for row in 0..n {
            if let Some((cells, at)) = pick(row) {
                match sid_of(cells, at, self.feature.shape.len()) {
                    Some(sid) => codes.extend(sid),
                    None => self.wrong(row, cells, at),
                }
            }
            offsets.push(codes.len() as u32);
        }
        Values::Sid { codes: codes.into(), offsets: offsets.into() }
    }

    fn set(&mut self, n: usize, pick: Pick<'_, '_>) -> Values<'static> {
        let (mut members, mut offsets) = (Vec::new(), vec![0u32]);
        for row in 0..n {
            if let Some((cells, at)) = pick(row) {
                if let Some((inner, range)) = cells.list(at) {
                    for i in range {
                        if let Some(cell) = inner.get(i) {
                            members.push(self.texts.number(&cell.key()));
                        }
                    }
                } else if let Some(cell) = cells.get(at) {
                    let text = cell.key();
                    let split = self.feature.split.clone();
                    match split {
                        Some(mark) => {
                            for part in text.split(mark.as_str()).map(str::trim).filter(|p| !p.is_empty()) {
                                members.push(self.texts.number(part));
                            }
                        }
                        None => members.push(self.texts.number(&text)),
                    }
                }
            }
            offsets.push(members.len() as u32);
        }
        Values::Set { members: members.into(), offsets: offsets.into() }
    }

    fn vector(&mut self, n: usize, size: usize, pick: Pick<'_, '_>) -> Values<'static> {
        let mut values = Vec::with_capacity(n * size);
        for row in 0..n {
            let before = values.len();
            if let Some((cells, at)) = pick(row) {
                match cells.list(at) {
                    Some((inner, range)) if range.len() == size => {
                        values.extend(
                            range.map(|i| inner.get(i).and_then(|c| c.number()).map_or(f32::NAN, |v| v as f32)),
                        );
                    }
                    Some((_, range)) => {
                        self.fault.get_or_insert((row, format!("a list of {}", range.len())));
                    }
                    None => self.wrong(row, cells, at),
                }
            }
            values.resize(before + size, 0.0);
        }
        Values::Vector { size, values: values.into() }
    }
}

/// A SID in one cell: a list of codes, or a text `1|2|3`, `1/2/3`, `<a_1><b_2><c_3>`. What is no
/// code from 0 becomes `u32::MAX`, which no shape allows. A SID of one level may be a plain number.
pub fn sid_of(cells: &Cells, at: usize, levels: usize) -> Option<Vec<u32>> {
    if let Some((inner, range)) = cells.list(at) {
        return Some(range.map(|i| inner.get(i).and_then(|c| c.number()).map_or(u32::MAX, code_number)).collect());
    }
    if let (1, Some(number)) = (levels, cells.get(at).and_then(|c| c.number())) {
        return Some(vec![code_number(number)]);
    }
    let (Some(Cell::Text(text)) | Some(Cell::Raw(text))) = cells.get(at) else { return None };
    let code = |part: &str| part.trim().parse().unwrap_or(u32::MAX);
    if text.contains('<') {
        let parts = text.split(['<', '>']).filter(|p| !p.is_empty());
        return Some(parts.map(|p| code(p.rsplit('_').next().unwrap_or(p))).collect());
    }
    Some(text.split(['|', '/']).map(code).collect())
}

/// A code as a number from 0; anything else is no code.
pub fn code_number(value: f64) -> u32 {
    if value >= 0.0 && value < f64::from(u32::MAX) && value.fract() == 0.0 { value as u32 } else { u32::MAX }
}

/// A SID from a column for each level.
fn sid_of_columns(view: &View<'_>, feature: &Feature) -> Result<Cleaned, Fault> {
    if feature.from.len() != feature.shape.len() {
        let message =
            format!("feature `{}` has {} columns and {} levels", feature.name, feature.from.len(), feature.shape.len());
        return Err(fault(&code::COLUMN, message));
    }
    let mut levels = Vec::new();
    for (source, column) in &feature.from {
        levels.push(view.cells(*source, column, &format!("feature `{}`", feature.name))?);
    }
    let (mut codes, mut offsets, mut valid) = (Vec::new(), vec![0u32], Vec::new());
    for row in 0..view.n_rows {
        let cells: Option<Vec<u32>> = levels
            .iter()
            .map(|(source, cells)| cells.get(view.row_in(*source, row)?)?.number().map(code_number))
            .collect();
        valid.push(cells.is_some());
        codes.extend(cells.unwrap_or_default());
        offsets.push(codes.len() as u32);
    }
    let values = Values::Sid { codes: codes.into(), offsets: offsets.into() };
    Ok(Cleaned { column: Column { by: By::Row, values, valid: Some(Cow::Owned(valid)) }, clipped: 0 })
}

/// Builds a feature over the entries of list cells, in the order of `rows`.
///
/// # Errors
/// The first value of another kind, as words.
pub fn of_entries(
    cells: &Cells,
    feature: &Feature,
    rows: &[Option<usize>],
    texts: &mut Texts,
) -> Result<Column<'static>, String> {
    // Texts `a|b|c` are lists in CSV files.
    let split;
    let lists = match cells {
        Cells::Text(values) | Cells::Raw(values) => {
            split = split_texts(values);
            &split
        }
        other => other,
    };
    let mut places: Vec<(&Cells, usize)> = Vec::new();
    for row in rows.iter().flatten() {
        if let Some((inner, range)) = lists.list(*row) {
            places.extend(range.map(|i| (inner, i)));
        }
    }
    let pick = |entry: usize| -> Option<(&Cells, usize)> {
        let (cells, at) = places.get(entry).copied()?;
        holds(feature, cells, at).then_some((cells, at))
    };
    let mut cleaner = Cleaner { feature, texts, clipped: 0, fault: None };
    let values = cleaner.values(places.len(), &pick);
    if let Some((_, found)) = cleaner.fault {
        return Err(found);
    }
    let valid: Vec<bool> = (0..places.len()).map(|e| pick(e).is_some()).collect();
    Ok(Column { by: By::Row, values, valid: Some(Cow::Owned(valid)) })
}

fn split_texts(values: &[Option<String>]) -> Cells {
    let (mut offsets, mut valid, mut inner) = (vec![0], Vec::new(), Vec::new());
    for value in values {
        valid.push(value.is_some());
        // An empty text is an empty list; an empty piece of a longer one is null.
        let parts = value.iter().filter(|v| !v.is_empty()).flat_map(|v| v.split('|'));
        inner.extend(parts.map(|p| (!p.is_empty()).then(|| p.to_string())));
        offsets.push(inner.len());
    }
    Cells::List { offsets, valid, inner: Box::new(Cells::Raw(inner)) }
}
