//! Which way a result moves.

use crate::types::Interval;

/// How a result moves when something grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trend {
    Flat,
    Rising,
    Falling,
    Unknown,
}

impl Trend {
    /// The other way round.
    #[must_use]
    pub fn turned(self) -> Self {
        match self {
            Self::Rising => Self::Falling,
            Self::Falling => Self::Rising,
            other => other,
        }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Flat, x) | (x, Self::Flat) => x,
            (a, b) if a == b => a,
            _ => Self::Unknown,
        }
    }

    /// One behind the other: an argument that moves so, in a place that moves so.
    #[must_use]
    pub fn then(self, outer: Self) -> Self {
        match (self, outer) {
            (Self::Flat, _) | (_, Self::Flat) => Self::Flat,
            (x, Self::Rising) => x,
            (x, Self::Falling) => x.turned(),
            _ => Self::Unknown,
        }
    }

    /// Of a factor, by the sign of what it is multiplied with.
    #[must_use]
    pub fn by_sign(of: Interval) -> Self {
        if of.lo >= 0.0 {
            Self::Rising
        } else if of.hi <= 0.0 {
            Self::Falling
        } else {
            Self::Unknown
        }
    }
}
