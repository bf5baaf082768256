//! How the readers go about it.

use std::time::Duration;

/// The name of the cursor that keeps the journal's segments until they are indexed.
pub const CURSOR: &str = "index";

/// How the readers go about it.
#[derive(Debug, Clone)]
pub struct Config {
    /// How much of the journal is taken at once, in bytes: more amortises better, less shows sooner.
    pub read_bytes: usize,
    /// A commit is due after so many events: it bounds what a restart has to read again.
    pub commit_events: u64,
    /// A commit is due when nothing came for so long: it lets the journal shrink.
    pub commit_idle: Duration,
    /// A commit is due this long after the first event since the last one.
    pub commit_interval: Duration,
    /// How long to wait before trying again after the index failed.
    pub retry: Duration,
    /// How long a stop waits for the index to answer for what it was given.
    pub drain: Duration,
    /// Bytes of the newest events held for live tails.
    pub live_bytes_max: usize,
    /// Where snapshots of the analysis are kept.
    pub window_dir: std::path::PathBuf,
}
