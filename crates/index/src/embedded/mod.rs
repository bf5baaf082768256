//! The embedded index: an immutable, columnar log store keyed by what rows have in common.
//!
//! A *row shape* is everything about an event that need not be stored an event at a time: the
//! literal text around its variables, template, level, source, verdict state, and how its fields
//! follow from the rest. What remains are typed columns (see `block`), grouped by row shape within
//! a block of rows. Rows become searchable in memory when [`Index::write`] returns, and durable,
//! together with the journal position behind them, as one file when [`Index::commit`] does (see
//! `segment` for its form). Queries are answered from counters of row shapes where these decide,
//! then from filters and time stamps, and only then from rows.
//!
//! It must never answer from bytes whose checksum differs: a damaged block is left out, a file that cannot
//! be made sense of is set aside, and what is lost by that is said, as is a file that is missing.

mod aggregate;
mod amend;
mod block;
mod bloom;
mod cache;
mod common;
mod documents;
mod evaluate;
mod files;
mod heads;
mod intern;
mod ints;
mod losses;
mod manifest;
mod matcher;
mod merge;
mod needle;
mod open;
mod reader;
mod rows;
mod search;
mod segment;
mod shapes;
mod shield;
mod skeleton;
mod store;
mod suspects;
mod terms;
#[cfg(test)]
mod tests;
mod texts;
mod view;
mod writer;

pub use store::{Config, Embedded};
