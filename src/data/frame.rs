//! Reading one data file.
//!
//! CSV has no types: its cells stay texts until a feature's scale says what they are, so that an id
//! `01` stays `01` and one bad number names its own row. NDJSON is read line by line, Parquet by
//! polars.

use std::path::Path;
use std::sync::Arc;

use polars::prelude::Column;

use super::cells::Cells;
use super::ndjson;
use super::parquet::ParquetFile;
use super::{Fault, fault};
use crate::diagnostic::{Diagnostic, code, did_you_mean};

/// A table in memory with the name it is shown under.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The path as messages show it.
    pub name: String,
    height: usize,
    columns: Columns,
}

#[derive(Clone, Debug)]
enum Columns {
    /// Decoded column by column, when one is asked for.
    Parquet(Arc<ParquetFile>),
    Cells(ndjson::Columns),
}

/// Reads a CSV, Parquet or NDJSON file, by its ending.
///
/// # Errors
/// A coded message when the file is missing, broken, empty or of another kind.
pub fn read(path: &Path) -> Result<Frame, Fault> {
    let name = path.display().to_string();
    let unreadable = |why: String| fault(&code::DATA_FILE, format!("cannot read `{name}`: {why}"));
    let meta = std::fs::metadata(path).map_err(|e| {
        let why = if e.kind() == std::io::ErrorKind::NotFound { "no such file".to_string() } else { e.to_string() };
        Box::new(
            Diagnostic::bare(&code::DATA_FILE, format!("cannot read `{name}`: {why}"))
                .help("the schema's files lie in the folder that `--data` names"),
        )
    })?;
    if meta.is_dir() {
        return Err(unreadable("it is a folder".into()));
    }
    if meta.len() == 0 {
        return Err(no_rows(&name, "is empty"));
    }
    let ending = path.extension().map_or(String::new(), |e| e.to_string_lossy().to_lowercase());
    match ending.as_str() {
        "csv" => csv_file(path, name),
        "parquet" => {
            let file = ParquetFile::open(path, &name)?;
            Ok(Frame { name, height: file.height, columns: Columns::Parquet(Arc::new(file)) })
        }
        "ndjson" | "jsonl" => {
            let (height, columns) = ndjson::read(path, &name)?;
            if height == 0 {
                return Err(no_rows(&name, "has no rows"));
            }
            Ok(Frame { name, height, columns: Columns::Cells(columns) })
        }
        _ => Err(Box::new(
            Diagnostic::bare(&code::DATA_FILE, format!("`{name}` is of no kind that is read"))
                .help("data files end in `.csv`, `.parquet` or `.ndjson`"),
        )),
    }
}

/// A hash of a file's bytes.
///
/// # Errors
/// What the system says.
pub fn content_id(path: &Path) -> std::io::Result<u64> {
    struct Hash(twox_hash::XxHash64);
    impl std::io::Write for Hash {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            std::hash::Hasher::write(&mut self.0, bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut hash = Hash(twox_hash::XxHash64::with_seed(0));
    std::io::copy(&mut std::fs::File::open(path)?, &mut hash)?;
    Ok(std::hash::Hasher::finish(&hash.0))
}

fn no_rows(name: &str, what: &str) -> Fault {
    Box::new(
        Diagnostic::bare(&code::NO_ROWS, format!("`{name}` {what}"))
            .help("there is nothing to score: is this the right file?"),
    )
}

fn csv_file(path: &Path, name: String) -> Result<Frame, Fault> {
    let broken = |why: String, help: &str| {
        Box::new(Diagnostic::bare(&code::DATA_FILE, format!("cannot read `{name}`: {why}")).help(help.to_string()))
    };
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_path(path)
        .map_err(|e| broken(e.to_string(), "is it a CSV file?"))?;
    let header = match reader.headers() {
        Ok(header) => header.iter().map(|h| h.trim_start_matches('\u{feff}').trim().to_string()).collect::<Vec<_>>(),
        Err(e) => return Err(broken(csv_words(&e), "data files are UTF-8 texts with a header line")),
    };
    if let Some(twice) = header.iter().enumerate().find(|(i, h)| header.iter().take(*i).any(|o| o == *h)) {
        return Err(broken(
            format!("its header names the column `{}` twice", twice.1),
            "which of both is meant would be a guess",
        ));
    }
    let mut columns: Vec<Vec<Option<String>>> = vec![Vec::new(); header.len()];
    let mut record = csv::StringRecord::new();
    let mut last = csv::Position::new();
    let mut height = 0;
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => last = record.position().cloned().unwrap_or(last),
            Ok(false) => break,
            Err(e) => {
                return Err(broken(
                    csv_words(&e),
                    "data files are UTF-8 texts with as many fields in each line as in the header",
                ));
            }
        }
        if record.len() != header.len() {
            let line = record.position().map_or(0, csv::Position::line);
            return Err(broken(
                format!("line {line} has {} fields, the header has {}", record.len(), header.len()),
                "is a comma missing, or one too many? texts with commas stand in double quotes",
            ));
        }
        // In a file of one column an empty line may be a null, and the reader leaves it out.
        if header.len() == 1 {
            let lines = reader.position().line().saturating_sub(last.line());
            if lines > 1 + record.iter().map(|f| f.matches('\n').count() as u64).sum::<u64>() {
                return Err(broken(
                    format!("line {} is empty: a null, or no row?", last.line()),
                    "write `\"\"` for a null, or take the line out",
                ));
            }
        }
        for (column, field) in columns.iter_mut().zip(record.iter()) {
            column.push((!field.is_empty()).then(|| field.to_string()));
        }
        height += 1;
    }
    let open = still_open(path, &last).map_err(|e| broken(e.to_string(), "read it again"))?;
    if let Some(line) = open {
        return Err(broken(
            format!("the quote that opens in line {line} is never closed"),
            "the rows behind it would be lost: close it, or write `\"\"` for a quote inside a text",
        ));
    }
    if height == 0 {
        return Err(no_rows(&name, "has no rows"));
    }
    let columns = header.into_iter().zip(columns).map(|(h, c)| (h, Ok(Cells::Raw(c)))).collect();
    Ok(Frame { name, height, columns: Columns::Cells(columns) })
}

/// The line of a quote left open in the last record; the reader takes the end of the file as its end.
fn still_open(path: &Path, last: &csv::Position) -> std::io::Result<Option<u64>> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = std::fs::File::open(path)?;
    file.seek(SeekFrom::Start(last.byte()))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    Ok(crate::source::open_quote(&tail).map(|line| last.line() + line - 1))
}

fn csv_words(error: &csv::Error) -> String {
    let line = error.position().map_or(String::new(), |p| format!("line {} ", p.line()));
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => format!("{line}is not UTF-8"),
        _ => error.to_string(),
    }
}

impl Frame {
    /// Number of rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    fn names(&self) -> Vec<String> {
        match &self.columns {
            Columns::Parquet(file) => file.columns().map(str::to_string).collect(),
            Columns::Cells(columns) => columns.iter().map(|(n, _)| n.clone()).collect(),
        }
    }

    /// Whether there is a column of this name.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        match &self.columns {
            Columns::Parquet(file) => file.columns().any(|n| n == column),
            Columns::Cells(columns) => columns.iter().any(|(n, _)| n == column),
        }
    }

    /// A column's cells.
    ///
    /// # Errors
    /// A coded message with the nearest name when it is not there, or when no feature has its type.
    pub fn cells(&self, name: &str, wanted_for: &str) -> Result<Cells, Fault> {
        let found = match &self.columns {
            Columns::Parquet(file) if self.has(name) => {
                Some(Cells::of(file.column(name)?.as_materialized_series(), &self.name)?)
            }
            Columns::Parquet(_) => None,
            Columns::Cells(columns) => columns.iter().find(|(n, _)| n == name).map(|(_, c)| c.clone()).transpose()?,
        };
        found.ok_or_else(|| {
            let names = self.names();
            let near = did_you_mean(name, names.iter().map(String::as_str));
            let shown = names.iter().take(20).cloned().collect::<Vec<_>>().join(", ");
            let more = if names.len() > 20 { format!(" and {} more", names.len() - 20) } else { String::new() };
            let help =
                near.map_or_else(|| format!("its columns are {shown}{more}"), |n| format!("did you mean `{n}`?"));
            let message = format!("`{}` has no column `{name}`, which {wanted_for} needs", self.name);
            Box::new(Diagnostic::bare(&code::COLUMN, message).help(help))
        })
    }

    /// A column as polars writes it, for the key columns of score files.
    ///
    /// # Errors
    /// A column that is not there or cannot be decoded.
    pub fn series(&self, name: &str) -> Result<Column, Fault> {
        match &self.columns {
            Columns::Parquet(file) => {
                // Only what could be a key is kept.
                let column = file.column(name)?;
                Cells::of(column.as_materialized_series(), &self.name)?;
                Ok(column)
            }
            Columns::Cells(_) => {
                let cells = self.cells(name, "the score file")?;
                cells.series(name).map_err(|e| fault(&code::COLUMN_TYPE, e.to_string()))
            }
        }
    }
}
