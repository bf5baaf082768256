//! Signals through their store.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod kept;
mod life;
mod observe;
