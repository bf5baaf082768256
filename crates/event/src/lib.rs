//! What a log event is: its fields, its identity, its form on disk and its ECS document.
//!
//! Every other crate speaks in these types. This crate does no I/O, reads no clock and never
//! fails on what an event contains; it must never learn of a protocol, a store or a service.

mod analyzed;
pub mod codec;
mod document;
pub mod ecs;
pub mod field;
mod id;
mod severity;
mod timestamp;
mod value;
pub mod varint;

use std::{borrow::Cow, time::Duration};

pub use analyzed::{
    Analyzed, Batch, InvalidTemplateId, Template, TemplateId, Variable, VariableKind, Verdict, VerdictState,
};
pub use document::{Document, document, fields_of, member};
pub use ecs::FieldKind;
pub use id::{EventId, InvalidEventId, JournalId, Position};
pub use severity::Severity;
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use value::Value;

/// How far a time stamp may lie after its receipt: clocks and zones may be apart by so much. What lies further is
/// stored and found, but neither rates nor retention nor defaults go by it.
pub const FUTURE_AFTER: Duration = Duration::from_secs(86_400);

/// One log event. Text borrows from the bytes it was parsed or decoded from, so that an event can
/// pass from a request body to the journal and from the journal to the index without a copy.
#[derive(Debug, Clone, PartialEq)]
pub struct Event<'a> {
    /// When it happened: `@timestamp`.
    pub timestamp: Timestamp,
    /// When it was received: `event.created`.
    pub observed_timestamp: Timestamp,
    /// `log.level`.
    pub severity: Severity,
    /// `message`.
    pub message: Cow<'a, str>,
    /// `service.name`.
    pub source: Option<Cow<'a, str>>,
    /// `host.name`.
    pub host: Option<Cow<'a, str>>,
    /// The line it was parsed from, byte for byte: `event.original`. None for events that arrived
    /// as structured records, whose fields already say everything.
    pub original: Option<Cow<'a, str>>,
    /// Everything else, by dotted path: ECS names, or `labels.*` for what ECS does not know.
    /// No path occurs twice and none of those above occurs.
    pub fields: Vec<Field<'a>>,
}

/// A further field of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Field<'a> {
    /// Dotted path, for example `source.ip`.
    pub path: Cow<'a, str>,
    /// Its value.
    pub value: Value<'a>,
}

impl<'a> Event<'a> {
    /// An event of which nothing is known but its text and when it was received.
    pub fn new(message: impl Into<Cow<'a, str>>, received: Timestamp) -> Self {
        Self {
            timestamp: received,
            observed_timestamp: received,
            severity: Severity::Info,
            message: message.into(),
            source: None,
            host: None,
            original: None,
            fields: Vec::new(),
        }
    }

    /// The value at a dotted path among the further fields.
    pub fn field(&self, path: &str) -> Option<&Value<'a>> {
        self.fields.iter().find(|field| field.path == path).map(|field| &field.value)
    }

    /// Sets a further field, replacing an earlier value at the same path.
    pub fn set(&mut self, path: impl Into<Cow<'a, str>>, value: impl Into<Value<'a>>) {
        let (path, value) = (path.into(), value.into());
        match self.fields.iter_mut().find(|field| field.path == path) {
            Some(field) => field.value = value,
            None => self.fields.push(Field { path, value }),
        }
    }

    /// Adds a further field whose path is known not to be among them.
    pub fn add(&mut self, path: impl Into<Cow<'a, str>>, value: impl Into<Value<'a>>) {
        let (path, value) = (path.into(), value.into());
        debug_assert!(self.field(&path).is_none(), "{path} is set already");
        self.fields.push(Field { path, value });
    }

    /// Whether its time stamp lies in the future, as of its receipt: more than [`FUTURE_AFTER`] after it.
    pub fn is_future(&self) -> bool {
        let ahead = self.timestamp.as_nanos() - self.observed_timestamp.as_nanos();
        i128::from(ahead) > FUTURE_AFTER.as_nanos() as i128
    }

    /// Adds a flag to `log.flags`.
    pub fn flag(&mut self, flag: &str) {
        let earlier = match self.field(field::FLAGS) {
            Some(Value::Json(flags)) if flags.contains(flag) => return,
            Some(Value::Json(flags)) => flags.trim_end_matches(']').to_owned() + ",",
            _ => "[".to_owned(),
        };
        self.set(field::FLAGS, Value::Json(format!("{earlier}\"{flag}\"]").into()));
    }

    /// Whether `log.flags` holds a flag.
    pub fn has_flag(&self, flag: &str) -> bool {
        matches!(self.field(field::FLAGS), Some(Value::Json(flags)) if flags.contains(flag))
    }

    /// The same event with all of its text owned.
    pub fn into_owned(self) -> Event<'static> {
        let own = |text: Cow<'a, str>| Cow::Owned(text.into_owned());
        Event {
            timestamp: self.timestamp,
            observed_timestamp: self.observed_timestamp,
            severity: self.severity,
            message: own(self.message),
            source: self.source.map(own),
            host: self.host.map(own),
            original: self.original.map(own),
            fields: self
                .fields
                .into_iter()
                .map(|field| Field { path: own(field.path), value: field.value.into_owned() })
                .collect(),
        }
    }
}
