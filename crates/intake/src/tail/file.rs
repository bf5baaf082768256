//! One watched file: how it is read on.

use std::{
    fs::{File, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{
    bytes::{data_from, read_at},
    position::{FileId, Position},
    text::{self, Cut, Encoding, Nature},
};

/// Bytes last read of a file, kept to know a copy that ends among them.
pub(super) const RECENT_BYTES: usize = 16 << 10;

/// A watched file.
#[derive(Debug)]
pub(crate) struct Tailed {
    /// Read and durable.
    pub(crate) position: Position,
    /// The last path it was seen under.
    pub(crate) path: PathBuf,
    pub(super) handle: Option<File>,
    pub(super) size: u64,
    /// The largest size seen since it was last read to its end.
    pub(super) longest: u64,
    modified: (i64, i64),
    /// To be looked at.
    pub(crate) dirty: bool,
    /// Ends in a line without its newline: since when it has not grown, and how long it is.
    pub(super) partial: Option<(Instant, usize)>,
    pub(super) used_at: Instant,
    /// Not seen by so many scans.
    pub(super) missed: u32,
    pub(super) state: State,
    /// The file that stood under its path before.
    pub(super) predecessor: Option<FileId>,
    /// What was last read of it, up to its position; only while it is open.
    pub(super) recent: Vec<u8>,
}

/// What is known of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing was read yet, and whether it is a copy of another file was not asked.
    New,
    /// It begins as another file does: what becomes of the two tells whether it is a copy. Since when
    /// nothing has changed, and how long to wait.
    Held { since: Instant, size: u64, wait: Duration },
    /// Known for a copy of a file that is still there; it stands at its end.
    Copy,
    /// It is read as it grows.
    Read,
    /// Compressed, for the import.
    Packed,
    /// No text anywhere.
    Binary,
}

/// What reading on in a file gave.
pub(crate) enum Turn {
    /// Bytes up to a line's end, how many of them to pass over, and the position behind them.
    Lines {
        bytes: Vec<u8>,
        skip: usize,
        position: Position,
    },
    /// There is nothing but NULs up to this position.
    Hole(Position),
    /// What was read is there no longer: the file was truncated or written anew.
    Replaced,
    Nothing,
}

impl Tailed {
    pub(super) fn new(path: &Path, metadata: &Metadata, handle: File, now: Instant) -> Self {
        Self {
            position: Position { path: path.to_owned(), ..Position::default() },
            path: path.to_owned(),
            handle: Some(handle),
            size: metadata.len(),
            longest: metadata.len(),
            modified: modified(metadata),
            dirty: metadata.len() > 0,
            partial: None,
            used_at: now,
            missed: 0,
            state: State::New,
            predecessor: None,
            recent: Vec::new(),
        }
    }

    /// Takes notice of its size and time.
    pub(super) fn look(&mut self, metadata: &Metadata, now: Instant) {
        let changed = self.size != metadata.len() || self.modified != modified(metadata);
        if changed {
            self.used_at = now;
            self.longest = self.longest.max(metadata.len());
        }
        self.dirty |= changed;
        (self.size, self.modified) = (metadata.len(), modified(metadata));
    }

    /// Looks at it through its handle; whether it has one.
    pub(super) fn look_by_handle(&mut self, now: Instant) -> bool {
        let Some(metadata) = self.handle.as_ref().and_then(|handle| handle.metadata().ok()) else {
            return false;
        };
        self.look(&metadata, now);
        true
    }

    /// Whether it is known where it is read from.
    pub(super) fn is_begun(&self) -> bool {
        self.state == State::Read || (self.state == State::New && self.position.offset > 0)
    }

    /// Whether no path leads to it any more.
    pub(super) fn is_nameless(&self) -> bool {
        let by_handle = self.handle.as_ref().and_then(|handle| handle.metadata().ok());
        by_handle.is_some_and(|metadata| metadata.nlink() == 0)
    }

    /// Whether everything in it was read, as far as is known.
    pub(super) fn is_drained(&self) -> bool {
        !self.dirty && self.partial.is_none() && !matches!(self.state, State::Held { .. })
    }

    /// Bytes that are known to be in it and were not read.
    pub(super) fn unread(&self) -> u64 {
        match self.state {
            State::Packed | State::Binary => 0,
            _ => self.longest.saturating_sub(self.position.offset),
        }
    }

    /// It is known now what it is, and from where it is read.
    pub(super) fn start(&mut self, state: State, position: Position) {
        (self.state, self.position, self.dirty, self.partial) = (state, position, true, None);
    }

    /// Its first line has no newline yet; how long it is. Unless it grows it is taken as it is in the end.
    pub(super) fn wait_for_first_line(
        &mut self,
        length: usize,
        is_dirty: bool,
        line_wait: Duration,
        now: Instant,
    ) {
        if self.partial.is_some_and(|(since, grown)| grown == length && since + line_wait <= now) {
            (self.state, self.dirty) = (State::Read, true);
        } else if is_dirty || self.partial.is_none() {
            self.partial = Some((now, length));
        }
    }

    /// It cannot be opened at present: it is looked at when it is seen again.
    pub(super) fn set_aside(&mut self) {
        (self.dirty, self.partial, self.modified) = (false, None, (i64::MIN, 0));
        if matches!(self.state, State::Held { .. }) {
            self.state = State::New;
        }
    }

    pub(super) fn is_ready(&self, line_wait: Duration, now: Instant) -> bool {
        match self.state {
            State::Packed | State::Binary => self.dirty,
            State::Held { since, wait, .. } => self.dirty || since + wait <= now,
            _ => self.dirty || self.partial.is_some_and(|(since, _)| since + line_wait <= now),
        }
    }

    /// What it is, by its start and end; none while it has nothing but NULs.
    pub(super) fn nature(&self) -> io::Result<Option<Nature>> {
        let Some(file) = &self.handle else { return Ok(None) };
        let size = file.metadata()?.len();
        let Some(begin) = data_from(file, 0) else { return Ok(None) };
        let mut start = vec![0; text::SAMPLE_BYTES];
        let length = read_at(file, &mut start, begin)?;
        start.truncate(length);
        let nuls = Encoding::Bytes.nuls_before(&start);
        if nuls == start.len() {
            return Ok(None);
        }
        // One NUL may be half of a character.
        let start = &start[nuls & !1..];
        let mut end = vec![0; text::SAMPLE_BYTES];
        let length = read_at(file, &mut end, size.saturating_sub(text::SAMPLE_BYTES as u64))?;
        let ending = self.path.extension().and_then(|ending| ending.to_str());
        Ok(Some(text::nature(start, &end[..length], ending)))
    }

    /// Reads on, at most `bytes_max`, which is even. A last line waits for its newline as long as it
    /// grows and `line_wait` beyond.
    pub(super) fn read(&mut self, bytes_max: usize, line_wait: Duration, now: Instant) -> io::Result<Turn> {
        let Some(file) = &self.handle else { return Ok(Turn::Nothing) };
        self.dirty = false;
        let encoding = self.position.encoding;
        let overlap = self.position.last.length as usize;
        let mut bytes = vec![0; overlap + bytes_max];
        let length = read_at(file, &mut bytes, self.position.offset - overlap as u64)?;
        bytes.truncate(length);
        if !self.position.last.matches(bytes.get(..overlap).unwrap_or_default()) {
            self.dirty = true;
            return Ok(Turn::Replaced);
        }
        let full = length == overlap + bytes_max;
        if full && bytes[overlap..].iter().all(|byte| *byte == 0) {
            return self.pass_hole(bytes_max);
        }
        if !full {
            // Space that was reserved for what is yet to be written.
            let text = encoding.length_without_nuls(&bytes[overlap..]);
            bytes.truncate(overlap + text);
        }
        let new = &bytes[overlap..];
        if !full {
            self.longest = self.position.offset + new.len() as u64;
        }
        if new.is_empty() {
            self.partial = None;
            return Ok(Turn::Nothing);
        }
        let waited =
            self.partial.is_some_and(|(since, grown)| grown == new.len() && since + line_wait <= now);
        let Some(Cut { end, skip, skipping }) = encoding.cut(new, self.position.skipping, full, waited)
        else {
            if self.partial.is_none_or(|(_, grown)| grown != new.len()) {
                self.partial = Some((now, new.len()));
            }
            return Ok(Turn::Nothing);
        };
        self.used_at = now;
        self.partial = (end < new.len()).then(|| (now, new.len() - end));
        self.dirty = full;
        bytes.truncate(overlap + end);
        bytes.drain(..overlap);
        let position =
            Position { path: self.path.clone(), ..self.position.advanced(file, &bytes, skipping)? };
        if !position.is_in(file)? {
            // Truncated while it was read: what was read stands in its copy.
            self.dirty = true;
            return Ok(Turn::Replaced);
        }
        Ok(Turn::Lines { bytes, skip, position })
    }

    /// Passes over NULs that fill a whole turn, and over what the file system knows to be a hole.
    fn pass_hole(&mut self, bytes_max: usize) -> io::Result<Turn> {
        let Some(file) = &self.handle else { return Ok(Turn::Nothing) };
        self.partial = None;
        let behind = self.position.offset + bytes_max as u64;
        // Nothing but a hole is left: what is written into it some day is found from here.
        let Some(data) = data_from(file, behind) else {
            self.longest = 0;
            return Ok(Turn::Nothing);
        };
        self.dirty = true;
        // Characters of two bytes begin at even places.
        let position = self.position.at(file, data & !1)?;
        Ok(Turn::Hole(Position { path: self.path.clone(), ..position }))
    }

    /// Moves on, once what was read is durable.
    pub(super) fn advance(&mut self, position: Position, bytes: &[u8]) {
        if self.recent.is_empty() {
            self.recent = self.before().unwrap_or_default();
        }
        self.position = position;
        let kept = &bytes[bytes.len().saturating_sub(RECENT_BYTES)..];
        let excess = (self.recent.len() + kept.len()).saturating_sub(RECENT_BYTES);
        self.recent.drain(..excess.min(self.recent.len()));
        self.recent.extend_from_slice(kept);
    }

    /// What was read before it was opened, as far as it would have been kept.
    fn before(&self) -> Option<Vec<u8>> {
        let mut bytes = vec![0; self.position.offset.min(RECENT_BYTES as u64) as usize];
        let begin = self.position.offset - bytes.len() as u64;
        let length = read_at(self.handle.as_ref()?, &mut bytes, begin).ok()?;
        (length == bytes.len()).then_some(bytes)
    }

    pub(super) fn close(&mut self) {
        self.handle = None;
        self.recent = Vec::new();
    }
}

fn modified(metadata: &Metadata) -> (i64, i64) {
    (metadata.mtime(), metadata.mtime_nsec())
}

/// Whether a file still holds what was read of it.
pub(super) fn is_intact(position: &Position, file: &File) -> bool {
    position.is_in(file).unwrap_or(false)
}
