//! Every `.reward` file of the repository: checks, is formatted, passes its own tests.

use std::path::{Path, PathBuf};

use rewardc::check::{Checked, Options, check};
use rewardc::diagnostic::{Diagnostics, short};
use rewardc::source::{DiskFiles, FileId};
use rewardc::syntax::{format, parse};
use rewardc::testing;

/// All files with an ending under a folder of the repository.
pub fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut stack = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = stack.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                stack.push(path);
            } else if path.extension().is_some_and(|e| e == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn checked(path: &Path) -> Checked {
    let files = DiskFiles::around(path).unwrap();
    let (name, text) = files.read_entry(path).unwrap();
    check(&name, &text, &files, &Options::default())
}

#[test]
fn rewards_check_without_a_warning_and_pass_their_tests() {
    let rewards = files("rewards", "reward");
    assert!(rewards.len() > 3);
    for path in rewards {
        let checked = checked(&path);
        assert!(checked.diagnostics.is_empty(), "{}", short(&checked.diagnostics, &checked.sources));
        if checked.used_only {
            continue;
        }
        let program = checked.program.as_ref().unwrap();
        assert!(!checked.tests.is_empty(), "{} has no test", path.display());
        for test in &checked.tests {
            let outcome = testing::run(program, &checked.schema, test);
            assert!(
                outcome.passed(),
                "{}: {}\n{}",
                path.display(),
                outcome.name,
                short(&outcome.failures, &checked.sources)
            );
        }
    }
}

#[test]
fn rewards_are_formatted() {
    for path in files("rewards", "reward") {
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(format(&text, FileId(0)).unwrap(), text, "run `rewardc fmt {}`", path.display());
    }
}

/// Formatting twice is formatting once, and the tree stays the same, for every reward text there is:
/// files, and the blocks of the conformance cases.
#[test]
fn formatting_is_idempotent_and_keeps_the_tree() {
    let mut texts: Vec<String> =
        files("rewards", "reward").iter().map(|p| std::fs::read_to_string(p).unwrap()).collect();
    for path in files("tests/cases", "md") {
        let cases = crate::conformance::cases(&path);
        let blocks = cases.iter().flat_map(|c| &c.blocks).filter(|b| b.kind == "reward");
        texts.extend(blocks.map(|b| b.text.clone()));
    }
    assert!(texts.len() > 300);
    for text in texts {
        let mut found = Diagnostics::default();
        let tree = parse(&text, FileId(0), &mut found);
        if found.has_errors() {
            continue;
        }
        let once = format(&text, FileId(0)).unwrap_or_else(|f| panic!("{f:?}\n{text}"));
        assert_eq!(parse(&once, FileId(0), &mut found), tree, "{once}");
        let twice = format(&once, FileId(0)).unwrap_or_else(|f| panic!("{f:?}\n{once}"));
        assert_eq!(once, twice);
    }
}

/// The file of the language's first page: what `rewardc demo` shows and every user reads first.
#[test]
fn the_main_feed_keeps_its_meaning() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("rewards/short_video/main_feed.reward");
    let checked = checked(&path);
    let report = rewardc::check::report(checked.program.as_ref().unwrap());
    assert!(report.theorems.iter().all(|t| t.holds));
    // engagement in [-1, 1], watching in 0.5 · [0, 3], newcomer in [0, 0.2]; a gate takes only gains.
    assert_eq!((report.reward.lo, report.cost.lo, report.cost.hi), (-1.0, -4.0, 0.0));
    assert!((report.reward.hi - 2.7).abs() < 1e-6);
}

/// The reward id follows the meaning and nothing else (R8.4).
#[test]
fn the_reward_id_follows_the_meaning() {
    let id = |text: &str| {
        let schema = "schema: t\nfeatures:\n  x: {scale: number, range: [0, 1]}\n  y: {scale: number, range: [0, 1]}\n";
        let files = rewardc::source::MemoryFiles::default().with("s.yaml", schema);
        let head = "language 1\nscenario a.b\nversion 1\nschema \"s.yaml\"\n";
        let checked = check("f.reward", &format!("{head}{text}"), &files, &Options::default());
        checked.program.unwrap_or_else(|| panic!("{}", short(&checked.diagnostics, &checked.sources))).reward_id()
    };
    let plain = id("preference { term t = x + 1 }");
    assert_eq!(
        plain,
        id("// words\npreference {\n\n    term t = (x) + 1 // more\n}\ntest \"n\" { group of 1 { item { x: 1 } } }")
    );
    assert_eq!(plain, id("let unused = y * 2\npreference { term t = x + 1 }"));
    assert_eq!(id("let a = x + 1 preference { term t = a }"), id("let b = x + 1 preference { term t = b }"));
    assert_ne!(plain, id("preference { term t = x + 2 }"));
    assert_ne!(plain, id("preference { term t = y + 1 }"));
    assert_ne!(plain, id("preference { term u = x + 1 }"));
    assert_ne!(
        id("param p = 0.5 in 0..1 preference { term t = x + p }"),
        id("param p = 0.25 in 0..1 preference { term t = x + p }")
    );
    let shared = id("let a = x * 3 preference { term t = a + a }");
    assert_ne!(shared, id("let a = x * 3 preference { term t = a + x }"));
}
