//! The API through its routers.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod access;
mod alerts;
mod anomaly;
mod answers;
mod collector;
mod support;
