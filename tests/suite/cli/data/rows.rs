//! Rows that do not fit together.

use super::{ITEMS, LOG, SCORE, desk, line, scored, with_ndjson};
use crate::cli::{Desk, HEAD, SCHEMA, term};

#[test]
fn a_key_that_stands_twice_is_named_with_its_rows() {
    let desk = desk().put("items.csv", format!("{ITEMS}3,0,1,a9\n"));
    desk.refused(SCORE, 2, "RW0604").says("rows 3 and 4");
    desk.refused(&["schema", "check", "toy.yaml", "--data", "."], 1, "RW0604");
}

#[test]
fn a_key_without_a_match_is_counted() {
    let desk = desk().put("log.csv", LOG.replace("r1,3", "r1,99"));
    assert_eq!(scored(&desk, "verdict"), ["scored", "scored", "illegal", "scored"]);
    desk.run(SCORE).ends(0, "").says("1 rows without a match in items");
    desk.run(&["schema", "check", "toy.yaml", "--data", "."]).ends(1, "RW0605").says("`join: may miss`");
}

#[test]
fn rows_without_a_request_are_not_put_into_one() {
    let desk = desk().put("log.csv", LOG.replace("r1,2", ",2").replace("r2,1", ",1"));
    desk.refused(SCORE, 2, "RW0610").says("row 2");
}

#[test]
fn a_value_of_the_request_that_differs_in_it_is_refused() {
    let desk = Desk::with(&term("depth")).put("log.csv", LOG).put("items.csv", ITEMS);
    desk.change("toy.yaml", format!("{SCHEMA}  depth: {{entity: request, from: pos, scale: count}}\n"));
    desk.refused(SCORE, 2, "RW0606").says("rows 1 and 2");
}

#[test]
fn a_list_cannot_be_a_single_value() {
    for (scale, expression) in [
        ("number, range: [0, 9]", "odd"),
        ("count", "odd"),
        ("bool", "if odd then 1 else 0"),
        ("bool, true: [1]", "if odd then 1 else 0"),
        ("id", "if odd == \"a\" then 1 else 0"),
        ("category, names: [a, b]", "if odd == \"a\" then 1 else 0"),
    ] {
        let desk = with_ndjson(&line(", \"odd\": [1, 2]")).put("x.reward", format!("{HEAD}{}", term(expression)));
        let feature = format!("  odd: {{entity: impression, scale: {scale}}}\n");
        desk.change("toy.yaml", desk.text("toy.yaml") + &feature);
        desk.refused(SCORE, 2, "RW0603").says("has lists in row 1");
    }
}

#[test]
fn a_vector_of_another_length_is_refused() {
    let lines = line(", \"v\": [1, 2, 3]") + &line(", \"v\": [1, 2]");
    let desk = with_ndjson(&lines).put("x.reward", format!("{HEAD}{}", term("cosine(v, v)")));
    desk.change("toy.yaml", desk.text("toy.yaml") + "  v: {entity: impression, scale: \"vector(3)\"}\n");
    desk.refused(SCORE, 2, "RW0603").says("a list of 2 in row 2");
}

fn with_history(lines: &str, expression: &str) -> Desk {
    let desk = with_ndjson(lines).put("x.reward", format!("{HEAD}{}", term(expression)));
    desk.change("toy.yaml", desk.text("toy.yaml") + "lists:\n  past: {from: row, features: [item_id, plays]}\n");
    desk
}

#[test]
fn list_columns_that_do_not_fit_together_are_refused() {
    let seen = "if item_id in past.item_id then 1 else 0";
    with_history(&line(""), seen).refused(SCORE, 2, "RW0602").says("past.item_id");
    with_history(&line(", \"past.item_id\": 1"), seen).refused(SCORE, 2, "RW0603");
    with_history(&line(", \"past.item_id\": [[1]]"), seen).refused(SCORE, 2, "RW0603");
    let differing = line(", \"past.item_id\": [1, 2]") + &line(", \"past.item_id\": [1]");
    with_history(&differing, seen).refused(SCORE, 2, "RW0606");
    let lengths = line(", \"past.item_id\": [1, 2], \"past.plays\": [1]");
    let both = "count(past.item_id == item_id and past.plays is known over history)";
    with_history(&lengths, both).refused(SCORE, 2, "RW0608");
}

#[test]
fn a_history_that_is_null_everywhere_is_empty() {
    let desk = with_history(&line(", \"past.item_id\": null"), "count(past.item_id == item_id over history)");
    assert_eq!(scored(&desk, "total"), ["0.0"]);
}
