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

#[test]
fn a_padded_beam_is_told_by_any_word_for_yes() {
    let desk = desk();
    desk.change("toy.yaml", SCHEMA.replace("request: request_id}", "request: request_id, padding: pad}"));
    for (yes, no) in [("true", "false"), ("True", "False"), ("1", "0"), ("1.0", "0.0")] {
        desk.change("log.csv", format!("request_id,item_id,pos,p_click,pad\nr1,1,1,0.5,{yes}\nr1,2,2,0.5,{no}\n"));
        assert_eq!(scored(&desk, "verdict"), ["unscorable", "scored"], "{yes}");
    }
    std::fs::remove_file(desk.path("out.csv")).unwrap();
    std::fs::remove_file(desk.path("out.csv.meta.json")).unwrap();
    desk.change("log.csv", "request_id,item_id,pos,p_click,pad\nr1,1,1,0.5,yes\n");
    desk.refused(SCORE, 2, "RW0603").says("`pad` in row 1");
}

#[test]
fn a_fault_of_a_joined_file_is_named_with_its_own_row() {
    let desk = desk().put("items.csv", ITEMS.replace("3,0,7", "3,0,many"));
    let desk = desk.put("log.csv", LOG.replace("r1,1,1", "r1,3,1"));
    desk.change("x.reward", format!("{HEAD}{}", term("plays ?? 0")));
    desk.refused(SCORE, 2, "RW0603").says("items.csv").says("in row 3");
}

#[test]
fn the_contract_is_looked_at_as_far_as_scoring_reads() {
    let desk = Desk::with(&term("depth")).put("log.csv", LOG).put("items.csv", ITEMS);
    desk.change("toy.yaml", format!("{SCHEMA}  depth: {{entity: request, from: pos, scale: count}}\n"));
    desk.refused(&["schema", "check", "toy.yaml", "--data", "."], 1, "RW0606");
    let lists = with_history(&(line("") + &line(", \"past.item_id\": [1], \"past.plays\": []")), "1");
    lists.refused(&["schema", "check", "toy.yaml", "--data", "."], 1, "RW06");
}

#[test]
fn an_empty_line_of_a_file_with_one_column_is_no_silent_loss() {
    let desk = Desk::new().put("x.reward", format!("{HEAD}{}", term("p ?? 0")));
    desk.change(
        "toy.yaml",
        "schema: toy\nsources: {log: {file: log.csv, entity: impression}}\n\
         features: {p: {entity: impression, scale: probability, nullable: true}}\n",
    );
    desk.change("log.csv", "p\n0.5\n\n0.25\n");
    desk.refused(SCORE, 2, "RW0601").says("line 3");
    desk.change("log.csv", "p\n0.5\n\"\"\n0.25\n\n");
    assert_eq!(scored(&desk, "total"), ["0.5", "0.0", "0.25"]);
}
