//! Settings.

use std::time::Duration;

/// Settings of the store.
#[derive(Debug, Clone)]
pub struct Config {
    /// Resolved signals are kept for this long after they were last added to; open ones as long as they are open.
    pub keep: Duration,
    /// Signals that are kept; beyond that the oldest resolved ones go first, then the oldest of all.
    pub signals_max: u64,
    /// Changes that the feed keeps.
    pub changes_max: u64,
    /// Entries in the history of one signal; the first one stays, and the newest.
    pub history_max: u64,
}

impl Default for Config {
    /// A year, a million signals, 10,000 changes, 200 entries.
    fn default() -> Self {
        Self {
            keep: Duration::from_secs(365 * 24 * 3600),
            signals_max: 1_000_000,
            changes_max: 10_000,
            history_max: 200,
        }
    }
}
