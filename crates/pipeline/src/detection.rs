//! The reader that looks for what is to be told. What it looks for is others' business.

use event::{Batch, Position};
use journal::Journal;
use telemetry::health::Component;
use tracing::error;
use verdicts::Verdicts;

use crate::records::{judged, passed};

/// Its name among the readers of verdicts.
const READER: &str = "detection";

/// Why a detector could not keep what it found.
pub type DetectorError = Box<dyn std::error::Error + Send + Sync>;

/// What looks at each analysed event, once and in the order of the journal.
pub trait Detector: Send {
    /// Behind the last event whose findings are durable.
    fn position(&self) -> Position;

    /// Looks at events. It computes and waits for nothing: the analysis waits for it.
    fn see(&mut self, batch: &Batch<'_>);

    /// Makes what was found and this place durable in one write: after a crash it has either both or
    /// neither.
    ///
    /// # Errors
    /// When it could not be written; it is asked again with a later place.
    fn commit(&mut self, position: Position) -> Result<(), DetectorError>;
}

/// A detector beside the analysis.
pub(crate) struct Detection {
    detector: Box<dyn Detector>,
    health: Component,
    /// Behind the last event that it has seen.
    position: Position,
}

impl Detection {
    pub(crate) fn new(detector: Box<dyn Detector>, health: Component) -> Self {
        let position = detector.position();
        Self { detector, health, position }
    }

    /// Sees what it has not seen yet before a place, of the journal as far as that still has it.
    pub(crate) fn catch_up(
        &mut self,
        journal: &Journal,
        verdicts: &Verdicts,
        to: Position,
        read_bytes: usize,
    ) {
        while self.position < to {
            let records = match journal.read(self.position, read_bytes) {
                Ok(records) if records.end() > self.position => records,
                Ok(_) => return,
                Err(failure) => return self.failed(&failure),
            };
            self.see(&judged(journal, verdicts, &records, to).0);
        }
    }

    /// Sees a batch, but no event again that it saw before a crash.
    pub(crate) fn see(&mut self, batch: &Batch<'_>) {
        if batch.end <= self.position {
            return;
        }
        let seen = batch.events.partition_point(|event| event.id.position < self.position);
        if seen == 0 {
            self.detector.see(batch);
        } else {
            let events = batch.events.iter().skip(seen).cloned().collect();
            self.detector.see(&Batch { events, variables: batch.variables.clone(), end: batch.end });
        }
        self.position = batch.end;
    }

    /// Makes durable what was found before a place.
    pub(crate) fn commit(&mut self, verdicts: &Verdicts, position: Position) {
        match self.detector.commit(position.max(self.position)) {
            Ok(()) => self.health.ok(),
            Err(failure) => {
                error!(
                    error = failure.as_ref() as &dyn std::error::Error,
                    "what was detected could not be kept; trying again"
                );
                self.health.degraded("what was detected cannot be kept at present");
                return;
            }
        }
        passed(verdicts, READER, position);
    }

    fn failed(&self, failure: &(dyn std::error::Error + 'static)) {
        error!(error = failure, "detection goes on without events that it has not seen: they cannot be read");
    }
}
