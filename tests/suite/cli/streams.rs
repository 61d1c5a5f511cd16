//! Where the words go.

use super::{CLICK, Desk, Said, term};

#[test]
#[cfg(unix)]
fn a_reader_that_goes_away_is_no_fault() {
    let desk = Desk::with(CLICK);
    for args in [&["explain"][..], &["check", "x.reward"], &["check", "--format", "json", "x.reward"], &["test"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = desk.command(args).stdout(writer).output().unwrap();
        Said::of(output).ends(0, "");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_standard_output_is_told() {
    let desk = Desk::with(CLICK);
    for args in [&["explain"][..], &["check", "x.reward"], &["test"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        Said::of(desk.command(args).stdout(full).output().unwrap()).ends(2, "RW0805");
    }
}

#[test]
fn any_width_of_the_terminal_will_do() {
    let desk = Desk::with(&term("p_clik"));
    for width in ["0", "1", "99999999999999999999", "-5", "wide"] {
        Said::of(desk.command(&["check", "x.reward"]).env("COLUMNS", width).output().unwrap()).ends(1, "RW0201");
    }
}

#[test]
#[cfg(not(feature = "data"))]
fn commands_of_data_say_that_they_are_not_built_in() {
    let desk = Desk::with(CLICK);
    for args in [
        &["score", "x.reward", "--data", "."][..],
        &["why", "x.reward", "--data", ".", "--row", "1"],
        &["schema", "check", "toy.yaml"],
        &["demo"],
    ] {
        desk.refused(args, 2, "RW0812");
    }
}
