//! One watched file: how it is read on.

use std::{
    borrow::Cow,
    fs::File,
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use parse::{Complete, Joining};

use super::{
    bytes::read_at,
    position::{FileId, Position},
    text::{self, Cut, Encoding, Nature},
};
use crate::platform::{self, About};

/// Bytes last read of a file, kept to know a copy that ends among them; no more is kept of what waits.
pub(super) const RECENT_BYTES: usize = 16 << 10;

/// What is not surely whole waits for what may follow.
#[derive(Debug, Clone)]
pub(crate) struct Waits {
    /// How long a line waits for its newline.
    pub(crate) line: Duration,
    /// How long an event waits for a line that continues it.
    pub(crate) event: Duration,
    /// Which lines are one event; None when each is one.
    pub(crate) joining: Option<Joining>,
}

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
    pub(super) waiting: Option<Waiting>,
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
    /// Up to here it is read of another file that holds it as well. Its own position stays where it is until
    /// that one is durable so far: the other one may be truncated, and a kill may come.
    Elsewhere { of: FileId, end: u64 },
    /// It is read as it grows.
    Read,
    /// Compressed, for the import.
    Packed,
    /// No text anywhere.
    Binary,
}

/// What stands behind a position and is not taken yet: an event that may go on, or a line without its newline.
#[derive(Debug)]
pub(super) struct Waiting {
    /// How much there is.
    length: usize,
    /// Then it is taken as it is, unless it has grown.
    until: Instant,
    /// The lines of the event, to be taken when the file is truncated; no more than [`RECENT_BYTES`].
    lines: Option<Lines>,
}

/// Bytes up to a line's end.
#[derive(Debug, Clone)]
pub(crate) struct Lines {
    pub(crate) bytes: Vec<u8>,
    /// How many of them to pass over.
    pub(crate) skip: usize,
    /// Behind them.
    pub(crate) position: Position,
}

/// What reading on in a file gave.
pub(crate) enum Turn {
    Lines(Lines),
    /// There is nothing but NULs up to this position.
    Hole(Position),
    /// What was read is there no longer: the file was truncated or written anew.
    Replaced,
    Nothing,
}

impl Tailed {
    pub(super) fn new(path: &Path, metadata: &About, handle: File, now: Instant) -> Self {
        Self {
            position: Position { path: path.to_owned(), ..Position::default() },
            path: path.to_owned(),
            handle: Some(handle),
            size: metadata.len(),
            longest: metadata.len(),
            modified: platform::modified(metadata),
            dirty: metadata.len() > 0,
            waiting: None,
            used_at: now,
            missed: 0,
            state: State::New,
            predecessor: None,
            recent: Vec::new(),
        }
    }

    /// Takes notice of its size and time.
    pub(super) fn look(&mut self, metadata: &About, now: Instant) {
        let changed = self.size != metadata.len() || self.modified != platform::modified(metadata);
        if changed {
            self.used_at = now;
            self.longest = self.longest.max(metadata.len());
        }
        self.dirty |= changed;
        (self.size, self.modified) = (metadata.len(), platform::modified(metadata));
    }

    /// Looks at it through its handle; whether it has one.
    pub(super) fn look_by_handle(&mut self, now: Instant) -> bool {
        let Some(metadata) = self.handle.as_ref().and_then(|handle| platform::about_open(handle).ok()) else {
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
        let by_handle = self.handle.as_ref().and_then(|handle| platform::about_open(handle).ok());
        by_handle.is_some_and(|metadata| platform::links(&metadata) == 0)
    }

    /// Whether everything in it was read, as far as is known.
    pub(super) fn is_drained(&self) -> bool {
        let is_open = matches!(self.state, State::Held { .. } | State::Elsewhere { .. });
        !self.dirty && self.waiting.is_none() && !is_open
    }

    /// Bytes that are known to be in it and were not read.
    pub(super) fn unread(&self) -> u64 {
        match self.state {
            State::Packed | State::Binary | State::Elsewhere { .. } => 0,
            _ => self.longest.saturating_sub(self.position.offset),
        }
    }

    /// It is known now what it is, and from where it is read.
    pub(super) fn start(&mut self, state: State, position: Position) {
        (self.state, self.position, self.dirty, self.waiting) = (state, position, true, None);
    }

    /// Its first line has no newline yet; how long it is. Unless it grows it is taken as it is in the end.
    pub(super) fn wait_for_first_line(
        &mut self,
        length: usize,
        is_dirty: bool,
        line_wait: Duration,
        now: Instant,
    ) {
        let is_over = |waiting: &Waiting| waiting.length == length && waiting.until <= now;
        if self.waiting.as_ref().is_some_and(is_over) {
            (self.state, self.dirty) = (State::Read, true);
        } else if is_dirty || self.waiting.is_none() {
            self.waiting = Some(Waiting { length, until: now + line_wait, lines: None });
        }
    }

    /// It cannot be opened at present: it is looked at when it is seen again.
    pub(super) fn set_aside(&mut self) {
        (self.dirty, self.waiting, self.modified) = (false, None, (i64::MIN, 0));
        if matches!(self.state, State::Held { .. } | State::Elsewhere { .. }) {
            self.state = State::New;
        }
    }

    pub(super) fn is_ready(&self, now: Instant) -> bool {
        match self.state {
            State::Packed | State::Binary => self.dirty,
            State::Elsewhere { .. } => true,
            State::Held { since, wait, .. } => self.dirty || since + wait <= now,
            _ => self.dirty || self.waiting.as_ref().is_some_and(|waiting| waiting.until <= now),
        }
    }

    /// What it is, by its start and end; none while it has nothing but NULs.
    pub(super) fn nature(&self) -> io::Result<Option<Nature>> {
        let Some(file) = &self.handle else { return Ok(None) };
        let size = file.metadata()?.len();
        let Some(begin) = platform::data_from(file, 0) else { return Ok(None) };
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

    /// Reads on, at most `bytes_max`, which is even. What is not surely whole waits as long as it grows and for
    /// its time beyond.
    pub(super) fn read(&mut self, bytes_max: usize, waits: &Waits, now: Instant) -> io::Result<Turn> {
        let turn = self.read_on(bytes_max, waits, now)?;
        // An event that waited is taken: it may stand in no copy.
        Ok(match (&turn, self.held()) {
            (Turn::Replaced, Some(lines)) => Turn::Lines(lines.clone()),
            _ => turn,
        })
    }

    /// The lines of an event that may go on, as they were seen.
    pub(super) fn held(&self) -> Option<&Lines> {
        let lines = self.waiting.as_ref()?.lines.as_ref()?;
        // What was taken meanwhile waits no longer.
        (lines.position.offset == self.position.offset + lines.bytes.len() as u64).then_some(lines)
    }

    fn read_on(&mut self, bytes_max: usize, waits: &Waits, now: Instant) -> io::Result<Turn> {
        let Some(file) = &self.handle else { return Ok(Turn::Nothing) };
        self.dirty = false;
        let overlap = self.position.last.length as usize;
        let mut bytes = vec![0; overlap + bytes_max];
        let length = read_at(file, &mut bytes, self.position.offset - overlap as u64)?;
        bytes.truncate(length);
        let before = bytes.get(..overlap).unwrap_or_default();
        let mut new = bytes.get(overlap..).unwrap_or_default();
        if !self.position.last.matches(before)
            || self.held().is_some_and(|lines| !new.starts_with(&lines.bytes))
        {
            self.dirty = true;
            return Ok(Turn::Replaced);
        }
        let full = length == overlap + bytes_max;
        if full && new.iter().all(|byte| *byte == 0) {
            return self.pass_hole(bytes_max);
        }
        if !full {
            // Space that was reserved for what is yet to be written.
            new = &new[..self.position.encoding.length_without_nuls(new)];
            self.longest = self.position.offset + new.len() as u64;
        }
        if new.is_empty() {
            self.waiting = None;
            return Ok(Turn::Nothing);
        }
        let since = self.waiting.as_ref().filter(|waiting| waiting.length == new.len());
        let until = since.map(|waiting| waiting.until);
        let has_waited = until.is_some_and(|until| until <= now);
        let cut = self.position.encoding.cut(new, self.position.skipping, full, has_waited);
        let Some(Cut { end, skip, skipping }) = cut else {
            let until = until.unwrap_or(now + waits.line);
            self.waiting = Some(Waiting { length: new.len(), until, lines: None });
            return Ok(Turn::Nothing);
        };
        let joining = waits.joining.as_ref().filter(|_| !has_waited);
        let Complete { bytes, is_open } = match joining {
            Some(joining) => complete(self.position.encoding, &new[skip..], joining),
            None => Complete { bytes: end - skip, is_open: end < new.len() },
        };
        let mut whole = skip + bytes;
        // Of a file without a name nothing is found again after a stop.
        if whole < end && ((full && whole == 0) || self.is_nameless()) {
            whole = end;
        }
        let named = |position: Position| Position { path: self.path.clone(), ..position };
        let position = self.position.advanced(file, &new[..whole], skipping && whole == end)?;
        let behind =
            if whole < end { position.advanced(file, &new[whole..end], false)? } else { position.clone() };
        if !behind.is_in(file)? {
            // Truncated while it was read: what was read stands in its copy.
            self.dirty = true;
            return Ok(Turn::Replaced);
        }
        let lines = Lines { bytes: new[whole..end].to_vec(), skip: 0, position: named(behind) };
        let wait = if whole < end && !is_open { waits.event } else { waits.line };
        let until = until.filter(|_| whole == 0).unwrap_or(now + wait);
        let lines = Some(lines).filter(|_| (1..=RECENT_BYTES).contains(&(end - whole)));
        let waiting = Waiting { length: new.len() - whole, until, lines };
        let taken = Lines { bytes: new[..whole].to_vec(), skip, position: named(position) };
        self.waiting = Some(waiting).filter(|waiting| waiting.length > 0);
        if whole == 0 {
            return Ok(Turn::Nothing);
        }
        (self.used_at, self.dirty) = (now, full);
        Ok(Turn::Lines(taken))
    }

    /// Passes over NULs that fill a whole turn, and over what the file system knows to be a hole.
    fn pass_hole(&mut self, bytes_max: usize) -> io::Result<Turn> {
        let Some(file) = &self.handle else { return Ok(Turn::Nothing) };
        self.waiting = None;
        let behind = self.position.offset + bytes_max as u64;
        // Nothing but a hole is left: what is written into it some day is found from here.
        let Some(data) = platform::data_from(file, behind) else {
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

    /// What was read before it was opened, as far as it would have been kept and still stands there.
    fn before(&self) -> Option<Vec<u8>> {
        let file = self.handle.as_ref()?;
        let mut bytes = vec![0; self.position.offset.min(RECENT_BYTES as u64) as usize];
        let begin = self.position.offset - bytes.len() as u64;
        let length = read_at(file, &mut bytes, begin).ok()?;
        (length == bytes.len() && is_intact(&self.position, file)).then_some(bytes)
    }

    pub(super) fn close(&mut self) {
        self.handle = None;
        self.recent = Vec::new();
    }
}

/// How far lines are whole events; the last may have no newline yet.
pub(super) fn complete(encoding: Encoding, bytes: &[u8], joining: &Joining) -> Complete {
    let lines = encoding.decoded(bytes);
    let Complete { bytes: complete, is_open } = joining.complete(&lines);
    let bytes = match lines {
        Cow::Borrowed(_) => complete,
        _ if complete == lines.len() => bytes.len(),
        // Holes and the encoding move what stands where; the newlines are the same.
        _ => lines[..complete]
            .iter()
            .filter(|byte| **byte == b'\n')
            .fold(0, |at, _| at + encoding.line_end(&bytes[at..]).unwrap_or_default()),
    };
    Complete { bytes, is_open }
}

/// Whether a file still holds what was read of it.
pub(super) fn is_intact(position: &Position, file: &File) -> bool {
    position.is_in(file).unwrap_or(false)
}
