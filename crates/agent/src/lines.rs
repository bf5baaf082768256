//! Events of the agent's journal as the collector takes them: documents of ECS, a line each.

use event::{Event, Verdict, codec::DecodeError, field};

/// Appends an event as a line of JSON. What the collector makes itself is left out.
///
/// # Errors
/// When the record is none of an event.
pub(crate) fn write(record: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
    let event: Event<'_> = event::codec::decode(record)?;
    let mut document = event::document(&event, None, &Verdict::unscored());
    document.remove("sentinel");
    if let Some(serde_json::Value::Object(members)) = document.get_mut("event") {
        members.remove(field::CREATED.trim_start_matches("event."));
    }
    out.extend(serde_json::Value::Object(document).to_string().into_bytes());
    out.push(b'\n');
    Ok(())
}
