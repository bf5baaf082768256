//! What a correlator remembers, and how much of it at most.

use std::collections::HashMap;

use crate::correlation::window::Window;

/// What a correlator remembers at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Groups of one correlation.
    pub groups: usize,
    /// Matches of one group.
    pub entries: usize,
    /// Matches of all groups together.
    pub entries_total: usize,
    /// Nanoseconds by which a match may come late within its group and still count.
    pub lateness_ns: i64,
}

impl Default for Limits {
    /// 10,000 groups a correlation, 4,096 matches a group, 262,144 matches in all (about 20 MB), 10 minutes.
    fn default() -> Self {
        Self { groups: 10_000, entries: 4_096, entries_total: 262_144, lateness_ns: 600_000_000_000 }
    }
}

/// What a correlator holds, and what its limits have cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CorrelatorStatus {
    /// Groups held.
    pub groups: usize,
    /// Matches held.
    pub entries: usize,
    /// Groups given up to make room: those that were not fed for longest.
    pub groups_evicted: u64,
    /// Matches given up because their group had too many: the oldest.
    pub entries_evicted: u64,
    /// Matches that came too late to count.
    pub late: u64,
}

/// The values of the fields by which a group is known; None for a field that an event does not have.
pub(crate) type Key = Vec<Option<String>>;

#[derive(Debug, Clone, Default)]
pub(crate) struct Group {
    pub(crate) window: Window,
    /// Until when a further match is the same as the last one, in event time.
    pub(crate) quiet_until_ns: Option<i64>,
    /// When it was fed last, in feeds.
    pub(crate) fed: u64,
}

/// The groups of all correlations.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) correlations: Vec<HashMap<Key, Group>>,
    pub(crate) status: CorrelatorStatus,
    pub(crate) feeds: u64,
}

impl State {
    pub(crate) fn new(correlations: usize) -> Self {
        Self { correlations: vec![HashMap::new(); correlations], ..Self::default() }
    }

    /// Makes room by what was not fed for longest, an eighth at once, where a limit is passed.
    pub(crate) fn make_room(&mut self, correlation: usize, limits: &Limits) {
        let groups = self.correlations[correlation].len();
        if groups > limits.groups {
            let least = limits.groups - limits.groups / 8;
            let oldest = self.oldest(|place| place == correlation, groups - least.max(1));
            self.evict(oldest);
        }
        if self.status.entries > limits.entries_total {
            let groups: usize = self.correlations.iter().map(HashMap::len).sum();
            let oldest = self.oldest(|_| true, groups.div_ceil(8));
            self.evict(oldest);
        }
    }

    /// The feed up to which groups have to go so that so many do.
    fn oldest(&self, of: impl Fn(usize) -> bool, count: usize) -> (Vec<usize>, u64) {
        let places: Vec<usize> = (0..self.correlations.len()).filter(|place| of(*place)).collect();
        let groups = places.iter().flat_map(|place| self.correlations[*place].values());
        let mut fed: Vec<u64> = groups.map(|group| group.fed).collect();
        let last = count.clamp(1, fed.len().max(1)) - 1;
        let until = if fed.is_empty() { 0 } else { *fed.select_nth_unstable(last).1 };
        (places, until)
    }

    fn evict(&mut self, (places, until): (Vec<usize>, u64)) {
        for place in places {
            let status = &mut self.status;
            self.correlations[place].retain(|_, group| {
                let stays = group.fed > until;
                if !stays {
                    status.groups_evicted += 1;
                    status.entries -= group.window.entries.len();
                    status.groups -= 1;
                }
                stays
            });
        }
    }
}
