//! Against the naive scan, over any events, and through every step of writing files.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use event::{
    Analyzed, Batch, Event, EventId, Field, JournalId, Position, Severity, Template, Timestamp, Value,
    Variable, VariableKind, Verdict, VerdictState,
};
use jiff::tz::TimeZone;
use proptest::{collection::vec, option, prelude::*};
use query::Query;
use tempfile::TempDir;

mod damage;
mod tokens;

use super::{Config, Embedded};
use crate::{
    FieldValuesRequest, HistogramRequest, Index, IndexError, Interval, Limits, PatternsRequest,
    SearchRequest, Selection, Unit, scan::Scan,
};

const NOW: Timestamp = Timestamp::MAX;

fn config(dir: &Path) -> Config {
    Config { block_rows: 7, segment_rows: 40, ..Config::new(dir) }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// A piece of a message: literal text, or a variable.
fn committed(index: &Embedded, journal: u128) -> Position {
    index.attach(JournalId(journal), Position::default(), Position::default())
}

fn piece() -> impl Strategy<Value = (Option<VariableKind>, String)> {
    use VariableKind as K;
    prop_oneof![
        4 => prop_oneof![Just("login failed for "), Just(" from "), Just("blk_"), Just(" Ärger "), Just(":"), Just(".")]
            .prop_map(|text| (None, text.to_owned())),
        1 => ".{0,6}".prop_map(|text| (None, text)),
        2 => "[0-9]{1,22}".prop_map(|text| (Some(K::Integer), text)),
        1 => "0{0,3}[0-9]{1,3}".prop_map(|text| (Some(K::Integer), text)),
        1 => "-?[0-9]{1,4}\\.[0-9]{1,3}(e[0-9])?".prop_map(|text| (Some(K::Number), text)),
        1 => "(0x)?[0-9a-fA-F]{1,40}".prop_map(|text| (Some(K::Hex), text)),
        1 => "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}".prop_map(|text| (Some(K::Uuid), text)),
        1 => "10\\.0\\.[0-9]\\.[0-9]{1,3}|fe80::[0-9a-f]{1,4}".prop_map(|text| (Some(K::Ip), text)),
        1 => "(Jun|Dec) [ 0-3][0-9] [0-9]{2}:[0-9]{2}".prop_map(|text| (Some(K::Time), text)),
        1 => "root|admin|Müller|from|x1y2z3|/var/log/a_[0-9]".prop_map(|text| (Some(K::Text), text)),
        1 => ".{0,8}".prop_map(|text| (Some(K::Path), text)),
    ]
}

fn value() -> impl Strategy<Value = Value<'static>> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        prop_oneof![any::<i64>(), 0..20i64].prop_map(Value::Int),
        prop_oneof![any::<f64>().prop_filter("finite", |f| f.is_finite()), Just(-0.0), Just(0.5)]
            .prop_map(Value::Float),
        "root|admin|10\\.0\\.0\\.1|.{0,8}".prop_map(|text| Value::String(text.into())),
        prop_oneof![
            Just("[1,\"root\"]"),
            Just("[]"),
            Just("[null,{}]"),
            Just("123456789012345678901"),
            Just("{}")
        ]
        .prop_map(|text| Value::Json(text.into())),
    ]
}

#[derive(Debug, Clone)]
struct Made {
    event: Event<'static>,
    variables: Vec<Variable>,
    verdict: Verdict,
    template: u8,
    skip: u8,
}

prop_compose! {
    fn made()(
        pieces in vec(piece(), 0..5),
        times in (prop_oneof![0..50i64, 0..i64::MAX], prop_oneof![Just(None), (0..9i64).prop_map(Some)]),
        severity in 0u8..6,
        around in prop_oneof![Just(None), Just(Some(("", ""))), Just(Some(("Jun 14 15:16:01 web-1 sshd[042]: ", ""))),
            Just(Some(("<13>1 ", " tail 7")))],
        other_original in option::weighted(0.1, ".{0,12}"),
        source in option::of("sshd|nginx|.{0,3}"),
        host in option::of("web-1|web-2|.{0,3}"),
        fields in vec(("user\\.name|source\\.ip|process\\.pid|labels\\.a|labels\\.b\\.c|http\\.response\\.status_code", value()), 0..4),
        copied in any::<bool>(),
        score in 0u16..=1000,
        state in (0u8..3, any::<bool>()),
        reasons in vec(".{0,5}", 0..2),
        template in 0u8..4,
        skip in prop_oneof![9 => Just(0u8), 1 => 1..4u8],
    ) -> Made {
        let mut message = String::new();
        let mut variables = Vec::new();
        for (kind, text) in pieces {
            let start = message.len() as u32;
            message.push_str(&text);
            variables.extend(kind.map(|kind| Variable { kind, start, end: message.len() as u32 }));
        }
        let timestamp = Timestamp::from_nanos(times.0).unwrap();
        let mut event = Event::new(message, timestamp);
        if let Some(observed) = times.1 {
            event.observed_timestamp = Timestamp::from_nanos(observed).unwrap();
        }
        event.severity = Severity::from_u8(severity).unwrap();
        event.original = around.map(|(head, tail)| format!("{head}{}{tail}", event.message).into());
        if let Some(original) = other_original {
            event.original = Some(original.into());
        }
        event.source = source.map(Into::into);
        event.host = host.map(Into::into);
        for (path, value) in fields {
            event.set(path, value);
        }
        if copied && let Some(variable) = variables.first() {
            let text = variable.of(&event.message).to_owned();
            if let Ok(number) = text.parse::<i64>() {
                event.set("process.pid", number);
            }
            event.set("user.name", text);
        }
        event.fields.retain(|field: &Field<'_>| !field.path.is_empty());
        let verdict = Verdict {
            score: f32::from(score) / 1000.0,
            is_anomaly: state.1,
            state: VerdictState::from_u8(state.0).unwrap(),
            reasons,
        };
        Made { event, variables, verdict, template, skip }
    }
}

/// What a template miner would hash.
fn shape_of(event: &Event<'_>, variables: &[Variable]) -> u64 {
    let mut key = String::new();
    let mut at = 0;
    for variable in variables {
        key.push_str(&event.message[at..variable.start as usize]);
        key.push_str(variable.kind.as_str());
        at = variable.end as usize;
    }
    key.push_str(&event.message[at..]);
    // Few bits, so that different texts do collide.
    super::bloom::hash(0, key.as_bytes()) % 16
}

fn batch(made: &[Made], journal: u128, start: &mut u32) -> Batch<'static> {
    let mut batch = Batch::default();
    for made in made {
        *start += u32::from(made.skip);
        let id = EventId { journal: JournalId(journal), position: Position { segment: 3, record: *start } };
        *start += 1;
        let from = batch.variables.len() as u32;
        batch.variables.extend_from_slice(&made.variables);
        batch.events.push(Analyzed {
            id,
            event: made.event.clone(),
            shape: shape_of(&made.event, &made.variables),
            variables: from..batch.variables.len() as u32,
            template: (made.template > 0).then(|| Arc::new(Template::new(format!("t{}", made.template)))),
            verdict: made.verdict.clone(),
        });
    }
    batch.end = Position { segment: 3, record: *start };
    batch
}

const QUERIES: &[&str] = &[
    "",
    "failed",
    "\"login failed\"",
    "\"for root\"",
    "root from",
    "from OR admin",
    "NOT login",
    "ärger",
    "blk_7",
    "blk_*",
    "10.0.0.1",
    "7",
    "12345",
    "a*",
    "level:error",
    "level:>=warn failed",
    "source:sshd",
    "source:ssh* OR host:web-1",
    "host:web-1",
    "NOT host:*",
    "host:web-2 level:info",
    "user.name:root",
    "user.name:*",
    "user.name:(root OR admin) login",
    "source.ip:10.0.0.0/24",
    "process.pid:>5",
    "process.pid:7",
    "a:root",
    "labels.b.c:*",
    "sentinel.anomaly.score:>=0.5",
    "sentinel.anomaly.is_anomaly:true",
    "sentinel.anomaly.state:scored",
    "sentinel.anomaly.reasons:*",
    "@timestamp:>=1970-01-01T00:00:00.000000020Z",
    "event.created:<1970-01-01T00:00:01Z",
    "http.response.status_code:[1 TO 15]",
    "NOT (user.name:root OR from)",
];

fn same(index: &Embedded, scan: &Scan, query: &str, from: Option<i64>, to: Option<i64>) {
    let time = |nanos: Option<i64>| nanos.and_then(Timestamp::from_nanos);
    let selection = Selection { query: Query::parse(query, NOW).unwrap(), from: time(from), to: time(to) };
    run(async {
        let mut after = None;
        loop {
            let request = SearchRequest { after, ..SearchRequest::new(selection.clone(), 9) };
            let (ours, theirs) = (
                index.search(request.clone(), &Limits::none()).await.unwrap(),
                scan.search(&request, &Limits::none()).unwrap(),
            );
            assert_eq!(ours.total, theirs.total, "{query}");
            assert_eq!(ours.hits, theirs.hits, "{query}");
            assert_eq!(ours.next, theirs.next, "{query}");
            after = ours.next;
            if after.is_none() {
                break;
            }
        }
        for (interval, by) in [
            (Interval::Fixed(1_000), None),
            (Interval::Fixed(10), Some("level")),
            (Interval::Fixed(i64::MAX), Some("user.name")),
            (Interval::Calendar(Unit::Day, TimeZone::get("Asia/Kathmandu").unwrap()), None),
            (Interval::Calendar(Unit::Month, TimeZone::UTC), Some("level")),
            (Interval::Chosen { until: NOW, zone: TimeZone::UTC }, None),
            (
                Interval::Chosen { until: Timestamp::from_nanos(40).unwrap(), zone: TimeZone::UTC },
                Some("level"),
            ),
            (Interval::Chosen { until: NOW, zone: TimeZone::UTC }, Some("level")),
        ] {
            let request = HistogramRequest {
                selection: selection.clone(),
                interval,
                by: by.map(|by| query::resolve(by).into_owned()),
                by_limit: 2,
                buckets_max: 1000,
            };
            assert_eq!(
                index.histogram(request.clone(), &Limits::none()).await.unwrap().buckets,
                scan.histogram(&request, &Limits::none()).unwrap().buckets,
                "{query} by {by:?}"
            );
        }
        for field in [
            "log.level",
            "service.name",
            "host.name",
            "user.name",
            "process.pid",
            "sentinel.anomaly.score",
            "message",
        ] {
            let request =
                FieldValuesRequest { selection: selection.clone(), field: field.to_owned(), limit: 100 };
            let (ours, theirs) = (
                index.field_values(request.clone(), &Limits::none()).await.unwrap(),
                scan.field_values(&request, &Limits::none()).unwrap(),
            );
            assert_eq!(
                (ours.values, ours.total, ours.distinct),
                (theirs.values, theirs.total, theirs.distinct),
                "{query} {field}"
            );
        }
        let request = PatternsRequest { selection, limit: 3 };
        let (ours, theirs) = (
            index.patterns(request.clone(), &Limits::none()).await.unwrap(),
            scan.patterns(&request, &Limits::none()).unwrap(),
        );
        assert_eq!(
            (ours.patterns, ours.distinct, ours.total),
            (theirs.patterns, theirs.distinct, theirs.total),
            "{query}"
        );
    });
}

fn same_fields(index: &Embedded, scan: &Scan) {
    assert_eq!(run(index.fields(&Limits::none())).unwrap(), scan.fields(&Limits::none()).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn answers_are_those_of_a_scan(
        batches in vec((vec(made(), 0..14), 0u8..4), 1..7),
        queries in vec((0..QUERIES.len(), option::of(0..60i64), option::of(1..60i64)), 6),
    ) {
        let dir = TempDir::new().unwrap();
        let mut index = Embedded::open(config(dir.path())).unwrap();
        let mut scan = Scan::new();
        let mut next = 0;
        for (events, then) in &batches {
            let batch = batch(events, 1, &mut next);
            run(index.write(&batch)).unwrap();
            scan.add(&batch);
            if scan.is_empty() {
                // Of which journal this is the end nobody can tell.
                continue;
            }
            prop_assert_eq!(*index.written().borrow(), Position { segment: 3, record: next });
            if *then > 0 {
                run(index.commit()).unwrap();
                prop_assert_eq!(committed(&index, 1), *index.written().borrow());
            }
            if *then == 2 {
                // Written again, nothing is there twice.
                run(index.write(&batch)).unwrap();
            }
            if *then == 3 {
                drop(index);
                index = Embedded::open(config(dir.path())).unwrap();
            }
            same(&index, &scan, "", None, None);
        }
        for (query, from, to) in queries {
            same(&index, &scan, QUERIES[query], from, to);
        }
        same_fields(&index, &scan);
        let messages: Vec<_> = batches.iter().flat_map(|(events, _)| events).map(|made| &made.event.message).collect();
        for token in messages.iter().flat_map(|message| query::tokens(message)).take(40) {
            tokens::same_by_token(&index, &scan, &token);
        }
        run(index.commit()).unwrap();
        drop(index);
        let index = Embedded::open(config(dir.path())).unwrap();
        for query in QUERIES {
            same(&index, &scan, query, None, None);
        }
        prop_assert_eq!(index.stats().events, scan.len() as u64);
        prop_assert_eq!(index.stats().open_events, 0);
    }
}

/// Events with nothing special about them.
fn plain(count: usize, start: i64) -> Vec<Made> {
    let make = |at: usize| Made {
        event: Event::new(format!("event {at}"), Timestamp::from_nanos(start + at as i64).unwrap()),
        variables: vec![Variable {
            kind: VariableKind::Integer,
            start: 6,
            end: 6 + at.to_string().len() as u32,
        }],
        verdict: Verdict::unscored(),
        template: 1,
        skip: 0,
    };
    (0..count).map(make).collect()
}

fn total(index: &Embedded) -> u64 {
    let request = SearchRequest::new(Selection::all(), 1000);
    let result = run(index.search(request, &Limits::none())).unwrap();
    assert_eq!(result.total, result.hits.len() as u64);
    result.total
}

fn files(dir: &Path) -> Vec<(std::ffi::OsString, Vec<u8>)> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> =
        entries.map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap())).collect();
    files.sort();
    files
}

#[test]
fn many_small_commits_leave_few_files_and_lose_nothing_at_any_step() {
    let dir = TempDir::new().unwrap();
    let index = Embedded::open(config(dir.path())).unwrap();
    let mut next = 0;
    let mut before: Vec<_> = Vec::new();
    for round in 0..30u64 {
        run(index.write(&batch(&plain(1, round as i64), 1, &mut next))).unwrap();
        run(index.commit()).unwrap();
        assert_eq!(total(&index), round + 1);
        let after = files(dir.path());
        // A crash after the new files appeared, before the old ones were removed, with a torn write beside them.
        let crashed = TempDir::new().unwrap();
        for (name, bytes) in before.iter().chain(&after) {
            fs::write(crashed.path().join(name), bytes).unwrap();
        }
        fs::write(crashed.path().join("00000000000000ff.tmp"), b"LSINDEX1 torn").unwrap();
        let reopened = Embedded::open(config(crashed.path())).unwrap();
        assert_eq!(total(&reopened), round + 1);
        assert_eq!(committed(&reopened, 1), Position { segment: 3, record: next });
        assert!(files(crashed.path()).len() <= after.len());
        before = after;
    }
    assert!(index.stats().segments < 16, "{} files", index.stats().segments);
}

#[test]
fn a_file_that_cannot_be_made_sense_of_is_set_aside_and_the_rest_answers() {
    let dir = TempDir::new().unwrap();
    {
        let index = Embedded::open(config(dir.path())).unwrap();
        let mut next = 0;
        for start in [0, 100, 200] {
            run(index.write(&batch(&plain(20, start), 1, &mut next))).unwrap();
            run(index.commit()).unwrap();
        }
    }
    let (name, bytes) = files(dir.path())[1].clone();
    fs::write(dir.path().join(&name), &bytes[..bytes.len() / 2]).unwrap();
    for _ in 0..2 {
        let index = Embedded::open(config(dir.path())).unwrap();
        assert_eq!((total(&index), index.stats().damaged), (40, 1));
        assert!(dir.path().join(&name).with_extension("damaged").exists());
    }
}

#[test]
fn expired_segments_go_and_the_journal_position_stays() {
    let dir = TempDir::new().unwrap();
    let index = Embedded::open(config(dir.path())).unwrap();
    let mut next = 0;
    for start in [0, 100] {
        run(index.write(&batch(&plain(20, start), 1, &mut next))).unwrap();
        run(index.commit()).unwrap();
    }
    let time = |nanos| Timestamp::from_nanos(nanos).unwrap();
    assert_eq!(run(index.expire(time(19))).unwrap(), 0);
    assert_eq!(run(index.expire(time(20))).unwrap(), 20);
    assert_eq!(total(&index), 20);
    assert_eq!(run(index.expire(time(1000))).unwrap(), 20);
    assert_eq!(total(&index), 0);
    drop(index);
    let index = Embedded::open(config(dir.path())).unwrap();
    assert_eq!(committed(&index, 1), Position { segment: 3, record: next });
    assert_eq!(committed(&index, 2), Position::default());
}

#[test]
fn a_query_that_reads_too_many_rows_is_refused() {
    let dir = TempDir::new().unwrap();
    let index = Embedded::open(config(dir.path())).unwrap();
    run(index.write(&batch(&plain(20, 0), 1, &mut 0))).unwrap();
    let selection = Selection { query: Query::parse("7", NOW).unwrap(), ..Selection::all() };
    let request = SearchRequest::new(selection, 1);
    let far = Instant::now() + Duration::from_secs(600);
    let answer = run(index.search(request.clone(), &Limits::new(far, 10)));
    assert!(matches!(answer, Err(IndexError::QueryTooLarge { .. })), "{answer:?}");
    run(index.search(request.clone(), &Limits::new(far, 1_000_000))).unwrap();
    let answer = run(index.search(request.clone(), &Limits::new(Instant::now(), u64::MAX)));
    assert!(matches!(answer, Err(IndexError::TimedOut)), "{answer:?}");
    let limits = Limits::none();
    limits.cancel();
    let answer = run(index.search(request, &limits));
    assert!(matches!(answer, Err(IndexError::Cancelled)), "{answer:?}");
    assert_eq!(total(&index), 20);
}
