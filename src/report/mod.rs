//! Explaining scores to people: one score as a sum, many as a summary.

mod explain;
mod summary;

pub use explain::{Explanation, Line, Style, explain};
pub use summary::{Summary, summarize};
