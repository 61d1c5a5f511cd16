//! NDJSON: one object a line, read line by line, so that a message can name its line.

use std::collections::HashMap;
use std::io::BufRead;
use std::path::Path;

use super::cells::Cells;
use super::{Fault, fault};
use crate::diagnostic::{Diagnostic, code};
use crate::source::Json;

/// Columns in order of first appearance; one that mixes kinds is a fault only where it is asked for.
pub type Columns = Vec<(String, Result<Cells, Fault>)>;

/// Reads all lines; gives the number of rows and the columns.
///
/// # Errors
/// A line that is no object.
pub fn read(path: &Path, name: &str) -> Result<(usize, Columns), Fault> {
    let broken = |line: usize, why: &str| {
        Box::new(
            Diagnostic::bare(&code::DATA_FILE, format!("cannot read `{name}`: line {line} {why}"))
                .help("each line is one JSON object, in UTF-8"),
        )
    };
    let file = std::fs::File::open(path).map_err(|e| fault(&code::DATA_FILE, format!("cannot read `{name}`: {e}")))?;
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut columns: Vec<(String, Vec<Json>)> = Vec::new();
    // Line of each row: blank lines are no rows.
    let mut lines = Vec::new();
    for (i, line) in std::io::BufReader::new(file).split(b'\n').enumerate() {
        let line = line.map_err(|e| broken(i + 1, &e.to_string()))?;
        let line = if i == 0 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line) } else { &line };
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let value = Json::read(line).map_err(|why| broken(i + 1, &format!("cannot be read: {why}")))?;
        let Json::Object(fields) = value else { return Err(broken(i + 1, "is not an object")) };
        let row = lines.len();
        lines.push(i + 1);
        for (key, value) in fields {
            let place = *places.entry(key.clone()).or_insert_with(|| {
                columns.push((key, vec![Json::Null; row]));
                columns.len() - 1
            });
            if let Some((_, column)) = columns.get_mut(place) {
                column.resize(row, Json::Null);
                column.push(value);
            }
        }
    }
    let n = lines.len();
    let mut found = Vec::new();
    for (key, mut values) in columns {
        values.resize(n, Json::Null);
        let cells = cells(&values).map_err(|(row, what)| {
            let line = lines.get(row).copied().unwrap_or(0);
            let message = format!("column `{key}` of `{name}` has {what} in line {line}, and other kinds elsewhere");
            Box::new(
                Diagnostic::bare(&code::COLUMN_TYPE, message).help("write the column with one kind of value, or null"),
            )
        });
        found.push((key, cells));
    }
    Ok((n, found))
}

/// Values of one kind as cells; the first value of another kind is the fault.
fn cells(values: &[Json]) -> Result<Cells, (usize, String)> {
    if values.iter().any(|v| matches!(v, Json::List(_))) {
        let (mut offsets, mut valid, mut inner, mut rows) = (vec![0], Vec::new(), Vec::new(), Vec::new());
        for (row, value) in values.iter().enumerate() {
            match value {
                Json::List(items) => {
                    inner.extend(items.iter().cloned());
                    rows.extend(std::iter::repeat_n(row, items.len()));
                }
                Json::Null => {}
                other => return Err((row, other.kind())),
            }
            valid.push(*value != Json::Null);
            offsets.push(inner.len());
        }
        let inner = cells(&inner).map_err(|(i, what)| (rows.get(i).copied().unwrap_or(0), what))?;
        return Ok(Cells::List { offsets, valid, inner: Box::new(inner) });
    }
    match values.iter().find(|v| **v != Json::Null) {
        None | Some(Json::Null) => Ok(Cells::Int(vec![None; values.len()])),
        Some(Json::Bool(_)) => each(values, |v| if let Json::Bool(b) = v { Some(*b) } else { None }).map(Cells::Bool),
        Some(Json::Text(_)) => {
            each(values, |v| if let Json::Text(t) = v { Some(t.clone()) } else { None }).map(Cells::Text)
        }
        Some(Json::Number(_)) => numbers(values),
        Some(Json::List(_) | Json::Object(_)) => {
            let row = values.iter().position(|v| *v != Json::Null).unwrap_or(0);
            Err((row, values.get(row).map_or(String::new(), Json::kind)))
        }
    }
}

/// Each value as `T`, null as none.
fn each<T>(values: &[Json], read: impl Fn(&Json) -> Option<T>) -> Result<Vec<Option<T>>, (usize, String)> {
    let one = |(row, value): (usize, &Json)| match (value, read(value)) {
        (Json::Null, _) => Ok(None),
        (_, Some(read)) => Ok(Some(read)),
        (other, None) => Err((row, other.kind())),
    };
    values.iter().enumerate().map(one).collect()
}

fn numbers(values: &[Json]) -> Result<Cells, (usize, String)> {
    let digits = each(values, |v| if let Json::Number(n) = v { Some(n.as_str().to_string()) } else { None })?;
    let int = |n: &String| n.parse::<i64>().ok();
    if digits.iter().flatten().all(|n| int(n).is_some()) {
        Ok(Cells::Int(digits.iter().map(|n| n.as_ref().and_then(int)).collect()))
    } else if values.iter().any(|v| v.is_whole() && matches!(v, Json::Number(n) if int(n).is_none())) {
        // Hashes past i64: as ids they are texts, as numbers they are read from their digits.
        Ok(Cells::Raw(digits))
    } else {
        Ok(Cells::Float(digits.iter().map(|n| n.as_ref().and_then(|n| n.parse().ok())).collect()))
    }
}
