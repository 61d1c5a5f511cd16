//! Moving the state of caps: what was measured goes in, the next state comes out.
//!
//! ```text
//! Observed ─┐
//! state ────┼─ step (pure) ─▶ state, what moved
//! YAML ─▶ Controllers
//! ```
//!
//! How a controller moves λ stands in a file of its own (`docs/control.md`): tuning it does not change the
//! reward. Nothing here knows of hosts, decoders or the command line.

mod controllers;
mod observed;
mod read;
mod rule;
mod step;

pub use controllers::{Averaging, Controller, Controllers, Counted, Every, Rule, Stale, Then};
pub use observed::{Observed, Seen};
pub use step::{Moved, Stepped, step};
