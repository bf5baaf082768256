//! Questions in SQL over what is kept: events, signals, hosts, what was measured and what ran on them. Tables are filled for the question, as far as
//! it can need them: time and simple conditions are put to the index, columns that are not read stay empty
//! ([0115](../../../docs/decisions/0115-tables-filled-for-a-question.md)).
//!
//! What does not fit is cut and said. [`rules`] asks questions again and again and tells what is new in the answers as signals. It knows no
//! protocol, and writes nothing but that.

mod ask;
mod error;
mod filling;
pub mod rules;
mod scope;
mod sources;
mod tables;
mod time;

pub use ask::{Answered, Sources, check};
pub use error::AskError;
pub use filling::{BYTES_MAX, Cut, ROWS_MAX};
pub use scope::Scope;
pub use tables::TABLES;
