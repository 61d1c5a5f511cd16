//! Conformance cases that need data files: what a test in a reward file cannot write down (NaN,
//! repeats, ties, several items behind one SID, several batches).
//!
//! `tests/cases/data/*.md`: as the other cases, with `csv name=…` blocks for the data, the words
//! `host=… catalog=… seed=…` behind `reward`, and one `csv expected` block: its columns are compared with the
//! scores, row by row; an empty cell is null.

use std::path::Path;

use rewardc::check::{Options, check};
use rewardc::data::{Input, Silent, bind};
use rewardc::diagnostic;
use rewardc::eval::reference::Reference;
use rewardc::eval::{ControlState, Evaluator, Run};
use rewardc::program::{column_names, columns};
use rewardc::source::DiskFiles;
use rewardc::types::Host;

use crate::conformance::{Block, Case, cases};

fn word<'b>(block: &'b Block, key: &str) -> Option<&'b str> {
    block.words.iter().find_map(|w| w.strip_prefix(key)?.strip_prefix('='))
}

fn run(case: &Case) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let mut reward = None;
    let mut expected = None;
    for block in &case.blocks {
        match (block.kind.as_str(), &block.name) {
            ("yaml", None) => std::fs::write(folder.path().join("s.yaml"), &block.text).unwrap(),
            ("reward", None) => reward = Some(block),
            ("csv", None) => expected = Some(block),
            (_, Some(name)) => std::fs::write(folder.path().join(name), &block.text).unwrap(),
            _ => {}
        }
    }
    let reward = reward.ok_or("no reward block")?;
    let text = format!("language 1\nscenario t.t\nversion 1\nschema \"s.yaml\"\n{}", reward.text);
    let path = folder.path().join("case.reward");
    std::fs::write(&path, &text).unwrap();
    let files = DiskFiles::around(&path).unwrap();
    let checked = check(&path.display().to_string(), &text, &files, &Options::default());
    let program = checked.program.as_ref().ok_or_else(|| diagnostic::short(&checked.diagnostics, &checked.sources))?;
    let host = Host::named(word(reward, "host").unwrap_or("logs")).unwrap();
    let input = Input {
        folder: folder.path().to_path_buf(),
        host,
        catalog: word(reward, "catalog").map(|c| folder.path().join(c)),
    };
    let bound = match bind(program, &checked.schema, &input, &Silent) {
        Ok(bound) => bound,
        Err(fault) if word(reward, "fault") == Some(fault.code.id) => return Ok(()),
        Err(fault) => return Err(fault.message.clone()),
    };
    if let Some(fault) = word(reward, "fault") {
        return Err(format!("expected the fault {fault}, and the data was bound"));
    }
    let state = ControlState::default();
    let seed = word(reward, "seed").map_or(0, |s| s.parse().unwrap());
    let scores = Reference
        .score(program, &bound.batch, Run { host, state: &state, seed, step: 0, stop: None })
        .map_err(|r| r.to_string())?;
    let expected = expected.ok_or("no expected block")?;
    let mut lines = expected.text.lines();
    let header: Vec<&str> = lines.next().unwrap_or("").split(',').collect();
    let mut faults = String::new();
    let rows: Vec<Vec<&str>> = lines.map(|l| l.split(',').collect()).collect();
    if rows.len() != scores.n_rows {
        return Err(format!("{} rows expected, {} scored", rows.len(), scores.n_rows));
    }
    for (row, cells) in rows.iter().enumerate() {
        for (name, cell) in header.iter().zip(cells) {
            let verdict = scores.verdicts[row];
            let holds = match *name {
                "verdict" => verdict.word() == *cell,
                "rule" => verdict.rule(program).unwrap_or("") == *cell,
                "item" => bound.items.get(scores.item_of[row] as usize).map_or("", String::as_str) == *cell,
                _ => {
                    let column = columns(program)
                        .into_iter()
                        .find(|c| column_names(program, *c) == *name)
                        .ok_or(format!("no column {name}"))?;
                    match (scores.get(column, row), cell.parse::<f64>().ok()) {
                        (None, None) => true,
                        (Some(a), Some(b)) => (a - b).abs() <= 1e-6 * a.abs().max(b.abs()).max(1e-3),
                        (found, _) => {
                            faults.push_str(&format!("(found {found:?}) "));
                            false
                        }
                    }
                }
            };
            if !holds {
                faults.push_str(&format!("row {} {name}: expected `{cell}`, verdict {verdict:?}\n", row + 1));
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

#[test]
fn every_data_case_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/data");
    let mut faults = String::new();
    let mut n = 0;
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    for file in files {
        for case in cases(&file) {
            n += 1;
            if let Err(fault) = run(&case) {
                faults.push_str(&format!("\n--- {}\n{fault}\n", case.name));
            }
        }
    }
    assert!(faults.is_empty(), "{faults}");
    assert!(n > 0);
}
