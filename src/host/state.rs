//! The state of caps on disk: read once, written whole or not at all.

use std::io::Write;
use std::path::Path;

use super::reward::Reward;
use crate::check::unreadable;
use crate::diagnostic::{Diagnostic, Fault, code};
use crate::eval::ControlState;
use crate::source::DiskFiles;
use crate::write::write_whole;

/// Reads the state of a reward; where there is no file yet, every cap is at its start.
///
/// # Errors
/// A file that cannot be read (RW0801), is no state, or belongs to another reward (RW0807).
pub fn load_or_start(path: impl AsRef<Path>, reward: &Reward) -> Result<ControlState, Fault> {
    load_or_start_of(path.as_ref(), &reward.id())
}

/// The same for the reward of this id.
pub(crate) fn load_or_start_of(path: &Path, reward: &str) -> Result<ControlState, Fault> {
    if !path.exists() {
        return Ok(ControlState { reward: Some(reward.to_string()), ..ControlState::default() });
    }
    let read = DiskFiles::around(path).and_then(|files| files.read_entry(path));
    let (_, text) = read.map_err(|fault| Box::new(unreadable(path, &fault)))?;
    let refused = |why: String| {
        Box::new(
            Diagnostic::bare(&code::STATE, format!("`{}` is not a state of this reward: {why}", path.display()))
                .help("take the file away to start anew"),
        )
    };
    let state = ControlState::from_json(&text).map_err(refused)?;
    match &state.reward {
        Some(id) if *id != reward => Err(refused(format!("it belongs to {id}, and this is {reward}"))),
        _ => Ok(state),
    }
}

/// Writes a state: whoever reads the path finds the old one or the new one, whole.
///
/// # Errors
/// A path that cannot be written (RW0805); the old state is still there.
pub fn save(state: &ControlState, path: impl AsRef<Path>) -> Result<(), Fault> {
    let path = path.as_ref();
    write_whole(path, |file| file.write_all(state.to_json().as_bytes()))
        .map_err(|e| Box::new(Diagnostic::bare(&code::UNWRITABLE, format!("cannot write `{}`: {e}", path.display()))))
}
