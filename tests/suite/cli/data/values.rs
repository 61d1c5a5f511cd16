//! Values.

use super::{ITEMS, LOG, SCORE, desk, rows, scored};

#[test]
fn an_unknown_column_is_named_with_the_nearest() {
    let desk = desk().put("log.csv", LOG.replace("p_click", "p_clik"));
    desk.refused(SCORE, 2, "RW0602").says("did you mean `p_clik`?");
    let desk = desk.put("log.csv", LOG).put("items.csv", ITEMS.replace("item_id", "item"));
    desk.refused(SCORE, 2, "RW0602").says("`item_id`");
}

#[test]
fn an_unknown_column_among_thousands_is_told_in_short() {
    let names = (0..5_000).map(|i| format!(",c{i}")).collect::<String>();
    let log = format!("request_id,item_id,pos{names}\nr1,1,1{}\n", ",0".repeat(5_000));
    let said = desk().put("log.csv", log).refused(SCORE, 2, "RW0602");
    assert!(said.all().len() < 2_000, "{}", said.shown());
}

#[test]
fn a_value_of_the_wrong_type_is_named_with_its_row() {
    let desk = desk().put("log.csv", LOG.replace("0.25", "high"));
    desk.refused(SCORE, 2, "RW0603").says("\"high\" in row 2");
    let desk = desk.put("log.csv", LOG).put("items.csv", ITEMS.replace("2,1,", "2,yes,"));
    desk.refused(SCORE, 2, "RW0603").says("\"yes\" in row 2");
    let long = LOG.replace("0.25", &"x".repeat(1_000_000));
    let said = desk.put("items.csv", ITEMS).put("log.csv", long).refused(SCORE, 2, "RW0603");
    assert!(said.all().len() < 2_000);
}

#[test]
fn values_that_break_the_contract_cost_their_row_alone() {
    for (value, reason) in [
        ("NaN", "not_a_number"),
        ("inf", "out_of_range"),
        ("-inf", "out_of_range"),
        ("1.25", "out_of_range"),
        ("-0.001", "out_of_range"),
        ("1e300", "out_of_range"),
        ("", "absent_value"),
    ] {
        let desk = desk().put("log.csv", LOG.replace("0.25", value));
        assert_eq!(scored(&desk, "verdict"), ["scored", "unscorable", "scored", "scored"], "{value}");
        assert_eq!(rows(&desk)[1]["rule"], reason, "{value}");
        assert_eq!(rows(&desk)[1]["total"], "");
        let contract = desk.run(&["schema", "check", "toy.yaml", "--data", "."]).ends(1, "RW0610");
        contract.says(reason).says("the first is row 2");
    }
}

#[test]
fn ids_stay_the_texts_that_they_are() {
    let log = "request_id,item_id,pos,p_click\nr1,01,1,0.5\nr1,18446744073709551615,2,0.5\nr1,9007199254740993,3,0.5\n";
    let items = "item_id,is_ad,plays,author\n1,0,1,a\n18446744073709551615,0,1,a\n9007199254740992,0,1,a\n";
    let desk = desk().put("log.csv", log).put("items.csv", items);
    assert_eq!(scored(&desk, "verdict"), ["illegal", "scored", "illegal"]);
    assert_eq!(scored(&desk, "item_id"), ["01", "18446744073709551615", "9007199254740993"]);
}

#[test]
fn a_column_that_nothing_reads_may_hold_anything() {
    let desk =
        desk().put("log.csv", LOG.replace(",p_click", ",p_click,extra").replace("5\n", "5,99999999999999999999 x\n"));
    desk.fine(SCORE);
}
