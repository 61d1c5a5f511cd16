//! JSON with its numbers as they are written, and no key twice.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    /// As written: an id of thirty digits keeps all of them.
    Number(String),
    Text(String),
    List(Vec<Json>),
    /// Keys in the order they are written.
    Object(Vec<(String, Json)>),
}

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 32;

/// The largest whole number that a state or measurement may hold.
const MOST: u64 = 1_000_000_000_000;

impl Json {
    /// The entries of an object; `what` names it in the message.
    ///
    /// # Errors
    /// What it is instead, as a sentence.
    pub fn into_object(self, what: &str) -> Result<Vec<(String, Json)>, String> {
        match self {
            Json::Object(entries) => Ok(entries),
            other => Err(format!("{what} is an object in braces, not {}", other.kind())),
        }
    }

    /// A finite number.
    ///
    /// # Errors
    /// What it is instead, as a sentence.
    pub fn number(&self, what: &str) -> Result<f64, String> {
        match self {
            Json::Number(n) => n.parse().ok().filter(|v: &f64| v.is_finite()),
            _ => None,
        }
        .ok_or_else(|| format!("{what} is a number, not {}", self.kind()))
    }

    /// A whole number from 0.
    ///
    /// # Errors
    /// What it is instead, as a sentence.
    pub fn whole(&self, what: &str) -> Result<u64, String> {
        match self {
            Json::Number(n) => n.parse().ok().filter(|n| *n <= MOST),
            _ => None,
        }
        .ok_or_else(|| format!("{what} is a whole number from 0 to {MOST}, not {}", self.kind()))
    }

    /// Reads one value.
    ///
    /// # Errors
    /// What is wrong, in plain words.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(text).map_err(|_| "it is not UTF-8".to_string())?;
        Self::of(text.trim_matches(is_space), 0)
    }

    fn of(text: &str, depth: usize) -> Result<Self, String> {
        if depth > MAX_DEPTH {
            return Err(format!("it is nested more than {MAX_DEPTH} deep"));
        }
        let pieces = |e: serde_json::Error| plain(&e);
        match text.bytes().next() {
            Some(b'{') => {
                let Entries(entries) = serde_json::from_str(text).map_err(pieces)?;
                let read = |(key, value): (String, &RawValue)| Ok((key, Self::of(value.get(), depth + 1)?));
                entries.into_iter().map(read).collect::<Result<_, String>>().map(Self::Object)
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text).map_err(pieces)?;
                items.into_iter().map(|i| Self::of(i.get(), depth + 1)).collect::<Result<_, String>>().map(Self::List)
            }
            Some(b'"') => serde_json::from_str(text).map(Self::Text).map_err(pieces),
            Some(b'-' | b'0'..=b'9') => {
                serde_json::from_str::<&RawValue>(text).map(|n| Self::Number(n.get().to_string())).map_err(pieces)
            }
            _ => match serde_json::from_str(text).map_err(pieces)? {
                serde_json::Value::Bool(b) => Ok(Self::Bool(b)),
                _ => Ok(Self::Null),
            },
        }
    }

    /// What it is, for messages.
    #[must_use]
    pub fn kind(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Bool(b) => format!("`{b}`"),
            Self::Number(n) => format!("the number {}", n.chars().take(40).collect::<String>()),
            Self::Text(s) => format!("the text \"{}\"", s.chars().take(40).collect::<String>()),
            Self::List(_) => "a list".into(),
            Self::Object(_) => "an object".into(),
        }
    }

    /// Whether it is a whole number as written: digits alone.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Number(n) if n.bytes().all(|b| b == b'-' || b.is_ascii_digit()))
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// The reason without the position in the line that the reader adds.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_string()
}

/// An object's keys, each once, with the text of their values.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut entries, mut seen) = (Vec::new(), HashSet::new());
        while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom(format!("it has the key `{key}` twice")));
            }
            entries.push((key, value));
        }
        Ok(Entries(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::Json;

    #[test]
    fn digits_are_kept_and_keys_stand_once() {
        let read = |text: &str| Json::read(text.as_bytes());
        let id = "99999999999999999999999999";
        assert_eq!(read(&format!(" {{\"a\": [{id}]}}")).unwrap(), {
            Json::Object(vec![("a".into(), Json::List(vec![Json::Number(id.into())]))])
        });
        assert_eq!(read("{\"a\": 1, \"a\": 2}").unwrap_err(), "it has the key `a` twice");
        assert!(read("{\"a\": 01}").is_err());
        assert!(read("{\"a\": NaN}").is_err());
        assert!(read("1 2").is_err());
        assert!(read(&"[".repeat(100_000)).is_err());
        assert!(read(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))).is_err());
    }
}
