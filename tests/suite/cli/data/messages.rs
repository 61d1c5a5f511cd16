//! Every message that needs files, data or a command line, under snapshot as a user sees it.
//!
//! Those of the language alone stand in `pages.rs`. RW0808 needs a signal and RW0812 another build;
//! both have tests of their own, as has the plug-in point (RW09).

use rewardc::diagnostic;

use super::{ITEMS, LOG, SCORE, desk, line, score, with_ndjson};
use crate::cli::{CLICK, Desk, HEAD, SCHEMA, term};

/// A desk with one thing wrong, and the command that meets it.
type Case = (&'static str, Desk, Vec<&'static str>);

fn schema_with(from: &str, to: &str) -> String {
    assert!(SCHEMA.contains(from));
    SCHEMA.replace(from, to)
}

fn of_data() -> Vec<Case> {
    let s = || SCORE.to_vec();
    let depth = format!("{SCHEMA}  depth: {{entity: request, from: pos, scale: count}}\n");
    let logged =
        schema_with("{made: {every: 5, per: request, order: [pos], last: keep_short}}", "{by: [page], position: pos}");
    let without_slates = SCHEMA.lines().filter(|l| !l.contains("slate:")).collect::<Vec<_>>().join("\n");
    let lists = "lists:\n  past: {from: row, features: [item_id, plays]}\n";
    let both = term("count(past.item_id == item_id and past.plays is known over history)");
    let uneven = with_ndjson(&line(", \"past.item_id\": [1, 2], \"past.plays\": [1]"));
    uneven.change("toy.yaml", uneven.text("toy.yaml") + lists);
    uneven.change("x.reward", format!("{HEAD}{both}"));
    let catalog = "catalog: {file: catalog.csv, item: item_id, sid: sid, resolve: first}\nfeatures:\n  sid: {scale: sid, shape: [4, 8]}\n";
    vec![
        ("RW0601", desk().put("log.csv", format!("{LOG}r9,1\n")), s()),
        ("RW0601", desk().put("log.csv", format!("{LOG}r9,1,1,\"0.5\nr9,2,2,0.5\n")), s()),
        ("RW0601", desk().put("toy.yaml", schema_with("log.csv", "logs.csv")), s()),
        ("RW0601", with_ndjson(&(line("") + "{\"item_id\": 1, \"item_id\": 2}\n")), s()),
        ("RW0602", desk().put("log.csv", LOG.replace("p_click", "p_clik")), s()),
        ("RW0603", desk().put("log.csv", LOG.replace("0.25", "high")), s()),
        ("RW0603", with_ndjson(&(line("") + &line("").replace("0.5", "\"high\""))), s()),
        ("RW0604", desk().put("items.csv", format!("{ITEMS}3,0,1,a9\n")), s()),
        (
            "RW0605",
            desk().put("log.csv", LOG.replace("r1,3", "r1,99")),
            vec!["schema", "check", "toy.yaml", "--data", "."],
        ),
        ("RW0606", Desk::with(&term("depth")).put("toy.yaml", depth).put("log.csv", LOG).put("items.csv", ITEMS), s()),
        ("RW0607", desk().put("toy.yaml", without_slates), s()),
        ("RW0608", uneven, s()),
        ("RW0609", desk().put("log.csv", "request_id,item_id,pos,p_click\n"), s()),
        ("RW0610", desk().put("log.csv", LOG.replace("r1,2", ",2")), s()),
        (
            "RW0610",
            desk().put("toy.yaml", logged).put(
                "log.csv",
                LOG.replace("pos", "page,pos")
                    .replace("r1,1,1", "r1,1,p,0")
                    .replace("r1,2,2", "r1,2,p,2")
                    .replace("r1,3,3", "r1,3,p,3")
                    .replace("r2,1,1", "r2,1,q,1"),
            ),
            s(),
        ),
        (
            "RW0611",
            desk()
                .put("toy.yaml", schema_with("features:\n", catalog))
                .put("catalog.csv", "item_id,sid\n1,1|2\n2,9|9\n"),
            s(),
        ),
        ("RW0806", desk(), score(&["--set", "ad_most=1"])),
        ("RW0806", desk(), score(&["--set", "author_mst=3"])),
        (
            "RW0807",
            desk().put("state.json", "{\"caps\": {\"price\": {\"lambda\": \"much\"}}}"),
            score(&["--state", "state.json"]),
        ),
        ("RW0809", desk(), vec!["score", "x.reward", "--data", ".", "--out", "log.csv"]),
        ("RW0809", desk(), vec!["scor", "x.reward"]),
        ("RW0805", desk(), vec!["score", "x.reward", "--data", ".", "--out", "nowhere/out.csv"]),
    ]
}

fn of_files() -> Vec<Case> {
    let check = || vec!["check", "x.reward"];
    let circle = Desk::with(&format!("{CLICK}use \"a.reward\"\n"));
    let expired =
        "preference {\n    allow RW0402 until 2020-01-01 because \"for a while\"\n    term click = p_click\n}\n";
    let list = format!("list good of author from \"l.csv\"\n{}", term("if author in good then 1 else 0"));
    let table = format!("table boost from \"t.csv\" (author) -> b\n{}", term("boost(author) ?? 0"));
    let failing = "test \"wrong\" {\n    group of 1 { item { p_click: 0.5 } }\n    expect click == 0.25\n}\n";
    let unfit = "test \"unfit\" {\n    slate of 3 { item * 2 { p_click: 0.5 } }\n    expect click == 0.5\n}\n";
    vec![
        (
            "RW0205",
            circle.put("a.reward", "let z = 1\nuse \"b.reward\"\n").put("b.reward", "use \"a.reward\"\n"),
            check(),
        ),
        ("RW0321", Desk::with(&list).put("l.csv", "a1\na2\n"), check()),
        ("RW0321", Desk::with(&table).put("t.csv", "author,b\na1,1\na1,2\n"), check()),
        ("RW0414", Desk::with(expired), check()),
        ("RW0701", Desk::with(&format!("{CLICK}{failing}")), vec!["test", "x.reward"]),
        ("RW0702", Desk::with(&format!("{CLICK}{unfit}")), vec!["test", "x.reward"]),
        ("RW0801", Desk::new(), check()),
        ("RW0801", Desk::with(CLICK).put("x.reward", format!("{}{CLICK}", HEAD.replace("toy", "toys"))), check()),
        ("RW0802", Desk::new().put("x.reward", b"term \xff"), check()),
        ("RW0803", Desk::new().put("x.reward", " ".repeat((1 << 20) + 1)), check()),
        (
            "RW0804",
            Desk::new().put("x.reward", format!("{}{CLICK}", HEAD.replace("toy.yaml", "../../etc/passwd"))),
            check(),
        ),
        ("RW0810", Desk::with("let a =\n"), vec!["fmt", "x.reward"]),
        ("RW0811", Desk::with("let   a = 1\n"), vec!["fmt", "--check", "x.reward"]),
    ]
}

#[test]
fn messages_read_as_they_stand() {
    let mut shown = String::new();
    let mut raised = Vec::new();
    for (code, desk, args) in of_files().into_iter().chain(of_data()) {
        let said = desk.run(&args);
        assert!(said.all().contains(code), "{code}: {}", said.shown());
        shown.push_str(&format!("$ rewardc {}\n{}exit {}\n\n", args.join(" "), said.all(), said.exit.unwrap()));
        raised.push(code);
    }
    insta::assert_snapshot!("messages_of_commands", shown);
    let wanted = diagnostic::ALL
        .iter()
        .map(|c| c.id)
        .filter(|c| ("RW06".."RW09").contains(c) || ["RW0205", "RW0321", "RW0414"].contains(c));
    let elsewhere = ["RW0808", "RW0812"];
    let without: Vec<&str> = wanted.filter(|c| !raised.contains(c) && !elsewhere.contains(c)).collect();
    assert!(without.is_empty(), "no message of {without:?} is under snapshot");
}
