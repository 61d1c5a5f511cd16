//! Files are written whole or not at all: a temporary file beside the target, synced, renamed.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Temporary files that a Ctrl-C must take away.
static OPEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn open() -> std::sync::MutexGuard<'static, BTreeSet<PathBuf>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes away the temporary files of writings under way: for whoever ends the process by a signal. No file
/// is begun or given up afterwards: such writings wait for the end of the process.
pub fn remove_temporaries() {
    let open = open();
    for path in open.iter() {
        let _ = std::fs::remove_file(path);
    }
    std::mem::forget(open);
}

/// A file written and synced beside its target, which is still as it was.
pub struct Prepared {
    temporary: Option<tempfile::NamedTempFile>,
    at: PathBuf,
    target: PathBuf,
}

impl Prepared {
    /// Puts the file in the place of its target.
    ///
    /// # Errors
    /// What the system says; the target keeps its old content then.
    pub fn commit(mut self) -> io::Result<()> {
        match self.temporary.take() {
            Some(temporary) => temporary.persist(&self.target).map(|_| ()).map_err(|e| e.error),
            None => Ok(()),
        }
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        open().remove(&self.at);
    }
}

/// Writes a file whole or not at all. The target keeps its old content until the new is on disk.
///
/// # Errors
/// What the system says; the temporary file is gone then.
pub fn write_whole(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    prepare(path, write)?.commit()
}

/// Writes a file beside its target, to be put in its place once all that belongs to it is written too.
///
/// # Errors
/// What the system says; the temporary file is gone then.
pub fn prepare(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<Prepared> {
    let target = path.canonicalize().unwrap_or_else(|_| behind_link(path));
    if target.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    if target.exists() && !target.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a plain file"));
    }
    let folder = match target.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    let name = target.file_name().map_or(String::new(), |n| n.to_string_lossy().into_owned());
    if !folder.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("there is no folder `{}`", folder.display())));
    }
    let (prefix, mut builder) = (format!(".{name}."), tempfile::Builder::new());
    builder.prefix(&prefix).suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // Made and noted under one lock: an interrupt between the two would leave the file behind.
    let (mut temporary, at) = {
        let mut open = open();
        let temporary = builder.tempfile_in(folder)?;
        let at = temporary.path().to_path_buf();
        open.insert(at.clone());
        (temporary, at)
    };
    let written = write(temporary.as_file_mut())
        .and_then(|()| temporary.as_file().sync_all())
        .and_then(|()| keep_mode(&target, temporary.as_file()));
    let prepared = Prepared { temporary: Some(temporary), at, target };
    written.map(|()| prepared)
}

/// Where a link leads whose target is not there yet.
fn behind_link(path: &Path) -> PathBuf {
    match std::fs::read_link(path) {
        Ok(target) => path.parent().unwrap_or(Path::new("")).join(target),
        Err(_) => path.to_path_buf(),
    }
}

/// A file that is replaced keeps its permissions; a new one has those that its maker's umask leaves.
#[cfg(unix)]
fn keep_mode(target: &Path, file: &File) -> io::Result<()> {
    match target.metadata() {
        Ok(old) => file.set_permissions(old.permissions()),
        Err(_) => Ok(()),
    }
}

#[cfg(not(unix))]
fn keep_mode(_: &Path, _: &File) -> io::Result<()> {
    Ok(())
}
