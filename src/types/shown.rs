//! Numbers as messages and reports show them.

/// At most four decimals; very large and very small ones with a power of ten.
#[must_use]
pub fn shown_number(value: f64) -> String {
    if value == 0.0 {
        "0".into()
    } else if value.abs() >= 1e6 || value.abs() < 1e-3 {
        format!("{value:.3e}")
    } else {
        let text = format!("{value:.4}");
        text.trim_end_matches('0').trim_end_matches('.').to_string()
    }
}
