//! SIDs as MiniOneRec writes them: `{"0": ["<a_21>", "<b_3>", "<c_250>"], …}`.

use std::path::Path;

use super::{Fault, fault};
use crate::catalog::{MemoryCatalog, Sids};
use crate::diagnostic::{Diagnostic, code};
use crate::source::Json;

/// Items by key with the codes of their tokens; of the shape `shape`.
///
/// # Errors
/// A file that cannot be read, is not of this form, or holds codes outside the shape (RW0601, RW0611).
pub fn read(path: &Path, shape: &[u32]) -> Result<MemoryCatalog, Fault> {
    let name = path.display().to_string();
    let text = std::fs::read(path).map_err(|e| fault(&code::DATA_FILE, format!("cannot read `{name}`: {e}")))?;
    let refused = |why: String| {
        Box::new(
            Diagnostic::bare(&code::CATALOG, format!("`{name}` is no list of SIDs: {why}"))
                .help(r#"for example {"i1": ["<a_21>", "<b_3>", "<c_250>"]}"#),
        )
    };
    let entries = Json::read(&text).and_then(|json| json.into_object("it")).map_err(refused)?;
    let (mut keys, mut codes) = (Vec::with_capacity(entries.len()), Vec::new());
    for (key, value) in entries {
        let tokens = match value {
            Json::List(tokens) if tokens.len() == shape.len() => tokens,
            _ => return Err(refused(format!("the item {key} has no list of {} codes", shape.len()))),
        };
        for (token, size) in tokens.iter().zip(shape) {
            let written = match token {
                Json::Text(token) => token.trim_matches(|c: char| !c.is_ascii_digit()).parse().ok(),
                Json::Number(number) => number.parse().ok(),
                _ => None,
            };
            match written.filter(|c: &u32| c < size) {
                Some(code) => codes.push(code),
                None => return Err(refused(format!("a code of the item {key} is none of 0 … {}", size - 1))),
            }
        }
        keys.push(key);
    }
    MemoryCatalog::new(keys, Some(Sids { codes: &codes, levels: shape.len() }))
}
