//! Rules of the house that a test can hold.

use crate::corpus::files;

#[test]
fn files_stay_small() {
    for path in files("src", "rs") {
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 500, "{} has {lines} lines: one idea a file", path.display());
    }
}

#[test]
fn every_source_file_says_what_it_is() {
    for path in files("src", "rs") {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//!"), "{} has no first line of its own", path.display());
    }
}

/// Lower rooms do not know the upper ones (docs/ARCHITECTURE.md).
#[test]
fn rooms_look_down_only() {
    let forbidden: [(&str, &[&str]); 12] = [
        (
            "source",
            &[
                "diagnostic",
                "types",
                "syntax",
                "schema",
                "builtins",
                "program",
                "check",
                "eval",
                "testing",
                "report",
                "data",
                "cli",
            ],
        ),
        (
            "diagnostic",
            &["types", "syntax", "schema", "builtins", "program", "check", "eval", "testing", "report", "data", "cli"],
        ),
        ("types", &["syntax", "schema", "builtins", "program", "check", "eval", "testing", "report", "data", "cli"]),
        ("syntax", &["schema", "builtins", "program", "check", "eval", "testing", "report", "data", "cli"]),
        ("schema", &["syntax", "builtins", "program", "check", "eval", "testing", "report", "data", "cli"]),
        ("builtins", &["syntax", "schema", "program", "check", "eval", "testing", "report", "data", "cli"]),
        ("program", &["check", "eval", "testing", "report", "data", "cli"]),
        ("eval", &["syntax", "testing", "report", "data", "cli"]),
        ("check", &["eval", "testing", "report", "data", "cli"]),
        ("testing", &["data", "cli"]),
        ("report", &["data", "cli"]),
        ("data", &["syntax", "testing", "cli"]),
    ];
    for (room, upper) in forbidden {
        for path in files(&format!("src/{room}"), "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            for word in upper {
                assert!(!text.contains(&format!("crate::{word}")), "{} knows of `{word}`", path.display());
            }
        }
    }
}
