//! Scoring for journals elsewhere, each in its own order: up to where each has been learned, so that what is sent
//! again, after a reconnect or a restart, is answered and not learned twice.
//!
//! The latest verdicts of each journal are remembered and given again. For what lies further back the
//! answer is what the service would say now without learning.
//!
//! A snapshot is sealed as `disk::sealed` describes, magic `LSSTREAM`; the body: u32 number of journals, for each: id
//! (16 bytes), segment and record of the last one learned as one u64; then the service's own snapshot.

use std::{
    collections::{HashMap, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
};

use disk::sealed::{Reader, SealedError, Writer};
use event::{Event, EventId, JournalId, Position, Verdict};

use crate::{error::ModelError, locks::lock, service::Service};

/// Verdicts of a journal that can be given again: more than a sender has under way.
const REMEMBERED: usize = 16_384;
const MAGIC: &[u8; 8] = b"LSSTREAM";
const VERSION: u32 = 1;
const WHAT: &str = "what the service remembered of the stream";
/// Bytes of a journal in a snapshot.
const JOURNAL_BYTES: usize = 24;

/// Has a service score what journals elsewhere hold, and knows of each what was learned.
pub struct Journals {
    service: Arc<Service>,
    journals_max: usize,
    table: Mutex<Table>,
}

/// A batch of a journal elsewhere.
#[derive(Debug)]
pub struct Sent<'e> {
    /// Whose.
    pub journal: JournalId,
    /// What of it could be read, by rising position.
    pub events: Vec<(EventId, Event<'e>)>,
    /// Where its last record stands, whether that could be read or not; None of an empty batch.
    pub last: Option<Position>,
}

/// What is said of the events of a batch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scores {
    /// One for each event, in their order; None where scoring it failed.
    pub verdicts: Vec<Option<Verdict>>,
    /// How many of them had been learned before, and were not again.
    pub repeated: usize,
}

#[derive(Default)]
struct Table {
    journals: HashMap<JournalId, Journal>,
    /// Batches scored; tells which journal was unused for longest.
    clock: u64,
}

#[derive(Default)]
struct Journal {
    /// Where the last record learned stands; None of a journal that was never heard of.
    last: Option<Position>,
    /// The latest verdicts, by rising position.
    recent: VecDeque<(Position, Verdict)>,
    used: u64,
}

impl Journals {
    /// Over a service. Of more journals than `journals_max` the one unused for longest is forgotten.
    pub fn new(service: Arc<Service>, journals_max: usize) -> Self {
        Self { service, journals_max: journals_max.max(1), table: Mutex::default() }
    }

    /// Scores a batch and learns what is new in it. Takes time; call it off the reactor.
    pub fn score(&self, sent: Sent<'_>) -> Scores {
        let Sent { journal, mut events, last } = sent;
        let mut table = lock(&self.table);
        let table = &mut *table;
        table.clock += 1;
        if !table.journals.contains_key(&journal) && table.journals.len() >= self.journals_max {
            let oldest = table.journals.iter().min_by_key(|(_, journal)| journal.used).map(|(id, _)| *id);
            oldest.map(|id| table.journals.remove(&id));
        }
        let known = table.journals.entry(journal).or_default();
        known.used = table.clock;
        let repeated = events.partition_point(|(id, _)| Some(id.position) <= known.last);
        let fresh = events.split_off(repeated);
        let mut verdicts: Vec<_> =
            events.iter().map(|(id, event)| Some(known.again(&self.service, id.position, event))).collect();
        let places: Vec<Position> = fresh.iter().map(|(id, _)| id.position).collect();
        let learned = self.learn(fresh);
        known.last = known.last.max(last);
        known.remember(places.into_iter().zip(&learned));
        verdicts.extend(learned);
        Scores { verdicts, repeated }
    }

    /// Scores events of a sender that does not say where they stand, so that all of them are new. Takes time; call
    /// it off the reactor.
    pub fn score_new(&self, events: Vec<Event<'_>>) -> Scores {
        let id = EventId { journal: JournalId(0), position: Position::default() };
        let verdicts = self.learn(events.into_iter().map(|event| (id, event)).collect());
        Scores { verdicts, repeated: 0 }
    }

    /// Scores what is new. Should that panic, there are no verdicts, and the stream goes on.
    fn learn(&self, events: Vec<(EventId, Event<'_>)>) -> Vec<Option<Verdict>> {
        let count = events.len();
        let end = events.last().map_or(Position::default(), |(id, _)| id.position.next());
        match catch_unwind(AssertUnwindSafe(|| self.service.analyze(events, end))) {
            Ok(batch) => batch.events.into_iter().map(|analyzed| Some(analyzed.verdict)).collect(),
            Err(_) => {
                tracing::error!(records = count, "scoring a batch panicked");
                vec![None; count]
            }
        }
    }

    /// The service's state and up to where each journal has been learned, as of one moment. Waits for the batch
    /// being scored: call it off the reactor.
    pub fn snapshot(&self) -> Vec<u8> {
        let table = lock(&self.table);
        let known = || table.journals.iter().filter_map(|(id, journal)| Some((id, journal.last?)));
        let mut out = Writer::sealed(MAGIC, VERSION);
        out.u32(known().count() as u32);
        for (id, last) in known() {
            out.raw(&id.0.to_le_bytes());
            out.u64(u64::from(last.segment) << 32 | u64::from(last.record));
        }
        out.raw(&self.service.snapshot());
        out.seal()
    }

    /// Goes on from a snapshot.
    ///
    /// # Errors
    /// When it is something else, of another version, cut short or altered: nothing changes.
    pub fn restore(&self, snapshot: &[u8]) -> Result<(), ModelError> {
        let (journals, own) = parse(snapshot)?;
        let mut table = lock(&self.table);
        self.service.restore(own)?;
        *table = Table::default();
        for (id, last) in journals.into_iter().take(self.journals_max) {
            table.journals.insert(id, Journal { last: Some(last), ..Journal::default() });
        }
        Ok(())
    }
}

type Parsed<'a> = (Vec<(JournalId, Position)>, &'a [u8]);

fn parse(snapshot: &[u8]) -> Result<Parsed<'_>, SealedError> {
    let mut input = Reader::sealed(snapshot, MAGIC, VERSION, WHAT)?;
    let count = input.count(JOURNAL_BYTES, usize::MAX)?;
    let mut journals = Vec::with_capacity(count);
    for _ in 0..count {
        let id = input.take(size_of::<u128>())?.try_into().map_err(|_| input.damaged())?;
        let last = input.u64()?;
        let last = Position { segment: (last >> 32) as u32, record: last as u32 };
        journals.push((JournalId(u128::from_le_bytes(id)), last));
    }
    Ok((journals, input.rest()))
}

impl Journal {
    /// The verdict on a record that was learned before.
    fn again(&self, service: &Service, position: Position, event: &Event<'_>) -> Verdict {
        if let Ok(at) = self.recent.binary_search_by_key(&position, |(position, _)| *position) {
            return self.recent[at].1.clone();
        }
        service.verdict(event)
    }

    fn remember<'v>(&mut self, learned: impl Iterator<Item = (Position, &'v Option<Verdict>)>) {
        self.recent.extend(learned.filter_map(|(position, verdict)| Some((position, verdict.clone()?))));
        let surplus = self.recent.len().saturating_sub(REMEMBERED);
        self.recent.drain(..surplus);
    }
}
