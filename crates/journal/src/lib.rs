//! The durable append-only log, the only thing that may say "accepted": what [`Journal::append`] has
//! answered survives `kill -9` and power loss. Payloads are opaque bytes. It must never interpret a
//! record, lose an acknowledged one silently, or show a reader one that is not durable.
//!
//! # Files
//! ```text
//! journal/meta                    file header, number 0: whose journal it is
//! journal/lock                    locked while a process has the journal open
//! journal/0000000000.segment …    file header, then blocks
//! journal/acknowledged            up to where the newest segment was acknowledged: two slots, at 0 and 4096
//! journal/manifest                the segments that were closed, and how many records each has
//! journal/quarantine/             raw bytes of damage met while reading, at most 1/64 of the budget
//! cursors/<name>.cursor           two slots, at 0 and 4096
//!
//! file header, 44 bytes (integers little-endian, the id big-endian; crc is CRC-32C):
//!   0 "LSJRNL\0M" or "…S" │ 8 version u32 = 1 │ 12 number u32 │ 16 journal id [16] │ 32 marker [8] │ 40 crc u32
//! block:
//!   0 marker [8] │ 8 flags u32 │ 12 segment u32 │ 16 first record u32 │ 20 records u32 │ 24 payload bytes u32
//!   28 notes bytes u32 │ 32 crc of table │ 36 crc of notes │ 40 durable u64 │ 48 crc of 0..48
//!   52 payload: the records, joined │ table: (length u32, crc u32) a record │ notes
//! note: key length u32 │ value length u32, all ones = forget │ key │ value
//! acknowledged slot, 56 bytes:
//!   0 "LSJRNL\0A" │ 8 version u32 │ 12 segment u32 │ 16 journal id │ 32 generation u64 │ 40 bytes u64
//!   48 records u32 │ 52 crc
//! manifest: 0 "LSJRNL\0L" │ 8 version u32 │ 16 journal id │ 32 (segment u32, records u32, bytes u64) … │ crc
//! cursor slot, 52 bytes:
//!   0 "LSJRNL\0C" │ 8 version u32 │ 16 journal id │ 32 generation u64 │ 40 segment u32 │ 44 record u32 │ 48 crc
//! ```
//! Flags: 1 ends a batch (only this block has the batch's notes); 2 notes carried over, with which every
//! segment begins; 4 closes: states only that everything before it is durable. `durable` is the offset up
//! to which the segment was durable when the block was written. The marker is random and never shown,
//! so that no record can pretend to be a block. A block is closed at 64 KiB of payload; a batch never spans
//! segments. A record has at most 1 GiB.
//!
//! # Notes
//! A note's key up to its first '/' names its family. When there are more than `notes_max`, the family with
//! the most forgets its oldest; past 16 MiB or 1/16 of the budget, the one with the most bytes does. So a
//! family within an equal share of both bounds never loses a note to another one.
//!
//! # Writing
//! Appenders encode and checksum; one thread takes all that wait, numbers the blocks, writes them, calls
//! one fdatasync, then shows the records to readers and answers. A full disk: cut back to the last durable
//! offset, [`AppendError::DiskFull`], next try. A failed fsync, or any other failed write: nothing is
//! accepted until a restart, for the page cache no longer tells what is on disk.
//!
//! # Trimming
//! A segment goes once every cursor is past it. When all have read everything and the journal is idle or
//! closes, an empty segment with the notes replaces even the newest, so that an orderly stop leaves little.
//! The newest segment whose notes are whole stays until there is another one.
//!
//! # Reading
//! Positions compare. [`Journal::end`] is always in the newest segment: after segment n was replaced by an
//! empty one it is (n + 1, 0), and reading from the end of segment n goes on there. A record that
//! does not check is skipped alone; a block whose header does not check is skipped by searching the
//! next one that does, and the record numbers in it tell how many were lost.
//!
//! # Recovery
//! Only the newest segment can be torn, and only behind its last `durable` mark and what `acknowledged` says.
//! What is missing before that, a tail or a whole segment, was destroyed: it is told in [`Status::problems`], and
//! readers meet so many damaged records. A journal of an earlier version has neither file until it is written to.
//! Behind it, what does not check and has a sector of zeros, or nothing behind it, is a write that never finished: the segment is cut
//! behind the last complete batch before it. All other damage is left for readers to skip. After
//! anything but an orderly close a new segment begins, so that the number of a cut record is never
//! given out again. A segment of another journal or of another version is refused by name. Opening writes nothing, so it works on a full disk.
//!
//! # Assumed of the disk
//! fdatasync makes content and length durable; rename replaces atomically and fsync of the folder makes it
//! durable; overwriting one cursor slot leaves the other 4 KiB page alone, and needs new space
//! only on copy-on-write file systems.

mod batch;
mod cursor;
mod cursor_file;
mod disk;
mod error;
mod expected;
mod format;
mod identity;
mod notes;
mod queue;
mod read;
mod recover;
mod scan;
mod segment;
mod state;
mod status;
#[cfg(test)]
mod tests;
mod verify;
mod writer;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use event::{JournalId, Position};
use tokio::sync::{oneshot, watch};

pub use batch::{Batch, MAX_RECORD_BYTES};
pub use cursor::Cursor;
pub use error::{AppendError, OpenError, ReadError};
pub use identity::Identity;
pub use read::Records;
pub use status::Status;
pub use verify::{VerifyReport, cat, verify};

use cursor_file::CursorFile;
use disk::Disk;
use error::io_error;
use queue::{Pending, Waiter};
use recover::recover;
use segment::segment_path;
use state::{Shared, lock};
use writer::Writer;

/// Settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// The journal's own folder.
    pub dir: PathBuf,
    /// The folder of the cursors.
    pub cursors_dir: PathBuf,
    /// A segment is closed past this size; at most a quarter of the budget.
    pub segment_bytes: u64,
    /// Hard budget for everything in `dir`.
    pub budget_bytes: u64,
    /// Appends that may wait for the writer or be in its hands, in bytes.
    pub queue_bytes: usize,
    /// Bytes of the disk that stay free: below that nothing is accepted, so that an index on the same
    /// disk can go on. At most a twentieth of the disk.
    pub reserve_bytes: u64,
    /// Notes kept. The family with the most (keys that are equal up to their first '/') forgets its oldest.
    pub notes_max: usize,
}

impl Config {
    /// A small journal in the folders `journal` and `cursors` of a data folder, for tools and tests: 64 MiB in
    /// segments of 8 MiB, and no reserve.
    pub fn new(data: &Path) -> Self {
        Self {
            dir: data.join("journal"),
            cursors_dir: data.join("cursors"),
            segment_bytes: 8 << 20,
            budget_bytes: 64 << 20,
            queue_bytes: 8 << 20,
            reserve_bytes: 0,
            notes_max: 1000,
        }
    }
}

/// Something small that becomes durable together with a batch and is remembered after the batch's
/// segment is gone: the position in a tailed file, the answer to an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What it is found by.
    pub key: Vec<u8>,
    /// None forgets the key.
    pub value: Option<Vec<u8>>,
}

/// A file that was not as it should be, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file or folder.
    pub path: PathBuf,
    /// What is wrong, in words.
    pub what: String,
}

impl Problem {
    fn new(path: &Path, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), what: what.into() }
    }
}

/// Where a batch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Its first record; the others follow in the same segment.
    pub first: Position,
    /// Behind its last record.
    pub end: Position,
}

/// The journal. Clones share it; when the last one goes, what is queued is made durable.
#[derive(Debug, Clone)]
pub struct Journal {
    owner: Arc<Owner>,
}

#[derive(Debug)]
struct Owner {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        lock(&self.shared.queue).closed = true;
        self.shared.wake.notify_all();
        if let Some(writer) = lock(&self.writer).take() {
            // A panic of the writer has already been answered to every appender.
            drop(writer.join());
        }
    }
}

impl Journal {
    /// Opens the journal in `config.dir`, or makes a new one, and cuts off a torn tail.
    ///
    /// # Errors
    /// When another process has it open, or it cannot be read.
    pub fn open(config: Config) -> Result<Self, OpenError> {
        Self::open_on(config, Disk::default())
    }

    fn open_on(config: Config, disk: Disk) -> Result<Self, OpenError> {
        let recovered = recover(config, disk)?;
        let shared = Arc::new(recovered.shared);
        let (end, bytes) = {
            let state = lock(&shared.state);
            (state.end, state.segments.get(&state.end.segment).map_or(0, |segment| segment.bytes))
        };
        let path = segment_path(&shared.config.dir, end.segment);
        let file = recovered.resume.then(|| shared.disk.open(&path, bytes)).transpose();
        let writer = Writer {
            shared: shared.clone(),
            file: file.map_err(io_error("open", &path))?,
            offset: bytes,
            end,
            meta_written: recovered.meta_written,
            dirty: false,
            poisoned: false,
            indexed: 0,
            marker: recovered.marker,
            marker_tried: false,
            looked: None,
        };
        let thread = std::thread::Builder::new().name("journal-writer".into()).spawn(move || writer.run());
        let thread = thread.map_err(io_error("start the writer of", &shared.config.dir))?;
        Ok(Self { owner: Arc::new(Owner { shared, writer: Mutex::new(Some(thread)) }) })
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.owner.shared
    }

    /// Random, the same as long as the journal lives. For ids of events see [`Journal::identity`].
    pub fn id(&self) -> JournalId {
        self.shared().key.id
    }

    /// Durable when it returns: positions of the batch's records, which are consecutive. When the future
    /// is dropped the batch may still be written.
    ///
    /// # Errors
    /// See [`AppendError`].
    pub async fn append(&self, batch: Batch) -> Result<Appended, AppendError> {
        let (sender, receiver) = oneshot::channel();
        match self.submit(batch, Waiter::Task(sender))? {
            Some(empty) => Ok(empty),
            None => receiver.await.unwrap_or(Err(AppendError::Closed)),
        }
    }

    /// [`Journal::append`] for threads; blocks until the batch is durable.
    ///
    /// # Errors
    /// See [`AppendError`].
    pub fn append_blocking(&self, batch: Batch) -> Result<Appended, AppendError> {
        let (sender, receiver) = mpsc::sync_channel(1);
        match self.submit(batch, Waiter::Thread(sender))? {
            Some(empty) => Ok(empty),
            None => receiver.recv().unwrap_or(Err(AppendError::Closed)),
        }
    }

    /// Queues a batch; an empty one is answered at once.
    fn submit(&self, batch: Batch, waiter: Waiter) -> Result<Option<Appended>, AppendError> {
        let shared = self.shared();
        let budget = shared.config.budget_bytes;
        if batch.is_empty() {
            let end = self.end();
            return Ok(Some(Appended { first: end, end }));
        }
        if batch.is_oversized() {
            return Err(AppendError::Full { used: lock(&shared.state).used(), budget });
        }
        let batch = batch.encode();
        let bytes = batch.bytes.len();
        let mut queue = lock(&shared.queue);
        if queue.poisoned {
            return Err(AppendError::Poisoned);
        }
        if queue.closed {
            return Err(AppendError::Closed);
        }
        // What waits is counted as if it were written.
        let (used, free) = {
            let state = lock(&shared.state);
            (state.reserved() + queue.bytes as u64, state.free_bytes)
        };
        let reserve = shared.config.reserve_bytes;
        if let Some(free) = free
            && free.saturating_sub((queue.bytes + bytes) as u64) < reserve
        {
            return Err(AppendError::Reserve { free, reserve });
        }
        if used + bytes as u64 > budget {
            // One that never fits says nothing of the others.
            queue.refused = if bytes as u64 > budget { queue.refused } else { bytes as u64 };
            return Err(AppendError::Full { used, budget });
        }
        queue.refused = 0;
        // A batch larger than the whole queue is taken when nothing else waits.
        if queue.bytes > 0 && queue.bytes + bytes > shared.config.queue_bytes {
            return Err(AppendError::Busy);
        }
        queue.bytes += bytes;
        queue.waiting.push_back(Pending { batch, waiter });
        drop(queue);
        shared.wake.notify_all();
        Ok(None)
    }

    /// Behind the last durable record; always in the newest segment.
    pub fn end(&self) -> Position {
        lock(&self.shared().state).end
    }

    /// Behind the last record of each segment, ascending; the newest is [`Journal::end`].
    pub fn segments(&self) -> Vec<Position> {
        let state = lock(&self.shared().state);
        let older = state.segments.iter().filter(|(number, _)| **number < state.end.segment);
        let ends = older.map(|(&segment, found)| Position { segment, record: found.records });
        ends.chain([state.end]).collect()
    }

    /// A receiver that is marked changed whenever `end` moves.
    pub fn watch_end(&self) -> watch::Receiver<Position> {
        self.shared().end.subscribe()
    }

    /// The value of a note.
    pub fn note(&self, key: &[u8]) -> Option<Vec<u8>> {
        lock(&self.shared().state).notes.get(key).map(<[u8]>::to_vec)
    }

    /// All notes whose key starts so, by key.
    pub fn notes(&self, prefix: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let state = lock(&self.shared().state);
        state.notes.with_prefix(prefix).map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
    }

    /// The named cursor, created at the journal's start when it is new. Segments are kept while any
    /// cursor needs them.
    ///
    /// # Errors
    /// When the name cannot be a file name, or a new cursor cannot be written for another reason than a
    /// full disk.
    pub fn cursor(&self, name: &str) -> Result<Cursor, OpenError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        if !(1..=64).contains(&name.len()) || !name.bytes().all(plain) {
            return Err(OpenError::CursorName { name: name.to_owned() });
        }
        let shared = self.shared();
        let _files = lock(&shared.cursor_files);
        let (known, position) = {
            let state = lock(&shared.state);
            (state.cursors.contains_key(name), state.start())
        };
        if !known {
            let path = shared.config.cursors_dir.join(format!("{name}.cursor"));
            let mut cursor = CursorFile { path: path.clone(), position, generation: 0, exists: false };
            match cursor.write(&shared.disk, shared.key.id, position) {
                Err(error) if !disk::is_full(&error) => return Err(io_error("write", &path)(error)),
                // On a full disk it becomes durable with its first commit.
                _ => lock(&shared.state).cursors.insert(name.to_owned(), cursor),
            };
        }
        Ok(Cursor { shared: shared.clone(), name: name.to_owned() })
    }

    /// Removes a cursor that nobody will use again, so that it no longer holds segments.
    ///
    /// # Errors
    /// When its file cannot be deleted.
    pub fn forget_cursor(&self, name: &str) -> Result<(), OpenError> {
        let _files = lock(&self.shared().cursor_files);
        let Some(cursor) = lock(&self.shared().state).cursors.remove(name) else { return Ok(()) };
        match std::fs::remove_file(&cursor.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(io_error("delete", &cursor.path)(error));
            }
            _ => self.shared().trim(),
        }
        Ok(())
    }

    /// Reads whole records from `from` on, up to about `max_bytes` (at least one when there is one), none
    /// past the durable end. When the segment of `from` is gone, begins at the oldest there is.
    ///
    /// # Errors
    /// When a segment file cannot be read; damage in it is no error.
    pub fn read(&self, from: Position, max_bytes: usize) -> Result<Records, ReadError> {
        self.shared().read(from, max_bytes)
    }

    /// Counters and state.
    pub fn status(&self) -> Status {
        let (queued_bytes, refused) = {
            let queue = lock(&self.shared().queue);
            (queue.bytes as u64, queue.refused)
        };
        let budget_bytes = self.shared().config.budget_bytes;
        let state = lock(&self.shared().state);
        let cursors = state.cursors.iter().map(|(name, cursor)| (name.clone(), cursor.position));
        Status {
            bytes: state.used(),
            budget_bytes,
            refusing: refused > 0 && state.reserved() + queued_bytes + refused > budget_bytes,
            segments: state.segments.len() as u64,
            poisoned: state.poisoned,
            gone: state.gone,
            free_bytes: state.free_bytes,
            reserve_bytes: self.shared().config.reserve_bytes,
            damaged_records: state.damaged_records,
            truncated_bytes: state.truncated_bytes,
            appended_records: state.appended_records,
            appended_batches: state.appended_batches,
            syncs: state.syncs,
            queued_bytes,
            notes_bytes: state.notes.bytes() as u64,
            cursors: cursors.collect(),
            start: state.start(),
            end: state.end,
            problems: state.problems.clone(),
        }
    }

    /// Makes everything queued durable, trims when every cursor stands at the end, then closes; later
    /// appends get `Closed`. Gives up waiting after `deadline`.
    pub async fn close(&self, deadline: Duration) {
        let mut done = self.shared().done.subscribe();
        lock(&self.shared().queue).closed = true;
        self.shared().wake.notify_all();
        // Too late or gone: either way there is nothing left to wait for.
        drop(tokio::time::timeout(deadline, done.wait_for(|done| *done)).await);
    }
}
