//! From records of the journal to events.

use event::{Batch, Event, EventId, Position, Timestamp, codec};
use journal::{Journal, Records};
use tracing::warn;
use verdicts::Verdicts;

/// The events of records, with their ids.
pub(crate) fn events_of<'r>(journal: &Journal, records: &'r Records) -> Vec<(EventId, Event<'r>)> {
    let identity = journal.identity();
    records.iter().map(|(position, record)| (identity.event(position), decode(record))).collect()
}

/// The events of records before a place, with what was said of them; and of how many nothing is known.
pub(crate) fn judged<'r>(
    journal: &Journal,
    verdicts: &Verdicts,
    records: &'r Records,
    to: Position,
) -> (Batch<'r>, u64) {
    let mut events = events_of(journal, records);
    events.retain(|(id, _)| id.position < to);
    verdicts.join(events, records.end().min(to))
}

/// Lets verdicts go that every reader has passed.
pub(crate) fn passed(verdicts: &Verdicts, reader: &'static str, position: Position) {
    if let Err(failure) = verdicts.passed(reader, position) {
        warn!(error = &failure as &dyn std::error::Error, "the kept verdicts take more room than they need");
    }
}

/// The event of a record. One that does not decode (written by a later version, say) becomes an
/// event that says so, because what was acknowledged is never dropped.
pub(crate) fn decode(record: &[u8]) -> Event<'_> {
    codec::decode(record).unwrap_or_else(|error| {
        let mut event = Event::new(format!("log record could not be read: {error}"), Timestamp::MIN);
        event.set("labels.record", record.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        event.severity = event::Severity::Error;
        event
    })
}
