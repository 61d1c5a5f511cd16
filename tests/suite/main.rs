//! All integration tests in one binary: each binary more would link polars once more.

mod conformance;
#[cfg(feature = "data")]
mod data_cases;
