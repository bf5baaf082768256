//! Watched files: what is in them, and what is written to them, from the first line on.
//!
//! One thread reads all files in turn. A file is known by device and inode and by hashes of what
//! was read of it, so rotation by rename or by copy and truncation, a reused inode and a restart
//! neither repeat nor skip a line. The one loss that is left: what is written between the last
//! read and a truncation in place, when rotation made no copy of it or the copy is compressed at
//! once. While the journal is full, files wait; nothing is dropped.

mod files;
mod position;
mod roots;
mod watch;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use files::{Files, Turn};
use journal::{AppendError, Batch, Journal};
use metrics::counter;
use position::{FileId, Position};
use roots::Root;
use telemetry::{
    ledger, metric,
    task::{Stop, Tasks},
};
use watch::Watch;

use crate::{Clock, Parsing};

/// Batches are appended past this size.
const BATCH_BYTES: usize = 2 << 20;
/// Read of one file before the next one has its turn, unless lines may be longer.
const TURN_BYTES: usize = 256 << 10;
/// The stop signal is looked at so often.
const WAKE: Duration = Duration::from_millis(100);
/// Pauses after failed appends grow from the first to the second.
const RETRY_MIN: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(5);
/// A scan is followed by a pause this many times as long, so that scanning many files stays cheap.
const PAUSE_PER_SCAN: u32 = 200;

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
    /// How long a last line may lack its newline before it is taken as it is (2 s by default).
    pub flush_after: Duration,
    /// How long a file that does not grow stays open (60 s by default).
    pub idle_close: Duration,
    /// How lines are understood.
    pub parsing: Parsing,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            dir: None,
            files: Vec::new(),
            scan_interval: Duration::from_secs(5),
            flush_after: Duration::from_secs(2),
            idle_close: Duration::from_secs(60),
            parsing: Parsing::default(),
        }
    }
}

/// Why files cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is wrong.
    #[error("'{glob}' in LOG_SENTINEL_FILES is no glob")]
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

/// Starts the thread that reads the watched files into the journal; it ends with `tasks`.
///
/// # Errors
/// When a glob is not valid or there is no thread.
pub fn start(config: Config, journal: Journal, clock: Clock, tasks: &Tasks) -> Result<(), StartError> {
    let mut roots: Vec<Root> = config.dir.clone().map(Root::dir).into_iter().collect();
    for glob in &config.files {
        let root = Root::glob(glob).map_err(|source| StartError::Glob { glob: glob.clone(), source })?;
        roots.push(root);
    }
    tasks.thread("tail", move |stop| {
        let files = Files::new(position::all(&journal));
        let (retry_at, pause) = (Instant::now(), RETRY_MIN);
        Tailer { config, journal, clock, roots, files, watch: Watch::new(), stop, retry_at, pause }.run();
    })?;
    Ok(())
}

struct Tailer {
    config: Config,
    journal: Journal,
    clock: Clock,
    roots: Vec<Root>,
    files: Files,
    watch: Watch,
    stop: Stop,
    /// After a failed append nothing is read before this.
    retry_at: Instant,
    /// The pause after the next failure; [`RETRY_MIN`] when the last append succeeded.
    pause: Duration,
}

/// A position that counts once its batch is durable.
type Advance = (FileId, Position);

impl Tailer {
    fn run(mut self) {
        let mut next_scan = Instant::now();
        while !self.stop.is_cancelled() {
            if Instant::now() >= next_scan || std::mem::take(&mut self.files.rescan) {
                let began = Instant::now();
                self.scan();
                next_scan = Instant::now() + self.config.scan_interval.max(began.elapsed() * PAUSE_PER_SCAN);
            }
            if Instant::now() >= self.retry_at && self.round() {
                continue;
            }
            let pause = WAKE.min(next_scan.saturating_duration_since(Instant::now()));
            let changes = self.watch.wait(pause);
            if let Some(failure) = changes.failure {
                self.watch.poll_instead(&failure);
            }
            if changes.rescan {
                next_scan = Instant::now();
            }
            for path in changes.paths {
                self.look(&path);
            }
        }
    }

    /// Looks at all files there are.
    fn scan(&mut self) {
        for root in &mut self.roots {
            root.walk(&mut self.watch, &mut |path, metadata| self.files.see(path, metadata));
        }
        self.files.scanned();
        self.files.close_idle(self.config.idle_close);
        let mut batch = Batch::new();
        for (id, file) in &self.files.by_id {
            if file.position.offset > 0 && !position::is_noted(&self.journal, *id) {
                batch.note(file.position.note(*id));
            }
        }
        // An inode that has come back has a position again.
        self.files.gone.retain(|id| !self.files.by_id.contains_key(id));
        for id in &self.files.gone {
            batch.note(position::forget(*id));
        }
        if !batch.is_empty() && self.append(batch) {
            self.files.gone.clear();
        }
    }

    /// Looks at one path that has changed.
    fn look(&mut self, path: &std::path::Path) {
        if !self.roots.iter().any(|root| root.covers(path)) {
            return;
        }
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => {
                self.files.see(path, &metadata);
                if let Some(file) = self.files.by_id.get_mut(&FileId::of(&metadata)) {
                    file.dirty = true;
                }
            }
            Ok(_) => {}
            // Deleted, or renamed away: what was written to it just before is still to be read.
            Err(_) => self.files.vanished(path),
        }
    }

    /// Reads a turn of each file that has something, and makes it durable; whether there was any.
    fn round(&mut self) -> bool {
        let ready = self.files.ready(self.config.flush_after);
        let mut batch = Batch::new();
        // Before anything is read on: positions taken over from another file must not be durable
        // later than what that one is read on to.
        let moved = std::mem::take(&mut self.files.moved);
        for id in &moved {
            if let Some(file) = self.files.by_id.get(id) {
                batch.note(file.position.note(*id));
            }
        }
        if !batch.is_empty() && !self.append(std::mem::take(&mut batch)) {
            self.files.moved = moved;
            return false;
        }
        let mut advances = Vec::new();
        let mut read = 0;
        let mut any = false;
        for id in ready {
            if self.stop.is_cancelled() {
                break;
            }
            read += self.turn(id, &mut batch, &mut advances);
            if batch.bytes() >= BATCH_BYTES {
                if !self.commit(std::mem::take(&mut batch), std::mem::take(&mut advances), read) {
                    return false;
                }
                (any, read) = (true, 0);
            }
        }
        any | self.commit(batch, advances, read)
    }

    /// Reads a turn of one file into the batch; how many bytes.
    fn turn(&mut self, id: FileId, batch: &mut Batch, advances: &mut Vec<Advance>) -> usize {
        let bytes_max = TURN_BYTES.max(self.config.parsing.line_bytes_max + 1);
        let read = self.files.turn(id, bytes_max, self.config.flush_after).and_then(|turn| match turn {
            Turn::Nothing => Ok(None),
            Turn::Lines { bytes, skip, skipping } => {
                let position = self.files.behind(id, &bytes, skipping)?;
                Ok(Some((bytes, skip, position)))
            }
        });
        let (bytes, skip, position) = match read {
            Ok(Some(read)) => read,
            Ok(None) => return 0,
            Err(error) => {
                tracing::debug!("a watched file cannot be read: {error}");
                return 0;
            }
        };
        let path = position.path.to_string_lossy();
        let received = (self.clock)();
        let context = parse::Context {
            received,
            near: received,
            zone: &self.config.parsing.zone,
            file: Some(&path),
            host: self.config.parsing.host.as_deref(),
            line_bytes_max: self.config.parsing.line_bytes_max,
        };
        parse::body(
            parse::Format::Lines,
            &bytes[skip..],
            &context,
            &mut |event| batch.push_with(|out| event::codec::encode(&event, out)),
            &mut |problem| tracing::debug!("line {} of a turn was refused", problem.line),
        );
        drop(path);
        batch.note(position.note(id));
        advances.push((id, position));
        bytes.len()
    }

    /// Appends, and moves the positions once that is durable; whether it was.
    fn commit(&mut self, batch: Batch, advances: Vec<Advance>, read: usize) -> bool {
        if advances.is_empty() {
            return false;
        }
        let events = batch.len() as u64;
        let durable = self.append(batch);
        for (id, position) in advances {
            let Some(file) = self.files.by_id.get_mut(&id) else { continue };
            if durable {
                file.position = position;
            } else {
                // Read again from where it stood.
                file.dirty = true;
            }
        }
        if durable {
            ledger::received(events);
            counter!(metric::TAIL_BYTES).increment(read as u64);
            counter!(metric::RECEIVED_BYTES).increment(read as u64);
        }
        durable
    }

    /// Appends; whether it is durable. After a failure nothing is read for a while, and then again
    /// from where it stood, so that nothing need be kept.
    fn append(&mut self, batch: Batch) -> bool {
        let Err(error) = self.journal.append_blocking(batch) else {
            self.pause = RETRY_MIN;
            return true;
        };
        if self.pause == RETRY_MIN && !matches!(error, AppendError::Busy) {
            tracing::warn!("watched files wait: {error}");
        }
        self.retry_at = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(RETRY_MAX);
        false
    }
}
