//! Finds in the stream of events what a person should be told: rules and detectors that keep state.
//!
//! An event is first read as an [`Activity`]: what was done, by whom, from where. A [`Detector`] sees
//! events with their activities in the order in which they came, and gives [`Finding`]s, which are
//! grouped and worded elsewhere. It is synchronous and pure: it does no I/O, reads no clock (time is the
//! events' own), and every table that it keeps has a bound. It knows neither an index nor how anybody is
//! told.

mod activity;
mod changes;
mod clock;
mod config;
mod connections;
mod declaration;
mod declared;
mod detector;
mod engine;
mod guessing;
mod kind;
mod late;
mod logins;
mod machine;
mod met;
mod origin;
pub mod past;
mod patterns;
mod persistence;
mod privileges;
mod processes;
mod proposal;
pub mod rules;
mod shipped;
mod sources;
pub mod table;
mod told;
pub mod trial;
mod visitors;
pub mod web;
mod weight;
pub mod window;

pub use activity::Activity;
pub use clock::Clocks;
pub use config::{Config, Maintenance};
pub use connections::{Connections, Told};
pub use declared::Declared;
pub use detector::{Detector, Seen, StateError, Time, remembered, state};
pub use engine::Engine;
pub use finding::{Entity, EntityType, Finding, FindingKind, Level, Occurrence};
pub use guessing::Guessing;
pub use kind::{Kind, Protocol};
pub use logins::Logins;
pub use origin::Origin;
pub use patterns::Patterns;
pub use proposal::{Proposal, Remedy, propose};
pub use rules::SigmaRules;
pub use shipped::{SHIPPED, is_shipped};
pub use sources::Sources;
pub use told::{Teller, outcome_json};
pub use visitors::Visitors;
pub use weight::weight;
