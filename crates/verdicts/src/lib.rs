//! What the analysis said of events that a reader of the journal has not come to yet: templates,
//! shapes, variables and verdicts, so that nothing is analysed twice and an event that is indexed a day
//! later carries the verdict of its day.
//!
//! ```text
//! analysis ──hold──► memory ──keep──► log (a journal of its own) ──join──► indexing, detection, searches
//!                        ▲ passed: every reader has come by ▲
//! ```
//! What it holds is small beside the events, and bounded in memory and on disk. Where a bound is
//! reached it gives verdicts up and counts them: events come without one then, and none is lost. It
//! must never decide what is strange, and never holds an event's text.

mod join;
mod stretch;

use std::{
    collections::{BTreeMap, VecDeque},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use event::{Batch, JournalId, Position};
use journal::{AppendError, Cursor, Journal, OpenError, ReadError};
use metrics::{counter, gauge};
use telemetry::metric;
use tracing::{error, warn};

pub use join::unscored;
use stretch::Place;

/// The cursor before which every reader has come by.
const CURSOR: &str = "readers";
/// Stretches waiting in memory to be written.
const QUEUE_BYTES: usize = 64 << 20;
/// A file of the log is removed once every reader has passed all of it.
const SEGMENT_BYTES: u64 = 8 << 20;
/// Bytes of the log read at a time when it is opened.
const READ_BYTES: usize = 4 << 20;

/// Where the log lies and how much there may be.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its folder below the data directory.
    pub dir: PathBuf,
    /// Disk that the log may take, in bytes.
    pub budget_bytes: u64,
    /// Bytes in memory.
    pub held_bytes_max: usize,
}

/// Why what was held could not be made durable, or could not be read.
#[derive(Debug, thiserror::Error)]
pub enum VerdictsError {
    /// The log takes no more.
    #[error("cannot keep the verdicts of events that wait for a reader")]
    Append(#[from] AppendError),
    /// The place of the readers could not be kept.
    #[error("cannot keep how far the readers of the verdicts have come")]
    Cursor(#[source] ReadError),
}

/// The verdicts that wait. Clones share them.
#[derive(Debug, Clone)]
pub struct Verdicts {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Of the events' journal.
    journal: JournalId,
    log: Journal,
    held_bytes_max: usize,
    state: Mutex<State>,
}

/// What is there, in the order of the journal: first what the log has, then what memory has.
#[derive(Debug)]
struct State {
    stretches: VecDeque<Stretch>,
    held_bytes: usize,
    cursor: Cursor,
    readers: BTreeMap<&'static str, Position>,
}

/// Verdicts of all events between two places of the journal.
#[derive(Debug, Clone)]
struct Stretch {
    start: Position,
    end: Position,
    bytes: Place,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Verdicts {
    /// Opens the log and finds what it has of events of this journal.
    ///
    /// # Errors
    /// When its files cannot be opened.
    pub fn open(config: Config, main: &Journal) -> Result<Self, OpenError> {
        let log = Journal::open(journal::Config {
            cursors_dir: config.dir.join("cursors"),
            dir: config.dir,
            segment_bytes: SEGMENT_BYTES.min(config.budget_bytes / 4),
            budget_bytes: config.budget_bytes,
            queue_bytes: QUEUE_BYTES,
            reserve_bytes: 0,
            notes_max: 0,
        })?;
        let cursor = log.cursor(CURSOR)?;
        let stretches = match found(&log, cursor.position(), main) {
            Ok(stretches) => stretches,
            Err(failure) => {
                error!(
                    error = &failure as &dyn std::error::Error,
                    "the verdicts of events that wait for the index cannot be read; the events are analysed again \
                     as far as an earlier state of the analysis is there"
                );
                VecDeque::new()
            }
        };
        let state = State { stretches, held_bytes: 0, cursor, readers: BTreeMap::new() };
        let shared = Shared {
            journal: main.id(),
            log,
            held_bytes_max: config.held_bytes_max,
            state: Mutex::new(state),
        };
        let verdicts = Self { shared: Arc::new(shared) };
        verdicts.export(&lock(&verdicts.shared.state));
        Ok(verdicts)
    }

    /// Holds what the analysis said of a batch that begins at `start`. Gives it up, and counts that,
    /// when memory and log are full.
    pub fn hold(&self, start: Position, batch: &Batch<'_>) {
        let bytes = stretch::encode(self.shared.journal, start, batch);
        if self.held_bytes() + bytes.len() > self.shared.held_bytes_max
            && let Err(failure) = self.keep()
        {
            warn!(error = &failure as &dyn std::error::Error, "verdicts of waiting events cannot be written");
        }
        let mut state = lock(&self.shared.state);
        if state.held_bytes + bytes.len() > self.shared.held_bytes_max && state.held_bytes > 0 {
            counter!(metric::VERDICTS_GIVEN_UP).increment(batch.events.len() as u64);
            return;
        }
        state.held_bytes += bytes.len();
        let bytes = Place::Memory(Arc::from(bytes));
        state.stretches.push_back(Stretch { start, end: batch.end, bytes });
        self.export(&state);
    }

    /// Makes durable what is held. Blocks on the disk.
    ///
    /// # Errors
    /// When the log takes no more; what is held stays held then.
    pub fn keep(&self) -> Result<(), VerdictsError> {
        let (mut batch, mut starts) = (journal::Batch::new(), Vec::new());
        {
            let state = lock(&self.shared.state);
            for stretch in &state.stretches {
                if let Place::Memory(bytes) = &stretch.bytes {
                    batch.push_with(|out| out.extend_from_slice(bytes));
                    starts.push(stretch.start);
                }
            }
        }
        if starts.is_empty() {
            return Ok(());
        }
        let appended = self.shared.log.append_blocking(batch)?;
        let mut state = lock(&self.shared.state);
        let mut at = appended.first;
        // Some may have been passed meanwhile; none has come before them.
        for start in starts {
            if let Some(stretch) = state.stretches.iter_mut().find(|stretch| stretch.start == start) {
                stretch.bytes = Place::Log(at);
            }
            at = at.next();
        }
        state.held_bytes = state.stretches.iter().map(|stretch| stretch.bytes.len()).sum();
        self.export(&state);
        Ok(())
    }

    /// Up to where verdicts of all events from here on are there: `from` itself when that of the next is not.
    pub fn covered(&self, from: Position) -> Position {
        let state = lock(&self.shared.state);
        let mut reached = from;
        for stretch in &state.stretches {
            if stretch.start > reached {
                break;
            }
            reached = reached.max(stretch.end);
        }
        reached
    }

    /// Lets go of verdicts from a place on: the analysis begins there, and gives them anew.
    pub fn begin(&self, position: Position) {
        let mut state = lock(&self.shared.state);
        state.stretches.retain(|stretch| stretch.end <= position);
        state.held_bytes = state.stretches.iter().map(|stretch| stretch.bytes.len()).sum();
        self.export(&state);
    }

    /// Says that a reader has durably dealt with everything before a position. What all readers have
    /// passed is let go.
    ///
    /// # Errors
    /// When the log's cursor could not be written: its files only stay longer.
    pub fn passed(&self, reader: &'static str, position: Position) -> Result<(), VerdictsError> {
        let mut state = lock(&self.shared.state);
        let known = state.readers.entry(reader).or_default();
        *known = position.max(*known);
        let Some(&all) = state.readers.values().min() else { return Ok(()) };
        while state.stretches.front().is_some_and(|stretch| stretch.end <= all) {
            if let Some(passed) = state.stretches.pop_front() {
                state.held_bytes -= passed.bytes.len();
            }
        }
        self.export(&state);
        let needed = match state.stretches.front() {
            Some(Stretch { bytes: Place::Log(at), .. }) => *at,
            _ => self.shared.log.end(),
        };
        if needed.segment > state.cursor.position().segment
            || needed > state.cursor.position() && state.stretches.is_empty()
        {
            state.cursor.commit(needed).map_err(VerdictsError::Cursor)?;
        }
        Ok(())
    }

    /// Behind what every reader has passed.
    pub fn start(&self) -> Position {
        lock(&self.shared.state).readers.values().min().copied().unwrap_or_default()
    }

    /// Bytes in memory.
    pub fn held_bytes(&self) -> usize {
        lock(&self.shared.state).held_bytes
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        lock(&self.shared.state).stretches.is_empty()
    }

    /// The stretches that have something of the events between two places.
    fn between(&self, from: Position, to: Position) -> Vec<Stretch> {
        let state = lock(&self.shared.state);
        let first = state.stretches.partition_point(|stretch| stretch.end <= from);
        state.stretches.iter().skip(first).take_while(|stretch| stretch.start < to).cloned().collect()
    }

    fn export(&self, state: &State) {
        gauge!(metric::VERDICTS_HELD_BYTES).set(state.held_bytes as f64);
        gauge!(metric::VERDICTS_BYTES).set(self.shared.log.status().bytes as f64);
    }
}

/// The stretches of a log from a place on, of a journal's events that are there.
fn found(log: &Journal, from: Position, main: &Journal) -> Result<VecDeque<Stretch>, ReadError> {
    let (mut at, mut stretches) = (from, VecDeque::<Stretch>::new());
    loop {
        let records = log.read(at, READ_BYTES)?;
        for (place, record) in records.iter() {
            let Some(head) = stretch::head(record) else {
                warn!(%place, "verdicts of waiting events cannot be read");
                continue;
            };
            if head.journal != main.id() || head.end > main.end() {
                continue;
            }
            // What was analysed again after a crash is written again; the later counts.
            while stretches.back().is_some_and(|last| last.end > head.start) {
                stretches.pop_back();
            }
            stretches.push_back(Stretch { start: head.start, end: head.end, bytes: Place::Log(place) });
        }
        if records.end() <= at {
            return Ok(stretches);
        }
        at = records.end();
    }
}
