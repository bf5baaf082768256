//! What the journal's threads share.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs,
    io::Write,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use ::disk::LockedFile;
use event::Position;
use tokio::sync::watch;

use crate::{
    Config, Problem,
    cursor_file::CursorFile,
    disk::Disk,
    expected,
    format::Key,
    notes::Notes,
    queue::Queue,
    segment::{Segment, segment_path},
};

/// Quarantine takes at most this share of the budget.
pub(crate) const QUARANTINE_SHARE: u64 = 64;
/// About what `meta`, `acknowledged` and an empty `manifest` take.
const SMALL_FILES_BYTES: u64 = 5 << 10;
/// Damaged places remembered so that none is counted twice, problems kept, places to read on from.
const REMEMBERED_MAX: usize = 4096;
const HINTS_MAX: usize = 64;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) key: Key,
    pub(crate) disk: Disk,
    pub(crate) state: Mutex<State>,
    pub(crate) queue: Mutex<Queue>,
    pub(crate) wake: Condvar,
    /// Held by whoever writes or deletes a cursor's file; taken before `state`.
    pub(crate) cursor_files: Mutex<()>,
    /// Held by whoever replaces the manifest.
    pub(crate) manifest: Mutex<()>,
    pub(crate) end: watch::Sender<Position>,
    /// True once the writer has ended.
    pub(crate) done: watch::Sender<bool>,
    /// Held as long as anybody may write.
    pub(crate) _lock: LockedFile,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) segments: BTreeMap<u32, Segment>,
    /// Bytes of the segments that are being deleted.
    pub(crate) deleting_bytes: u64,
    pub(crate) end: Position,
    pub(crate) notes: Notes,
    /// The notes can be had from this segment and those behind it, which therefore stay.
    pub(crate) notes_from: u32,
    pub(crate) cursors: BTreeMap<String, CursorFile>,
    /// Where readers stopped: blocks to begin at.
    pub(crate) hints: VecDeque<(Position, u64)>,
    pub(crate) damage_seen: BTreeSet<(u32, u64)>,
    pub(crate) quarantine_bytes: u64,
    pub(crate) damaged_records: u64,
    pub(crate) truncated_bytes: u64,
    pub(crate) appended_records: u64,
    pub(crate) appended_batches: u64,
    pub(crate) syncs: u64,
    pub(crate) poisoned: bool,
    /// Its files were deleted or moved while it ran.
    pub(crate) gone: bool,
    /// Bytes that the disk has free, when that is known.
    pub(crate) free_bytes: Option<u64>,
    pub(crate) problems: Vec<Problem>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is guarded is only changed by assignments that cannot panic half-way.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// Bytes of everything in the journal's folder that counts.
    pub(crate) fn used(&self) -> u64 {
        self.segment_bytes() + self.deleting_bytes + self.quarantine_bytes
    }

    pub(crate) fn segment_bytes(&self) -> u64 {
        self.segments.values().map(|segment| segment.bytes).sum()
    }

    /// `used`, and room for the notes that the next segment begins with and for the small files beside.
    pub(crate) fn reserved(&self) -> u64 {
        self.used() + self.notes.bytes() as u64 + SMALL_FILES_BYTES + 16 * self.segments.len() as u64
    }

    /// The first record there is.
    pub(crate) fn start(&self) -> Position {
        let segment = self.segments.keys().next().copied().unwrap_or(self.end.segment);
        Position { segment, record: 0 }
    }

    /// Where the record at `position`, or the next one behind it, is to be found; at most `end`.
    pub(crate) fn normalise(&self, position: Position) -> Position {
        let position = position.max(self.start());
        if position >= self.end {
            return self.end;
        }
        match self.segments.get(&position.segment) {
            Some(segment) if position.record < segment.records => position,
            _ => match self.segments.range(position.segment.saturating_add(1)..).next() {
                Some((&segment, content)) if content.records > 0 || segment == self.end.segment => {
                    Position { segment, record: 0 }.min(self.end)
                }
                Some((&segment, _)) => self.normalise(Position { segment, record: 0 }),
                None => self.end,
            },
        }
    }

    /// The nearest known block at or before `position`: its first record and offset.
    pub(crate) fn hint(&self, position: Position) -> Option<(u32, u64)> {
        let segment = self.segments.get(&position.segment)?;
        let indexed = segment.index.partition_point(|(record, _)| *record <= position.record);
        let indexed = indexed.checked_sub(1).and_then(|index| segment.index.get(index).copied());
        let left =
            self.hints.iter().filter(|(hint, _)| hint.segment == position.segment && *hint <= position);
        left.map(|(hint, offset)| (hint.record, *offset)).chain(indexed).max()
    }

    pub(crate) fn leave_hint(&mut self, position: Position, offset: u64) {
        if self.hints.iter().any(|(hint, _)| *hint == position) {
            return;
        }
        if self.hints.len() >= HINTS_MAX {
            self.hints.pop_front();
        }
        self.hints.push_back((position, offset));
    }

    pub(crate) fn problem(&mut self, problem: Problem) {
        if self.problems.len() < REMEMBERED_MAX && !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Whether every cursor stands at the end, so that no record is needed any more.
    pub(crate) fn all_read(&self) -> bool {
        !self.cursors.is_empty()
            && self.cursors.values().all(|cursor| self.normalise(cursor.position) >= self.end)
    }
}

impl Shared {
    /// Deletes the segments that nobody needs: no cursor, and not the notes. Deleting large files takes long
    /// on some file systems, so nobody waits for it.
    pub(crate) fn trim(&self) {
        let unneeded = {
            let mut state = lock(&self.state);
            let needed = state.cursors.values().map(|cursor| state.normalise(cursor.position).segment).min();
            let Some(needed) = needed.map(|needed| needed.min(state.notes_from)) else { return };
            let kept = state.segments.split_off(&needed);
            let unneeded = std::mem::replace(&mut state.segments, kept);
            if unneeded.is_empty() {
                return;
            }
            state.deleting_bytes += unneeded.values().map(|segment| segment.bytes).sum::<u64>();
            unneeded
        };
        // Before they go, so that none is missed. Where that fails, a cursor still tells that they were read.
        self.write_manifest();
        for (number, segment) in unneeded {
            let path = segment_path(&self.config.dir, number);
            let removed = fs::remove_file(&path);
            let mut state = lock(&self.state);
            state.deleting_bytes -= segment.bytes;
            if let Err(error) = removed
                && error.kind() != std::io::ErrorKind::NotFound
            {
                state.problem(Problem::new(&path, format!("could not be deleted: {error}")));
                state.segments.insert(number, segment);
            }
        }
    }

    /// Lists the closed segments, best effort: on a full disk less is known after damage.
    pub(crate) fn write_manifest(&self) {
        let _alone = lock(&self.manifest);
        let segments: BTreeMap<u32, Segment> = {
            let state = lock(&self.state);
            state.segments.iter().map(|(number, segment)| (*number, segment.clone_size())).collect()
        };
        drop(expected::write_manifest(&self.disk, &self.config.dir, self.key.id, &segments));
    }

    /// The segment's file is not there any more: what it held is lost, which is said once.
    pub(crate) fn lost_file(&self, number: u32) {
        let mut state = lock(&self.state);
        let Some(segment) = state.segments.get_mut(&number).filter(|segment| !segment.missing) else {
            return;
        };
        (segment.missing, segment.bytes) = (true, 0);
        let what = format!("it went missing while the journal was open; it held {} records", segment.records);
        state.problem(Problem::new(&segment_path(&self.config.dir, number), what));
    }

    /// Counts damage once, and keeps its bytes while there is room.
    pub(crate) fn set_aside(&self, segment: u32, offset: u64, records: u64, bytes: &[u8]) {
        let dir = self.config.dir.join("quarantine");
        let path = dir.join(format!("{segment:010}-{offset:012}.bytes"));
        let length = bytes.len() as u64;
        {
            let mut state = lock(&self.state);
            if state.damage_seen.len() >= REMEMBERED_MAX || !state.damage_seen.insert((segment, offset)) {
                return;
            }
            state.damaged_records += records;
            let room = (self.config.budget_bytes / QUARANTINE_SHARE).saturating_sub(state.quarantine_bytes);
            if length == 0 || length > room {
                return;
            }
            state.quarantine_bytes += length;
        }
        // Best effort: the damage is counted, and stays where it is until its segment goes.
        let written = ::disk::create_dir_all(&dir)
            .and_then(|()| ::disk::options().write(true).create_new(true).open(&path))
            .and_then(|mut file| file.write_all(bytes).inspect_err(|_| drop(fs::remove_file(&path))));
        if written.is_err() {
            lock(&self.state).quarantine_bytes -= length;
        }
    }
}
