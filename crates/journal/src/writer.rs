//! The one thread that writes segments: group commit, rotation, and what happens when the disk fails.

use std::{
    collections::VecDeque,
    fs, io,
    sync::Arc,
    time::{Duration, Instant},
};

use event::Position;

use crate::{
    AppendError, Appended,
    batch::Encoded,
    disk::{DiskFile, is_full, is_out_of_descriptors},
    expected::{Acknowledged, Marker},
    format::{self, BlockHeader, CLOSE, FILE_HEADER, FINAL},
    queue::{Answer, Pending, Queue},
    segment::{Segment, segment_path},
    state::{Shared, lock},
};

/// After so long without an append an idle journal is trimmed.
const IDLE: Duration = Duration::from_millis(200);
/// A fully read segment of this size is worth replacing when idle, and one of that size at once.
const TRIM_IDLE_BYTES: u64 = 64 << 10;
const TRIM_BYTES: u64 = 4 << 20;
/// The free space of the disk, and whether the journal's files are still in their place, is looked at
/// about so often.
const LOOK: Duration = Duration::from_millis(50);
/// A block's offset is remembered about so often.
const INDEX_BYTES: u64 = 1 << 20;
/// Smaller batches are copied together before they are written.
const COPY_BYTES: usize = 64 << 10;
const GROUP_BYTES: usize = 1 << 20;

/// The writer's own state. `file` is the segment `end.segment` once it exists.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) file: Option<DiskFile>,
    pub(crate) offset: u64,
    pub(crate) end: Position,
    /// `meta` is on disk.
    pub(crate) meta_written: bool,
    /// The file holds bytes behind `offset` that must be cut before anything is written.
    pub(crate) dirty: bool,
    pub(crate) poisoned: bool,
    /// Offset of the newest block in the index.
    pub(crate) indexed: u64,
    pub(crate) marker: Marker,
    /// The marker could not be written in this segment.
    pub(crate) marker_tried: bool,
    /// When the disk's free space was looked at.
    pub(crate) looked: Option<Instant>,
}

enum Work {
    Batches(VecDeque<Pending>),
    Idle,
    Closed,
}

/// Nobody waits for a writer that is no more, whatever ended it.
impl Drop for Writer {
    fn drop(&mut self) {
        let mut queue = lock(&self.shared.queue);
        queue.closed = true;
        let waiting = std::mem::take(&mut queue.waiting);
        drop(queue);
        drop(waiting);
        self.shared.done.send_replace(true);
    }
}

impl Writer {
    pub(crate) fn run(mut self) {
        loop {
            let work = self.take();
            self.look_at_disk();
            match work {
                Work::Batches(batches) => {
                    self.write(batches);
                    self.trim(TRIM_BYTES);
                }
                Work::Idle => self.trim(TRIM_IDLE_BYTES),
                Work::Closed => break,
            }
        }
        self.trim(TRIM_IDLE_BYTES);
        self.write_close();
    }

    fn take(&self) -> Work {
        let queue = lock(&self.shared.queue);
        let empty = |queue: &mut Queue| queue.waiting.is_empty() && !queue.closed;
        let waited = self.shared.wake.wait_timeout_while(queue, IDLE, empty);
        let (mut queue, _) = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
        match (queue.waiting.is_empty(), queue.closed) {
            (false, _) => Work::Batches(std::mem::take(&mut queue.waiting)),
            (true, true) => Work::Closed,
            (true, false) => Work::Idle,
        }
    }

    /// Looks whether the journal's files are still where they were, and how much space is free.
    fn look_at_disk(&mut self) {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return;
        }
        self.looked = Some(Instant::now());
        let shared = self.shared.clone();
        let in_place = match &self.file {
            Some(file) => file.is_in_place(),
            None => shared.config.dir.is_dir(),
        };
        if !in_place {
            self.gone();
        }
        let free = shared.disk.free_bytes(&shared.config.dir);
        lock(&shared.state).free_bytes = free;
    }

    /// What would be written now nobody could ever read again.
    fn gone(&mut self) {
        lock(&self.shared.state).gone = true;
        self.poison();
    }

    fn answer(&self, pending: Pending, answer: Answer) {
        let bytes = pending.batch.bytes.len();
        {
            let mut queue = lock(&self.shared.queue);
            queue.bytes = queue.bytes.saturating_sub(bytes);
        }
        pending.waiter.answer(answer);
    }

    fn write(&mut self, mut batches: VecDeque<Pending>) {
        while !batches.is_empty() {
            let group = match self.prepare() {
                Ok(()) => self.choose(&mut batches),
                Err(error) => {
                    batches.drain(..).for_each(|pending| self.answer(pending, Err(error.clone())));
                    return;
                }
            };
            if !group.is_empty() {
                self.commit(group);
            }
        }
    }

    /// Sees to it that a segment with room is open.
    fn prepare(&mut self) -> Result<(), AppendError> {
        if self.poisoned {
            return Err(AppendError::Poisoned);
        }
        if self.file.is_some()
            && (self.offset >= self.shared.config.segment_bytes || self.end.record >= u32::MAX / 2)
        {
            self.write_close();
            if self.poisoned {
                return Err(AppendError::Poisoned);
            }
            self.file = None;
            self.end = Position { segment: self.end.segment + 1, record: 0 };
        }
        if self.file.is_none() {
            self.begin_segment()?;
        }
        if self.dirty {
            let offset = self.offset;
            let cut = self.file.as_mut().map_or(Ok(()), |file| file.set_len(offset));
            cut.map_err(|error| self.failed(&error))?;
            self.dirty = false;
        }
        Ok(())
    }

    /// A full disk may have room again later, and a process free file descriptors; anything else ends writing.
    fn failed(&mut self, error: &io::Error) -> AppendError {
        if is_full(error) {
            return AppendError::DiskFull;
        }
        if is_out_of_descriptors(error) {
            return AppendError::Busy;
        }
        self.poison();
        AppendError::Poisoned
    }

    /// Lists what there is, then makes the next segment.
    fn begin_segment(&mut self) -> Result<(), AppendError> {
        self.shared.write_manifest();
        self.create_segment(false).map_err(|error| self.failed(&error))
    }

    /// Writes down up to where the segment is durable, before anybody is told.
    fn acknowledge(&mut self) {
        let shared = &self.shared;
        let end = Acknowledged { segment: self.end.segment, bytes: self.offset, records: self.end.record };
        if !self.marker.write(shared.key.id, end) && !self.marker_tried {
            self.marker_tried = true;
            self.marker.create(&shared.disk, &shared.config.dir, shared.key.id, end);
        }
    }

    fn poison(&mut self) {
        self.poisoned = true;
        lock(&self.shared.queue).poisoned = true;
        lock(&self.shared.state).poisoned = true;
    }

    /// Makes segment `end.segment`: header, live notes. Leaves nothing behind when that fails. It is
    /// made durable with its first batch, or at once.
    fn create_segment(&mut self, at_once: bool) -> io::Result<()> {
        let shared = self.shared.clone();
        if !self.meta_written {
            shared.disk.write_atomic(&shared.config.dir.join("meta"), &format::meta(shared.key))?;
            self.meta_written = true;
        }
        let path = segment_path(&shared.config.dir, self.end.segment);
        let mut notes = Encoded::snapshot(lock(&shared.state).notes.by_age());
        notes.number(shared.key.marker, self.end.segment, 0, 0);
        let mut file = shared.disk.open(&path, 0)?;
        let written = file.set_len(0).and_then(|()| {
            file.write_all(&format::segment_header(shared.key, self.end.segment))?;
            file.write_all(&notes.bytes)
        });
        if let Err(error) = written {
            drop(file);
            // If this fails too, the next attempt begins with cutting the file.
            drop(fs::remove_file(&path));
            return Err(error);
        }
        // A failing fsync here is as final as any.
        if let Err(error) = file.sync().and_then(|()| shared.disk.sync_dir(&path)) {
            self.poison();
            return Err(error);
        }
        self.offset = (FILE_HEADER + notes.bytes.len()) as u64;
        (self.file, self.dirty, self.indexed) = (Some(file), false, self.offset);
        self.marker_tried = false;
        self.acknowledge();
        let mut state = lock(&shared.state);
        state.syncs += 2;
        let index = vec![(0, self.offset)];
        state.segments.insert(self.end.segment, Segment { bytes: self.offset, index, ..Segment::default() });
        (state.end, state.notes_from) = (self.end, self.end.segment);
        drop(state);
        if at_once {
            shared.end.send_replace(self.end);
        }
        Ok(())
    }

    /// Takes what fits into the segment and the budget; refuses what passes the budget.
    fn choose(&self, batches: &mut VecDeque<Pending>) -> Vec<Pending> {
        let (segment_bytes, budget) = (self.shared.config.segment_bytes, self.shared.config.budget_bytes);
        let used = lock(&self.shared.state).reserved();
        let (mut bytes, mut records) = (0_u64, self.end.record);
        let mut group = Vec::new();
        while let Some(pending) = batches.front() {
            let size = pending.batch.bytes.len() as u64;
            let room = self.offset + bytes < segment_bytes && records < u32::MAX / 2;
            if !room && !group.is_empty() {
                break;
            }
            let Some(pending) = batches.pop_front() else { break };
            if used + bytes + size > budget {
                self.answer(pending, Err(AppendError::Full { used: used + bytes, budget }));
                continue;
            }
            bytes += size;
            records = records.saturating_add(pending.batch.records);
            group.push(pending);
        }
        group
    }

    /// Writes a group, makes it durable, shows it to readers, answers.
    fn commit(&mut self, mut group: Vec<Pending>) {
        let (marker, durable) = (self.shared.key.marker, self.offset);
        let (mut record, mut offset) = (self.end.record, self.offset);
        let mut index = Vec::new();
        for pending in &mut group {
            pending.batch.number(marker, self.end.segment, record, durable);
            let mut first = record;
            for &block in &pending.batch.blocks {
                let place = offset + block as u64;
                if place >= self.indexed + INDEX_BYTES {
                    self.indexed = place;
                    index.push((first, place));
                }
                let bytes = pending.batch.bytes.get(block..).unwrap_or_default();
                first = BlockHeader::decode(bytes, marker, self.end.segment)
                    .map_or(first, |header| header.end_record());
            }
            record += pending.batch.records;
            offset += pending.batch.bytes.len() as u64;
        }
        if let Err(error) = self.write_group(&group) {
            let error = self.failed(&error);
            self.cut_back();
            group.into_iter().for_each(|pending| self.answer(pending, Err(error.clone())));
            return;
        }
        if self.file.as_ref().is_some_and(|file| file.sync().is_err()) {
            self.poison();
            group.into_iter().for_each(|pending| self.answer(pending, Err(AppendError::Poisoned)));
            return;
        }
        if self.file.as_ref().is_some_and(DiskFile::is_deleted) {
            self.gone();
            group.into_iter().for_each(|pending| self.answer(pending, Err(AppendError::Poisoned)));
            return;
        }
        self.publish(group, Position { segment: self.end.segment, record }, offset, index);
    }

    fn write_group(&mut self, group: &[Pending]) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        if let [alone] = group {
            return file.write_all(&alone.batch.bytes);
        }
        let mut small = Vec::new();
        for pending in group {
            let bytes = &pending.batch.bytes;
            if bytes.len() < COPY_BYTES {
                small.extend_from_slice(bytes);
            }
            if bytes.len() >= COPY_BYTES || small.len() >= GROUP_BYTES {
                file.write_all(&small)?;
                small.clear();
            }
            if bytes.len() >= COPY_BYTES {
                file.write_all(bytes)?;
            }
        }
        file.write_all(&small)
    }

    /// Removes what a failed write left; when even that fails, it is done before the next write.
    fn cut_back(&mut self) {
        let offset = self.offset;
        self.dirty = self.file.as_mut().is_some_and(|file| file.set_len(offset).is_err());
    }

    fn publish(&mut self, group: Vec<Pending>, end: Position, offset: u64, index: Vec<(u32, u64)>) {
        let mut first = self.end;
        (self.end, self.offset) = (end, offset);
        self.acknowledge();
        let mut answers = Vec::with_capacity(group.len());
        {
            let mut state = lock(&self.shared.state);
            if let Some(segment) = state.segments.get_mut(&end.segment) {
                (segment.bytes, segment.records) = (offset, end.record);
                segment.index.extend(index);
            }
            state.end = end;
            state.syncs += 1;
            for mut pending in group {
                pending.batch.notes.drain(..).for_each(|note| state.notes.apply(note));
                let end = Position { segment: first.segment, record: first.record + pending.batch.records };
                state.appended_records += u64::from(pending.batch.records);
                state.appended_batches += 1;
                answers.push((pending, Appended { first, end }));
                first = end;
            }
        }
        self.shared.end.send_replace(end);
        answers.into_iter().for_each(|(pending, appended)| self.answer(pending, Ok(appended)));
    }

    /// States that everything before is durable. Not being able to is no loss: recovery then looks closer.
    fn write_close(&mut self) {
        if self.poisoned || self.dirty {
            return;
        }
        let Some(file) = &mut self.file else { return };
        let header = BlockHeader {
            flags: CLOSE | FINAL,
            segment: self.end.segment,
            first_record: self.end.record,
            durable: self.offset,
            ..BlockHeader::default()
        };
        let mut bytes = [0; format::BLOCK_HEADER];
        header.encode(self.shared.key.marker, &mut bytes);
        if file.write_all(&bytes).is_err() {
            self.cut_back();
            return;
        }
        if file.sync().is_err() {
            self.poison();
            return;
        }
        self.offset += bytes.len() as u64;
        self.acknowledge();
        self.marker.sync();
        let mut state = lock(&self.shared.state);
        state.syncs += 1;
        if let Some(segment) = state.segments.get_mut(&self.end.segment) {
            segment.bytes = self.offset;
        }
    }

    /// Replaces what everybody has read by an empty segment.
    fn trim(&mut self, threshold: u64) {
        if self.poisoned || self.dirty {
            return;
        }
        {
            let state = lock(&self.shared.state);
            // After a crash no segment is open, and older ones hold the notes.
            let bytes = if self.file.is_some() { self.offset } else { state.segment_bytes() };
            // Carrying the notes over must not cost more than what is gained.
            let threshold = threshold.min(self.shared.config.budget_bytes / 4);
            if bytes < threshold.max(4 * state.notes.bytes() as u64) || !state.all_read() {
                return;
            }
        }
        let (before, old) = (self.end, (self.file.take(), self.offset, self.indexed));
        if old.0.is_some() {
            self.end = Position { segment: before.segment + 1, record: 0 };
        }
        // A cursor tells that what goes had been read; so the list need not be written twice.
        if self.create_segment(true).is_ok() {
            self.shared.trim();
        } else {
            self.end = before;
            (self.file, self.offset, self.indexed) = old;
        }
    }
}
