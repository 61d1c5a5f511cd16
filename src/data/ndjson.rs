//! NDJSON: one object a line, read line by line, so that a message can name its line.

use std::collections::HashMap;
use std::io::BufRead;
use std::path::Path;

use serde_json::Value;

use super::cells::Cells;
use super::{Fault, fault};
use crate::diagnostic::{Diagnostic, code};

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
    let mut columns: Vec<(String, Vec<Value>)> = Vec::new();
    // Line of each row: blank lines are no rows.
    let mut lines = Vec::new();
    for (i, line) in std::io::BufReader::new(file).split(b'\n').enumerate() {
        let line = line.map_err(|e| broken(i + 1, &e.to_string()))?;
        let line = if i == 0 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line) } else { &line };
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let value: Value =
            serde_json::from_slice(line).map_err(|e| broken(i + 1, &format!("is not JSON: {}", words(&e))))?;
        let Value::Object(fields) = value else { return Err(broken(i + 1, "is not an object")) };
        let row = lines.len();
        lines.push(i + 1);
        for (key, value) in fields {
            let place = *places.entry(key.clone()).or_insert_with(|| {
                columns.push((key, vec![Value::Null; row]));
                columns.len() - 1
            });
            if let Some((_, column)) = columns.get_mut(place) {
                column.resize(row, Value::Null);
                column.push(value);
            }
        }
    }
    let n = lines.len();
    let mut found = Vec::new();
    for (key, mut values) in columns {
        values.resize(n, Value::Null);
        let cells = cells(&values).map_err(|(row, what)| {
            let line = lines.get(row).copied().unwrap_or(0);
            fault(
                &code::COLUMN_TYPE,
                format!("column `{key}` of `{name}` has {what} in line {line}, and other kinds elsewhere"),
            )
        });
        found.push((key, cells));
    }
    Ok((n, found))
}

/// The reason without the position in the line that serde adds.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_string()
}

/// Values of one kind as cells; the first value of another kind is the fault.
fn cells(values: &[Value]) -> Result<Cells, (usize, String)> {
    let lists = values.iter().any(Value::is_array);
    if lists {
        let (mut offsets, mut valid, mut inner, mut rows) = (vec![0], Vec::new(), Vec::new(), Vec::new());
        for (row, value) in values.iter().enumerate() {
            match value {
                Value::Array(items) => {
                    inner.extend(items.iter().cloned());
                    rows.extend(std::iter::repeat_n(row, items.len()));
                }
                Value::Null => {}
                other => return Err((row, kind(other))),
            }
            valid.push(value.is_array());
            offsets.push(inner.len());
        }
        let inner = cells(&inner).map_err(|(i, what)| (rows.get(i).copied().unwrap_or(0), what))?;
        return Ok(Cells::List { offsets, valid, inner: Box::new(inner) });
    }
    let first = values.iter().find(|v| !v.is_null());
    let all = |fits: fn(&Value) -> bool| match values.iter().enumerate().find(|(_, v)| !v.is_null() && !fits(v)) {
        Some((row, other)) => Err((row, kind(other))),
        None => Ok(()),
    };
    match first {
        None => Ok(Cells::Int(vec![None; values.len()])),
        Some(Value::Bool(_)) => {
            all(Value::is_boolean).map(|()| Cells::Bool(values.iter().map(Value::as_bool).collect()))
        }
        Some(Value::String(_)) => {
            all(Value::is_string).map(|()| Cells::Text(values.iter().map(|v| v.as_str().map(str::to_string)).collect()))
        }
        Some(Value::Number(_)) => {
            all(Value::is_number)?;
            if values.iter().all(|v| v.is_null() || v.is_i64()) {
                Ok(Cells::Int(values.iter().map(Value::as_i64).collect()))
            } else if values.iter().any(|v| v.as_u64().is_some_and(|n| n > i64::MAX as u64)) {
                // Hashes past i64: as ids they are texts, as numbers they are read from their digits.
                Ok(Cells::Raw(values.iter().map(|v| (!v.is_null()).then(|| v.to_string())).collect()))
            } else {
                Ok(Cells::Float(values.iter().map(Value::as_f64).collect()))
            }
        }
        Some(other) => Err((values.iter().position(|v| v == other).unwrap_or(0), kind(other))),
    }
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(b) => format!("`{b}`"),
        Value::Number(n) => format!("the number {n}"),
        Value::String(s) => format!("the text \"{}\"", s.chars().take(40).collect::<String>()),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
    }
}
