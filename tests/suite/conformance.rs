//! The conformance cases under `tests/cases/`: data only, run by every evaluator.
//!
//! A case is a section of a Markdown file: its heading is its name, a line `Rules: R1.2 R2.1` names
//! the rules of the semantics that it exercises, prose derives the expected numbers, and blocks hold
//! the schema (`yaml`; the one before the first case serves all cases without their own), the reward
//! file with its tests (`reward`), and other files (`csv name=f.csv`, `reward name=f.reward`).
//!
//! A reward block without `language` gets a head. `//! RW0302` at the end of a line says that this
//! very finding is expected there; findings without such a mark fail the case.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rewardc::check::{Options, check};
use rewardc::diagnostic;
use rewardc::source::MemoryFiles;
use rewardc::testing;

/// A section of a file of cases.
pub struct Case {
    pub name: String,
    pub rules: Vec<String>,
    pub blocks: Vec<Block>,
}

/// A fenced block: its kind, the words behind it, and its text.
#[derive(Clone)]
pub struct Block {
    pub kind: String,
    pub name: Option<String>,
    /// Read by the cases that need data.
    #[cfg_attr(not(feature = "data"), expect(dead_code, reason = "data cases are not built"))]
    pub words: Vec<String>,
    pub text: String,
    pub line: usize,
}

/// The cases of a file.
pub fn cases(path: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(path).unwrap();
    let file = path.file_stem().unwrap().to_string_lossy().into_owned();
    let mut shared: Vec<Block> = Vec::new();
    let mut cases: Vec<Case> = Vec::new();
    let mut open: Option<Block> = None;
    for (i, line) in text.lines().enumerate() {
        if let Some(mut block) = open.take() {
            if line.trim_end() == "```" {
                match cases.last_mut() {
                    Some(case) => case.blocks.push(block),
                    None => shared.push(block),
                }
            } else {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
        } else if let Some(info) = line.strip_prefix("```") {
            let words: Vec<String> = info.split_whitespace().map(str::to_string).collect();
            let kind = words.first().cloned().unwrap_or_default();
            let name = words.iter().find_map(|w| w.strip_prefix("name=")).map(str::to_string);
            open = Some(Block { kind, name, words, text: String::new(), line: i + 2 });
        } else if let Some(name) = line.strip_prefix("## ") {
            cases.push(Case { name: format!("{file}: {name}"), rules: Vec::new(), blocks: shared.clone() });
        } else if let (Some(rules), Some(case)) = (line.strip_prefix("Rules:"), cases.last_mut()) {
            case.rules.extend(rules.split_whitespace().map(str::to_string));
        }
    }
    cases
}

fn all_cases() -> Vec<Case> {
    in_folder("tests/cases")
}

fn in_folder(folder: &str) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "md"));
    files.sort();
    files.iter().flat_map(|f| cases(f)).collect()
}

/// What goes wrong in a case, if anything.
fn run(case: &Case) -> Vec<String> {
    let mut files = MemoryFiles::default();
    let mut main: Option<&Block> = None;
    for block in &case.blocks {
        match (block.kind.as_str(), &block.name) {
            ("yaml", None) => files = files.with("s.yaml", &block.text),
            (_, Some(name)) => files = files.with(name, &block.text),
            ("reward", None) => main = Some(block),
            _ => {}
        }
    }
    let Some(main) = main else { return vec!["no reward block".into()] };
    let head = match main.text.lines().find(|l| !l.trim().is_empty()) {
        Some(l) if l.starts_with("language") => "",
        Some(l) if l.starts_with("for ") => "language 1\nscenario t.t\nversion 1\nschema \"s.yaml\"\n",
        _ => "language 1\nscenario t.t\nversion 1\nschema \"s.yaml\"\nfor training, serving, logs\n",
    };
    let shift = head.lines().count();
    let text = format!("{head}{}", main.text);
    let checked = check("case.reward", &text, &files, &Options::default());
    let expected: BTreeSet<(usize, String)> = text
        .lines()
        .enumerate()
        .flat_map(|(i, l)| {
            let codes = l.split_once("//!").map_or("", |(_, c)| c);
            codes
                .split_whitespace()
                .take_while(|c| c.starts_with("RW"))
                .map(move |c| (i + 1, c.to_string()))
                .collect::<Vec<_>>()
        })
        .collect();
    let found: BTreeSet<(usize, String)> = checked
        .diagnostics
        .iter()
        .map(|d| {
            let line = d.span().map_or(0, |s| checked.sources.line_column(s.file, s.start).0);
            (line, d.code.id.to_string())
        })
        .collect();
    let mut faults = Vec::new();
    if expected != found {
        let shown = |set: &BTreeSet<(usize, String)>| {
            set.iter()
                .map(|(l, c)| format!("{c} at line {}", (main.line + l).saturating_sub(shift + 1)))
                .collect::<Vec<_>>()
                .join(", ")
        };
        faults.push(format!("expected [{}], found [{}]", shown(&expected), shown(&found)));
        faults.push(diagnostic::short(&checked.diagnostics, &checked.sources));
    }
    if let Some(program) = &checked.program {
        for test in &checked.tests {
            let outcome = testing::run(program, &checked.schema, test);
            if !outcome.passed() {
                faults.push(format!(
                    "test {:?}\n{}{}",
                    outcome.name,
                    diagnostic::short(&outcome.failures, &checked.sources),
                    outcome.trace.unwrap_or_default()
                ));
            }
        }
    }
    faults
}

#[test]
fn every_case_holds() {
    let mut faults = String::new();
    let cases = all_cases();
    for case in &cases {
        for fault in run(case) {
            faults.push_str(&format!("\n--- {}\n{fault}\n", case.name));
        }
    }
    assert!(faults.is_empty(), "{faults}");
    assert!(!cases.is_empty());
}

#[test]
fn case_names_are_different() {
    let mut seen = BTreeSet::new();
    for case in all_cases() {
        assert!(seen.insert(case.name.clone()), "two cases are called {}", case.name);
    }
}

/// Every rule of R1–R6 has a case; R7 and R8 are listed where they lack one.
#[test]
fn every_rule_has_a_case() {
    let counts = [("R1", 11), ("R2", 5), ("R3", 12), ("R4", 14), ("R5", 10), ("R6", 6), ("R7", 3), ("R8", 5)];
    let mut named: BTreeMap<String, usize> = BTreeMap::new();
    for case in all_cases().into_iter().chain(in_folder("tests/cases/data")) {
        assert!(!case.rules.is_empty(), "{} names no rule", case.name);
        for rule in case.rules {
            *named.entry(rule).or_default() += 1;
        }
    }
    let all: Vec<String> = counts.iter().flat_map(|(r, n)| (1..=*n).map(move |k| format!("{r}.{k}"))).collect();
    let unknown: Vec<_> = named.keys().filter(|k| !all.contains(k)).collect();
    assert!(unknown.is_empty(), "no such rule: {unknown:?}");
    let lacking: Vec<_> = all.iter().filter(|r| !named.contains_key(*r)).collect();
    let (late, needed): (Vec<_>, Vec<_>) =
        lacking.into_iter().partition(|r| r.starts_with("R7") || r.starts_with("R8"));
    println!("rules without a case: {late:?}");
    assert!(needed.is_empty(), "rules without a case: {needed:?}");
}
