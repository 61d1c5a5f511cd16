//! The pages of `docs/errors/`: each example raises its code, each remedy checks, and every message
//! stands under snapshot together with its source.

use std::path::Path;

use rewardc::check::{Checked, Options, check};
use rewardc::diagnostic::{self, Code, HumanStyle, human};
use rewardc::source::MemoryFiles;
use rewardc::testing;

use crate::conformance::Block;

/// The fenced blocks of a page in order.
fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (i, line) in page.lines().enumerate() {
        match open.take() {
            Some(block) if line.trim_end() == "```" => found.push(block),
            Some(mut block) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            None => {
                if let Some(info) = line.strip_prefix("```") {
                    let words: Vec<String> = info.split_whitespace().map(str::to_string).collect();
                    let kind = words.first().cloned().unwrap_or_default();
                    open = Some(Block { kind, name: None, words, text: String::new(), line: i + 2 });
                }
            }
        }
    }
    found
}

fn section<'p>(page: &'p str, title: &str) -> &'p str {
    let start = page.find(&format!("## {title}")).unwrap_or(page.len());
    let rest = &page[start..];
    let end = rest[2.min(rest.len())..].find("\n## ").map_or(rest.len(), |n| n + 2);
    &rest[..end]
}

/// Checks a page's block with the schema it brings, or with that of the shipped main feed.
fn check_block(blocks: &[Block]) -> Option<Checked> {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("rewards/short_video/short_video.yaml");
    let schema = blocks
        .iter()
        .find(|b| b.kind == "yaml")
        .map_or_else(|| std::fs::read_to_string(shipped).unwrap(), |b| b.text.clone());
    let reward = blocks.iter().find(|b| b.kind == "reward");
    let text = match reward {
        Some(block) => block.text.clone(),
        None if blocks.iter().any(|b| b.kind == "yaml") => "preference { }\n".to_string(),
        None => return None,
    };
    let head = if text.lines().any(|l| {
        l.starts_with("language") || l.starts_with("scenario") || l.starts_with("version") || l.starts_with("schema")
    }) {
        ""
    } else if text.trim_start().starts_with("for ") {
        "language 1\nscenario a.b\nversion 1\nschema \"s.yaml\"\n"
    } else {
        "language 1\nscenario a.b\nversion 1\nschema \"s.yaml\"\nfor training, serving, logs\n"
    };
    let files = MemoryFiles::default().with("s.yaml", schema);
    let files = blocks
        .iter()
        .filter(|b| b.kind == "csv")
        .fold(files, |files, b| files.with("t.csv", &b.text).with("ids.csv", &b.text));
    Some(check("example.reward", &format!("{head}{text}"), &files, &Options::default()))
}

fn pages() -> impl Iterator<Item = &'static Code> {
    diagnostic::ALL.iter().copied()
}

#[test]
fn every_code_has_a_page() {
    for code in pages() {
        let title = format!("# {}: {}", code.id, code.title);
        assert_eq!(code.page.lines().next(), Some(title.as_str()));
        assert!(code.page.lines().count() > 8, "the page of {} is empty", code.id);
        assert!(!code.page.contains("\n\n\n"), "{}", code.id);
    }
    let on_disk = crate::corpus::files("docs/errors", "md").len();
    assert_eq!(on_disk, diagnostic::ALL.len(), "a page without a code");
}

/// Codes of the language (01xx–05xx): the message with its source, under snapshot.
#[test]
fn examples_raise_their_code() {
    let mut shown = String::new();
    let mut unraised = Vec::new();
    for code in pages().filter(|c| c.id < "RW06") {
        let Some(checked) = check_block(&blocks(section(code.page, "Example"))) else {
            unraised.push(code.id);
            continue;
        };
        let text = human(&checked.diagnostics, &checked.sources, HumanStyle::PLAIN);
        if !checked.diagnostics.iter().any(|d| d.code == code) {
            unraised.push(code.id);
        }
        shown.push_str(&format!("=== {}: {}\n{text}\n", code.id, code.title));
    }
    insta::assert_snapshot!("messages", shown);
    // These need files on disk or a clock, and have tests of their own.
    let elsewhere = ["RW0205", "RW0321", "RW0414"];
    unraised.retain(|c| !elsewhere.contains(c));
    assert!(unraised.is_empty(), "examples that do not raise their code: {unraised:?}");
}

#[test]
fn remedies_check() {
    let mut faults = String::new();
    for code in pages().filter(|c| c.id < "RW06") {
        let Some(checked) = check_block(&blocks(section(code.page, "Remedy"))) else { continue };
        if checked.diagnostics.iter().any(|d| d.code == code) {
            faults.push_str(&format!("{}\n{}\n", code.id, diagnostic::short(&checked.diagnostics, &checked.sources)));
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

#[test]
fn a_failing_expectation_shows_both_sides_and_the_trace() {
    let text = "language 1\nscenario a.b\nversion 1\nschema \"s.yaml\"\npreference { term gain weight 2 = x }\n\
                test \"wrong\" {\n    group of 1 { item { x: 0.5 } }\n    expect gain == 2\n    expect item 1 is dropped\n}\n";
    let files = MemoryFiles::default().with("s.yaml", "schema: t\nfeatures: {x: {scale: number, range: [0, 1]}}\n");
    let checked = check("f.reward", text, &files, &Options::default());
    let outcome = testing::run(checked.program.as_ref().unwrap(), &checked.schema, &checked.tests[0]);
    let shown = format!("{}{}", human(&outcome.failures, &checked.sources, HumanStyle::PLAIN), outcome.trace.unwrap());
    insta::assert_snapshot!("expectation", shown);
}

/// `docs/functions.md` is what the function table says; `UPDATE_DOCS=1 cargo test` writes it anew.
#[test]
fn the_functions_page_is_current() {
    let mut names: Vec<&str> = rewardc::builtins::names().collect();
    names.sort_unstable();
    names.dedup();
    let mut page = "# Functions\n\nEvery function of language 1, from the one table that checker and evaluators read\n\
                    (`rewardc explain NAME` prints the same). S is a span: `slate`, `group`, `batch`, `history`,\n\
                    `targets` or `levels`.\n"
        .to_string();
    for name in names {
        page.push_str(&format!("\n{}", rewardc::builtins::page(name).unwrap().replacen("# ", "## ", 1)));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/functions.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), page, "run `UPDATE_DOCS=1 cargo test functions_page`");
}
