//! Nesting, length, size.

use super::{CLICK, Desk, HEAD, term};

#[test]
fn nesting_without_end_is_refused_by_every_command() {
    let n = 100_000;
    let texts = [
        format!("{}p_click{}", "(".repeat(n), ")".repeat(n)),
        format!("{}p_click{}", "[".repeat(n), "]".repeat(n)),
        "(".repeat(n),
        format!("{}1{}", "if a then ".repeat(n / 2), " else 0".repeat(n / 2)),
        format!("{}1{}", "if a then 1 else (".repeat(n / 2), ")".repeat(n / 2)),
        format!("{}p_click", "-".repeat(2 * n)),
        format!("if {}is_ad then 1 else 0", "not ".repeat(n)),
        format!("{}p_click{}", "abs(".repeat(n), ")".repeat(n)),
        format!("{}1{}", "match author { else -> ".repeat(n / 5), "}".repeat(n / 5)),
    ];
    for text in texts {
        let desk = Desk::with(&term(&text));
        desk.refused(&["check", "x.reward"], 1, "RW0102").says("nested more than 64 deep");
        desk.refused(&["test", "x.reward"], 1, "RW0102");
        desk.refused(&["fmt", "x.reward"], 1, "RW0102").says("RW0810");
    }
}

#[test]
fn a_chain_of_fallbacks_without_end_is_refused() {
    Desk::with(&term(&format!("a{}", " ?? a".repeat(50_000)))).refused(&["check", "x.reward"], 1, "RW0102");
}

#[test]
fn chains_of_operators_are_refused_past_their_depth() {
    for operator in [" + p_click", " * p_click", " ?? p_click"] {
        let desk = Desk::with(&term(&format!("p_click{}", operator.repeat(1_000))));
        desk.refused(&["check", "x.reward"], 1, "RW0102");
        desk.refused(&["fmt", "x.reward"], 1, "RW0102");
    }
}

#[test]
fn blocks_that_open_or_close_without_end_are_refused() {
    for text in ["preference {\n".repeat(2_000), "}\n".repeat(2_000)] {
        let desk = Desk::with(&text);
        desk.refused(&["check", "x.reward"], 1, "RW0109");
        desk.refused(&["fmt", "x.reward"], 1, "RW0810");
    }
}

#[test]
fn five_thousand_else_ifs_are_fine() {
    let chain = "else if p_click > 0.5 then 1 ".repeat(5_000);
    Desk::with(&term(&format!("if is_ad then 0 {chain}else 1"))).fine(&["check", "x.reward"]);
}

#[test]
fn a_match_with_a_thousand_arms_is_fine() {
    let arms = (0..1_000).map(|i| format!("{i} -> 0.5, ")).collect::<String>();
    Desk::with(&term(&format!("match plays ?? 0 {{ {arms}else -> 0 }}"))).fine(&["check", "x.reward"]);
}

#[test]
fn a_long_chain_of_lets_is_fine_in_either_order() {
    let n = 5_000;
    let mut lets = (1..n).map(|i| format!("let a{i} = a{}\n", i - 1)).collect::<Vec<_>>();
    lets.insert(0, "let a0 = p_click\n".into());
    let last = term(&format!("a{}", n - 1));
    Desk::with(&format!("{}{last}", lets.concat())).fine(&["check", "x.reward"]);
    lets.reverse();
    Desk::with(&format!("{}{last}", lets.concat())).fine(&["check", "x.reward"]);
}

#[test]
fn a_circle_of_ten_thousand_lets_is_told_in_short() {
    let n = 10_000;
    let lets = (0..n).map(|i| format!("let a{i} = a{}\n", (i + 1) % n)).collect::<String>();
    let said = Desk::with(&format!("{lets}{}", term("a0"))).refused(&["check", "x.reward"], 1, "RW0205");
    assert!(said.all().len() < 5_000, "{}", said.shown());
}

#[test]
fn a_mebibyte_of_declarations_is_read() {
    let filler = "1".repeat(80);
    let text = (0..10_000).map(|i| format!("let a{i} = 0.{filler}\n")).collect::<String>();
    assert!(text.len() > 900_000);
    Desk::with(&format!("{text}{CLICK}")).fine(&["check", "x.reward"]);
}

#[test]
fn functions_that_double_sixty_times_are_refused() {
    let fns = (1..60).map(|i| format!("fn f{i}(x: number) = f{0}(x) + f{0}(x)\n", i - 1)).collect::<String>();
    let fns = format!("fn f0(x: number) = x + x\n{fns}");
    Desk::with(&format!("{fns}{}", term("f59(p_click)"))).refused(&["check", "x.reward"], 1, "RW0320");
    Desk::with(&format!("{fns}{CLICK}")).fine(&["check", "x.reward"]);
}

#[test]
fn functions_that_call_themselves_are_refused() {
    for fns in ["fn f(x: number) = f(x)\n", "fn f(x: number) = g(x)\nfn g(x: number) = f(x)\n"] {
        Desk::with(&format!("{fns}{}", term("f(p_click)"))).refused(&["check", "x.reward"], 1, "RW0205");
    }
}

#[test]
fn a_file_of_fifty_megabytes_is_refused_unread() {
    let desk = Desk::new();
    std::fs::File::create(desk.path("x.reward")).unwrap().set_len(50_000_000).unwrap();
    for command in ["check", "fmt", "test"] {
        desk.refused(&[command, "x.reward"], 2, "RW0803").says("50000000 bytes");
    }
}

#[test]
fn standard_input_past_the_limit_is_refused() {
    Desk::new().run_with_input(&["fmt", "-"], &b"/".repeat(1_100_000)).ends(2, "RW0803");
}

#[test]
fn used_files_have_a_limit_together() {
    let mut desk =
        Desk::with(&format!("{CLICK}{}", (0..9).map(|i| format!("use \"u{i}.reward\"\n")).collect::<String>()));
    for i in 0..9 {
        desk = desk.put(&format!("u{i}.reward"), format!("let u{i} = 1\n//{}\n", "x".repeat(1_000_000)));
    }
    desk.refused(&["check", "x.reward"], 1, "RW0803");
}

#[test]
fn a_fault_in_a_very_long_line_is_shown_in_short() {
    let desk = Desk::with(&term(&format!("p_click + p_clik + {}", "0 * p_click + ".repeat(100) + "1")));
    let said = desk.refused(&["check", "x.reward"], 1, "RW0201").says("did you mean `p_click`?");
    assert!(said.all().len() < 5_000, "{}", said.shown());
}

#[test]
fn names_without_end_are_refused_in_short() {
    let long = "x".repeat(500_000);
    for text in [format!("preference {{ term {long} = p_click }}\n"), term(&long), format!("let {long} = 1\n{CLICK}")] {
        let said = Desk::with(&text).refused(&["check", "x.reward"], 1, "RW");
        assert!(said.all().len() < 20_000, "{} bytes", said.all().len());
    }
}

#[test]
fn numbers_without_end_are_refused() {
    for digits in ["9".repeat(100_000), "1e999999999".into()] {
        Desk::with(&term(&format!("p_click * {digits}"))).refused(&["check", "x.reward"], 1, "RW0111");
    }
    let version = HEAD.replace("version 1", "version 99999999999999999999999");
    Desk::new().put("x.reward", format!("{version}{CLICK}")).refused(&["check", "x.reward"], 1, "RW0111");
}
