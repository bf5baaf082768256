//! From records of the journal to events.

use event::{Event, EventId, Timestamp, codec};
use journal::{Journal, Records};

/// The events of records, with their ids.
pub(crate) fn events_of<'r>(journal: &Journal, records: &'r Records) -> Vec<(EventId, Event<'r>)> {
    let identity = journal.identity();
    records.iter().map(|(position, record)| (identity.event(position), decode(record))).collect()
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
