//! What a text is written in.

use super::{CLICK, Desk, HEAD, SCHEMA, reward_id, term};

#[test]
fn a_text_that_is_not_utf8_is_refused() {
    for bytes in [&b"// caf\xe9\n"[..], &b"\xff\xfe"[..], &b"l\0a\0n\0"[..]] {
        let desk = Desk::new().put("x.reward", [bytes, HEAD.as_bytes(), CLICK.as_bytes()].concat());
        for command in ["check", "fmt", "test"] {
            desk.refused(&[command, "x.reward"], 2, "RW080");
        }
    }
    Desk::new().run_with_input(&["fmt", "-"], b"let a = 1 // \xe9\n").ends(2, "RW0802");
}

#[test]
fn a_named_file_that_is_not_utf8_is_a_finding() {
    Desk::with(CLICK).put("toy.yaml", b"schema: toy\xff\n").refused(&["check", "x.reward"], 1, "RW0802");
    let desk = Desk::with(&format!("use \"a.reward\"\n{CLICK}")).put("a.reward", b"\xff\xfe");
    desk.refused(&["check", "x.reward"], 1, "RW0802");
    let table = format!("table boost from \"t.csv\" (author) -> b\n{}", term("boost(author) ?? 0"));
    Desk::with(&table).put("t.csv", b"author,b\na\xff,1\n").refused(&["check", "x.reward"], 1, "RW0802");
}

#[test]
fn line_ends_and_byte_order_marks_change_nothing() {
    let text = format!("{HEAD}// One.\n{CLICK}");
    let desk = Desk::new()
        .put("plain.reward", &text)
        .put("crlf.reward", text.replace('\n', "\r\n"))
        .put("bom.reward", format!("\u{feff}{text}"));
    let plain = reward_id(&desk, "plain.reward");
    for file in ["crlf.reward", "bom.reward"] {
        assert_eq!(reward_id(&desk, file), plain);
    }
    desk.fine(&["fmt", "plain.reward", "crlf.reward", "bom.reward"]);
    for file in ["crlf.reward", "bom.reward"] {
        assert_eq!(desk.text(file), desk.text("plain.reward"));
    }
    desk.change("toy.yaml", format!("\u{feff}{}", SCHEMA.replace('\n', "\r\n")));
    assert_eq!(reward_id(&desk, "plain.reward"), plain);
}

#[test]
fn a_lone_carriage_return_hides_nothing_behind_a_comment() {
    let desk = Desk::with(&format!("{CLICK}// One.\rlet hidden = nowhere\n"));
    desk.refused(&["check", "x.reward"], 1, "RW");
}

#[test]
fn chinese_stands_in_texts_and_comments() {
    let text = "// 好的推荐\npreference {\n    // 喜欢\n    term a = p_click // 点击率\n}\n\
                test \"推荐：点击\" {\n    slate of 1 { item { p_click: 50%, author: \"作者一\" } }\n    expect a == [0.5]\n}\n";
    let desk = Desk::with(text);
    desk.fine(&["check", "x.reward"]);
    desk.fine(&["test", "x.reward"]).says("推荐：点击").says("1 passed");
    desk.fine(&["fmt", "x.reward"]);
    for words in ["// 好的推荐", "// 点击率", "\"推荐：点击\"", "\"作者一\""] {
        assert!(desk.text("x.reward").contains(words));
    }
}

#[test]
fn chinese_in_a_name_is_refused_at_its_place() {
    let desk = Desk::with("// 喜欢喜欢\nlet 喜欢 = p_click\npreference { term a = p_click }\n");
    desk.refused(&["check", "--format", "short", "x.reward"], 1, "RW0101").says("x.reward:7:5");
    desk.refused(&["check", "x.reward"], 1, "RW0101").says("other scripts are welcome in texts and comments");
}

#[test]
fn a_place_behind_chinese_counts_characters() {
    let test = "test \"点击\" { slate of 1 { item { p_clik: 50% } } expect click == [0.5] }\n";
    let desk = Desk::with(&format!("{test}{CLICK}"));
    desk.refused(&["check", "--format", "short", "x.reward"], 1, "RW").says("x.reward:6:33");
}

#[test]
fn control_characters_never_reach_the_terminal() {
    for text in [
        "preference { term a = p_click + \u{1b}[31mred }\n",
        "preference { term a = p_click }\ntest \"\u{1b}[2J\" { slate of 1 { item { p_click: 50% } } expect a == [0.25] }\n",
        "preference { term a = p_click } // \u{1b}]0;title\u{7}\n let b = c\n",
    ] {
        let desk = Desk::with(text);
        for command in ["check", "test", "fmt"] {
            let said = desk.run(&[command, "x.reward"]);
            assert!(!said.all().contains(['\u{1b}', '\u{7}']), "{}", said.shown());
        }
    }
    Desk::with(CLICK).refused(&["explain", "\u{1b}[31m"], 2, "RW0809");
}

#[test]
fn empty_texts_are_refused() {
    for text in ["", " \n\t\n", "// nothing\n", "@@ %% ((\n"] {
        let desk = Desk::new().put("x.reward", text);
        desk.refused(&["check", "x.reward"], 1, "RW0110");
        desk.refused(&["test", "x.reward"], 1, "RW0110");
    }
}
