//! Dimensions and units (R5.3).

/// Powers of time, length and money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Dimension {
    pub time: i8,
    pub length: i8,
    pub money: i8,
}

impl Dimension {
    pub const NONE: Self = Self { time: 0, length: 0, money: 0 };
    pub const TIME: Self = Self { time: 1, ..Self::NONE };
    pub const LENGTH: Self = Self { length: 1, ..Self::NONE };
    pub const MONEY: Self = Self { money: 1, ..Self::NONE };

    /// Whether it is a plain number.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// Dimension of a product.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        Self {
            time: self.time.saturating_add(other.time),
            length: self.length.saturating_add(other.length),
            money: self.money.saturating_add(other.money),
        }
    }

    /// Dimension of a quotient.
    #[must_use]
    pub fn per(self, other: Self) -> Self {
        Self {
            time: self.time.saturating_sub(other.time),
            length: self.length.saturating_sub(other.length),
            money: self.money.saturating_sub(other.money),
        }
    }

    /// How messages name it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NONE => "a plain number",
            Self::TIME => "a duration",
            Self::LENGTH => "a length",
            Self::MONEY => "an amount of money",
            Self { time: -1, length: 0, money: 0 } => "a rate per second",
            Self { time: -1, length: 1, money: 0 } => "a speed",
            _ => "a number with a compound dimension",
        }
    }
}

/// A unit a literal or a column may be written in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    pub dimension: Dimension,
    /// Whole factor to the base unit: seconds, metres, the schema's currency; `1/divisor` for `ms`.
    pub factor: u32,
    pub divisor: u32,
}

impl Unit {
    /// The unit a word names; `currency` is the schema's, if it has one.
    #[must_use]
    pub fn named(word: &str, currency: Option<&str>) -> Option<Self> {
        let time = |factor, divisor| Some(Self { dimension: Dimension::TIME, factor, divisor });
        let length = |factor| Some(Self { dimension: Dimension::LENGTH, factor, divisor: 1 });
        match word {
            "ms" => time(1, 1000),
            "s" => time(1, 1),
            "min" => time(60, 1),
            "h" => time(3_600, 1),
            "day" | "days" => time(86_400, 1),
            "m" => length(1),
            "km" => length(1_000),
            _ if currency == Some(word) => Some(Self { dimension: Dimension::MONEY, factor: 1, divisor: 1 }),
            _ => None,
        }
    }

    /// A value in this unit, in base units: one f64 multiplication or division (R6.1).
    #[must_use]
    pub fn to_base(&self, value: f64) -> f64 {
        if self.divisor == 1 { value * f64::from(self.factor) } else { value / f64::from(self.divisor) }
    }
}
