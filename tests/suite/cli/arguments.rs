//! Arguments, files that are not there.

use super::{CLICK, Desk, term};

#[test]
fn faults_of_the_command_line_have_a_code() {
    let desk = Desk::with(CLICK);
    for args in [
        &["chek", "x.reward"][..],
        &["check"],
        &["check", ""],
        &["check", "--formt", "json", "x.reward"],
        &["check", "--format", "xml", "x.reward"],
        &["check", "--deny", "errors", "x.reward"],
        &["--color", "pink", "check", "x.reward"],
        &["explain", "RW9999"],
        &["explain", ""],
        &["why", "x.reward", "--data", "."],
        &["why", "x.reward", "--data", ".", "--row", "x"],
        &["why", "x.reward", "--data", ".", "--row", "-1"],
        &["score", "x.reward", "--data", ".", "--seed", "99999999999999999999999"],
        &["score", "x.reward", "--data", ".", "--host", "mars"],
    ] {
        desk.refused(args, 2, "RW0809");
    }
}

#[test]
fn a_negative_number_is_not_taken_for_an_option() {
    let desk = Desk::with(CLICK);
    desk.refused(&["score", "x.reward", "--data", ".", "--seed", "-1"], 2, "RW0809").never_says("-- -1");
    desk.refused(&["why", "x.reward", "--data", ".", "--row", "-1"], 2, "RW0809").never_says("-- -1");
}

#[test]
fn help_and_version_are_no_faults() {
    let desk = Desk::new();
    desk.fine(&["--help"]);
    desk.fine(&["--version"]).says(env!("CARGO_PKG_VERSION"));
    desk.fine(&["help", "score"]);
}

#[test]
fn files_that_are_not_there_are_named() {
    let desk = Desk::with(CLICK);
    std::fs::create_dir(desk.path("folder")).unwrap();
    for name in ["nothing.reward", "folder"] {
        desk.refused(&["check", name], 2, "RW0801").says(name);
        desk.refused(&["fmt", name], 2, "RW0801").says(name);
    }
    desk.refused(&["test", "nothing"], 2, "RW0801").says("nothing");
    desk.refused(&["test", "folder"], 2, "RW0809");
}

#[test]
fn a_file_that_is_not_there_does_not_hide_the_next() {
    let desk = Desk::with(CLICK);
    desk.refused(&["check", "nothing.reward", "x.reward"], 2, "RW0801").says("toy.feed@1");
    desk.refused(&["test", "x.reward", "nothing.reward"], 2, "RW0801");
}

#[test]
fn a_test_run_with_an_unreadable_file_is_not_ok() {
    let desk = Desk::with(CLICK).put("y.reward", b"\xff");
    desk.refused(&["test"], 2, "RW0802").never_says("ok: 0 passed");
}

#[test]
fn json_is_one_document_with_every_code() {
    let desk = Desk::with(&term("p_clik")).put("y.reward", b"\xff");
    let said = desk.refused(&["check", "--format", "json", "x.reward", "y.reward", "nothing"], 2, "RW0801");
    assert_eq!(said.json().as_array().unwrap().len(), 3);
    for code in ["RW0201", "RW0802", "RW0801"] {
        assert!(said.out.contains(code), "{}", said.shown());
    }
}

#[test]
fn json_of_tests_holds_unreadable_files_too() {
    let desk = Desk::with(CLICK).put("y.reward", b"\xff");
    let said = desk.refused(&["test", "--format", "json", "x.reward", "y.reward"], 2, "RW0802");
    assert_eq!(said.json().as_array().unwrap().len(), 2);
}

#[test]
#[cfg(unix)]
fn tests_are_found_without_following_links_in_circles() {
    let desk = Desk::with(CLICK);
    std::fs::create_dir_all(desk.path("a/target")).unwrap();
    std::fs::create_dir_all(desk.path("a/.hidden")).unwrap();
    desk.change("a/target/bad.reward", "(");
    desk.change("a/.hidden/bad.reward", "(");
    std::os::unix::fs::symlink("..", desk.path("a/up")).unwrap();
    desk.fine(&["test"]).says("in 1 file");
}
