//! Sources whose events are old when they are received, as where an old file is taken in: how far each of them is, so
//! that what is over there is told by its own clock, and not by that of others or of the machine.

use event::{Event, Timestamp};
use serde::{Deserialize, Serialize};

use crate::table::{Occupancy, Table};

/// Late sources that are read at a time; beyond that the one that was read least recently is forgotten.
const SOURCES_MAX: usize = 4_096;
/// An event that is received so long after it happened is old.
pub(crate) const LATE: i64 = 3_600 * 1_000_000_000;
/// A source of which nothing was received for so long is no longer read: what it came to is waited for by somebody.
const IDLE: i64 = 10 * 1_000_000_000;
/// A source that is late for so long is always so, as one whose clock is wrong: nothing waits for it.
const PATIENCE: i64 = 3_600 * 1_000_000_000;

/// How far a source is.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Place {
    /// The latest time of an event.
    latest: i64,
    /// When a late one was first received, and when last.
    received: Option<(i64, i64)>,
}

/// The late sources that are being read.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LateSources {
    sources: Table<u64, Place>,
    /// The latest time of receipt.
    received: i64,
}

impl LateSources {
    pub(crate) fn new() -> Self {
        Self { sources: Table::new(SOURCES_MAX), received: i64::MIN }
    }

    /// Takes notice of an event of a source, by its key.
    pub(crate) fn see(&mut self, event: &Event<'_>, source: u64) {
        let (at, received) = (event.timestamp.as_nanos(), event.observed_timestamp.as_nanos());
        self.received = self.received.max(received);
        if received.saturating_sub(at) <= LATE {
            return;
        }
        let place = self.sources.touch(&source);
        place.latest = if place.received.is_none() { at } else { place.latest.max(at) };
        let (first, last) = place.received.unwrap_or((received, received));
        place.received = Some((first, last.max(received)));
    }

    /// Until when everything was seen, as of now: as far as the slowest of them is.
    pub(crate) fn seen(&mut self, now: Timestamp) -> Timestamp {
        let idle = self.received.max(now.as_nanos()).saturating_sub(IDLE);
        let mut slowest: Option<i64> = None;
        // One walk for both: where old files are taken in, a minute of theirs goes by with every few lines.
        self.sources.retain(|_, place| {
            let Some((first, last)) = place.received.filter(|(_, last)| *last >= idle) else { return false };
            if last.saturating_sub(first) <= PATIENCE {
                slowest = Some(slowest.map_or(place.latest, |at| at.min(place.latest)));
            }
            true
        });
        slowest.map_or(now, |at| now.min(Timestamp::saturating_from_nanos(at.into())))
    }

    /// Whoever waits for what was found has taken in all: none of them is read any more.
    pub(crate) fn forget(&mut self) {
        self.sources.retain(|_, _| false);
    }

    pub(crate) fn take_up(&mut self, kept: Self) {
        self.sources.take_up(kept.sources);
        self.received = kept.received;
    }

    pub(crate) fn occupancy(&self) -> Occupancy {
        self.sources.occupancy(0)
    }
}
