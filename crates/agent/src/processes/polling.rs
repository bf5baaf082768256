//! Processes as the agent itself sees them, from one look to the next, without privileges.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use event::Timestamp;
use process::{Executables, HashLimits, Reader, Report, Scope, Source, Watch};

/// Looks are at least so far apart.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Read for hashes in one look: the agent is to be light.
const HASH_BYTES: u64 = 16 << 20;

/// Reads processes.
pub(super) struct Polling {
    reader: Result<Reader, String>,
    executables: Executables,
    watch: Watch,
    is_listed: bool,
    looked_at: Option<Instant>,
    wrong: Vec<(String, String)>,
}

impl Polling {
    pub(super) fn new(proc: &Path) -> Self {
        let reader = Reader::open(proc, Path::new("/etc/passwd"), Scope::default());
        Self {
            reader: reader.map_err(|error| error.to_string()),
            executables: Executables::new(HashLimits { scan_bytes: HASH_BYTES, ..HashLimits::default() }),
            watch: Watch::default(),
            is_listed: false,
            looked_at: None,
            wrong: Vec::new(),
        }
    }

    /// The next look tells all that there is.
    pub(super) fn begin_anew(&mut self) {
        self.is_listed = false;
    }

    /// What changed since the last look, and what cannot be read.
    pub(super) fn take(&mut self, now: Timestamp) -> (Option<Report>, Vec<(String, String)>) {
        if self.looked_at.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return (None, self.wrong.clone());
        }
        self.looked_at = Some(Instant::now());
        let snapshot = match &mut self.reader {
            Ok(reader) => reader.scan(now, &mut self.executables).map_err(|error| error.to_string()),
            Err(reason) => Err(reason.clone()),
        };
        let snapshot = match snapshot {
            Ok(snapshot) => snapshot,
            Err(reason) => {
                self.wrong = vec![("processes".to_owned(), reason)];
                return (None, self.wrong.clone());
            }
        };
        let of =
            |problem: &process::Problem| (format!("processes: {}", problem.what), problem.reason.clone());
        self.wrong = snapshot.problems.iter().map(of).collect();
        self.wrong.dedup_by(|a, b| a.0 == b.0);
        let mut report = Report {
            boot_id: snapshot.boot_id.clone(),
            source: Source::Polling,
            problems: snapshot.problems.clone(),
            ..Report::default()
        };
        report.changes = self.watch.observe(snapshot);
        if !std::mem::replace(&mut self.is_listed, true) {
            (report.begins, report.complete) = (true, true);
            report.changes = self.watch.present(now).collect();
            report.changes.sort_by_key(|change| (change.process.started_at, change.process.pid));
        }
        (Some(report), self.wrong.clone())
    }
}
