//! Settings, states, rows.

use super::{ITEMS, LOG, SCORE, cap, desk, score};
use crate::cli::{HEAD, SCHEMA, term};

#[test]
fn settings_that_make_no_sense_are_refused() {
    let desk = desk();
    for setting in [
        "nonsense",
        "",
        "=",
        "ad_mst=10%",
        "click=1",
        "广告=1",
        "ad_most=",
        "ad_most=lots",
        "ad_most=NaN",
        "ad_most=inf",
        "ad_most=1e999",
        "ad_most=0x1",
        "ad_most=200%",
        "ad_most=-10%",
        "ad_most=12.3456%",
        "author_most=1.5",
        "author_most=6",
        "patience=5",
        "patience=5s",
        "patience=5 km",
        "patience=1 h",
        "loud=maybe",
    ] {
        desk.refused(&score(&["--set", setting]), 2, "RW0806");
    }
    desk.refused(&score(&["--set", "ad_mst=10%"]), 2, "RW0806").says("did you mean `ad_most`?");
    desk.fine(&score(&["--set", "ad_most=10%", "--set", "patience=5 s", "--set", "loud=false"]));
}

#[test]
fn a_setting_is_written_like_a_literal() {
    desk().refused(&score(&["--set", "ad_most=0._1"]), 2, "RW0806");
}

#[test]
fn a_count_is_not_set_as_a_share_nor_a_share_as_a_count() {
    for setting in ["author_most=200%", "author_most=2.0", "ad_most=1"] {
        desk().refused(&score(&["--set", setting]), 2, "RW0806");
    }
}

#[test]
fn states_that_make_no_sense_are_refused() {
    let desk = desk();
    for state in [
        String::new(),
        "hello".into(),
        "[]".into(),
        "null".into(),
        "{}{}".into(),
        "{\"cap\": {}}".into(),
        "[".repeat(100_000),
        cap("\"prize\": {\"lambda\": 0.3}"),
        cap("\"price\": {\"lamda\": 0.3}"),
        cap("\"price\": {\"lambda\": \"0.3\"}"),
        cap("\"price\": {\"lambda\": NaN}"),
        cap("\"price\": {\"lambda\": 1e999}"),
        cap("\"often\": {\"share\": 1.5}"),
        cap("\"seen\": {\"shown\": -1}"),
        cap("\"seen\": {\"shown\": 9, \"matching\": 5.5}"),
        cap("\"seen\": {\"shown\": 1, \"matching\": 5}"),
        cap("\"seen\": {\"shown\": 9, \"matching\": {\"a1\": 1}}"),
        cap("\"seen_of\": {\"shown\": 9, \"matching\": 5}"),
        cap("\"seen\": {\"shown\": 18446744073709551615, \"matching\": 18446744073709551615}"),
        cap("\"seen_of\": {\"shown\": 9, \"matching\": {\"a1\": 18446744073709551615, \"a2\": 18446744073709551615}}"),
        cap("\"ads\": {\"lambda\": 0.3}"),
        cap("\"price\": {\"shown\": 5}"),
    ] {
        desk.change("state.json", &state);
        desk.refused(&score(&["--state", "state.json"]), 2, "RW0807");
    }
    desk.refused(&score(&["--state", "nothing.json"]), 2, "RW0801");
    desk.refused(&score(&["--state", "."]), 2, "RW0801");
    desk.change("state.json", b"\xff");
    desk.refused(&score(&["--state", "state.json"]), 2, "RW0802");
    desk.change("state.json", " ".repeat(2_000_000));
    desk.refused(&score(&["--state", "state.json"]), 2, "RW0803");
}

#[test]
fn a_cap_stands_once_in_a_state() {
    let state = cap("\"price\": {\"lambda\": 0.1}, \"price\": {\"lambda\": 0.9}");
    desk().put("state.json", state).refused(&score(&["--state", "state.json"]), 2, "RW0807");
}

#[test]
fn faults_of_states_are_told_in_plain_words() {
    for state in [
        cap("\"price\": {\"lambda\": \"0.3\"}"),
        cap("\"seen\": {\"shown\": -1}"),
        cap("\"seen\": {\"shown\": 9, \"matching\": 5.5}"),
    ] {
        let desk = desk().put("state.json", state);
        let said = desk.refused(&score(&["--state", "state.json"]), 2, "RW0807");
        said.never_says("struct").never_says("enum").never_says("u64").never_says("f64");
    }
}

#[test]
fn a_state_of_another_reward_or_past_its_range_is_reported() {
    let desk = desk().put("state.json", "{\"reward\": \"other@1#0\", \"caps\": {\"price\": {\"lambda\": 99}}}");
    let said = desk.fine(&score(&["--state", "state.json"]));
    said.says("the state was written for other@1#0").says("was 99 and is brought to 2");
}

#[test]
fn a_row_that_is_not_there_is_refused() {
    let desk = desk();
    for row in ["0", "5", "18446744073709551615"] {
        desk.refused(&["why", "x.reward", "--data", ".", "--row", row], 2, "RW0809").says("counted from 1");
    }
    desk.fine(&["why", "x.reward", "--data", ".", "--row", "4", "--lets"]);
}

#[test]
fn a_host_that_the_file_does_not_name_is_refused() {
    desk().refused(&score(&["--host", "serving"]), 2, "RW0211");
}

#[test]
fn a_file_with_faults_scores_nothing() {
    let desk = desk().put("x.reward", format!("{HEAD}{}", term("p_clik")));
    desk.refused(SCORE, 1, "RW0201");
    desk.refused(&["why", "x.reward", "--data", ".", "--row", "1"], 1, "RW0201");
}

#[test]
fn schema_check_in_json_is_one_document() {
    let desk = desk();
    assert_eq!(desk.fine(&["schema", "check", "toy.yaml", "--format", "json"]).json(), serde_json::json!([]));
    let check = ["schema", "check", "toy.yaml", "--data", ".", "--format", "json"];
    assert_eq!(desk.fine(&check).json(), serde_json::json!([]));
    desk.change("log.csv", LOG.replace("0.25", "high"));
    assert_eq!(desk.run(&check).ends(1, "RW0603").json()[0]["code"], "RW0603");
    desk.change("log.csv", "");
    assert_eq!(desk.run(&check).ends(2, "RW0609").json()[0]["code"], "RW0609");
    desk.change("toy.yaml", "schema: toy\nfeature: {}\n");
    assert_eq!(desk.run(&check).ends(1, "RW0502").json()[0]["code"], "RW0502");
}

#[test]
fn a_text_is_set_to_what_the_schema_declares() {
    let desk = desk().put(
        "toy.yaml",
        SCHEMA.replace("author: {entity: item, scale: id}", "author: {entity: item, scale: category, names: [a1, a2]}"),
    );
    desk.change("x.reward", format!("{HEAD}param who = \"a1\"\n{}", term("if author == who then 1 else 0")));
    for wrong in ["who=a9", "who=a1\"", "who=\"a1"] {
        desk.refused(&score(&["--set", wrong]), 2, "RW0806");
    }
    desk.refused(&score(&["--set", "who=a1", "--set", "who=a2"]), 2, "RW0806").says("twice");
    desk.fine(&score(&["--set", "who=a2"]));
    assert!(desk.text("out.csv.meta.json").contains("who=\\\"a2\\\""));
    desk.change("x.reward", format!("{HEAD}param who = \"a9\"\n{}", term("if author == who then 1 else 0")));
    desk.run(&["check", "x.reward"]).ends(1, "RW0210");
}

#[test]
fn scores_say_what_they_were_read_from() {
    let desk = desk();
    desk.fine(SCORE);
    let first = desk.text("out.csv.meta.json");
    assert!(first.contains("log.csv#") && first.contains("items.csv#"), "{first}");
    desk.change("items.csv", ITEMS.replace("100", "101"));
    desk.fine(SCORE);
    assert_ne!(first, desk.text("out.csv.meta.json"));
}
