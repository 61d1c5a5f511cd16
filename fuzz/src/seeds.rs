//! Where inputs come from: the reward files of the repository and the conformance cases.

use std::path::{Path, PathBuf};

use rewardc::source::MemoryFiles;

/// A sound reward file with the files it names.
pub struct Seed {
    pub name: String,
    pub text: String,
    pub files: MemoryFiles,
}

/// All seeds.
pub fn all() -> Vec<Seed> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut seeds = Vec::new();
    for path in files(&root.join("rewards"), "reward") {
        let folder = path.parent().unwrap_or(&root);
        let mut held = MemoryFiles::default();
        for beside in files(folder, "yaml").into_iter().chain(files(folder, "reward")) {
            if let (Ok(text), Some(name)) = (std::fs::read_to_string(&beside), beside.file_name()) {
                held = held.with(name.to_string_lossy(), text);
            }
        }
        if let (Ok(text), Some(name)) = (std::fs::read_to_string(&path), path.file_name()) {
            seeds.push(Seed { name: name.to_string_lossy().into_owned(), text, files: held });
        }
    }
    for path in files(&root.join("tests/cases"), "md") {
        seeds.extend(cases(&std::fs::read_to_string(path).unwrap_or_default()));
    }
    seeds
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    for path in entries.filter_map(|e| e.ok().map(|e| e.path())) {
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|e| e == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The reward blocks of a file of cases, each with the schema that serves it.
fn cases(text: &str) -> Vec<Seed> {
    let (mut seeds, mut shared, mut own) = (Vec::new(), String::new(), None);
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        match open.take() {
            Some((kind, body)) if line.trim_end() == "```" => match kind.as_str() {
                "yaml" if seeds.is_empty() && own.is_none() && shared.is_empty() => shared = body,
                "yaml" => own = Some(body),
                "reward" => {
                    let schema = own.take().unwrap_or_else(|| shared.clone());
                    let head = "language 1\nscenario f.f\nversion 1\nschema \"s.yaml\"\n";
                    let text = if body.contains("language 1") { body } else { format!("{head}{body}") };
                    seeds.push(Seed {
                        name: "f.reward".into(),
                        text,
                        files: MemoryFiles::default().with("s.yaml", schema),
                    });
                }
                _ => {}
            },
            Some((kind, mut body)) => {
                body.push_str(line);
                body.push('\n');
                open = Some((kind, body));
            }
            None => {
                if let Some(info) = line.strip_prefix("```") {
                    open = Some((info.split_whitespace().next().unwrap_or("").to_string(), String::new()));
                } else if line.starts_with("## ") {
                    own = None;
                }
            }
        }
    }
    seeds
}
