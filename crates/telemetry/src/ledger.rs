//! The ledger of events: `received = stored + queued + dead-lettered + dropped`, at every moment
//! and in every scrape, because all of it changes and is read under one lock.
//!
//! It counts for the whole process and for its life. Events that the journal still held for the
//! index when the process started count as received by it, so that the equation holds from the
//! first scrape on. Lines refused to their sender are no part of it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What has become of all events received.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Accepted into the journal, or found there unindexed at start.
    pub received: u64,
    /// Stored in the index.
    pub stored: u64,
    /// Kept in the dead-letter stream because the index could not take them.
    pub dead_lettered: u64,
    /// Gone, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
}

impl Ledger {
    /// What is still on its way to the index.
    pub fn queued(&self) -> u64 {
        let done = self.stored + self.dead_lettered + self.dropped.values().sum::<u64>();
        self.received.saturating_sub(done)
    }
}

static LEDGER: Mutex<Ledger> =
    Mutex::new(Ledger { received: 0, stored: 0, dead_lettered: 0, dropped: BTreeMap::new() });

fn lock() -> MutexGuard<'static, Ledger> {
    LEDGER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts events that the journal has made durable, or that it held unindexed at start.
pub fn received(events: u64) {
    lock().received += events;
}

/// Counts events stored in the index.
pub fn stored(events: u64) {
    lock().stored += events;
}

/// Counts events put into the dead-letter stream.
pub fn dead_lettered(events: u64) {
    lock().dead_lettered += events;
}

/// Counts events that are gone, with one of a few fixed reasons (`damaged`, `retention`…).
pub fn dropped(reason: &'static str, events: u64) {
    *lock().dropped.entry(reason).or_default() += events;
}

/// The ledger as it stands.
pub fn snapshot() -> Ledger {
    lock().clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_neither_stored_nor_gone_is_queued() {
        let dropped = BTreeMap::from([("damaged", 2), ("retention", 1)]);
        let ledger = Ledger { received: 10, stored: 4, dead_lettered: 1, dropped };
        assert_eq!(ledger.queued(), 2);
        assert_eq!(Ledger { received: 3, ..ledger }.queued(), 0, "never below zero");
    }
}
