//! rewardc
pub mod builtins;
pub mod catalog;
pub mod check;
pub mod cli;
pub mod control;
#[cfg(feature = "data")]
pub mod data;
#[cfg(feature = "decoder")]
pub mod decoder;
pub mod diagnostic;
pub mod eval;
pub mod host;
pub mod program;
pub mod report;
pub mod schema;
pub mod slate;
pub mod source;
pub mod syntax;
pub mod testing;
#[cfg(feature = "decoder")]
pub mod train;
pub mod types;
mod write;
mod yaml;
