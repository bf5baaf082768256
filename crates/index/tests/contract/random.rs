//! Random events and queries, and equality with the scan.

use event::{Analyzed, Event, FieldKind, Severity, Value};
use index::{
    FieldValuesRequest, HistogramRequest, Index, Interval, Limits, Order, PatternsRequest, SearchRequest,
    Selection, Unit, scan::Scan,
};
use jiff::tz::TimeZone;
use proptest::{collection::vec, option, prelude::*, sample::select};
use query::{Bound, Phrase, Query, Test, TokenPattern, Wildcard};

use super::{analyzed, batch, seconds, write};

const WORDS: &[&str] = &["error", "disk", "full", "Root", "straße", "42", "10.0.0.1", "user_id", "x-y", "!!"];
const VALUES: &[&str] = &["a", "A", "ab", "b c", "5", "true", "10.0.0.1", "fe80::1", "2024-06-01T12:00:02Z"];
const PATHS: &[&str] =
    &["labels.a", "labels.b", "user.name", "source.ip", "source.port", "event.outcome", "event.start"];

/// A value of a field.
fn value() -> impl Strategy<Value = Value<'static>> {
    prop_oneof![
        4 => select(VALUES).prop_map(Value::from),
        2 => (-3i64..60).prop_map(Value::Int),
        1 => (-4i32..8).prop_map(|n| Value::Float(f64::from(n) / 2.0)),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::Null),
        1 => vec(select(VALUES), 0..3).prop_map(|list| Value::Json(serde_json::Value::from(list).to_string().into())),
    ]
}

/// Analysed events with the ids 0, 1, 2…, close together in time and not in its order.
pub(crate) fn events() -> impl Strategy<Value = Vec<Analyzed<'static>>> {
    let event = (
        0i64..6,
        0u8..6,
        vec(select(WORDS), 0..5),
        option::of(select(&["sshd", "app"][..])),
        option::of(select(&["web-1", "web-2"][..])),
        vec((select(PATHS), value()), 0..4),
    );
    vec(event, 0..30).prop_map(|rows| {
        let rows = rows.into_iter().enumerate();
        rows.map(|(record, (offset, severity, words, source, host, fields))| {
            analyzed(record as u32, Event::new(words.join(" "), seconds(offset)), |event| {
                event.severity = Severity::from_u8(severity).unwrap();
                event.source = source.map(Into::into);
                event.host = host.map(Into::into);
                for (path, value) in fields {
                    event.set(path, value);
                }
            })
        })
        .collect()
    })
}

fn end<T: Clone + std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Bound<T>> {
    (value, 0..3).prop_map(|(value, kind)| match kind {
        0 => Bound::Unbounded,
        1 => Bound::Included(value),
        _ => Bound::Excluded(value),
    })
}

fn test(path: &'static str) -> BoxedStrategy<Test> {
    let exists = Just(Test::Exists);
    let pattern = select(&["a*", "*b", "?", "*"][1..3]);
    match FieldKind::of(path) {
        FieldKind::Long | FieldKind::Double => prop_oneof![
            exists,
            (-3i64..60).prop_map(|n| Test::Number { number: n as f64, text: n.to_string() }),
            (0i32..40, end(Just(50.5)))
                .prop_map(|(from, to)| Test::NumberRange(Bound::Included(from.into()), to)),
        ]
        .boxed(),
        FieldKind::Ip => {
            let networks = [(0xffff_0a00_0000, 0xffff_0aff_ffff), (1, 1), (0xfe80 << 112, u128::MAX)];
            prop_oneof![
                exists,
                select(networks.to_vec()).prop_map(|(first, last)| Test::Network { first, last })
            ]
            .boxed()
        }
        FieldKind::Date => {
            let from = (0i64..6).prop_map(|offset| Bound::Included(seconds(offset)));
            let to = (0i64..6).prop_map(|offset| Bound::Excluded(seconds(offset)));
            prop_oneof![exists, (from, to).prop_map(|(from, to)| Test::TimeRange(from, to))].boxed()
        }
        kind => {
            let number = (-6i32..120).prop_map(|half| {
                let number = f64::from(half) / 2.0;
                Test::Number { number, text: number.to_string() }
            });
            let range = ((-3i32..60).prop_map(|from| Bound::Excluded(from.into())), end(Just(50.5)));
            let range = range.prop_map(|(from, to)| Test::NumberRange(from, to));
            let is_label = u32::from(kind == FieldKind::Label);
            let ignore_case = kind == FieldKind::Enumeration;
            let equals = select(VALUES).prop_map(move |text| match text.parse() {
                Ok(number) if is_label > 0 => Test::Number { number, text: text.to_owned() },
                _ => Test::Equals {
                    text: if ignore_case { text.to_lowercase() } else { text.to_owned() },
                    ignore_case,
                },
            });
            prop_oneof![
                1 => exists,
                1 => equals,
                1 => pattern.prop_map(move |text| Test::Matches(Wildcard::new(text, ignore_case))),
                is_label => number,
                is_label => range,
            ]
            .boxed()
        }
    }
}

/// A query as the parser would make it.
pub(crate) fn queries() -> impl Strategy<Value = Query> {
    let token = prop_oneof![
        4 => select(&["error", "disk", "full", "root", "straße", "42", "10", "0", "user_id", "x", "y"][..])
            .prop_map(|token| TokenPattern::Exact(token.to_owned())),
        1 => select(&["d*", "?", "*o*", "u*_id"][..]).prop_map(|text| TokenPattern::Wildcard(Wildcard::new(text, true))),
    ];
    let field = select(PATHS)
        .prop_flat_map(|path| test(path).prop_map(move |test| Query::Field { path: path.to_owned(), test }));
    let level = (0u8..6).prop_map(|number| Query::Field {
        path: event::field::LEVEL.to_owned(),
        test: Test::Equals { text: Severity::from_u8(number).unwrap().to_string(), ignore_case: true },
    });
    let leaf = prop_oneof![
        1 => Just(Query::All),
        4 => vec(token, 1..3).prop_map(|tokens| Query::Message(Phrase(tokens))),
        4 => field,
        1 => level,
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Query::and),
            vec(inner.clone(), 2..4).prop_map(Query::or),
            inner.prop_map(|query| Query::Not(Box::new(query))),
        ]
    })
}

/// Fails unless an empty index, given these events, answers as the scan does.
pub(crate) async fn equals_scan(
    index: &dyn Index,
    events: Vec<Analyzed<'static>>,
    query: Query,
    commit: bool,
) {
    let scan = fill(index, events, commit).await;
    answers_equal(index, &scan, query).await;
}

/// Gives events to an empty index in two batches; returns the scan of them.
pub(crate) async fn fill(index: &dyn Index, events: Vec<Analyzed<'static>>, commit: bool) -> Scan {
    let mut scan = Scan::new();
    let half = events.len() / 2;
    for events in [&events[..half], &events[half..]] {
        let batch = batch(events.to_vec());
        if !events.is_empty() {
            scan.add(&batch);
            write(index, batch).await;
        }
        if commit {
            index.commit().await.unwrap();
        }
    }
    scan
}

/// Another one for each field, so that all are met.
fn interval(field: &str) -> Interval {
    let berlin = || TimeZone::get("Europe/Berlin").unwrap();
    match field {
        "user.name" => Interval::Calendar(Unit::Day, berlin()),
        "log.level" => Interval::Calendar(Unit::Month, TimeZone::UTC),
        "source.ip" => Interval::Chosen { until: seconds(3), zone: berlin() },
        _ => Interval::Fixed(2_000_000_000),
    }
}

/// Fails unless an index answers as the scan does.
pub(crate) async fn answers_equal(index: &dyn Index, scan: &Scan, query: Query) {
    let text = query.to_string();
    let selection = Selection { query, from: Some(seconds(1)), to: Some(seconds(5)) };
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let request = SearchRequest { order, ..SearchRequest::new(selection.clone(), 4) };
        let expected = scan.search(&request, &Limits::none()).unwrap();
        assert_eq!(index.search(request.clone(), &Limits::none()).await.unwrap(), expected, "search {text}");
        let request = SearchRequest { after: expected.next, ..request };
        assert_eq!(
            index.search(request.clone(), &Limits::none()).await.unwrap(),
            scan.search(&request, &Limits::none()).unwrap(),
            "second page {text}"
        );
    }
    for field in PATHS.iter().copied().chain(["log.level", "service.name"]) {
        let request = FieldValuesRequest { selection: selection.clone(), field: field.to_owned(), limit: 3 };
        assert_eq!(
            index.field_values(request.clone(), &Limits::none()).await.unwrap(),
            scan.field_values(&request, &Limits::none()).unwrap(),
            "{field} of {text}"
        );
        let request = HistogramRequest {
            selection: selection.clone(),
            interval: interval(field),
            by: Some(field.to_owned()),
            by_limit: 2,
            buckets_max: 100,
        };
        let expected = scan.histogram(&request, &Limits::none()).unwrap();
        assert_eq!(
            index.histogram(request, &Limits::none()).await.unwrap(),
            expected,
            "histogram by {field} of {text}"
        );
    }
    let request = PatternsRequest { selection, limit: 3 };
    assert_eq!(
        index.patterns(request.clone(), &Limits::none()).await.unwrap(),
        scan.patterns(&request, &Limits::none()).unwrap(),
        "patterns {text}"
    );
}
