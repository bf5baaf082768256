//! The rules that run: those that come along and those of a folder of one's own. What each is, whether it runs, what is
//! wrong with others; read again when a file changes, and written for whoever edits them, with what stood there before.
//!
//! It compiles rules beside the stream and hands finished sets over. It looks at no event, and knows neither who asks nor
//! over which protocol.

mod book;
mod entry;
mod files;
mod own;

pub use book::{Config, Reloaded, RuleBook};
pub use entry::{Entry, Fault, Origin, State, Tested, tested};
pub use files::{Files, RuleFilesError, below, below_ending, shipped};
pub use own::{OwnError, Version};
