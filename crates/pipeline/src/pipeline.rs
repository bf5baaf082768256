//! The analysis, and what stands beside it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use event::{Batch, Position};
use index::{Index, IndexError, live::Live};
use journal::{Journal, Records};
use telemetry::{
    health::{Component, Health},
    metric,
    task::Stop,
};
use tracing::{error, info, warn};
use verdicts::Verdicts;

use crate::{
    analysis::Analysis,
    config::{CURSOR, Config},
    detection::{Detection, Detector},
    error::PipelineError,
    identity,
    indexing::{CatchUp, Given, Indexing, Meeting},
    records::events_of,
    snapshots::Snapshots,
};

/// Detection is told that time goes by so often.
const TICK: Duration = Duration::from_secs(1);
/// A commit is due when so many bytes of verdicts are held in memory.
const HELD_BYTES: usize = 8 << 20;

/// What the readers are made of.
pub struct Parts {
    /// Where events come from.
    pub journal: Journal,
    /// Where templates and verdicts come from.
    pub analysis: Analysis,
    /// What waits for readers that are behind.
    pub verdicts: Verdicts,
    /// Where analysed events go.
    pub index: Arc<dyn Index>,
    /// What looks at them on the way.
    pub detector: Option<Box<dyn Detector>>,
    /// What tells how they are.
    pub health: Health,
}

/// Analysis, and the readers that stand beside it, before they run.
pub struct Pipeline {
    config: Config,
    journal: Journal,
    analysis: Analysis,
    verdicts: Verdicts,
    snapshots: Snapshots,
    detection: Option<Detection>,
    live: Live,
    health: Component,
    position: Position,
    /// None while it is behind.
    indexing: Option<Box<Indexing>>,
    meeting: Meeting,
    uncommitted: Option<Uncommitted>,
    /// The place of the latest commit, until the index has answered for everything before it.
    unanswered: Option<Position>,
}

/// What was analysed since the last commit.
struct Uncommitted {
    since: Instant,
    last: Instant,
    events: u64,
}

impl Pipeline {
    /// Finds where the index stands, and from where the analysis goes on. [`CatchUp`] is to be run
    /// beside it.
    ///
    /// # Errors
    /// When the cursor or the snapshots' folder cannot be opened.
    pub fn open(config: Config, parts: Parts) -> Result<(Self, CatchUp), PipelineError> {
        let Parts { journal, analysis, verdicts, index, detector, health } = parts;
        let cursor = journal.cursor(CURSOR)?;
        let attached = identity::attach(&journal, index.as_ref(), cursor.position());
        let snapshots = Snapshots::open(&config.window_dir, journal.id())?;
        let waiting = health.component("verdicts");
        if !verdicts.damage().is_empty() {
            waiting.degraded(format!(
                "verdicts of events that wait for the index are lost, and are given again where that is possible: {}",
                verdicts.damage().join("; ")
            ));
        }
        let memory = health.component("window");
        let reach = verdicts.covered(attached.position);
        let position = restore(&analysis, &snapshots, &memory, attached.position, reach)?;
        verdicts.begin(position);
        analysis.start(position);
        let live = Live::new(config.live_bytes_max);
        live.begin(position);
        let indexing = Indexing::new(
            (&journal, cursor),
            (&index, attached),
            &verdicts,
            health.component("index"),
            &config,
        );
        let (catch_up, meeting) = CatchUp::new(indexing, position);
        let detection = detector.map(|detector| Detection::new(detector, health.component("detection")));
        let pipeline = Self {
            config,
            journal,
            analysis,
            verdicts,
            snapshots,
            detection,
            live,
            health: health.component("analysis"),
            position,
            indexing: None,
            meeting,
            uncommitted: None,
            unanswered: None,
        };
        Ok((pipeline, catch_up))
    }

    /// What live tails watch.
    pub fn live(&self) -> Live {
        self.live.clone()
    }

    /// Reads until told to stop, then takes in what the journal holds and commits.
    ///
    /// # Errors
    /// When the index fails for good.
    pub async fn run(mut self, stop: Stop) -> Result<(), PipelineError> {
        self.bring_detection_up();
        let mut end = self.journal.watch_end();
        let mut tick = Instant::now() + TICK;
        loop {
            end.borrow_and_update();
            if tick <= Instant::now() {
                self.tick();
                tick = Instant::now() + TICK;
            }
            if self.step(&stop).await? {
                continue;
            }
            if stop.is_cancelled() {
                break;
            }
            let due = self.commit_due();
            let mut written = self.indexing.as_ref().map(|indexing| indexing.written());
            let answers = async {
                match (&mut written, self.unanswered) {
                    (Some(written), Some(position)) => drop(written.wait_for(|at| *at >= position).await),
                    _ => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = end.changed() => if changed.is_err() { break },
                () = stop.cancelled() => {}
                () = answers => self.settle().await?,
                Some(indexing) = self.meeting.beside.recv() => self.stand_beside(indexing).await?,
                () = tokio::time::sleep_until(due.into()), if self.uncommitted.is_some() => self.commit(false).await?,
                () = tokio::time::sleep_until(tick.into()), if self.detection.is_some() => {}
            }
        }
        while self.step(&stop).await? {}
        self.finish().await
    }

    /// Commits for the last time, and waits a while for the index to answer for what it was given.
    async fn finish(&mut self) -> Result<(), PipelineError> {
        self.meeting.beside.close();
        if let Ok(indexing) = self.meeting.beside.try_recv() {
            self.stand_beside(indexing).await?;
        }
        self.commit(true).await?;
        let (Some(indexing), Some(position)) = (&self.indexing, self.unanswered) else { return Ok(()) };
        let mut written = indexing.written();
        let reached = written.wait_for(|written| *written >= position);
        if tokio::time::timeout(self.config.drain, reached).await.is_err() {
            warn!("the index has not answered for everything; the journal keeps it for the next start");
        }
        self.settle().await
    }

    /// One read; false when there was nothing.
    async fn step(&mut self, stop: &Stop) -> Result<bool, PipelineError> {
        if let Ok(indexing) = self.meeting.beside.try_recv() {
            self.stand_beside(indexing).await?;
        }
        if let Some(indexing) = &self.indexing {
            indexing.pair().renew_if_collided(self.position).await;
        }
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
                return Ok(waited.is_some());
            }
        };
        self.health.ok();
        let idle = records.is_empty() && records.end() == self.position;
        if !idle {
            self.take_in(&records).await?;
        }
        let full = self.uncommitted.as_ref().is_some_and(|since| {
            since.events >= self.config.commit_events || self.verdicts.held_bytes() > HELD_BYTES
        });
        let due = self.uncommitted.is_some() && self.commit_due() <= Instant::now();
        if full || due {
            self.commit(false).await?;
        } else if let (Some(indexing), Some(position)) = (&self.indexing, self.unanswered)
            && indexing.has_written(position)
        {
            self.settle().await?;
        }
        Ok(!idle)
    }

    /// Analyses records and hands them on to whoever stands beside.
    async fn take_in(&mut self, records: &Records) -> Result<(), PipelineError> {
        let events = events_of(&self.journal, records);
        let count = events.len() as u64;
        let (start, end) = (self.position, records.end());
        let batch = self.analysis.analyze(events, end).await;
        let anomalies = batch.events.iter().filter(|event| event.verdict.is_anomaly).count();
        metrics::counter!(metric::ANOMALIES).increment(anomalies as u64);
        if let Some(detection) = &mut self.detection {
            detection.see((&self.journal, &self.verdicts), start, &batch);
        }
        self.hand_on(start, &batch, records.damaged()).await?;
        self.position = end;
        self.meeting.analysed.send_modify(|analysed| analysed.to = end);
        self.fall_behind_if_refused(end).await;
        self.live.push(batch.events, end);
        let now = Instant::now();
        let since = self.uncommitted.get_or_insert(Uncommitted { since: now, last: now, events: 0 });
        since.last = now;
        since.events += count;
        Ok(())
    }

    /// Gives the index a batch, and holds what was said of it as long as the index may not have it.
    async fn hand_on(
        &mut self,
        start: Position,
        batch: &Batch<'_>,
        damaged: u64,
    ) -> Result<(), PipelineError> {
        if let Some(indexing) = &mut self.indexing
            && indexing.give(batch, damaged).await? == Given::Taken
            && indexing.has_written(batch.end)
        {
            return Ok(());
        }
        self.verdicts.hold(start, batch);
        Ok(())
    }

    /// Sends indexing off to catch up when it was not given everything.
    async fn fall_behind_if_refused(&mut self, end: Position) {
        if let Some(indexing) = self.indexing.take_if(|indexing| indexing.position() < end) {
            self.unanswered = None;
            // The other side holds none, so there is room; it is gone only when the program stops.
            drop(self.meeting.behind.send(indexing).await);
        }
    }

    /// Lets indexing that has come up stand beside the analysis, once it has what little it still lacks.
    async fn stand_beside(&mut self, mut indexing: Box<Indexing>) -> Result<(), PipelineError> {
        match indexing.catch_up(self.position).await {
            Ok(_) => {}
            Err(failure @ PipelineError::Index(_)) => return Err(failure),
            Err(failure) => {
                warn!(error = &failure as &dyn std::error::Error, "the index cannot come up yet");
            }
        }
        self.indexing = Some(indexing);
        self.fall_behind_if_refused(self.position).await;
        Ok(())
    }

    /// Tells detection that time goes by.
    fn tick(&mut self) {
        self.bring_detection_up();
        if let Some(detection) = &mut self.detection {
            detection.tick();
        }
    }

    /// Lets detection see what it has not seen before it was stopped.
    fn bring_detection_up(&mut self) {
        if let Some(detection) = &mut self.detection {
            detection.catch_up(&self.journal, &self.verdicts, self.position, self.config.read_bytes);
        }
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

    /// Commits. A full disk or a file that cannot be written now is no end: the journal keeps the events,
    /// and the next commit tries again.
    async fn commit(&mut self, is_last: bool) -> Result<(), PipelineError> {
        let is_due = self.uncommitted.take().is_some();
        if let Some(detection) = self.detection.as_mut().filter(|_| is_due || is_last) {
            detection.commit(&self.verdicts, is_last);
        }
        if is_due {
            self.save();
        }
        self.meeting.analysed.send_modify(|analysed| analysed.saved = self.position);
        self.unanswered = self.indexing.is_some().then_some(self.position);
        self.settle().await
    }

    /// Keeps verdicts that the index lacks, and a snapshot. Without them the analysis goes on from an older one
    /// after a restart: that is no reason to keep the journal's disk, which may be what they lack.
    fn save(&self) {
        if let Err(failure) = self.verdicts.keep() {
            warn!(error = &failure as &dyn std::error::Error, "what waits for the index could not be kept");
        }
        if let Err(failure) = self.snapshots.save(self.position, &self.analysis.snapshot()) {
            metrics::counter!(metric::FAILED_WINDOW_SAVES).increment(1);
            warn!(
                error = &failure as &dyn std::error::Error,
                "what scoring remembers could not be saved, and the next commit tries again; look at the disk"
            );
        }
    }

    /// Makes the index durable as far as it has answered, and moves its cursor.
    async fn settle(&mut self) -> Result<(), PipelineError> {
        let Some(indexing) = &mut self.indexing else {
            let indexed = self.verdicts.start();
            self.analysis.commit(indexed);
            self.snapshots.keep_for(self.verdicts.covered(indexed));
            return Ok(());
        };
        match indexing.commit(self.meeting.analysed.borrow().saved).await {
            Ok(durable) => {
                indexing.health.ok();
                self.analysis.commit(durable);
                self.snapshots.keep_for(self.verdicts.covered(durable));
                self.unanswered = self.unanswered.filter(|position| durable < *position);
                return Ok(());
            }
            Err(failure @ PipelineError::Index(IndexError::Poisoned)) => return Err(failure),
            Err(failure) => {
                error!(
                    error = &failure as &dyn std::error::Error,
                    "could not commit; the journal keeps the events"
                );
                indexing.health.degraded("the index could not be made durable; the journal keeps the events");
            }
        }
        // Due again later, also when nothing else comes.
        let now = Instant::now();
        self.uncommitted = Some(Uncommitted { since: now, last: now, events: 0 });
        self.unanswered = None;
        Ok(())
    }
}

/// Lets the analysis go on from the latest snapshot up to `reach`, the place up to which there are verdicts, and says
/// where it begins: not before `indexed`, for the index has what came before with its verdicts. Without a snapshot of
/// that time it begins anew at `reach`, so that no verdict is given twice, and `memory` tells why.
fn restore(
    analysis: &Analysis,
    snapshots: &Snapshots,
    memory: &Component,
    indexed: Position,
    reach: Position,
) -> Result<Position, PipelineError> {
    let Some((saved, snapshot)) = snapshots.load(reach)? else {
        if reach > Position::default() {
            memory.degraded(
                "scoring begins anew, because the folder window does not hold what it remembered of earlier events. \
                 Stored events are safe; scores are poorer for a while",
            );
        }
        return Ok(reach);
    };
    match analysis.restore(&snapshot) {
        Ok(()) if saved >= indexed => {
            info!(position = %saved, %indexed, "scoring goes on where it stood");
            Ok(saved)
        }
        Ok(()) => {
            memory.degraded(
                "scoring has forgotten the last events before the stop, because the disk did not take what it \
                 remembered, or lost it; stored events are safe",
            );
            Ok(reach)
        }
        Err(error) => {
            memory.degraded(format!(
                "scoring begins anew, because it cannot read what it remembered of earlier events ({error}). Stored \
                 events are safe; scores are poorer for a while. A folder that was used with a separate anomaly service \
                 has no other memory; else restore the folder window from a backup"
            ));
            Ok(reach)
        }
    }
}
