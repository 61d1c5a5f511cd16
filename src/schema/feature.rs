//! One feature of a schema.

use crate::source::Span;
use crate::types::{Availability, Interval, Level, Scale, Ty, Unit};

/// Whom a feature belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entity {
    Item,
    User,
    Request,
    Rollout,
    Model,
    Impression,
    Target,
    Given,
}

impl Entity {
    /// All words, for messages.
    pub const WORDS: [&str; 8] = ["item", "user", "request", "rollout", "model", "impression", "target", "given"];

    /// The entity a word names.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Some(match word {
            "item" => Self::Item,
            "user" => Self::User,
            "request" => Self::Request,
            "rollout" => Self::Rollout,
            "model" => Self::Model,
            "impression" => Self::Impression,
            "target" => Self::Target,
            "given" => Self::Given,
            _ => return None,
        })
    }

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::User => "user",
            Self::Request => "request",
            Self::Rollout => "rollout",
            Self::Model => "model",
            Self::Impression => "impression",
            Self::Target => "target",
            Self::Given => "given",
        }
    }

    /// When its features are known, where nothing else is said (R5.8).
    #[must_use]
    pub fn availability(self) -> Availability {
        match self {
            Self::Item => Availability::Static,
            Self::User | Self::Request => Availability::Request,
            Self::Rollout => Availability::Generated,
            Self::Model | Self::Given => Availability::Predicted,
            Self::Target => Availability::Target,
            Self::Impression => Availability::Observed,
        }
    }

    /// What holds its features.
    #[must_use]
    pub fn level(self) -> Level {
        match self {
            Self::User | Self::Request => Level::Request,
            _ => Level::Candidate,
        }
    }
}

/// Whether more of it is better or worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Good,
    Bad,
}

/// A raw value as the schema writes it, before any cleaning.
#[derive(Clone, Debug, PartialEq)]
pub enum Raw {
    Number(f64),
    Text(String),
}

impl Raw {
    /// Whether a raw number is this value.
    #[must_use]
    pub fn is_number(&self, raw: f64) -> bool {
        matches!(self, Self::Number(a) if *a == raw)
    }

    /// Whether a raw text is this value.
    #[must_use]
    pub fn is_text(&self, raw: &str) -> bool {
        match self {
            Self::Number(a) => raw.parse() == Ok(*a),
            Self::Text(a) => a == raw,
        }
    }

    /// Whether a raw condition is this value.
    #[must_use]
    pub fn is_bool(&self, raw: bool) -> bool {
        match self {
            Self::Number(a) => *a == f64::from(raw),
            Self::Text(a) => a.parse() == Ok(raw),
        }
    }
}

/// The categories a feature may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Names {
    Open,
    Declared(std::sync::Arc<[String]>),
}

/// Bounds that values are brought into, counted.
pub type Clip = Interval;

/// One feature.
#[derive(Clone, Debug)]
pub struct Feature {
    pub name: String,
    pub entity: Entity,
    pub scale: Scale,
    /// Columns, the first that is known wins: source (index) and column.
    pub from: Vec<(usize, String)>,
    pub unit: Option<Unit>,
    /// The name of the unit, for messages and for the reward id.
    pub unit_word: Option<String>,
    /// In base units, closed; numbers and vectors' components only.
    pub range: Interval,
    pub missing: Vec<Raw>,
    pub nullable: bool,
    pub clip: Option<Clip>,
    pub names: Names,
    /// Raw values that mean true; empty: 1 and true.
    pub truths: Vec<Raw>,
    /// What separates the members of a set in one text.
    pub split: Option<String>,
    pub availability: Availability,
    pub direction: Option<Direction>,
    /// What a test's item has where it says nothing, as written.
    pub example: Option<(String, Span)>,
    pub about: Option<String>,
    /// Codes per level, of a SID.
    pub shape: Vec<u32>,
    pub span: Span,
}

impl Feature {
    /// Whether a raw number means that the value is missing.
    #[must_use]
    pub fn is_missing_number(&self, raw: f64) -> bool {
        self.missing.iter().any(|m| m.is_number(raw))
    }

    /// Whether a raw text means that the value is missing.
    #[must_use]
    pub fn is_missing_text(&self, raw: &str) -> bool {
        self.missing.iter().any(|m| m.is_text(raw))
    }

    /// A raw number in base units and within `clip`, and whether the clip changed it.
    #[must_use]
    pub fn cleaned(&self, raw: f64) -> (f64, bool) {
        let value = self.unit.as_ref().map_or(raw, |u| u.to_base(raw));
        match self.clip {
            Some(clip) if value < clip.lo || value > clip.hi => (value.clamp(clip.lo, clip.hi), true),
            _ => (value, false),
        }
    }

    /// Whether a raw number is used as it is.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.unit.as_ref().is_none_or(|u| u.factor == 1 && u.divisor == 1)
            && self.clip.is_none()
            && self.missing.is_empty()
    }

    /// The type of its values.
    #[must_use]
    pub fn ty(&self) -> Ty {
        match (&self.names, self.scale) {
            (Names::Declared(names), Scale::Category) => Ty::Category(Some(names.clone())),
            _ => self.scale.ty(),
        }
    }
}
