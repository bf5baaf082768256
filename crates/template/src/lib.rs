//! The log-template miner: from a message to its *shape* and its *template*, online, in one pass.
//!
//! A message is cut into literal text and typed variables; the hash of the literal text and of the
//! kinds is its shape. A known shape costs one look-up. A new one is reduced to a *skeleton*, the
//! words that seem fixed; messages of one skeleton share a template, and when six skeletons differ
//! at a single word, that word becomes a variable and they become one template with a new id, of
//! which the old ids are aliases. Ids come from the readable text, so they are the same everywhere.
//!
//! Above all that stand *operations*: what people decided, by which templates are named, pinned, split
//! and merged. They leave what was learned as it is, and can be taken back.
//!
//! Memory is bounded: shapes and templates age by their last use, counted in messages; what finds no
//! room gets a coarser shape, in the end the whole message as one variable. Nothing here knows a
//! particular program's messages, does I/O or reads a clock.

mod file;
mod groups;
mod hash;
mod hashed;
mod kinds;
mod miner;
mod scan;
mod shape;
mod skeleton;
mod user;

pub use file::LoadError;
pub use miner::{Config, Miner};
pub use shape::Mined;
pub use user::{
    Action, Described, EXAMPLE_BYTES_MAX, MERGED_MAX, Merged, NAME_BYTES_MAX, OPERATIONS_BYTES_MAX,
    OPERATIONS_MAX, Operation, OperationError, Operations, PARTS_MAX, PARTS_PER_TEMPLATE_MAX, Split,
};
