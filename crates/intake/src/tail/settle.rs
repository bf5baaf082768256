//! What a file is that has not been read yet: text or not, a file of its own or a copy.

use std::{fs::File, io, path::PathBuf, time::Duration};

use super::{
    bytes::read_at,
    file::{State, Tailed, is_intact},
    files::Files,
    kin::{self, Kinship, Original, Wait},
    position::{FileId, Position, first_line},
    text::Nature,
};

/// Held files are asked about again so often, unless there are more.
const ASK_EVERY: Duration = Duration::from_millis(100);
const ASKED_MAX: usize = 64;
/// Bytes of a first line looked at.
const START_BYTES: usize = 256;

impl Files {
    /// Decides about the files that are new, held back or copies, as far as it can be told now.
    pub(crate) fn settle(&mut self) {
        let is_held = |file: &&Tailed| matches!(file.state, State::Held { .. });
        let ask_all =
            self.asked_at + ASK_EVERY <= self.now && self.by_id.values().filter(is_held).count() <= ASKED_MAX;
        if ask_all {
            self.asked_at = self.now;
        }
        let is_due = |file: &Tailed| match file.state {
            State::Read => file.dirty && file.position.offset == 0 && file.held().is_none(),
            State::Held { .. } => ask_all || file.is_ready(self.now),
            _ => file.is_ready(self.now),
        };
        let due = self.by_id.iter().filter(|(_, file)| is_due(file));
        let mut due: Vec<(PathBuf, FileId)> = due.map(|(id, file)| (file.path.clone(), *id)).collect();
        // A copy is mostly named after its original, and sorts behind it.
        due.sort_unstable();
        for (path, id) in due {
            if !self.ensure_open(id) {
                continue;
            }
            if let Err(error) = self.settle_one(id) {
                if let Some(file) = self.by_id.get_mut(&id) {
                    file.set_aside();
                }
                self.refuse(&path, &error.into());
            }
        }
    }

    fn settle_one(&mut self, id: FileId) -> io::Result<()> {
        let Some(file) = self.by_id.get_mut(&id) else { return Ok(()) };
        let is_dirty = std::mem::take(&mut file.dirty);
        if file.state == State::New
            && !file.handle.as_ref().is_none_or(|handle| is_intact(&file.position, handle))
        {
            // Truncated since it was seen.
            self.renew(id);
            return Ok(());
        }
        match file.state {
            State::Read => {
                file.dirty = is_dirty;
                if !begins_anew(file)? {
                    return Ok(());
                }
                file.state = State::New;
                if !settle_nature(file)? {
                    return Ok(());
                }
            }
            State::Copy => return self.settle_copy(id),
            State::Elsewhere { of, end } => return self.settle_elsewhere(id, of, end),
            State::Held { .. } => {}
            State::New | State::Packed | State::Binary => {
                if !settle_nature(file)? {
                    return Ok(());
                }
            }
        }
        let Some(handle) = &file.handle else { return Ok(()) };
        let mut start = [0; START_BYTES];
        let length = read_at(handle, &mut start, 0)?;
        let size = handle.metadata()?.len();
        let Some(first) = first_line(&start[..length]) else {
            file.wait_for_first_line(length, is_dirty, self.waits.line, self.now);
            return Ok(());
        };
        let own = Some(file.position.clone()).filter(|position| position.offset > 0);
        if own.as_ref().is_some_and(|own| own.first != 0 && own.first != first) {
            self.renew(id);
            return Ok(());
        }
        let found = self.search(id, first, own)?;
        self.follow(id, first, size, found)
    }

    /// Does what was found out about a file of a size.
    fn follow(&mut self, id: FileId, first: u64, size: u64, found: Found) -> io::Result<()> {
        for replaced in found.replaced {
            self.touch(replaced);
        }
        let Some(file) = self.by_id.get_mut(&id) else { return Ok(()) };
        let encoding = file.position.encoding;
        let here = |position| Position { path: file.path.clone(), first, encoding, ..position };
        let begin = here(Position::default());
        if let Some(of) = found.elsewhere {
            file.state = State::Elsewhere { of, end: size };
            return Ok(());
        }
        if let Some(wait) = found.wait {
            let since = match file.state {
                State::Held { since, size: before, .. } if before == size => since,
                _ => self.now,
            };
            if since + wait.time > self.now {
                file.state = State::Held { since, size, wait: wait.time };
                return Ok(());
            }
            if let Some(end) = wait.end {
                tracing::info!("{:?} is a copy of a file that was read; it is not read again", file.path);
                let end = here(end);
                file.start(State::Copy, end);
                file.dirty = false;
                self.moved.push(id);
                return Ok(());
            }
        }
        match found.continues {
            Some(position) => {
                let position = here(position);
                file.start(State::Read, position);
                for original in found.originals {
                    self.supersede(original, id, size)?;
                }
                self.moved.push(id);
            }
            None => file.start(State::Read, begin),
        }
        self.index(id, first);
        Ok(())
    }

    /// A copy that has grown or taken its original's place.
    fn settle_copy(&mut self, id: FileId) -> io::Result<()> {
        let Some(file) = self.by_id.get(&id) else { return Ok(()) };
        let known = file.position.offset;
        let has_grown = file.size > known;
        let mut is_intact = false;
        if has_grown && let Some(handle) = &file.handle {
            for other_id in self.alike(id, file.position.first) {
                let Some(other) = self.by_id.get(&other_id) else { continue };
                if let Some(original) = self.handle_of(other_id, other)
                    && !other.is_nameless()
                {
                    is_intact |= kin::begin_alike(&original, handle, known)?;
                }
            }
        }
        let Some(file) = self.by_id.get_mut(&id) else { return Ok(()) };
        if is_intact {
            // Something is written to it, while its original stays: it may be a file of its own.
            file.position = Position { offset: 0, last: Default::default(), ..file.position.clone() };
            file.state = State::Held { since: self.now, size: file.size, wait: Duration::ZERO };
        } else if has_grown || file.predecessor.is_some() {
            file.state = State::Read;
        }
        file.dirty = is_intact || has_grown;
        Ok(())
    }

    /// A file that is read of another one, which may have come as far.
    fn settle_elsewhere(&mut self, id: FileId, of: FileId, end: u64) -> io::Result<()> {
        let other = self.by_id.get(&of).map(|other| other.position.clone());
        let Some(file) = self.by_id.get_mut(&id) else { return Ok(()) };
        let Some(handle) = &file.handle else { return Ok(()) };
        if handle.metadata()?.len() < end || !is_intact(&file.position, handle) {
            self.renew(id);
            return Ok(());
        }
        let Some(other) = other else {
            (file.state, file.dirty) = (State::New, true);
            return Ok(());
        };
        if other.offset >= end {
            let position = Position { path: file.path.clone(), ..other.at(handle, end)? };
            file.start(State::Read, position);
            file.recent = Vec::new();
            self.moved.push(id);
        }
        Ok(())
    }

    /// What the files that were read say about one that begins with the same line.
    fn search(&self, id: FileId, first: u64, own: Option<Position>) -> io::Result<Found> {
        let mut found = Found { continues: own, ..Found::default() };
        let Some(file) = self.by_id.get(&id) else { return Ok(found) };
        let Some(handle) = &file.handle else { return Ok(found) };
        for other_id in self.alike(id, first) {
            let Some(other) = self.by_id.get(&other_id) else { continue };
            let other_handle = self.handle_of(other_id, other);
            let is_replaced = |handle: &File| {
                !is_intact(&other.position, handle)
                    || other.held().is_some_and(|held| !is_intact(&held.position, handle))
            };
            if other_handle.as_ref().is_some_and(is_replaced) {
                // It is read first: what it held back is taken, and what it holds now is known.
                let wait = Wait { time: kin::UNTIL_READ, known: u64::MAX, end: None };
                found.take(Kinship::Wait(wait), Some(other_id));
                found.replaced.push(other_id);
                continue;
            }
            let original = Original {
                position: &other.position,
                recent: &other.recent,
                file: other_handle.as_ref(),
                is_replaced: file.predecessor == Some(other_id),
                is_nameless: other.is_nameless(),
                path: &other.path,
            };
            match kin::kinship(&original, handle, &file.path)? {
                // It is for the one that was read less far to wait, while it can.
                Kinship::Wait(_) | Kinship::Elsewhere
                    if other.position.offset < file.position.offset && other.state != State::Read => {}
                kinship => found.take(kinship, Some(other_id)),
            }
        }
        let replaced = self.replaced.iter().map(|replaced| (&replaced.position, &replaced.recent[..]));
        let orphans = self.orphans.values().map(|position| (position, &[][..]));
        for (position, recent) in replaced.chain(orphans) {
            if position.first == first || position.first == 0 {
                let original = Original {
                    position,
                    recent,
                    file: None,
                    is_replaced: false,
                    is_nameless: true,
                    path: &position.path,
                };
                found.take(kin::kinship(&original, handle, &file.path)?, None);
            }
        }
        // What knows more of it counts.
        let known = found.continues.as_ref().map_or(0, |position| position.offset);
        found.wait = found.wait.filter(|wait| wait.known > known || known == 0);
        found.elsewhere =
            found.elsewhere.filter(|_| handle.metadata().is_ok_and(|metadata| metadata.len() > known));
        Ok(found)
    }

    /// Other files that are read and begin with a line, and the one whose place a file has taken.
    fn alike(&self, id: FileId, first: u64) -> Vec<FileId> {
        let predecessor = self.by_id.get(&id).and_then(|file| file.predecessor);
        let alike = self.alike.get(&first).into_iter().flatten().copied();
        let is_read = |other: &FileId| *other != id && self.by_id.get(other).is_some_and(Tailed::is_begun);
        let mut found: Vec<FileId> = predecessor.into_iter().chain(alike).filter(is_read).collect();
        found.dedup();
        found
    }

    /// A handle to a file, that of another open if need be.
    fn handle_of(&self, id: FileId, file: &Tailed) -> Option<File> {
        match &file.handle {
            Some(handle) => handle.try_clone().ok(),
            None => self.reopen(id, &file.path),
        }
    }

    /// When a file continues another one, nothing that it holds is read of that one.
    fn supersede(&mut self, id: FileId, by: FileId, size: u64) -> io::Result<()> {
        let Some(other) = self.by_id.get_mut(&id) else { return Ok(()) };
        let Some(handle) = &other.handle else { return Ok(()) };
        let end = handle.metadata()?.len();
        if end > other.position.offset && end <= size && is_intact(&other.position, handle) {
            (other.state, other.waiting) = (State::Elsewhere { of: by, end }, None);
        }
        Ok(())
    }
}

/// What is known of a file by others.
#[derive(Debug, Default)]
struct Found {
    wait: Option<Wait>,
    /// Known files that hold other things by now.
    replaced: Vec<FileId>,
    /// What is left of it is read of this file.
    elsewhere: Option<FileId>,
    /// Where it is to be read on.
    continues: Option<Position>,
    /// The known files that it continues.
    originals: Vec<FileId>,
}

impl Found {
    /// Keeps of each kind what knows most of the file.
    fn take(&mut self, kinship: Kinship, of: Option<FileId>) {
        match kinship {
            Kinship::None => {}
            Kinship::Elsewhere => self.elsewhere = self.elsewhere.or(of),
            Kinship::Wait(wait) => {
                let rank = |wait: &Wait| (wait.known, wait.end.is_some(), wait.time);
                if self.wait.as_ref().is_none_or(|before| rank(&wait) > rank(before)) {
                    self.wait = Some(wait);
                }
            }
            Kinship::Continues(position) => {
                if self.continues.as_ref().is_none_or(|before| position.offset > before.offset) {
                    self.continues = Some(position);
                }
                self.originals.extend(of);
            }
        }
    }
}

/// Whether a file of which nothing was read yet begins with another line than it did.
fn begins_anew(file: &Tailed) -> io::Result<bool> {
    let Some(handle) = &file.handle else { return Ok(false) };
    let mut start = [0; START_BYTES];
    let length = read_at(handle, &mut start, 0)?;
    let before = file.position.first;
    Ok(before != 0 && first_line(&start[..length]).is_some_and(|first| first != before))
}

/// Finds out whether a file is text; whether it is.
fn settle_nature(file: &mut Tailed) -> io::Result<bool> {
    let before = file.state;
    let state = match file.nature()? {
        // Nothing but NULs yet.
        None => return Ok(false),
        Some(Nature::Text(encoding)) => {
            file.position.encoding = encoding;
            file.state = State::New;
            return Ok(true);
        }
        Some(Nature::Packed) => State::Packed,
        Some(Nature::Binary) => State::Binary,
    };
    if before != state && state == State::Binary {
        tracing::warn!("{:?} is not read: it holds no text", file.path);
    }
    file.state = state;
    Ok(false)
}
