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
    ops::Range,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use event::{Batch, JournalId, Position};
use journal::{AppendError, Cursor, Journal, OpenError, ReadError};
use metrics::{counter, gauge};
use telemetry::metric;
use tracing::{error, warn};

pub use join::unscored;
use stretch::{Head, Place};

/// The cursor before which every reader has come by.
const CURSOR: &str = "readers";
/// Stretches waiting in memory to be written.
const QUEUE_BYTES: usize = 64 << 20;
/// A file of the log is removed once every reader has passed all of it.
const SEGMENT_BYTES: u64 = 8 << 20;
/// What was held of batches that follow each other becomes records of about so much.
const RECORD_BYTES: usize = 128 << 10;
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
    /// What of the log was destroyed, in words.
    damage: Vec<String>,
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

/// Verdicts of batches that follow each other, as they go into the log.
#[derive(Debug)]
struct Record {
    start: Position,
    end: Position,
    bytes: usize,
    batches: Vec<Arc<[u8]>>,
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
        let (stretches, unreadable) = found(&log, cursor.position(), main).unwrap_or_else(|failure| {
            let error = &failure as &dyn std::error::Error;
            error!(error, "the log of verdicts cannot be read");
            (VecDeque::new(), Some("the log cannot be read".to_owned()))
        });
        let damage = log.status().damage().into_iter().chain(unreadable).collect();
        let state = State { stretches, held_bytes: 0, cursor, readers: BTreeMap::new() };
        let shared = Shared {
            journal: main.id(),
            log,
            damage,
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
        let bytes_more = stretch::held_bytes(bytes.len());
        if self.held_bytes() + bytes_more > self.shared.held_bytes_max
            && let Err(failure) = self.keep()
        {
            warn!(error = &failure as &dyn std::error::Error, "verdicts of waiting events cannot be written");
        }
        let mut state = lock(&self.shared.state);
        if state.held_bytes + bytes_more > self.shared.held_bytes_max && state.held_bytes > 0 {
            counter!(metric::VERDICTS_GIVEN_UP).increment(batch.events.len() as u64);
            return;
        }
        state.held_bytes += bytes_more;
        let bytes = Place::Memory(Arc::from(bytes));
        state.stretches.push_back(Stretch { start, end: batch.end, bytes });
        self.export(&state);
    }

    /// Makes durable what is held. Blocks on the disk.
    ///
    /// # Errors
    /// When the log takes no more; what is held stays held then.
    pub fn keep(&self) -> Result<(), VerdictsError> {
        let records = self.records();
        if records.is_empty() {
            return Ok(());
        }
        let mut batch = journal::Batch::new();
        for Record { start, end, batches, .. } in &records {
            let head = Head { journal: self.shared.journal, start: *start, end: *end };
            batch.push_with(|out| stretch::join(out, head, batches));
        }
        let mut at = self.shared.log.append_blocking(batch)?.first;
        let mut state = lock(&self.shared.state);
        for Record { start, end, .. } in records {
            let first = state.stretches.partition_point(|stretch| stretch.start < start);
            let behind = state.stretches.partition_point(|stretch| stretch.start < end);
            // All may have been passed meanwhile.
            if first < behind {
                state.stretches.drain(first..behind);
                state.stretches.insert(first, Stretch { start, end, bytes: Place::Log(at) });
            }
            at = at.next();
        }
        state.held_bytes = state.stretches.iter().map(|stretch| stretch.bytes.held_bytes()).sum();
        self.export(&state);
        Ok(())
    }

    /// What is in memory, as records of the log.
    fn records(&self) -> Vec<Record> {
        let mut records = Vec::<Record>::new();
        for Stretch { start, end, bytes } in &lock(&self.shared.state).stretches {
            let Place::Memory(bytes) = bytes else { continue };
            let follows =
                |record: &&mut Record| record.end == *start && record.bytes + bytes.len() <= RECORD_BYTES;
            match records.last_mut().filter(follows) {
                Some(record) => {
                    record.end = *end;
                    record.bytes += bytes.len();
                    record.batches.push(bytes.clone());
                }
                None => records.push(Record {
                    start: *start,
                    end: *end,
                    bytes: bytes.len(),
                    batches: vec![bytes.clone()],
                }),
            }
        }
        records
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
        state.held_bytes = state.stretches.iter().map(|stretch| stretch.bytes.held_bytes()).sum();
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
                state.held_bytes -= passed.bytes.held_bytes();
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

    /// What of its files was destroyed when it was opened, in words; empty when nothing was. Events whose verdicts
    /// were there are analysed again, or come without one where an index takes them first.
    pub fn damage(&self) -> &[String] {
        &self.shared.damage
    }

    /// Bytes in memory.
    pub fn held_bytes(&self) -> usize {
        lock(&self.shared.state).held_bytes
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        lock(&self.shared.state).stretches.is_empty()
    }

    /// Of which events between two places something was said, in their order. As long as this is the same, so is what
    /// [`Verdicts::look`] says of them.
    pub fn reach(&self, from: Position, to: Position) -> Vec<Range<Position>> {
        let state = lock(&self.shared.state);
        let first = state.stretches.partition_point(|stretch| stretch.end <= from);
        let mut reached = Vec::<Range<Position>>::new();
        for Stretch { start, end, .. } in state.stretches.iter().skip(first) {
            let (start, end) = ((*start).max(from), (*end).min(to));
            if start >= end {
                break;
            }
            match reached.last_mut().filter(|last| last.end == start) {
                Some(last) => last.end = end,
                None => reached.push(start..end),
            }
        }
        reached
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

/// The stretches of a log from a place on, of a journal's events that are there, and what of them cannot be read.
fn found(
    log: &Journal,
    from: Position,
    main: &Journal,
) -> Result<(VecDeque<Stretch>, Option<String>), ReadError> {
    let (mut at, mut stretches, mut unreadable) = (from, VecDeque::<Stretch>::new(), 0);
    loop {
        let records = log.read(at, READ_BYTES)?;
        for (place, record) in records.iter() {
            let Some(head) = stretch::head(record) else {
                unreadable += 1;
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
            let told = || format!("{unreadable} records are of no version that this program knows");
            return Ok((stretches, (unreadable > 0).then(told)));
        }
        at = records.end();
    }
}
