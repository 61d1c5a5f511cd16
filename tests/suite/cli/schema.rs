//! Schemas.

use super::{CLICK, Desk, SCHEMA, term};

#[test]
fn yaml_that_grows_or_nests_without_end_is_refused() {
    let bomb = (b'b'..b'v').map(|c| format!("{}: &{0} [*{1},*{1}]\n", c as char, (c - 1) as char)).collect::<String>();
    for yaml in [
        format!("schema: toy\nfeatures: {}{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("schema: toy\nfeatures: {}{}", "{a: ".repeat(100_000), "}".repeat(100_000)),
        format!("{}x\n", "- ".repeat(100_000)),
        format!("schema: toy\n{}", (0..500).map(|i| format!("{}a:\n", "  ".repeat(i))).collect::<String>()),
        format!("a: &a [\"lol\",\"lol\"]\n{bomb}"),
        "a: &a [*a]\n".into(),
        "a: *nowhere\n".into(),
        "schema: &a toy\nfeatures: {p_click: probability}\n".into(),
        format!("{SCHEMA}---\nschema: b\n"),
        "schema: toy\n features: {a: bool}\n".into(),
        String::new(),
    ] {
        Desk::with(CLICK).put("toy.yaml", yaml).refused(&["check", "x.reward"], 1, "RW0501");
    }
}

#[test]
fn a_schema_that_is_no_map_is_refused() {
    for yaml in ["hello\n", "- a\n- b\n", "5\n", "null\n"] {
        Desk::with(CLICK).put("toy.yaml", yaml).refused(&["check", "x.reward"], 1, "RW050");
    }
}

#[test]
fn values_that_a_schema_cannot_take_are_told() {
    for (feature, code) in [
        ("p_click: probabilty", "RW0503"),
        ("p_click: {scale: probability, rnge: [0, 1]}", "RW0502"),
        ("p_click: {scale: probability}, p_click: ratio", "RW0503"),
        ("p_click: {scale: number}", "RW0504"),
        ("p_click: {scale: number, range: [5, 1]}", "RW0322"),
        ("p_click: {scale: number, range: [-.inf, .inf]}", "RW0503"),
        ("p_click: {scale: number, range: [0, 1e300]}", "RW0322"),
        ("p_click: {scale: probability, nullable: maybe}", "RW0503"),
        ("p_click: {scale: probability, from: nowhere.p}", "RW0506"),
        ("p_click: {scale: probability, from: {a: b}}", "RW0503"),
        ("p_click: \"vector(0)\"", "RW0503"),
        ("p_click: \"vector(99999999999999999999)\"", "RW0503"),
        ("s: {scale: sid, shape: [1, 1, 1, 1, 1, 1, 1, 1, 1]}", "RW0503"),
        ("let: bool", "RW0505"),
        ("喜欢: bool", "RW0505"),
        ("{a: b}: bool", "RW05"),
    ] {
        let yaml = format!("schema: toy\nfeatures: {{{feature}}}\n");
        Desk::with(CLICK).put("toy.yaml", yaml).refused(&["check", "x.reward"], 1, code);
    }
}

#[test]
fn keys_of_a_schema_take_no_nonsense() {
    for (from, to) in [
        ("schema: toy", "schema: toy\nversion: -1"),
        ("schema: toy", "schema: toy\ncurrency: yuan"),
        ("every: 5", "every: -5"),
        ("request: [request_id]", "request: [request_id]\n  longest: {slate: 99999999999999999999}"),
    ] {
        let desk = Desk::with(CLICK).put("toy.yaml", SCHEMA.replace(from, to));
        desk.refused(&["check", "x.reward"], 1, "RW0503");
    }
}

#[test]
fn a_value_that_means_missing_must_be_a_value() {
    for missing in ["{a: 1}", "[[1]]"] {
        let yaml = format!("schema: toy\nfeatures: {{p_click: {{scale: probability, missing: {missing}}}}}\n");
        Desk::with(CLICK).put("toy.yaml", yaml).refused(&["check", "x.reward"], 1, "RW0503");
    }
}

#[test]
fn a_schema_has_a_name_and_spans_have_members() {
    for (from, to) in [
        ("schema: toy", "schema: {a: b}"),
        ("every: 5", "every: 0"),
        ("request: [request_id]", "request: [request_id]\n  longest: {slate: 0}"),
    ] {
        let desk = Desk::with(CLICK).put("toy.yaml", SCHEMA.replace(from, to));
        desk.refused(&["check", "x.reward"], 1, "RW0503");
    }
}

#[test]
fn spans_without_end_cost_too_much() {
    let longest = "request: [request_id]\n  longest: {slate: 1000000000000000000, group: 18446744073709551615}";
    let desk =
        Desk::with(&term("share(is_ad over slate)")).put("toy.yaml", SCHEMA.replace("request: [request_id]", longest));
    desk.refused(&["check", "x.reward"], 1, "RW0320");
}
