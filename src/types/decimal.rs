//! Exact decimals for shares and quantiles (R4.1, R6.1).

/// A share in ten-thousandths: `29%` is 2900. Counts of it are whole-number arithmetic, so that
/// 29 % of 100 is 29 and not 28.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(pub u64);

const ONE: u64 = 10_000;

impl Decimal {
    /// Reads a decimal as written (`0.125`, or `12.5` with `percent`); `None` when it has more than
    /// four decimals as a fraction, or is not a plain decimal.
    #[must_use]
    pub fn parse(text: &str, percent: bool) -> Option<Self> {
        let text: String = text.chars().filter(|&c| c != '_').collect();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let places = if percent { 2 } else { 4 };
        let kept = fraction.trim_end_matches('0');
        if kept.len() > places || whole.len() > 9 || !whole.bytes().chain(kept.bytes()).all(|b| b.is_ascii_digit()) {
            return None;
        }
        let mut value: u64 = whole.parse().ok()?;
        for place in 0..places {
            let digit = kept.as_bytes().get(place).map_or(0, |b| u64::from(b - b'0'));
            value = value * 10 + digit;
        }
        Some(Self(value))
    }

    /// From a parameter value that has been handed in as f64; `None` past four decimals.
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        let scaled = value * ONE as f64;
        let near = scaled.round();
        ((scaled - near).abs() < 1e-3 && (0.0..=1e13).contains(&near)).then_some(Self(near as u64))
    }

    /// Largest whole number not above `share · n`.
    #[must_use]
    pub fn floor_of(self, n: u64) -> u64 {
        self.0.saturating_mul(n) / ONE
    }

    /// Smallest whole number not below `share · n`.
    #[must_use]
    pub fn ceil_of(self, n: u64) -> u64 {
        self.0.saturating_mul(n).div_ceil(ONE)
    }

    /// The share as a number.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / ONE as f64
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!("{}.{:02}", self.0 / 100, self.0 % 100);
        write!(f, "{}%", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::Decimal;

    #[test]
    fn shares_are_exact() {
        // 0.29 · 100 is 28.999… in binary; R4.1 asks for 29.
        assert_eq!(Decimal::parse("29", true).map(|d| d.floor_of(100)), Some(29));
        assert_eq!(Decimal::parse("0.1", false), Decimal::parse("10", true));
        assert_eq!(Decimal::parse("12.34", true), Some(Decimal(1234)));
        assert_eq!(Decimal::parse("12.345", true), None);
        assert_eq!(Decimal::parse("33.33", true).map(|d| (d.floor_of(10), d.ceil_of(10))), Some((3, 4)));
    }

    #[test]
    fn a_parameter_value_keeps_its_decimals() {
        assert_eq!(Decimal::from_f64(f64::from(0.1f32)), Some(Decimal(1000)));
        assert_eq!(Decimal::from_f64(0.123_456), None);
    }
}
