//! Events on the wire: the same again after a round trip, and the same bytes as the generated type's.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail by panicking")]

#[path = "../fuzz/body.rs"]
mod body;

use std::borrow::Cow;

use event::{Event, Field, Severity, Timestamp, Value, Verdict, VerdictState};
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
};
use prost::Message;
use wire::{
    record::{self, AttributeError, RecordError},
    v1::{self, attribute},
};

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
        texts in (option::of(".{0,20}"), option::of(".{0,20}"), option::of(".{0,200}")),
        fields in btree_map("[^.]{1,12}", value(), 0..6),
    ) -> Event<'static> {
        Event {
            timestamp: Timestamp::from_nanos(times.0).unwrap(),
            observed_timestamp: Timestamp::from_nanos(times.1).unwrap(),
            severity: Severity::from_u8(severity).unwrap(),
            message: message.into(),
            source: texts.0.map(Cow::Owned),
            host: texts.1.map(Cow::Owned),
            original: texts.2.map(Cow::Owned),
            fields: fields.into_iter().map(|(path, value)| Field { path: path.into(), value }).collect(),
        }
    }
}

/// The record as the generated type has it.
fn generated(event: &Event<'_>) -> v1::LogRecord {
    let text = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
    let attribute = |field: &Field<'_>| v1::Attribute {
        key: field.path.to_string(),
        value: match &field.value {
            Value::Null => None,
            Value::Bool(value) => Some(attribute::Value::BoolValue(*value)),
            Value::Int(value) => Some(attribute::Value::IntValue(*value)),
            Value::Float(value) => Some(attribute::Value::DoubleValue(*value)),
            Value::String(text) => Some(attribute::Value::StringValue(text.to_string())),
            Value::Json(text) => Some(attribute::Value::JsonValue(text.to_string())),
        },
    };
    v1::LogRecord {
        time_unix_nano: Some(event.timestamp.as_nanos() as u64),
        observed_time_unix_nano: Some(event.observed_timestamp.as_nanos() as u64),
        severity_number: 1 + 4 * event.severity as u32,
        message: event.message.to_string(),
        service_name: text(&event.source),
        host_name: text(&event.host),
        event_original: text(&event.original),
        attributes: event.fields.iter().map(attribute).collect(),
    }
}

fn encoded(event: &Event<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    record::encode(event, &mut out);
    out
}

proptest! {
    #[test]
    fn every_event_round_trips(event in event()) {
        let bytes = encoded(&event);
        prop_assert_eq!(record::decode(&bytes), Ok(event));
    }

    #[test]
    fn the_generated_type_reads_and_writes_the_same(event in event()) {
        let expected = generated(&event);
        prop_assert_eq!(v1::LogRecord::decode(encoded(&event).as_slice()), Ok(expected.clone()));
        let bytes = expected.encode_to_vec();
        prop_assert_eq!(record::decode(&bytes), Ok(event));
    }

    #[test]
    fn without_the_original_all_else_is_there(event in event()) {
        let mut out = Vec::new();
        record::encode_scored(&event, &mut out);
        prop_assert_eq!(record::decode(&out), Ok(Event { original: None, ..event.clone() }));
    }

    #[test]
    fn altered_records_are_read_as_the_generated_type_reads_them(event in event(), at: prop::sample::Index, to: u8) {
        let mut bytes = encoded(&event);
        let at = at.index(bytes.len());
        bytes[at] = to;
        body::record(&bytes);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        body::record(&bytes);
    }

    #[test]
    fn positions_sort_as_their_numbers(a: (u32, u32), b: (u32, u32)) {
        let position = |(segment, record)| event::Position { segment, record };
        let (a, b) = (position(a), position(b));
        prop_assert_eq!(wire::unpack(wire::pack(a)), a);
        prop_assert_eq!(wire::pack(a).cmp(&wire::pack(b)), a.cmp(&b));
    }

    #[test]
    fn verdicts_round_trip(thousandths in 0u16..=1000, is_anomaly: bool, state in 0u8..3, reasons in vec(".{0,9}", 0..3)) {
        let verdict = Verdict {
            score: Verdict::quantize(f32::from(thousandths) / 1000.0),
            is_anomaly,
            state: VerdictState::from_u8(state).unwrap(),
            reasons,
        };
        let bytes = v1::Verdict::from(verdict.clone()).encode_to_vec();
        prop_assert_eq!(Verdict::from(v1::Verdict::decode(bytes.as_slice()).unwrap()), verdict);
    }
}

#[test]
fn other_senders_may_leave_things_out() {
    let received = Timestamp::from_nanos(7).unwrap();
    let record = v1::LogRecord { observed_time_unix_nano: Some(7), ..v1::LogRecord::default() };
    assert_eq!(record::decode(&record.encode_to_vec()), Ok(Event::new("", received)));
    assert_eq!(record::decode(&[]), Ok(Event::new("", Timestamp::MIN)));
    for (number, expected) in
        [(4, Severity::Trace), (5, Severity::Debug), (12, Severity::Info), (24, Severity::Fatal)]
    {
        let record = v1::LogRecord { severity_number: number, ..v1::LogRecord::default() };
        assert_eq!(record::decode(&record.encode_to_vec()).unwrap().severity, expected, "{number}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    let late = v1::LogRecord { time_unix_nano: Some(u64::MAX), ..v1::LogRecord::default() };
    let odd = v1::LogRecord { severity_number: 25, ..v1::LogRecord::default() };
    for (bytes, expected) in [
        (late.encode_to_vec(), RecordError::Time("time_unix_nano")),
        (odd.encode_to_vec(), RecordError::Severity(25)),
        (vec![4 << 3 | 2, 1, 0xff], RecordError::Utf8("message")),
        (vec![4 << 3 | 2, 9, b'x'], RecordError::Damaged("message")),
        (vec![4 << 3, 1], RecordError::Damaged("field types")),
        (vec![0], RecordError::Damaged("field number")),
        (vec![15 << 3 | 3], RecordError::Damaged("unknown field")),
    ] {
        assert_eq!(record::decode(&bytes), Err(expected), "{bytes:?}");
    }
}

#[test]
fn attributes_that_no_event_has_are_refused_by_their_key() {
    use attribute::Value::{JsonValue, StringValue};
    let record = |attributes: Vec<(&str, attribute::Value)>| {
        let attributes = attributes
            .into_iter()
            .map(|(key, value)| v1::Attribute { key: key.to_owned(), value: Some(value) })
            .collect();
        v1::LogRecord { attributes, ..v1::LogRecord::default() }.encode_to_vec()
    };
    let text = |text: &str| StringValue(text.to_owned());
    let many = || (0..200).map(|n| format!("labels.n{n}")).collect::<Vec<_>>();
    let twice = [many(), vec!["labels.n7".to_owned()]].concat();
    let of = |keys: &[String]| record(keys.iter().map(|key| (key.as_str(), text("x"))).collect());
    for (bytes, expected) in [
        (record(vec![("", text("x"))]), AttributeError::NoKey),
        (
            record(vec![("user.name", text("a")), ("user.id", text("1")), ("user.name", text("b"))]),
            AttributeError::Twice("user.name".into()),
        ),
        (of(&twice), AttributeError::Twice("labels.n7".into())),
        (record(vec![("labels.tags", JsonValue("[1,".into()))]), AttributeError::Json("labels.tags".into())),
        (record(vec![("source.ip", text("localhost"))]), AttributeError::Address("source.ip".into())),
    ] {
        assert_eq!(record::decode(&bytes), Err(RecordError::Attribute(expected)));
    }
    for bytes in [
        of(&many()),
        record(vec![
            ("source.ip", text("2001:db8::1")),
            ("labels.ip", text("none")),
            ("host.ip", JsonValue("[]".into())),
        ]),
    ] {
        assert!(record::decode(&bytes).is_ok(), "{:?}", record::decode(&bytes));
    }
}
