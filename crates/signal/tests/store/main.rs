//! Signals through their store.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod background;
mod hiding;
mod incidents;
mod kept;
mod life;
mod list;
mod observe;
mod page;
mod past;
mod replay;
mod ways;
