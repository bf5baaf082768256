//! Opening a journal's folder: what is there, what is kept, where to go on.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Condvar, Mutex},
};

use ::disk::LockedFile;
use event::{JournalId, Position};
use tokio::sync::watch;

use crate::{
    Config, OpenError, Problem,
    cursor_file::{self, CursorFile, Slots},
    disk::{self, Disk},
    error::io_error,
    expected::{self, Acknowledged, Expected, Marker},
    format::{self, BadHeader, FILE_HEADER, Key},
    notes::Notes,
    queue::Queue,
    scan::{self, Survey},
    segment::{Segment, segment_path},
    state::{QUARANTINE_SHARE, Shared, State},
};

/// What was found; `file` tells where the writer goes on.
pub(crate) struct Recovered {
    pub(crate) shared: Shared,
    pub(crate) meta_written: bool,
    /// The newest segment was closed in order and can be continued.
    pub(crate) resume: bool,
    /// Writes down what is acknowledged.
    pub(crate) marker: Marker,
}

pub(crate) fn recover(mut config: Config, disk: Disk) -> Result<Recovered, OpenError> {
    // So that trimming can always make room.
    config.segment_bytes = config.segment_bytes.min(config.budget_bytes / 4).max(4096);
    for dir in [&config.dir, &config.cursors_dir] {
        ::disk::create_dir_all(dir).map_err(io_error("make the folder", dir))?;
    }
    config.reserve_bytes = disk::fitting_reserve(&config.dir, config.reserve_bytes);
    let lock = lock_dir(&config.dir)?;
    let numbers = segments(&config.dir).map_err(io_error("list", &config.dir))?;
    let mut state = State { notes: Notes::new(config.notes_max, config.budget_bytes), ..State::default() };
    let (key, meta_written) = load_key(&config.dir, &numbers, &mut state)?;
    check_headers(&config.dir, key, &numbers)?;
    let cursors = read_cursors(&config.cursors_dir, key.id)?;
    let needed = needed(&cursors);
    let expected = Expected::read(&config.dir, key.id)?;
    expected.problems.iter().for_each(|problem| state.problem(problem.clone()));
    state.quarantine_bytes = quarantine_bytes(&config.dir.join("quarantine"));
    let mut found = Found { config: &config, key, expected: &expected, needed, state: &mut state };
    let resume = found.load(&numbers)?;
    let mut marker = Marker::after(&config.dir, &expected);
    if let Some(end) = expected.acknowledged
        && let Some(segment) = state.segments.get(&end.segment)
        && segment.bytes < end.bytes
        && !segment.missing
    {
        // What is missing was told now.
        marker.write(key.id, Acknowledged { bytes: segment.bytes, ..end });
    }
    load_cursors(cursors, &mut state);
    // No number may be given out twice, even if segments were lost.
    let furthest = state.cursors.values().map(|cursor| cursor.position).max().unwrap_or_default();
    let lost = furthest > state.end;
    if lost {
        let problem =
            format!("a cursor stands at {furthest}, beyond the end {}; records were lost", state.end);
        state.problem(Problem::new(&config.dir, problem));
        state.end = Position { segment: furthest.segment.max(state.end.segment) + 1, record: 0 };
    }
    let end = state.end;
    let shared = Shared {
        config,
        key,
        disk,
        state: Mutex::new(state),
        queue: Mutex::new(Queue::default()),
        wake: Condvar::new(),
        cursor_files: Mutex::new(()),
        manifest: Mutex::new(()),
        end: watch::Sender::new(end),
        done: watch::Sender::new(false),
        _lock: lock,
    };
    Ok(Recovered { shared, meta_written, resume: resume && !lost, marker })
}

fn lock_dir(dir: &Path) -> Result<LockedFile, OpenError> {
    let path = dir.join("lock");
    let file = ::disk::options().write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(io_error("open", &path))?;
    match LockedFile::take(file) {
        Ok(held) => Ok(held),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { dir: dir.to_owned() }),
        Err(TryLockError::Error(error)) => Err(io_error("lock", &path)(error)),
    }
}

/// The numbers of the segments in a folder, ascending.
pub(crate) fn segments(dir: &Path) -> io::Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".segment")).map(str::parse);
        if let Some(Ok(number)) = number {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The journal's key from `meta`, else from any segment; None when there is neither.
pub(crate) fn find_key(dir: &Path, numbers: &[u32]) -> Result<(Option<Key>, bool), OpenError> {
    let path = dir.join("meta");
    match fs::read(&path).map(|bytes| format::read_meta(&bytes)) {
        Ok(Ok(key)) => return Ok((Some(key), true)),
        Ok(Err(BadHeader::Version(found))) => return Err(OpenError::Version { path, found }),
        Ok(Err(BadHeader::Damaged)) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(io_error("read", &path)(error)),
    }
    for &number in numbers {
        let path = segment_path(dir, number);
        let bytes = fs::File::open(&path).and_then(|file| {
            let mut bytes = Vec::new();
            io::Read::read_to_end(&mut io::Read::take(file, FILE_HEADER as u64), &mut bytes).map(|_| bytes)
        });
        match bytes.map(|bytes| format::read_segment_header(&bytes)) {
            Ok(Ok((key, _))) => return Ok((Some(key), false)),
            Ok(Err(BadHeader::Version(found))) => return Err(OpenError::Version { path, found }),
            Ok(Err(BadHeader::Damaged)) => {}
            Err(error) => return Err(io_error("read", &path)(error)),
        }
    }
    Ok((None, false))
}

fn load_key(dir: &Path, numbers: &[u32], state: &mut State) -> Result<(Key, bool), OpenError> {
    let path = dir.join("meta");
    let (key, written) = find_key(dir, numbers)?;
    if written || (numbers.is_empty() && !path.exists()) {
        return Ok((key.map_or_else(new_key, Ok)?, written));
    }
    state.problem(Problem::new(&path, "missing or damaged; it is written anew"));
    match key {
        Some(key) => Ok((key, false)),
        None if numbers.is_empty() => Ok((new_key()?, false)),
        None => Err(OpenError::NoKey { dir: dir.to_owned() }),
    }
}

fn new_key() -> Result<Key, OpenError> {
    let random = |error: getrandom::Error| OpenError::Random { source: io::Error::other(error.to_string()) };
    let id = JournalId::random().map_err(random)?;
    let mut marker = [0; 8];
    getrandom::fill(&mut marker).map_err(random)?;
    Ok(Key { id, marker })
}

/// A whole header of another journal, or of another version, is refused by name: neither is damage.
pub(crate) fn check_headers(dir: &Path, key: Key, numbers: &[u32]) -> Result<(), OpenError> {
    for &number in numbers {
        let path = segment_path(dir, number);
        let bytes = match expected::head(&path, FILE_HEADER) {
            // Deleted meanwhile, by a journal that runs.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            bytes => bytes.map_err(io_error("read", &path))?,
        };
        match format::read_segment_header(&bytes) {
            Err(BadHeader::Version(found)) => return Err(OpenError::Version { path, found }),
            Ok((other, _)) if other.id != key.id => {
                return Err(OpenError::Foreign { path, found: other.id });
            }
            Ok((_, found)) if found != number => return Err(OpenError::Misnamed { path, found }),
            // Blocks have checksums of their own and are read without it.
            Ok(_) | Err(BadHeader::Damaged) => {}
        }
    }
    Ok(())
}

/// The first record that a cursor still needs; the very first when no cursor tells.
pub(crate) fn needed(cursors: &[(String, PathBuf, Slots)]) -> Position {
    let positions = cursors.iter().map(|(_, _, slots)| slots.best.map(|(_, position)| position));
    positions.flatten().min().unwrap_or_default()
}

/// The segments that are gone although they held, or may have held, what is still needed: number and
/// records, ascending.
pub(crate) fn missing(expected: &Expected, numbers: &[u32], needed: Position) -> Vec<(u32, u32)> {
    let gone = expected.segments().into_iter().filter(|number| !numbers.contains(number));
    let newest = expected.acknowledged.map(|end| end.segment);
    gone.map(|number| (number, expected.records(number)))
        .filter(|(segment, records)| is_needed((*segment, *records), needed) || newest == Some(*segment))
        .collect()
}

/// Whether a segment with so many records has some at or behind a position.
pub(crate) fn is_needed((segment, record): (u32, u32), needed: Position) -> bool {
    Position { segment, record } > needed
}

const NOTES_LOST: &str =
    "; all had been read, but positions of watched files or idempotency keys noted there may be lost";

/// What is told of a missing segment.
pub(crate) fn missing_problem(dir: &Path, (number, records): (u32, u32), needed: Position) -> Problem {
    let lost =
        if is_needed((number, records), needed) { ", which are lost unless read before" } else { NOTES_LOST };
    let what = format!("the file is missing; it held {records} acknowledged records{lost}");
    Problem::new(&segment_path(dir, number), what)
}

/// What a survey found to be destroyed, in words; None when all that is needed is there.
pub(crate) fn loss(survey: &Survey, bytes: u64, expected: &Expected, number: u32) -> Option<String> {
    let acknowledged = expected.bytes(number);
    if survey.damaged_records > 0 {
        return Some(format!(
            "damaged or cut: {} of its {} acknowledged records cannot be read",
            survey.damaged_records, survey.records
        ));
    }
    if bytes < acknowledged {
        return Some(format!(
            "cut by {} bytes; no record was in them, but positions of watched files or idempotency keys may be lost",
            acknowledged - bytes
        ));
    }
    (survey.damaged_places > 0)
        .then(|| format!("damaged at {} places, which hold no record", survey.damaged_places))
}

/// What is being found while a journal opens.
struct Found<'a> {
    config: &'a Config,
    key: Key,
    expected: &'a Expected,
    needed: Position,
    state: &'a mut State,
}

impl Found<'_> {
    /// Fills in segments, notes and end; says whether the newest segment can be continued.
    fn load(&mut self, numbers: &[u32]) -> Result<bool, OpenError> {
        let missing = missing(self.expected, numbers, self.needed);
        for &(number, records) in &missing {
            self.state.problem(missing_problem(&self.config.dir, (number, records), self.needed));
            self.state.segments.insert(number, Segment { records, missing: true, ..Segment::default() });
        }
        let last_gone = self.expected.acknowledged.map_or(0, |end| end.segment);
        let Some((&newest, older)) = numbers.split_last() else {
            let begun = self.expected.acknowledged.is_some();
            self.state.end = Position { segment: if begun { last_gone + 1 } else { 0 }, record: 0 };
            return Ok(false);
        };
        // Only the segment that was written last can be torn.
        let is_last = newest >= last_gone;
        let survey = self.survey(newest, is_last)?;
        if is_last {
            self.cut(newest, &survey)?;
        }
        let resume = is_last && survey.clean;
        // After a crash the numbers of what was cut are not given out again: a new segment begins.
        self.state.end = if resume {
            Position { segment: newest, record: survey.records }
        } else {
            Position { segment: newest.max(last_gone) + 1, record: 0 }
        };
        let mut notes_from = survey.snapshot.then_some(newest);
        let mut notes = vec![survey.notes];
        self.add(newest, survey.keep, survey.records);
        for &number in older.iter().rev() {
            let path = segment_path(&self.config.dir, number);
            let error = || io_error("read", &path);
            let closed = scan::closed_records(&path, self.key, number).map_err(error())?;
            let bytes = path.metadata().map_err(error())?.len();
            let records = match closed {
                Some(records) if notes_from.is_some() => records.max(self.expected.records(number)),
                _ => {
                    let survey = self.survey(number, false)?;
                    if notes_from.is_none() {
                        notes_from = survey.snapshot.then_some(number);
                        notes.push(survey.notes);
                    }
                    survey.records.max(closed.unwrap_or(0))
                }
            };
            self.add(number, bytes, records);
        }
        self.state.notes_from = notes_from.unwrap_or(0);
        notes.into_iter().rev().flatten().for_each(|note| self.state.notes.apply(note));
        Ok(resume)
    }

    /// Goes over a segment and tells what of it is destroyed, unless nobody needs it any more.
    fn survey(&mut self, number: u32, tail: bool) -> Result<Survey, OpenError> {
        let path = segment_path(&self.config.dir, number);
        let error = || io_error("read", &path);
        let survey = scan::survey(&path, self.key, number, tail, false, self.expected).map_err(error())?;
        let bytes = path.metadata().map_err(error())?.len();
        let is_needed = is_needed((number, survey.records), self.needed);
        if let Some(what) = loss(&survey, bytes, self.expected, number).filter(|_| is_needed || tail) {
            self.state.problem(Problem::new(&path, what + if is_needed { "" } else { NOTES_LOST }));
        }
        Ok(survey)
    }

    fn add(&mut self, number: u32, bytes: u64, records: u32) {
        let index = vec![(0, FILE_HEADER as u64)];
        self.state.segments.insert(number, Segment { bytes, records, index, missing: false });
    }

    /// Cuts off the torn tail. Where nothing tells whether it was acknowledged, since an older version
    /// wrote it, its bytes are kept while there is room.
    fn cut(&mut self, number: u32, survey: &Survey) -> Result<(), OpenError> {
        let path = segment_path(&self.config.dir, number);
        let error = || io_error("cut the torn tail of", &path);
        let length = path.metadata().map_err(error())?.len();
        let Some(torn) = length.checked_sub(survey.keep).filter(|torn| *torn > 0) else { return Ok(()) };
        self.state.truncated_bytes += torn;
        let quarantine = self.config.dir.join("quarantine");
        let room = (self.config.budget_bytes / QUARANTINE_SHARE).saturating_sub(self.state.quarantine_bytes);
        if !self.expected.is_known(number) && torn <= room {
            // Best effort, as a full disk must not keep the journal from opening.
            let kept = keep_tail(
                &path,
                survey.keep,
                &quarantine.join(format!("{number:010}-{:012}.torn", survey.keep)),
            );
            self.state.quarantine_bytes += kept.map_or(0, |()| torn);
        }
        let file = OpenOptions::new().write(true).open(&path).map_err(error())?;
        file.set_len(survey.keep).and_then(|()| file.sync_all()).map_err(error())
    }
}

fn keep_tail(path: &Path, from: u64, to: &Path) -> io::Result<()> {
    if let Some(dir) = to.parent() {
        ::disk::create_dir_all(dir)?;
    }
    let mut file = File::open(path)?;
    io::Seek::seek(&mut file, io::SeekFrom::Start(from))?;
    let mut kept = ::disk::create(to)?;
    io::copy(&mut file, &mut kept).map(drop).inspect_err(|_| drop(fs::remove_file(to)))
}

/// The cursor files of a folder.
pub(crate) fn cursor_files(dir: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".cursor"));
        if let Some(name) = name {
            files.push((name.to_owned(), path.clone()));
        }
    }
    files.sort();
    Ok(files)
}

/// All cursor files of a folder, with what they say.
pub(crate) fn read_cursors(dir: &Path, id: JournalId) -> Result<Vec<(String, PathBuf, Slots)>, OpenError> {
    let files = match cursor_files(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        files => files.map_err(io_error("list", dir))?,
    };
    let mut cursors = Vec::new();
    for (name, path) in files {
        let slots = cursor_file::read(&fs::read(&path).map_err(io_error("read", &path))?, id);
        if let Some(found) = slots.version {
            return Err(OpenError::Version { path, found });
        }
        cursors.push((name, path, slots));
    }
    Ok(cursors)
}

/// What is wrong with a cursor's file, and what follows.
pub(crate) fn cursor_problem(path: &Path, slots: &Slots) -> Option<Problem> {
    let what = match (slots.damaged, slots.best.is_some()) {
        (true, true) => "damaged; reading goes on from the position before it",
        (true, false) => "damaged; reading goes on from the oldest record",
        (false, false) if slots.foreign => {
            "it belongs to another journal, whose files are gone; what that had not been read of is lost"
        }
        _ => return None,
    };
    Some(Problem::new(path, what))
}

/// All cursors on disk count, also those nobody has asked for yet.
fn load_cursors(cursors: Vec<(String, PathBuf, Slots)>, state: &mut State) {
    for (name, path, slots) in cursors {
        if let Some(problem) = cursor_problem(&path, &slots) {
            state.problem(problem);
        }
        let (generation, position) = slots.best.unwrap_or((0, state.start()));
        // A damaged or foreign file is written anew as a whole.
        let exists = slots.best.is_some() && !slots.damaged;
        state.cursors.insert(name, CursorFile { path, position, generation, exists });
    }
}

fn quarantine_bytes(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}
