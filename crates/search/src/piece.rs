//! Events of the journal, decoded and held tightly: their text in one piece, everything else by its place in that.

use std::{borrow::Cow, collections::HashSet, ops::Range, sync::Arc};

use event::{Analyzed, Event, EventId, Field, Position, Severity, Template, Timestamp, Value, Verdict};
use index::{
    IndexError,
    scan::{Events, Look},
};
use journal::Identity;
use verdicts::Verdicts;

/// Events that follow each other within a segment of the journal.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    start: Position,
    end: Position,
    /// Of their records.
    bytes: usize,
    text: String,
    rows: Vec<Row>,
    fields: Vec<FieldRow>,
    /// Where names stand that were met last, which mostly come again: by a hash of each.
    names: [Place; NAMES],
}

/// How many names are remembered.
const NAMES: usize = 64;

/// A text by its place among all of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    start: u32,
    end: u32,
}

#[derive(Debug, Clone)]
struct Row {
    record: u32,
    /// Behind its further fields.
    fields: u32,
    timestamp: Timestamp,
    observed: Timestamp,
    message: Place,
    source: Option<Place>,
    host: Option<Place>,
    original: Option<Place>,
    severity: Severity,
}

#[derive(Debug, Clone)]
struct FieldRow {
    path: Place,
    value: FieldValue,
}

#[derive(Debug, Clone, Copy)]
enum FieldValue {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    String(Place),
    Json(Place),
}

/// What the analysis said of the events of a piece: of each, or nothing of any.
#[derive(Debug, Default)]
pub(crate) struct Said(Vec<(Option<Arc<Template>>, Verdict)>);

impl Piece {
    /// An empty one that begins at a place.
    pub(crate) fn begin(start: Position) -> Self {
        let (text, rows, fields) = (String::new(), Vec::new(), Vec::new());
        Self { start, end: start, bytes: 0, text, rows, fields, names: [Place { start: 0, end: 0 }; NAMES] }
    }

    pub(crate) fn start(&self) -> Position {
        self.start
    }

    /// Where reading goes on.
    pub(crate) fn end(&self) -> Position {
        self.end
    }

    /// Adds the event of a record of so many bytes.
    pub(crate) fn push(&mut self, position: Position, event: &Event<'_>, bytes: usize) {
        let original = event.original.as_deref().map(|original| self.put(original));
        let message = match (original, event.original.as_deref()) {
            (Some(place), Some(line)) => {
                inside(line, &event.message, place).unwrap_or_else(|| self.put(&event.message))
            }
            _ => self.put(&event.message),
        };
        let source = event.source.as_deref().map(|source| self.put_name(source));
        let host = event.host.as_deref().map(|host| self.put_name(host));
        for Field { path, value } in &event.fields {
            let path = self.put_name(path);
            let value = match value {
                Value::Null => FieldValue::Null,
                Value::Bool(value) => FieldValue::Bool(*value),
                Value::Int(value) => FieldValue::Int(*value),
                Value::Float(value) => FieldValue::Float(*value),
                Value::String(text) => FieldValue::String(self.put(text)),
                Value::Json(text) => FieldValue::Json(self.put(text)),
            };
            self.fields.push(FieldRow { path, value });
        }
        self.rows.push(Row {
            record: position.record,
            fields: self.fields.len() as u32,
            timestamp: event.timestamp,
            observed: event.observed_timestamp,
            message,
            source,
            host,
            original,
            severity: event.severity,
        });
        self.bytes += bytes;
    }

    /// All events before a place are there now that can be.
    pub(crate) fn reach(&mut self, end: Position) {
        self.end = end;
    }

    fn put(&mut self, text: &str) -> Place {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        Place { start, end: self.text.len() as u32 }
    }

    /// How many events it has.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// As [`Piece::put`], of what has probably been put before.
    fn put_name(&mut self, name: &str) -> Place {
        let mixed = name.bytes().fold(0usize, |mixed, byte| mixed.wrapping_mul(31).wrapping_add(byte.into()));
        let at = mixed % NAMES;
        if self.text(self.names[at]) != name {
            self.names[at] = self.put(name);
        }
        self.names[at]
    }

    /// Bytes of the records of its events.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that it takes in memory.
    pub(crate) fn size_bytes(&self) -> usize {
        size_of::<Self>()
            + self.text.capacity()
            + self.rows.capacity() * size_of::<Row>()
            + self.fields.capacity() * size_of::<FieldRow>()
    }

    /// Lets go of room that was kept for more.
    pub(crate) fn tighten(&mut self) {
        self.text.shrink_to_fit();
        self.rows.shrink_to_fit();
        self.fields.shrink_to_fit();
    }

    /// The numbers of its events between two places.
    pub(crate) fn between(&self, from: Position, to: Position) -> Range<usize> {
        let before = |place: Position| self.rows.partition_point(|row| self.position(row) < place);
        before(from)..before(to)
    }

    fn position(&self, row: &Row) -> Position {
        Position { record: row.record, ..self.start }
    }

    /// What the analysis has said of its events by now.
    pub(crate) fn said(&self, verdicts: &Verdicts, identity: &Identity) -> Said {
        let ids = self.rows.iter().map(|row| identity.event(self.position(row)));
        let events = ids.enumerate().map(|(number, id)| (id, self.event(number, Vec::new()))).collect();
        let said = verdicts.look(events, self.end).into_iter();
        Said(said.map(|Analyzed { template, verdict, .. }| (template, verdict)).collect())
    }

    /// The event with this number, its fields in a list that is there already.
    fn event<'p>(&'p self, number: usize, mut fields: Vec<Field<'p>>) -> Event<'p> {
        let Some(row) = self.rows.get(number) else { return Event::new("", Timestamp::default()) };
        let text = |place: Place| Cow::Borrowed(self.text(place));
        let first =
            number.checked_sub(1).and_then(|before| self.rows.get(before)).map_or(0, |row| row.fields);
        let own = self.fields.get(first as usize..row.fields as usize).unwrap_or_default();
        fields.extend(own.iter().map(|FieldRow { path, value }| {
            let value = match *value {
                FieldValue::Null => Value::Null,
                FieldValue::Bool(value) => Value::Bool(value),
                FieldValue::Int(value) => Value::Int(value),
                FieldValue::Float(value) => Value::Float(value),
                FieldValue::String(place) => Value::String(text(place)),
                FieldValue::Json(place) => Value::Json(text(place)),
            };
            Field { path: text(*path), value }
        }));
        Event {
            timestamp: row.timestamp,
            observed_timestamp: row.observed,
            severity: row.severity,
            message: text(row.message),
            source: row.source.map(text),
            host: row.host.map(text),
            original: row.original.map(text),
            fields,
        }
    }

    fn text(&self, place: Place) -> &str {
        self.text.get(place.start as usize..place.end as usize).unwrap_or_default()
    }
}

/// Where a message lies among the texts when it is a part of its line, which has a place already.
fn inside(line: &str, message: &str, place: Place) -> Option<Place> {
    let distance = (message.as_ptr() as usize).wrapping_sub(line.as_ptr() as usize);
    let part = line.get(distance..distance.checked_add(message.len())?)?;
    let start = place.start + distance as u32;
    (part == message).then_some(Place { start, end: start + message.len() as u32 })
}

impl Said {
    /// Bytes that it takes in memory.
    pub(crate) fn size_bytes(&self) -> usize {
        let mut templates = HashSet::new();
        let own = |(template, verdict): &(Option<Arc<Template>>, Verdict)| {
            let text = template.as_ref().filter(|template| templates.insert(Arc::as_ptr(template)));
            let reasons = verdict.reasons.iter().map(|reason| size_of::<String>() + reason.capacity());
            text.map_or(0, |template| size_of::<Template>() + template.text.len()) + reasons.sum::<usize>()
        };
        self.0.capacity() * size_of::<(Option<Arc<Template>>, Verdict)>()
            + self.0.iter().map(own).sum::<usize>()
    }
}

/// Some of the events of a piece, with what was said of them.
pub(crate) struct Part<'p> {
    pub(crate) piece: &'p Piece,
    pub(crate) said: &'p Said,
    pub(crate) identity: &'p Identity,
    pub(crate) rows: Range<usize>,
}

impl Part<'_> {
    fn id(&self, number: usize) -> EventId {
        let position = self.piece.rows.get(number).map(|row| self.piece.position(row));
        self.identity.event(position.unwrap_or(self.piece.end))
    }
}

impl Events for Part<'_> {
    fn count(&self) -> usize {
        self.rows.len()
    }

    fn show(&self, numbers: Range<usize>, look: &mut Look<'_>) -> Result<(), IndexError> {
        let mut fields = Vec::new();
        for number in numbers.start..numbers.end.min(self.count()) {
            let row = self.rows.start + number;
            let event = self.piece.event(row, fields);
            let mut analyzed = Analyzed::unanalyzed(self.id(row), event);
            if let Some((template, verdict)) = self.said.0.get(row) {
                (analyzed.template, analyzed.verdict) = (template.clone(), verdict.clone());
            }
            look(number, &analyzed)?;
            fields = analyzed.event.fields;
            fields.clear();
        }
        Ok(())
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
            ".{0,20}".prop_map(|text| Value::String(text.into())),
            Just(Value::Json("[1,\"two\"]".into())),
        ]
    }

    prop_compose! {
        fn event()(
            times in (0..i64::MAX, 0..i64::MAX),
            severity in 0u8..6,
            message in ".{0,40}",
            prefix in option::of(".{0,10}"),
            source in option::of(".{0,10}"),
            host in option::of(".{0,10}"),
            fields in vec((".{1,12}", value()), 0..4),
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
        fn events_come_out_as_they_went_in(events in vec(event(), 0..6), from in 0usize..6, to in 0usize..6) {
            let at = |number: usize| Position { segment: 3, record: 100 + 2 * number as u32 };
            let mut piece = Piece::begin(at(0));
            for (number, event) in events.iter().enumerate() {
                let mut record = Vec::new();
                event::codec::encode(event, &mut record);
                // Decoded, a message lies in its line.
                piece.push(at(number), &event::codec::decode(&record).unwrap(), record.len());
            }
            piece.reach(at(events.len()));
            piece.tighten();
            let (from, to) = (from.min(events.len()), to.min(events.len()));
            let rows = piece.between(at(from), at(to.max(from)));
            let shown: Vec<_> = rows.map(|row| (piece.position(&piece.rows[row]), piece.event(row, vec![]))).collect();
            let expected: Vec<_> =
                (from..to.max(from)).map(|number| (at(number), events[number].clone())).collect();
            prop_assert_eq!(shown, expected);
            let texts = events.iter().map(|event| event.original.as_ref().unwrap_or(&event.message).len());
            prop_assert!(piece.size_bytes() >= piece.text.len() && piece.text.len() >= texts.sum::<usize>());
        }
    }

    #[test]
    fn a_message_in_its_line_takes_no_room_of_its_own() {
        let mut event = Event::new("a rather long message", Timestamp::MIN);
        event.original = Some("<13>a rather long message".into());
        let mut record = Vec::new();
        event::codec::encode(&event, &mut record);
        let mut piece = Piece::begin(Position::default());
        piece.push(Position::default(), &event::codec::decode(&record).unwrap(), record.len());
        assert_eq!(piece.text, "<13>a rather long message");
    }
}
