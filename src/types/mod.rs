//! What values are: types, dimensions, scales, intervals, levels and availability.
//!
//! The schema, the function table, the checker and the evaluators share these words; nothing here
//! knows of syntax or of data.

mod channel;
mod decimal;
mod dimension;
mod interval;
mod level;
mod scale;
mod shown;
mod words;

pub use channel::{ChannelKind, Narrowing};
pub use decimal::Decimal;
pub use dimension::{Dimension, Unit};
pub use interval::{Interval, LIMIT, round_to_f32};
pub use level::{Availability, Host, Level};
pub use scale::Scale;
pub use shown::shown_number;
pub use words::{OUTPUT_NAMES, RESERVED, VALUE_WORDS};

/// The type of a value (R5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ty {
    /// A number with a dimension; `whole` numbers may stand where real ones may, not the other way.
    Number {
        dimension: Dimension,
        whole: bool,
    },
    Bool,
    /// A category of a feature; the names are those the schema declares, `None` for `names: open`.
    Category(Option<std::sync::Arc<[String]>>),
    Id,
    Sid,
    /// A vector of this many numbers.
    Vector(usize),
    /// A set of texts.
    Set,
    /// A text literal; it takes the type of the category, id or set it is compared with.
    Text,
}

impl Ty {
    /// A real number without a dimension.
    pub const REAL: Ty = Ty::Number { dimension: Dimension::NONE, whole: false };
    /// A whole number.
    pub const WHOLE: Ty = Ty::Number { dimension: Dimension::NONE, whole: true };

    /// Whether it is a number of any kind.
    #[must_use]
    pub fn is_number(&self) -> bool {
        matches!(self, Ty::Number { .. })
    }

    /// The dimension of a number, none for everything else.
    #[must_use]
    pub fn dimension(&self) -> Dimension {
        match self {
            Ty::Number { dimension, .. } => *dimension,
            _ => Dimension::NONE,
        }
    }

    /// Whether it is a whole number.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        matches!(self, Ty::Number { whole: true, .. })
    }

    /// Whether values of this type can be told equal or not (R5.2).
    #[must_use]
    pub fn is_comparable(&self) -> bool {
        matches!(self, Ty::Number { whole: true, .. } | Ty::Bool | Ty::Category(_) | Ty::Id | Ty::Sid | Ty::Text)
    }
}

impl std::fmt::Display for Ty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ty::Number { dimension, whole: true } if dimension.is_none() => f.write_str("a whole number"),
            Ty::Number { dimension, .. } => f.write_str(dimension.words()),
            Ty::Bool => f.write_str("a condition"),
            Ty::Category(_) => f.write_str("a category"),
            Ty::Id => f.write_str("an id"),
            Ty::Sid => f.write_str("a SID"),
            Ty::Vector(n) => write!(f, "a vector of {n}"),
            Ty::Set => f.write_str("a set"),
            Ty::Text => f.write_str("a text"),
        }
    }
}
