//! Values while they are worked out.

/// A value; numbers carry their error bound (R6.3).
#[derive(Clone, Copy, Debug)]
pub enum Value<'b> {
    Number {
        value: f64,
        error: f64,
    },
    Bool(bool),
    /// Number of a text.
    Text(u32),
    Sid(&'b [u32]),
    Vector(&'b [f32]),
    Set(&'b [u32]),
    Missing,
}

/// A value by which members are told apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    None,
    Whole(i64),
    Text(u32),
    Sid(Vec<u32>),
}

impl Value<'_> {
    /// A number without error.
    pub fn exact(value: f64) -> Self {
        Self::Number { value, error: 0.0 }
    }

    /// The number; conditions are 1 and 0.
    pub fn number(&self) -> f64 {
        match self {
            Self::Number { value, .. } => *value,
            Self::Bool(b) => f64::from(*b),
            _ => 0.0,
        }
    }

    /// The number's error bound.
    pub fn error(&self) -> f64 {
        match self {
            Self::Number { error, .. } => *error,
            _ => 0.0,
        }
    }

    /// Whether it is the condition true.
    pub fn is_true(&self) -> bool {
        matches!(self, Self::Bool(true))
    }

    /// Whether it is missing.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }

    /// Equality of comparable values.
    pub fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number { value: a, .. }, Self::Number { value: b, .. }) => a == b,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Sid(a), Self::Sid(b)) => a == b,
            _ => false,
        }
    }

    /// As a key of `per`, `entropy` and caps.
    pub fn key(&self) -> Key {
        match self {
            Self::Number { value, .. } => Key::Whole(*value as i64),
            Self::Bool(b) => Key::Whole(i64::from(*b)),
            Self::Text(t) => Key::Text(*t),
            Self::Sid(s) => Key::Sid(s.to_vec()),
            _ => Key::None,
        }
    }
}
