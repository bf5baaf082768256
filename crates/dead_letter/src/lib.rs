//! The dead-letter stream: accepted events that an index refused for good, kept with the reason
//! until a person has them taken in again or discards them.
//!
//! It is a journal of its own below the data folder, so what it promises is what a journal promises:
//! a letter is durable before it counts as done. When its budget is used up it takes nothing more,
//! and whoever writes to it stands still; it must never drop a letter by itself.

mod record;

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hasher},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use event::{Event, EventId, JournalId, Position, codec};
use index::{DeadLetter, DeadLetters};
use journal::{Batch, Cursor, Journal, Note, OpenError, ReadError};
use metrics::gauge;
use telemetry::{
    health::Component,
    metric,
    task::{Stop, Ticks},
};

/// The cursor before which letters have been taken in again or discarded.
const CURSOR: &str = "open";
/// Key of the main journal's note that says how far letters were taken in again.
const NOTE: &[u8] = b"dead-letters";
/// Bytes of letters read, or taken in again, at a time.
const READ_BYTES: usize = 1 << 20;
/// Letters that wait in memory to be written.
const QUEUE_BYTES: usize = 64 << 20;
/// How often it is looked whether there are letters.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A letter's file is removed once all letters in it are done with.
const SEGMENT_BYTES: u64 = 4 << 20;

/// Where the stream lies and how large it may become.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its folder below the data directory.
    pub dir: PathBuf,
    /// Disk that it may take, in bytes.
    pub budget_bytes: u64,
}

/// Why letters could not be taken in again or discarded.
#[derive(Debug, thiserror::Error)]
pub enum DeadLetterError {
    /// The stream cannot be read.
    #[error("cannot read the dead letters")]
    Read(#[from] ReadError),
    /// The journal took no more.
    #[error("the journal takes no dead letter in again; {done} were taken in before")]
    Append {
        /// How many were taken in.
        done: u64,
        /// Why not more.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A letter and its place in the stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// Its place.
    pub position: Position,
    /// The letter.
    pub letter: DeadLetter,
}

/// The stream. Share it by Arc.
#[derive(Debug)]
pub struct DeadLetterStream {
    journal: Journal,
    cursor: Mutex<Cursor>,
    /// Letters that an index may hand over once more, because it reads those events again, with a hash
    /// of the event: in a journal that was restored another event may have the id.
    repeatable: Mutex<HashMap<EventId, u64>>,
    /// What of its files was destroyed, in words.
    damage: Vec<String>,
    /// Letters not yet done with. A letter may be taken in again before whoever put it has counted it.
    open: Mutex<i64>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl DeadLetterStream {
    /// Opens the stream. `cursor` is where the index's cursor stands in the main journal: events from
    /// there on are read again, so their letters may come again.
    ///
    /// # Errors
    /// When its files cannot be opened or read.
    pub fn open(config: Config, main: &Journal, cursor: Position) -> Result<Self, OpenError> {
        let journal = Journal::open(journal::Config {
            cursors_dir: config.dir.join("cursors"),
            dir: config.dir,
            segment_bytes: SEGMENT_BYTES.min(config.budget_bytes / 2),
            budget_bytes: config.budget_bytes,
            queue_bytes: QUEUE_BYTES,
            reserve_bytes: 0,
            notes_max: 0,
        })?;
        let mut open = journal.cursor(CURSOR)?;
        if let Some(done) = main.note(NOTE).and_then(|note| done_of(&note, journal.id()))
            && let Err(error) = open.commit(done)
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "dead letters may be taken in twice");
        }
        let mut stream = Self {
            journal,
            cursor: Mutex::new(open),
            repeatable: Mutex::default(),
            damage: Vec::new(),
            open: Mutex::default(),
        };
        let (mut count, mut repeatable, identity) = (0_i64, HashMap::new(), main.identity());
        let read = stream.each(stream.start(), |kept| {
            count += 1;
            let id = kept.letter.id;
            if id == identity.event(id.position) && id.position >= cursor {
                repeatable.insert(id, content_of(&kept.letter));
            }
            true
        });
        if let Err(error) = read {
            tracing::error!(error = &error as &dyn std::error::Error, "some dead letters cannot be read");
        }
        *lock(&stream.repeatable) = repeatable;
        stream.damage = stream.journal.status().damage();
        stream.count(count);
        Ok(stream)
    }

    /// Letters not yet done with.
    pub fn len(&self) -> u64 {
        u64::try_from(*lock(&self.open)).unwrap_or_default()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What of its files was destroyed when it was opened, in words; empty when nothing was.
    pub fn damage(&self) -> &[String] {
        &self.damage
    }

    /// Says, until a stop, while there are letters, and which were destroyed.
    pub async fn watch(self: Arc<Self>, health: Component, stop: Stop) {
        let mut ticks = Ticks::every(LOOK_EVERY, stop);
        while ticks.next().await {
            let waiting = self.len();
            let waiting = (waiting > 0).then(|| {
                format!(
                    "{waiting} events that the index refused wait: log-sentinel dlq list says why; mend the cause, then \
                     log-sentinel dlq replay or drop"
                )
            });
            let reasons: Vec<_> = waiting.into_iter().chain(self.damage.iter().cloned()).collect();
            match reasons.is_empty() {
                true => health.ok(),
                false => health.degraded(reasons.join("; ")),
            }
        }
    }

    /// The place of the first letter.
    pub fn start(&self) -> Position {
        lock(&self.cursor).position()
    }

    /// Visits letters in the order in which they came, until `visit` says false. What cannot be decoded
    /// is passed over with a line in the log.
    ///
    /// # Errors
    /// When the files cannot be read.
    pub fn each(&self, from: Position, mut visit: impl FnMut(Kept) -> bool) -> Result<(), ReadError> {
        let mut position = from.max(self.start());
        loop {
            let records = self.journal.read(position, READ_BYTES)?;
            for (position, record) in records.iter() {
                let Some(letter) = record::decode(record) else {
                    tracing::error!(%position, "a dead letter cannot be read");
                    continue;
                };
                if !visit(Kept { position, letter }) {
                    return Ok(());
                }
            }
            if records.end() <= position {
                return Ok(());
            }
            position = records.end();
        }
    }

    /// Has every letter taken in again, as a new event at the end of the main journal, and gives their
    /// number. `take_in` makes events durable there together with a note; the note says how far this got, so that
    /// a letter is taken in once, also when the program ends in between. Blocks on the disk; call it off the
    /// reactor.
    ///
    /// # Errors
    /// When the stream cannot be read or `take_in` takes no more; what was taken in then stays so.
    pub fn replay<E>(
        &self,
        mut take_in: impl FnMut(Vec<Event<'static>>, Note) -> Result<(), E>,
    ) -> Result<u64, DeadLetterError>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let (mut done, end) = (0, self.journal.end());
        loop {
            // Held throughout, so that two replays at a time take nothing in twice.
            let mut cursor = lock(&self.cursor);
            let position = cursor.position();
            if position >= end {
                return Ok(done);
            }
            let records = self.journal.read(position, READ_BYTES)?;
            let letters = records.iter().filter_map(|(_, record)| record::decode(record));
            let events: Vec<_> = letters.map(|letter| letter.event).collect();
            let count = events.len() as u64;
            let note = note_of(self.journal.id(), records.end());
            take_in(events, Note { key: NOTE.to_vec(), value: Some(note) })
                .map_err(|source| DeadLetterError::Append { done, source: source.into() })?;
            cursor.commit(records.end())?;
            drop(cursor);
            done += count;
            self.count(-(count as i64));
            if records.end() <= position {
                return Ok(done);
            }
        }
    }

    /// Discards every letter and gives their number.
    ///
    /// # Errors
    /// When the stream cannot be read, or the cursor not be written.
    pub fn discard(&self) -> Result<u64, DeadLetterError> {
        let mut cursor = lock(&self.cursor);
        let (mut position, end) = (cursor.position(), self.journal.end());
        let mut count = 0;
        while position < end {
            let records = self.journal.read(position, READ_BYTES)?;
            let before_end = records.iter().filter(|(position, _)| *position < end);
            count += before_end.filter(|(_, record)| record::decode(record).is_some()).count() as u64;
            if records.end() <= position {
                break;
            }
            position = records.end();
        }
        cursor.commit(end)?;
        self.count(-(count as i64));
        Ok(count)
    }

    /// Adds to the letters not yet done with. Each change is a sum of its own, so that none that
    /// happens at the same time is lost.
    fn count(&self, change: i64) {
        let mut open = lock(&self.open);
        *open += change;
        gauge!(metric::DEAD_LETTERS).set((*open).max(0) as f64);
    }
}

#[async_trait]
impl DeadLetters for DeadLetterStream {
    async fn put(&self, letters: Vec<DeadLetter>) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let mut batch = Batch::new();
        {
            let known = lock(&self.repeatable);
            for letter in letters.iter().filter(|letter| known.get(&letter.id) != Some(&content_of(letter))) {
                batch.push_with(|out| record::encode(letter, out));
            }
        }
        let count = batch.len() as u64;
        self.journal.append(batch).await?;
        self.count(count as i64);
        Ok(())
    }
}

/// A hash of a letter's event, within one run.
fn content_of(letter: &DeadLetter) -> u64 {
    let (mut record, mut hasher) = (Vec::new(), DefaultHasher::new());
    codec::encode(&letter.event, &mut record);
    hasher.write(&record);
    hasher.finish()
}

/// How far letters of a stream were taken in again: the stream's id and the position.
fn note_of(stream: JournalId, done: Position) -> Vec<u8> {
    let mut note = stream.0.to_le_bytes().to_vec();
    note.extend_from_slice(&done.segment.to_le_bytes());
    note.extend_from_slice(&done.record.to_le_bytes());
    note
}

fn done_of(note: &[u8], stream: JournalId) -> Option<Position> {
    let (id, rest) = note.split_first_chunk()?;
    let (segment, record) = rest.split_first_chunk()?;
    let record = record.try_into().ok()?;
    (u128::from_le_bytes(*id) == stream.0)
        .then(|| Position { segment: u32::from_le_bytes(*segment), record: u32::from_le_bytes(record) })
}
