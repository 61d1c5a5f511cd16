//! rewardc
pub mod builtins;
pub mod catalog;
pub mod check;
pub mod cli;
pub mod control;
#[cfg(feature = "data")]
pub mod data;
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
pub mod types;
mod write;
mod yaml;
