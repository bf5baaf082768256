//! What is on its way to the journal: a batch that grows record by record.

use std::sync::Arc;

use body::{Budget, Held};
use event::{Event, Timestamp, Value, field};
use journal::{Batch, Note};

use crate::{config::Config, refusal::Refused};

/// Refused records that are named; the others are only counted.
const REFUSED_NAMED: usize = 100;
/// Longest reason of a refused record, in bytes.
const REASON_BYTES_MAX: usize = 300;
/// What the journal adds to each record: its length and its checksum.
const RECORD_OVERHEAD: usize = 8;
/// A line that was cut is at most so much shorter than the limit: it is cut between characters.
const CUT_BYTES_MAX: usize = 3;

/// How many records there were, by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// To be stored.
    pub accepted: u64,
    /// Not understood, and not stored.
    pub refused: u64,
    /// Of those accepted: their text was longer than the limit, and was cut and marked.
    pub truncated: u64,
    /// Of those accepted: the rest of an event that had more lines or bytes than may be one.
    pub rest: u64,
    /// Of those accepted: older than the retention, so that they are soon deleted.
    pub expired: u64,
}

/// Records that become durable together, or not at all. The door begins one.
#[derive(Debug)]
pub struct Delivery {
    batch: Batch,
    line_bytes_max: usize,
    /// What is older is expired.
    kept_from: Timestamp,
    counts: Counts,
    refused: Vec<parse::Problem>,
    received_bytes: u64,
    /// Whose events they are, whatever they say themselves.
    organization: Option<Arc<str>>,
    /// Its share of what all deliveries may hold; None for one that is bounded elsewhere.
    held: Option<Held>,
    /// Why it cannot be held. Its records are then only counted.
    full: Option<Refused>,
    /// One event that is counted and not kept.
    scratch: Vec<u8>,
}

/// A delivery that nothing is added to any more.
pub(crate) struct Finished {
    pub(crate) batch: Batch,
    pub(crate) counts: Counts,
    pub(crate) received_bytes: u64,
    /// Given back once the batch is in the journal.
    pub(crate) held: Option<Held>,
}

impl Delivery {
    pub(crate) fn new(config: &Config, now: Timestamp, budget: Option<&Arc<Budget>>) -> Self {
        Self {
            batch: Batch::new(),
            line_bytes_max: config.line_bytes_max,
            kept_from: config.retention.map_or(Timestamp::MIN, |age| now.saturating_sub(age)),
            counts: Counts::default(),
            refused: Vec::new(),
            received_bytes: 0,
            organization: None,
            held: budget.map(Held::none),
            full: None,
            scratch: Vec::new(),
        }
    }

    /// From now on every event is of this organization, whatever it says itself: who may send for one does not send
    /// for another.
    pub fn stamp(&mut self, organization: Option<Arc<str>>) {
        self.organization = organization;
    }

    /// Takes a record, or what is wrong with it.
    pub fn put(&mut self, record: Result<Event<'_>, parse::Problem>) {
        match record {
            Ok(mut event) => {
                if let Some(organization) = &self.organization {
                    // A list at the place of the object could hold other names.
                    event.fields.retain(|field| field.path != "organization");
                    event.set(field::ORGANIZATION, Value::String(organization.to_string().into()));
                }
                self.accept(&event);
            }
            Err(mut problem) => {
                self.counts.refused += 1;
                if self.refused.len() < REFUSED_NAMED {
                    problem.field = problem.field.map(short);
                    problem.reason = short(problem.reason);
                    self.refused.push(problem);
                }
            }
        }
    }

    fn accept(&mut self, event: &Event<'_>) {
        self.counts.accepted += 1;
        self.counts.truncated += u64::from(is_truncated(event, self.line_bytes_max));
        self.counts.rest += u64::from(event.has_flag(field::REST));
        self.counts.expired += u64::from(event.timestamp < self.kept_from);
        if let Some(Refused::Held { bytes, .. }) = &mut self.full {
            self.scratch.clear();
            event::codec::encode(event, &mut self.scratch);
            *bytes += self.scratch.len() + RECORD_OVERHEAD;
            return;
        }
        self.batch.push_with(|out| event::codec::encode(event, out));
        let Some(held) = &mut self.held else { return };
        let bytes = self.batch.bytes();
        if let Err(problem) = held.at_least(bytes) {
            self.full = Some(Refused::Held { bytes, max: held.limit(), problem: Box::new(problem) });
            // Others need the room.
            self.batch = Batch::new();
            self.held = None;
        }
    }

    /// Has a note become durable together with the records.
    pub fn note(&mut self, note: Note) {
        self.batch.note(note);
    }

    /// Counts bytes that the records came in.
    pub fn came(&mut self, bytes: usize) {
        self.received_bytes += bytes as u64;
    }

    /// Neither a record to be stored nor a note.
    pub fn is_empty(&self) -> bool {
        self.counts.accepted == 0 && self.batch.is_empty()
    }

    /// About the bytes it takes in the journal.
    pub fn bytes(&self) -> usize {
        self.batch.bytes()
    }

    /// What was put in so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The first of the refused records.
    pub fn refused(&self) -> &[parse::Problem] {
        &self.refused
    }

    /// Refuses what found no room, before anything else is done with it.
    ///
    /// # Errors
    /// When it holds more than may be held, alone or together with others.
    pub fn fits(&self) -> Result<(), Refused> {
        self.full.clone().map_or(Ok(()), Err)
    }

    pub(crate) fn finish(self) -> Result<Finished, Refused> {
        let Self { batch, counts, received_bytes, held, full, .. } = self;
        match full {
            Some(refused) => Err(refused),
            None => Ok(Finished { batch, counts, received_bytes, held }),
        }
    }
}

/// Whether the text of an event was cut where it was parsed; only what is about as long as the limit can be.
fn is_truncated(event: &Event<'_>, bytes_max: usize) -> bool {
    let is_long = |text: &str| text.len() + CUT_BYTES_MAX >= bytes_max;
    (is_long(&event.message) || event.original.as_deref().is_some_and(is_long))
        && event.has_flag(field::TRUNCATED)
}

fn short(mut text: String) -> String {
    if text.len() > REASON_BYTES_MAX {
        text.truncate(text.floor_char_boundary(REASON_BYTES_MAX - '…'.len_utf8()));
        text.push('…');
    }
    text
}
