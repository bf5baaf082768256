//! Opening a journal's folder: what is there, what is kept, where to go on.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Condvar, Mutex},
};

use event::{JournalId, Position};
use tokio::sync::watch;

use crate::{
    Config, OpenError, Problem,
    cursor::{self, CursorFile},
    disk::Disk,
    format::{self, BadHeader, FILE_HEADER, Key},
    notes::Notes,
    scan::{self, Survey},
    state::{Segment, Shared, State, segment_path},
    writer::Queue,
};

/// What was found; `file` tells where the writer goes on.
pub(crate) struct Recovered {
    pub(crate) shared: Shared,
    pub(crate) meta_written: bool,
    /// The newest segment was closed in order and can be continued.
    pub(crate) resume: bool,
}

pub(crate) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    move |source| OpenError::Io { action, path, source }
}

pub(crate) fn recover(mut config: Config, disk: Disk) -> Result<Recovered, OpenError> {
    // So that trimming can always make room.
    config.segment_bytes = config.segment_bytes.min(config.budget_bytes / 4).max(4096);
    for dir in [&config.dir, &config.cursors_dir] {
        fs::create_dir_all(dir).map_err(io_error("make the folder", dir))?;
    }
    let lock = lock_dir(&config.dir)?;
    let numbers = segments(&config.dir).map_err(io_error("list", &config.dir))?;
    let mut state = State { notes: Notes::new(config.notes_max, config.budget_bytes), ..State::default() };
    let (key, meta_written) = load_key(&config.dir, &numbers, &mut state)?;
    let resume = load_segments(&config.dir, key, &numbers, &mut state)?;
    load_cursors(&config.cursors_dir, key.id, &mut state)
        .map_err(io_error("read the cursors in", &config.cursors_dir))?;
    // No number may be given out twice, even if segments were lost.
    let furthest = state.cursors.values().map(|cursor| cursor.position).max().unwrap_or_default();
    let lost = furthest > state.end;
    if lost {
        let problem =
            format!("a cursor stands at {furthest}, beyond the end {}; records were lost", state.end);
        state.problem(Problem::new(&config.dir, problem));
        state.end = Position { segment: furthest.segment.max(state.end.segment) + 1, record: 0 };
    }
    state.quarantine_bytes = quarantine_bytes(&config.dir.join("quarantine"));
    let end = state.end;
    let shared = Shared {
        config,
        key,
        disk,
        state: Mutex::new(state),
        queue: Mutex::new(Queue::default()),
        wake: Condvar::new(),
        cursor_files: Mutex::new(()),
        end: watch::Sender::new(end),
        done: watch::Sender::new(false),
        _lock: lock,
    };
    Ok(Recovered { shared, meta_written, resume: resume && !lost })
}

fn lock_dir(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join("lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(io_error("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
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

/// Fills in segments, notes and end; says whether the newest segment can be continued.
fn load_segments(dir: &Path, key: Key, numbers: &[u32], state: &mut State) -> Result<bool, OpenError> {
    let Some((&newest, older)) = numbers.split_last() else { return Ok(false) };
    let path = segment_path(dir, newest);
    let survey = scan::survey(&path, key, newest, true, false).map_err(io_error("read", &path))?;
    cut(&path, &survey, state).map_err(io_error("cut the torn tail of", &path))?;
    let resume = survey.clean;
    // After a crash the numbers of what was cut are not given out again: a new segment begins.
    state.end = if resume {
        Position { segment: newest, record: survey.records }
    } else {
        Position { segment: newest + 1, record: 0 }
    };
    let mut notes_from = survey.snapshot.then_some(newest);
    let mut notes = vec![survey.notes];
    add_segment(state, newest, survey.keep, survey.records);
    for &number in older.iter().rev() {
        let path = segment_path(dir, number);
        let error = || io_error("read", &path);
        let closed = scan::closed_records(&path, key, number).map_err(error())?;
        let bytes = path.metadata().map_err(error())?.len();
        let records = match closed {
            Some(records) if notes_from.is_some() => records,
            _ => {
                let survey = scan::survey(&path, key, number, false, false).map_err(error())?;
                if notes_from.is_none() {
                    notes_from = survey.snapshot.then_some(number);
                    notes.push(survey.notes);
                }
                survey.records.max(closed.unwrap_or(0))
            }
        };
        add_segment(state, number, bytes, records);
    }
    state.notes_from = notes_from.unwrap_or(0);
    notes.into_iter().rev().flatten().for_each(|note| state.notes.apply(note));
    Ok(resume)
}

fn add_segment(state: &mut State, number: u32, bytes: u64, records: u32) {
    let index = vec![(0, FILE_HEADER as u64)];
    state.segments.insert(number, Segment { bytes, records, index });
}

fn cut(path: &Path, survey: &Survey, state: &mut State) -> io::Result<()> {
    let length = path.metadata()?.len();
    if length > survey.keep {
        state.truncated_bytes += length - survey.keep;
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(survey.keep)?;
        file.sync_all()?;
    }
    Ok(())
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

/// All cursors on disk count, also those nobody has asked for yet.
fn load_cursors(dir: &Path, id: JournalId, state: &mut State) -> io::Result<()> {
    for (name, path) in cursor_files(dir)? {
        let slots = cursor::read(&fs::read(&path)?, id);
        if slots.damaged {
            let what = if slots.best.is_some() { "the position before it" } else { "the oldest record" };
            state.problem(Problem::new(&path, format!("damaged; reading goes on from {what}")));
        }
        let (generation, position) = slots.best.unwrap_or((0, state.start()));
        // A damaged or foreign file is written anew as a whole.
        let exists = slots.best.is_some() && !slots.damaged;
        state.cursors.insert(name, CursorFile { path, position, generation, exists });
    }
    Ok(())
}

fn quarantine_bytes(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}
