//! Events whose id another event on the server has: that happens when a data folder was restored from
//! a backup, or copied, and both go on. An id that is taken is no proof that an event is stored, so what
//! is there is compared, by the times of event and receipt, which two events of one place do not share.
//! An event that is not the one that is there is kept under an id that follows from its content, so
//! that it is the same whenever it is sent again.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use event::{EventId, JournalId, Timestamp, codec};
use memchr::memmem;
use serde_json::Value as Json;
use telemetry::metric;
use tokio::time::Instant;

use super::bulk::Entry;

/// Collisions are told of so often at most.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// When an event was and when it came in.
pub(super) type Stamps = (Timestamp, Timestamp);

/// The collisions met so far.
#[derive(Debug, Default)]
pub(super) struct Collisions {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    journal: Option<JournalId>,
    told_at: Option<Instant>,
    untold: u64,
}

impl Collisions {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The journal that the last event of one was of.
    pub(super) fn journal(&self) -> Option<JournalId> {
        self.lock().journal
    }

    /// Remembers and tells that events of a journal met others under their ids.
    pub(super) fn met(&self, journal: JournalId, events: u64) {
        metrics::counter!(metric::ELASTIC_ID_COLLISIONS).increment(events);
        let mut state = self.lock();
        state.journal = Some(journal);
        state.untold += events;
        if state.told_at.is_none_or(|told_at| told_at.elapsed() >= TOLD_EVERY) {
            tracing::warn!(
                events = state.untold,
                %journal,
                "other events in the cluster have the ids of these: the data folder was restored from a backup or \
                 copied while another collector goes on with it; these events are kept under new ids"
            );
            (state.told_at, state.untold) = (Some(Instant::now()), 0);
        }
    }
}

impl Entry {
    /// Its times; None when its record cannot be read.
    pub(super) fn stamps(&self) -> Option<Stamps> {
        let event = codec::decode(&self.record).ok()?;
        Some((event.timestamp, event.observed_timestamp))
    }

    /// It under an id that follows from its present one and its content.
    pub(super) fn renamed(self) -> Self {
        let old = self.id.to_string();
        let mut hash = blake3::Hasher::new();
        hash.update(old.as_bytes());
        hash.update(&self.record);
        let journal = hash.finalize().as_bytes().first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes));
        let id = EventId { journal: JournalId(journal), position: self.id.position };
        let new = id.to_string();
        // Quotes within a text are escaped, so this stands only where an id is: in the action and in the document.
        let (prefix, pattern) = ("id\":\"", format!("id\":\"{old}\""));
        let mut lines = self.lines.to_vec();
        let places: Vec<usize> = memmem::find_iter(&self.lines, &pattern).collect();
        for place in places {
            let at = place + prefix.len();
            if let Some(bytes) = lines.get_mut(at..at + new.len()) {
                bytes.copy_from_slice(new.as_bytes());
            }
        }
        Self { id, lines: Bytes::from(lines), ..self }
    }
}

/// The times of a document.
pub(super) fn stamps_of(source: &Json) -> Option<Stamps> {
    let time = |value: &Json| Timestamp::parse(value.as_str()?).ok();
    let created = match &source["event"]["created"] {
        Json::Null => &source["event.created"],
        created => created,
    };
    Some((time(&source["@timestamp"])?, time(created)?))
}

#[cfg(test)]
mod tests {
    use event::{Event, Position};
    use serde_json::json;

    use super::*;

    fn entry(message: &str) -> Entry {
        let id = EventId { journal: JournalId(7), position: Position { segment: 1, record: 2 } };
        let mut record = Vec::new();
        codec::encode(&Event::new(message, Timestamp::MIN), &mut record);
        let document = json!({"message": format!("\"id\":\"{id}\""), "sentinel": {"id": id.to_string()}});
        let lines = format!("{}\n{document}\n", json!({"create": {"_id": id.to_string()}}));
        Entry { id, lines: lines.into(), record: record.into(), batch: 3, suspect: None, is_fitted: false }
    }

    #[test]
    fn a_new_id_follows_from_the_content_and_changes_nothing_else() {
        let (before, renamed) = (entry("a"), entry("a").renamed());
        assert_eq!(renamed.id, entry("a").renamed().id, "the same whenever it is sent");
        assert_ne!(renamed.id, entry("b").renamed().id);
        assert_ne!(renamed.id, renamed.clone().renamed().id, "and another one if that is taken, too");
        assert_eq!((renamed.id.position, renamed.batch), (before.id.position, 3));
        let lines: Vec<Json> = renamed
            .lines
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect();
        let new = renamed.id.to_string();
        assert_eq!(lines[0], json!({"create": {"_id": new}}));
        assert_eq!(lines[1]["sentinel"]["id"], new);
        assert_eq!(lines[1]["message"], format!("\"id\":\"{}\"", before.id), "what a text says stays");
    }

    #[test]
    fn times_are_read_from_documents_of_either_spelling() {
        let (event, receipt) = ("2024-06-01T12:00:00.000000001Z", "2024-06-01T12:00:01Z");
        let expected = Some((Timestamp::parse(event).unwrap(), Timestamp::parse(receipt).unwrap()));
        assert_eq!(stamps_of(&json!({"@timestamp": event, "event": {"created": receipt}})), expected);
        assert_eq!(stamps_of(&json!({"@timestamp": event, "event.created": receipt})), expected);
        assert_eq!(stamps_of(&json!({"@timestamp": event})), None);
    }
}
