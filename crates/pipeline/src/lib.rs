//! The journal's reader: decode, template, score, index, commit. The file to read first.
//!
//! ```text
//! journal ──► records ──► events ──► templates, scores ──► index ──► commit: index, window, cursor
//!    ▲ end        decode    anomaly::Service::analyze    Index::write      │
//!    └────────────────────────── segments behind the cursor go ◄───────────┘
//! ```
//! One thread does it all, in journal order, so that a verdict depends on nothing but the events
//! before it. A commit makes durable, in this order: the analysis' window as of a position, the
//! index up to that position, the cursor. A crash between any two of them repeats work and
//! nothing else: the index names the position it holds, the window is kept under its position, and
//! the cursor only decides what the journal may delete.
//!
//! This crate must never acknowledge anything, and must never skip an event because it is odd.

mod window;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use event::{Analyzed, Event, EventId, Position, Timestamp, codec};
use index::{Index, IndexError};
use journal::{Journal, Records};
use telemetry::{health::Component, ledger, metric, task::Stop};
use tokio::sync::{broadcast, watch};
use tracing::{error, info, warn};

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
    /// Where the window is kept.
    pub window_dir: std::path::PathBuf,
}

/// What live tails are fed with: every analysed event, one message each.
pub type LiveEvents = broadcast::Sender<Arc<Analyzed<'static>>>;

/// Events that a live tail may lag behind before it is told that it missed some.
const LIVE_EVENTS_MAX: usize = 8192;

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
    #[error("cannot keep the analysis' window in {path}")]
    Window {
        /// The file or folder.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Segments of the journal went missing.
    #[error(
        "the index holds events up to {index}, but the journal ends at {journal}: its files were removed or restored. \
         Move the journal and cursors folders away, and a new journal begins; nothing of the index is lost"
    )]
    Ahead {
        /// Where the index stands.
        index: Position,
        /// Where the journal ends.
        journal: Position,
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
    anomaly: Arc<anomaly::Service>,
    index: Arc<dyn Index>,
    window: WindowFiles,
    written: watch::Sender<Position>,
    live: LiveEvents,
    health: Component,
    position: Position,
    /// Where the journal stood at the start: what comes before it was received by an earlier process.
    inherited: Position,
    uncommitted: Option<Uncommitted>,
}

/// What was written since the last commit.
struct Uncommitted {
    since: Instant,
    last: Instant,
    events: u64,
}

impl Pipeline {
    /// Opens the cursor, finds where the index stands and brings the analysis to that point.
    ///
    /// # Errors
    /// When the cursor or the window's folder cannot be opened.
    pub fn open(
        config: Config,
        journal: Journal,
        anomaly: Arc<anomaly::Service>,
        index: Arc<dyn Index>,
        health: Component,
    ) -> Result<Self, PipelineError> {
        let cursor = journal.cursor(CURSOR)?;
        let position = index.committed(journal.id());
        if position > journal.end() {
            return Err(PipelineError::Ahead { index: position, journal: journal.end() });
        }
        let window = WindowFiles::open(&config.window_dir, journal.id())?;
        match window.load(position)? {
            Some(snapshot) => match anomaly.restore(&snapshot) {
                Ok(()) => info!(%position, "analysis goes on where the index stands"),
                Err(error) => warn!(%error, "the analysis' window is unusable and starts anew"),
            },
            None if position == Position::default() => {}
            None => warn!(%position, "the analysis' window for this position is gone; it starts anew"),
        }
        let (live, _) = broadcast::channel(LIVE_EVENTS_MAX);
        let (written, _) = watch::channel(position);
        let inherited = journal.end();
        Ok(Self {
            config,
            journal,
            cursor,
            anomaly,
            index,
            window,
            written,
            live,
            health,
            position,
            inherited,
            uncommitted: None,
        })
    }

    /// Behind the last searchable event.
    pub fn watch_written(&self) -> watch::Receiver<Position> {
        self.written.subscribe()
    }

    /// Where live tails subscribe.
    pub fn live(&self) -> LiveEvents {
        self.live.clone()
    }

    /// Reads until told to stop, then takes in what the journal holds and commits.
    ///
    /// # Errors
    /// When the journal or the index fails for good.
    pub async fn run(mut self, stop: Stop) -> Result<(), PipelineError> {
        let mut end = self.journal.watch_end();
        loop {
            end.borrow_and_update();
            if self.step().await? {
                continue;
            }
            if stop.is_cancelled() {
                break;
            }
            let due = self.commit_due();
            tokio::select! {
                changed = end.changed() => if changed.is_err() { break },
                () = stop.cancelled() => {}
                () = tokio::time::sleep_until(due.into()), if self.uncommitted.is_some() => self.commit().await?,
            }
        }
        while self.step().await? {}
        self.commit().await
    }

    /// One read; false when there was nothing to read.
    async fn step(&mut self) -> Result<bool, PipelineError> {
        let records = match self.journal.read(self.position, self.config.read_bytes) {
            Ok(records) => records,
            Err(failure) => {
                error!(
                    error = &failure as &dyn std::error::Error,
                    "the journal could not be read; trying again"
                );
                self.health.degraded("the journal cannot be read at present");
                tokio::time::sleep(self.config.retry).await;
                return Ok(true);
            }
        };
        if records.damaged() > 0 {
            metrics::counter!(metric::JOURNAL_DAMAGED_RECORDS).increment(records.damaged());
            ledger::dropped("damaged", records.damaged());
            if self.position < self.inherited {
                ledger::received(records.damaged());
            }
            error!(damaged = records.damaged(), "damaged journal records were set aside");
        }
        if records.is_empty() && records.end() == self.position {
            return Ok(false);
        }
        self.take_in(&records).await?;
        let full = self.uncommitted.as_ref().is_some_and(|since| since.events >= self.config.commit_events);
        if full || (self.uncommitted.is_some() && self.commit_due() <= Instant::now()) {
            self.commit().await?;
        }
        Ok(true)
    }

    async fn take_in(&mut self, records: &Records) -> Result<(), PipelineError> {
        let journal = self.journal.id();
        let events: Vec<_> = records
            .iter()
            .map(|(position, record)| (EventId { journal, position }, decode(record)))
            .collect();
        let count = events.len() as u64;
        let inherited = events.iter().filter(|(id, _)| id.position < self.inherited).count();
        ledger::received(inherited as u64);
        let batch = self.anomaly.analyze(events, records.end());
        while let Err(error) = self.index.write(&batch).await {
            if matches!(error, IndexError::Poisoned) {
                return Err(error.into());
            }
            error!(error = &error as &dyn std::error::Error, "the index took nothing; trying again");
            self.health.degraded("the index takes nothing at present; the journal keeps the events");
            tokio::time::sleep(self.config.retry).await;
        }
        self.position = records.end();
        let now = Instant::now();
        let since = self.uncommitted.get_or_insert(Uncommitted { since: now, last: now, events: 0 });
        since.last = now;
        since.events += count;
        let anomalies = batch.events.iter().filter(|event| event.verdict.is_anomaly).count();
        ledger::stored(count);
        metrics::counter!(metric::ANOMALIES).increment(anomalies as u64);
        self.written.send_replace(self.position);
        if self.live.receiver_count() > 0 {
            for event in batch.events {
                // No receiver any more is no error: a tail may end at any time.
                drop(self.live.send(Arc::new(event.into_owned())));
            }
        }
        Ok(())
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

    /// Commits. A full disk or a file that cannot be written now is no end: the journal keeps the
    /// events, and the next commit tries again.
    async fn commit(&mut self) -> Result<(), PipelineError> {
        let Err(failure) = self.try_commit().await else {
            self.uncommitted = None;
            self.health.ok();
            return Ok(());
        };
        if matches!(failure, PipelineError::Index(IndexError::Poisoned)) {
            return Err(failure);
        }
        error!(error = &failure as &dyn std::error::Error, "could not commit; the journal keeps the events");
        self.health.degraded("the index could not be made durable; the journal keeps the events");
        let now = Instant::now();
        if let Some(uncommitted) = &mut self.uncommitted {
            *uncommitted = Uncommitted { since: now, last: now, events: 0 };
        }
        Ok(())
    }

    async fn try_commit(&mut self) -> Result<(), PipelineError> {
        // Without its window the analysis starts anew after a restart. That is no reason to keep the
        // journal's disk, which may be what the window lacks.
        if self.uncommitted.is_some()
            && let Err(failure) = self.window.save(self.position, &self.anomaly.snapshot())
        {
            warn!(error = &failure as &dyn std::error::Error, "the analysis' window could not be kept");
        }
        let durable = self.index.commit().await?;
        self.window.keep_only(durable);
        self.cursor.commit(durable)?;
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
