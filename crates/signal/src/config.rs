//! Settings.

use std::time::Duration;

/// Settings of the store.
#[derive(Debug, Clone)]
pub struct Config {
    /// Signals are kept for this long after they were resolved; those that are not, as long as they are not.
    pub keep: Duration,
    /// Signals that are kept; beyond that those resolved longest ago go first, then those that came up first.
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
