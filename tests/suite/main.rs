//! All integration tests in one binary: each binary more would link polars once more.

mod conformance;
