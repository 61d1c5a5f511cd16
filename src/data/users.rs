//! What a file with a row for each user says of them: keys, and features of requests as a scorer takes them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

use super::cells::Cells;
use super::frame::{Frame, read};
use super::{Fault, fault};
use crate::diagnostic::{Diagnostic, code};
use crate::host::{OwnedColumn, OwnedValues};
use crate::schema::{Entity, Feature, Schema};
use crate::types::Scale;

/// The keys in a column, one for each row.
///
/// # Errors
/// A column that is not there, a row without a key, a key that stands twice (RW1004).
pub fn read_user_keys(frame: &Frame, column: &str) -> Result<Vec<String>, Fault> {
    let cells = frame.cells(column, "a key of users")?;
    let key = |row: usize| {
        let none = || fault(&code::SEQUENCES, format!("`{}` has no `{column}` in row {}", frame.name, row + 1));
        cells.get(row).map(|c| c.key()).ok_or_else(none)
    };
    let keys: Vec<String> = (0..frame.height()).map(key).collect::<Result<_, Fault>>()?;
    let mut first = HashMap::new();
    for (row, key) in keys.iter().enumerate() {
        if let Some(before) = first.insert(key, row) {
            let message = format!("`{}` has the user {key} twice, in rows {} and {}", frame.name, before + 1, row + 1);
            return Err(Box::new(Diagnostic::bare(&code::SEQUENCES, message).help("a row is a user, all they took")));
        }
    }
    Ok(keys)
}

/// Features of requests, a raw cell for each user. A feature is a column of the interactions (the first that the
/// schema names for it and they have), or of a table of users that the schema joins by their key.
///
/// # Errors
/// A column that is not there, or of a kind that no feature of a request has; a table of users, and nobody says
/// which user a row of the interactions is of.
pub fn read_user_columns(
    interactions: &Frame,
    keys: &[String],
    (schema, folder): (&Schema, &Path),
    features: &[String],
) -> Result<Vec<(String, OwnedColumn)>, Fault> {
    // Tables of users, each read once for all its features.
    let mut tables: HashMap<usize, Frame> = HashMap::new();
    let mut column = |name: &String| {
        let Some(feature) = schema.feature(name) else {
            return Err(fault(&code::COLUMN, format!("the schema has no feature `{name}`")));
        };
        let named = feature.from.as_slice();
        let table = |source: &usize| {
            let source = schema.sources.get(*source)?;
            let of_users = source.entity == Entity::User;
            Some((folder.join(&source.file), source.key.as_ref().filter(|_| of_users)?))
        };
        for (source, column) in named {
            let Some((path, key)) = table(source) else {
                if interactions.has(column) {
                    return Ok((name.clone(), cells_of(interactions, column, feature)?));
                }
                continue;
            };
            let frame = match tables.entry(*source) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(read(&path)?),
            };
            // A name without a source may be of either.
            if frame.has(column) {
                let rows = rows_of(frame, key, keys, name)?;
                return Ok((name.clone(), cells_of(frame, column, feature)?.take(&rows)));
            }
        }
        let column = named.first().map_or(name, |(_, column)| column);
        Ok((name.clone(), cells_of(interactions, column, feature)?))
    };
    features.iter().map(&mut column).collect()
}

/// The row of each user in a table of users; none is `usize::MAX`.
fn rows_of(table: &Frame, key: &str, keys: &[String], feature: &str) -> Result<Vec<usize>, Fault> {
    if keys.is_empty() {
        let message = format!("`{feature}` stands in a table of users, and nothing says which user a request is of");
        return Err(Box::new(
            Diagnostic::bare(&code::SEQUENCES, message)
                .help("name the column of their keys in the config: `interactions: {…, user: COLUMN}`"),
        ));
    }
    let known = read_user_keys(table, key)?;
    let rows: HashMap<&String, usize> = known.iter().zip(0..).collect();
    Ok(keys.iter().map(|key| rows.get(key).copied().unwrap_or(usize::MAX)).collect())
}

fn cells_of(frame: &Frame, column: &str, feature: &Feature) -> Result<OwnedColumn, Fault> {
    let cells = frame.cells(column, &format!("the reward's `{}`", feature.name))?;
    let found = match &cells {
        Cells::Raw(texts) => untyped(texts, feature),
        typed => owned(typed),
    };
    found.filter(|column| column.valid.len() == frame.height()).ok_or_else(|| {
        let message =
            format!("`{column}` of `{}` does not hold what `{}` is: {}", frame.name, feature.name, feature.ty());
        Box::new(
            Diagnostic::bare(&code::COLUMN_TYPE, message)
                .help("a cell is a number, true or false, a text, or a list of texts"),
        )
    })
}

/// Cells of a file without types, as the feature says; none where one of them is of another kind.
fn untyped(texts: &[Option<String>], feature: &Feature) -> Option<OwnedColumn> {
    fn parsed<T: std::str::FromStr + Default>(texts: &[Option<String>]) -> Option<Vec<T>> {
        texts.iter().map(|t| t.as_ref().map_or(Some(T::default()), |t| t.trim().parse().ok())).collect()
    }
    let values = match feature.scale {
        Scale::Bool => parsed(texts).map(OwnedValues::Wholes).or_else(|| parsed(texts).map(OwnedValues::Bools))?,
        Scale::Set => {
            let separator = feature.split.as_deref().unwrap_or("|");
            let (mut members, mut offsets) = (Vec::new(), vec![0]);
            for text in texts {
                let parts = text.iter().filter(|t| !t.is_empty()).flat_map(|t| t.split(separator));
                members.extend(parts.map(|part| part.trim().to_string()));
                offsets.push(members.len() as u32);
            }
            OwnedValues::Sets { members, offsets }
        }
        scale if scale.is_number() => OwnedValues::Doubles(parsed(texts)?),
        _ => OwnedValues::Texts(texts.iter().map(|t| t.clone().unwrap_or_default()).collect()),
    };
    Some(OwnedColumn { values, valid: texts.iter().map(Option::is_some).collect() })
}

/// Typed cells; none for moments.
fn owned(cells: &Cells) -> Option<OwnedColumn> {
    fn split<T: Clone + Default>(cells: &[Option<T>]) -> (Vec<T>, Vec<bool>) {
        (cells.iter().map(|c| c.clone().unwrap_or_default()).collect(), cells.iter().map(Option::is_some).collect())
    }
    let (values, valid) = match cells {
        Cells::Int(v) => {
            let (cells, valid) = split(v);
            (OwnedValues::Wholes(cells), valid)
        }
        Cells::Float(v) => {
            let (cells, valid) = split(v);
            (OwnedValues::Doubles(cells), valid)
        }
        Cells::Bool(v) => {
            let (cells, valid) = split(v);
            (OwnedValues::Bools(cells), valid)
        }
        Cells::Text(v) | Cells::Raw(v) => {
            let (cells, valid) = split(v);
            (OwnedValues::Texts(cells), valid)
        }
        Cells::List { offsets, valid, inner } => {
            let members = (0..*offsets.last()?).map(|at| inner.get(at).map_or(String::new(), |c| c.key())).collect();
            let offsets = offsets.iter().map(|at| *at as u32).collect();
            (OwnedValues::Sets { members, offsets }, valid.clone())
        }
        Cells::Moment(..) => return None,
    };
    Some(OwnedColumn { values, valid })
}
