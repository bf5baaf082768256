//! What this program says of itself: its own logs, its metrics, its health, and the names of its
//! tasks and threads.
//!
//! Nothing here may carry what users' logs contain: no message, host or source becomes a label or
//! a line of our own log. Nothing here talks to the network; whoever serves HTTP renders it.

pub mod clean;
pub mod health;
pub mod ledger;
pub mod logs;
pub mod metric;
mod refused;
pub mod task;
mod words;

pub use refused::refused;
pub use words::in_words;
