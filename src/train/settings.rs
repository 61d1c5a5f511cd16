//! What the bits of a run follow from besides its data: kept in its checkpoint, and compared when it goes on.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// Settings by name, as JSON writes them.
pub type Settings = BTreeMap<String, String>;

/// The settings of a part of a config, with the seed. How long a run is and how often it is looked at is not among
/// them: a run may be made longer.
#[must_use]
pub fn settings<T: Serialize>(of: &T, seed: u64) -> Settings {
    let Ok(Value::Object(all)) = serde_json::to_value(of) else { return Settings::new() };
    let kept = all.into_iter().filter(|(name, _)| name != "steps" && name != "watch");
    kept.map(|(name, value)| (name, value.to_string())).chain([("seed".to_string(), seed.to_string())]).collect()
}

/// What differs, as a sentence; nothing where one of both says nothing.
#[must_use]
pub fn differences(kept: &Settings, asked: &Settings) -> Option<String> {
    let differs = |(name, value): (&String, &String)| {
        let other = asked.get(name).map_or("none", String::as_str);
        (other != value).then(|| format!("`{name}` is {value}, and this run says {other}"))
    };
    let added = asked.iter().filter(|(name, _)| !kept.contains_key(*name));
    let added = added.map(|(name, value)| format!("`{name}` is none, and this run says {value}"));
    let all: Vec<String> = kept.iter().filter_map(differs).chain(added).collect();
    (!kept.is_empty() && !all.is_empty()).then(|| all.join("; "))
}
