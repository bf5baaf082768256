//! `state.db`: the one database of a data folder, for what changes in place: signals, what was decided of them, and
//! alerts on their way.
//!
//! One writer at a time and a few readers beside it, who never wait for each other. What [`Database::write`] returned
//! for survives a crash; what it did not return for never was. Each owner brings its own tables as numbered steps
//! ([`Migrations`]) and touches no others'. A file that is damaged or of a newer program is refused by name and left as
//! it is.
//!
//! It is synchronous, so callers run it off the reactor, and it must never know what a table means.

mod database;
mod error;
mod file;
mod migrations;
mod readers;

pub use database::Database;
pub use error::{OpenError, StateError};
pub use file::CHECKED_BYTES_MAX;
pub use migrations::Migrations;
pub use readers::READERS_MAX;
pub use rusqlite;
