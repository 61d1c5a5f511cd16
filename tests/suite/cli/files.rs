//! Names and files that other files name.

use super::{CLICK, Desk, HEAD, term};

#[test]
fn a_name_declared_twice_is_refused() {
    for text in ["let a = 1\nlet a = 2\n", "let p_click = 1\n", "param click = 1 in 0..2\n"] {
        Desk::with(&format!("{text}{CLICK}")).refused(&["check", "x.reward"], 1, "RW0202");
    }
}

#[test]
fn an_output_name_as_a_let_is_named_as_such() {
    Desk::with(&format!("let reward = 1\n{CLICK}")).refused(&["check", "x.reward"], 1, "RW0204");
}

#[test]
fn a_circle_of_uses_is_refused() {
    let desk = Desk::with(&format!("{CLICK}use \"a.reward\"\n"))
        .put("a.reward", "use \"b.reward\"\n")
        .put("b.reward", "use \"a.reward\"\n");
    desk.refused(&["check", "x.reward"], 1, "RW0205").says("a.reward uses b.reward uses a.reward");
    desk.change("b.reward", "use \"x.reward\"\n");
    desk.refused(&["check", "x.reward"], 1, "RW0205");
    desk.change("a.reward", "use \"./a.reward\"\n");
    desk.refused(&["check", "x.reward"], 1, "RW0205");
}

#[test]
#[cfg(unix)]
fn a_circle_through_a_link_is_only_a_circle() {
    let desk = Desk::with(&format!("{CLICK}use \"a.reward\"\n")).put("a.reward", "let z = 1\nuse \"b.reward\"\n");
    std::os::unix::fs::symlink("a.reward", desk.path("b.reward")).unwrap();
    desk.refused(&["check", "x.reward"], 1, "RW0205").never_says("RW0202");
}

#[test]
fn a_long_chain_of_uses_is_not_called_a_circle() {
    let mut desk = Desk::with(&format!("{CLICK}use \"u0.reward\"\n")).put("u100.reward", "let q = 1\n");
    for i in 0..100 {
        desk = desk.put(&format!("u{i}.reward"), format!("use \"u{}.reward\"\n", i + 1));
    }
    desk.refused(&["check", "x.reward"], 1, "RW0102").never_says("circle");
}

#[test]
fn paths_do_not_leave_the_project() {
    let outside = ["../../../etc/passwd", "/etc/passwd", "../../../nothing.here"];
    for path in outside {
        let head = HEAD.replace("toy.yaml", path);
        let texts = [
            format!("{head}{CLICK}"),
            format!("{HEAD}{CLICK}use \"{path}\"\n"),
            format!("{HEAD}table t from \"{path}\" (author) -> b\n{CLICK}"),
            format!("{HEAD}list l of author from \"{path}\"\n{CLICK}"),
        ];
        for text in texts {
            Desk::new().put("x.reward", text).refused(&["check", "x.reward"], 1, "RW0804").never_says("root:");
        }
    }
}

#[test]
#[cfg(unix)]
fn links_do_not_leave_the_project() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.yaml"), "secret: 1\n").unwrap();
    let desk = Desk::new()
        .put("x.reward", format!("{}{CLICK}", HEAD.replace("toy.yaml", "link.yaml")))
        .put("y.reward", format!("{}{CLICK}", HEAD.replace("toy.yaml", "folder/secret.yaml")))
        .put("z.reward", format!("{}{CLICK}", HEAD.replace("toy.yaml", "inside.yaml")));
    std::os::unix::fs::symlink(outside.path().join("secret.yaml"), desk.path("link.yaml")).unwrap();
    std::os::unix::fs::symlink(outside.path(), desk.path("folder")).unwrap();
    std::os::unix::fs::symlink("toy.yaml", desk.path("inside.yaml")).unwrap();
    desk.refused(&["check", "x.reward"], 1, "RW0804").never_says("secret: 1");
    desk.refused(&["check", "y.reward"], 1, "RW0804");
    desk.fine(&["check", "z.reward"]);
}

#[test]
#[cfg(unix)]
fn a_link_out_of_the_project_does_not_tell_whether_its_target_exists() {
    let desk = Desk::new().put("x.reward", format!("{}{CLICK}", HEAD.replace("toy.yaml", "link.yaml")));
    std::os::unix::fs::symlink("/nothing/here.yaml", desk.path("link.yaml")).unwrap();
    desk.refused(&["check", "x.reward"], 1, "RW0804");
}

#[test]
#[cfg(unix)]
fn a_link_to_itself_is_refused() {
    let desk = Desk::new().put("x.reward", format!("{}{CLICK}", HEAD.replace("toy.yaml", "link.yaml")));
    std::os::unix::fs::symlink("link.yaml", desk.path("link.yaml")).unwrap();
    desk.refused(&["check", "x.reward"], 1, "RW0801");
}

#[test]
fn a_schema_that_cannot_be_read_is_a_finding() {
    for path in ["", ".", "nothing.yaml", "..\\\\toy.yaml", "a\\nb.yaml"] {
        let desk = Desk::new().put("x.reward", format!("{}{CLICK}", HEAD.replace("toy.yaml", path)));
        desk.refused(&["check", "x.reward"], 1, "RW0");
        desk.refused(&["test", "x.reward"], 1, "RW0");
    }
}

#[test]
fn a_table_with_a_repeated_key_is_refused() {
    let desk = Desk::with(&format!("table boost from \"t.csv\" (author) -> b\n{}", term("boost(author) ?? 0")));
    for table in ["author,b\na1,1\na1,2\n", "author,b\na1,\n a1 ,2\n", "author,b\n作者,1\n作者,2\n"] {
        desk.change("t.csv", table);
        desk.refused(&["check", "x.reward"], 1, "RW0321").says("line 3").says("stands twice");
    }
}

#[test]
fn a_table_that_breaks_its_contract_is_refused() {
    let desk = Desk::with(&format!("table boost from \"t.csv\" (author) -> b\n{}", term("boost(author) ?? 0")));
    for table in [
        "",
        "author,c\na1,1\n",
        "author,b\na1\n",
        "author,b\na1,1,2\n",
        "author,b\na1,NaN\n",
        "author,b\na1,inf\n",
        "author,b\na1,high\n",
        "author,b\n\"a1,1\n",
    ] {
        desk.change("t.csv", table);
        desk.refused(&["check", "x.reward"], 1, "RW0321");
    }
    std::fs::remove_file(desk.path("t.csv")).unwrap();
    desk.refused(&["check", "x.reward"], 1, "RW0801");
    std::fs::create_dir(desk.path("t.csv")).unwrap();
    desk.refused(&["check", "x.reward"], 1, "RW0801");
}

#[test]
fn a_table_whose_header_names_a_column_twice_is_refused() {
    let desk = Desk::with(&format!("table boost from \"t.csv\" (author) -> b\n{}", term("boost(author) ?? 0")));
    desk.change("t.csv", "author,b,b\na1,1,2\n");
    desk.refused(&["check", "x.reward"], 1, "RW0321");
}

#[test]
fn a_list_file_without_its_header_loses_no_id() {
    let desk = Desk::with(&format!("list good of author from \"l.csv\"\n{}", term("if author in good then 1 else 0")));
    desk.change("l.csv", "author\na1\n");
    desk.fine(&["check", "x.reward"]);
    desk.change("l.csv", "a1\na2\n");
    desk.refused(&["check", "x.reward"], 1, "RW0321");
}
