//! Words that syntax and programs share: channels, and places in a span.

/// The channels besides `reward`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    SlateReward,
    Advantage,
    SampleWeight,
    TokenReward,
    TokenAdvantage,
    TokenWeight,
    Hint,
    Monitor,
}

impl ChannelKind {
    /// How it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::SlateReward => "slate reward",
            Self::Advantage => "advantage",
            Self::SampleWeight => "sample weight",
            Self::TokenReward => "token reward",
            Self::TokenAdvantage => "token advantage",
            Self::TokenWeight => "token weight",
            Self::Hint => "hint",
            Self::Monitor => "monitor",
        }
    }

    /// Whether it gives one number for each SID level.
    #[must_use]
    pub fn is_token(self) -> bool {
        matches!(self, Self::TokenReward | Self::TokenAdvantage | Self::TokenWeight)
    }
}

/// Which members of a span, by their place to the candidate's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Narrowing {
    Before,
    To,
    From,
    After,
    Except,
}
