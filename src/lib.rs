//! rewardc
pub mod builtins;
pub mod check;
pub mod cli;
pub mod diagnostic;
pub mod eval;
pub mod program;
pub mod report;
pub mod schema;
pub mod source;
pub mod syntax;
pub mod testing;
pub mod types;
