//! Commands that read data, met with hostile data, settings and outputs.

mod catalog;
mod messages;
mod order;
mod readers;
mod rows;
mod settings;
mod values;
mod writing;

use std::collections::BTreeMap;
use std::fmt::Write;

use polars::prelude::{Column, DataFrame, DataType, NamedFrom, ParquetWriter, Series, TimeUnit};

use super::{Desk, SCHEMA};

const REWARD: &str = "param ad_most = 20% in 0%..100%
param author_most = 2 in 1..5
param patience = 30 s in 1 s..60 s
param loud = true
preference { term click = p_click }
ecosystem {
    cap ads on is_ad { at most ad_most of slate penalty 1.0 per item over, after normalizing }
    cap authors { at most author_most of slate per author penalty 0.5 per item over, after normalizing }
    cap price on is_ad { at most 20% of slate dual up to 2.0 }
    cap seen on is_ad { at most 3 of session penalty 1.0 per item over, after normalizing }
    cap seen_of { at most 3 of session per author penalty 1.0 per item over, after normalizing }
    cap often on is_ad { at most 30% of window(1 day) scale 0.5 }
}
format { require known = item_id in catalog else lowest }
monitor waits = if loud then patience / 1 s else 0
";

const LOG: &str = "request_id,item_id,pos,p_click
r1,1,1,0.5
r1,2,2,0.25
r1,3,3,0.125
r2,1,1,0.75
";

const ITEMS: &str = "item_id,is_ad,plays,author\n1,0,100,a1\n2,1,,a1\n3,0,7,a2\n";

const SCORE: &[&str] = &["score", "x.reward", "--data", ".", "--out", "out.csv"];

/// A state that holds these caps.
fn cap(states: &str) -> String {
    format!("{{\"caps\": {{{states}}}}}")
}

fn desk() -> Desk {
    Desk::with(REWARD).put("log.csv", LOG).put("items.csv", ITEMS)
}

fn with_ndjson(lines: &str) -> Desk {
    desk().put("toy.yaml", SCHEMA.replace("log.csv", "log.ndjson")).put("log.ndjson", lines)
}

fn line(more: &str) -> String {
    format!("{{\"request_id\": \"r1\", \"item_id\": 1, \"pos\": 1, \"p_click\": 0.5{more}}}\n")
}

/// Adds arguments to `score`.
fn score<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [SCORE, more].concat()
}

fn rows(desk: &Desk) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(desk.path("out.csv")).unwrap().deserialize().map(Result::unwrap).collect()
}

/// Scores, and gives a column of what was written.
fn scored(desk: &Desk, column: &str) -> Vec<String> {
    desk.fine(SCORE);
    rows(desk).into_iter().map(|mut row| row.remove(column).unwrap()).collect()
}

/// A log long enough to be met while it is written.
fn long_log() -> String {
    let mut log = "request_id,item_id,pos,p_click\n".to_string();
    for i in 0..20_000 {
        writeln!(log, "r{},{},{},0.{:03}", i / 5, i % 3 + 1, i % 5 + 1, i * 37 % 1_000).unwrap();
    }
    log
}

fn parquet(desk: &Desk, name: &str, columns: Vec<Series>) {
    let columns: Vec<Column> = columns.into_iter().map(Column::from).collect();
    let mut df = DataFrame::new(columns[0].len(), columns).unwrap();
    ParquetWriter::new(std::fs::File::create(desk.path(name)).unwrap()).finish(&mut df).unwrap();
}

fn named(name: &str, series: &Series) -> Series {
    series.clone().with_name(name.into())
}

fn log_columns(p_click: &Series) -> Vec<Series> {
    vec![
        Series::new("request_id".into(), ["r1", "r1"]),
        Series::new("item_id".into(), [1_i64, 2]),
        Series::new("pos".into(), [1_i32, 2]),
        named("p_click", p_click),
    ]
}

/// Days, moments and times, which are no plain numbers.
fn moments() -> Vec<Series> {
    let whole = Series::new("odd".into(), [0_i64, 1]);
    vec![
        Series::new("odd".into(), [0_i32, 1]).cast(&DataType::Date).unwrap(),
        whole.cast(&DataType::Datetime(TimeUnit::Microseconds, None)).unwrap(),
        whole.cast(&DataType::Duration(TimeUnit::Microseconds)).unwrap(),
        whole.cast(&DataType::Time).unwrap(),
    ]
}

/// Texts, conditions and lists, which are no numbers at all.
fn no_numbers() -> Vec<Series> {
    let whole = Series::new("odd".into(), [0_i64, 1]);
    let lists = Series::new("odd".into(), [whole.clone(), whole]);
    vec![
        Series::new("odd".into(), ["a", "b"]),
        Series::new("odd".into(), [true, false]),
        lists.clone(),
        Series::new("odd".into(), [lists.clone(), lists]),
    ]
}

fn with_parquet(columns: Vec<Series>) -> Desk {
    let desk = desk().put("toy.yaml", SCHEMA.replace("log.csv", "log.parquet"));
    parquet(&desk, "log.parquet", columns);
    desk
}
