//! Parquet, column by column: only what is asked for is decoded, so that a type which no feature has
//! stands in nobody's way.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use polars::prelude::*;

use super::Fault;
use crate::diagnostic::{Diagnostic, code};

/// An open Parquet file.
#[derive(Debug)]
pub struct ParquetFile {
    name: String,
    /// Kept open: a file that is replaced meanwhile does not mix into the run.
    file: File,
    metadata: FileMetadataRef,
    schema: Arc<ArrowSchema>,
    pub height: usize,
}

impl ParquetFile {
    /// Opens a file and reads what it says of itself.
    ///
    /// # Errors
    /// A file that is cut off, damaged or not Parquet.
    pub fn open(path: &Path, name: &str) -> Result<Self, Fault> {
        let file = File::open(path).map_err(|e| damaged(name, &e.to_string()))?;
        let copy = file.try_clone().map_err(|e| damaged(name, &e.to_string()))?;
        let (metadata, schema) = calm(name, || {
            let mut reader = ParquetReader::new(copy);
            let metadata = reader.get_metadata()?.clone();
            Ok((metadata, reader.schema()?))
        })?;
        let height = metadata.num_rows;
        Ok(Self { name: name.to_string(), file, metadata, schema, height })
    }

    /// Names of its columns.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.schema.iter_names().map(PlSmallStr::as_str)
    }

    /// One column.
    ///
    /// # Errors
    /// A column that cannot be decoded, or whose type no feature has.
    pub fn column(&self, column: &str) -> Result<Column, Fault> {
        if let Some(what) = self.schema.get(column).and_then(|f| no_feature_has(f.dtype())) {
            let message = format!("column `{column}` of `{}` holds {what}, which no feature is", self.name);
            return Err(Box::new(
                Diagnostic::bare(&code::COLUMN_TYPE, message)
                    .help("write what is needed of it as a column of numbers, texts or lists of them"),
            ));
        }
        let copy = self.file.try_clone().map_err(|e| damaged(&self.name, &e.to_string()))?;
        let frame = calm(&self.name, || {
            let mut reader = ParquetReader::new(copy).set_rechunk(true).with_columns(Some(vec![column.to_string()]));
            reader.set_metadata(self.metadata.clone());
            reader.finish()
        })
        .map_err(|fault| {
            Box::new(Diagnostic { message: format!("{}, in column `{column}`", fault.message), ..*fault })
        })?;
        frame.column(column).cloned().map_err(|e| damaged(&self.name, &e.to_string()))
    }
}

/// What a type is called that no feature has, lists of it included.
fn no_feature_has(dtype: &ArrowDataType) -> Option<&'static str> {
    match dtype {
        ArrowDataType::Struct(_) => Some("structs"),
        ArrowDataType::Map(..) => Some("maps"),
        ArrowDataType::Float16 => Some("half-precision numbers"),
        ArrowDataType::Union(_) => Some("unions"),
        ArrowDataType::Interval(_) => Some("intervals"),
        ArrowDataType::List(f) | ArrowDataType::LargeList(f) | ArrowDataType::FixedSizeList(f, _) => {
            no_feature_has(f.dtype())
        }
        _ => None,
    }
}

fn damaged(name: &str, why: &str) -> Fault {
    Box::new(
        Diagnostic::bare(&code::DATA_FILE, format!("cannot read `{name}`: {why}"))
            .help("the file is cut off, damaged or not Parquet: write or copy it again"),
    )
}

/// Runs the reader, which panics in places on a damaged file: that is a fault of the file, not of the run.
fn calm<T>(name: &str, read: impl FnOnce() -> PolarsResult<T>) -> Result<T, Fault> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let read = catch_unwind(AssertUnwindSafe(read));
    std::panic::set_hook(hook);
    match read {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(e)) => Err(damaged(name, e.to_string().lines().next().unwrap_or(""))),
        Err(_) => Err(damaged(name, "it cannot be decoded")),
    }
}
