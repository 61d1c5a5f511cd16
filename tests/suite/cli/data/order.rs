//! What rows are ordered by: times of two files, keys of one column.

use polars::prelude::{DataType, NamedFrom, Series, TimeUnit};

use super::{SCORE, parquet, rows};
use crate::cli::{Desk, HEAD, term};

const HISTORY: &str = "schema: toy
sources:
  log: {file: log.parquet, entity: impression}
  seen: {file: seen.parquet, entity: impression}
keys: {user: uid, time: t}
spans: {request: [uid]}
lists:
  past: {from: seen, by: uid, before: t, last: 9, features: [w]}
features:
  w: {entity: impression, scale: number, range: [0, 9]}
";

/// One row at 11:30 and what its user did at 10:00, 11:00 and 12:00.
fn with_times(log: &Series, seen: &Series) -> Desk {
    let desk = Desk::new().put("x.reward", format!("{HEAD}{}", term("count(past.w > 0 over history)")));
    let log = log.clone().with_name("t".into());
    parquet(&desk, "log.parquet", vec![Series::new("uid".into(), ["u"]), log]);
    let seen = seen.clone().with_name("t".into());
    let columns = vec![Series::new("uid".into(), ["u", "u", "u"]), seen, Series::new("w".into(), [1.0, 1.0, 1.0])];
    parquet(&desk, "seen.parquet", columns);
    desk.put("toy.yaml", HISTORY)
}

fn at(unit: TimeUnit, half_hours: &[i64]) -> Series {
    let factor = match unit {
        TimeUnit::Milliseconds => 1_800_000,
        TimeUnit::Microseconds => 1_800_000_000,
        TimeUnit::Nanoseconds => 1_800_000_000_000,
    };
    let numbers: Vec<i64> = half_hours.iter().map(|h| h * factor).collect();
    Series::new("t".into(), numbers).cast(&DataType::Datetime(unit, None)).unwrap()
}

#[test]
fn nothing_of_the_future_is_seen_whatever_the_units() {
    for own in [TimeUnit::Milliseconds, TimeUnit::Microseconds, TimeUnit::Nanoseconds] {
        for theirs in [TimeUnit::Milliseconds, TimeUnit::Microseconds, TimeUnit::Nanoseconds] {
            let desk = with_times(&at(own, &[23]), &at(theirs, &[20, 22, 24]));
            desk.fine(SCORE);
            assert_eq!(rows(&desk)[0]["a"], "2.0", "{own:?} {theirs:?}");
        }
    }
    let texts = Series::new("t".into(), ["1970-01-01 10:00:00", "1970-01-01T11:00:00", "1970-01-01T12:00:00Z"]);
    let desk = with_times(&Series::new("t".into(), ["1970-01-01T11:30:00"]), &texts);
    desk.fine(SCORE);
    assert_eq!(rows(&desk)[0]["a"], "2.0");
}

#[test]
fn times_of_different_kinds_are_refused() {
    let moments = at(TimeUnit::Milliseconds, &[20, 22, 24]);
    with_times(&Series::new("t".into(), [41_400_i64]), &moments).refused(SCORE, 2, "RW0603").says("`t`");
    let dates = Series::new("t".into(), [0_i32]).cast(&DataType::Date).unwrap();
    with_times(&dates, &moments).refused(SCORE, 2, "RW0603").says("dates in one file");
    let words = Series::new("t".into(), ["a", "b", "c"]);
    with_times(&Series::new("t".into(), ["b"]), &words).refused(SCORE, 2, "RW0603").says("neither numbers nor dates");
}

/// Numbers beside texts: "9" < "10" as numbers, "10" < "1a" < "9" as texts.
#[test]
fn a_column_of_numbers_and_texts_orders_slates_as_texts() {
    let desk = super::desk();
    let mut log = "request_id,item_id,pos,p_click\n".to_string();
    for i in 0..2_000 {
        log += &format!("r,1,{}{},0.5\n", i * 7_919 % 2_000, if i % 3 == 0 { "a" } else { "" });
    }
    desk.put("log.csv", log).fine(SCORE);
}
