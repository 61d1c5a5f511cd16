//! The state of caps, handed in with a batch (R4.12). Only a controller moves it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Memory;
use crate::program::{Charge, Program};
use crate::source::Json;

/// The state of every cap that has one.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ControlState {
    /// Id of the reward that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reward: Option<String>,
    pub caps: BTreeMap<String, CapState>,
}

/// The state of one cap; what is left out starts at its beginning.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CapState {
    /// Price of a `dual`, in units of an advantage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lambda: Option<f64>,
    /// Share over the window; left out: the bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Items this session was already shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown: Option<u64>,
    /// The matching ones among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matching: Option<Matching>,
    /// What its controller remembers; nothing else reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
}

/// Matching items shown, altogether or key by key.
#[derive(Clone, Debug, PartialEq, Serialize)]
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

/// Version of the form in which states are written.
const VERSION: &str = "1";

impl CapState {
    fn of(name: &str, value: Json) -> Result<Self, String> {
        let mut cap = Self::default();
        for (key, value) in value.into_object(&format!("the cap `{name}`"))? {
            let what = format!("`{key}` of `{name}`");
            match key.as_str() {
                "lambda" => cap.lambda = Some(value.number(&what)?),
                "share" => cap.share = Some(value.number(&what)?),
                "shown" => cap.shown = Some(value.whole(&what)?),
                "matching" => cap.matching = Some(Matching::of_json(value, &what)?),
                "memory" => cap.memory = Some(Memory::of_json(value, &what)?),
                _ => {
                    return Err(format!(
                        "{what} is unknown: a cap has `lambda`, `share`, `shown`, `matching` and `memory`"
                    ));
                }
            }
        }
        if cap.share.is_some_and(|s| !(0.0..=1.0).contains(&s)) {
            return Err(format!("`share` of `{name}` is not from 0 to 1"));
        }
        let most = match &cap.matching {
            Some(Matching::All(n)) => *n,
            Some(Matching::PerKey(map)) => map.values().sum(),
            None => 0,
        };
        if most > cap.shown.unwrap_or(0) {
            return Err(format!("`{name}` has more `matching` than `shown`"));
        }
        Ok(cap)
    }
}

impl Matching {
    fn of_json(value: Json, what: &str) -> Result<Self, String> {
        match value {
            Json::Object(keys) => keys
                .into_iter()
                .map(|(key, n)| Ok((key.clone(), n.whole(&format!("`{key}` in {what}"))?)))
                .collect::<Result<_, String>>()
                .map(Self::PerKey),
            other => other.whole(what).map(Self::All),
        }
    }
}

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
        let mut state = Self::default();
        for (key, value) in Json::read(text.as_bytes())?.into_object("it")? {
            match (key.as_str(), value) {
                ("version", Json::Number(n)) if n == VERSION => {}
                ("version", other) => {
                    return Err(format!("its version is {}, and this rewardc knows {VERSION}", other.kind()));
                }
                ("reward", Json::Text(id)) => state.reward = Some(id),
                ("reward", other) => return Err(format!("`reward` is the id of a reward, not {}", other.kind())),
                ("caps", caps) => {
                    for (name, cap) in caps.into_object("`caps`")? {
                        let read = CapState::of(&name, cap)?;
                        state.caps.insert(name, read);
                    }
                }
                (other, _) => {
                    return Err(format!("`{other}` is none of its keys, which are `version`, `reward` and `caps`"));
                }
            }
        }
        Ok(state)
    }

    /// As JSON, with the version of its form.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let (Some(object), Ok(version)) = (value.as_object_mut(), VERSION.parse::<u64>()) {
            object.insert("version".into(), version.into());
        }
        format!("{value:#}\n")
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
