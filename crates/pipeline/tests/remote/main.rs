//! The remote anomaly service through real ports: one that works, and all the ways in which it may not.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod client;
mod pipeline_with_it;
mod service;
