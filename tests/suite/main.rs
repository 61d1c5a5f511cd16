//! All integration tests in one binary: each binary more would link polars once more.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and says what it skips"
)]

#[cfg(feature = "data")]
mod allocations;
mod cli;
mod conformance;
mod control;
mod corpus;
#[cfg(feature = "data")]
mod data_cases;
mod gather;
#[cfg(feature = "data")]
mod host;
mod masks;
mod pages;
mod programs;
mod properties;
#[cfg(feature = "data")]
mod public_sids;
mod serving;
#[cfg(feature = "data")]
mod signals;
mod slates;
mod tidy;
