//! What was measured of a step: the only thing that moves a state.

use std::collections::BTreeMap;

use crate::eval::{Matching, Share};
use crate::program::{Cap, CapSpan, Program};
use crate::source::Json;

/// What was measured since the state was moved last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// Requests that it stands for.
    pub requests: u64,
    pub caps: BTreeMap<String, Seen>,
}

/// What was seen of one cap's class.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// Its share in the cap's spans, measured so many steps ago.
    Share { share: Share, age: u64 },
    /// Items that a session was shown, and the matching ones among them.
    Shown { shown: u64, matching: Matching },
}

impl Observed {
    /// Reads a measurement:
    /// `{"requests": 500, "caps": {"ads": {"spans": 500, "share": 0.12, "age": 2}}}`; of a cap whose bound
    /// is a count also `"members"`, the size of a span; of a session's cap `{"shown": 10, "matching": 3}`.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    pub fn from_json(text: &str, program: &Program) -> Result<Self, String> {
        let mut observed = Self::default();
        for (key, value) in Json::read(text.as_bytes())?.into_object("it")? {
            match key.as_str() {
                "requests" => observed.requests = value.whole("`requests`")?,
                "caps" => {
                    for (name, value) in value.into_object("`caps`")? {
                        let cap = program.caps().map(|(_, c)| c).find(|c| c.name == name);
                        let cap = cap.ok_or_else(|| format!("the reward has no cap `{name}`"))?;
                        let seen = Seen::of(cap, value, program).map_err(|why| format!("of `{name}`, {why}"))?;
                        observed.caps.insert(name, seen);
                    }
                }
                other => return Err(format!("`{other}` is none of its keys, which are `requests` and `caps`")),
            }
        }
        Ok(observed)
    }
}

impl Seen {
    fn of(cap: &Cap, value: Json, program: &Program) -> Result<Self, String> {
        let mut fields: BTreeMap<String, Json> = value.into_object("what was seen")?.into_iter().collect();
        let mut take = |key: &str| fields.remove(key);
        let seen = if cap.span_kind == CapSpan::Session {
            let shown = take("shown").unwrap_or(Json::Null).whole("`shown`")?;
            let matching = match take("matching").unwrap_or(Json::Null) {
                Json::Object(keys) => {
                    let counted = keys.into_iter().map(|(k, n)| Ok((k.clone(), n.whole(&format!("`{k}`"))?)));
                    Matching::PerKey(counted.collect::<Result<_, String>>()?)
                }
                other => Matching::All(other.whole("`matching`")?),
            };
            if matching.of(None) > shown {
                return Err("more are `matching` than `shown`".into());
            }
            Self::Shown { shown, matching }
        } else {
            let spans = take("spans").unwrap_or(Json::Null).whole("`spans`")?;
            let mean = take("share").unwrap_or(Json::Null).number("`share`")?;
            let age = take("age").map_or(Ok(0), |n| n.whole("`age`"))?;
            let members = take("members").map(|n| n.whole("`members`")).transpose()?.filter(|n| *n > 0);
            let target = match (program.bound(cap.bound), members) {
                (Err(share), _) => share.to_f64(),
                (Ok(count), Some(members)) => count.min(members) as f64 / members as f64,
                (Ok(_), None) => {
                    return Err("the bound is a count, so `members` must say how many a span holds".into());
                }
            };
            if !(0.0..=1.0).contains(&mean) {
                return Err(format!("`share` is from 0 to 1, not {mean}"));
            }
            let n = spans as f64;
            Self::Share { share: Share { spans, sum: n * mean, targets: n * target }, age }
        };
        match fields.keys().next() {
            Some(other) => Err(format!("`{other}` is nothing that is measured of this cap")),
            None => Ok(seen),
        }
    }
}
