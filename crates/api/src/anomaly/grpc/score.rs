//! A batch that is scored: from records to events, and from verdicts to an answer.

use anomaly::{Journals, Sent, Service};
use event::{Event, EventId, JournalId};
use prost::Message;
use tonic::Status;
use wire::{record, v1};

use super::answer::LIST_ELEMENT_BYTES;

/// Scores a batch and learns what is new in it; an answer has `bytes_max` bytes at most. Takes time.
pub(super) fn score(
    service: &Service,
    journals: &Journals,
    request: &v1::ScoreRequest,
    bytes_max: usize,
) -> Result<v1::ScoreResponse, Status> {
    let journal = journal_of(request)?;
    let mut verdicts = vec![v1::Verdict::default(); request.log_records.len()];
    let (mut slots, mut events): (Vec<usize>, Vec<Event<'_>>) = (Vec::new(), Vec::new());
    for (at, bytes) in request.log_records.iter().enumerate() {
        match record::decode(bytes) {
            Ok(event) => {
                slots.push(at);
                events.push(event);
            }
            Err(error) => verdicts[at] = v1::Verdict::refused(error.to_string()),
        }
    }
    let scores = match journal {
        Some(journal) => {
            let id = |at: &usize| EventId { journal, position: wire::unpack(request.positions[*at]) };
            let events = slots.iter().map(id).zip(events).collect();
            let last = request.positions.last().map(|last| wire::unpack(*last));
            journals.score(Sent { journal, events, last })
        }
        None => journals.score_new(events),
    };
    for (at, verdict) in slots.into_iter().zip(scores.verdicts) {
        verdicts[at] = match verdict {
            Some(verdict) => verdict.into(),
            None => v1::Verdict::refused("scoring failed; the service's log says why"),
        };
    }
    shorten(&mut verdicts, bytes_max);
    let model_version = service.model().version;
    Ok(v1::ScoreResponse { verdicts, model_version, repeated_records: scores.repeated as u64 })
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

/// The records are learned already, so the answer must reach its client: where there is no room, the last
/// verdicts come without their reasons.
fn shorten(verdicts: &mut [v1::Verdict], bytes_max: usize) {
    let mut bytes: usize = verdicts.iter().map(|verdict| verdict.encoded_len() + LIST_ELEMENT_BYTES).sum();
    for verdict in verdicts.iter_mut().rev().filter(|verdict| !verdict.reasons.is_empty()) {
        if bytes <= bytes_max {
            break;
        }
        let before = verdict.encoded_len();
        verdict.reasons.clear();
        bytes -= before - verdict.encoded_len();
    }
}
