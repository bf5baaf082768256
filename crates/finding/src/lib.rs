//! What was found in the stream: the word between those who find it (rules and detectors) and those who tell it to
//! people (signals).
//!
//! It says what, about whom, when, how often and from which events. It knows neither how it was found nor how it is
//! worded.

mod entity;
pub mod fact;
mod finding;
mod kind;
mod level;

pub use entity::{Entity, EntityType};
pub use finding::{Facts, Finding, Occurrence};
pub use kind::{FindingKind, UnknownKind};
pub use level::{Level, UnknownLevel};
