//! Watched files: what is in them, and what is written to them, from the first line on.
//!
//! One thread reads all files in turn. A file is known by its open handle, by device and inode, and
//! by hashes of what was read of it, so rotation by rename or by copy and truncation, a file written
//! anew and renamed over, a reused inode and a restart neither repeat nor skip a line. What is left:
//! what is written between the last read and a truncation in place, when no copy that can be read
//! holds it, and a file that is deleted before it was first seen. Bytes that were seen and are gone
//! unread are counted. While the journal is full, files wait; nothing is dropped.
//!
//! The last event of a file waits a moment for a line that continues it. Until then the file's position stands
//! before it, so that a stop and a kill have it read again from its first line.

mod bytes;
mod emptied;
mod file;
mod files;
mod kin;
mod open;
mod position;
mod pulse;
mod replaced;
mod roots;
mod settle;
mod text;
mod watch;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use file::{Lines, Turn, Waits};
use files::Files;
use journal::AppendError;
use metrics::counter;
use open::Gate;
pub use open::Symlinks;
use position::{FileId, Position};
pub use pulse::Pulse;
use retry::Backoff;
use roots::{Area, Root};
use telemetry::{
    metric,
    task::{Stop, Tasks},
};
use text::Encoding;
use watch::Watch;

use crate::{Delivery, Door, Origin, Refused, platform};

/// Deliveries are appended past this size.
const BATCH_BYTES: usize = 2 << 20;
/// Read of one file before the next one has its turn, unless lines may be longer.
const TURN_BYTES: usize = 256 << 10;
/// The stop signal is looked at so often.
const WAKE: Duration = Duration::from_millis(100);
/// The bounds of pauses after failed appends grow from the first to the second.
const RETRY_MIN: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(5);
/// A scan is followed by a pause this many times as long, so that scanning many files stays cheap.
const PAUSE_PER_SCAN: u32 = 200;
/// During a long round, changes are looked at so often.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// A new directory is walked again after this: files may have come before it was watched.
const WALK_AGAIN: Duration = Duration::from_millis(300);
/// New directories that are walked by themselves; for more of them there is a scan.
const NEW_DIRS_MAX: usize = 64;
/// The share of this process's file descriptors that watched files may take.
const DESCRIPTORS_SHARE: u64 = 4;

/// What is watched, and how.
#[derive(Debug, Clone)]
pub struct Config {
    /// A directory that is watched with everything below it; it may appear later. Setting
    /// `LOG_SENTINEL_DIR`.
    pub dir: Option<PathBuf>,
    /// Further files, as absolute paths or globs. Setting `LOG_SENTINEL_FILES`.
    pub files: Vec<String>,
    /// How often everything is looked at, whatever the operating system reports (5 s by default).
    /// Setting `LOG_SENTINEL_SCAN_INTERVAL`.
    pub scan_interval: Duration,
    /// How long a last line may lack its newline, without growing, before it is taken as it is (10 s
    /// by default). Setting `LOG_SENTINEL_LINE_WAIT`.
    pub line_wait: Duration,
    /// How long the last event of a file waits for a line that continues it, such as those of a stack trace (1 s by
    /// default). Setting `LOG_SENTINEL_EVENT_WAIT`.
    pub event_wait: Duration,
    /// How long a file that does not grow stays open (60 s by default).
    pub idle_close: Duration,
    /// Files held open at a time (512 by default), and never more than a quarter of what the process
    /// may open. Setting `LOG_SENTINEL_OPEN_FILES_MAX`.
    pub open_files_max: usize,
    /// Which symbolic links are followed. Setting `LOG_SENTINEL_SYMLINKS`.
    pub symlinks: Symlinks,
}

impl Config {
    /// Whether a file of this path is read, as far as its name tells.
    pub fn reads(&self, path: &Path) -> bool {
        let areas = self.files.iter().filter_map(|glob| Area::glob(glob).ok());
        areas.chain(self.dir.clone().map(Area::dir)).any(|area| area.covers(path))
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            dir: None,
            files: Vec::new(),
            scan_interval: Duration::from_secs(5),
            line_wait: Duration::from_secs(10),
            event_wait: Duration::from_secs(1),
            idle_close: Duration::from_secs(60),
            open_files_max: 512,
            symlinks: Symlinks::default(),
        }
    }
}

/// Why files cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is wrong.
    #[error("LOG_SENTINEL_FILES holds '{glob}', which is no path and no glob such as /var/log/*.log")]
    Glob {
        /// As it was given.
        glob: String,
        /// What is wrong with it.
        source: globset::Error,
    },
    /// There is no thread for it.
    #[error("the operating system gave no thread to read files with")]
    Thread(#[from] std::io::Error),
}

/// Whether the first bytes of a file hold no text, or are packed in a way that is not unpacked here.
pub fn is_binary(bytes: &[u8]) -> bool {
    let sample = bytes.len().min(text::SAMPLE_BYTES);
    text::nature(&bytes[..sample], &bytes[bytes.len() - sample..], None) == text::Nature::Binary
}

/// Checks what the setting `LOG_SENTINEL_FILES` holds; reads no file.
///
/// # Errors
/// When one of them is no glob, and no file has it for its name.
pub fn check(globs: &[String]) -> Result<(), StartError> {
    areas(globs).map(drop)
}

fn areas(globs: &[String]) -> Result<Vec<Area>, StartError> {
    let area =
        |glob: &String| Area::glob(glob).map_err(|source| StartError::Glob { glob: glob.clone(), source });
    globs.iter().map(area).collect()
}

/// Starts the thread that reads the watched files through `door`; it ends with `tasks`. What is
/// returned tells whether it gets on.
///
/// # Errors
/// When a glob is not valid or there is no thread.
pub fn start(config: Config, door: Door, tasks: &Tasks) -> Result<Pulse, StartError> {
    let mut areas: Vec<Area> = config.dir.clone().map(Area::dir).into_iter().collect();
    areas.extend(self::areas(&config.files)?);
    let pulse = Pulse::default();
    let beats = pulse.clone();
    tasks.thread("tail", move |stop| {
        let roots = areas.iter().cloned().map(Root::new).collect();
        let gate = Gate { links: config.symlinks, link_age: open::LINK_AGE, areas: areas.into() };
        let open_max = config.open_files_max.min(descriptors());
        let Config { line_wait, event_wait, .. } = config;
        let waits = Waits { line: line_wait, event: event_wait, joining: door.config().joining.clone() };
        let files = Files::new(position::all(door.journal()), gate, open_max, waits);
        Tailer {
            config,
            door,
            roots,
            files,
            watch: Watch::new(),
            stop,
            retry_at: Instant::now(),
            backoff: Backoff::new(RETRY_MIN, RETRY_MAX),
            next_scan: Instant::now(),
            new_dirs: Vec::new(),
            looked_at: Instant::now(),
            pulse: beats,
        }
        .run();
    })?;
    Ok(pulse)
}

/// How many file descriptors watched files may take.
fn descriptors() -> usize {
    platform::descriptors_max()
        .map_or(usize::MAX, |limit| usize::try_from(limit / DESCRIPTORS_SHARE).unwrap_or(usize::MAX))
}

struct Tailer {
    config: Config,
    door: Door,
    roots: Vec<Root>,
    files: Files,
    watch: Watch,
    stop: Stop,
    /// After a failed append nothing is read before this.
    retry_at: Instant,
    /// Fresh when the last append succeeded.
    backoff: Backoff,
    next_scan: Instant,
    /// Directories and files to look at once more, and when.
    new_dirs: Vec<(Instant, PathBuf)>,
    looked_at: Instant,
    pulse: Pulse,
}

/// What counts once its batch is durable.
struct Advance {
    id: FileId,
    position: Position,
    read: usize,
    /// The last bytes that were read: the buffer of a turn is too large to be kept for each file.
    recent: Vec<u8>,
}

impl Tailer {
    fn run(mut self) {
        while !self.stop.is_cancelled() {
            self.pulse.beat("looking for changes", None);
            self.files.now = Instant::now();
            if Instant::now() >= self.next_scan || std::mem::take(&mut self.files.rescan) {
                let began = Instant::now();
                self.scan();
                let pause = self.config.scan_interval.max(began.elapsed() * PAUSE_PER_SCAN);
                self.next_scan = Instant::now() + pause;
            }
            let is_busy = Instant::now() >= self.retry_at && self.round();
            let pause = WAKE.min(self.next_scan.saturating_duration_since(Instant::now()));
            self.look_around(if is_busy { Duration::ZERO } else { pause });
        }
        self.pulse.end();
    }

    /// Waits for changes, so long at most, and takes notice of them.
    fn look_around(&mut self, pause: Duration) {
        self.looked_at = Instant::now();
        let changes = self.watch.wait(pause);
        self.files.now = Instant::now();
        if let Some(failure) = changes.failure {
            self.watch.poll_instead(&failure);
        }
        if changes.rescan {
            self.next_scan = Instant::now();
        }
        for path in changes.paths {
            self.look(&path);
        }
        let now = Instant::now();
        let later = self.files.later.drain(..).map(|path| (now + open::LINK_AGE, path));
        self.new_dirs.extend(later);
        for (_, dir) in self.new_dirs.extract_if(.., |(at, _)| *at <= now).collect::<Vec<_>>() {
            self.walk(&dir);
        }
    }

    /// Looks at all files there are.
    fn scan(&mut self) {
        self.pulse.beat("walking the watched directories", None);
        let is_following = self.config.symlinks != Symlinks::Never;
        for root in &mut self.roots {
            root.walk(&mut self.watch, is_following, &mut |path, metadata| self.files.see(path, metadata));
        }
        self.files.scanned(self.config.idle_close);
        let mut delivery = self.door.own_delivery();
        for (id, file) in &self.files.by_id {
            if file.position.offset > 0 && !position::is_noted(self.door.journal(), *id) {
                delivery.note(self.files.noted(*id, file.position.clone()).note(*id));
            }
        }
        // An inode that has come back has a position again.
        let due = self.files.emptied.due(self.files.now);
        let host = self.door.config().host.as_deref();
        for emptied in &due {
            delivery.put(Ok(emptied.event(crate::system_clock(), host)));
        }
        self.files.gone.retain(|id| !self.files.by_id.contains_key(id));
        for id in &self.files.gone {
            delivery.note(position::forget(*id));
        }
        if delivery.is_empty() {
            return;
        }
        if self.append(delivery) {
            self.files.gone.clear();
        } else {
            self.files.emptied.put_back(due);
        }
    }

    /// Looks at all files below a directory.
    fn walk(&mut self, dir: &Path) {
        let is_following = self.config.symlinks != Symlinks::Never;
        for root in &self.roots {
            if root.area.is_below(dir) {
                root.area.walk(dir, is_following, &mut |path, metadata| self.files.see(path, metadata));
            }
        }
    }

    /// Looks at one path that has changed.
    fn look(&mut self, path: &Path) {
        if !self.roots.iter().any(|root| root.area.is_below(path)) {
            return;
        }
        let is_covered = self.roots.iter().any(|root| root.area.covers(path));
        match platform::about(path) {
            Ok(metadata) if metadata.is_file() && is_covered => {
                self.files.see(path, &metadata);
                self.files.touch(FileId::of(&metadata));
            }
            Ok(metadata) if metadata.is_dir() => {
                if self.new_dirs.len() < NEW_DIRS_MAX {
                    self.walk(path);
                    self.new_dirs.push((Instant::now() + WALK_AGAIN, path.to_owned()));
                } else {
                    self.files.rescan = true;
                }
            }
            Ok(_) => {}
            // Deleted, or renamed away: what was written to it just before is still to be read.
            Err(_) => self.files.vanished(path),
        }
    }

    /// Reads a turn of each file that has something, and makes it durable; whether there was any.
    fn round(&mut self) -> bool {
        self.files.now = Instant::now();
        self.files.settle();
        // Before anything is read on: positions taken over from another file must not be durable
        // later than what that one is read on to.
        let moved = std::mem::take(&mut self.files.moved);
        let mut delivery = self.door.own_delivery();
        for id in &moved {
            if let Some(file) = self.files.by_id.get(id) {
                delivery.note(self.files.noted(*id, file.position.clone()).note(*id));
            }
        }
        if !delivery.is_empty() && !self.append(delivery) {
            self.files.moved = moved;
            return false;
        }
        if self.files.rescan {
            return true;
        }
        let mut delivery = self.door.own_delivery();
        let mut advances = Vec::new();
        let mut any = false;
        for id in self.files.ready() {
            if self.stop.is_cancelled() {
                break;
            }
            if self.looked_at.elapsed() >= LOOK_EVERY {
                self.look_around(Duration::ZERO);
            }
            self.turn(id, &mut delivery, &mut advances);
            if delivery.bytes() >= BATCH_BYTES {
                let full = std::mem::replace(&mut delivery, self.door.own_delivery());
                if !self.commit(full, std::mem::take(&mut advances)) {
                    return false;
                }
                any = true;
            }
        }
        any | self.commit(delivery, advances)
    }

    /// Bytes of a turn: an event and the line behind it have room.
    fn turn_bytes(&self) -> usize {
        let config = self.door.config();
        let event_max = config.joining.as_ref().map_or(0, |joining| joining.bytes_max);
        TURN_BYTES.max(event_max + config.line_bytes_max + 1).next_multiple_of(2)
    }

    /// Reads a turn of one file into the delivery.
    fn turn(&mut self, id: FileId, delivery: &mut Delivery, advances: &mut Vec<Advance>) {
        if let Some(file) = self.files.by_id.get(&id) {
            self.pulse.beat("reading", Some(&file.path));
        }
        let Lines { bytes, skip, mut position } = match self.files.turn(id, self.turn_bytes()) {
            Ok(Turn::Lines(lines)) => lines,
            Ok(Turn::Hole(position)) => Lines { bytes: Vec::new(), skip: 0, position },
            Ok(Turn::Nothing | Turn::Replaced) => return,
            Err(error) => {
                self.files.unreadable(id, error);
                return;
            }
        };
        let lines = position.encoding.decoded(&bytes[skip..]);
        let path = position.path.to_string_lossy();
        let host = self.door.config().host.as_deref();
        let before = self.files.by_id.get(&id).map(|file| file.position.before.clone());
        let origin = Origin { file: Some(&path), host, before: before.as_ref(), ..Origin::default() };
        let before = parse::body(parse::Format::Lines, &lines, &self.door.context(&origin), |line| {
            delivery.put(line.map(|mut event| {
                if position.encoding != Encoding::Bytes {
                    event.flag(event::field::UTF16);
                }
                event
            }));
        });
        delivery.came(bytes.len());
        drop((path, lines));
        position.before = before;
        delivery.note(self.files.noted(id, position.clone()).note(id));
        let recent = bytes[bytes.len().saturating_sub(file::RECENT_BYTES)..].to_vec();
        advances.push(Advance { id, position, read: bytes.len(), recent });
    }

    /// Appends, and moves the positions once that is durable; whether it was.
    fn commit(&mut self, delivery: Delivery, advances: Vec<Advance>) -> bool {
        if advances.is_empty() {
            return false;
        }
        let durable = self.append(delivery);
        let mut read = 0;
        for Advance { id, position, read: bytes, recent } in advances {
            read += bytes as u64;
            if durable {
                self.files.advance(id, position, &recent);
            } else {
                // Read again from where it stood.
                self.files.touch(id);
            }
        }
        if durable {
            counter!(metric::TAIL_BYTES).increment(read);
        }
        durable
    }

    /// Appends; whether it is durable. After a failure nothing is read for a while, and then again
    /// from where it stood, so that nothing need be kept.
    fn append(&mut self, delivery: Delivery) -> bool {
        self.pulse.beat("waiting for the journal", None);
        let Err(refused) = self.door.append_blocking(delivery) else {
            self.backoff.reset();
            return true;
        };
        let is_busy = matches!(refused, Refused::Journal { source: AppendError::Busy, .. });
        if self.backoff.is_fresh() && !is_busy {
            tracing::warn!("watched files wait: {refused}");
        }
        self.retry_at = Instant::now() + self.backoff.pause();
        false
    }
}

#[cfg(test)]
mod tests;
