//! Sigma, a format for rules over log events: specification 2.1, its rules, filters and correlations.
//!
//! [`Rules::load`] reads YAML; what is wrong with a rule is told by file, line, field and reason, and the other rules
//! are there. An event is whatever implements [`Fields`]. [`Rules::matches`] finds the few rules that an event could
//! match in one pass over its texts (each rule has texts without which it cannot match), keeps those that want to see
//! its log source, and holds only them against it. [`Correlator`] counts matches over time.
//!
//! What the specification leaves open, and what is done here:
//!
//! | | |
//! |---|---|
//! | case | Unicode lower case; `cased` and `re` are exact |
//! | keywords | are found anywhere in any text of the event; numbers are no text |
//! | a list in an event | fits where any element does |
//! | numbers | equal the same number written as text |
//! | `null` | fits null, and a field that is not there; `exists` tells them apart |
//! | `neq` | the field is there, and none of the values fits |
//! | `windash` | every dash and slash stands for each of the others |
//! | time parts | are read as the time is written, without its zone |
//! | filters | a rule matches where its condition and the filter's hold |
//! | `expand` | a rule whose placeholder has no values is refused |
//!
//! Everything is bounded: see the constants, [`Limits`] for what correlations remember. This crate does no I/O and
//! reads no clock, and it knows neither `Event` nor an index.

mod condition;
mod correlation;
mod detection;
mod document;
mod ecs;
mod encoding;
mod error;
mod fields;
mod filter;
mod index;
mod item;
mod json;
mod limits;
mod literal;
mod log_source;
mod matcher;
mod modifier;
mod network;
mod number;
mod options;
mod pattern;
mod placeholder;
mod rule;
mod rules;
mod texts;
mod time_part;
mod yaml;

pub use correlation::{Correlated, Correlation, CorrelationType, Correlator, CorrelatorStatus, Limits};
pub use ecs::field as ecs_field;
pub use error::{Reason, RuleError};
pub use fields::{Fields, Value};
pub use json::Json;
pub use limits::{
    CONDITION_DEPTH_MAX, CONDITION_WORDS_MAX, EXPRESSION_BYTES_MAX, EXPRESSIONS_MAX, VALUES_MAX,
};
pub use log_source::LogSource;
pub use options::{FieldMapping, Options};
pub use rule::{About, Level, Rule};
pub use rules::{IndexSize, Route, Rules, Scratch};
