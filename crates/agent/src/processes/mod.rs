//! Processes of the host, on their way to the collector: from procmond where there is one, else as the agent itself sees them.
//!
//! What procmond tells waits in memory within a bound, goes into a sample, and is acknowledged there when that sample is in the
//! agent's journal. The collector is given a list of all processes once; later lists are held against what it was told, and only what
//! differs is sent ([0111](../../../../docs/decisions/0111-frames-in-samples.md)).

mod connection;
mod frames;
mod polling;
mod socket;
mod told;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use event::Timestamp;
use process::Report;

use frames::Frames;
use polling::Polling;
use telemetry::task::Tasks;
use told::Told;

/// So long is waited for a procmond whose socket is there before the agent looks for itself.
const PATIENCE: Duration = Duration::from_secs(15);

/// A list of all is told this often, for a collector that has lost what it was told.
const LIST_EVERY: Duration = Duration::from_secs(3600);

/// Where processes are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Whether they are told at all.
    pub enabled: bool,
    /// Where procmond listens.
    pub socket: PathBuf,
}

/// Begins to follow procmond, where processes are wanted.
pub(crate) fn start(wanted: &Wanted, proc: &Path, tasks: &Tasks) -> std::io::Result<Option<Processes>> {
    if !wanted.enabled {
        return Ok(None);
    }
    let frames = Arc::new(Frames::default());
    if socket::IS_THERE {
        let (read, path) = (Arc::clone(&frames), wanted.socket.clone());
        tasks.thread("processes", move |stop| connection::follow(&read, &path, &stop))?;
    }
    Ok(Some(Processes::new(frames, proc.to_owned(), wanted.socket.clone())))
}

/// What is told of processes.
pub(crate) struct Processes {
    frames: Arc<Frames>,
    told: Told,
    proc: PathBuf,
    socket: PathBuf,
    polling: Option<Polling>,
    /// When a list of all was asked for last.
    listed_at: Instant,
    /// Samples that were given up, as far as that was told.
    given_up: u64,
    /// How many of them no report has told yet.
    lost: u64,
    /// Since when there is no procmond.
    alone_since: Instant,
}

/// A report on its way, and what can be acknowledged once it is kept.
#[derive(Default)]
pub(crate) struct Part {
    pub(crate) report: Option<Report>,
    /// The stream and its last frame in the report.
    last: Option<(Arc<str>, u64)>,
    /// What cannot be read, and why.
    pub(crate) wrong: Vec<(String, String)>,
}

impl Processes {
    fn new(frames: Arc<Frames>, proc: PathBuf, socket: PathBuf) -> Self {
        Self {
            frames,
            told: Told::default(),
            proc,
            socket,
            polling: None,
            listed_at: Instant::now(),
            given_up: 0,
            lost: 0,
            alone_since: Instant::now(),
        }
    }

    /// What there is to tell now.
    ///
    /// `given_up` is how many samples were given up so far, with what they told: each counts as one change that is missing at least.
    pub(crate) fn take(&mut self, now: Timestamp, given_up: u64) -> Part {
        let lost = given_up.saturating_sub(self.given_up);
        self.given_up = given_up;
        self.lost += lost;
        if lost > 0 || self.listed_at.elapsed() > LIST_EVERY {
            self.listed_at = Instant::now();
            self.told.begin_anew();
            self.frames.hang_up();
            if let Some(polling) = &mut self.polling {
                polling.begin_anew();
            }
        }
        let has_more = self.frames.is_waiting();
        if has_more || self.frames.is_connected() {
            self.alone_since = Instant::now();
            self.polling = None;
            let (mut report, last) = self.told.take(&self.frames);
            report.lost += std::mem::take(&mut self.lost);
            return Part { report: says_anything(&report).then_some(report), last, wrong: Vec::new() };
        }
        if self.alone_since.elapsed() < PATIENCE && self.socket.exists() {
            return Part::default();
        }
        let polling = self.polling.get_or_insert_with(|| {
            // Whoever comes back tells all that there is anew.
            self.told = Told::default();
            Polling::new(&self.proc)
        });
        let (mut report, wrong) = polling.take(now);
        if let Some(report) = &mut report {
            report.lost += std::mem::take(&mut self.lost);
        }
        Part { report, last: None, wrong }
    }

    /// A part is in the journal.
    pub(crate) fn kept(&self, part: &Part) {
        if let Some((stream, sequence)) = &part.last {
            self.frames.acknowledge(stream, *sequence);
        }
    }

    /// Frames that wait.
    pub(crate) fn waiting(&self) -> u64 {
        self.frames.waiting()
    }
}

fn says_anything(report: &Report) -> bool {
    report.begins || report.complete || !report.changes.is_empty() || report.lost + report.unseen > 0
}

#[cfg(test)]
mod tests;
