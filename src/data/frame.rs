//! Reading one data file.

use std::path::Path;

use polars::prelude::*;

use super::{Fault, fault};
use crate::diagnostic::{Diagnostic, code, did_you_mean};

/// A table in memory with the name it is shown under.
#[derive(Clone, Debug)]
pub struct Frame {
    pub name: String,
    pub df: DataFrame,
}

/// Reads a CSV, Parquet or NDJSON file, by its ending.
///
/// # Errors
/// A coded message when the file is missing, broken, empty or of another kind.
pub fn read(path: &Path) -> Result<Frame, Fault> {
    let name = path.display().to_string();
    let unreadable = |why: &dyn std::fmt::Display| fault(&code::DATA_FILE, format!("cannot read `{name}`: {}", plain(&why.to_string())));
    let file = std::fs::File::open(path).map_err(|e| unreadable(&e))?;
    let meta = file.metadata().map_err(|e| unreadable(&e))?;
    if meta.is_dir() {
        return Err(unreadable(&"it is a folder"));
    }
    if meta.len() == 0 {
        return Err(fault(&code::NO_ROWS, format!("`{name}` is empty")));
    }
    let ending = path.extension().map_or(String::new(), |e| e.to_string_lossy().to_lowercase());
    let df = match ending.as_str() {
        "csv" => CsvReadOptions::default()
            .with_has_header(true)
            .with_infer_schema_length(None)
            .with_rechunk(true)
            .into_reader_with_file_handle(file)
            .finish(),
        "parquet" => ParquetReader::new(file).set_rechunk(true).finish(),
        "ndjson" | "jsonl" => JsonReader::new(file).with_json_format(JsonFormat::JsonLines).infer_schema_len(None).finish(),
        _ => {
            return Err(Box::new(
                Diagnostic::bare(&code::DATA_FILE, format!("`{name}` is of no kind that is read"))
                    .help("data files end in `.csv`, `.parquet` or `.ndjson`"),
            ));
        }
    };
    let df = df.map_err(|e| unreadable(&e))?;
    Ok(Frame { name, df })
}

/// The first sentence of an error of the reader.
fn plain(why: &str) -> String {
    let first = why.lines().next().unwrap_or("").trim();
    if first.starts_with("No such file") { "no such file".into() } else { first.to_string() }
}

impl Frame {
    /// Number of rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.df.height()
    }

    /// Whether there is a column of this name.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        self.df.column(column).is_ok()
    }

    /// A column.
    ///
    /// # Errors
    /// A coded message with the nearest name when it is not there.
    pub fn column(&self, name: &str, wanted_for: &str) -> Result<&Series, Fault> {
        match self.df.column(name) {
            Ok(column) => Ok(column.as_materialized_series()),
            Err(_) => {
                let names: Vec<String> = self.df.get_column_names().iter().map(|n| n.to_string()).collect();
                let near = did_you_mean(name, names.iter().map(String::as_str));
                let help = near.map_or_else(|| format!("its columns are {}", names.join(", ")), |n| format!("did you mean `{n}`?"));
                let message = format!("`{}` has no column `{name}`, which {wanted_for} needs", self.name);
                Err(Box::new(Diagnostic::bare(&code::COLUMN, message).help(help)))
            }
        }
    }
}
