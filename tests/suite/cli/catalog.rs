//! `rewardc catalog`: built from data, looked into, and what is refused.

use super::Desk;

const SCHEMA: &str = "schema: toy
sources:
  log: {file: log.csv, entity: impression}
  items: {file: items.csv, entity: item, key: item_id}
keys: {item: item_id}
catalog: {file: items.csv, item: item_id, sid: sid}
features:
  sid: {scale: sid, shape: [4, 4]}
  plays: {entity: item, scale: count}
";
const BUILD: [&str; 8] = ["catalog", "build", "--schema", "s.yaml", "--data", ".", "--out", "x.catalog"];

#[test]
fn a_catalog_is_built_and_told() {
    let items = "item_id,a,b,plays\ni1,0,1,5\ni2,0,1,7\ni3,3,2,0\n";
    let desk = Desk::new().put("s.yaml", SCHEMA).put("items.csv", items);
    desk.fine(&BUILD).says("3 items, 3 with a SID of 2 levels; codes up to [4, 3]").says("wrote x.catalog");
    desk.fine(&["catalog", "info", "x.catalog"])
        .says("2 distinct SIDs")
        .says("2 items share theirs, at most 2")
        .says("plays");
    let json = desk.fine(&["catalog", "info", "x.catalog", "--format", "json"]).json();
    assert_eq!((json["items"].as_u64(), json["sharing"].as_u64()), (Some(3), Some(2)));
    // The same data give the same bytes, and what is there is replaced whole.
    let before = std::fs::read(desk.path("x.catalog")).unwrap();
    desk.fine(&BUILD);
    assert_eq!(std::fs::read(desk.path("x.catalog")).unwrap(), before);
    desk.change("items.csv", "item_id,a,b,plays\ni1,0,9,5\n");
    desk.refused(&BUILD, 2, "RW0611").says("shape");
    desk.change("items.csv", "item_id,a,b,plays\ni1,0,1,5\ni1,0,2,5\n");
    desk.refused(&BUILD, 2, "RW0604");
}

#[test]
fn sids_as_a_tokenizer_writes_them() {
    let schema = SCHEMA
        .replace("  items: {file: items.csv, entity: item, key: item_id}\n", "")
        .replace("items.csv", "sids.json");
    let schema = schema.replace("  plays: {entity: item, scale: count}\n", "");
    let desk = Desk::new().put("s.yaml", schema).put("sids.json", r#"{"0": ["<a_3>", "<b_1>"], "7": [0, 2]}"#);
    desk.fine(&BUILD).says("2 items, 2 with a SID of 2 levels; codes up to [4, 3]");
    for (text, why) in [
        (r#"{"0": ["<a_3>"]}"#, "no list of 2 codes"),
        (r#"{"0": ["<a_4>", "<b_1>"]}"#, "none of 0 … 3"),
        (r#"{"0": ["<a>", "<b_1>"]}"#, "none of 0 … 3"),
        (r#"{"0": ["<a_1>", "<b_1>"], "0": ["<a_1>", "<b_1>"]}"#, "no list of SIDs"),
        ("[]", "in braces"),
        ("{", "no list of SIDs"),
    ] {
        desk.change("sids.json", text);
        desk.refused(&BUILD, 2, "RW0611").says(why);
    }
}

#[test]
fn what_is_no_catalog_is_refused() {
    let desk = Desk::new()
        .put("s.yaml", SCHEMA)
        .put("x.catalog", "rewardc catalog1 and then nothing of it")
        .put("e.catalog", "");
    for file in ["x.catalog", "e.catalog", "none.catalog", "s.yaml"] {
        desk.refused(&["catalog", "info", file], 2, "RW0611").says(file);
    }
    desk.refused(&["catalog", "build", "--schema", "none.yaml", "--data", ".", "--out", "y.catalog"], 2, "RW0801");
}
