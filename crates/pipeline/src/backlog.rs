//! What waits for an index that is away or behind: said when that begins, now and then, and when it is over.

use std::time::{Duration, Instant};

use event::Position;

/// An index that takes nothing for so long is away.
const AWAY_AFTER: Duration = Duration::from_secs(10);
/// Progress is told of so often.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// Watches how far the index is behind.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    written: Position,
    moved_at: Option<Instant>,
    outage: Option<Outage>,
}

#[derive(Debug, Clone, Copy)]
struct Outage {
    since: Instant,
    told_at: Instant,
    /// Stored when it began.
    stored: u64,
}

/// What there is to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// The index takes nothing; so many events wait.
    Begun {
        /// How many.
        waiting: u64,
    },
    /// So many still wait.
    Progress {
        /// How many.
        waiting: u64,
    },
    /// Nothing waits any more.
    CaughtUp {
        /// Events that were brought to the index meanwhile.
        events: u64,
        /// Since the beginning.
        took: Duration,
    },
}

impl Backlog {
    /// Looks at where index and journal stand; `waiting` and `stored` are counts of events.
    pub(crate) fn look(
        &mut self,
        now: Instant,
        (written, end): (Position, Position),
        waiting: u64,
        stored: u64,
    ) -> Option<Told> {
        if written != self.written || written >= end {
            (self.written, self.moved_at) = (written, Some(now));
        }
        let still = now.duration_since(*self.moved_at.get_or_insert(now));
        match &mut self.outage {
            None if still >= AWAY_AFTER => {
                self.outage = Some(Outage { since: now - still, told_at: now, stored });
                Some(Told::Begun { waiting })
            }
            None => None,
            Some(outage) if written >= end => {
                let told = Told::CaughtUp {
                    events: stored.saturating_sub(outage.stored),
                    took: now.duration_since(outage.since),
                };
                self.outage = None;
                Some(told)
            }
            Some(outage) if now.duration_since(outage.told_at) >= TOLD_EVERY => {
                outage.told_at = now;
                Some(Told::Progress { waiting })
            }
            Some(_) => None,
        }
    }
}

impl Told {
    /// Says it in the log.
    pub(crate) fn log(self) {
        match self {
            Self::Begun { waiting } => {
                tracing::warn!(waiting, "the index takes nothing; the journal keeps the events that wait");
            }
            Self::Progress { waiting } => {
                tracing::info!(waiting, "the index is behind; events wait in the journal")
            }
            Self::CaughtUp { events, took } => {
                tracing::info!(events, seconds = took.as_secs(), "the index has caught up");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(record: u32) -> Position {
        Position { segment: 0, record }
    }

    #[test]
    fn an_outage_is_told_of_once_with_progress_and_end() {
        let (mut backlog, start) = (Backlog::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(backlog.look(start, (at(5), at(5)), 0, 5), None);
        assert_eq!(backlog.look(after(2), (at(5), at(9)), 4, 5), None, "just behind");
        assert_eq!(backlog.look(after(9), (at(7), at(20)), 13, 7), None, "it moves");
        assert_eq!(backlog.look(after(18), (at(7), at(30)), 23, 7), None);
        assert_eq!(backlog.look(after(19), (at(7), at(30)), 23, 7), Some(Told::Begun { waiting: 23 }));
        assert_eq!(backlog.look(after(30), (at(7), at(40)), 33, 7), None, "said once");
        assert_eq!(backlog.look(after(79), (at(8), at(50)), 42, 8), Some(Told::Progress { waiting: 42 }));
        let told = backlog.look(after(109), (at(60), at(60)), 0, 60);
        assert_eq!(told, Some(Told::CaughtUp { events: 53, took: Duration::from_secs(100) }));
        assert_eq!(backlog.look(after(110), (at(60), at(60)), 0, 60), None);
    }
}
