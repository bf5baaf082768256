//! The event as a journal record: compact, borrowed on decoding, versioned.
//!
//! ```text
//! u8       format version, 1
//! u8       severity, 0 to 5
//! u8       presence: bit 0 source, bit 1 host, bit 2 original, bit 3 message lies inside original
//! i64      timestamp, little-endian nanoseconds      i64  observed timestamp
//! text     source, host, original, each only when present
//! text     message; with bit 3 instead: varint offset in original, varint length
//! varint   number of fields, then for each: text path, u8 type, value
//! ```
//! `text` is a varint byte length and UTF-8; `varint` is LEB128. Integers are zigzag varints,
//! floats 8 bytes little-endian. Integrity is the journal's business: records carry its checksum.

use std::borrow::Cow;

use crate::{Event, Field, Severity, Timestamp, Value, varint};

const VERSION: u8 = 1;
const SOURCE: u8 = 1;
const HOST: u8 = 2;
const ORIGINAL: u8 = 4;
const MESSAGE_IN_ORIGINAL: u8 = 8;

/// Why a record is no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Written by a later version of this program.
    #[error("event record of version {0}; this program reads version {VERSION}")]
    Version(u8),
    /// It ends too early or holds what no encoder writes.
    #[error("event record is damaged at its {0}")]
    Damaged(&'static str),
}

/// Appends the event's record to `out`.
pub fn encode(event: &Event<'_>, out: &mut Vec<u8>) {
    let inside = event.original.as_deref().and_then(|original| offset_of(original, &event.message));
    let mut presence = 0;
    presence |= if event.source.is_some() { SOURCE } else { 0 };
    presence |= if event.host.is_some() { HOST } else { 0 };
    presence |= if event.original.is_some() { ORIGINAL } else { 0 };
    presence |= if inside.is_some() { MESSAGE_IN_ORIGINAL } else { 0 };
    out.extend_from_slice(&[VERSION, event.severity as u8, presence]);
    out.extend_from_slice(&event.timestamp.as_nanos().to_le_bytes());
    out.extend_from_slice(&event.observed_timestamp.as_nanos().to_le_bytes());
    for text in [&event.source, &event.host, &event.original].into_iter().flatten() {
        put_text(out, text);
    }
    match inside {
        Some(offset) => {
            varint::put(out, offset as u64);
            varint::put(out, event.message.len() as u64);
        }
        None => put_text(out, &event.message),
    }
    varint::put(out, event.fields.len() as u64);
    for field in &event.fields {
        put_text(out, &field.path);
        put_value(out, &field.value);
    }
}

/// Where the message lies in its line: at once when it borrows from it, else by a search from the end.
fn offset_of(original: &str, message: &str) -> Option<usize> {
    let distance = (message.as_ptr() as usize).wrapping_sub(original.as_ptr() as usize);
    if original.get(distance..distance.saturating_add(message.len())) == Some(message) {
        return Some(distance);
    }
    if original.ends_with(message) {
        return Some(original.len() - message.len());
    }
    None
}

/// Reads one record; text borrows from it.
///
/// # Errors
/// When the record is of a later version or is not what [`encode`] writes.
pub fn decode(record: &[u8]) -> Result<Event<'_>, DecodeError> {
    let mut input = Input(record);
    let version = input.byte("version")?;
    if version != VERSION {
        return Err(DecodeError::Version(version));
    }
    let severity = Severity::from_u8(input.byte("severity")?).ok_or(DecodeError::Damaged("severity"))?;
    let presence = input.byte("presence")?;
    let timestamp = input.timestamp()?;
    let observed_timestamp = input.timestamp()?;
    let mut optional = |bit, name| if presence & bit != 0 { input.text(name).map(Some) } else { Ok(None) };
    let source = optional(SOURCE, "source")?;
    let host = optional(HOST, "host")?;
    let original = optional(ORIGINAL, "original")?;
    let message = if presence & MESSAGE_IN_ORIGINAL != 0 {
        let (offset, length) = (input.length("message")?, input.length("message")?);
        let end = offset.checked_add(length).ok_or(DecodeError::Damaged("message"))?;
        original.and_then(|line| line.get(offset..end)).ok_or(DecodeError::Damaged("message"))?
    } else {
        input.text("message")?
    };
    let count = input.length("fields")?;
    // Each field takes three bytes at least, so a damaged count cannot ask for much memory.
    let mut fields = Vec::with_capacity(count.min(input.0.len() / 3 + 1));
    for _ in 0..count {
        let path = Cow::Borrowed(input.text("field path")?);
        fields.push(Field { path, value: input.value()? });
    }
    if !input.0.is_empty() {
        return Err(DecodeError::Damaged("end"));
    }
    Ok(Event {
        timestamp,
        observed_timestamp,
        severity,
        message: Cow::Borrowed(message),
        source: source.map(Cow::Borrowed),
        host: host.map(Cow::Borrowed),
        original: original.map(Cow::Borrowed),
        fields,
    })
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    varint::put(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn put_value(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Null => out.push(0),
        Value::Bool(value) => out.push(if *value { 2 } else { 1 }),
        Value::Int(value) => {
            out.push(3);
            varint::put(out, varint::zigzag(*value));
        }
        Value::Float(value) => {
            out.push(4);
            out.extend_from_slice(&value.to_bits().to_le_bytes());
        }
        Value::String(text) => {
            out.push(5);
            put_text(out, text);
        }
        Value::Json(text) => {
            out.push(6);
            put_text(out, text);
        }
    }
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let (head, tail) = self.0.split_at_checked(length).ok_or(DecodeError::Damaged(what))?;
        self.0 = tail;
        Ok(head)
    }

    fn byte(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        Ok(self.take(1, what)?[0])
    }

    fn eight(&mut self, what: &'static str) -> Result<[u8; 8], DecodeError> {
        self.take(8, what)?.try_into().map_err(|_| DecodeError::Damaged(what))
    }

    fn timestamp(&mut self) -> Result<Timestamp, DecodeError> {
        let nanos = i64::from_le_bytes(self.eight("time stamp")?);
        Timestamp::from_nanos(nanos).ok_or(DecodeError::Damaged("time stamp"))
    }

    fn varint(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        varint::take(&mut self.0).ok_or(DecodeError::Damaged(what))
    }

    fn length(&mut self, what: &'static str) -> Result<usize, DecodeError> {
        usize::try_from(self.varint(what)?).map_err(|_| DecodeError::Damaged(what))
    }

    fn text(&mut self, what: &'static str) -> Result<&'a str, DecodeError> {
        let length = self.length(what)?;
        std::str::from_utf8(self.take(length, what)?).map_err(|_| DecodeError::Damaged(what))
    }

    fn value(&mut self) -> Result<Value<'a>, DecodeError> {
        const WHAT: &str = "field value";
        Ok(match self.byte(WHAT)? {
            0 => Value::Null,
            1 => Value::Bool(false),
            2 => Value::Bool(true),
            3 => Value::Int(varint::unzigzag(self.varint(WHAT)?)),
            4 => Value::Float(f64::from_bits(u64::from_le_bytes(self.eight(WHAT)?))),
            5 => Value::String(Cow::Borrowed(self.text(WHAT)?)),
            6 => Value::Json(Cow::Borrowed(self.text(WHAT)?)),
            _ => return Err(DecodeError::Damaged(WHAT)),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, option, prelude::*};

    use super::*;

    fn value() -> impl Strategy<Value = Value<'static>> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            (-1e300..1e300).prop_map(Value::Float),
            ".{0,40}".prop_map(|text| Value::String(text.into())),
            Just(Value::Json("[1,\"two\"]".into())),
        ]
    }

    prop_compose! {
        fn event()(
            times in (0..i64::MAX, 0..i64::MAX),
            severity in 0u8..6,
            message in ".{0,80}",
            prefix in option::of(".{0,20}"),
            source in option::of(".{0,20}"),
            host in option::of(".{0,20}"),
            fields in vec((".{1,12}", value()), 0..6),
        ) -> Event<'static> {
            Event {
                timestamp: Timestamp::from_nanos(times.0).unwrap(),
                observed_timestamp: Timestamp::from_nanos(times.1).unwrap(),
                severity: Severity::from_u8(severity).unwrap(),
                original: prefix.map(|prefix| format!("{prefix}{message}").into()),
                message: message.into(),
                source: source.map(Cow::Owned),
                host: host.map(Cow::Owned),
                fields: fields.into_iter().map(|(path, value)| Field { path: path.into(), value }).collect(),
            }
        }
    }

    proptest! {
        #[test]
        fn every_event_round_trips(event in event()) {
            let mut record = Vec::new();
            encode(&event, &mut record);
            prop_assert_eq!(decode(&record), Ok(event));
        }

        #[test]
        fn every_truncation_is_refused(event in event()) {
            let mut record = Vec::new();
            encode(&event, &mut record);
            for length in 0..record.len() {
                prop_assert!(decode(&record[..length]).is_err(), "cut at {}", length);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(mut bytes in vec(any::<u8>(), 0..200), version: bool) {
            if version && !bytes.is_empty() {
                bytes[0] = VERSION;
            }
            if let Ok(event) = decode(&bytes) {
                let mut again = Vec::new();
                encode(&event, &mut again);
                prop_assert!(decode(&again).is_ok());
            }
        }
    }

    #[test]
    fn a_message_inside_its_line_is_stored_once() {
        let line = "Jun 14 15:16:01 combo sshd[19939]: authentication failure".to_owned();
        let mut event = Event::new(&line[35..], Timestamp::MIN);
        event.original = Some(line.as_str().into());
        let mut record = Vec::new();
        encode(&event, &mut record);
        assert!(record.len() < line.len() + 30);
        assert_eq!(decode(&record), Ok(event));
    }
}
