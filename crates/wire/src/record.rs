//! `LogRecord` to and from [`Event`], without a copy of its text.
//!
//! The same bytes as the generated `v1::LogRecord` writes and reads; a test holds the two against each
//! other. Wire format: Protocol Buffers encoding, <https://protobuf.dev/programming-guides/encoding/>.

use std::{borrow::Cow, collections::HashSet, net::IpAddr};

use event::{Event, Field, Severity, Timestamp, Value, varint};
use serde::de::IgnoredAny;

const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const LENGTH: u8 = 2;
const FIXED32: u8 = 5;

/// Why bytes are no log record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// They end too early or follow no rule of the wire format.
    #[error("the log record is damaged at its {0}")]
    Damaged(&'static str),
    /// A text is not UTF-8.
    #[error("{0} is not UTF-8")]
    Utf8(&'static str),
    /// A time past 2262.
    #[error("{0} is past 2262")]
    Time(&'static str),
    /// A number that OpenTelemetry does not define.
    #[error("severity_number {0} is outside 0 to 24")]
    Severity(u64),
    /// An attribute that no event has.
    #[error("attributes: {0}")]
    Attribute(AttributeError),
}

/// What is wrong with an attribute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttributeError {
    /// It has no key.
    #[error("one has no key; give each the dotted name of its field")]
    NoKey,
    /// Another one has the same key.
    #[error("the key '{0}' is given twice; give a list as json_value")]
    Twice(String),
    /// Text that is no JSON.
    #[error("the json_value of '{0}' is no JSON; give plain text as string_value")]
    Json(String),
    /// A field of addresses that holds something else.
    #[error("'{0}' holds no IP address; put other text below labels, such as 'labels.{0}'")]
    Address(String),
}

/// With so few attributes each is compared with those before it.
const FEW_ATTRIBUTES: usize = 64;
/// Characters of a key that an error repeats.
const SHOWN_CHARS: usize = 80;

/// Appends an event's `LogRecord` to `out`.
pub fn encode(event: &Event<'_>, out: &mut Vec<u8>) {
    encode_scored(event, out);
    if let Some(original) = &event.original {
        put_text(out, 7, original);
    }
}

/// [`encode`] without `event_original`, at which scoring does not look: half of the bytes.
pub fn encode_scored(event: &Event<'_>, out: &mut Vec<u8>) {
    put_fixed64(out, 1, event.timestamp.as_nanos() as u64);
    put_fixed64(out, 2, event.observed_timestamp.as_nanos() as u64);
    put_key(out, 3, VARINT);
    varint::put(out, u64::from(event.severity as u8) * 4 + 1);
    if !event.message.is_empty() {
        put_text(out, 4, &event.message);
    }
    if let Some(source) = &event.source {
        put_text(out, 5, source);
    }
    if let Some(host) = &event.host {
        put_text(out, 6, host);
    }
    let mut inner = Vec::new();
    for field in &event.fields {
        inner.clear();
        put_attribute(&mut inner, field);
        put_bytes(out, 8, &inner);
    }
}

fn put_attribute(out: &mut Vec<u8>, field: &Field<'_>) {
    if !field.path.is_empty() {
        put_text(out, 1, &field.path);
    }
    match &field.value {
        Value::Null => {}
        Value::Bool(value) => {
            put_key(out, 2, VARINT);
            varint::put(out, u64::from(*value));
        }
        Value::Int(value) => {
            put_key(out, 3, VARINT);
            varint::put(out, varint::zigzag(*value));
        }
        Value::Float(value) => put_fixed64(out, 4, value.to_bits()),
        Value::String(text) => put_text(out, 5, text),
        Value::Json(text) => put_text(out, 6, text),
    }
}

/// Reads a `LogRecord`; text borrows from it. Unknown fields are passed over, and of a field that is
/// given twice the last one counts.
///
/// # Errors
/// When the bytes are no log record.
pub fn decode(record: &[u8]) -> Result<Event<'_>, RecordError> {
    let mut input = Input(record);
    let (mut timestamp, mut observed) = (None, None);
    let mut event = Event::new("", Timestamp::MIN);
    while let Some((field, kind)) = input.key()? {
        match (field, kind) {
            (1, FIXED64) => timestamp = Some(input.time("time_unix_nano")?),
            (2, FIXED64) => observed = Some(input.time("observed_time_unix_nano")?),
            (3, VARINT) => event.severity = severity(input.varint("severity_number")?)?,
            (4, LENGTH) => event.message = input.text("message")?,
            (5, LENGTH) => event.source = Some(input.text("service_name")?),
            (6, LENGTH) => event.host = Some(input.text("host_name")?),
            (7, LENGTH) => event.original = Some(input.text("event_original")?),
            (8, LENGTH) => event.fields.push(attribute(input.bytes("attributes")?)?),
            (1..=8, _) => return Err(RecordError::Damaged("field types")),
            (_, kind) => input.skip(kind)?,
        }
    }
    if let Some(twice) = repeated(&event.fields) {
        return Err(RecordError::Attribute(AttributeError::Twice(shown(twice))));
    }
    event.timestamp = timestamp.or(observed).unwrap_or(Timestamp::MIN);
    event.observed_timestamp = observed.or(timestamp).unwrap_or(Timestamp::MIN);
    Ok(event)
}

fn severity(number: u64) -> Result<Severity, RecordError> {
    // An enumeration is 32 bits wide; what is beyond is cut off, as the wire format has it.
    match number as u32 {
        0 => Ok(Severity::Info),
        number @ 1..=24 => {
            Severity::from_u8(((number - 1) / 4) as u8).ok_or(RecordError::Severity(number.into()))
        }
        number => Err(RecordError::Severity(number.into())),
    }
}

fn attribute(bytes: &[u8]) -> Result<Field<'_>, RecordError> {
    const WHAT: &str = "attributes";
    let mut input = Input(bytes);
    let mut field = Field { path: Cow::Borrowed(""), value: Value::Null };
    while let Some((number, kind)) = input.key()? {
        match (number, kind) {
            (1, LENGTH) => field.path = input.text("the key of an attribute")?,
            (2, VARINT) => field.value = Value::Bool(input.varint(WHAT)? != 0),
            (3, VARINT) => field.value = Value::Int(varint::unzigzag(input.varint(WHAT)?)),
            (4, FIXED64) => field.value = Value::Float(f64::from_bits(input.fixed64(WHAT)?)),
            (5, LENGTH) => field.value = Value::String(input.text("the value of an attribute")?),
            (6, LENGTH) => field.value = Value::Json(input.text("the value of an attribute")?),
            (1..=6, _) => return Err(RecordError::Damaged(WHAT)),
            (_, kind) => input.skip(kind)?,
        }
    }
    check(&field).map_err(RecordError::Attribute)?;
    Ok(field)
}

/// Refuses what the wire format allows and no event has.
fn check(field: &Field<'_>) -> Result<(), AttributeError> {
    let path = &*field.path;
    match &field.value {
        _ if path.is_empty() => Err(AttributeError::NoKey),
        Value::Json(text) if serde_json::from_str::<IgnoredAny>(text).is_err() => {
            Err(AttributeError::Json(shown(path)))
        }
        // ECS calls all its addresses so.
        Value::String(text)
            if path.ends_with(".ip") && !path.starts_with("labels.") && text.parse::<IpAddr>().is_err() =>
        {
            Err(AttributeError::Address(shown(path)))
        }
        _ => Ok(()),
    }
}

/// A key that two attributes have.
fn repeated<'f>(fields: &'f [Field<'_>]) -> Option<&'f str> {
    if fields.len() > FEW_ATTRIBUTES {
        let mut seen = HashSet::with_capacity(fields.len());
        return fields.iter().map(|field| &*field.path).find(|path| !seen.insert(*path));
    }
    // Most keys differ in length or in their last letter, and are compared with no other.
    let mut marks = 0u64;
    for (at, field) in fields.iter().enumerate() {
        let path = &*field.path;
        let last = path.as_bytes().last().copied().unwrap_or_default();
        let mark = 1 << ((path.len() * 7 + usize::from(last)) % 64);
        if marks & mark != 0 && fields[..at].iter().any(|other| other.path == path) {
            return Some(path);
        }
        marks |= mark;
    }
    None
}

fn shown(key: &str) -> String {
    key.chars().take(SHOWN_CHARS).collect()
}

fn put_key(out: &mut Vec<u8>, field: u8, kind: u8) {
    out.push(field << 3 | kind);
}

fn put_fixed64(out: &mut Vec<u8>, field: u8, value: u64) {
    put_key(out, field, FIXED64);
    out.extend_from_slice(&value.to_le_bytes());
}

fn put_text(out: &mut Vec<u8>, field: u8, text: &str) {
    put_bytes(out, field, text.as_bytes());
}

fn put_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    put_key(out, field, LENGTH);
    varint::put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], RecordError> {
        let (head, tail) = self.0.split_at_checked(length).ok_or(RecordError::Damaged(what))?;
        self.0 = tail;
        Ok(head)
    }

    /// The next field's number and type; None at the end.
    fn key(&mut self) -> Result<Option<(u64, u8)>, RecordError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint("field number")?;
        match key >> 3 {
            0 => Err(RecordError::Damaged("field number")),
            field if field < 1 << 29 => Ok(Some((field, (key & 7) as u8))),
            _ => Err(RecordError::Damaged("field number")),
        }
    }

    fn varint(&mut self, what: &'static str) -> Result<u64, RecordError> {
        varint::take(&mut self.0).ok_or(RecordError::Damaged(what))
    }

    fn fixed64(&mut self, what: &'static str) -> Result<u64, RecordError> {
        let bytes = self.take(8, what)?.try_into().map_err(|_| RecordError::Damaged(what))?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn time(&mut self, what: &'static str) -> Result<Timestamp, RecordError> {
        let nanos = i64::try_from(self.fixed64(what)?).map_err(|_| RecordError::Time(what))?;
        Timestamp::from_nanos(nanos).ok_or(RecordError::Time(what))
    }

    fn bytes(&mut self, what: &'static str) -> Result<&'a [u8], RecordError> {
        let length = usize::try_from(self.varint(what)?).map_err(|_| RecordError::Damaged(what))?;
        self.take(length, what)
    }

    fn text(&mut self, what: &'static str) -> Result<Cow<'a, str>, RecordError> {
        std::str::from_utf8(self.bytes(what)?).map(Cow::Borrowed).map_err(|_| RecordError::Utf8(what))
    }

    fn skip(&mut self, kind: u8) -> Result<(), RecordError> {
        const WHAT: &str = "unknown field";
        match kind {
            VARINT => self.varint(WHAT).map(drop),
            FIXED64 => self.take(8, WHAT).map(drop),
            FIXED32 => self.take(4, WHAT).map(drop),
            LENGTH => self.bytes(WHAT).map(drop),
            // Groups are of a version long past.
            _ => Err(RecordError::Damaged(WHAT)),
        }
    }
}
