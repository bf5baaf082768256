//! How the outbox tells people, and its bounds.

use std::time::Duration;

use crate::voice::Voice;

/// How the outbox tells people, and its bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// In which language and zone people are told.
    pub voice: Voice,
    /// A delivery that failed so often is given up, and becomes a dead letter.
    pub tries_max: u32,
    /// So is one that should have gone out so long ago.
    pub age_max: Duration,
    /// The bound of the pause after the first failure; it doubles with each further one.
    pub pause_min: Duration,
    /// The bound's bound.
    pub pause_max: Duration,
    /// The longest pause that the other side can ask for.
    pub retry_after_max: Duration,
    /// Another channel is told when one has delivered nothing for so long.
    pub trouble_after: Duration,
    /// Events that were older when they came raise alerts, of which nobody is told.
    pub old_after: Duration,
    /// Whether an inhibited alert must be told after all is looked at so often.
    pub recheck: Duration,
    /// Alerts are kept for so long, in the order in which they were raised; those that are on their way, longer.
    pub keep: Duration,
    /// The most alerts that are kept.
    pub alerts_max: u64,
}

impl Default for Config {
    fn default() -> Self {
        const HOUR: u64 = 3600;
        Self {
            voice: Voice::default(),
            tries_max: 1000,
            age_max: Duration::from_secs(24 * HOUR),
            pause_min: Duration::from_secs(1),
            pause_max: Duration::from_secs(300),
            retry_after_max: Duration::from_secs(HOUR),
            trouble_after: Duration::from_secs(300),
            old_after: Duration::from_secs(24 * HOUR),
            recheck: Duration::from_secs(60),
            keep: Duration::from_secs(90 * 24 * HOUR),
            alerts_max: 100_000,
        }
    }
}
