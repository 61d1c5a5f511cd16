//! `rewardc fmt`.

use super::args::FmtArgs;
use super::{Exit, Ui};

pub fn run(_args: &FmtArgs, _ui: &mut Ui) -> Exit {
    Exit::Fine
}
