//! Few signals that a person can act on: findings about the same thing grouped into one that is kept, follows its
//! life cycle, and is put into words.
//!
//! It knows neither how things are found nor how anybody is told, and words of a signal never come from a log without
//! being marked as such.

pub mod narrative;
mod signal;

pub use signal::{Evidence, Signal, SignalId, State};
