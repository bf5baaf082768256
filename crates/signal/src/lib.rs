//! Few signals that a person can act on: findings about the same thing grouped into one that is kept, follows its
//! life cycle, and is put into words.
//!
//! It knows neither how things are found nor how anybody is told, and words of a signal never come from a log without
//! being marked as such.

mod background;
mod bounds;
mod change;
mod config;
mod error;
mod group;
mod incident;
pub mod narrative;
mod policy;
mod signal;
mod store;
mod suppression;
mod ways;

pub use background::{
    ADDRESSES_MAX, AT_HOST, OPEN_ADDRESSES, OPEN_CROWD, OPEN_DAYS, OPEN_WITHIN, SPAN, WEB_PROBES,
};
pub use bounds::{ENTITIES_MAX, FACT_BYTES_MAX, FACTS_MAX, NAMES_BYTES_MAX, TECHNIQUES_MAX};
pub use change::{Before, Beside, Change, Cursor, Entry, Happening, Observed, Opinion};
pub use config::Config;
pub use error::{BoxError, StoreError};
pub use group::{ESCALATES_BY, EVIDENCE_EACH, REOPENED_WITHIN};
pub use incident::{FOLLOWS_WITHIN, INCIDENT_SIGNALS_MAX, Incident};
pub use policy::{Policy, Story};
pub use signal::{Evidence, InvalidId, Label, Signal, SignalId, Standing, State};
pub use store::{
    ALIKE_AT_ONCE, ASSISTANT, Act, Deed, EARLIER_MAX, FORGOTTEN_AT_ONCE, Filter, HIDDEN_AT_ONCE,
    IncidentFilter, IncidentPage, NAME_BYTES_MAX, NOTE_BYTES_MAX, OPINIONS_MAX, Page, RESOLVED_AT_ONCE,
    Store,
};
pub use suppression::{
    Matching, NewSuppression, PREVIEW_SIGNALS_MAX, PREVIEWED, Preview, SUPPRESSED_WITHIN, SUPPRESSIONS_MAX,
    Sort, Suppression,
};
