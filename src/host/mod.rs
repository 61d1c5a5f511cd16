//! The plug-in point: a reward in somebody's own training loop or server.
//!
//! ```text
//! Reward ──bind──▶ Binding ──build──▶ Scorer ──score(requests, rollouts)──▶ Scored
//!                   (providers, all or a message)     │
//!                        columns lent, items behind SIDs, signal sources asked ─▶ eval::Batch
//! ```
//!
//! A rollout is only codes. Everything else that a reward reads of it has an owner (docs/schema.md),
//! and a binding is refused until each has a provider. Nothing here knows of decoders or the command line.

mod bind;
mod bound;
mod choose;
mod classes;
mod end;
mod faults;
mod gather;
mod given;
mod groups;
mod inputs;
mod masks;
mod owned;
mod pairs;
mod providers;
mod reads;
mod reward;
mod scored;
mod scorer;
mod sources;
mod state;

pub use crate::diagnostic::Unsound;
pub use crate::slate::Choice;
#[cfg(all(feature = "data", feature = "decoder"))]
pub(crate) use bind::is_predictable;
pub use bind::{Binding, Decode, Order};
pub use bound::Capacity;
pub use choose::{ChosenSlate, Slates};
pub use given::Given;
pub use inputs::{Groups, InputId, Requests, Rollouts};
pub use owned::{OwnedColumn, OwnedValues};
pub use pairs::SignalCounts;
pub use reward::{Need, Owner, Reward};
pub use scored::{Scored, StepCounts};
pub use scorer::{Scorer, Step};
pub use sources::{CoOccurrence, Pairs, SignalFn, SignalSource, Signals, TableBy, TableSignals};
pub(crate) use state::load_or_start_of;
pub use state::{load_or_start, save};
