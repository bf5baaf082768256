//! Request bodies: what is accepted, and what is named as wrong.

use event::{Timestamp, Value};
use jiff::tz::TimeZone;
use parse::{Context, Format, Problem};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn read(format: Format, body: &[u8]) -> (Vec<event::Event<'_>>, Vec<Problem>) {
    let (received, zone) = (Timestamp::parse("2024-06-01T12:00:10Z").unwrap_or_default(), TimeZone::UTC);
    let context = Context::new(received, &zone, 64 * 1024);
    let (mut events, mut problems) = (Vec::new(), Vec::new());
    parse::body(format, body, &context, |record| match record {
        Ok(event) => events.push(event),
        Err(problem) => problems.push(problem),
    });
    (events, problems)
}

fn check(format: Format, body: &str, messages: &[&str], refused: &[u64]) {
    let (events, problems) = read(format, body.as_bytes());
    assert_eq!(
        events.iter().map(|event| event.message.as_ref()).collect::<Vec<_>>(),
        messages,
        "{body} {problems:?}"
    );
    assert_eq!(
        problems.iter().map(|problem| problem.line).collect::<Vec<_>>(),
        refused,
        "{body} {problems:?}"
    );
}

#[test]
fn forms() {
    let one = "{\"message\":\"a\"}";
    check(Format::Json, one, &["a"], &[]);
    check(Format::Json, "{\n  \"message\": \"a\"\n}\n", &["a"], &[]);
    check(Format::Json, "{\"message\":\"a\"}\n\n{\"message\":\"b\"}\r\n", &["a", "b"], &[]);
    check(Format::Json, "[{\"message\":\"a\"},\n 7, {\"message\":\"b\"}]", &["a", "b"], &[2]);
    check(Format::Json, "[{\"message\":\"a\"},{\"message\":}]", &["a"], &[2]);
    check(Format::Json, "{\"message\":\"a\"}\nnonsense\n{\"message\":\"b\"}\n{\"mess", &["a", "b"], &[2, 4]);
    check(Format::Json, "{\"message\":\n{\"message\":\"b\"}\n", &["b"], &[1]);
    check(Format::Json, "{\n\"message\": oops\n}", &[], &[2]);
    check(Format::Json, "\u{feff}{\"message\":\"a\"}", &["a"], &[]);
    check(Format::Ndjson, "{}\n42\n{\"x\":1}", &["{\"x\":1}"], &[1, 2]);
    check(Format::Lines, "a\n\nb\r\n", &["a", "b"], &[]);
    check(Format::Json, "", &[], &[]);
}

#[test]
fn framings() {
    let (a, b, c) = ("{\"message\":\"a\"}", "{\"message\":\"b\"}", "{\"message\":\"c\"}");
    let pretty = "{\n  \"message\": \"p\"\n}";
    for (body, messages, refused) in [
        (format!("{a}{b}"), &["a", "b"][..], &[][..]),
        (format!("{a} {b}\t{c}"), &["a", "b", "c"], &[]),
        (format!("{a},\n{b},\n{c}\n"), &["a", "b", "c"], &[]),
        (format!("{a}\n,{b}\n"), &["a", "b"], &[]),
        (format!("\u{1e}{a}\n\u{1e}{b}\n"), &["a", "b"], &[]),
        (format!("\u{feff}{a}\n\u{feff}{b}\n"), &["a", "b"], &[]),
        (format!("{a}\0{b}\0"), &["a", "b"], &[]),
        (format!("[{a},{b}]\n[{c}]\n"), &["a", "b", "c"], &[]),
        (format!("[{a}][{b}],[{c}]"), &["a", "b", "c"], &[]),
        (format!("{a}\n[{b},{c}]"), &["a", "b", "c"], &[]),
        (format!("{a}\n{pretty}\n{b}"), &["a", "p", "b"], &[]),
        (format!("{pretty}{pretty}\n,\n{pretty}"), &["p", "p", "p"], &[]),
        (format!("{a}{{\"x\":oops}}{b}"), &["a", "b"], &[1]),
        (format!("{a}\n{{\"x\":1}}{{\"y\" 2}}{b}\n{c}"), &["a", "{\"x\":1}", "b", "c"], &[2]),
        (format!("{{\n \"x\": oops\n}}\n{a}"), &["a"], &[2]),
        (format!("[{a}]\noops\n{b}"), &["a", "b"], &[2]),
        (format!("{{\"index\":{{\"_index\":\"logs\"}}}}\n{a}\n{{\"create\":{{}}}}\n{b}\n"), &["a", "b"], &[]),
        (format!("{{ \"delete\": {{\"_id\":\"7\"}} }}\n{a}"), &["a"], &[]),
        ("{\"index\":{\"name\":\"x\"}}".to_owned(), &["{\"index\":{\"name\":\"x\"}}"], &[]),
    ] {
        for format in [Format::Json, Format::Ndjson] {
            check(format, &body, messages, refused);
        }
    }
}

#[test]
fn time_is_linear_in_what_is_broken() {
    // Each of these would take hours if what follows were read again from every line.
    for piece in ["{\n", "[\n", "{\"a\":[\n", "{\"a\":1}", "x ", "\"a\" ", "{\"a\":\"\n", "{\"a\":oops}"] {
        read(Format::Json, piece.repeat(50_000).as_bytes());
    }
}

#[test]
fn utf16_is_decoded_and_marked() {
    let text = "\u{feff}2026-10-22 21:59:01 ERROR Größe\nzwei\n";
    for encode in [u16::to_le_bytes, u16::to_be_bytes] {
        for text in [text, &text[3..]] {
            let body: Vec<u8> = text.encode_utf16().flat_map(encode).collect();
            let (events, problems) = read(Format::Lines, &body);
            assert_eq!((events.len(), problems.len()), (2, 0));
            assert_eq!(events[0].original.as_deref(), Some("2026-10-22 21:59:01 ERROR Größe"));
            assert!(events.iter().all(|event| event.has_flag("utf16")));
        }
    }
    let body: Vec<u8> = "[{\"message\":\"ä\"}]".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read(Format::Json, &body).0[0].message, "ä");
}

#[test]
fn malformed_json_is_placed() {
    let (_, problems) = read(Format::Ndjson, b"{\"message\":\"a\"}\n{\"a\":1,}\n");
    assert_eq!((problems[0].line, problems[0].column), (2, Some(8)));
    assert!(problems[0].reason.contains("trailing comma"), "{}", problems[0].reason);
    let (_, problems) = read(Format::Json, b"{\n");
    assert_eq!((problems.len(), problems[0].column), (1, None), "columns begin at 1");
}

#[test]
fn unusable_time_stamps_are_kept() {
    for stamp in ["\"soon\"", "-1", "\"1969-01-01T00:00:00Z\"", "1e30", "true", "[1]", "{}"] {
        let body = format!("{{\"timestamp\":{stamp},\"message\":\"m\"}}");
        let (events, _) = read(Format::Json, body.as_bytes());
        assert_eq!(events[0].timestamp, events[0].observed_timestamp, "{stamp}");
        assert!(events[0].field("labels.timestamp").is_some(), "{stamp}");
        assert_eq!(events[0].field("log.flags"), Some(&Value::Json("[\"timestamp_replaced\"]".into())));
    }
}

#[test]
fn values_that_do_not_fit_are_labels() {
    let body = b"{\"message\":\"m\",\"source\":{\"ip\":\"nowhere\",\"port\":\"22\"},\"host\":\"h\",\"user\":\"u\",\"a.b\":1,\"a\":{\"b\":2}}";
    let (events, _) = read(Format::Json, body);
    let event = &events[0];
    assert_eq!(event.host.as_deref(), Some("h"));
    assert_eq!(event.original, None);
    for (path, expected) in [
        ("labels.source.ip", json!("nowhere")),
        ("source.port", json!(22)),
        ("user.name", json!("u")),
        ("labels.a.b", json!([1, 2])),
    ] {
        assert_eq!(event.field(path).map(Value::to_json), Some(expected), "{path}");
    }
}

#[test]
fn bytes_that_are_no_utf8_are_marked() {
    let body = b"{\"message\":\"caf\xe9\"}\n{\"message\":\"b\"}\n{\"message\":\"caf\xe9 caf\xc3\xa9\"}";
    let (events, problems) = read(Format::Ndjson, body);
    assert_eq!((events.len(), problems.len()), (3, 0));
    assert_eq!(events[0].message, "café");
    assert_eq!(events[0].field("log.flags"), Some(&Value::Json("[\"windows_1252\"]".into())));
    assert_eq!(events[1].field("log.flags"), None);
    assert_eq!(events[2].field("log.flags"), Some(&Value::Json("[\"invalid_utf8\"]".into())));
    assert!(events[2].field("labels.original_base64").is_some());
}

#[test]
fn what_is_wrong_beside_bytes_that_are_no_utf8_is_placed() {
    let (good, bad) = ("{\"message\":\"b\"}", b"{\"message\":\"caf\xe9\"}".as_slice());
    let lines = |lines: &[&[u8]]| lines.join(&b'\n');
    for format in [Format::Ndjson, Format::Json] {
        let body = lines(&[bad, b"oops", good.as_bytes(), b"{\"x\" 1}\r", b"{\"x\":\"\xe9\" 1}", b"[7]"]);
        let (events, problems) = read(format, &body);
        assert_eq!(events.iter().map(|event| &event.message).collect::<Vec<_>>(), ["café", "b"]);
        assert_eq!(problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [2, 4, 5, 6]);
        assert_eq!(problems[1].column, Some(6));
    }
    // What is spread over lines is mended as a whole.
    let (events, problems) = read(Format::Json, b"[{\"message\":\"caf\xe9\"},\n7,{\"message\":\"b\"}]");
    assert_eq!(events.iter().map(|event| &event.message).collect::<Vec<_>>(), ["caf\u{fffd}", "b"]);
    assert!(events.iter().all(|event| event.has_flag("invalid_utf8")));
    assert_eq!(problems[0].line, 2);
}

#[test]
fn a_time_stamp_that_is_an_object_is_marked_unless_there_is_another() {
    let flags = |body: &str| {
        let (events, _) = read(Format::Json, body.as_bytes());
        events[0].field("log.flags").map(Value::to_json)
    };
    assert_eq!(flags("{\"timestamp\":{\"a\":1},\"message\":\"m\"}"), Some(json!(["timestamp_replaced"])));
    assert_eq!(flags("{\"time\":{\"a\":1},\"@timestamp\":1717243200}"), None);
}

#[test]
fn a_broken_element_takes_no_good_one_with_it() {
    let broken = "[\n{\"message\":\"good1\"},\n{\"message\":nope}\n,{\"message\":\"good2\"}]";
    check(Format::Json, broken, &["good1", "good2"], &[2]);
    let (_, problems) = read(Format::Json, broken.as_bytes());
    assert_eq!(
        problems[0].reason,
        "element 2 (line 3, column 13 of the body): malformed JSON: expected a value (text in quotes, a number, \
         true, false or null)"
    );
    let (a, b) = ("{\"message\":\"a\"}", "{\"message\":\"b\"}");
    for (body, messages, refused) in [
        (format!("[{a},{{\"x\":[1,,2]}},{b}]"), &["a", "b"][..], &[2][..]),
        (format!("[{a},,{b}]"), &["a", "b"], &[2]),
        (format!("[{a},{b},]"), &["a", "b"], &[3]),
        (format!("[{a},{{\"message\":\"cut\n}},{b}]"), &["a", "b"], &[2]),
        (format!("[{a},{{\"x\":\"]\\\",\" oops}},{b}]"), &["a", "b"], &[2]),
        (format!("[{a},{b}] more"), &["a", "b"], &[3]),
        (format!("[{a},{b} {b}]"), &["a"], &[2]),
        (format!("[{a},"), &["a"], &[2]),
        (format!("[{a}"), &["a"], &[2]),
    ] {
        check(Format::Json, &body, messages, refused);
    }
    let lost = format!("[{a},{{\"x\":{{\"y\":nope}},{b}]");
    check(Format::Json, &lost, &["a"], &[2]);
    let (_, problems) = read(Format::Json, lost.as_bytes());
    assert!(problems[0].reason.contains("nothing from there on was read"), "{}", problems[0].reason);
}

#[test]
fn numbers_too_large_for_any_type_keep_their_digits() {
    let body = b"{\"process.pid\":99999999999999999999,\"x\":18446744073709551615,\"message\":\"m\"}";
    let (events, _) = read(Format::Json, body);
    assert_eq!(events[0].field("labels.process.pid"), Some(&Value::from("99999999999999999999")));
    assert_eq!(events[0].field("labels.x"), Some(&Value::from("18446744073709551615")));
}

fn leaf() -> impl Strategy<Value = Json> {
    prop_oneof![
        any::<i64>().prop_map(Json::from),
        any::<bool>().prop_map(Json::from),
        "[a-z]{1,8}".prop_map(Json::from)
    ]
}

fn object() -> impl Strategy<Value = Json> {
    let inner = leaf().prop_recursive(3, 24, 4, |element| {
        prop::collection::vec(("[a-c.]{1,3}", element), 1..4)
            .prop_map(|members| Json::Object(members.into_iter().collect()))
    });
    let names = prop_oneof![
        "[a-d]{1,2}".boxed(),
        prop::sample::select(vec![
            "level", "time", "source", "host", "user", "msg", "log", "labels", "process", "severity"
        ])
        .prop_map(str::to_owned)
        .boxed()
    ];
    prop::collection::vec((names, inner), 1..6)
        .prop_map(|members| Json::Object(members.into_iter().collect()))
}

fn leaves(value: &Json, found: &mut Vec<String>) {
    match value {
        Json::Object(members) => members.values().for_each(|value| leaves(value, found)),
        Json::String(text) => found.push(text.clone()),
        value => found.push(value.to_string()),
    }
}

proptest! {
    #[test]
    fn no_leaf_is_lost(record in object()) {
        let body = record.to_string();
        let (events, problems) = read(Format::Json, body.as_bytes());
        prop_assert_eq!((events.len(), problems.len()), (1, 0));
        let event = format!("{:?}", events[0]);
        let stamp = events[0].timestamp != events[0].observed_timestamp;
        let level = events[0].severity.as_str();
        let mut found = Vec::new();
        leaves(&record, &mut found);
        for leaf in found {
            prop_assert!(stamp || leaf == level || event.contains(&leaf), "{} of {} in {}", leaf, body, event);
        }
    }

    #[test]
    fn any_bytes_are_a_body(start in "[\\[{\" \n]{0,4}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut body = start.into_bytes();
        body.extend(bytes);
        for format in [Format::Json, Format::Ndjson, Format::Lines] {
            read(format, &body);
        }
    }
}
