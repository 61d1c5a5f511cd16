//! Reading texts under a project root, with limits.
//!
//! The language itself never touches the disk: it asks a [`Files`] for the files that a text names.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// Longest single reward or schema file (R8.5).
pub const MAX_FILE_BYTES: u64 = 1 << 20;
/// Most bytes of all files that one reward uses (R8.5).
pub const MAX_TOTAL_BYTES: u64 = 8 << 20;
/// Longest table or list file: a million rows of up to 256 bytes.
const MAX_TABLE_BYTES: u64 = 256 << 20;

/// Why a file could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadFault {
    /// The system's own reason (missing, not readable, a folder …).
    Unreadable(String),
    /// Not UTF-8; the offset of the first byte that is wrong.
    NotUtf8(usize),
    /// Longer than the limit, in bytes.
    TooLarge { bytes: u64, limit: u64 },
    /// The path leads out of the project root, by `..` or by a symbolic link.
    OutsideRoot,
}

/// Where the files that a text names come from.
pub trait Files {
    /// Reads `path`, which stands in the file shown as `from`; gives the name to show and the text.
    ///
    /// # Errors
    /// A [`ReadFault`] when the file cannot be had or breaks a limit.
    fn read(&self, from: &str, path: &str) -> Result<(String, String), ReadFault>;
}

/// Files on disk, kept inside one root folder.
#[derive(Clone, Debug)]
pub struct DiskFiles {
    root: PathBuf,
}

impl DiskFiles {
    /// Files under `root`.
    ///
    /// # Errors
    /// When `root` does not exist.
    pub fn new(root: &Path) -> Result<Self, ReadFault> {
        let root = root.canonicalize().map_err(|e| ReadFault::Unreadable(e.to_string()))?;
        Ok(Self { root })
    }

    /// The root that belongs to a file: the nearest folder above it that holds a `.git`, else its own folder.
    ///
    /// # Errors
    /// When the file does not exist.
    pub fn around(file: &Path) -> Result<Self, ReadFault> {
        let real = file.canonicalize().map_err(|e| ReadFault::Unreadable(e.to_string()))?;
        let own = real.parent().unwrap_or(Path::new("/")).to_path_buf();
        let root = own.ancestors().find(|a| a.join(".git").exists()).map_or(own.clone(), Path::to_path_buf);
        Ok(Self { root })
    }

    /// Reads the file a command was given; the name shown is the path as typed.
    ///
    /// # Errors
    /// As [`Files::read`].
    pub fn read_entry(&self, path: &Path) -> Result<(String, String), ReadFault> {
        Ok((path.display().to_string(), read_text(path, MAX_FILE_BYTES)?))
    }
}

/// Longest chain of symbolic links that is followed.
const MAX_LINKS: usize = 40;

impl DiskFiles {
    /// Whether a path that cannot be resolved leaves the root by a link: a dangling link must not tell
    /// which files exist outside.
    fn leads_out(&self, path: &Path, links: usize) -> bool {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return true };
        let Ok(folder) = folder.canonicalize() else { return links > 0 && self.leads_out(folder, links - 1) };
        if !folder.starts_with(&self.root) {
            return true;
        }
        match std::fs::read_link(folder.join(name)) {
            Ok(target) => links > 0 && self.leads_out(&tidy(&folder.join(target)), links - 1),
            Err(_) => false,
        }
    }
}

impl Files for DiskFiles {
    fn read(&self, from: &str, path: &str) -> Result<(String, String), ReadFault> {
        let folder = Path::new(from).parent().unwrap_or(Path::new(""));
        let shown = tidy(&folder.join(path));
        if Path::new(path).is_absolute() {
            return Err(ReadFault::OutsideRoot);
        }
        // The climb is judged before the disk is asked, so that a message never tells what lies outside.
        let base = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let base = base.canonicalize().map_err(|e| ReadFault::Unreadable(plain(&e)))?;
        if !tidy(&base.join(path)).starts_with(&self.root) {
            return Err(ReadFault::OutsideRoot);
        }
        let real = match base.join(path).canonicalize() {
            Ok(real) => real,
            Err(_) if self.leads_out(&base.join(path), MAX_LINKS) => return Err(ReadFault::OutsideRoot),
            Err(e) => return Err(ReadFault::Unreadable(plain(&e))),
        };
        if !real.starts_with(&self.root) {
            return Err(ReadFault::OutsideRoot);
        }
        // A file reached through a link is shown, and counted, as the file itself.
        let shown = real.strip_prefix(&base).map_or(shown, |inside| tidy(&folder.join(inside)));
        let limit = if path.ends_with(".csv") { MAX_TABLE_BYTES } else { MAX_FILE_BYTES };
        Ok((shown.display().to_string(), read_text(&real, limit)?))
    }
}

/// Files held in memory: for tests, fuzzing and hosts that have no disk.
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles {
    files: BTreeMap<String, String>,
}

impl MemoryFiles {
    /// Adds a file under the path by which texts name it.
    #[must_use]
    pub fn with(mut self, path: impl Into<String>, text: impl Into<String>) -> Self {
        self.files.insert(path.into(), text.into());
        self
    }
}

impl Files for MemoryFiles {
    fn read(&self, from: &str, path: &str) -> Result<(String, String), ReadFault> {
        let shown = tidy(&Path::new(from).parent().unwrap_or(Path::new("")).join(path)).display().to_string();
        let text = self.files.get(&shown).ok_or_else(|| ReadFault::Unreadable("no such file".into()))?;
        Ok((shown, text.clone()))
    }
}

/// Removes `.` and resolves `..` by the text of the path alone.
pub fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if out.file_name().is_some() => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".into(),
        std::io::ErrorKind::PermissionDenied => "no permission to read it".into(),
        _ => error.to_string(),
    }
}

fn read_text(path: &Path, limit: u64) -> Result<String, ReadFault> {
    use std::io::Read;
    let mut file = std::fs::File::open(path).map_err(|e| ReadFault::Unreadable(plain(&e)))?;
    let meta = file.metadata().map_err(|e| ReadFault::Unreadable(plain(&e)))?;
    if meta.is_dir() {
        return Err(ReadFault::Unreadable("it is a folder".into()));
    }
    if meta.len() > limit {
        return Err(ReadFault::TooLarge { bytes: meta.len(), limit });
    }
    // A pipe or device has no length: read at most one byte past the limit.
    let mut bytes = Vec::new();
    file.by_ref().take(limit + 1).read_to_end(&mut bytes).map_err(|e| ReadFault::Unreadable(plain(&e)))?;
    if bytes.len() as u64 > limit {
        return Err(ReadFault::TooLarge { bytes: bytes.len() as u64, limit });
    }
    decode(bytes)
}

/// UTF-8 text without its byte order mark.
///
/// # Errors
/// Bytes that are not UTF-8, and control characters.
pub fn decode(bytes: Vec<u8>) -> Result<String, ReadFault> {
    let mut text = String::from_utf8(bytes).map_err(|e| ReadFault::NotUtf8(e.utf8_error().valid_up_to()))?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    // A carriage return by itself ends a line, for messages as for comments; it keeps its place.
    if text.contains('\r') {
        let alone = |i: usize, b: u8| b == b'\r' && text.as_bytes().get(i + 1) != Some(&b'\n');
        let bytes = text.bytes().enumerate().map(|(i, b)| if alone(i, b) { b'\n' } else { b }).collect();
        text = String::from_utf8(bytes).unwrap_or_default();
    }
    // A text must not be able to steer the terminal that shows it, nor to show itself in another order.
    let steers = |c: char| {
        c.is_control() && !matches!(c, '\t' | '\n' | '\r')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    match text.char_indices().find(|(_, c)| steers(*c)) {
        Some((at, _)) => Err(ReadFault::Unreadable(format!("it holds a control character at byte {at}"))),
        None => Ok(text),
    }
}
