//! What a run measured, a line of JSON a step: written as it goes, and cut back to the checkpoint it goes on from.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Fault, code};
use crate::write::write_whole;

/// A file of metrics.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens it for a run that goes on behind `step`: lines of later steps, and one that was cut, are taken away.
    ///
    /// # Errors
    /// A path that cannot be written, and a file of something else: it would be lost (RW0805).
    pub fn open(path: &Path, step: u64) -> Result<Self, Fault> {
        let failed = |e: std::io::Error| unwritable(path, &e);
        let before = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(failed(e)),
            _ => String::new(),
        };
        let parsed = |line: &str| serde_json::from_str::<serde_json::Value>(line);
        let step_of = |line: &str| parsed(line).ok()?.get("step")?.as_u64();
        // The last line may be cut: a process that was killed wrote it.
        let cut = before.lines().last().filter(|line| !before.ends_with('\n') && parsed(line).is_err());
        let whole = before.strip_suffix(cut.unwrap_or("")).unwrap_or(&before);
        if whole.lines().any(|line| step_of(line).is_none()) || !(before.is_empty() || before.starts_with('{')) {
            let message = format!("`{}` is no file of metrics, and this run would write over it", path.display());
            return Err(Box::new(
                Diagnostic::bare(&code::UNWRITABLE, message).help("name another file with `--metrics`"),
            ));
        }
        let is_kept = |line: &&str| step_of(line).is_some_and(|s| s <= step);
        let kept: String = before.lines().filter(is_kept).flat_map(|line| [line, "\n"]).collect();
        write_whole(path, |file| file.write_all(kept.as_bytes())).map_err(failed)?;
        let file = OpenOptions::new().append(true).open(path).map_err(failed)?;
        Ok(Self { path: path.to_path_buf(), file })
    }

    /// Writes a line.
    ///
    /// # Errors
    /// A full disk (RW0805).
    pub fn write(&mut self, line: &serde_json::Value) -> Result<(), Fault> {
        self.file.write_all(format!("{line}\n").as_bytes()).map_err(|e| unwritable(&self.path, &e))
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Fault {
    Box::new(Diagnostic::bare(&code::UNWRITABLE, format!("cannot write `{}`: {error}", path.display())))
}
