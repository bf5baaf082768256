//! The watched files that are known: found, followed over renames, told apart, read in turn.

use std::{
    collections::{HashMap, VecDeque},
    fs::{File, Metadata},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use metrics::{counter, gauge};
use telemetry::metric;

use super::position::{FileId, LAST_BYTES, Position};

/// Scans for which a file that looks like a copy made by rotation is left alone, until its
/// original is truncated; after that it counts as a file of its own.
const COPY_SCANS: u32 = 3;

/// Scans after which a file that is gone is forgotten. A directory may be away for a moment.
const GONE_SCANS: u32 = 120;
/// Truncated files whose copies are looked for.
const REPLACED_MAX: usize = 64;
/// The size of a file that could not be opened, so that the next scan tries again.
const UNKNOWN: u64 = u64::MAX;

/// A watched file.
#[derive(Debug)]
pub(crate) struct Tailed {
    /// Read and durable.
    pub(crate) position: Position,
    pub(crate) path: PathBuf,
    handle: Option<File>,
    size: u64,
    modified: (i64, i64),
    /// To be looked at.
    pub(crate) dirty: bool,
    /// Ends in a line without its newline: when it last grew, and to how many bytes.
    pub(crate) partial: Option<(Instant, usize)>,
    pub(crate) read_at: Instant,
    /// Not seen by so many scans.
    missed: u32,
    binary: bool,
    /// A copy of a file that is still there, since so many scans.
    copy: Option<u32>,
}

/// All known files, and positions of files that have not been seen since the start.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) by_id: HashMap<FileId, Tailed>,
    orphans: HashMap<FileId, Position>,
    /// Positions to forget with the next batch.
    pub(crate) gone: Vec<FileId>,
    /// Whose position was taken over from another file and is not durable yet under its own name.
    pub(crate) moved: Vec<FileId>,
    /// Where files stood that were truncated since: a copy of them may not have been seen yet.
    replaced: VecDeque<Position>,
    /// A file was truncated: look for its copy before anything is read on.
    pub(crate) rescan: bool,
}

impl Tailed {
    /// Whether another file begins with the same bytes, as far as both go.
    fn begins_like(&self, other: &File) -> io::Result<bool> {
        let own = File::open(&self.path)?;
        let (mut ours, mut theirs) = ([0; 4 * LAST_BYTES], [0; 4 * LAST_BYTES]);
        let both = read_at(&own, &mut ours, 0)?.min(read_at(other, &mut theirs, 0)?);
        Ok(both > 0 && ours[..both] == theirs[..both])
    }
}

/// What reading on in a file gave.
pub(crate) enum Turn {
    /// Bytes up to a line's end, and whether what follows is the rest of a cut line.
    Lines {
        bytes: Vec<u8>,
        skip: usize,
        skipping: bool,
    },
    Nothing,
}

impl Files {
    pub(crate) fn new(noted: Vec<(FileId, Position)>) -> Self {
        Self { orphans: noted.into_iter().collect(), ..Self::default() }
    }

    /// Takes notice of a file that is there.
    pub(crate) fn see(&mut self, path: &Path, metadata: &Metadata) {
        let id = FileId::of(metadata);
        if let Some(file) = self.by_id.get_mut(&id) {
            file.missed = 0;
            if file.path != path {
                file.path = path.to_owned();
            }
            let modified = (metadata.mtime(), metadata.mtime_nsec());
            file.binary &= metadata.len() >= file.size || file.size == UNKNOWN;
            file.dirty |= file.size != metadata.len() || file.modified != modified;
            (file.size, file.modified) = (metadata.len(), modified);
            return;
        }
        if metadata.len() == 0 {
            // Nothing to read, and nothing yet to tell whether it becomes a copy.
            return;
        }
        let mut file = Tailed {
            position: Position { path: path.to_owned(), ..Position::default() },
            path: path.to_owned(),
            handle: None,
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            dirty: true,
            partial: None,
            read_at: Instant::now(),
            missed: 0,
            binary: false,
            copy: None,
        };
        match self.start_of(id, path) {
            Ok(Start::Own(position)) => file.position = Position { path: path.to_owned(), ..position },
            Ok(Start::At(position)) => {
                self.moved.push(id);
                file.position = Position { path: path.to_owned(), ..position };
            }
            Ok(Start::Copy) => file.copy = Some(0),
            Ok(Start::Zero) => {}
            Err(error) => {
                // It is seen again by the next scan.
                tracing::debug!("{} cannot be read: {error}", path.display());
                return;
            }
        }
        self.by_id.insert(id, file);
    }

    /// Where to start reading a file that is new to this process.
    fn start_of(&mut self, id: FileId, path: &Path) -> io::Result<Start> {
        let opened = File::open(path)?;
        if let Some(position) = self.orphans.get(&id).filter(|position| position.offset > 0) {
            if position.is_in(&opened)? {
                let position = self.orphans.remove(&id).unwrap_or_default();
                return Ok(Start::Own(position));
            }
        } else if self.orphans.contains_key(&id) {
            return Ok(Start::Zero);
        }
        // Rotated while stopped: another file holds what was read, and its own is gone or other.
        for (other, position) in &self.orphans {
            if is_rotation(&position.path, path) && position.offset > 0 && position.is_in(&opened)? {
                let intact = *other != id
                    && std::fs::metadata(&position.path)
                        .is_ok_and(|metadata| FileId::of(&metadata) == *other)
                    && File::open(&position.path).and_then(|file| position.is_in(&file))?;
                return Ok(if intact { Start::Copy } else { Start::At(position.clone()) });
            }
        }
        // Copied while running, and its original has been truncated already.
        for position in &self.replaced {
            if is_rotation(&position.path, path) && position.is_in(&opened)? {
                return Ok(Start::At(position.clone()));
            }
        }
        // Copied while running, by copytruncate: its original is truncated in a moment.
        let size = opened.metadata()?.len();
        for (other, file) in &self.by_id {
            let position = &file.position;
            // Under the same path stands another file now, so the known one was renamed, not copied.
            if *other == id || position.offset == 0 || !is_rotation(&file.path, path) || file.path == path {
                continue;
            }
            let is_growing =
                || Ok::<_, io::Error>(size > 0 && size < position.offset && file.begins_like(&opened)?);
            if position.is_in(&opened)? || is_growing()? {
                return Ok(Start::Copy);
            }
        }
        if self.orphans.contains_key(&id) {
            tracing::info!("{} is a new file under a known inode; it is read from its start", path.display());
            counter!(metric::TAIL_GENERATIONS).increment(1);
        }
        Ok(Start::Zero)
    }

    /// A path is there no longer: its file is read to the end, if it is still open.
    pub(crate) fn vanished(&mut self, path: &Path) {
        for file in self.by_id.values_mut().filter(|file| file.path == path && file.handle.is_some()) {
            file.dirty = true;
        }
    }

    /// Ends a scan: what it did not see is read to its end and then forgotten.
    pub(crate) fn scanned(&mut self) {
        for file in self.by_id.values_mut() {
            file.missed += 1;
            file.dirty |= file.missed == 2 && file.handle.is_some();
            if let Some(scans) = &mut file.copy {
                *scans += 1;
                if *scans > COPY_SCANS {
                    file.copy = None;
                    file.dirty = true;
                }
            }
        }
        for file in self.by_id.values_mut().filter(|file| file.missed > 2 && !file.dirty) {
            if file.partial.is_none() {
                file.handle = None;
            }
        }
        let is_gone = |file: &Tailed| file.missed > GONE_SCANS && !file.dirty && file.partial.is_none();
        for (id, file) in self.by_id.extract_if(|_, file| is_gone(file)) {
            tracing::debug!("{} is gone", file.path.display());
            self.gone.push(id);
        }
        gauge!(metric::TAIL_FILES).set(self.by_id.len() as f64);
    }

    /// Files that may have something to read, and partial lines that have waited long enough.
    pub(crate) fn ready(&self, flush: Duration) -> Vec<FileId> {
        let is_ready = |file: &Tailed| {
            file.copy.is_none()
                && !file.binary
                && (file.dirty || file.partial.is_some_and(|(since, _)| since.elapsed() >= flush))
        };
        self.by_id.iter().filter(|(_, file)| is_ready(file)).map(|(id, _)| *id).collect()
    }

    /// Closes what has been idle for so long.
    pub(crate) fn close_idle(&mut self, idle: Duration) {
        for file in self.by_id.values_mut() {
            if file.handle.is_some() && !file.dirty && file.read_at.elapsed() >= idle {
                file.handle = None;
            }
        }
    }

    /// Starts a file anew: it was truncated or replaced in place. A copy that rotation made of it
    /// before takes over its position.
    fn renew(&mut self, id: FileId) {
        let Some(file) = self.by_id.get_mut(&id) else { return };
        tracing::info!("{} was truncated or replaced; it is read from its start", file.path.display());
        counter!(metric::TAIL_GENERATIONS).increment(1);
        let path = file.path.clone();
        let old =
            std::mem::replace(&mut file.position, Position { path: path.clone(), ..Position::default() });
        file.partial = None;
        file.dirty = true;
        if old.offset > 0 {
            self.rescan = true;
            self.replaced.push_back(old.clone());
            if self.replaced.len() > REPLACED_MAX {
                self.replaced.pop_front();
            }
        }
        let moved = &mut self.moved;
        for (copy_id, copy) in self.by_id.iter_mut().filter(|(_, file)| file.copy.is_some()) {
            let same = File::open(&copy.path).and_then(|opened| old.is_in(&opened)).unwrap_or(false);
            if is_rotation(&path, &copy.path) && same {
                copy.position = Position { path: copy.path.clone(), ..old.clone() };
                moved.push(*copy_id);
            }
            if is_rotation(&path, &copy.path) {
                copy.copy = None;
                copy.dirty = true;
            }
        }
    }

    /// Reads on in a file, at most `bytes_max`.
    pub(crate) fn turn(&mut self, id: FileId, bytes_max: usize, flush: Duration) -> io::Result<Turn> {
        let Some(file) = self.by_id.get_mut(&id) else { return Ok(Turn::Nothing) };
        file.read_at = Instant::now();
        file.dirty = false;
        let opened = match &file.handle {
            Some(handle) => handle,
            None => {
                let size = std::mem::replace(&mut file.size, UNKNOWN);
                let opened = File::open(&file.path).inspect_err(|_| file.partial = None)?;
                if FileId::of(&opened.metadata()?) != id {
                    // Renamed meanwhile: the next scan finds it.
                    file.partial = None;
                    return Ok(Turn::Nothing);
                }
                file.size = size;
                file.handle.insert(opened)
            }
        };
        let overlap = file.position.last.length as usize;
        let from = file.position.offset - overlap as u64;
        let mut bytes = vec![0; overlap + bytes_max];
        let length = read_at(opened, &mut bytes, from)?;
        bytes.truncate(length);
        if !file.position.last.matches(bytes.get(..overlap).unwrap_or_default()) {
            self.renew(id);
            return Ok(Turn::Nothing);
        }
        let full = length == overlap + bytes_max;
        if !full {
            // Space that was reserved for what is yet to be written.
            let text = bytes[overlap..].iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            bytes.truncate(overlap + text);
        }
        let new = &bytes[overlap..];
        if file.position.offset == 0 && is_binary(new) {
            tracing::warn!("{} is binary and is not read", file.path.display());
            file.binary = true;
            return Ok(Turn::Nothing);
        }
        if new.is_empty() {
            file.partial = None;
            return Ok(Turn::Nothing);
        }
        let waited =
            file.partial.is_some_and(|(since, grown)| grown == new.len() && since.elapsed() >= flush);
        let end = match new.iter().rposition(|byte| *byte == b'\n') {
            Some(newline) => newline + 1,
            // The line is longer than a turn, or its newline does not come.
            None if full || waited => new.len(),
            None => {
                if file.partial.is_none_or(|(_, grown)| grown != new.len()) {
                    file.partial = Some((Instant::now(), new.len()));
                }
                return Ok(Turn::Nothing);
            }
        };
        let cut = full && end == new.len() && !new.ends_with(b"\n");
        file.partial = (end < new.len()).then(|| (Instant::now(), new.len() - end));
        file.dirty = full;
        let skip = if file.position.skipping {
            new.iter().position(|byte| *byte == b'\n').map_or(end, |newline| newline + 1)
        } else {
            // The hole that truncation leaves under a writer that does not append.
            new[..end].iter().position(|byte| *byte != 0).unwrap_or(end)
        };
        let hole = !file.position.skipping && skip == end;
        let skipping =
            (cut && !hole) || (file.position.skipping && skip == end && !new[..end].ends_with(b"\n"));
        bytes.truncate(overlap + end);
        bytes.drain(..overlap);
        Ok(Turn::Lines { bytes, skip, skipping })
    }

    /// Where a file stands behind bytes that were just read.
    pub(crate) fn behind(&self, id: FileId, bytes: &[u8], skipping: bool) -> io::Result<Position> {
        let file = self.by_id.get(&id).ok_or(io::ErrorKind::NotFound)?;
        let handle = file.handle.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let mut position = file.position.advanced(handle, bytes, skipping)?;
        position.path.clone_from(&file.path);
        Ok(position)
    }
}

enum Start {
    Zero,
    /// Where it stood itself.
    Own(Position),
    /// Where another file stood.
    At(Position),
    Copy,
}

fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read_at(&mut buffer[length..], offset + length as u64) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// NUL bytes say so, except at the very start: truncating a file under a writer that does not
/// append leaves a hole there.
fn is_binary(bytes: &[u8]) -> bool {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    bytes[start..].iter().take(4 * LAST_BYTES).any(|byte| *byte == 0)
}

/// Whether `path` may be what rotation made of `original`: the same directory, and a name that
/// begins with its stem.
fn is_rotation(original: &Path, path: &Path) -> bool {
    let stem = original.file_stem().map(|stem| stem.as_encoded_bytes()).unwrap_or_default();
    let name = path.file_name().map(|name| name.as_encoded_bytes()).unwrap_or_default();
    original.parent() == path.parent() && !stem.is_empty() && name.starts_with(stem)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const NOW: Duration = Duration::ZERO;
    const LATER: Duration = Duration::from_secs(3600);

    fn scan(files: &mut Files, dir: &Path) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            files.see(&path, &fs::metadata(&path).unwrap());
        }
        files.scanned();
    }

    /// Everything that can be read now, as if each turn had become durable.
    fn read(files: &mut Files, flush: Duration) -> String {
        let mut text = String::new();
        for _ in 0..20 {
            let mut ready = files.ready(flush);
            ready.sort_by_key(|id| files.by_id[id].path.clone());
            for id in ready {
                if let Turn::Lines { bytes, skip, skipping } = files.turn(id, 64, flush).unwrap() {
                    let position = files.behind(id, &bytes, skipping).unwrap();
                    files.by_id.get_mut(&id).unwrap().position = position;
                    text.push_str(&String::from_utf8_lossy(&bytes[skip..]));
                }
            }
        }
        text
    }

    fn append(path: &Path, text: &str) {
        use std::io::Write;
        fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
    }

    fn restarted(files: &Files) -> Files {
        Files::new(files.by_id.iter().map(|(id, file)| (*id, file.position.clone())).collect())
    }

    #[test]
    fn rotation_by_rename_repeats_and_skips_nothing() {
        for restart in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let (log, rotated) = (dir.path().join("app.log"), dir.path().join("app.log.1"));
            let mut files = Files::default();
            append(&log, "1\n2\n");
            scan(&mut files, dir.path());
            assert_eq!(read(&mut files, LATER), "1\n2\n");
            append(&log, "3\n");
            fs::rename(&log, &rotated).unwrap();
            append(&log, "4\n");
            if restart {
                files = restarted(&files);
            }
            scan(&mut files, dir.path());
            assert_eq!(read(&mut files, LATER), "4\n3\n", "restart: {restart}");
        }
    }

    #[test]
    fn truncation_in_place_starts_anew_even_past_the_old_size() {
        for restart in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let log = dir.path().join("app.log");
            let mut files = Files::default();
            append(&log, "old\n");
            scan(&mut files, dir.path());
            assert_eq!(read(&mut files, LATER), "old\n");
            fs::write(&log, "new and longer\n").unwrap();
            if restart {
                files = restarted(&files);
            }
            scan(&mut files, dir.path());
            assert_eq!(read(&mut files, LATER), "new and longer\n", "restart: {restart}");
        }
    }

    #[test]
    fn a_copy_made_by_rotation_is_read_only_where_its_original_was_not() {
        for restart in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let (log, copy) = (dir.path().join("app.log"), dir.path().join("app.log.1"));
            let mut files = Files::default();
            append(&log, "1\n2\n");
            scan(&mut files, dir.path());
            assert_eq!(read(&mut files, LATER), "1\n2\n");
            append(&log, "3\n");
            fs::copy(&log, &copy).unwrap();
            if restart {
                files = restarted(&files);
            } else {
                scan(&mut files, dir.path());
                assert_eq!(read(&mut files, LATER), "3\n", "the copy waits");
            }
            fs::write(&log, "4\n").unwrap();
            scan(&mut files, dir.path());
            let expected = if restart { "4\n3\n" } else { "4\n" };
            assert_eq!(read(&mut files, LATER), expected, "restart: {restart}");
        }
    }

    #[test]
    fn a_last_line_without_newline_waits_and_is_then_taken() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = Files::default();
        append(&dir.path().join("app.log"), "whole\npart");
        scan(&mut files, dir.path());
        assert_eq!(read(&mut files, LATER), "whole\n");
        assert_eq!(read(&mut files, NOW), "part");
        assert_eq!(read(&mut files, NOW), "");
    }

    #[test]
    fn the_rest_of_a_line_longer_than_a_turn_is_skipped() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = Files::default();
        append(&dir.path().join("app.log"), &format!("{}\nnext\n", "x".repeat(200)));
        scan(&mut files, dir.path());
        assert_eq!(read(&mut files, LATER), format!("{}next\n", "x".repeat(64)));
    }

    #[test]
    fn binary_files_are_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = Files::default();
        append(&dir.path().join("a.bin"), "ab\0cd\n");
        append(&dir.path().join("b.log"), "text\n");
        scan(&mut files, dir.path());
        assert_eq!(read(&mut files, LATER), "text\n");
    }

    #[test]
    fn names_that_rotation_gives() {
        let original = Path::new("/l/app.log");
        for (path, expected) in [
            ("/l/app.log.1", true),
            ("/l/app-20240601.log", true),
            ("/l/app.1.log", true),
            ("/l/other.log", false),
            ("/m/app.log.1", false),
        ] {
            assert_eq!(is_rotation(original, Path::new(path)), expected, "{path}");
        }
    }
}
