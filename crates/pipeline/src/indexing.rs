//! The reader that brings analysed events to the index. It has a cursor of its own, which keeps the
//! journal's segments until they are indexed.
//!
//! Where it stands beside the analysis it is given each batch as that comes. When the index takes
//! nothing at once, it falls behind: [`CatchUp`], on a thread of its own, then reads the journal and
//! the verdicts that were kept, until it has come up with the analysis and stands beside it again.
//! The analysis never waits for it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use event::{Batch, Position};
use index::{Index, IndexError};
use journal::{Cursor, Journal};
use telemetry::{health::Component, ledger, metric, task::Stop};
use tokio::sync::{mpsc, watch};
use tracing::{error, info, warn};
use verdicts::Verdicts;

use crate::{
    config::Config,
    error::PipelineError,
    identity::{Attached, Pair},
    records::{judged, passed},
    refill,
};

/// Its name among the readers of verdicts.
const READER: &str = "indexing";
/// While it catches up it makes durable so often where it stands.
const COMMIT_EVERY: Duration = Duration::from_secs(5);

/// The reader, wherever it stands.
pub(crate) struct Indexing {
    journal: Journal,
    index: Arc<dyn Index>,
    pub(crate) health: Component,
    retry: Duration,
    verdicts: Verdicts,
    cursor: Cursor,
    read_bytes: usize,
    /// Behind the last event that the index was given.
    position: Position,
    attached: Attached,
    written: watch::Receiver<Position>,
}

/// What became of a batch that the index was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given {
    Taken,
    /// Not now.
    Refused,
}

impl Indexing {
    pub(crate) fn new(
        (journal, cursor): (&Journal, Cursor),
        (index, attached): (&Arc<dyn Index>, Attached),
        verdicts: &Verdicts,
        health: Component,
        config: &Config,
    ) -> Self {
        // From here on verdicts are needed.
        passed(verdicts, READER, attached.position);
        Self {
            journal: journal.clone(),
            index: Arc::clone(index),
            health,
            retry: config.retry,
            verdicts: verdicts.clone(),
            cursor,
            read_bytes: config.read_bytes,
            position: attached.position,
            attached,
            written: index.written(),
        }
    }

    /// The journal and the index, whose ids must agree.
    pub(crate) fn pair(&self) -> Pair<'_> {
        let Self { journal, index, health, retry, .. } = self;
        Pair { journal, index: index.as_ref(), health, retry: *retry }
    }

    /// Behind the last event that the index was given.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// What moves when the index has answered for more.
    pub(crate) fn written(&self) -> watch::Receiver<Position> {
        self.written.clone()
    }

    /// Whether the index has answered for everything before a position.
    pub(crate) fn has_written(&self, position: Position) -> bool {
        *self.written.borrow() >= position
    }

    /// Gives the index a batch that begins where the last one ended, once.
    pub(crate) async fn give(&mut self, batch: &Batch<'_>, damaged: u64) -> Result<Given, PipelineError> {
        match self.index.write(batch).await {
            Ok(()) => {}
            Err(IndexError::Poisoned) => return Err(IndexError::Poisoned.into()),
            // A matter of pace, no fault.
            Err(IndexError::Busy { .. }) => return Ok(Given::Refused),
            Err(error) => {
                error!(error = &error as &dyn std::error::Error, "the index took nothing; trying again");
                self.health.degraded("the index takes nothing at present; the journal keeps the events");
                return Ok(Given::Refused);
            }
        }
        let is_inherited = |position| position < self.attached.inherited;
        let inherited = batch.events.iter().filter(|event| is_inherited(event.id.position)).count() as u64;
        ledger::received(inherited);
        if damaged > 0 {
            metrics::counter!(metric::JOURNAL_DAMAGED_RECORDS).increment(damaged);
            ledger::dropped("damaged", damaged);
            if is_inherited(self.position) {
                ledger::received(damaged);
            }
            error!(
                damaged,
                from = %self.position,
                to = %batch.end,
                "damaged journal records were set aside; journal/quarantine keeps their bytes where there was room"
            );
        }
        self.position = batch.end;
        Ok(Given::Taken)
    }

    /// Makes the index durable and moves the cursor as far as it has answered, and not beyond the place whose
    /// snapshot is saved: a start goes on where the index stands, and the analysis must have been there.
    /// Gives the cursor's place.
    pub(crate) async fn commit(&mut self, saved: Position) -> Result<Position, PipelineError> {
        if self.position > saved && !self.index.answers_later() {
            return Ok(self.cursor.position());
        }
        let durable = self.index.commit().await?.min(self.position).min(saved);
        self.cursor.commit(durable)?;
        passed(&self.verdicts, READER, durable);
        Ok(durable)
    }

    /// Before the first event is given: finds out whether the journal is a copy, and restores what
    /// was lost; false when the program is to stop first.
    async fn begin(&mut self, stop: &Stop) -> bool {
        if !self.pair().identify(&self.attached, stop).await {
            return false;
        }
        refill::refill(&self.journal, self.index.as_ref(), self.read_bytes, stop).await;
        true
    }

    /// Gives the index what it lacks before a position, as long as it takes it. True when it has it all.
    pub(crate) async fn catch_up(&mut self, target: Position) -> Result<bool, PipelineError> {
        while self.position < target {
            if !self.read_on(target).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// One read of the journal and of the verdicts; false when the index took nothing.
    async fn read_on(&mut self, target: Position) -> Result<bool, PipelineError> {
        let records = self.journal.read(self.position, self.read_bytes)?;
        self.pair().renew_if_collided(self.position).await;
        let (batch, unknown) = judged(&self.journal, &self.verdicts, &records, target);
        metrics::counter!(metric::UNJOINED_EVENTS).increment(unknown);
        // Nothing to read, though the analysis has passed it: damage that was cut off.
        let end = if batch.end <= self.position { target } else { batch.end };
        let batch = Batch { end, ..batch };
        Ok(self.give(&batch, records.damaged()).await? == Given::Taken)
    }
}

/// Where the analysis stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Analysed {
    /// Behind the last event that it has looked at.
    pub(crate) to: Position,
    /// The latest place whose snapshot was saved, or could not be.
    pub(crate) saved: Position,
}

/// Where the analysis and a reader that has fallen behind find each other.
pub(crate) struct Meeting {
    /// To whoever catches up.
    pub(crate) behind: mpsc::Sender<Box<Indexing>>,
    /// Back beside the analysis.
    pub(crate) beside: mpsc::Receiver<Box<Indexing>>,
    /// Where the analysis stands.
    pub(crate) analysed: watch::Sender<Analysed>,
}

/// Catches up while the index is behind the analysis. Computes at times: give it a thread of its own.
pub struct CatchUp {
    begins: Option<Box<Indexing>>,
    behind: mpsc::Receiver<Box<Indexing>>,
    beside: mpsc::Sender<Box<Indexing>>,
    analysed: watch::Receiver<Analysed>,
    prepared: Option<watch::Receiver<bool>>,
}

impl CatchUp {
    pub(crate) fn new(indexing: Indexing, analysed: Position) -> (Self, Meeting) {
        let (behind, to_behind) = mpsc::channel(1);
        let (to_beside, beside) = mpsc::channel(1);
        let analysed = watch::Sender::new(Analysed { to: analysed, saved: analysed });
        let catch_up = Self {
            begins: Some(Box::new(indexing)),
            behind: to_behind,
            beside: to_beside,
            analysed: analysed.subscribe(),
            prepared: None,
        };
        (catch_up, Meeting { behind, beside, analysed })
    }

    /// Gives the index nothing before this becomes true.
    #[must_use]
    pub fn when(self, prepared: watch::Receiver<bool>) -> Self {
        Self { prepared: Some(prepared), ..self }
    }

    /// Runs until told to stop.
    ///
    /// # Errors
    /// When the index fails for good.
    pub async fn run(mut self, stop: Stop) -> Result<(), PipelineError> {
        if let Some(mut indexing) = self.begins.take() {
            let prepared = async {
                match &mut self.prepared {
                    Some(prepared) => prepared.wait_for(|prepared| *prepared).await.is_ok(),
                    None => true,
                }
            };
            if stop.run_until_cancelled(prepared).await != Some(true) || !indexing.begin(&stop).await {
                return Ok(());
            }
            self.bring_back(indexing, &stop).await?;
        }
        loop {
            match stop.run_until_cancelled(self.behind.recv()).await {
                Some(Some(indexing)) => self.bring_back(indexing, &stop).await?,
                _ => return Ok(()),
            }
        }
    }

    /// Catches up until the reader can stand beside the analysis, and sends it there.
    async fn bring_back(&mut self, mut indexing: Box<Indexing>, stop: &Stop) -> Result<(), PipelineError> {
        let mut committed_at = Instant::now();
        loop {
            let Analysed { to: target, saved } = *self.analysed.borrow();
            if indexing.position >= target {
                indexing.health.ok();
                if let Err(mpsc::error::SendError(indexing)) = self.beside.send(indexing).await {
                    // The analysis has ended.
                    return finish(indexing, saved).await;
                }
                return Ok(());
            }
            let pause = match indexing.read_on(target).await {
                Ok(true) => None,
                Ok(false) => Some(indexing.retry / 10),
                Err(failure @ PipelineError::Index(_)) => return Err(failure),
                Err(failure) => {
                    error!(error = &failure as &dyn std::error::Error, "the index is behind; trying again");
                    indexing.health.degraded("the journal cannot be read at present");
                    Some(indexing.retry)
                }
            };
            if committed_at.elapsed() >= COMMIT_EVERY {
                committed_at = Instant::now();
                if let Err(failure) = indexing.commit(saved).await {
                    error!(
                        error = &failure as &dyn std::error::Error,
                        "could not commit; the journal keeps the events"
                    );
                }
            }
            if let Some(pause) = pause {
                let _: Option<()> = stop.run_until_cancelled(tokio::time::sleep(pause)).await;
            }
            if stop.is_cancelled() {
                info!(
                    "the index is behind; the journal and the verdicts keep what it lacks for the next start"
                );
                return finish(indexing, saved).await;
            }
        }
    }
}

/// Makes durable how far a reader has come that goes no further.
async fn finish(mut indexing: Box<Indexing>, saved: Position) -> Result<(), PipelineError> {
    match indexing.commit(saved).await {
        Err(failure @ PipelineError::Index(IndexError::Poisoned)) => Err(failure),
        Err(failure) => {
            warn!(error = &failure as &dyn std::error::Error, "the place of the index could not be kept");
            Ok(())
        }
        Ok(_) => Ok(()),
    }
}
