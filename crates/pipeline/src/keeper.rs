//! What is found becomes signals, on a thread of its own: the analysis does not wait for the disk.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use event::{JournalId, Position, Timestamp};
use signal::{Beside, Cursor, Observed, Store};
use telemetry::{health::Component, metric};
use tracing::error;

use crate::{DETECTION_CURSOR, DetectorError, Keeper};

/// Findings that wait to be kept; while there are more, detection waits and falls behind.
const WAITING_MAX: usize = 10_000;
/// So often it is looked which signals are over.
const UPKEEP_EVERY: Duration = Duration::from_secs(15);
/// How long to wait before trying again after the database failed.
const RETRY: Duration = Duration::from_secs(1);

/// Takes what is found, for [`Keeping`] to keep.
pub struct SignalKeeper {
    shared: Arc<Shared>,
}

/// Keeps what [`SignalKeeper`] takes. Give it a thread of its own.
pub struct Keeping {
    shared: Arc<Shared>,
    store: Arc<Store>,
    beside: Beside,
    clock: fn() -> Timestamp,
    health: Component,
    /// The name of the reader's place in the database.
    reader: String,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Observed>,
    /// Behind the last event that they were found in.
    before: Position,
    /// Taken out to be kept.
    is_busy: bool,
    /// Nothing more will come.
    is_closed: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SignalKeeper {
    /// The two ends: one for the reader, one for the thread that keeps.
    pub fn new(
        store: Arc<Store>,
        beside: Beside,
        journal: JournalId,
        clock: fn() -> Timestamp,
        health: Component,
    ) -> (Self, Keeping) {
        let shared = Arc::new(Shared::default());
        let reader = format!("{DETECTION_CURSOR} {journal}");
        let keeping = Keeping { shared: Arc::clone(&shared), store, beside, clock, health, reader };
        (Self { shared }, keeping)
    }
}

impl Keeper for SignalKeeper {
    fn has_room(&self) -> bool {
        self.shared.lock().waiting.len() < WAITING_MAX
    }

    fn take(&mut self, found: Vec<Observed>, before: Position) {
        let mut queue = self.shared.lock();
        queue.waiting.extend(found);
        queue.before = before;
        metrics::gauge!(metric::FINDINGS_WAITING).set(queue.waiting.len() as f64);
        self.shared.changed.notify_all();
    }

    fn settle(&mut self, within: Duration) -> bool {
        let queue = self.shared.lock();
        let is_unsettled = |queue: &mut Queue| queue.is_busy || !queue.waiting.is_empty();
        let settled = self.shared.changed.wait_timeout_while(queue, within, is_unsettled);
        !settled.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

impl Drop for SignalKeeper {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.changed.notify_all();
    }
}

impl Keeping {
    /// Keeps until the other end is gone. What cannot be kept then is found again after the next start.
    pub fn run(self) {
        let mut upkeep = Instant::now();
        loop {
            let (mut waiting, before, is_closed) = self.next(upkeep);
            while !waiting.is_empty() {
                match self.keep(&waiting, before) {
                    Ok(_) => {
                        waiting.clear();
                        self.health.ok();
                    }
                    Err(failure) => {
                        let error = failure.as_ref() as &dyn std::error::Error;
                        error!(error, "what was found cannot be kept as signals; trying again");
                        self.health.degraded(
                            "what is found cannot be kept at present; look at the disk of the data folder",
                        );
                        if self.is_closed_within(RETRY) {
                            return;
                        }
                    }
                }
            }
            {
                let mut queue = self.shared.lock();
                queue.is_busy = false;
                metrics::gauge!(metric::FINDINGS_WAITING).set(queue.waiting.len() as f64);
            }
            self.shared.changed.notify_all();
            if is_closed {
                return;
            }
            if upkeep <= Instant::now() {
                self.tidy();
                upkeep = Instant::now() + UPKEEP_EVERY;
            }
        }
    }

    /// Takes out what waits; nothing, when it is time to tidy or nothing will come any more.
    fn next(&self, until: Instant) -> (Vec<Observed>, Position, bool) {
        let queue = self.shared.lock();
        let at_most = until.saturating_duration_since(Instant::now());
        let is_idle = |queue: &mut Queue| queue.waiting.is_empty() && !queue.is_closed;
        let waited = self.shared.changed.wait_timeout_while(queue, at_most, is_idle);
        let mut queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        let waiting = std::mem::take(&mut queue.waiting);
        queue.is_busy = !waiting.is_empty();
        (waiting, queue.before, queue.is_closed)
    }

    fn is_closed_within(&self, within: Duration) -> bool {
        let waited =
            self.shared.changed.wait_timeout_while(self.shared.lock(), within, |queue| !queue.is_closed);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_closed
    }

    fn keep(&self, found: &[Observed], before: Position) -> Result<(), DetectorError> {
        let cursor = Cursor { name: &self.reader, position: before };
        self.store.observe(found.to_vec(), Some(cursor), (self.clock)(), |transaction, changes| {
            (self.beside)(transaction, changes)
        })?;
        Ok(())
    }

    /// Resolves what has been quiet for long enough.
    fn tidy(&self) {
        let resolved = self
            .store
            .resolve_quiet((self.clock)(), |transaction, changes| (self.beside)(transaction, changes));
        if let Err(failure) = resolved {
            error!(error = &failure as &dyn std::error::Error, "signals that are over could not be resolved");
        }
        if let Err(failure) = self.store.forget((self.clock)()) {
            error!(error = &failure as &dyn std::error::Error, "old signals could not be forgotten");
        }
    }
}
