//! One stream of batches to the service.

use std::collections::VecDeque;

use bytes::Bytes;
use event::{Event, EventId, JournalId, Verdict};
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Request, Streaming,
    metadata::{Ascii, MetadataValue},
    transport::Endpoint,
};
use wire::{
    record,
    v1::{self, anomaly_service_client::AnomalyServiceClient},
};

use super::{config::Config, unavailable::Failure};

/// Bytes of a request apart from its records, at least.
const REQUEST_BYTES: usize = 64;
/// Bytes of a record apart from itself, at most: its length and its position.
const RECORD_BYTES: usize = 16;
const MESSAGE_BYTES_MIN: usize = 16 << 10;
/// An answer to a batch of anomalies only has that many bytes of reasons.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// How large a batch may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    events: usize,
    bytes: usize,
}

impl Limits {
    pub(super) fn new(events: usize, bytes: usize) -> Self {
        Self { events: events.max(1), bytes: bytes.max(MESSAGE_BYTES_MIN) }
    }

    /// Halves them; false when they are as small as they get.
    pub(super) fn shrink(&mut self) -> bool {
        if self.events == 1 && self.bytes == MESSAGE_BYTES_MIN {
            return false;
        }
        *self = Self::new(self.events / 2, self.bytes / 2);
        true
    }
}

/// A stream on a connection of its own.
#[derive(Debug)]
pub(super) struct Connection {
    requests: mpsc::Sender<v1::ScoreRequest>,
    answers: Streaming<v1::ScoreResponse>,
}

impl Connection {
    pub(super) async fn open(
        endpoint: &Endpoint,
        authorization: Option<&MetadataValue<Ascii>>,
        config: &Config,
    ) -> Result<Self, Failure> {
        let opening = async {
            let channel = endpoint.connect().await.map_err(Failure::Connect)?;
            let mut client = AnomalyServiceClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX);
            let (requests, receiver) = mpsc::channel(config.batches_in_flight.max(1));
            let mut request = Request::new(ReceiverStream::new(receiver));
            if let Some(authorization) = authorization {
                request.metadata_mut().insert("authorization", authorization.clone());
            }
            let answers = client.score(request).await.map_err(Failure::Refused)?.into_inner();
            Ok(Self { requests, answers })
        };
        timeout(config.deadline, opening).await.unwrap_or(Err(Failure::Deadline))
    }

    /// Sends events in batches, some of them ahead of the answers; gives the verdicts in order.
    pub(super) async fn exchange(
        &mut self,
        events: &[(EventId, Event<'_>)],
        limits: Limits,
        config: &Config,
    ) -> Result<Vec<Verdict>, Failure> {
        let mut verdicts = Vec::with_capacity(events.len());
        let mut left = events;
        let mut asked: VecDeque<usize> = VecDeque::new();
        loop {
            while asked.len() < config.batches_in_flight.max(1)
                && let Some(request) = next_batch(&mut left, limits)
            {
                asked.push_back(request.log_records.len());
                // There is room for all that are under way; closed it is when the stream has ended,
                // and then the answer says how.
                if self.requests.try_send(request).is_err() {
                    break;
                }
            }
            let Some(expected) = asked.pop_front() else { return Ok(verdicts) };
            let answer = timeout(config.deadline, self.answers.message()).await;
            let answer = match answer.map_err(|_| Failure::Deadline)? {
                Ok(Some(answer)) => answer,
                Ok(None) => return Err(Failure::Ended(None)),
                Err(status) => return Err(Failure::Ended(Some(status))),
            };
            let found = answer.verdicts.len();
            if found != expected {
                return Err(Failure::Nonsense { expected, found });
            }
            verdicts.extend(answer.verdicts.into_iter().map(Verdict::from));
        }
    }
}

/// Takes a batch off the front: events of one journal, within the limits.
fn next_batch(left: &mut &[(EventId, Event<'_>)], limits: Limits) -> Option<v1::ScoreRequest> {
    let journal = left.first()?.0.journal;
    let mut buffer = Vec::with_capacity(limits.bytes.min(left.len().saturating_mul(256)));
    let mut ends = Vec::new();
    let mut positions = Vec::new();
    for (id, event) in left.iter().take(limits.events).take_while(|(id, _)| id.journal == journal) {
        let start = buffer.len();
        record::encode_scored(event, &mut buffer);
        if buffer.len() - start > limits.bytes - REQUEST_BYTES - RECORD_BYTES {
            buffer.truncate(start);
            record::encode_scored(&shortened(event, limits.bytes / 4), &mut buffer);
        }
        if start > 0 && REQUEST_BYTES + buffer.len() + (ends.len() + 1) * RECORD_BYTES > limits.bytes {
            buffer.truncate(start);
            break;
        }
        ends.push(buffer.len());
        positions.push(wire::pack(id.position));
    }
    *left = left.get(ends.len()..).unwrap_or_default();
    Some(request(journal, positions, Bytes::from(buffer), &ends))
}

fn request(journal: JournalId, positions: Vec<u64>, buffer: Bytes, ends: &[usize]) -> v1::ScoreRequest {
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let log_records = starts.zip(ends).map(|(start, end)| buffer.slice(start..*end)).collect();
    v1::ScoreRequest { journal_id: Bytes::copy_from_slice(&journal.0.to_be_bytes()), positions, log_records }
}

/// What fits of an event that is larger than a message may be: enough to be judged by.
fn shortened<'e>(event: &'e Event<'_>, bytes: usize) -> Event<'e> {
    let cut = |text: &'e str, bytes: usize| &text[..text.floor_char_boundary(bytes)];
    let mut short = Event::new(cut(&event.message, bytes), event.observed_timestamp);
    (short.timestamp, short.severity) = (event.timestamp, event.severity);
    short.source = event.source.as_deref().map(|text| cut(text, bytes / 2).into());
    short.host = event.host.as_deref().map(|text| cut(text, bytes / 2).into());
    short
}

#[cfg(test)]
mod tests {
    use event::{Position, Timestamp};
    use prost::Message;

    use super::*;

    fn events(sizes: &[usize]) -> Vec<(EventId, Event<'static>)> {
        let numbered = sizes.iter().enumerate();
        let made = numbered.map(|(at, size)| {
            let position = Position { segment: 3, record: at as u32 };
            let id = EventId { journal: JournalId(7), position };
            (id, Event::new("ü".repeat(*size / 2), Timestamp::MIN))
        });
        made.collect()
    }

    #[test]
    fn batches_keep_to_the_limits_and_lose_no_event() {
        let sizes: Vec<usize> =
            (0..200).map(|at| at * 97 % 9000).chain([0, 17 << 10, 100 << 10, 5]).collect();
        let events = events(&sizes);
        for limits in [Limits::new(1, 0), Limits::new(7, 20 << 10), Limits::new(1000, 1 << 20)] {
            let (mut left, mut positions) = (events.as_slice(), vec![]);
            while let Some(request) = next_batch(&mut left, limits) {
                assert!(request.log_records.len() <= limits.events);
                assert!(request.encoded_len() <= limits.bytes, "{} of {limits:?}", request.encoded_len());
                assert_eq!(request.journal_id[..], 7u128.to_be_bytes());
                for (record, position) in request.log_records.iter().zip(&request.positions) {
                    let sent = &events[wire::unpack(*position).record as usize].1;
                    let got = record::decode(record).unwrap();
                    assert!(
                        sent.message.starts_with(&*got.message)
                            && got.message.len() * 40 >= sent.message.len()
                    );
                }
                positions.extend(request.positions);
            }
            let expected: Vec<u64> = events.iter().map(|(id, _)| wire::pack(id.position)).collect();
            assert_eq!(positions, expected, "{limits:?}");
        }
    }

    #[test]
    fn limits_shrink_to_the_smallest() {
        let mut limits = Limits::new(4096, 4 << 20);
        let halvings = std::iter::from_fn(|| limits.shrink().then_some(())).count();
        assert_eq!((halvings, limits.events, limits.bytes), (12, 1, MESSAGE_BYTES_MIN));
    }
}
