//! What texts of untyped files mean.

use super::cells::Cell;

/// Nanoseconds since 1970 of a date, or of a date and a time, as ISO 8601 writes them; without a
/// zone as if in UTC.
pub fn moment_of(text: &str) -> Option<i128> {
    let text = text.trim();
    if !text.starts_with(|c: char| c.is_ascii_digit()) || text.len() < 10 {
        return None;
    }
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Some(instant.as_nanosecond());
    }
    let civil = text.parse::<jiff::civil::DateTime>().ok()?;
    jiff::tz::TimeZone::UTC.to_timestamp(civil).ok().map(jiff::Timestamp::as_nanosecond)
}

/// Whether a cell says yes or no: a condition, 0 or 1, or one of the words for them.
pub fn truth(cell: &Cell<'_>) -> Option<bool> {
    match cell {
        Cell::Bool(b) => Some(*b),
        Cell::Int(0) => Some(false),
        Cell::Int(1) => Some(true),
        Cell::Float(f) if *f == 0.0 || *f == 1.0 => Some(*f == 1.0),
        Cell::Text(t) | Cell::Raw(t) => match *t {
            "true" | "True" | "TRUE" | "1" | "1.0" => Some(true),
            "false" | "False" | "FALSE" | "0" | "0.0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}
