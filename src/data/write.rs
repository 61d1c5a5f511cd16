//! Scores → Parquet or CSV, whole or not at all.

use std::io::Write;
use std::path::Path;

use polars::prelude::*;

use super::bind::Bound;
use super::{Fault, fault};
use crate::diagnostic::{Diagnostic, code};
use crate::eval::Scores;
use crate::program::{Program, column_names, columns};
use crate::schema::Schema;
use crate::write::prepare;

/// Whether scores at `path` are written as CSV; else they are written as Parquet.
///
/// # Errors
/// A path of another ending.
pub fn written_as_csv(path: &Path) -> Result<bool, Fault> {
    let ending = path.extension().map_or(String::new(), |e| e.to_string_lossy().to_lowercase());
    match ending.as_str() {
        "csv" => Ok(true),
        "parquet" => Ok(false),
        _ => Err(Box::new(
            Diagnostic::bare(&code::ARGUMENT, format!("`{}` is of no kind that is written", path.display()))
                .help("scores are written to `.parquet` or `.csv`"),
        )),
    }
}

/// Writes scores with the input's key columns in front, by the ending of `path`. `facts` go into the
/// file's metadata; beside a CSV they go into `PATH.meta.json`.
///
/// # Errors
/// A path of another ending, or one that cannot be written.
pub fn write_scores(
    path: &Path,
    program: &Program,
    schema: &Schema,
    bound: &Bound,
    scores: &Scores,
    facts: &[(String, String)],
) -> Result<(), Fault> {
    let csv = written_as_csv(path)?;
    let unwritable = |at: &Path, e: &dyn std::fmt::Display| {
        let why = e.to_string();
        // The temporary file's name means nothing to anybody.
        let why = why.split(" at path ").next().unwrap_or(&why).to_string();
        fault(&code::UNWRITABLE, format!("cannot write `{}`: {why}", at.display()))
    };
    let mut df = frame(program, schema, bound, scores, csv).map_err(|e| unwritable(path, &e))?;
    // Scores and what describes them are both on disk before either takes its place.
    let beside = match csv {
        true => {
            let mut beside = path.as_os_str().to_os_string();
            beside.push(".meta.json");
            let beside = std::path::PathBuf::from(beside);
            let map: serde_json::Map<String, serde_json::Value> =
                facts.iter().map(|(k, v)| (k.clone(), serde_json::Value::String(v.clone()))).collect();
            let text = format!("{:#}\n", serde_json::Value::Object(map));
            let written =
                prepare(&beside, |file| file.write_all(text.as_bytes())).map_err(|e| unwritable(&beside, &e))?;
            Some((beside, written))
        }
        false => None,
    };
    let metadata: Vec<(String, String)> = facts.to_vec();
    let scores = prepare(path, |file| {
        let result = if csv {
            CsvWriter::new(&mut *file).finish(&mut df)
        } else {
            ParquetWriter::new(&mut *file)
                .with_key_value_metadata(Some(KeyValueMetadata::from_static(metadata.clone())))
                .finish(&mut df)
                .map(|_| ())
        };
        result.map_err(std::io::Error::other)
    })
    .map_err(|e| unwritable(path, &e))?;
    if let Some((beside, written)) = beside {
        written.commit().map_err(|e| unwritable(&beside, &e))?;
    }
    scores.commit().map_err(|e| unwritable(path, &e))
}

fn frame(program: &Program, schema: &Schema, bound: &Bound, scores: &Scores, csv: bool) -> PolarsResult<DataFrame> {
    let mut out: Vec<Column> = Vec::new();
    for column in bound.keys.iter().cloned() {
        out.push(if csv && matches!(column.dtype(), DataType::List(_)) { joined_lists(&column)? } else { column });
    }
    for column in columns(program) {
        let name: PlSmallStr = column_names(program, column).into();
        let Some(numbers) = scores.column(column) else { continue };
        let n = scores.n_rows;
        if numbers.width == 1 && !program.is_token(column) {
            let values: Vec<Option<f64>> = (0..n).map(|r| numbers.get(r, 0)).collect();
            out.push(Series::new(name, values).into());
        } else if csv {
            let texts: Vec<Option<String>> = (0..n)
                .map(|r| {
                    let levels: Option<Vec<String>> =
                        (0..numbers.width).map(|l| numbers.get(r, l).map(|v| v.to_string())).collect();
                    levels.map(|l| l.join("|"))
                })
                .collect();
            out.push(Series::new(name, texts).into());
        } else {
            let lists: Vec<Option<Series>> = (0..n)
                .map(|r| {
                    let levels: Option<Vec<f64>> = (0..numbers.width).map(|l| numbers.get(r, l)).collect();
                    levels.map(|l| Series::new(PlSmallStr::EMPTY, l))
                })
                .collect();
            let mut builder =
                ListPrimitiveChunkedBuilder::<Float64Type>::new(name, n, n * numbers.width, DataType::Float64);
            for list in &lists {
                builder.append_opt_series(list.as_ref())?;
            }
            out.push(builder.finish().into_series().into());
        }
    }
    let verdicts: Vec<&str> = scores.verdicts.iter().map(|v| v.word()).collect();
    out.push(Series::new("verdict".into(), verdicts).into());
    let rules: Vec<Option<&str>> = scores.verdicts.iter().map(|v| v.rule(program)).collect();
    out.push(Series::new("rule".into(), rules).into());
    let items: Vec<Option<&str>> =
        scores.item_of.iter().map(|i| bound.items.get(*i as usize).map(String::as_str)).collect();
    if bound.items.is_empty() {
        // Without a catalog the row's own item key is the item.
        let own = schema.keys.item.as_ref().filter(|k| bound.base.has(k));
        match own {
            Some(key) => {
                let cells =
                    bound.base.cells(key, "the item").map_err(|f| polars_err!(ComputeError: "{}", f.message))?;
                let keys: Vec<Option<String>> = (0..scores.n_rows).map(|r| cells.get(r).map(|c| c.key())).collect();
                out.push(Series::new("item".into(), keys).into());
            }
            None => out.push(Series::new("item".into(), vec![None::<&str>; scores.n_rows]).into()),
        }
    } else {
        out.push(Series::new("item".into(), items).into());
    }
    if program.hosts.contains(&crate::types::Host::Serving) {
        out.push(Series::new("partial".into(), vec![scores.partial; scores.n_rows]).into());
    }
    DataFrame::new(scores.n_rows, out)
}

/// A list column as texts `a|b|c`.
fn joined_lists(column: &Column) -> PolarsResult<Column> {
    let series = column.as_materialized_series();
    let lists = series.list()?;
    let texts: Vec<Option<String>> = lists
        .amortized_iter()
        .map(|list| {
            list.map(|l| {
                let inner = l.as_ref();
                let text = |v: AnyValue<'_>| match v {
                    AnyValue::Null => String::new(),
                    other => other.to_string().trim_matches('"').to_string(),
                };
                inner.iter().map(text).collect::<Vec<_>>().join("|")
            })
        })
        .collect();
    Ok(Series::new(series.name().clone(), texts).into())
}
