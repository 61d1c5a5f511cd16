//! Scales: what a schema or a function parameter says a value is.

use super::{Dimension, Interval, Ty};

/// The scale of a feature, a table value or a function parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    Probability,
    Logit,
    Ratio,
    Count,
    Duration,
    Money,
    Length,
    Number,
    Bool,
    Category,
    Id,
    Sid,
    Vector(usize),
    Set,
}

impl Scale {
    /// The words a scale may be written with, for messages.
    pub const WORDS: [&str; 14] = [
        "probability",
        "logit",
        "ratio",
        "count",
        "duration",
        "money",
        "length",
        "number",
        "bool",
        "category",
        "id",
        "sid",
        "vector",
        "set",
    ];

    /// Reads a scale as written, `vector(64)` included.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(size) = text.strip_prefix("vector") {
            let size = size.trim().strip_prefix('(')?.strip_suffix(')')?.trim().parse().ok()?;
            return (1..=65_536).contains(&size).then_some(Self::Vector(size));
        }
        Some(match text {
            "probability" => Self::Probability,
            "logit" => Self::Logit,
            "ratio" => Self::Ratio,
            "count" => Self::Count,
            "duration" => Self::Duration,
            "money" => Self::Money,
            "length" => Self::Length,
            "number" => Self::Number,
            "bool" => Self::Bool,
            "category" => Self::Category,
            "id" => Self::Id,
            "sid" => Self::Sid,
            "set" => Self::Set,
            _ => return None,
        })
    }

    /// The type of its values; categories come without names.
    #[must_use]
    pub fn ty(self) -> Ty {
        let real = |dimension| Ty::Number { dimension, whole: false };
        match self {
            Self::Probability | Self::Logit | Self::Ratio | Self::Number => Ty::REAL,
            Self::Count => Ty::WHOLE,
            Self::Duration => real(Dimension::TIME),
            Self::Money => real(Dimension::MONEY),
            Self::Length => real(Dimension::LENGTH),
            Self::Bool => Ty::Bool,
            Self::Category => Ty::Category(None),
            Self::Id => Ty::Id,
            Self::Sid => Ty::Sid,
            Self::Vector(n) => Ty::Vector(n),
            Self::Set => Ty::Set,
        }
    }

    /// The range taken where a schema gives none, in base units; `None` where it must say.
    #[must_use]
    pub fn default_range(self) -> Option<Interval> {
        match self {
            Self::Probability => Some(Interval::new(0.0, 1.0)),
            Self::Ratio => Some(Interval::new(0.0, 1_000.0)),
            Self::Logit => Some(Interval::new(-30.0, 30.0)),
            Self::Count => Some(Interval::new(0.0, 1e12)),
            Self::Duration => Some(Interval::new(0.0, 3_650.0 * 86_400.0)),
            Self::Money => Some(Interval::new(-1e9, 1e9)),
            Self::Length => Some(Interval::new(0.0, 4e7)),
            Self::Vector(_) => Some(Interval::new(-1e15, 1e15)),
            _ => None,
        }
    }

    /// Whether values are numbers.
    #[must_use]
    pub fn is_number(self) -> bool {
        self.ty().is_number()
    }
}
