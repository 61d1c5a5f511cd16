//! Catalogs.

use super::{SCORE, score, scored};
use crate::cli::{CLICK, Desk};

fn with_catalog(catalog: &str) -> Desk {
    let schema = "schema: toy
sources:
  log: {file: log.csv, entity: rollout}
keys: {request: request_id, item: item_id}
spans:
  request: [request_id]
catalog: {file: catalog.csv, item: item_id, sid: sid, resolve: first}
features:
  sid: {scale: sid, shape: [4, 8]}
  p_click: {entity: model, scale: probability}
";
    Desk::with(&format!("{CLICK}format {{ require legal = sid in catalog else lowest }}\n"))
        .put("toy.yaml", schema)
        .put("log.csv", "request_id,sid,p_click\nr1,1|2,0.5\nr1,3|7,0.25\n")
        .put("catalog.csv", catalog)
}

#[test]
fn a_catalog_that_cannot_be_used_is_refused() {
    for (catalog, code) in [
        ("", "RW0609"),
        ("item_id,sid\n", "RW0609"),
        ("item,sid\n1,1|2\n", "RW0602"),
        ("item_id,codes\n1,1|2\n", "RW0611"),
        ("item_id,sid\n1,1|2\n1,3|7\n", "RW0604"),
        ("item_id,sid\n,1|2\n", "RW0611"),
    ] {
        with_catalog(catalog).refused(SCORE, 2, code);
    }
    let desk = with_catalog("item_id,sid\n1,1|2\n");
    assert_eq!(scored(&desk, "verdict"), ["scored", "illegal"]);
    std::fs::remove_file(desk.path("out.csv")).unwrap();
    desk.refused(&score(&["--catalog", "nothing.csv"]), 2, "RW0601");
    desk.refused(&score(&["--catalog", "."]), 2, "RW0601");
}

#[test]
fn a_catalog_row_whose_sid_is_none_is_refused() {
    for sid in ["-3|-7", "x3y7z", "hello", "99|99", "3|7|1", "3", "99999999999999999999|7", "3.5|7"] {
        with_catalog(&format!("item_id,sid\n1,1|2\n2,{sid}\n")).refused(SCORE, 2, "RW0611").says("row 2");
    }
    with_catalog("item_id,a,b\n1,1,2\n2,-1,7\n").refused(SCORE, 2, "RW0611").says("row 2");
}

#[test]
fn a_sid_of_one_level_may_be_a_number() {
    let desk = with_catalog("item_id,sid\n1,1\n2,3\n");
    desk.change("toy.yaml", desk.text("toy.yaml").replace("[4, 8]", "[4]"));
    desk.change("log.csv", "request_id,sid,p_click\nr1,1,0.5\nr1,2,0.25\n");
    assert_eq!(scored(&desk, "verdict"), ["scored", "illegal"]);
    std::fs::write(desk.path("catalog.parquet"), "").unwrap();
    desk.fine(&["schema", "check", "toy.yaml", "--data", "."]);
}
