//! Detection by itself: of a journal that nobody scores or indexes, as on a host whose signals go elsewhere.

use std::time::{Duration, Instant};

use event::{Analyzed, Batch, Position};
use journal::Journal;
use telemetry::{health::Component, task::Stop};
use tracing::error;

use crate::{detection::Detector, records::events_of};

/// What is read of the journal at once: a host's own logs are few, and what is read is held in memory.
const READ_BYTES: usize = 256 << 10;
/// The detector is told that time goes by so often.
const TICK: Duration = Duration::from_secs(1);
/// What was found is committed so often.
const COMMIT_EVERY: Duration = Duration::from_secs(5);

/// Lets a detector see a journal's events as they come. Give it a thread of its own. Findings that rest on templates or
/// scores are not made: nothing here learns what is usual.
pub struct Lookout {
    detector: Box<dyn Detector>,
    journal: Journal,
    health: Component,
    /// Behind the last event that the detector has seen.
    position: Position,
    committed: Instant,
}

impl Lookout {
    /// Goes on where the detector stands.
    pub fn new(detector: Box<dyn Detector>, journal: Journal, health: Component) -> Self {
        let position = detector.position();
        Self { detector, journal, health, position, committed: Instant::now() }
    }

    /// Reads until told to stop, then what the journal still holds, and commits.
    pub async fn run(mut self, stop: Stop) {
        let mut end = self.journal.watch_end();
        let mut tick = Instant::now();
        loop {
            end.borrow_and_update();
            if tick <= Instant::now() {
                self.detector.tick(self.position);
                tick = Instant::now() + TICK;
            }
            if self.committed.elapsed() >= COMMIT_EVERY {
                self.commit(false);
            }
            if self.step() {
                continue;
            }
            if stop.is_cancelled() {
                break;
            }
            tokio::select! {
                changed = end.changed() => if changed.is_err() { break },
                () = stop.cancelled() => {}
                () = tokio::time::sleep_until(tick.into()) => {}
            }
        }
        while self.step() {}
        self.commit(true);
    }

    /// One read; false when there was nothing, or the detector takes nothing now.
    fn step(&mut self) -> bool {
        if !self.detector.is_ready() {
            return false;
        }
        let records = match self.journal.read(self.position, READ_BYTES) {
            Ok(records) => records,
            Err(failure) => {
                error!(
                    error = &failure as &dyn std::error::Error,
                    "the journal could not be read; trying again"
                );
                self.health.degraded("the journal cannot be read at present");
                return false;
            }
        };
        if records.end() == self.position {
            return false;
        }
        let events = events_of(&self.journal, &records);
        let events = events.into_iter().map(|(id, event)| Analyzed::unanalyzed(id, event)).collect();
        self.detector.see(&Batch { events, variables: vec![], end: records.end() });
        self.position = records.end();
        true
    }

    fn commit(&mut self, is_last: bool) {
        self.committed = Instant::now();
        match self.detector.commit(self.position, is_last) {
            Ok(_) => self.health.ok(),
            Err(failure) => {
                error!(
                    error = failure.as_ref() as &dyn std::error::Error,
                    "what was detected could not be kept; trying again"
                );
                self.health.degraded("what was detected cannot be kept at present");
            }
        }
    }
}
