//! Every event is scored, once and in order, whether or not the service is there when it comes.
//!
//! *Attached*, the pipeline's batches are scored as they come. When that fails, the state is *detached*: the
//! pipeline passes its events on unscored at once, and [`LateScoring`], a reader of the journal with a cursor of
//! its own, stands at the first of them. As soon as the service answers again, it reads on from there and has
//! the events scored, until nothing unscored is left before the pipeline's own position; then the two are
//! attached again. So the service sees each journal in order, and a verdict depends on nothing else.
//!
//! The cursor keeps the journal's segments. An absent service must not stop intake: when the journal is three
//! quarters full, the oldest events are given up for scoring, which a metric counts.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use event::{Event, EventId, Position, Verdict};
use journal::{Journal, OpenError, ReadError};
use telemetry::{health::Component, metric, task::Stop};
use tokio::{sync::watch, time::sleep};
use tracing::{error, info, warn};

use index::Index;

use super::{Remote, late::Late};
use crate::records::events_of;

/// The name of the cursor that keeps the journal's segments until their events are scored.
pub const CURSOR: &str = "verdicts";
/// Journal bytes taken at once by the reader of what is unscored.
const READ_BYTES: usize = 1 << 20;
/// Reads between two durable positions of that reader.
const READS_PER_COMMIT: u32 = 16;
/// Pause after an index did not take late verdicts.
const LATE_PAUSE: Duration = Duration::from_secs(1);
/// Shortest pause after a failure.
const PAUSE_MIN: Duration = Duration::from_millis(20);

/// Told of verdicts on events that were passed on unscored. After a crash some may come again.
pub type LateVerdicts = Box<dyn FnMut(&[(EventId, Verdict)]) + Send>;

/// Where the two readers stand.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    detached: bool,
    /// The gap is about to close: the pipeline waits a moment instead of widening it.
    closing: bool,
    /// Everything before is scored.
    scored: Position,
    /// Everything before has been passed on by the pipeline.
    passed: Position,
    /// The first event whose late verdict is not in the index yet.
    unstored: Option<Position>,
}

impl State {
    /// Everything before is scored, and its verdict stored.
    fn settled(&self) -> Position {
        self.unstored.map_or(self.scored, |unstored| unstored.min(self.scored))
    }
}

struct Shared {
    remote: Remote,
    journal: Journal,
    state: watch::Sender<State>,
    cursor: Mutex<journal::Cursor>,
    health: Component,
}

/// The pipeline's side.
pub struct Scoring {
    shared: Arc<Shared>,
    /// There was no cursor: the service has not been asked before.
    is_new: bool,
}

/// The reader of what is unscored.
pub struct LateScoring {
    shared: Arc<Shared>,
    sink: LateVerdicts,
    late: Late,
    /// Since the cursor was last made durable.
    reads: u32,
    /// The latest step was answered, so the service is back.
    answered: bool,
}

/// What became of a step of [`LateScoring`].
enum Step {
    Onward,
    Pause(Duration),
}

impl Scoring {
    /// The pipeline's side and the reader, which is to be run beside the pipeline.
    ///
    /// # Errors
    /// When the journal's cursor cannot be opened.
    pub fn open(
        remote: Remote,
        journal: Journal,
        health: Component,
        index: Arc<dyn Index>,
        sink: LateVerdicts,
    ) -> Result<(Self, LateScoring), OpenError> {
        let is_new = journal.status().cursors.iter().all(|(name, _)| name != CURSOR);
        let cursor = Mutex::new(journal.cursor(CURSOR)?);
        let (state, _) = watch::channel(State::default());
        let shared = Arc::new(Shared { remote, journal, state, cursor, health });
        let late = Late::new(index);
        let verdicts = LateScoring { shared: shared.clone(), sink, late, reads: 0, answered: false };
        Ok((Self { shared, is_new }, verdicts))
    }

    /// Says where the pipeline begins. What lies between the cursor and this place is scored first.
    pub(crate) fn start(&self, position: Position) {
        let scored = if self.is_new { position } else { self.shared.cursor().position().min(position) };
        self.shared.state.send_replace(State {
            detached: scored < position,
            closing: false,
            scored,
            passed: position,
            unstored: None,
        });
        self.shared.keep(scored);
    }

    /// A verdict for each event: those of the service, or none of it as long as it is away.
    pub(crate) async fn score(&self, events: &[(EventId, Event<'_>)], end: Position) -> Vec<Verdict> {
        let shared = &self.shared;
        shared.wait_while_closing().await;
        let detached = shared.state.borrow().detached;
        if !detached {
            match shared.remote.score(events).await {
                Ok(verdicts) => {
                    shared.state.send_modify(|state| (state.scored, state.passed) = (end, end));
                    shared.health.ok();
                    return verdicts;
                }
                Err(away) => shared.away(&away),
            }
        }
        shared.state.send_modify(|state| (state.detached, state.passed) = (true, end));
        metrics::counter!(metric::UNSCORED_EVENTS).increment(events.len() as u64);
        vec![Verdict::unscored(); events.len()]
    }

    /// Makes durable up to where events are scored. `indexed` is up to where nothing else needs the journal.
    pub(crate) fn commit(&self, indexed: Position) {
        let state = *self.shared.state.borrow();
        if state.settled() < state.passed && state.settled().segment < indexed.segment {
            self.shared.make_room(state.settled());
        }
        let settled = self.shared.state.borrow().settled();
        self.shared.keep(settled);
    }

    /// Whether events are scored as they come.
    pub fn is_attached(&self) -> bool {
        !self.shared.state.borrow().detached
    }
}

impl Shared {
    fn cursor(&self) -> MutexGuard<'_, journal::Cursor> {
        self.cursor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn away(&self, away: &super::Unavailable) {
        self.health
            .degraded(format!("{away}; events are stored without verdicts, which follow when it is back"));
    }

    /// Moves the cursor. What fails only makes a restart score some events again.
    fn keep(&self, position: Position) {
        if let Err(failure) = self.cursor().commit(position) {
            warn!(error = &failure as &dyn std::error::Error, "the place of the verdicts could not be kept");
        }
    }

    /// Gives up a segment's verdicts when they alone keep a journal that is nearly full.
    fn make_room(&self, settled: Position) {
        let status = self.journal.status();
        if status.bytes < status.budget_bytes / 4 * 3 {
            return;
        }
        let next = Position { segment: settled.segment.saturating_add(1), record: 0 };
        self.state.send_modify(|state| {
            state.scored = state.scored.max(next);
            state.unstored = state.unstored.map(|unstored| unstored.max(next));
        });
        metrics::counter!(metric::VERDICT_SEGMENTS_GIVEN_UP).increment(1);
        error!(
            segment = settled.segment,
            "the journal is nearly full and the anomaly service away: events of a segment stay unscored for good"
        );
    }

    async fn wait_while_closing(&self) {
        if !self.state.borrow().closing {
            return;
        }
        let mut state = self.state.subscribe();
        let closed = async { state.wait_for(|state| !state.closing).await.map(drop) };
        // When it takes too long after all, the pipeline goes on and the gap closes another time.
        drop(tokio::time::timeout(self.remote.config.deadline, closed).await);
    }
}

impl LateScoring {
    /// Runs until told to stop. Computes: give it a thread of its own.
    pub async fn run(mut self, stop: Stop) {
        let mut state = self.shared.state.subscribe();
        loop {
            if self.late.is_due(self.shared.state.borrow().detached) {
                if let Some(Step::Pause(pause)) = stop.run_until_cancelled(self.store()).await {
                    let _: Option<()> = stop.run_until_cancelled(sleep(pause)).await;
                }
                if stop.is_cancelled() {
                    break;
                }
                continue;
            }
            let detached = async { state.wait_for(|state| state.detached).await.map(drop) };
            match stop.run_until_cancelled(detached).await {
                Some(Ok(())) => {}
                _ => break,
            }
            let step = stop.run_until_cancelled(self.step()).await;
            self.shared.state.send_if_modified(|state| std::mem::take(&mut state.closing));
            match step {
                None => break,
                Some(Step::Onward) => {}
                Some(Step::Pause(pause)) => {
                    let _: Option<()> = stop.run_until_cancelled(sleep(pause)).await;
                }
            }
        }
        let settled = self.shared.state.borrow().settled();
        self.shared.keep(settled);
    }

    /// Has the verdicts that came late stored with their events.
    async fn store(&mut self) -> Step {
        if let Err(failure) = self.late.store().await {
            let failure: &dyn std::error::Error = &failure;
            warn!(error = failure, "late verdicts could not be stored with their events; trying again");
            return Step::Pause(LATE_PAUSE);
        }
        self.shared.state.send_modify(|state| state.unstored = None);
        self.keep();
        Step::Onward
    }

    /// One read of what is unscored.
    async fn step(&mut self) -> Step {
        let State { scored: from, passed, .. } = *self.shared.state.borrow();
        if from >= passed {
            self.attach();
            return Step::Onward;
        }
        let records = match self.shared.journal.read(from, READ_BYTES) {
            Ok(records) => records,
            Err(failure) => return unreadable(&failure),
        };
        let end = records.end().min(passed);
        if self.answered && end == passed {
            self.shared.state.send_modify(|state| state.closing = true);
        }
        let mut events = events_of(&self.shared.journal, &records);
        events.retain(|(id, _)| id.position < passed);
        let verdicts = match self.shared.remote.score(&events).await {
            Ok(verdicts) => verdicts,
            Err(away) => {
                self.answered = false;
                self.shared.away(&away);
                return Step::Pause(self.shared.remote.pause().max(PAUSE_MIN));
            }
        };
        self.answered = true;
        self.hand_on(events.iter().map(|(id, _)| *id).zip(verdicts).collect());
        // Nothing to read, though the pipeline has passed it: damage that was cut off.
        let end = if end == from { passed } else { end };
        self.shared.state.send_modify(|state| state.scored = state.scored.max(end));
        self.reads += 1;
        if self.reads >= READS_PER_COMMIT {
            self.keep();
        }
        self.attach();
        Step::Onward
    }

    fn hand_on(&mut self, verdicts: Vec<(EventId, Verdict)>) {
        metrics::counter!(metric::LATE_VERDICTS).increment(verdicts.len() as u64);
        (self.sink)(&verdicts);
        if let Some((first, _)) = verdicts.first() {
            self.shared.state.send_modify(|state| _ = state.unstored.get_or_insert(first.position));
        }
        self.late.add(verdicts);
    }

    fn keep(&mut self) {
        self.reads = 0;
        let settled = self.shared.state.borrow().settled();
        self.shared.keep(settled);
    }

    /// Attaches, if nothing unscored is left.
    fn attach(&mut self) {
        let attached = self.shared.state.send_if_modified(|state| {
            let complete = state.detached && state.scored >= state.passed;
            if complete {
                (state.detached, state.closing) = (false, false);
            }
            complete
        });
        if attached {
            self.answered = false;
            self.keep();
            self.shared.health.ok();
            info!("the anomaly service is back, and has scored what came meanwhile");
        }
    }
}

fn unreadable(failure: &ReadError) -> Step {
    error!(
        error = failure as &dyn std::error::Error,
        "the journal could not be read for verdicts; trying again"
    );
    Step::Pause(Duration::from_secs(1))
}

/// Drops the cursor, for a pipeline that scores in its own process: nothing must hold segments for nobody.
///
/// # Errors
/// When its file cannot be deleted.
pub fn forget(journal: &Journal) -> Result<(), OpenError> {
    journal.forget_cursor(CURSOR)
}
