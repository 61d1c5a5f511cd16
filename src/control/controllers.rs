//! How each cap's state is moved.

use std::collections::BTreeMap;

use crate::eval::ControlState;

/// The controllers of a reward, by cap.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Controllers {
    pub name: String,
    pub caps: BTreeMap<String, Controller>,
}

/// How the state of one cap is moved.
#[derive(Clone, Debug, PartialEq)]
pub struct Controller {
    pub counts: Counted,
    /// How λ follows what was measured; none for a cap whose state is only a share.
    pub rule: Option<Rule>,
    /// λ moves once this much was counted; at every step where left out.
    pub window: Option<Every>,
    /// After this much, a measurement weighs half; left out: each window stands for itself.
    pub half_life: Option<Every>,
    /// λ before anything was measured, within `limits`.
    pub start: f64,
    /// λ stays within these, which lie within 0 and the cap's `up to`.
    pub limits: (f64, f64),
    pub stale: Stale,
}

/// What a controller counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// What the policy wrote: measured by the scorer itself in training.
    Generated,
    /// What users were shown: handed in, or measured where slates are chosen or logged.
    Shown,
}

impl Counted {
    /// The word in controller files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::Shown => "shown",
        }
    }
}

/// An amount of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    Requests(u64),
    Steps(u64),
}

impl std::fmt::Display for Every {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Requests(n) => write!(f, "{n} requests"),
            Self::Steps(n) => write!(f, "{n} steps"),
        }
    }
}

/// How λ follows the error: how far the share is past the bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Projected sub-gradient of the dual problem: `inner ← clip(inner + gain · error)`, and λ is an
    /// average of `inner` (Nedić and Ozdaglar, *Approximate primal solutions and rate analysis for dual
    /// subgradient methods*, 2009).
    Gradient { gain: f64, averaging: Averaging },
    /// `λ = clip(p · error + inner + d · (error − the last one))`, `inner ← clip(inner + i · error)`; the
    /// integral stands still while λ is at a limit and the error pushes on (anti-windup by clamping).
    Pid { p: f64, i: f64, d: f64 },
}

/// Over what λ is averaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Averaging {
    /// λ is the last iterate.
    Last,
    /// The mean of all iterates.
    All,
    /// An iterate weighs half after so many updates.
    HalfLife(u64),
}

/// What happens when nothing is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale {
    /// Steps without a measurement, or its age in steps, past which it counts as none.
    pub after: u64,
    pub then: Then,
}

/// What a stale measurement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// λ stays.
    Hold,
    /// λ goes back to its start, and what was smoothed is forgotten.
    Start,
    /// The step is refused (RW0906).
    Stop,
}

impl Controller {
    /// Whether it must know how many requests a measurement stands for.
    #[must_use]
    pub fn counts_requests(&self) -> bool {
        [self.window, self.half_life].iter().any(|e| matches!(e, Some(Every::Requests(_))))
    }
}

impl Controllers {
    /// Gives every price that a state does not have yet its start.
    pub fn begin(&self, state: &mut ControlState) {
        for (name, controller) in self.caps.iter().filter(|(_, c)| c.rule.is_some()) {
            state.caps.entry(name.clone()).or_default().lambda.get_or_insert(controller.start);
        }
    }
}
