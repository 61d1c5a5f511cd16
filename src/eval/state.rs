//! The state of caps, handed in with a batch (R4.12). Only a controller moves it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::program::{Charge, Program};

/// The state of every cap that has one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlState {
    /// Id of the reward that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<String>,
    #[serde(default)]
    pub caps: BTreeMap<String, CapState>,
}

/// The state of one cap; what is left out starts at its beginning.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapState {
    /// Price of a `dual`, in units of an advantage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lambda: Option<f64>,
    /// Share over the window; left out: the bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Items this session was already shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<u64>,
    /// The matching ones among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matching: Option<Matching>,
}

/// Matching items shown, altogether or key by key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Matching {
    All(u64),
    PerKey(BTreeMap<String, u64>),
}

impl Matching {
    /// Of one key; altogether where there are no keys.
    #[must_use]
    pub fn of(&self, key: Option<&str>) -> u64 {
        match (self, key) {
            (Self::All(n), _) => *n,
            (Self::PerKey(map), Some(key)) => map.get(key).copied().unwrap_or(0),
            (Self::PerKey(map), None) => map.values().sum(),
        }
    }
}

/// More items than any session was shown.
const MOST_SHOWN: u64 = 1_000_000_000_000;

/// Something about a state that a user should know.
#[derive(Clone, Debug, PartialEq)]
pub enum StateNote {
    /// It was written for another reward.
    OtherReward { written: String, this: String },
    /// λ lay outside [0, MAX] and was brought in.
    BroughtIn { cap: String, was: f64, now: f64 },
}

impl std::fmt::Display for StateNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OtherReward { written, this } => write!(f, "the state was written for {written}, this is {this}"),
            Self::BroughtIn { cap, was, now } => write!(f, "the lambda of `{cap}` was {was} and is brought to {now}"),
        }
    }
}

impl ControlState {
    /// Reads a state from JSON.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    pub fn from_json(text: &str) -> Result<Self, String> {
        if !text.trim_start().starts_with('{') {
            return Err("it is not a JSON object".into());
        }
        let state: Self = serde_json::from_str(text).map_err(|e| e.to_string())?;
        for (name, cap) in &state.caps {
            let share_fits = cap.share.is_none_or(|s| (0.0..=1.0).contains(&s));
            if cap.lambda.is_some_and(|l| !l.is_finite()) {
                return Err(format!("`lambda` of `{name}` is not a finite number"));
            }
            if !share_fits {
                return Err(format!("`share` of `{name}` is not from 0 to 1"));
            }
            let counts = match &cap.matching {
                Some(Matching::All(n)) => vec![*n],
                Some(Matching::PerKey(map)) => map.values().copied().collect(),
                None => Vec::new(),
            };
            let shown = cap.shown.unwrap_or(0);
            if counts.iter().any(|n| *n > shown) || shown > MOST_SHOWN {
                return Err(format!("`{name}` has more `matching` than `shown`, or more `shown` than {MOST_SHOWN}"));
            }
        }
        Ok(state)
    }

    /// Nothing handed in: every cap at its start.
    #[must_use]
    pub fn is_start(&self) -> bool {
        self.caps.values().all(|c| *c == CapState::default())
    }

    /// What a user should know about using it with a program.
    #[must_use]
    pub fn notes(&self, program: &Program) -> Vec<StateNote> {
        let mut notes = Vec::new();
        let this = program.reward_id();
        if let Some(written) = self.reward.as_ref().filter(|w| **w != this) {
            notes.push(StateNote::OtherReward { written: written.clone(), this });
        }
        for (_, cap) in program.caps() {
            if let (Some(Charge::Dual { up_to }), Some(was)) =
                (cap.charge, self.caps.get(&cap.name).and_then(|c| c.lambda))
            {
                let now = was.clamp(0.0, program.setting(up_to));
                if now != was {
                    notes.push(StateNote::BroughtIn { cap: cap.name.clone(), was, now });
                }
            }
        }
        notes
    }
}
