//! Writing.

use std::process::Stdio;

use super::{SCORE, desk, long_log};
use crate::cli::{CLICK, Desk, Said};

#[test]
fn an_output_that_cannot_be_written_leaves_nothing() {
    let desk = desk();
    std::fs::create_dir_all(desk.path("folder.parquet")).unwrap();
    std::fs::create_dir_all(desk.path("scores.csv.meta.json")).unwrap();
    for (out, code) in [
        ("out.xlsx", "RW0809"),
        ("out", "RW0809"),
        (".", "RW0809"),
        ("nowhere/out.csv", "RW0805"),
        ("log.csv/out.csv", "RW0805"),
        ("folder.parquet", "RW0805"),
        ("scores.csv", "RW0805"),
        (&format!("{}.csv", "a".repeat(300)), "RW0805"),
    ] {
        desk.refused(&["score", "x.reward", "--data", ".", "--out", out], 2, code);
    }
    let said = desk.refused(&["score", "x.reward", "--data", ".", "--out", "nowhere/out.csv"], 2, "RW0805");
    said.says("nowhere").never_says(".tmp").never_says("os error");
}

#[test]
fn an_output_is_never_one_of_the_inputs() {
    let desk = desk().put("catalog.csv", "item_id,sid\n1,1|2\n");
    let catalog = ["--catalog", "catalog.csv"];
    for out in ["log.csv", "./log.csv", "items.csv", "catalog.csv"] {
        let args = [&["score", "x.reward", "--data", ".", "--out", out][..], &catalog].concat();
        desk.refused(&args, 2, "RW0809");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("log.csv", desk.path("link.csv")).unwrap();
        desk.refused(&["score", "x.reward", "--data", ".", "--out", "link.csv"], 2, "RW0809");
    }
}

#[test]
fn scores_that_cannot_be_written_leave_no_description() {
    let desk = desk();
    std::fs::create_dir(desk.path("out.csv")).unwrap();
    desk.refused(SCORE, 2, "RW0805");
}

#[test]
#[cfg(unix)]
fn an_output_that_is_no_plain_file_stays_what_it_is() {
    use std::os::unix::fs::FileTypeExt;
    let desk = desk();
    let made = std::process::Command::new("mkfifo").arg(desk.path("pipe.parquet")).status().unwrap();
    assert!(made.success());
    desk.refused(&["score", "x.reward", "--data", ".", "--out", "pipe.parquet"], 2, "RW0805");
    assert!(std::fs::metadata(desk.path("pipe.parquet")).unwrap().file_type().is_fifo());
}

#[test]
#[cfg(unix)]
fn an_output_that_is_replaced_keeps_its_permissions_and_its_link() {
    use std::os::unix::fs::PermissionsExt;
    let desk = desk().put("real.csv", "old");
    std::fs::set_permissions(desk.path("real.csv"), PermissionsExt::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink("real.csv", desk.path("out.csv")).unwrap();
    desk.fine(SCORE);
    assert!(desk.path("out.csv").is_symlink());
    assert!(desk.text("real.csv").starts_with("request_id,"));
    assert_eq!(std::fs::metadata(desk.path("real.csv")).unwrap().permissions().mode() & 0o777, 0o600);
}

/// A limit on the length of files stands for a disk that is full.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_leaves_the_old_scores_and_what_describes_them() {
    let desk = desk().put("log.csv", long_log()).put("out.csv", "old").put("out.csv.meta.json", "old");
    let before = desk.files();
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"";
    let output = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_rewardc")])
        .args(SCORE)
        .current_dir(desk.folder.path())
        .output()
        .unwrap();
    Said::of(output).ends(2, "RW0805");
    assert!(before == desk.files());
}

/// Runs `score` on a long log, and sends a signal as soon as a file is being written.
#[cfg(unix)]
fn stopped_while_writing(desk: &Desk, signal: &str) -> std::process::Output {
    let mut child = desk.command(SCORE).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let writes = || desk.files().keys().any(|f| f.extension().is_some_and(|e| e == "tmp"));
    while child.try_wait().unwrap().is_none() && !writes() {}
    // The process may have ended by itself.
    let _ = std::process::Command::new("kill").args([signal, &child.id().to_string()]).output();
    child.wait_with_output().unwrap()
}

#[cfg(unix)]
fn old_or_whole(desk: &Desk) {
    let text = desk.text("out.csv");
    assert!(text == "old" || text.lines().count() == 20_001, "{} lines", text.lines().count());
}

#[test]
#[cfg(unix)]
fn an_interrupt_while_writing_leaves_nothing_half_written() {
    for signal in ["-INT", "-TERM"] {
        let desk = desk().put("log.csv", long_log()).put("out.csv", "old");
        let output = stopped_while_writing(&desk, signal);
        old_or_whole(&desk);
        assert!(!desk.files().keys().any(|f| f.extension().is_some_and(|e| e == "tmp")));
        if output.status.code() != Some(0) {
            Said::of(output).ends(130, "RW0808");
        }
    }
}

#[test]
#[cfg(unix)]
fn a_run_that_is_killed_while_writing_leaves_the_old_file_whole() {
    let desk = desk().put("log.csv", long_log()).put("out.csv", "old");
    stopped_while_writing(&desk, "-KILL");
    old_or_whole(&desk);
}

#[test]
#[cfg(unix)]
fn an_interrupt_before_writing_is_told_too() {
    let desk = desk().put("log.csv", long_log());
    let child = desk.command(SCORE).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(100));
    let _ = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).output();
    let output = child.wait_with_output().unwrap();
    if output.status.code() != Some(0) {
        Said::of(output).ends(130, "RW0808");
    }
}

#[test]
#[cfg(unix)]
fn a_reader_of_scores_that_goes_away_is_no_fault() {
    let desk = desk();
    for args in [SCORE, &["why", "x.reward", "--data", ".", "--row", "1"], &["schema", "check", "toy.yaml"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Said::of(desk.command(args).stdout(writer).output().unwrap()).ends(0, "");
    }
}

#[test]
fn the_same_run_writes_the_same_bytes() {
    let desk = desk();
    desk.fine(SCORE);
    let first = desk.files();
    desk.fine(SCORE);
    assert!(first == desk.files());
}

#[test]
fn a_second_demo_keeps_what_was_changed() {
    let desk = Desk::new();
    desk.fine(&["demo", "--dir", "d"]);
    let changed = desk.text("d/main_feed.reward") + "// Mine.\n";
    desk.change("d/main_feed.reward", &changed);
    let said = desk.run(&["demo", "--dir", "d"]);
    assert_eq!(desk.text("d/main_feed.reward"), changed, "{}", said.shown());
}

#[test]
fn a_demo_where_a_file_stands_is_refused() {
    Desk::with(CLICK).refused(&["demo", "--dir", "x.reward"], 2, "RW0805");
}
