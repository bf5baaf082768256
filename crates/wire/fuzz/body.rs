// What is done with each input of the fuzz target `record`; an ordinary test does the same.

use prost::Message;
use wire::{record, v1};

/// Reads bytes as a log record; panics where a promise is broken.
pub(crate) fn record(bytes: &[u8]) {
    let generated = v1::LogRecord::decode(bytes);
    let Ok(event) = record::decode(bytes) else { return };
    let generated = generated.expect("what we read, the generated type reads");
    assert_eq!(generated.message, event.message);
    assert_eq!(generated.service_name.as_deref(), event.source.as_deref());
    assert_eq!(generated.attributes.len(), event.fields.len());
    let mut again = Vec::new();
    record::encode(&event, &mut again);
    // By their text, for NaN differs from itself.
    assert_eq!(format!("{:?}", record::decode(&again)), format!("{:?}", Ok::<_, record::RecordError>(event)));
}
