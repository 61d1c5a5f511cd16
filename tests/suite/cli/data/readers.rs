//! Files of data.

use polars::prelude::{DataType, NamedFrom, Series};

use super::{
    ITEMS, LOG, REWARD, SCORE, desk, line, log_columns, moments, named, no_numbers, score, scored, with_ndjson,
    with_parquet,
};
use crate::cli::{Desk, SCHEMA};

#[test]
fn data_without_rows_is_refused() {
    let header = |text: &str| format!("{}\n", text.lines().next().unwrap());
    for (name, text) in [
        ("log.csv", String::new()),
        ("log.csv", "\n\n\n".into()),
        ("log.csv", header(LOG)),
        ("items.csv", String::new()),
        ("items.csv", header(ITEMS)),
    ] {
        desk().put(name, text).refused(SCORE, 2, "RW0609").says(name);
    }
    with_ndjson("\n\n").refused(SCORE, 2, "RW0609");
}

#[test]
fn a_data_file_that_cannot_be_read_is_named() {
    let desk = desk();
    std::fs::remove_file(desk.path("log.csv")).unwrap();
    desk.refused(SCORE, 2, "RW0601").says("log.csv").says("`--data`");
    std::fs::create_dir(desk.path("log.csv")).unwrap();
    desk.refused(SCORE, 2, "RW0601").says("it is a folder");
    desk.change("toy.yaml", SCHEMA.replace("log.csv", "log.xlsx"));
    desk.change("log.xlsx", LOG);
    desk.refused(SCORE, 2, "RW0601").says("`.parquet`");
}

#[test]
fn the_folder_of_the_data_must_be_one() {
    let desk = desk();
    for folder in ["nothing", "log.csv"] {
        desk.refused(&["score", "x.reward", "--data", folder], 2, "RW0809").says(folder);
    }
}

#[test]
fn a_csv_row_of_another_length_is_named_with_its_line() {
    for row in ["r9,1\n", "r9,1,1,0.5,7\n", "\"r9,1,1,0.5\n"] {
        desk().put("log.csv", format!("{LOG}{row}")).refused(SCORE, 2, "RW0601").says("line 6");
    }
}

#[test]
fn a_csv_cut_in_the_middle_of_a_row_is_refused() {
    desk().put("log.csv", &LOG[..LOG.len() - 6]).refused(SCORE, 2, "RW0601");
}

#[test]
fn a_quote_that_is_not_closed_swallows_no_rows() {
    let items = "item_id,is_ad,plays,author\n1,0,100,a1\n2,1,,\"a1\n3,0,7,a2\n";
    desk().put("items.csv", items).refused(SCORE, 2, "RW0601").says("line 3");
}

#[test]
fn a_quoted_text_may_hold_commas_quotes_and_line_ends() {
    let items = "item_id,is_ad,plays,author\n1,0,100,\"a, \"\"one\"\"\nand more\"\n2,1,,a1\n3,0,7,a2\n";
    assert_eq!(scored(&desk().put("items.csv", items), "verdict"), ["scored"; 4]);
}

#[test]
fn a_csv_header_that_names_a_column_twice_is_refused() {
    let log = LOG.replace(",p_click", ",p_click,p_click").replace("5\n", "5,0.9\n");
    desk().put("log.csv", log).refused(SCORE, 2, "RW0601").says("`p_click` twice");
}

#[test]
fn data_that_is_not_utf8_is_refused() {
    let desk = desk().put("log.csv", [LOG.as_bytes(), b"r\xe9,1,1,0.5\n"].concat());
    desk.refused(SCORE, 2, "RW0601").says("line 6 is not UTF-8");
    let utf16: Vec<u8> = LOG.encode_utf16().flat_map(u16::to_le_bytes).collect();
    desk.put("log.csv", [&b"\xff\xfe"[..], &utf16].concat()).refused(SCORE, 2, "RW0601");
}

#[test]
fn line_ends_and_byte_order_marks_in_data_change_nothing() {
    let plain = scored(&desk(), "total");
    assert_eq!(scored(&desk().put("log.csv", LOG.replace('\n', "\r\n")), "total"), plain);
    assert_eq!(scored(&desk().put("log.csv", format!("\u{feff}{LOG}")), "total"), plain);
    assert_eq!(scored(&with_ndjson(&line("").replace('\n', "\r\n")), "total"), ["0.5"]);
    assert_eq!(scored(&with_ndjson(&format!("\u{feff}{}", line(""))), "total"), ["0.5"]);
}

#[test]
fn chinese_in_data_is_kept() {
    let desk = desk().put("log.csv", LOG.replace("r2", "请求二")).put("items.csv", ITEMS.replace("a2", "作者二"));
    assert_eq!(scored(&desk, "request_id")[3], "请求二");
}

#[test]
fn control_characters_in_data_never_reach_the_terminal() {
    desk().put("log.csv", LOG.replace("pos", "p\u{1b}[2Js")).refused(SCORE, 2, "RW0602");
    desk().put("log.csv", LOG.replace("0.25", "\u{1b}[2J")).refused(SCORE, 2, "RW0603");
    desk().refused(&score(&["--set", "\u{1b}[2J=1"]), 2, "RW0806");
}

#[test]
fn a_broken_line_of_ndjson_is_named() {
    for broken in
        ["{\"request_id\": \"r1\",", "nonsense", "[1, 2]", "1", "null", "{\"p_click\": NaN}", "{\"a\": 1, \"a\": 2}"]
    {
        let desk = with_ndjson(&format!("{}\n{broken}\n{}", line(""), line("")));
        desk.refused(SCORE, 2, "RW0601").says("line 3");
    }
}

#[test]
fn json_nested_without_end_is_refused() {
    for (open, close) in [("[", "]"), ("{\"a\": ", "}")] {
        let deep = format!(", \"deep\": {}1{}", open.repeat(100_000), close.repeat(100_000));
        with_ndjson(&(line("") + &line(&deep))).refused(SCORE, 2, "RW0601").says("line 2");
    }
}

#[test]
fn a_value_of_another_kind_in_ndjson_is_named_with_its_line() {
    for value in ["\"high\"", "true", "{\"a\": 1}"] {
        let lines = line("") + &line("").replace("0.5", value);
        with_ndjson(&lines).refused(SCORE, 2, "RW0603").says("`p_click`").says("line 2");
    }
}

#[test]
fn ndjson_columns_that_nothing_reads_may_hold_anything() {
    for (first, second) in [("{\"a\": 1}", "{\"a\": 2}"), ("[{\"a\": 1}]", "[]"), ("\"x\"", "3"), ("[1]", "2")] {
        let lines = line(&format!(", \"extra\": {first}")) + &line(&format!(", \"extra\": {second}"));
        with_ndjson(&lines).fine(SCORE);
    }
}

#[test]
fn whole_numbers_of_sixty_four_bits_are_ids_in_ndjson() {
    is_an_id_in_ndjson("18446744073709551615");
}

#[test]
fn whole_numbers_past_sixty_four_bits_are_ids_in_ndjson() {
    is_an_id_in_ndjson("99999999999999999999999999");
}

fn is_an_id_in_ndjson(id: &str) {
    let desk = with_ndjson(&line("").replace("\"item_id\": 1", &format!("\"item_id\": {id}")));
    desk.change("items.csv", format!("{ITEMS}{id},0,1,a\n"));
    assert_eq!(scored(&desk, "verdict"), ["scored"]);
    assert_eq!(scored(&desk, "item_id"), [id]);
}

#[test]
fn cut_off_parquet_is_refused() {
    let desk = with_parquet(log_columns(&Series::new("p".into(), [0.5, 0.25])));
    desk.fine(SCORE);
    let desk = desk.put("out.csv", "").put("out.csv.meta.json", "");
    let whole = std::fs::read(desk.path("log.parquet")).unwrap();
    for length in [1, 4, 8, 100, whole.len() / 2, whole.len() - 8, whole.len() - 1] {
        desk.change("log.parquet", &whole[..length]);
        desk.refused(SCORE, 2, "RW0601").says("cut off");
    }
    desk.change("log.parquet", "");
    desk.refused(SCORE, 2, "RW0609");
    desk.change("log.parquet", LOG);
    desk.refused(SCORE, 2, "RW0601");
}

#[test]
fn damaged_parquet_ends_calmly() {
    let desk = with_parquet(log_columns(&Series::new("p".into(), [0.5, 0.25])));
    let whole = std::fs::read(desk.path("log.parquet")).unwrap();
    for at in (4..whole.len()).step_by(whole.len() / 40) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        desk.change("log.parquet", &damaged);
        let said = desk.run(SCORE);
        let exit = said.exit.unwrap();
        assert!(exit == 0 || exit == 2, "byte {at}: {}", said.shown());
        said.ends(exit, "");
    }
}

#[test]
fn parquet_columns_that_nothing_reads_may_be_of_any_type() {
    let mut columns = log_columns(&Series::new("p".into(), [0.5, 0.25]));
    let odd = [moments(), no_numbers()].concat();
    columns.extend(odd.iter().enumerate().map(|(i, odd)| named(&format!("odd{i}"), odd)));
    columns.push(Series::new("tiny".into(), [1_i32, 2]).cast(&DataType::Int8).unwrap());
    columns.push(Series::new("price".into(), [1.5, 2.5]).cast(&DataType::Decimal(10, 2)).unwrap());
    assert_eq!(scored(&with_parquet(columns), "click"), ["0.5", "0.25"]);
}

/// `files/odd_types.parquet`, written by pyarrow: a log of two rows with a column of structs, one of
/// lists of structs, one of maps and one of half-precision numbers.
#[test]
fn structs_maps_and_halves_stand_in_nobodys_way() {
    let log = include_bytes!("../../files/odd_types.parquet");
    let desk = desk().put("toy.yaml", SCHEMA.replace("log.csv", "log.parquet")).put("log.parquet", log);
    assert_eq!(scored(&desk, "click"), ["0.5", "0.25"]);
    let odd = Desk::with(REWARD).put("items.csv", ITEMS).put("log.parquet", log);
    for (column, what) in [("place", "structs"), ("places", "structs"), ("scores", "structs"), ("half", "half")] {
        let from =
            SCHEMA.replace("log.csv", "log.parquet").replace("p_click: {", &format!("p_click: {{from: {column}, "));
        odd.change("toy.yaml", from);
        odd.refused(SCORE, 2, "RW0603").says(column).says(what);
    }
}

#[test]
fn a_number_is_read_from_no_column_of_another_type() {
    for odd in no_numbers() {
        with_parquet(log_columns(&odd)).refused(SCORE, 2, "RW0603").says("`p_click`");
    }
}

#[test]
fn a_number_is_read_from_no_column_of_moments() {
    for odd in moments() {
        with_parquet(log_columns(&odd)).refused(SCORE, 2, "RW0603").says("`p_click`");
    }
}

#[test]
fn parquet_ids_past_sixty_three_bits_are_kept() {
    let mut columns = log_columns(&Series::new("p".into(), [0.5, 0.25]));
    columns[1] = Series::new("item_id".into(), [1_u64, u64::MAX]);
    let desk = with_parquet(columns).put("items.csv", format!("{ITEMS}18446744073709551615,0,1,a\n"));
    assert_eq!(scored(&desk, "verdict"), ["scored", "scored"]);
}
