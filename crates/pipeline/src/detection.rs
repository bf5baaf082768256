//! The reader that looks for what is to be told. What it looks for is others' business.

use event::{Batch, Position};
use journal::Journal;
use telemetry::health::Component;
use tracing::error;
use verdicts::Verdicts;

use crate::records::{judged, passed};

/// Its name among the readers of verdicts.
const READER: &str = "detection";
/// What it reads of the journal at once when it is behind.
const BEHIND_BYTES: usize = 1 << 20;

/// Why a detector could not keep what it found.
pub type DetectorError = Box<dyn std::error::Error + Send + Sync>;

/// What looks at each analysed event, once and in the order of the journal.
pub trait Detector: Send {
    /// Behind the last event whose findings are durable.
    fn position(&self) -> Position;

    /// Whether it can look at more now. While it cannot, it falls behind, and reads the journal later.
    fn is_ready(&self) -> bool {
        true
    }

    /// Looks at events. It computes and waits for nothing: the analysis waits for it.
    fn see(&mut self, batch: &Batch<'_>);

    /// Told every few seconds that time goes by, when it has seen everything before a place.
    fn tick(&mut self, _position: Position) {}

    /// Makes what was found before this place durable, and says up to which place that is so now: it may leave it
    /// for a later commit, unless this is the last one.
    ///
    /// # Errors
    /// When it could not be written; it is asked again with a later place.
    fn commit(&mut self, position: Position, is_last: bool) -> Result<Position, DetectorError>;
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
        while self.position < to && self.detector.is_ready() {
            let records = match journal.read(self.position, read_bytes) {
                Ok(records) if records.end() > self.position => records,
                Ok(_) => return,
                Err(failure) => return self.failed(&failure),
            };
            self.see_new(&judged(journal, verdicts, &records, to).0);
        }
    }

    /// Sees a batch that begins at `start`, and first what it could not look at before; but no event again that it
    /// saw before a crash.
    pub(crate) fn see(
        &mut self,
        (journal, verdicts): (&Journal, &Verdicts),
        start: Position,
        batch: &Batch<'_>,
    ) {
        if batch.end <= self.position || !self.detector.is_ready() {
            return;
        }
        if self.position < start {
            self.catch_up(journal, verdicts, start, BEHIND_BYTES);
            if self.position < start {
                return;
            }
        }
        self.see_new(batch);
    }

    /// Tells it that time goes by.
    pub(crate) fn tick(&mut self) {
        self.detector.tick(self.position);
    }

    fn see_new(&mut self, batch: &Batch<'_>) {
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

    /// Makes durable what was found.
    pub(crate) fn commit(&mut self, verdicts: &Verdicts, is_last: bool) {
        let durable = match self.detector.commit(self.position, is_last) {
            Ok(durable) => {
                self.health.ok();
                durable
            }
            Err(failure) => {
                error!(
                    error = failure.as_ref() as &dyn std::error::Error,
                    "what was detected could not be kept; trying again"
                );
                self.health.degraded("what was detected cannot be kept at present");
                return;
            }
        };
        passed(verdicts, READER, durable);
    }

    fn failed(&self, failure: &(dyn std::error::Error + 'static)) {
        error!(error = failure, "detection goes on without events that it has not seen: they cannot be read");
    }
}
