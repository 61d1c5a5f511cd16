//! Levels, times of knowing, and hosts (R3.1, R5.8, R7.1).

use std::fmt;

/// Holders of values, from wide to narrow (R3.1). A wider value may be used at any narrower level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    Constant,
    Batch,
    Request,
    Slate,
    Candidate,
    Token,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Constant => "constant",
            Self::Batch => "batch",
            Self::Request => "request",
            Self::Slate => "slate",
            Self::Candidate => "candidate",
            Self::Token => "token",
        })
    }
}

/// When a value is first known, from early to late (R5.8).
///
/// `Code` (what a decoder knows while it writes a SID) lies between the request and the generated
/// candidate; `over batch` counts as `Target`, since it exists in the same hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Availability {
    Static,
    Request,
    Code,
    Generated,
    Predicted,
    Target,
    Observed,
}

impl Availability {
    /// Whether a value that is known then exists in this host.
    #[must_use]
    pub fn exists_in(self, host: Host) -> bool {
        match host {
            Host::Serving => self <= Self::Predicted,
            Host::Training => self <= Self::Target,
            Host::Logs => true,
        }
    }

    /// The word a schema uses for it, if it has one.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Some(match word {
            "static" => Self::Static,
            "request" => Self::Request,
            "generated" => Self::Generated,
            "predicted" => Self::Predicted,
            "target" => Self::Target,
            "observed" => Self::Observed,
            _ => return None,
        })
    }
}

impl fmt::Display for Availability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Static => "static",
            Self::Request => "request",
            Self::Code => "decoding",
            Self::Generated => "generated",
            Self::Predicted => "predicted",
            Self::Target => "target",
            Self::Observed => "observed",
        })
    }
}

/// A place where a reward is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    Training,
    Serving,
    Logs,
}

impl Host {
    /// All hosts, in the order in which messages list them.
    pub const ALL: [Host; 3] = [Host::Training, Host::Serving, Host::Logs];

    /// The host a word names.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|h| h.as_str() == word)
    }

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Serving => "serving",
            Self::Logs => "logs",
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
