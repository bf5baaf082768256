//! Processes of the host, on their way to the collector: from procmond where there is one, else as the agent itself sees them.
//!
//! What procmond tells waits in memory within a bound, goes into a sample, and is acknowledged there when that sample is in the
//! agent's journal. The collector is given a list of all processes once; later lists are held against what it was told, and only what
//! differs is sent ([0111](../../../../docs/decisions/0111-frames-in-samples.md)).

mod connection;
mod frames;
mod polling;
mod told;

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use event::Timestamp;
use process::Report;

pub(crate) use connection::follow;
pub(crate) use frames::Frames;
use polling::Polling;
use told::Told;

/// So long is waited for procmond before the agent looks for itself.
const PATIENCE: Duration = Duration::from_secs(15);

/// Where processes are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Whether they are told at all.
    pub enabled: bool,
    /// Where procmond listens.
    pub socket: PathBuf,
}

/// What is told of processes.
pub(crate) struct Processes {
    frames: Arc<Frames>,
    told: Told,
    proc: PathBuf,
    polling: Option<Polling>,
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
    pub(crate) fn new(frames: Arc<Frames>, proc: PathBuf) -> Self {
        Self { frames, told: Told::default(), proc, polling: None, alone_since: Instant::now() }
    }

    /// What there is to tell now.
    pub(crate) fn take(&mut self, now: Timestamp) -> Part {
        let has_more = self.frames.is_waiting();
        if has_more || self.frames.is_connected() {
            self.alone_since = Instant::now();
            self.polling = None;
            let (report, last) = self.told.take(&self.frames);
            return Part { report: report.is_worth().then_some(report), last, wrong: Vec::new() };
        }
        if self.alone_since.elapsed() < PATIENCE {
            return Part::default();
        }
        let polling = self.polling.get_or_insert_with(|| {
            // Whoever comes back tells all that there is anew.
            self.told = Told::default();
            Polling::new(&self.proc)
        });
        let (report, wrong) = polling.take(now);
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

/// Whether a report says anything.
trait Worth {
    fn is_worth(&self) -> bool;
}

impl Worth for Report {
    fn is_worth(&self) -> bool {
        self.begins || self.complete || !self.changes.is_empty() || self.lost + self.unseen > 0
    }
}

#[cfg(test)]
mod tests;
