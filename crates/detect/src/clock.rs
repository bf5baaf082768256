//! Clocks that jump: a source whose times agreed with those of receipt goes on with others, or goes back in them.
//!
//! What comes late does not: it catches up, so its distance from the time of receipt shrinks as it is read. A clock that
//! was set stays as far off. Several events in a row must be so, over some minutes, and nothing of the source may agree
//! in between. A distance of whole half hours is that of a zone or of daylight saving time, and says nothing.

use event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Config, Detector, Entity, EntityType, Finding, FindingKind, Level, Occurrence, Seen, StateError,
    detector::{remembered, state},
    sources::source_of,
    table::{Occupancy, Table},
};

/// Sources that are watched.
const SOURCES_MAX: usize = 4_096;
const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
/// Times agree that are no further apart.
const AGREES: i64 = MINUTE;
/// A jump is at least so far.
const JUMP: i64 = 10 * MINUTE;
/// So many events agreed before.
const LEARNED: u32 = 20;
/// So many in a row must be off by the same, ...
const EVENTS: u32 = 5;
/// ... within this, ...
const BAND: i64 = MINUTE;
/// ... for so long.
const LASTS: i64 = 2 * MINUTE;
/// Zones differ by half hours, give or take what agrees.
const ZONE: i64 = 30 * MINUTE;
/// The rule of its findings.
const RULE: &str = "clock_changed";

/// Finds clocks that jump.
#[derive(Debug)]
pub struct Clocks {
    sources: Table<u64, Known>,
}

/// What is known of a source.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Known {
    /// Events that agreed, one after the other.
    agreed: u32,
    /// The latest time of those.
    latest: i64,
    /// Events that are off, one after the other.
    off: Option<Off>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Off {
    events: u32,
    /// Time of receipt less own time: the least and the most.
    distance: (i64, i64),
    /// Own times of the first and the last.
    times: (i64, i64),
    /// When the first was received.
    received: i64,
}

impl Clocks {
    /// With no source known.
    pub fn new(_config: &Config) -> Self {
        Self { sources: Table::new(SOURCES_MAX) }
    }
}

impl Known {
    /// Takes notice of an event; gives own times of the first and the last where its clock was set.
    fn see(&mut self, at: i64, received: i64) -> Option<(i64, i64, u32)> {
        let distance = received.saturating_sub(at);
        let is_back = self.latest.saturating_sub(at) >= JUMP;
        if distance.abs() <= AGREES && !is_back {
            self.agreed = self.agreed.saturating_add(1);
            self.latest = self.latest.max(at);
            self.off = None;
            return None;
        }
        if self.agreed < LEARNED {
            self.agreed = 0;
            return None;
        }
        // Both clocks were set where both are back.
        let moved = if distance.abs() <= AGREES { self.latest.saturating_sub(at) } else { distance };
        let off = self.off.get_or_insert(Off {
            events: 0,
            distance: (distance, distance),
            times: (at, at),
            received,
        });
        let (least, most) = (off.distance.0.min(distance), off.distance.1.max(distance));
        if most - least > BAND || at < off.times.1.saturating_sub(AGREES) {
            // It catches up, or is a heap of old lines.
            *off = Off { events: 1, distance: (distance, distance), times: (at, at), received };
            return None;
        }
        off.events += 1;
        off.distance = (least, most);
        off.times.1 = off.times.1.max(at);
        let off = *off;
        let has_lasted =
            received.saturating_sub(off.received) >= LASTS && off.times.1 - off.times.0 >= LASTS - BAND;
        if off.events < EVENTS || !has_lasted {
            return None;
        }
        // From now on this is how it is.
        *self = Self { agreed: 0, latest: off.times.1, off: None };
        (moved.abs() >= JUMP && !is_zone(moved)).then_some((off.times.0, off.times.1, off.events))
    }
}

/// Whether clocks are apart as those of two zones are.
fn is_zone(moved: i64) -> bool {
    let rest = moved.rem_euclid(ZONE);
    rest.min(ZONE - rest) <= AGREES + BAND / 2
}

impl Detector for Clocks {
    fn name(&self) -> &'static str {
        "clocks"
    }

    fn see(&mut self, seen: &Seen<'_>, findings: &mut Vec<Finding>) {
        let event = &seen.analyzed.event;
        let known = self.sources.touch(&seen.source);
        let (at, received) = (event.timestamp.as_nanos(), event.observed_timestamp.as_nanos());
        let Some((first, last, count)) = known.see(at, received) else { return };
        let (name, host) = source_of(event);
        let run = Occurrence {
            first: Timestamp::saturating_from_nanos(first.into()),
            last: Timestamp::saturating_from_nanos(last.into()),
            count: count.into(),
            is_update: false,
            evidence: vec![seen.analyzed.id],
        };
        let (host, source) = (Entity::new(EntityType::Host, host), Entity::new(EntityType::Service, name));
        let (about, more) = if host.value.is_empty() { (source, None) } else { (host, Some(source)) };
        let finding = Finding::of_run(FindingKind::LogTampering, Level::Low, RULE, about, run);
        findings.push(finding.and(more).technique("T1070.006"));
    }

    fn snapshot(&self) -> Result<Vec<u8>, StateError> {
        state(&self.sources)
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), StateError> {
        let sources: Table<u64, Known> = remembered(snapshot)?;
        self.sources = sources.bounded(self.sources.capacity());
        Ok(())
    }

    fn occupancy(&self) -> Occupancy {
        self.sources.occupancy(0)
    }
}

#[cfg(test)]
mod tests {
    use event::{Analyzed, Event, EventId, JournalId, Position};

    use super::*;
    use crate::{Activity, sources::key_of};

    /// Events of one source every half minute: when each happened and was received, in seconds.
    fn found(events: impl IntoIterator<Item = (i64, i64)>) -> usize {
        let mut clocks = Clocks::new(&Config::default());
        let mut findings = vec![];
        let start = Timestamp::parse("2026-11-02T00:00:00Z").unwrap();
        for (number, (at, received)) in (0..).zip(events) {
            let mut event = Event::new("tick", start.saturating_add(received * SECOND));
            event.timestamp = start.saturating_add(at * SECOND);
            (event.source, event.host) = (Some("app".into()), Some("gate".into()));
            let id = EventId { journal: JournalId(1), position: Position { segment: 0, record: number } };
            let analyzed = Analyzed::unanalyzed(id, event);
            let (activity, source) = (&Activity::of(&analyzed.event), key_of(&analyzed.event));
            let now = analyzed.event.timestamp;
            clocks.see(&Seen { analyzed: &analyzed, source, activity, before: None, now }, &mut findings);
            // It goes on over a restart.
            let snapshot = clocks.snapshot().unwrap();
            clocks = Clocks::new(&Config::default());
            clocks.restore(&snapshot).unwrap();
        }
        findings.len()
    }

    fn usual() -> impl Iterator<Item = (i64, i64)> {
        (0..40).map(|number| (number * 30, number * 30 + number % 3))
    }

    #[test]
    fn a_clock_that_was_set_is_told_once() {
        let back = |by: i64| usual().chain((40..80).map(move |number| (number * 30 - by, number * 30)));
        assert_eq!(found(back(1_000)), 1, "of another machine");
        assert_eq!(found(back(-1_000)), 1, "forwards");
        let both = usual().chain((40..80).map(|number| (number * 30 - 1_000, number * 30 - 1_000)));
        assert_eq!(found(both), 1, "of the machine that receives as well");
    }

    #[test]
    fn zones_late_events_and_old_files_are_no_jumps() {
        let behind = |by: i64| usual().chain((40..80).map(move |number| (number * 30 - by, number * 30)));
        assert_eq!(found(behind(3_600)), 0, "daylight saving time");
        assert_eq!(found(behind(-5 * 3_600 - 1_800)), 0, "another zone");
        assert_eq!(found(behind(120)), 0, "a little");
        let caught_up = usual().chain((40..200).map(|number| (number * 30, 6_000)));
        assert_eq!(found(caught_up), 0, "what waited comes at once");
        let slowly = usual().chain((0..120).map(|number| (1_200 + number * 30, 4_800 + number)));
        assert_eq!(found(slowly), 0, "what waited comes within minutes");
        let beside = usual().chain(
            (40..120).flat_map(|number| [(number * 30, number * 30), (number * 10 - 9_000, number * 30)]),
        );
        assert_eq!(found(beside), 0, "an old file is read beside");
        let never = (0..100).map(|number| (number * 30 - 1_000, number * 30));
        assert_eq!(found(never), 0, "it was always so");
        let few = usual().chain([(200, 1_200), (210, 1_210), (1_260, 1_260)]);
        assert_eq!(found(few), 0, "single events");
    }
}
