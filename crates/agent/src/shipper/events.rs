//! Sends logs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use event::Position;
use journal::{Batch, Cursor, Journal, Note};
use serde_json::Value as Json;
use telemetry::task::{Stop, blocking};
use tracing::warn;

use super::reach::Reach;
use crate::{answer::Outcome, lines, server::Server};

/// Events of one request, as bytes of the journal.
const LOGS_BYTES: usize = 512 << 10;
/// Between two requests with logs while many wait.
const LOGS_PAUSE: Duration = Duration::from_millis(100);
/// After new events it is waited so long for more of them.
const LOGS_GATHER: Duration = Duration::from_secs(1);
/// What is being sent: its first record and the one behind its last.
const SENDING: &[u8] = b"agent/sending";

/// How logs fare, in events.
#[derive(Debug, Default)]
pub(crate) struct LogCounts {
    /// Of which no one has the collector's word yet.
    pub(crate) waiting: AtomicU64,
    /// Given up since the start, for the collector would never take them.
    pub(crate) dropped: AtomicU64,
}

/// Sends logs.
pub(crate) struct Events {
    server: Server,
    journal: Journal,
    cursor: Cursor,
    /// Tells this agent from others.
    id: String,
    counts: Arc<LogCounts>,
    reach: Reach,
    /// The part of the journal that is being sent: it may have been sent before.
    sending: Option<(Position, Position)>,
    /// Bytes that the collector seems to take at once.
    room: usize,
}

/// A part of the journal as a request.
struct Request {
    body: Vec<u8>,
    events: u64,
    from: Position,
    to: Position,
}

/// Sends logs until told to stop.
pub(crate) async fn events(mut events: Events, stop: Stop) {
    let mut end = events.journal.watch_end();
    let sending = async {
        loop {
            end.mark_unchanged();
            let reader = events.reader();
            let Ok(read) = blocking("logs", reader).await else { return };
            let request = match read {
                Ok(Some(request)) => request,
                Ok(None) => {
                    if end.changed().await.is_err() {
                        return;
                    }
                    tokio::time::sleep(LOGS_GATHER).await;
                    continue;
                }
                Err(reason) => {
                    tokio::time::sleep(events.reach.fails(&reason, None)).await;
                    continue;
                }
            };
            let Request { body, events: count, from, to } = request;
            events.sending = Some((from, to));
            let bytes = body.len();
            match events.send(body, from, to).await {
                Outcome::Taken(answer) => {
                    events.reach.works();
                    told(&answer);
                    events.room = events.room.saturating_add(events.room / 8);
                }
                Outcome::Later { reason, after } => {
                    tokio::time::sleep(events.reach.fails(&reason, after)).await;
                    continue;
                }
                // Nothing of it was stored, so the halves are none that were sent before.
                Outcome::TooLarge { .. } if count > 1 => {
                    (events.room, events.sending) = (bytes / 2, None);
                    continue;
                }
                Outcome::Refused { reason } | Outcome::TooLarge { reason } => {
                    events.counts.dropped.fetch_add(count, Ordering::Relaxed);
                    warn!(reason, count, %from, %to, "the collector refused these logs for good; they are given up");
                }
            }
            let Ok((cursor, committed)) = blocking("logs", move || {
                let mut cursor = events.cursor;
                let committed = cursor.commit(to);
                (cursor, committed)
            })
            .await
            else {
                return;
            };
            events.cursor = cursor;
            if let Err(error) = committed {
                tokio::time::sleep(events.reach.fails(&error.to_string(), None)).await;
            }
            tokio::time::sleep(LOGS_PAUSE).await;
        }
    };
    stop.run_until_cancelled(sending).await;
}

/// Lines that the collector did not understand are told, not sent again.
fn told(answer: &Json) {
    if let Some(rejected) = answer["rejected"].as_u64().filter(|rejected| *rejected > 0) {
        warn!(rejected, "the collector did not take some of the logs");
    }
}

impl Events {
    /// What is in the journal behind the cursor, for this collector.
    pub(crate) fn new(
        server: Server,
        (journal, cursor): (Journal, Cursor),
        id: String,
        counts: Arc<LogCounts>,
        reach: Reach,
    ) -> Self {
        let sending = journal.note(SENDING).and_then(|note| positions(&note));
        Self { server, journal, cursor, id, counts, reach, sending, room: usize::MAX }
    }

    async fn send(&self, body: Vec<u8>, from: Position, to: Position) -> Outcome {
        match body.is_empty() {
            true => Outcome::Taken(Json::Null),
            false => self.server.logs(body, &format!("agent/{}/{from}/{to}", self.id)).await,
        }
    }

    /// Reads the next request. A request that may have been sent before is made of the same records again, so that the
    /// collector recognises it.
    fn reader(&self) -> impl FnOnce() -> Result<Option<Request>, String> + Send + use<> {
        let (journal, from, room) = (self.journal.clone(), self.cursor.position(), self.room);
        let counts = Arc::clone(&self.counts);
        let begun = self.sending.filter(|(begun_from, _)| *begun_from == from).map(|(_, to)| to);
        move || {
            counts.waiting.store(between(&journal, from, journal.end()), Ordering::Relaxed);
            let records = journal.read(from, LOGS_BYTES).map_err(|error| error.to_string())?;
            if records.is_empty() && records.end() == from {
                return Ok(None);
            }
            let (mut body, mut events) = (Vec::new(), 0);
            let end = begun.unwrap_or_else(|| records.end());
            let mut to = end;
            for (position, record) in records.iter().filter(|(position, _)| *position < end) {
                let before = body.len();
                if let Err(error) = lines::write(record, &mut body) {
                    warn!(%error, "a record of the agent's journal holds no event; it is passed over");
                    continue;
                }
                if begun.is_none() && before > 0 && body.len() > room {
                    body.truncate(before);
                    to = position;
                    break;
                }
                events += 1;
            }
            if begun.is_none() {
                let mut batch = Batch::new();
                let value = [place(from), place(to)].concat();
                batch.note(Note { key: SENDING.to_vec(), value: Some(value) });
                // Without the note a crash before the answer is noted may have these sent twice; a full disk is no
                // reason to send nothing.
                if let Err(error) = journal.append_blocking(batch) {
                    tracing::debug!(%error, "cannot note what is being sent");
                }
            }
            Ok(Some(Request { body, events, from, to }))
        }
    }
}

fn place(position: Position) -> Vec<u8> {
    [position.segment.to_le_bytes(), position.record.to_le_bytes()].concat()
}

fn positions(note: &[u8]) -> Option<(Position, Position)> {
    let number = |at: usize| Some(u32::from_le_bytes(note.get(at..at + 4)?.try_into().ok()?));
    let position = |at: usize| Some(Position { segment: number(at)?, record: number(at + 4)? });
    Some((position(0)?, position(8)?))
}

/// How many records there are from one position to another.
fn between(journal: &Journal, from: Position, to: Position) -> u64 {
    let ends = journal.segments().into_iter().filter(|end| end.segment >= from.segment && *end <= to);
    let of =
        |end: Position| end.record.saturating_sub(if end.segment == from.segment { from.record } else { 0 });
    ends.map(|end| u64::from(of(end))).sum()
}
