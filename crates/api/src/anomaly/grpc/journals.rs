//! Scoring in stream order: up to where each journal has been learned, so that what is sent again, after a
//! reconnect or a restart, is answered and not learned twice.
//!
//! The latest verdicts of each journal are remembered and given again. For what lies further back the
//! answer is what the service would say now without learning.
//!
//! ```text
//! snapshot: "LSSTREAM" │ version u32 = 1 │ journals u32, for each: id [16], last position u64
//!           the anomaly service's own snapshot │ blake3 of all before [32]     (integers little-endian)
//! ```

use std::{
    collections::{HashMap, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, MutexGuard, PoisonError},
};

use anomaly::Service;
use bytes::Bytes;
use event::{Event, EventId, JournalId, Position, Verdict};
use prost::Message;
use tonic::Status;
use wire::{record, v1};

use super::{answer::LIST_ELEMENT_BYTES, config::GrpcError};

/// Verdicts of a journal that can be given again: more than a sender has under way.
const REMEMBERED: usize = 16_384;
const MAGIC: &[u8; 8] = b"LSSTREAM";
const VERSION: u32 = 1;
const HASH_BYTES: usize = 32;

/// What is remembered of each journal.
pub(super) struct Journals {
    journals_max: usize,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    journals: HashMap<JournalId, Journal>,
    /// Batches scored; tells which journal was unused for longest.
    clock: u64,
}

#[derive(Default)]
struct Journal {
    /// Place of the last record learned.
    last: u64,
    /// The latest verdicts, by rising place.
    recent: VecDeque<(u64, Verdict)>,
    used: u64,
}

impl Journals {
    pub(super) fn new(journals_max: usize) -> Self {
        Self { journals_max: journals_max.max(1), table: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Scores a batch and learns what is new in it. Takes time.
    pub(super) fn score(
        &self,
        service: &Service,
        request: &v1::ScoreRequest,
        bytes_max: usize,
    ) -> Result<v1::ScoreResponse, Status> {
        let Some(journal) = journal_of(request)? else {
            let mut answer = Answer::default();
            answer.take(&request.log_records, &request.positions, |_, _| None);
            answer.analyze(service, JournalId(0));
            return Ok(answer.response(service, bytes_max));
        };
        let mut table = self.lock();
        let table = &mut *table;
        table.clock += 1;
        if !table.journals.contains_key(&journal) && table.journals.len() >= self.journals_max {
            let oldest = table.journals.iter().min_by_key(|(_, journal)| journal.used).map(|(id, _)| *id);
            oldest.map(|id| table.journals.remove(&id));
        }
        let is_new = !table.journals.contains_key(&journal);
        let known = table.journals.entry(journal).or_default();
        known.used = table.clock;
        let mut answer = Answer::default();
        answer.take(&request.log_records, &request.positions, |place, event| {
            if is_new || place > known.last { None } else { Some(known.again(service, place, event)) }
        });
        answer.analyze(service, journal);
        if let Some(last) = request.positions.last() {
            known.last = known.last.max(*last);
        }
        known.remember(answer.learned());
        Ok(answer.response(service, bytes_max))
    }

    pub(super) fn snapshot(&self, service: &Service) -> Vec<u8> {
        let table = self.lock();
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&(table.journals.len() as u32).to_le_bytes());
        for (id, journal) in &table.journals {
            out.extend_from_slice(&id.0.to_le_bytes());
            out.extend_from_slice(&journal.last.to_le_bytes());
        }
        out.extend_from_slice(&service.snapshot());
        let hash = blake3::hash(&out);
        out.extend_from_slice(hash.as_bytes());
        out
    }

    pub(super) fn restore(&self, snapshot: &[u8], service: &Service) -> Result<(), GrpcError> {
        let (journals, window) = parse(snapshot).map_err(GrpcError::Snapshot)?;
        let mut table = self.lock();
        service.restore(window)?;
        *table = Table::default();
        for (id, last) in journals.into_iter().take(self.journals_max) {
            table.journals.insert(id, Journal { last, ..Journal::default() });
        }
        Ok(())
    }
}

type Parsed<'a> = (Vec<(JournalId, u64)>, &'a [u8]);

fn parse(snapshot: &[u8]) -> Result<Parsed<'_>, &'static str> {
    const SHORT: &str = "it is cut short";
    let end = snapshot.len().checked_sub(HASH_BYTES).ok_or(SHORT)?;
    let (body, hash) = snapshot.split_at(end);
    let mut rest = body.strip_prefix(MAGIC).ok_or("it is something else")?;
    if blake3::hash(body).as_bytes() != hash {
        return Err("its checksum differs");
    }
    if take::<4>(&mut rest).map(u32::from_le_bytes) != Some(VERSION) {
        return Err("it is of another version");
    }
    let count = take(&mut rest).map(u32::from_le_bytes).ok_or(SHORT)?;
    let mut journals = Vec::new();
    for _ in 0..count {
        let id = take(&mut rest).map(u128::from_le_bytes).ok_or(SHORT)?;
        journals.push((JournalId(id), take(&mut rest).map(u64::from_le_bytes).ok_or(SHORT)?));
    }
    Ok((journals, rest))
}

fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = input.split_first_chunk()?;
    *input = tail;
    Some(*head)
}

/// Whose batch this is; None for a sender that does not say.
fn journal_of(request: &v1::ScoreRequest) -> Result<Option<JournalId>, Status> {
    let (places, records) = (request.positions.len(), request.log_records.len());
    if request.journal_id.is_empty() && places == 0 {
        return Ok(None);
    }
    let Ok(id) = <[u8; 16]>::try_from(&request.journal_id[..]) else {
        return Err(Status::invalid_argument(format!(
            "journal_id: {} bytes were given; 16 are expected, or none together with no positions",
            request.journal_id.len()
        )));
    };
    if places != records {
        return Err(Status::invalid_argument(format!(
            "positions: {places} were given for {records} log records; each record has one"
        )));
    }
    if !request.positions.is_sorted_by(|a, b| a < b) {
        return Err(Status::invalid_argument("positions: each must be greater than the one before"));
    }
    Ok(Some(JournalId(u128::from_be_bytes(id))))
}

impl Journal {
    /// The verdict on a record that was learned before.
    fn again(&self, service: &Service, place: u64, event: &Event<'_>) -> Verdict {
        if let Ok(at) = self.recent.binary_search_by_key(&place, |(place, _)| *place) {
            return self.recent[at].1.clone();
        }
        service.verdict(event)
    }

    fn remember<'v>(&mut self, learned: impl Iterator<Item = (u64, &'v Verdict)>) {
        self.recent.extend(learned.map(|(place, verdict)| (place, verdict.clone())));
        let surplus = self.recent.len().saturating_sub(REMEMBERED);
        self.recent.drain(..surplus);
    }
}

/// The answer to a batch while it is made.
#[derive(Default)]
struct Answer<'a> {
    verdicts: Vec<v1::Verdict>,
    repeated: u64,
    /// What is new: which of the verdicts, and the event.
    fresh: Vec<(usize, u64, Event<'a>)>,
    /// What was learned: place and verdict.
    learned: Vec<(u64, Verdict)>,
}

impl<'a> Answer<'a> {
    /// Reads the records; answers those that cannot be read, and those to which `known` has a verdict.
    fn take(
        &mut self,
        records: &'a [Bytes],
        places: &[u64],
        known: impl Fn(u64, &Event<'a>) -> Option<Verdict>,
    ) {
        self.verdicts.reserve(records.len());
        self.fresh.reserve(records.len());
        let places = places.iter().copied().chain(std::iter::repeat(0));
        for (at, (record, place)) in records.iter().zip(places).enumerate() {
            let verdict = match record::decode(record) {
                Err(error) => v1::Verdict::refused(error.to_string()),
                Ok(event) => match known(place, &event) {
                    Some(verdict) => {
                        self.repeated += 1;
                        verdict.into()
                    }
                    None => {
                        self.fresh.push((at, place, event));
                        v1::Verdict::default()
                    }
                },
            };
            self.verdicts.push(verdict);
        }
    }

    /// Scores what is new. Should that panic, the records say so, and the stream goes on.
    fn analyze(&mut self, service: &Service, journal: JournalId) {
        let fresh = std::mem::take(&mut self.fresh);
        let slots: Vec<(usize, u64)> = fresh.iter().map(|(at, place, _)| (*at, *place)).collect();
        let events = fresh
            .into_iter()
            .map(|(_, place, event)| (EventId { journal, position: wire::unpack(place) }, event));
        let end = slots.last().map_or(Position::default(), |(_, place)| wire::unpack(*place).next());
        let events = events.collect();
        match catch_unwind(AssertUnwindSafe(|| service.analyze(events, end))) {
            Ok(batch) => {
                for ((at, place), analyzed) in slots.into_iter().zip(batch.events) {
                    self.verdicts[at] = analyzed.verdict.clone().into();
                    self.learned.push((place, analyzed.verdict));
                }
            }
            Err(_) => {
                tracing::error!(records = slots.len(), "scoring a batch panicked");
                for (at, _) in slots {
                    self.verdicts[at] = v1::Verdict::refused("scoring failed; the service's log says why");
                }
            }
        }
    }

    fn learned(&self) -> impl Iterator<Item = (u64, &Verdict)> {
        self.learned.iter().map(|(place, verdict)| (*place, verdict))
    }

    /// The records are learned already, so the answer must reach its client: where there is no room, the last
    /// verdicts come without their reasons.
    fn response(mut self, service: &Service, bytes_max: usize) -> v1::ScoreResponse {
        let mut bytes: usize =
            self.verdicts.iter().map(|verdict| verdict.encoded_len() + LIST_ELEMENT_BYTES).sum();
        for verdict in self.verdicts.iter_mut().rev().filter(|verdict| !verdict.reasons.is_empty()) {
            if bytes <= bytes_max {
                break;
            }
            let before = verdict.encoded_len();
            verdict.reasons.clear();
            bytes -= before - verdict.encoded_len();
        }
        v1::ScoreResponse {
            verdicts: self.verdicts,
            model_version: service.model().version,
            repeated_records: self.repeated,
        }
    }
}
