//! Sends what waits: samples in order, at a bounded rate after an outage, and logs beside them.

mod events;
mod follower;
mod reach;
mod samples;

pub(crate) use events::{Events, LogCounts, events};
pub(crate) use follower::Follower;
pub(crate) use reach::Reach;
pub(crate) use samples::{Samples, samples};
