//! Samples that the collector does not have yet.
//!
//! They are in a journal: durable before they are sent, in order, bounded by size and age. When the journal takes
//! nothing because the disk is full or broken, they wait in memory and are sent from there all the same, for a full disk
//! is just what the collector should hear of. What is given up is counted.
//!
//! ```text
//! record: measured, in milliseconds since 1970, u64 little-endian │ the sample as JSON
//! notes:  "agent/id" 32 hexadecimal digits │ "agent/next" u64 little-endian: the next sequence number after a restart
//! ```
//! After an orderly stop numbers go on without a gap; after a crash they go on behind all that can have been given out.

use std::{
    collections::VecDeque,
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use event::Position;
use journal::{AppendError, Batch, Cursor, Journal, Note, OpenError};
use tokio::sync::Notify;

use crate::identity;

/// Samples that wait in memory when the disk takes none.
const MEMORY_MAX: usize = 1000;
/// Numbers that are taken ahead, so that none is given out twice after a crash.
const AHEAD: u64 = 1_000_000;
/// Read of the journal at a time.
const READ_BYTES: usize = 1 << 20;
/// How often room is made for a sample before it waits in memory.
const ROOM_TRIES: usize = 4;
const ID: &[u8] = b"agent/id";
const NEXT: &[u8] = b"agent/next";
const STAMP_BYTES: usize = 8;

/// Samples that wait.
#[derive(Debug)]
pub(crate) struct Buffer {
    journal: Journal,
    cursor: Mutex<Cursor>,
    state: Mutex<State>,
    id: String,
    age_max: Duration,
    dropped: AtomicU64,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    next: u64,
    memory: VecDeque<(u64, Vec<u8>)>,
}

/// Samples to send, in order.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// Each as JSON.
    pub(crate) samples: Vec<Vec<u8>>,
    until: Option<Until>,
}

#[derive(Debug, Clone, Copy)]
enum Until {
    Journal(Position),
    /// Up to this number.
    Memory(u64),
}

impl Buffer {
    /// Opens what is kept below a data folder, at most `bytes_max`.
    pub(crate) fn open(
        data: &Path,
        bytes_max: u64,
        age_max: Duration,
        now_ms: u64,
    ) -> Result<Self, OpenError> {
        let journal = Journal::open(journal::Config {
            dir: data.join("samples"),
            cursors_dir: data.join("samples/cursors"),
            segment_bytes: (bytes_max / 16).max(64 << 10),
            budget_bytes: bytes_max,
            queue_bytes: 1 << 20,
            reserve_bytes: 0,
            notes_max: 16,
        })?;
        let cursor = journal.cursor("sent")?;
        let id = journal.note(ID).and_then(|id| String::from_utf8(id).ok());
        // Without random bytes it is told apart by when it began.
        let id = id.or_else(|| identity::random().ok()).unwrap_or_else(|| format!("{now_ms:032x}"));
        let next = journal.note(NEXT).and_then(|next| Some(u64::from_le_bytes(next.try_into().ok()?)));
        Ok(Self {
            cursor: Mutex::new(cursor),
            // A journal that is made anew goes on behind the numbers of the one before.
            state: Mutex::new(State { next: next.unwrap_or(now_ms), memory: VecDeque::new() }),
            journal,
            id,
            age_max,
            dropped: AtomicU64::new(0),
            changed: Notify::new(),
        })
    }

    /// Tells this agent from others of its name.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Takes a sample, which is told its number; returns why it is not on the disk, when it is not. Blocks on the disk.
    pub(crate) fn put(&self, now_ms: u64, sample: impl FnOnce(u64) -> Vec<u8>) -> Result<(), AppendError> {
        let mut state = lock(&self.state);
        let number = state.next;
        state.next += 1;
        let record = [&now_ms.to_le_bytes()[..], &sample(number)].concat();
        state.memory.push_back((number, record));
        let outcome = self.flush(&mut state);
        while state.memory.len() > MEMORY_MAX {
            state.memory.pop_front();
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        drop(state);
        self.changed.notify_one();
        outcome
    }

    /// Moves what is in memory into the journal, which makes room by giving up its oldest.
    fn flush(&self, state: &mut State) -> Result<(), AppendError> {
        let mut tries = 0;
        loop {
            let mut batch = Batch::new();
            for (_, record) in &state.memory {
                batch.push_with(|out| out.extend_from_slice(record));
            }
            batch.note(Note { key: ID.to_vec(), value: Some(self.id.clone().into_bytes()) });
            batch.note(next(state.next.saturating_add(AHEAD)));
            match self.journal.append_blocking(batch) {
                Ok(_) => {
                    state.memory.clear();
                    return Ok(());
                }
                Err(AppendError::Full { .. }) if tries < ROOM_TRIES && self.give_up_oldest() => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives up the oldest part of what waits; false when there is none to give up.
    fn give_up_oldest(&self) -> bool {
        let mut cursor = lock(&self.cursor);
        let at = cursor.position();
        let Some(end) = self.journal.segments().into_iter().find(|end| *end > at) else { return false };
        let lost = self.between(at, end);
        if cursor.commit(end).is_err() {
            return false;
        }
        self.dropped.fetch_add(lost, Ordering::Relaxed);
        true
    }

    /// How many records there are from one position to another.
    fn between(&self, from: Position, to: Position) -> u64 {
        let ends = self.journal.segments().into_iter().filter(|end| *end > from && *end <= to);
        let of = |end: Position| end.record - if end.segment == from.segment { from.record } else { 0 };
        ends.map(|end| u64::from(of(end))).sum()
    }

    /// The oldest that wait, at most so many; those that are too old are given up on the way. Blocks on the disk.
    pub(crate) fn waiting(&self, max: usize, now_ms: u64) -> Result<Waiting, journal::ReadError> {
        let from = lock(&self.cursor).position();
        let read = self.journal.read(from, READ_BYTES)?;
        self.dropped.fetch_add(read.damaged(), Ordering::Relaxed);
        let mut waiting = Waiting::default();
        if read.is_empty() {
            if read.end() > from {
                // Nothing but damage.
                lock(&self.cursor).commit(read.end())?;
            }
            return Ok(self.in_memory(max, now_ms));
        }
        let mut until = read.end();
        for (position, record) in read.iter() {
            if waiting.samples.len() == max {
                until = position;
                break;
            }
            self.fresh(record, now_ms, &mut waiting.samples);
        }
        waiting.until = Some(Until::Journal(until));
        Ok(waiting)
    }

    fn in_memory(&self, max: usize, now_ms: u64) -> Waiting {
        let mut waiting = Waiting::default();
        for (number, record) in lock(&self.state).memory.iter().take(max) {
            self.fresh(record, now_ms, &mut waiting.samples);
            waiting.until = Some(Until::Memory(*number));
        }
        waiting
    }

    fn fresh(&self, record: &[u8], now_ms: u64, samples: &mut Vec<Vec<u8>>) {
        let Some((stamp, sample)) = record.split_first_chunk::<STAMP_BYTES>() else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let age_ms = now_ms.saturating_sub(u64::from_le_bytes(*stamp));
        if u128::from(age_ms) > self.age_max.as_millis() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        } else {
            samples.push(sample.to_vec());
        }
    }

    /// They are stored elsewhere, or given up. Blocks on the disk.
    pub(crate) fn done(&self, waiting: &Waiting) -> Result<(), journal::ReadError> {
        match waiting.until {
            Some(Until::Journal(position)) => lock(&self.cursor).commit(position),
            Some(Until::Memory(number)) => {
                lock(&self.state).memory.retain(|(other, _)| *other > number);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Counts samples that were given up.
    pub(crate) fn gave_up(&self, samples: u64) {
        self.dropped.fetch_add(samples, Ordering::Relaxed);
    }

    /// How many were given up since the start.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// How many wait.
    pub(crate) fn count(&self) -> u64 {
        let from = lock(&self.cursor).position();
        self.between(from, self.journal.end()) + lock(&self.state).memory.len() as u64
    }

    /// Waits until a sample has come.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Notes where numbers go on, and closes the journal.
    pub(crate) async fn close(&self, deadline: Duration) {
        let (exact, has_moved) = {
            let state = lock(&self.state);
            (state.next, state.memory.is_empty())
        };
        if has_moved {
            let mut batch = Batch::new();
            batch.note(next(exact));
            // Without it numbers go on with a gap, as after a crash.
            drop(self.journal.append(batch).await);
        }
        self.journal.close(deadline).await;
    }
}

impl Waiting {
    /// Nothing waits, and nothing was passed over.
    pub(crate) fn is_nothing(&self) -> bool {
        self.until.is_none()
    }
}

fn next(number: u64) -> Note {
    Note { key: NEXT.to_vec(), value: Some(number.to_le_bytes().to_vec()) }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn put(buffer: &Buffer, now_ms: u64, padding: usize) {
        let sample = |number: u64| format!("{number}{}", " ".repeat(padding)).into_bytes();
        buffer.put(now_ms, sample).unwrap();
    }

    fn numbers(waiting: &Waiting) -> Vec<u64> {
        let number = |sample: &Vec<u8>| String::from_utf8_lossy(sample).trim().parse().unwrap();
        waiting.samples.iter().map(number).collect()
    }

    #[test]
    fn what_was_not_done_is_there_again_in_order_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let buffer = Buffer::open(dir.path(), 4 << 20, HOUR, 100).unwrap();
        let id = buffer.id().to_owned();
        (0..5).for_each(|_| put(&buffer, 1000, 0));
        let first = buffer.waiting(2, 1000).unwrap();
        assert_eq!(numbers(&first), [100, 101]);
        assert_eq!(numbers(&buffer.waiting(2, 1000).unwrap()), [100, 101]);
        buffer.done(&first).unwrap();
        assert_eq!(buffer.count(), 3);
        drop(buffer);
        let buffer = Buffer::open(dir.path(), 4 << 20, HOUR, 7).unwrap();
        assert_eq!((buffer.id(), buffer.count()), (id.as_str(), 3));
        put(&buffer, 1000, 0);
        let rest = buffer.waiting(10, 1000).unwrap();
        assert_eq!(numbers(&rest)[..3], [102, 103, 104]);
        assert!(numbers(&rest)[3] > 104);
        buffer.done(&rest).unwrap();
        assert!(buffer.waiting(10, 1000).unwrap().is_nothing());
        assert_eq!((buffer.count(), buffer.dropped()), (0, 0));
    }

    #[tokio::test]
    async fn after_an_orderly_stop_numbers_have_no_gap() {
        let dir = tempfile::tempdir().unwrap();
        let buffer = Buffer::open(dir.path(), 4 << 20, HOUR, 100).unwrap();
        put(&buffer, 1, 0);
        buffer.close(Duration::from_secs(60)).await;
        drop(buffer);
        let buffer = Buffer::open(dir.path(), 4 << 20, HOUR, 7).unwrap();
        put(&buffer, 1, 0);
        assert_eq!(numbers(&buffer.waiting(10, 1).unwrap()), [100, 101]);
    }

    #[test]
    fn beyond_its_size_the_oldest_go_and_are_counted() {
        let dir = tempfile::tempdir().unwrap();
        let buffer = Buffer::open(dir.path(), 1 << 20, HOUR, 0).unwrap();
        (0..600).for_each(|_| put(&buffer, 1, 4000));
        let mut left = vec![];
        loop {
            let waiting = buffer.waiting(50, 1).unwrap();
            if waiting.is_nothing() {
                break;
            }
            left.extend(numbers(&waiting));
            buffer.done(&waiting).unwrap();
        }
        assert!(left.len() > 100 && left.len() < 600, "{}", left.len());
        assert_eq!(left.len() as u64 + buffer.dropped(), 600);
        assert!(left.windows(2).all(|pair| pair[0] + 1 == pair[1]) && left.last() == Some(&599));
    }

    #[test]
    fn beyond_their_age_samples_are_given_up() {
        let dir = tempfile::tempdir().unwrap();
        let buffer = Buffer::open(dir.path(), 4 << 20, HOUR, 0).unwrap();
        put(&buffer, 0, 0);
        put(&buffer, 3_600_000, 0);
        let waiting = buffer.waiting(10, 3_600_001).unwrap();
        assert_eq!((numbers(&waiting), buffer.dropped()), (vec![1], 1));
    }

    #[tokio::test]
    async fn while_the_disk_takes_nothing_samples_wait_in_memory_and_are_sent_from_there() {
        let dir = tempfile::tempdir().unwrap();
        let buffer = Buffer::open(dir.path(), 4 << 20, HOUR, 0).unwrap();
        put(&buffer, 1, 0);
        buffer.journal.close(Duration::from_secs(60)).await;
        for _ in 0..MEMORY_MAX + 5 {
            assert!(buffer.put(1, |number| number.to_string().into_bytes()).is_err());
        }
        let first = buffer.waiting(10, 1).unwrap();
        assert_eq!(numbers(&first), [0]);
        buffer.done(&first).unwrap();
        let second = buffer.waiting(3, 1).unwrap();
        assert_eq!((numbers(&second), buffer.dropped()), (vec![6, 7, 8], 5));
        buffer.done(&second).unwrap();
        assert_eq!(numbers(&buffer.waiting(1, 1).unwrap()), [9]);
    }
}
