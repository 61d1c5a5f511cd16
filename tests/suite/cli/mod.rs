//! The command line met with hostile input: each run ends with its exit code and a coded message,
//! without a panic, and changes no file that it must not change.
//!
//! Exit codes: 0 fine, 1 findings, 2 could not run.

mod arguments;
#[cfg(feature = "data")]
mod catalog;
mod control;
#[cfg(feature = "data")]
mod data;
mod files;
mod format;
mod schema;
mod size;
mod streams;
mod text;
#[cfg(all(feature = "data", feature = "decoder"))]
mod train;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const HEAD: &str = "language 1\nscenario toy.feed\nversion 1\nschema \"toy.yaml\"\nfor logs\n";

const SCHEMA: &str = "schema: toy
sources:
  log: {file: log.csv, entity: impression}
  items: {file: items.csv, entity: item, key: item_id, join: must match}
keys: {item: item_id, request: request_id}
spans:
  request: [request_id]
  slate: {made: {every: 5, per: request, order: [pos], last: keep_short}}
features:
  p_click: {entity: model, scale: probability, direction: good}
  is_ad: {entity: item, scale: bool}
  author: {entity: item, scale: id}
  plays: {entity: item, scale: count, nullable: true}
";

const CLICK: &str = "preference { term click = p_click }\n";

/// A folder with a schema, in which commands are run.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        desk.put("toy.yaml", SCHEMA)
    }

    /// With `x.reward`: the head and these declarations.
    fn with(declarations: &str) -> Self {
        Self::new().put("x.reward", format!("{HEAD}{declarations}"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.change(name, content);
        self
    }

    fn change(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rewardc"));
        command.args(args).current_dir(self.folder.path()).env_remove("NO_COLOR").env("COLUMNS", "100");
        command.stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Said {
        Said::of(self.command(args).output().unwrap())
    }

    fn run_with_input(&self, args: &[&str], input: &[u8]) -> Said {
        let mut command = self.command(args);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that has read enough closes its end.
        let _ = stdin.write_all(input);
        drop(stdin);
        Said::of(child.wait_with_output().unwrap())
    }

    fn fine(&self, args: &[&str]) -> Said {
        self.run(args).ends(0, "")
    }

    /// Ends with this exit and code, and every file is as it was.
    #[track_caller]
    fn refused(&self, args: &[&str], exit: i32, code: &str) -> Said {
        let before = self.files();
        let said = self.run(args).ends(exit, code);
        let after = self.files();
        assert!(
            before == after,
            "{args:?} left {:?}",
            after.keys().filter(|k| before.get(*k) != after.get(*k)).collect::<Vec<_>>()
        );
        said
    }

    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        collect(self.folder.path(), &mut found);
        found
    }
}

fn collect(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let kind = std::fs::symlink_metadata(&path).unwrap().file_type();
        if kind.is_dir() {
            collect(&path, found);
        }
        let content = if kind.is_file() { std::fs::read(&path).unwrap() } else { format!("{kind:?}").into_bytes() };
        found.insert(path, content);
    }
}

/// What a run said, and how it ended.
struct Said {
    exit: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    fn of(output: Output) -> Self {
        Self {
            exit: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    fn all(&self) -> String {
        format!("{}{}", self.err, self.out)
    }

    fn shown(&self) -> String {
        format!("exit {:?}\n{}", self.exit, self.all().chars().take(2_000).collect::<String>())
    }

    #[track_caller]
    fn ends(self, exit: i32, code: &str) -> Self {
        assert!(
            self.exit == Some(exit) && self.all().contains(code),
            "wanted exit {exit} {code}, got {}",
            self.shown()
        );
        assert!(!self.err.contains("panicked") && !self.err.contains("RUST_BACKTRACE"), "{}", self.shown());
        assert!(exit == 0 || self.all().contains("RW"), "no code: {}", self.shown());
        assert!(!self.all().contains('\u{1b}'), "a control character: {}", self.shown());
        self
    }

    #[track_caller]
    fn says(self, words: &str) -> Self {
        // A message may be broken over lines of the frame.
        let flat = self.all().replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(words), "wanted \"{words}\", got {}", self.shown());
        self
    }

    #[track_caller]
    fn never_says(self, words: &str) -> Self {
        assert!(!self.all().contains(words), "unwanted \"{words}\" in {}", self.shown());
        self
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap()
    }
}

fn term(expression: &str) -> String {
    format!("preference {{\n    term a = {expression}\n}}\n")
}

fn reward_id(desk: &Desk, file: &str) -> String {
    desk.fine(&["check", "--format", "json", file]).json()[0]["reward"].as_str().unwrap().to_string()
}
