//! The watched files that are known: found, followed over renames, held open, forgotten.
//!
//! A file is what its open handle says: device, inode, and the bytes that were read of it. A path
//! only leads to it. The handle is kept until everything was read, whatever becomes of the path.

use std::{
    collections::HashMap,
    fs::File,
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use metrics::{counter, gauge};
use telemetry::metric;

use super::{
    emptied::AllEmptied,
    file::{State, Tailed, Turn, Waits, is_intact},
    open::{Gate, Refusal},
    position::{FileId, Noted, Position},
    replaced::{AllReplaced, Replaced, lost},
};
use crate::platform::About;

/// Scans after which a file that is gone is forgotten. A directory may be away for a moment.
const GONE_SCANS: u32 = 120;
/// Files with the same first line that are compared with another.
const ALIKE_MAX: usize = 64;
/// Refused paths that are remembered, so that each is said once.
const REFUSED_MAX: usize = 10_000;

/// All known files, and positions of files that have not been seen since the start.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) by_id: HashMap<FileId, Tailed>,
    /// Which file was last seen under a path.
    by_path: HashMap<PathBuf, FileId>,
    /// Files by the hash of their first line.
    pub(super) alike: HashMap<u64, Vec<FileId>>,
    pub(super) orphans: HashMap<FileId, Position>,
    /// Positions to forget with the next batch.
    pub(crate) gone: Vec<FileId>,
    /// Whose position was taken over from another file and is not durable yet under its own name.
    pub(crate) moved: Vec<FileId>,
    pub(super) replaced: AllReplaced,
    /// Files that were emptied or removed, until it is known whether that was a rotation.
    pub(super) emptied: AllEmptied,
    /// A file was truncated: look for its copy before anything is read on. What is walked just now may have
    /// been listed before there was one.
    pub(crate) rescan: bool,
    /// Paths to look at again a moment later.
    pub(crate) later: Vec<PathBuf>,
    /// Paths that are not read, since which scan, and the kind of reason.
    refused: HashMap<PathBuf, (u64, &'static str)>,
    scans: u64,
    gate: Gate,
    open: usize,
    open_max: usize,
    /// The time; whoever calls keeps it.
    pub(crate) now: Instant,
    pub(super) waits: Waits,
    /// When held files were last asked about.
    pub(super) asked_at: Instant,
}

impl Files {
    /// Follows files from noted positions; at most `open_max` are open at a time.
    pub(crate) fn new(noted: Vec<(FileId, Noted)>, gate: Gate, open_max: usize, waits: Waits) -> Self {
        let (now, number) = (Instant::now(), noted.len());
        let mut replaced = AllReplaced::default();
        let mut orphans = HashMap::new();
        for (of, Noted { position, former }) in noted {
            orphans.insert(of, position);
            for position in former.into_iter().rev() {
                replaced.add(Replaced { of, position, recent: Vec::new(), since: now, unread: 0 }, number);
            }
        }
        Self {
            by_id: HashMap::new(),
            by_path: HashMap::new(),
            alike: HashMap::new(),
            orphans,
            gone: Vec::new(),
            moved: Vec::new(),
            replaced,
            emptied: AllEmptied::default(),
            rescan: false,
            later: Vec::new(),
            refused: HashMap::new(),
            scans: 0,
            gate,
            open: 0,
            open_max: open_max.max(2),
            now,
            waits,
            asked_at: now,
        }
    }

    /// Takes notice of a file that is there.
    pub(crate) fn see(&mut self, path: &Path, metadata: &About) {
        let id = FileId::of(metadata);
        let Some(file) = self.by_id.get_mut(&id) else {
            match self.gate.open(path) {
                Ok((handle, metadata)) => self.add(path, &metadata, handle),
                Err(refusal) => self.refuse(path, &refusal),
            }
            return;
        };
        file.missed = 0;
        file.look(metadata, self.now);
        file.path.clear();
        file.path.push(path);
        let is_closed = file.dirty && file.handle.is_none();
        self.take_place(id, path);
        if is_closed {
            self.ensure_open(id);
        }
    }

    /// Notes that a file is to be looked at, whatever its size and time say.
    pub(crate) fn touch(&mut self, id: FileId) {
        if let Some(file) = self.by_id.get_mut(&id) {
            file.dirty = true;
        }
    }

    /// A file stands under a path; another one may have stood there.
    fn take_place(&mut self, id: FileId, path: &Path) {
        if self.by_path.get(path) == Some(&id) {
            return;
        }
        let before = self.by_path.insert(path.to_owned(), id);
        if let (Some(file), Some(before)) = (self.by_id.get_mut(&id), before) {
            file.predecessor = Some(before);
            file.dirty |= matches!(file.state, State::Held { .. } | State::Copy);
        }
    }

    /// Takes up a file that is new to this process; its handle says which it is.
    fn add(&mut self, path: &Path, metadata: &About, handle: File) {
        let id = FileId::of(metadata);
        if let Some(known) = self.by_id.get_mut(&id) {
            // Renamed between the look and the open.
            known.missed = 0;
            known.look(metadata, self.now);
            return;
        }
        let mut file = Tailed::new(path, metadata, handle, self.now);
        let mut stood_at = None;
        if let Some(position) = self.orphans.remove(&id).filter(|position| position.offset > 0) {
            if file.handle.as_ref().is_some_and(|handle| is_intact(&position, handle)) {
                file.dirty |= metadata.len() > position.offset;
                stood_at = Some(position.path.clone()).filter(|before| before != path);
                file.position = Position { path: path.to_owned(), ..position };
            } else {
                tracing::info!("{path:?} is a new file under a known inode; it is read from its start");
                counter!(metric::TAIL_GENERATIONS).increment(1);
                if position.path == path {
                    self.emptied.add(path, position.offset, false, self.now);
                }
                self.replace(id, position, Vec::new(), 0);
                self.rescan = true;
            }
        }
        let first = file.position.first;
        self.by_id.insert(id, file);
        self.open += 1;
        self.index(id, first);
        self.take_place(id, path);
        if let Some(before) = stood_at {
            self.left_place(id, before);
        }
        self.make_room(id);
    }

    /// A file was renamed while this process did not run: another one may stand where it stood.
    fn left_place(&mut self, id: FileId, before: PathBuf) {
        let successor = *self.by_path.entry(before).or_insert(id);
        if let Some(file) = self.by_id.get_mut(&successor).filter(|_| successor != id) {
            file.predecessor.get_or_insert(id);
        }
    }

    /// Remembers a file by its first line.
    pub(super) fn index(&mut self, id: FileId, first: u64) {
        if first == 0 {
            return;
        }
        let alike = self.alike.entry(first).or_default();
        if !alike.contains(&id) {
            alike.push(id);
            if alike.len() > ALIKE_MAX {
                alike.remove(0);
            }
        }
    }

    /// Remembers where a file stood, for a copy of it that is seen later.
    fn replace(&mut self, of: FileId, position: Position, recent: Vec<u8>, unread: u64) {
        let files = self.by_id.len() + self.orphans.len();
        self.replaced.add(Replaced { of, position, recent, since: self.now, unread }, files);
    }

    /// What is to be noted of a file that stands at a position.
    pub(crate) fn noted(&self, id: FileId, position: Position) -> Noted {
        Noted { position, former: self.replaced.of(id, self.now).cloned().collect() }
    }

    /// Says once that a path is not read, and why.
    pub(super) fn refuse(&mut self, path: &Path, refusal: &Refusal) {
        let kind = match refusal {
            Refusal::Gone => return,
            Refusal::Young => {
                if self.later.len() < REFUSED_MAX {
                    self.later.push(path.to_owned());
                }
                return;
            }
            Refusal::Special => "special",
            Refusal::Link { .. } | Refusal::NoLinks => "link",
            Refusal::Unreadable(_) => "unreadable",
        };
        if self.refused.len() >= REFUSED_MAX && !self.refused.contains_key(path) {
            return;
        }
        let before = self.refused.insert(path.to_owned(), (self.scans, kind));
        if before.is_none_or(|(_, before)| before != kind) {
            tracing::warn!("{path:?} is not read: {refusal}");
        }
    }

    /// Reading a file failed; it is tried again when it changes and with the next scan.
    pub(crate) fn unreadable(&mut self, id: FileId, error: io::Error) {
        let Some(file) = self.by_id.get_mut(&id) else { return };
        file.set_aside();
        let path = file.path.clone();
        self.refuse(&path, &Refusal::Unreadable(error));
    }

    /// A path is there no longer: its file is read to the end, if it is still open.
    pub(crate) fn vanished(&mut self, path: &Path) {
        if let Some(file) = self.by_path.get(path).and_then(|id| self.by_id.get_mut(id)) {
            file.dirty |= file.look_by_handle(self.now);
        }
    }

    /// Opens a known file; whether it is open.
    pub(super) fn ensure_open(&mut self, id: FileId) -> bool {
        let Some(file) = self.by_id.get_mut(&id) else { return false };
        if file.handle.is_some() {
            return true;
        }
        let path = file.path.clone();
        match self.gate.open(&path) {
            Ok((handle, metadata)) if FileId::of(&metadata) == id => {
                file.look(&metadata, self.now);
                file.used_at = self.now;
                // What was held back is taken before it is read anew.
                let is_other =
                    file.position.offset > 0 && file.held().is_none() && !is_intact(&file.position, &handle);
                file.handle = Some(handle);
                self.open += 1;
                if is_other {
                    self.renew(id);
                }
                self.make_room(id);
                true
            }
            // Renamed or deleted meanwhile: when it is seen again, it is looked at.
            other => {
                file.set_aside();
                if let Err(refusal) = other {
                    self.refuse(&path, &refusal);
                }
                false
            }
        }
    }

    /// Another handle to a file that is closed.
    pub(super) fn reopen(&self, id: FileId, path: &Path) -> Option<File> {
        let (handle, metadata) = self.gate.open(path).ok()?;
        (FileId::of(&metadata) == id).then_some(handle)
    }

    /// Closes files when too many are open: those first that were read to their end, and of them those
    /// first that have been so for long. A file that no path leads to any more cannot be opened again.
    fn make_room(&mut self, keep: FileId) {
        if self.open <= self.open_max {
            return;
        }
        let mut open: Vec<_> = self
            .by_id
            .iter()
            .filter(|(id, file)| file.handle.is_some() && **id != keep)
            .map(|(id, file)| {
                (!file.is_drained() && file.is_nameless(), !file.is_drained(), file.used_at, *id)
            })
            .collect();
        open.sort_unstable();
        let room = self.open_max / 4 + 1;
        for (is_last_chance, _, _, id) in open.into_iter().take(room) {
            if is_last_chance && self.open <= self.open_max {
                break;
            }
            if let Some(file) = self.by_id.get_mut(&id) {
                if is_last_chance {
                    tracing::warn!(
                        "{:?} was deleted and is given up, because too many such files are open; raise LOG_SENTINEL_OPEN_FILES_MAX",
                        file.path
                    );
                    lost(file.unread());
                    file.set_aside();
                }
                file.close();
                self.open -= 1;
            }
        }
    }

    /// Ends a scan: what it did not see is read to its end and then forgotten.
    pub(crate) fn scanned(&mut self, idle_close: Duration) {
        self.scans += 1;
        for file in self.by_id.values_mut() {
            file.missed += 1;
            if file.missed > 1 {
                file.look_by_handle(self.now);
                // What waits is not found again once the file has no name.
                file.dirty |= file.waiting.is_some();
                if file.missed == 2 && file.state == State::Read && file.is_nameless() {
                    self.emptied.add(&file.path, file.position.offset, true, self.now);
                }
            }
            // Its original may have lost its place or its name.
            file.dirty |= matches!(file.state, State::Held { .. });
            if file.handle.is_some() && file.is_drained() && file.used_at + idle_close <= self.now {
                file.close();
            }
        }
        let is_gone = |file: &Tailed| file.missed > GONE_SCANS && file.handle.is_none();
        let gone: Vec<_> = self.by_id.extract_if(|_, file| is_gone(file)).collect();
        for (id, file) in gone {
            tracing::debug!("{:?} is gone", file.path);
            if self.by_path.get(&file.path) == Some(&id) {
                self.by_path.remove(&file.path);
            }
            if let Some(alike) = self.alike.get_mut(&file.position.first) {
                alike.retain(|other| *other != id);
            }
            lost(file.unread());
            if file.position.offset > 0 {
                self.gone.push(id);
                self.replace(id, file.position, Vec::new(), 0);
            }
        }
        self.alike.retain(|_, alike| !alike.is_empty());
        self.replaced.expire(self.now);
        self.refused.retain(|_, (scan, _)| *scan + 2 > self.scans);
        self.open = self.by_id.values().filter(|file| file.handle.is_some()).count();
        self.show();
    }

    fn show(&self) {
        gauge!(metric::TAIL_FILES).set(self.by_id.len() as f64);
        gauge!(metric::TAIL_OPEN_FILES).set(self.open as f64);
        let binary = self.by_id.values().filter(|file| file.state == State::Binary).count();
        gauge!(metric::TAIL_UNREAD_FILES, "reason" => "binary").set(binary as f64);
        for kind in ["special", "link", "unreadable"] {
            let count = self.refused.values().filter(|(_, refused)| *refused == kind).count();
            gauge!(metric::TAIL_UNREAD_FILES, "reason" => kind).set(count as f64);
        }
    }

    /// Files that may have something to read, and those where something has waited long enough.
    pub(crate) fn ready(&self) -> Vec<FileId> {
        let is_ready = |file: &Tailed| file.state == State::Read && file.is_ready(self.now);
        self.by_id.iter().filter(|(_, file)| is_ready(file)).map(|(id, _)| *id).collect()
    }

    /// Starts a file anew: it was truncated or replaced in place.
    pub(super) fn renew(&mut self, id: FileId) {
        let Some(file) = self.by_id.get_mut(&id) else { return };
        tracing::info!("{:?} was truncated or replaced; it is read from its start", file.path);
        counter!(metric::TAIL_GENERATIONS).increment(1);
        let unread = file.longest.saturating_sub(file.position.offset);
        let fresh = Position { path: file.path.clone(), ..Position::default() };
        let position = std::mem::replace(&mut file.position, fresh);
        let recent = std::mem::take(&mut file.recent);
        self.emptied.add(&file.path, position.offset, false, self.now);
        (file.waiting, file.dirty, file.state, file.longest) = (None, true, State::New, file.size);
        self.rescan = true;
        for file in self.by_id.values_mut() {
            match file.state {
                State::Held { .. } => file.dirty = true,
                State::Elsewhere { of, .. } if of == id => (file.state, file.dirty) = (State::New, true),
                _ => {}
            }
        }
        self.replace(id, position, recent, unread);
    }

    /// Reads on in a file, at most `bytes_max`.
    pub(crate) fn turn(&mut self, id: FileId, bytes_max: usize) -> io::Result<Turn> {
        if !self.ensure_open(id) {
            return Ok(Turn::Nothing);
        }
        let Some(file) = self.by_id.get_mut(&id).filter(|file| file.state == State::Read) else {
            return Ok(Turn::Nothing);
        };
        let turn = file.read(bytes_max, &self.waits, self.now)?;
        if matches!(turn, Turn::Replaced) {
            self.renew(id);
        }
        Ok(turn)
    }

    /// Moves a file on, once what was read of it is durable.
    pub(crate) fn advance(&mut self, id: FileId, position: Position, bytes: &[u8]) {
        let Some(file) = self.by_id.get_mut(&id) else { return };
        let is_new = file.position.first != position.first;
        let first = position.first;
        file.advance(position, bytes);
        if is_new {
            self.index(id, first);
        }
    }
}
