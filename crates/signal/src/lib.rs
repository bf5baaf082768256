//! Few signals that a person can act on: findings about the same thing grouped into one that is kept, follows its
//! life cycle, and is put into words.
//!
//! It knows neither how things are found nor how anybody is told, and words of a signal never come from a log without
//! being marked as such.

mod change;
mod config;
mod error;
mod group;
pub mod narrative;
mod policy;
mod signal;
mod store;

pub use change::{Before, Beside, Change, Cursor, Entry, EventLabel, Happening, Observed};
pub use config::Config;
pub use error::{BoxError, StoreError};
pub use group::{ENTITIES_MAX, ESCALATES_BY, EVIDENCE_EACH, REOPENED_WITHIN, TECHNIQUES_MAX};
pub use policy::{Policy, Story};
pub use signal::{Evidence, InvalidId, Label, Signal, SignalId, Standing, State};
pub use store::{Act, Deed, Filter, NAME_BYTES_MAX, NOTE_BYTES_MAX, Page, RESOLVED_AT_ONCE, Store};
