//! Finds in the stream of events what a person should be told: rules and detectors that keep state.
//!
//! An event is first read as an [`Activity`]: what was done, by whom, from where. A [`Detector`] sees
//! events with their activities in the order in which they came, and gives [`Finding`]s, which are
//! grouped and worded elsewhere. It is synchronous and pure: it does no I/O, reads no clock (time is the
//! events' own), and every table that it keeps has a bound. It knows neither an index nor how anybody is
//! told.

mod activity;
mod detector;
mod finding;
pub mod web;

pub use activity::{Activity, Kind, Protocol};
pub use detector::{Detector, Seen};
pub use finding::{Entity, EntityType, Finding, FindingKind, Level};
