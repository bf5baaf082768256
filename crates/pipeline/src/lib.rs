//! The journal's reader: decode, template, score, index, commit. The file to read first.
//!
//! ```text
//! journal ──► records ──► events ──► templates, scores ──► index ──► commit: window, index, cursor
//!    ▲ end        decode         Analysis::analyze       Index::write      │
//!    └────────────────────────── segments behind the cursor go ◄───────────┘
//! ```
//! One thread does it all, in journal order, so that a verdict depends on nothing but the events
//! before it. A commit makes durable, in this order: the analysis' window as of a position, the
//! index up to that position, the cursor. A crash between any two of them repeats work and
//! nothing else: the window is kept under its position until the cursor has passed it, an index of
//! our own names the position it holds, and a remote one knows the ids of what it has.
//!
//! A remote index answers later than it is given something. The window of a position is then kept
//! until the index has everything before it, and only then does the cursor move there: while the
//! index is away the cursor stands still.
//!
//! This crate must never acknowledge anything, and must never skip an event because it is odd.

mod analysis;
pub mod backlog;
mod identity;
mod refill;
pub mod remote;
mod window;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use event::{Event, Position, Timestamp, codec};
use index::{Index, IndexError, live::Live};
use journal::{Journal, Records};
use telemetry::{health::Component, ledger, metric, task::Stop};
use tokio::sync::watch;
use tracing::{error, info, warn};

pub use analysis::Analysis;
use window::WindowFiles;

/// The name of the cursor that keeps the journal's segments until they are indexed.
pub const CURSOR: &str = "index";

/// How the reader goes about it.
#[derive(Debug, Clone)]
pub struct Config {
    /// How much of the journal is taken at once, in bytes: more amortises better, less shows sooner.
    pub read_bytes: usize,
    /// A commit is due after so many events: it bounds what a restart has to read again.
    pub commit_events: u64,
    /// A commit is due when nothing came for so long: it lets the journal shrink.
    pub commit_idle: Duration,
    /// A commit is due this long after the first event since the last one.
    pub commit_interval: Duration,
    /// How long to wait before trying again after the index failed.
    pub retry: Duration,
    /// How long a stop waits for the index to answer for what it was given.
    pub drain: Duration,
    /// Bytes of the newest events held for live tails.
    pub live_bytes_max: usize,
    /// Where the window is kept.
    pub window_dir: std::path::PathBuf,
}

/// Why the reader could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The journal gave nothing.
    #[error("cannot read the journal")]
    Journal(#[from] journal::ReadError),
    /// The cursor could not be opened.
    #[error("cannot open the journal's cursor '{CURSOR}'")]
    Cursor(#[from] journal::OpenError),
    /// The window could not be kept.
    #[error("cannot keep what scoring remembers in {path}; look at the disk and the rights on it")]
    Window {
        /// The file or folder.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The index failed in a way that trying again does not mend.
    #[error("the index failed")]
    Index(#[from] IndexError),
}

/// The reader, before it runs.
pub struct Pipeline {
    config: Config,
    journal: Journal,
    cursor: journal::Cursor,
    analysis: Analysis,
    index: Arc<dyn Index>,
    window: WindowFiles,
    written: watch::Receiver<Position>,
    live: Live,
    health: Component,
    position: Position,
    /// Where the journal stood at the start: what comes before it was received by an earlier process.
    inherited: Position,
    /// The index holds events of this journal from beyond that.
    is_ahead: bool,
    uncommitted: Option<Uncommitted>,
    /// The position whose window is kept and which the cursor takes once the index has got there.
    committing: Option<Position>,
    /// The latest position whose window was saved.
    saved: Position,
}

/// What was written since the last commit.
struct Uncommitted {
    since: Instant,
    last: Instant,
    events: u64,
}

/// What became of a read.
enum Step {
    /// Something was read; there may be more.
    Onward,
    /// There was nothing to read.
    Idle,
    /// The index takes nothing and the program is to stop; the journal keeps the rest.
    GivenUp,
}

impl Pipeline {
    /// Opens the cursor, finds where the index stands and brings the analysis to that point.
    ///
    /// # Errors
    /// When the cursor or the window's folder cannot be opened.
    pub fn open(
        config: Config,
        journal: Journal,
        analysis: Analysis,
        index: Arc<dyn Index>,
        health: Component,
    ) -> Result<Self, PipelineError> {
        let cursor = journal.cursor(CURSOR)?;
        let inherited = journal.end();
        let attached = identity::attach(&journal, index.as_ref(), cursor.position());
        let position = attached.position;
        let window = WindowFiles::open(&config.window_dir, journal.id())?;
        let loaded = window.load(position)?;
        let saved = loaded.as_ref().map_or(position, |(saved, _)| *saved);
        match loaded {
            Some((saved, snapshot)) => match analysis.restore(&snapshot) {
                Ok(()) if saved == position => info!(%position, "scoring goes on where the index stands"),
                Ok(()) => warn!(
                    %position, %saved,
                    "scoring has forgotten the last events before the stop, because the disk did not take what it \
                     remembered; stored events are safe"
                ),
                Err(error) => warn!(
                    %error,
                    "scoring begins anew, because it cannot read what it remembered of earlier events. Stored events \
                     are safe; scores are poorer for a while. A folder that was used with a separate anomaly service \
                     has no other memory; else restore the folder window from a backup"
                ),
            },
            None if position == Position::default() => {}
            None => warn!(
                %position,
                "scoring begins anew, because the folder window does not hold what it remembered of earlier events. \
                 Stored events are safe; scores are poorer for a while"
            ),
        }
        analysis.start(position);
        let live = Live::new(config.live_bytes_max);
        live.begin(position);
        Ok(Self {
            config,
            journal,
            cursor,
            analysis,
            written: index.written(),
            index,
            window,
            live,
            health,
            position,
            inherited,
            is_ahead: attached.is_ahead,
            uncommitted: None,
            committing: None,
            saved,
        })
    }

    /// What live tails watch.
    pub fn live(&self) -> Live {
        self.live.clone()
    }

    /// Reads until told to stop, then takes in what the journal holds and commits.
    ///
    /// # Errors
    /// When the journal or the index fails for good.
    pub async fn run(mut self, stop: Stop) -> Result<(), PipelineError> {
        let mut end = self.journal.watch_end();
        let mut written = self.written.clone();
        if !self.identify(&stop).await {
            return Ok(());
        }
        refill::refill(&self.journal, self.index.as_ref(), self.config.read_bytes, &stop).await;
        loop {
            end.borrow_and_update();
            written.borrow_and_update();
            match self.step(&stop).await? {
                Step::Onward => continue,
                Step::GivenUp => return self.finish().await,
                Step::Idle => {}
            }
            if stop.is_cancelled() {
                break;
            }
            let due = self.commit_due();
            tokio::select! {
                changed = end.changed() => if changed.is_err() { break },
                () = stop.cancelled() => {}
                Ok(()) = written.changed(), if self.committing.is_some() => {}
                () = tokio::time::sleep_until(due.into()), if self.uncommitted.is_some() => self.commit().await?,
            }
        }
        loop {
            match self.step(&stop).await? {
                Step::Onward => {}
                Step::Idle => break,
                Step::GivenUp => return self.finish().await,
            }
        }
        self.commit().await?;
        self.finish().await
    }

    /// Waits a while for the index to answer for what it was given, and moves the cursor there.
    async fn finish(&mut self) -> Result<(), PipelineError> {
        let Some(position) = self.committing else { return Ok(()) };
        let mut written = self.written.clone();
        let reached = written.wait_for(|written| *written >= position);
        match tokio::time::timeout(self.config.drain, reached).await {
            Ok(Ok(_)) => self.commit().await,
            _ => {
                warn!("the index has not answered for everything; the journal keeps it for the next start");
                Ok(())
            }
        }
    }

    /// One read.
    async fn step(&mut self, stop: &Stop) -> Result<Step, PipelineError> {
        let records = match self.journal.read(self.position, self.config.read_bytes) {
            Ok(records) => records,
            Err(failure) => {
                error!(
                    error = &failure as &dyn std::error::Error,
                    "the journal could not be read; trying again"
                );
                self.health.degraded("the journal cannot be read at present");
                // A stop does not wait for a disk that may never answer.
                let waited = stop.run_until_cancelled(tokio::time::sleep(self.config.retry)).await;
                return Ok(if waited.is_some() { Step::Onward } else { Step::Idle });
            }
        };
        if records.damaged() > 0 {
            metrics::counter!(metric::JOURNAL_DAMAGED_RECORDS).increment(records.damaged());
            ledger::dropped("damaged", records.damaged());
            if self.position < self.inherited {
                ledger::received(records.damaged());
            }
            error!(
                damaged = records.damaged(),
                from = %self.position,
                to = %records.end(),
                "damaged journal records were set aside; journal/quarantine keeps their bytes where there was room"
            );
        }
        let idle = records.is_empty() && records.end() == self.position;
        if !idle && !self.take_in(&records, stop).await? {
            return Ok(Step::GivenUp);
        }
        let full = self.uncommitted.as_ref().is_some_and(|since| since.events >= self.config.commit_events);
        let due = self.uncommitted.is_some() && self.commit_due() <= Instant::now();
        let reached = self.committing.is_some_and(|position| *self.written.borrow() >= position);
        if full || due || reached {
            self.commit().await?;
        }
        Ok(if idle { Step::Idle } else { Step::Onward })
    }

    /// Analyses records and gives them to the index; false when that takes nothing and the program
    /// is to stop.
    async fn take_in(&mut self, records: &Records, stop: &Stop) -> Result<bool, PipelineError> {
        self.renew_if_collided().await;
        let identity = self.journal.identity();
        let events: Vec<_> =
            records.iter().map(|(position, record)| (identity.event(position), decode(record))).collect();
        let count = events.len() as u64;
        let inherited = events.iter().filter(|(id, _)| id.position < self.inherited).count();
        ledger::received(inherited as u64);
        let batch = self.analysis.analyze(events, records.end()).await;
        while let Err(error) = self.index.write(&batch).await {
            if matches!(error, IndexError::Poisoned) {
                return Err(error.into());
            }
            if stop.is_cancelled() {
                // The analysis has learned what the index does not have: its window is not kept.
                return Ok(false);
            }
            if matches!(error, IndexError::Busy { .. }) {
                continue;
            }
            error!(error = &error as &dyn std::error::Error, "the index took nothing; trying again");
            self.health.degraded("the index takes nothing at present; the journal keeps the events");
            // Whoever waits to stop must not wait for this.
            let _: Option<()> = stop.run_until_cancelled(tokio::time::sleep(self.config.retry)).await;
        }
        self.position = records.end();
        let now = Instant::now();
        let since = self.uncommitted.get_or_insert(Uncommitted { since: now, last: now, events: 0 });
        since.last = now;
        since.events += count;
        let anomalies = batch.events.iter().filter(|event| event.verdict.is_anomaly).count();
        metrics::counter!(metric::ANOMALIES).increment(anomalies as u64);
        self.live.push(batch.events, records.end());
        Ok(true)
    }

    /// When the next commit is due, given that something is uncommitted.
    fn commit_due(&self) -> Instant {
        match &self.uncommitted {
            Some(since) => {
                (since.last + self.config.commit_idle).min(since.since + self.config.commit_interval)
            }
            None => Instant::now() + self.config.commit_interval,
        }
    }

    /// Commits as far as the index has answered. A full disk or a file that cannot be written now is
    /// no end: the journal keeps the events, and the next commit tries again.
    async fn commit(&mut self) -> Result<(), PipelineError> {
        let Err(failure) = self.try_commit().await else {
            self.health.ok();
            return Ok(());
        };
        if matches!(failure, PipelineError::Index(IndexError::Poisoned)) {
            return Err(failure);
        }
        error!(error = &failure as &dyn std::error::Error, "could not commit; the journal keeps the events");
        self.health.degraded("the index could not be made durable; the journal keeps the events");
        // Due again later, also when nothing else comes.
        let now = Instant::now();
        self.uncommitted = Some(Uncommitted { since: now, last: now, events: 0 });
        Ok(())
    }

    async fn try_commit(&mut self) -> Result<(), PipelineError> {
        if self.committing.is_some() {
            self.settle().await?;
        }
        if self.committing.is_some() {
            // The index is still at it. Asked again when it has moved, or when the next one is due.
            if let Some(uncommitted) = &mut self.uncommitted {
                let now = Instant::now();
                (uncommitted.since, uncommitted.last, uncommitted.events) = (now, now, 0);
            }
            return Ok(());
        }
        // Without its window the analysis goes on from an older one after a restart. That is no reason to keep
        // the journal's disk, which may be what the window lacks.
        if self.uncommitted.take().is_some() {
            match self.window.save(self.position, &self.analysis.snapshot()) {
                Ok(()) => self.saved = self.position,
                Err(failure) => {
                    metrics::counter!(metric::FAILED_WINDOW_SAVES).increment(1);
                    warn!(
                        error = &failure as &dyn std::error::Error,
                        "what scoring remembers could not be saved, and the next commit tries again; look at the disk"
                    );
                }
            }
        }
        self.committing = Some(self.position);
        self.settle().await
    }

    /// Makes the index durable and moves the cursor, if the index has got so far.
    async fn settle(&mut self) -> Result<(), PipelineError> {
        let durable = self.index.commit().await?;
        if let Some(position) = self.committing.filter(|position| durable >= *position) {
            self.cursor.commit(position)?;
            self.analysis.commit(position);
            self.window.keep_only(self.saved.min(position));
            self.committing = None;
        }
        Ok(())
    }
}

/// The event of a record. One that does not decode (written by a later version, say) becomes an
/// event that says so, because what was acknowledged is never dropped.
fn decode(record: &[u8]) -> Event<'_> {
    codec::decode(record).unwrap_or_else(|error| {
        let mut event = Event::new(format!("log record could not be read: {error}"), Timestamp::MIN);
        event.set("labels.record", record.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        event.severity = event::Severity::Error;
        event
    })
}
