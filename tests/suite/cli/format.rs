//! The formatter.

use super::Desk;

#[test]
fn a_file_with_faults_is_left_as_it_is_and_the_reason_is_said() {
    let desk = Desk::with("let a =\nlet   b = 1\n");
    desk.refused(&["fmt", "x.reward"], 1, "RW0101").says("RW0810").says("has faults and is left as it is");
    desk.refused(&["fmt", "--check", "x.reward"], 1, "RW0810");
}

#[test]
fn one_faulty_file_does_not_keep_the_others_from_being_formatted() {
    let desk =
        Desk::new().put("a.reward", "let   a = 1\n").put("b.reward", "let b =\n").put("c.reward", "let   c = 1\n");
    desk.run(&["fmt", "a.reward", "b.reward", "nothing", "c.reward"]).ends(2, "RW0801").says("RW0810");
    assert_eq!(
        [desk.text("a.reward"), desk.text("b.reward"), desk.text("c.reward")],
        ["let a = 1\n", "let b =\n", "let c = 1\n"]
    );
}

#[test]
fn what_is_not_formatted_is_said_and_left() {
    let desk = Desk::new().put("a.reward", "let   a = 1\n").put("b.reward", "let b = 1\n");
    desk.refused(&["fmt", "--check", "a.reward", "b.reward"], 1, "RW0811").says("a.reward").never_says("b.reward");
    desk.run_with_input(&["fmt", "--check", "-"], b"let   a = 1\n").ends(1, "RW0811");
    desk.run_with_input(&["fmt", "--check", "a.reward", "-"], b"let a = 1\n").ends(1, "RW0811").says("a.reward");
}

#[test]
fn formatting_standard_input_writes_only_sound_text() {
    let desk = Desk::new();
    assert_eq!(desk.run_with_input(&["fmt"], b"let   a = 1\n").ends(0, "").out, "let a = 1\n");
    assert_eq!(desk.run_with_input(&["fmt", "-"], b"let a =\n").ends(1, "RW0810").out, "");
}

#[test]
#[cfg(unix)]
fn formatting_keeps_permissions_and_follows_links() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new().put("a.reward", "let   a = 1\n");
    std::fs::set_permissions(desk.path("a.reward"), PermissionsExt::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink("a.reward", desk.path("link.reward")).unwrap();
    desk.fine(&["fmt", "link.reward"]);
    assert_eq!(desk.text("a.reward"), "let a = 1\n");
    assert!(desk.path("link.reward").is_symlink());
    assert_eq!(std::fs::metadata(desk.path("a.reward")).unwrap().permissions().mode() & 0o777, 0o600);
}

/// Found by fuzzing: the word is a name here, not the beginning of a declaration.
#[test]
fn a_name_that_is_a_word_of_the_language_stays_where_it_is() {
    let said = Desk::new().run_with_input(&["fmt", "-"], b"preference {\n    term reward   = x\n}\nreward = kept\n");
    assert_eq!(said.ends(0, "").out, "preference {\n    term reward = x\n}\nreward = kept\n");
}

/// Found by fuzzing: without the blank line the comment would become the term's description.
#[test]
fn a_comment_that_stands_by_itself_keeps_its_distance() {
    let text = "preference {\n    // By itself.\n\n    term a = x\n}\n";
    assert_eq!(Desk::new().run_with_input(&["fmt", "-"], text.as_bytes()).ends(0, "").out, text);
}
