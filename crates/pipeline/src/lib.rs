//! The journal's readers. The file to read first.
//!
//! ```text
//!             ┌► analysis: decode ► template, score ─┬─► detection
//! journal ──► │                                      ├─► live tails
//!             │                                      ├─► indexing, while that keeps up
//!             │                                      └─► verdicts, for those that do not
//!             └► indexing, when it is behind: decode ► join with the verdicts ► index
//! ```
//! Each reader has a place of its own. *Analysis* goes through the journal once and in order, so that a
//! verdict depends on nothing but the events before it, and waits for nobody. *Indexing* stands beside
//! it and is given its batches as long as the index takes them. When that takes nothing, the verdicts
//! are kept and indexing reads on by itself when it can ([`CatchUp`]). *Detection* sees each
//! event once, as it is analysed.
//!
//! A commit makes durable, in this order: what detection found and its place; the verdicts that the index lacks;
//! the analysis' snapshot; the index as far as it has answered, and its cursor. A crash between any two
//! of them repeats work and nothing else. A start goes on with the latest snapshot up to which
//! verdicts are there for all that the index lacks.
//!
//! This crate must never acknowledge anything, and must never skip an event because it is odd.

mod analysis;
mod backlog;
mod config;
mod detection;
mod engine;
mod error;
mod identity;
mod indexing;
mod keeper;
mod lookout;
mod pipeline;
mod records;
mod refill;
pub mod remote;
mod snapshots;
mod watch;

pub use analysis::Analysis;
pub use config::{CURSOR, Config};
pub use detection::{Detector, DetectorError};
pub use engine::{DETECTION_CURSOR, EngineConfig, EngineReader, Keeper, Progress};
pub use error::PipelineError;
pub use indexing::CatchUp;
pub use keeper::{Keeping, SignalKeeper};
pub use lookout::Lookout;
pub use pipeline::{Parts, Pipeline};
pub use watch::watch;
