//! Which values each kind of test takes: query texts with events that match and events that do not.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use event::{Event, EventId, JournalId, Position, Severity, Timestamp, Value, Verdict};
use query::Query;

const ID: EventId = EventId { journal: JournalId(1), position: Position { segment: 0, record: 1 } };

fn now() -> Timestamp {
    Timestamp::parse("2024-06-01T12:00:00Z").unwrap()
}

fn matches(text: &str, event: &Event<'_>) -> bool {
    let query = Query::parse(text, now()).unwrap_or_else(|error| panic!("{text}: {error}"));
    query.matches(ID, event, None, &Verdict::unscored())
}

fn json(text: &str) -> Value<'static> {
    Value::Json(text.to_owned().into())
}

/// For each row: a test, values of the field that pass and values that do not. None passes where the field is missing.
fn check(field: &str, rows: &[(&str, &[Value<'static>], &[Value<'static>])]) {
    for (test, taken, refused) in rows {
        let text = format!("{field}:{test}");
        for (values, expected) in [(taken, true), (refused, false)] {
            for value in *values {
                let mut event = Event::new("m", now());
                event.set(field, value.clone());
                assert_eq!(matches(&text, &event), expected, "{text} of {value:?}");
                assert_eq!(matches(&format!("NOT {text}"), &event), !expected, "NOT {text} of {value:?}");
            }
        }
        assert!(!matches(&text, &Event::new("m", now())), "{text} where it is missing");
        assert!(matches(&format!("NOT {text}"), &Event::new("m", now())), "NOT {text} where it is missing");
    }
}

fn texts<const N: usize>(texts: [&'static str; N]) -> [Value<'static>; N] {
    texts.map(Value::from)
}

#[test]
fn keywords() {
    check(
        "user.name",
        &[
            ("*", &texts(["root", ""]), &[Value::Null, json("[]"), json("[null]")]),
            ("root", &texts(["root"]), &texts(["Root", "root ", "roo", "", "xroot"])),
            ("\"a b\"", &texts(["a b"]), &texts(["a", "ab", "a  b"])),
            ("ro*", &texts(["ro", "root"]), &texts(["Root", "xro", "r"])),
            ("*ot", &texts(["ot", "root"]), &texts(["roots", "oT"])),
            ("*oo*", &texts(["oo", "root"]), &texts(["rot", ""])),
            ("r*t", &texts(["rt", "root"]), &texts(["roo", "root1"])),
            ("r?o*", &texts(["roo", "root"]), &texts(["ro", "r"])),
            ("\"ro*\"", &texts(["ro*"]), &texts(["root"])),
            ("ro\\*", &texts(["ro*"]), &texts(["root"])),
            ("[b TO d]", &texts(["b", "bz", "c", "d"]), &texts(["a", "B", "da", "e"])),
            ("{b TO d}", &texts(["ba", "c"]), &texts(["b", "d", "a", "e"])),
            (">=b", &texts(["b", "c"]), &texts(["a", ""])),
            (">b", &texts(["ba", "c"]), &texts(["b", "a"])),
            ("<=b", &texts(["b", "a", ""]), &texts(["ba", "c"])),
            ("<b", &texts(["a", ""]), &texts(["b", "c"])),
            ("(ann OR bob)", &texts(["ann", "bob"]), &texts(["cyd", "ann bob"])),
            ("~\"^r.+t$\"", &texts(["root", "r t"]), &texts(["rt", "Root", "roots"])),
            ("5", &[5.into(), "5".into(), json("[4,5]")], &[50.into(), Value::Float(5.5), true.into()]),
            ("5.5", &[Value::Float(5.5), "5.5".into()], &[5.into(), Value::Float(5.25)]),
            ("true", &[true.into(), "true".into(), json("[true]")], &[false.into(), "True".into(), 1.into()]),
            ("false", &[false.into(), "false".into()], &[true.into(), 0.into()]),
        ],
    );
}

#[test]
fn numbers() {
    check(
        "process.pid",
        &[
            ("*", &[0.into(), 42.into(), "x".into()], &[Value::Null]),
            (
                "42",
                &[42.into(), Value::Float(42.0), "42".into(), json("[1,42]")],
                &[43.into(), "42.0".into(), "x42".into(), true.into()],
            ),
            ("42.0", &[42.into(), "42.0".into()], &["42".into(), 4.into()]),
            ("-1", &[(-1).into()], &[1.into()]),
            ("1", &[1.into()], &[true.into()]),
            (
                "9007199254740993",
                &[9_007_199_254_740_993.into()],
                &[9_007_199_254_740_992.into(), 9_007_199_254_740_994.into()],
            ),
            ("9007199254740992", &[9_007_199_254_740_992.into()], &[9_007_199_254_740_993.into()]),
            ("-9007199254740993", &[(-9_007_199_254_740_993).into()], &[(-9_007_199_254_740_992).into()]),
            (
                "18446744073709551615",
                &[json("18446744073709551615")],
                &[json("18446744073709551614"), json("[18446744073709551614]")],
            ),
            (
                "[1 TO 5]",
                &[1.into(), 5.into(), Value::Float(4.5)],
                &[0.into(), 6.into(), Value::Float(5.1), "3".into(), true.into()],
            ),
            ("{1 TO 5}", &[2.into(), Value::Float(1.1)], &[1.into(), 5.into()]),
            (">=5", &[5.into(), 6.into(), json("18446744073709551615")], &[4.into()]),
            (">5", &[6.into()], &[5.into()]),
            ("<=5", &[5.into(), (-6).into()], &[6.into()]),
            ("<5", &[4.into()], &[5.into()]),
        ],
    );
}

#[test]
fn truth_times_addresses_and_enumerations() {
    check(
        "tls.established",
        &[
            ("true", &[true.into(), "true".into()], &[false.into(), "false".into(), "True".into(), 1.into()]),
            ("false", &[false.into(), "false".into()], &[true.into(), "true".into(), "".into(), 0.into()]),
        ],
    );
    check(
        "event.start",
        &[
            (
                "2024-06-01",
                &[
                    "2024-06-01T00:00:00Z".into(),
                    "2024-06-02T01:00:00+02:00".into(),
                    1_717_243_200.into(),
                    Value::Float(1_717_243_200.5),
                ],
                &[
                    "2024-06-02T00:00:00Z".into(),
                    "2024-05-31T23:59:59Z".into(),
                    "soon".into(),
                    1_717_113_600.into(),
                    Value::Float(1_717_113_600.5),
                    true.into(),
                ],
            ),
            (
                ">=2024-06-01T12:00:00Z",
                &["2024-06-01T12:00:00Z".into()],
                &["2024-06-01T11:59:59.999999999Z".into()],
            ),
            (
                ">2024-06-01T12:00:00Z",
                &["2024-06-01T12:00:00.000000001Z".into()],
                &["2024-06-01T12:00:00Z".into()],
            ),
            (
                "<=2024-06-01T12:00:00Z",
                &["2024-06-01T12:00:00Z".into()],
                &["2024-06-01T12:00:00.000000001Z".into()],
            ),
            ("<2024-06-01T12:00:00Z", &["2024-06-01T11:59:59Z".into()], &["2024-06-01T12:00:00Z".into()]),
        ],
    );
    check(
        "source.ip",
        &[
            ("10.0.0.7", &texts(["10.0.0.7", "::ffff:10.0.0.7"]), &texts(["10.0.0.8", "10.0.0.7 ", "x"])),
            ("10.0.0.0/30", &texts(["10.0.0.0", "10.0.0.3"]), &texts(["10.0.0.4", "9.255.255.255"])),
            ("10.0.0.0/32", &texts(["10.0.0.0"]), &texts(["10.0.0.1"])),
            ("0.0.0.0/0", &texts(["1.2.3.4", "255.255.255.255"]), &texts(["::1"])),
            ("::/0", &texts(["1.2.3.4", "::1"]), &[5.into(), true.into()]),
            ("10.0.*", &texts(["10.0.0.0", "10.0.255.255"]), &texts(["10.1.0.0"])),
            ("2001:db8:*", &texts(["2001:db8::1", "2001:db8:ffff::"]), &texts(["2001:db9::1"])),
            ("[10.0.0.1 TO 10.0.0.3]", &texts(["10.0.0.1", "10.0.0.3"]), &texts(["10.0.0.0", "10.0.0.4"])),
            ("{10.0.0.1 TO 10.0.0.3}", &texts(["10.0.0.2"]), &texts(["10.0.0.1", "10.0.0.3"])),
        ],
    );
    check(
        "event.outcome",
        &[
            ("failure", &texts(["failure", "FAILURE"]), &texts(["failures", "fail", "failurE5"])),
            ("FAIL*", &texts(["failure", "Fail"]), &texts(["a failure"])),
        ],
    );
    check("event.action", &[("größe", &texts(["größe"]), &texts(["GRÖSSE", "Größe"]))]);
}

#[test]
fn enumerations_beyond_ascii_ignore_case_too() {
    check("event.outcome", &[("größe", &texts(["größe", "GRößE", "GRÖßE"]), &texts(["größ", "größer"]))]);
}

#[test]
fn labels() {
    check(
        "labels.n",
        &[
            ("5", &[5.into(), Value::Float(5.0), "5".into()], &["5.0".into(), true.into(), 50.into()]),
            ("x5", &["x5".into()], &[5.into()]),
            (">4", &[5.into()], &[4.into(), "5".into(), true.into()]),
            ("a?c", &["abc".into()], &["ac".into(), "abcd".into()]),
        ],
    );
}

#[test]
fn levels_by_their_severity() {
    for (test, lowest, highest) in [
        ("*", Severity::ALL[0], Severity::Fatal),
        ("warn", Severity::Warn, Severity::Warn),
        (">=warn", Severity::Warn, Severity::Fatal),
        (">warn", Severity::Error, Severity::Fatal),
        ("<=warn", Severity::ALL[0], Severity::Warn),
        ("<warn", Severity::ALL[0], Severity::Info),
        ("[info TO error]", Severity::Info, Severity::Error),
        ("{debug TO error}", Severity::Info, Severity::Warn),
    ] {
        for severity in Severity::ALL {
            let mut event = Event::new("m", now());
            event.severity = severity;
            assert_eq!(
                matches(&format!("level:{test}"), &event),
                (lowest..=highest).contains(&severity),
                "{test} of {severity:?}"
            );
        }
    }
}

#[test]
fn words_and_wildcards_in_messages() {
    let event = Event::new("Connection refused: db-primary_1, Größe 10.0.0.12", now());
    for (text, expected) in [
        ("connection", true),
        ("CONNECTION", true),
        ("connect", false),
        ("connection*", true),
        ("conn*", true),
        ("*ection", true),
        ("*nnect*", true),
        ("c*n", true),
        ("c?nnection", true),
        ("?onnection", true),
        ("connectio?", true),
        ("connection?", false),
        ("\"conn*\"", false),
        ("\"connection refused\"", true),
        ("\"refused connection\"", false),
        ("refused-db", true),
        ("primary", false),
        ("primary_1", true),
        ("db.primary*", true),
        ("größe", true),
        ("GRÖSSE", false),
        ("10.0.0.1", false),
        ("10.0.0.12", true),
        ("10.0.0.1*", true),
        ("0.10", false),
        ("connection db", true),
        ("connection mysql", false),
        ("connection OR mysql", true),
        ("connection -mysql", true),
        ("connection NOT db", false),
    ] {
        assert_eq!(matches(text, &event), expected, "{text}");
    }
}

#[test]
fn objects_in_lists_have_values_by_name() {
    let mut event = Event::new("m", now());
    event.set("labels.items", json(r#"[{"id":7,"tag":["a",{"b":1}],"owner":{"name":"ann"}},{"id":8,"x.y":[{"z":3}]},[{"id":9}],null]"#));
    event.set("labels.plain", json("[1,2]"));
    event.set("labels.object", json(r#"{"id":1}"#));
    for (text, expected) in [
        ("items.id:7", true),
        ("items.id:8", true),
        ("items.id:9", true),
        ("items.id:10", false),
        ("items.id:>8", true),
        ("items.id:*", true),
        ("items.tag:a", true),
        ("items.tag.b:1", true),
        ("items.owner.name:ann", true),
        ("items.owner:*", false),
        ("items.x.y.z:3", true),
        ("items.none:*", false),
        ("items:*", false),
        ("plain.id:*", false),
        ("plain:2", true),
        ("object.id:*", false),
    ] {
        assert_eq!(matches(text, &event), expected, "{text}");
    }
}
