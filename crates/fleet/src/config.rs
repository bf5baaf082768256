//! Settings.

use std::time::Duration;

use crate::Tier;

/// Settings of the fleet.
#[derive(Debug, Clone)]
pub struct Config {
    /// Agents that are known at most; samples of a further one are refused.
    pub agents_max: usize,
    /// Series of one agent; what a sample has beyond them is left out and named.
    pub series_max: usize,
    /// The tiers, the finest first.
    pub tiers: Vec<Tier>,
    /// Samples that wait as they came before they are put into chunks.
    pub seal_samples: u32,
    /// An agent that was not heard of for this long, and for three of its intervals, is silent.
    pub silent_after: Duration,
    /// Whether thresholds are looked at.
    pub is_watching: bool,
    /// What has cleared is not raised again within this time.
    pub raise_again_after: Duration,
    /// A sample that is further ahead of the server's clock is refused.
    pub ahead_max: Duration,
    /// Whether rules look at changes of processes.
    pub is_judging_processes: bool,
    /// How long a program must have been seen before what it usually does is known.
    pub processes_learn: Duration,
    /// How long changes of processes are kept.
    pub processes_keep: Duration,
    /// Changes of processes that are kept of all hosts together.
    pub processes_max: usize,
}

impl Default for Config {
    /// 10,000 agents of 2,000 series; the tiers of [`Tier::ALL`]; silent after 3 minutes; raised again after a minute; a million changes of
    /// processes for 7 days; what is usual is known after 3 days.
    fn default() -> Self {
        Self {
            agents_max: 10_000,
            series_max: 2_000,
            tiers: Tier::ALL.to_vec(),
            seal_samples: 180,
            silent_after: Duration::from_secs(180),
            is_watching: true,
            raise_again_after: Duration::from_secs(60),
            ahead_max: Duration::from_secs(600),
            is_judging_processes: true,
            processes_learn: Duration::from_secs(3 * 24 * 3600),
            processes_keep: Duration::from_secs(7 * 24 * 3600),
            processes_max: 1_000_000,
        }
    }
}
