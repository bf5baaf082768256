//! What `docs/query-language.md` says of Elasticsearch alone, and what is equal although it looks hard.

use std::sync::Arc;

use event::{Analyzed, Event, EventId, JournalId, Position, Value};
use index::{
    FieldValuesRequest, HistogramRequest, Index, IndexError, Interval, Limits, SearchRequest, Selection,
    elasticsearch::{Cluster, Flavor},
    scan::Scan,
};
use query::Query;

use super::{
    config,
    contract::{JOURNAL, all, analyzed, batch, block_on, found, id, now, plain, seconds, selection, write},
    fresh_name, open, set_up,
};

/// An index in a data stream of its own, with these events.
async fn with(events: Vec<Analyzed<'static>>, shards: Option<u32>) -> (impl Index, Scan) {
    let name = fresh_name();
    set_up(&name, shards).await;
    let index = open(&name);
    let mut scan = Scan::new();
    let batch = batch(events);
    scan.add(&batch);
    write(&index, batch).await;
    (index, scan)
}

fn with_field(record: u32, path: &'static str, value: impl Into<Value<'static>>) -> Analyzed<'static> {
    analyzed(record, Event::new("m", seconds(record.into())), |event| event.set(path, value))
}

fn json(text: impl Into<String>) -> Value<'static> {
    Value::Json(text.into().into())
}

fn values(field: &str, limit: usize) -> FieldValuesRequest {
    FieldValuesRequest { selection: Selection::all(), field: field.to_owned(), limit }
}

fn by(field: &str, interval_nanos: i64) -> HistogramRequest {
    HistogramRequest {
        selection: Selection::all(),
        interval: Interval::Fixed(interval_nanos),
        by: Some(field.to_owned()),
        by_limit: 3,
        buckets_max: 100,
    }
}

#[track_caller]
fn refused<T>(answer: Result<T, IndexError>, limit: &str) {
    match answer {
        Err(error @ (IndexError::QueryTooLarge { .. } | IndexError::Unsupported { .. })) => {
            assert!(error.to_string().contains(limit), "{error}");
        }
        Err(error) => panic!("not refused for {limit}: {error:?}"),
        Ok(_) => panic!("not refused for {limit}"),
    }
}

#[test]
#[ignore = "needs a server: infra/test/elasticsearch start"]
fn every_kind_of_field_answers_as_the_scan_does() {
    let list = "[0.5,-0.25,0.5]";
    let events = vec![
        with_field(0, "source.bytes", i64::MAX),
        with_field(1, "source.bytes", 9_007_199_254_740_993_i64),
        with_field(2, "source.bytes", json("[5,5,-7]")),
        with_field(3, "event.risk_score", Value::Float(-0.0)),
        with_field(4, "event.risk_score", json(list)),
        with_field(5, "tls.resumed", true),
        with_field(6, "tls.resumed", json("[false,true,null]")),
        with_field(7, "event.start", "2024-06-01T12:00:00.123456789Z"),
        with_field(8, "event.start", "2024-06-01T12:00:00.123456790Z"),
        with_field(9, "host.ip", json("[\"10.1.2.3\",\"2001:db8::1\",\"10.1.2.3\"]")),
        with_field(10, "event.outcome", json("[\"Failure\",\"FAILURE\"]")),
        with_field(11, "labels.a", json("[1.0,2.5,\"x\",true,null,[\"deep\"],{\"b\":1}]")),
        with_field(12, "labels.list", json("[{\"b\":1},{\"b\":\"x\"}]")),
        with_field(13, "labels.a.b", "below a leaf"),
        with_field(14, "labels.star*", "a*b?c\\d"),
        with_field(15, "labels.empty", ""),
        with_field(16, "labels.lines", "one\ntwo"),
        with_field(17, "labels.a=b", "c=d"),
        with_field(18, "user.name", "\u{10000}"),
        with_field(19, "user.name", "\u{ffff}"),
        with_field(20, "organization.name", "ACME"),
        with_field(21, "source.as.number", 64_512),
        with_field(22, "labels.n", 9_007_199_254_740_993_i64),
        with_field(23, "labels.n", json("[-0.0,1e3,1e16]")),
        with_field(24, "labels.n", "1e3"),
        with_field(25, "labels.n", i64::MIN),
        with_field(26, "labels.n=8", -8),
    ];
    let queries = [
        "source.bytes:9223372036854775807",
        "source.bytes:9007199254740993",
        "source.bytes:>=9007199254740993",
        "source.bytes:[-7 TO 5}",
        "source.bytes:5.0",
        "source.bytes:5.5",
        "event.risk_score:0",
        "event.risk_score:<0",
        "event.risk_score:>0",
        "event.risk_score:>=0",
        "tls.resumed:false",
        "NOT tls.resumed:*",
        "event.start:2024-06-01T12:00:00.123456789Z",
        "event.start:>2024-06-01T12:00:00.123456789Z",
        "event.start:2024-06-01T12",
        "host.ip:10.0.0.0/8",
        "host.ip:2001:db8:*",
        "host.ip:[10.1.2.4 TO *]",
        "event.outcome:f*",
        "labels.a:1.0",
        "labels.a:deep",
        "labels.a:*",
        "labels.a:?.?",
        "labels.a:[1]",
        "labels.n:9007199254740993",
        "labels.n:9007199254740992",
        "labels.n:+9007199254740993",
        "labels.n:>=9007199254740992",
        "labels.n:>9007199254740992",
        "labels.n:<=9007199254740992",
        "labels.n:1000",
        "labels.n:1e3",
        "labels.n:10000000000000000",
        "labels.n:0",
        "labels.n:<0",
        "labels.n:[* TO 0}",
        "labels.n:{0 TO *]",
        "labels.n\\=8:<0",
        "labels.a:>1",
        "labels.a:2.50",
        "labels.list.b:1",
        "labels.list.b:>0",
        "labels.a.b:*leaf",
        "labels.a.b:1",
        "labels.list:*",
        "labels.list.b:*",
        "labels.list.b:x",
        "labels.list.b:?",
        "labels.star\\*:*",
        "labels.star\\*:a\\*b\\?c\\\\d",
        "labels.star\\*:*\\?c*",
        "labels.empty:\"\"",
        "labels.empty:*",
        "labels.lines:one*two",
        "labels.lines:*?two",
        "labels.a\\=b:c*d",
        "user.name:[\u{ffff} TO *]",
        "user.name:{\u{ffff} TO *]",
        "user.name:?",
        "organization.name:ACME",
        "source.as.number:>64511",
        "event.created:*",
        "user.nobody:x",
        "user.nob\\*dy:*",
        "sentinel.template.text:m",
    ];
    block_on(async {
        let (index, scan) = with(events, None).await;
        for query in queries {
            let query = match Query::parse(query, now()) {
                Ok(query) => query,
                // A label has no order and takes no brackets: that is no query at all.
                Err(_) if query == "labels.a:[1]" => continue,
                Err(error) => panic!("{query}: {error}"),
            };
            let request = SearchRequest::new(Selection { query, from: None, to: None }, 100);
            let (answer, expected) = (
                index.search(request.clone(), &Limits::none()).await.unwrap(),
                scan.search(&request, &Limits::none()).unwrap(),
            );
            assert_eq!(answer, expected, "{}", request.selection.query);
        }
        for field in [
            "source.bytes",
            "event.risk_score",
            "tls.resumed",
            "host.ip",
            "event.outcome",
            "labels.a",
            "labels.a.b",
            "labels.list",
            "labels.list.b",
            "labels.empty",
            "labels.a=b",
            "user.name",
            "user.nobody",
            "sentinel.anomaly.score",
            "sentinel.anomaly.reasons",
        ] {
            for limit in [2, 100] {
                let request = values(field, limit);
                let expected = scan.field_values(&request, &Limits::none()).unwrap();
                assert_eq!(index.field_values(request, &Limits::none()).await.unwrap(), expected, "{field}");
            }
            let request = HistogramRequest { by_limit: 1, ..by(field, 7_000_000_000) };
            let expected = scan.histogram(&request, &Limits::none()).unwrap();
            assert_eq!(index.histogram(request, &Limits::none()).await.unwrap(), expected, "{field}");
        }
        assert_eq!(index.fields(&Limits::none()).await.unwrap(), scan.fields(&Limits::none()).unwrap());
    });
}

#[test]
#[ignore = "needs a server: infra/test/elasticsearch start"]
fn times_are_counted_by_the_millisecond() {
    block_on(async {
        let times = ["2024-06-01T12:00:00.123456789Z", "2024-06-01T12:00:00.123Z"];
        let events = times.iter().zip(0..).map(|(time, record)| with_field(record, "event.start", *time));
        let (index, _) = with(events.collect(), None).await;
        let answer = index.field_values(values("event.start", 5), &Limits::none()).await.unwrap();
        assert_eq!(answer.values, [("2024-06-01T12:00:00.123Z".to_owned(), 2)]);
        let answer = index.histogram(by("event.start", 1_000_000), &Limits::none()).await.unwrap();
        assert_eq!(answer.buckets[0].by, [("2024-06-01T12:00:00.123Z".to_owned(), 1)].into());
        refused(index.histogram(by("event.start", 1_500_000), &Limits::none()).await, "whole milliseconds");
    });
}

#[test]
#[ignore = "needs a server: infra/test/elasticsearch start"]
fn addresses_are_counted_in_their_shortest_form() {
    block_on(async {
        let addresses = ["2001:DB8:0::1", "2001:db8::1", "::ffff:10.0.0.1"];
        let events =
            addresses.iter().zip(0..).map(|(address, record)| with_field(record, "source.ip", *address));
        let (index, _) = with(events.collect(), None).await;
        let answer = index.field_values(values("source.ip", 5), &Limits::none()).await.unwrap();
        assert_eq!(answer.values, [("2001:db8::1".to_owned(), 2), ("10.0.0.1".to_owned(), 1)]);
        assert_eq!(found(&index, all("source.ip:10.0.0.1")).await.0, [2]);
    });
}

#[test]
#[ignore = "needs a server: infra/test/elasticsearch start"]
fn the_values_of_messages_cannot_be_counted() {
    block_on(async {
        let (index, _) = with(vec![plain(0, 0, "m")], None).await;
        for field in ["message", "event.original"] {
            refused(index.field_values(values(field, 5), &Limits::none()).await, field);
            refused(index.histogram(by(field, 1_000_000), &Limits::none()).await, field);
        }
    });
}

#[test]
#[ignore = "needs a server: infra/test/elasticsearch start"]
fn long_values_are_kept_but_not_compared() {
    let long = "é".repeat(8192);
    let fits = "é".repeat(8191);
    block_on(async {
        let flavor = flavor().await;
        let events = vec![
            with_field(0, "user.name", long.clone()),
            with_field(1, "user.name", fits),
            with_field(2, "labels.a", long.clone()),
            analyzed(3, Event::new(format!("{} end", "x".repeat(40_000)), seconds(3)), |_| {}),
        ];
        let (index, _) = with(events, None).await;
        let records = |query: &'static str| {
            let index = &index;
            async move { found(index, all(query)).await.0 }
        };
        let known: &[u32] = if flavor == Flavor::OpenSearch { &[1] } else { &[1, 0] };
        assert_eq!(records("user.name:*").await, known);
        assert_eq!(records("user.name:?*").await, [1]);
        assert_eq!(records("labels.a:*").await, [2]);
        let known: &[u32] = if flavor == Flavor::OpenSearch { &[2] } else { &[] };
        assert_eq!(records("labels.a:?*").await, known);
        assert_eq!(records("end").await, [3]);
        assert_eq!(records("x*").await, [3]);
        let hit = &index.search(all("labels.a:*"), &Limits::none()).await.unwrap().hits[0];
        assert_eq!(hit.document["labels"]["a"], long, "it is kept whole");
    });
}

#[test]
#[ignore = "needs a server: infra/test/elasticsearch start"]
fn the_largest_queries_are_answered() {
    block_on(async {
        let (index, scan) = with(vec![plain(0, 0, "a b"), plain(1, 1, "c")], None).await;
        let deep = format!("{}x{}", "(a OR (NOT b ".repeat(10), "))".repeat(10));
        let words: Vec<_> = (0..511).map(|number| format!("w{number}")).collect();
        let wide = format!("{} OR c", words.join(" OR "));
        let fields: Vec<_> = (0..480).map(|number| format!("user.name:u{number}")).collect();
        let fields = format!("NOT ({})", fields.join(" OR "));
        for query in [deep, wide, fields] {
            let request = all(&query);
            assert_eq!(
                index.search(request.clone(), &Limits::none()).await.unwrap(),
                scan.search(&request, &Limits::none()).unwrap(),
                "{query}"
            );
        }
    });
}

#[test]
#[ignore = "needs a server: infra/test/elasticsearch start"]
fn what_a_server_does_not_take_is_refused_with_the_limit() {
    block_on(async {
        let mut events: Vec<_> = (0..11_000).map(|n| plain(n, 0, "m")).collect();
        for (number, analyzed) in events.iter_mut().enumerate() {
            analyzed.event.message = format!("t{number} end").into();
            analyzed.event.set("labels.n", format!("v{number}"));
            analyzed.event.timestamp = seconds(number as i64);
        }
        let (index, scan) = with(events, None).await;
        for query in ["t12* end", "t12*.end", "labels.n:*99", "labels.n:v1*", "labels.n:?1*1", "t*"] {
            let request = SearchRequest { limit: 3, ..all(query) };
            assert_eq!(
                index.search(request.clone(), &Limits::none()).await.unwrap(),
                scan.search(&request, &Limits::none()).unwrap(),
                "{query}"
            );
        }
        let hard = format!("t*a{}*b{}", "?".repeat(40), "?".repeat(40));
        refused(index.search(all(&hard), &Limits::none()).await, "a single wildcard");
        // How many clauses there may be depends on the server's memory, but for OpenSearch.
        match flavor().await {
            Flavor::Elasticsearch => {
                refused(index.search(all("labels.n:*v*"), &Limits::none()).await, "10000 values of labels.n");
            }
            Flavor::OpenSearch => {
                refused(index.search(all("t*.*n*"), &Limits::none()).await, "max_clause_count")
            }
        }
        let request =
            HistogramRequest { buckets_max: 1_000_000, by_limit: 10, ..by("labels.n", 1_000_000_000) };
        let answer = index.histogram(request.clone(), &Limits::none()).await.unwrap();
        assert!(
            answer == scan.histogram(&request, &Limits::none()).unwrap(),
            "11000 buckets by 11000 values"
        );
        refused(
            index.histogram(HistogramRequest { buckets_max: 10, ..request }, &Limits::none()).await,
            "10 buckets",
        );
        for (field, limit) in [("labels.n", 5), ("labels.n", 11_000)] {
            let request = values(field, limit);
            let answer = index.field_values(request.clone(), &Limits::none()).await.unwrap();
            assert!(
                answer == scan.field_values(&request, &Limits::none()).unwrap(),
                "{limit} values of {field}"
            );
        }
        let mut pages = Vec::new();
        let mut request = SearchRequest { limit: 10_500, ..all("") };
        loop {
            let result = index.search(request.clone(), &Limits::none()).await.unwrap();
            assert!(result == scan.search(&request, &Limits::none()).unwrap(), "page {}", pages.len());
            pages.push(result.hits.len());
            let Some(next) = result.next else { break };
            request.after = Some(next);
        }
        assert_eq!(pages, [10_500, 500]);
    });
}

async fn flavor() -> Flavor {
    Cluster::new(&config("any")).unwrap().server().await.unwrap().flavor
}

#[test]
#[ignore = "needs a server: infra/test/elasticsearch start"]
fn counts_are_exact_over_several_shards() {
    let name = |n: u32| if n.is_multiple_of(3) { "common".to_owned() } else { format!("u{}", n % 2_500) };
    let events = (0..7_500).map(|n| {
        analyzed(n, Event::new("m", seconds(0)), |event| {
            event.set("user.name", name(n));
            event.set("source.port", i64::from(n % 2_000));
        })
    });
    block_on(async {
        let (index, scan) = with(events.collect(), Some(3)).await;
        for (field, limit) in [("user.name", 1), ("user.name", 3_000), ("source.port", 2_500)] {
            let request = values(field, limit);
            let expected = scan.field_values(&request, &Limits::none()).unwrap();
            assert!(
                index.field_values(request, &Limits::none()).await.unwrap() == expected,
                "{limit} values of {field}"
            );
        }
        let request = values("user.name", 10);
        let (answer, expected) = (
            index.field_values(request.clone(), &Limits::none()).await.unwrap(),
            scan.field_values(&request, &Limits::none()).unwrap(),
        );
        assert_eq!((answer.values, answer.total), (expected.values, expected.total));
        assert!(
            answer.distinct.abs_diff(expected.distinct) <= expected.distinct / 100,
            "{}",
            answer.distinct
        );
        let request = HistogramRequest { by_limit: 2, ..by("user.name", 1_000_000_000) };
        assert_eq!(
            index.histogram(request.clone(), &Limits::none()).await.unwrap(),
            scan.histogram(&request, &Limits::none()).unwrap()
        );
    });
}

#[test]
#[ignore = "needs a server: infra/test/elasticsearch start"]
fn what_is_not_covered_is_left_to_the_journal() {
    block_on(async {
        let name = fresh_name();
        set_up(&name, None).await;
        let first = open(&name);
        write(&first, batch((0..4).map(|record| plain(record, 0, "m")).collect())).await;
        assert_eq!(found(&first, all("m")).await.1, 4);
        // As after a restart whose cursor stands before the end of what was written.
        let second = open(&name);
        second.attach(JOURNAL, id(2).position, id(4).position);
        assert_eq!(found(&second, all("m")).await, (vec![1, 0], 2));
        // What other journals wrote is all there is to know of it.
        let other = JournalId(JOURNAL.0 - 1);
        let third = open(&name);
        third.attach(other, Position::default(), Position::default());
        assert_eq!(found(&third, all("m")).await.1, 4);
        let foreign = EventId { journal: other, position: Position::default() };
        let event = Analyzed { id: foreign, ..plain(0, 1, "m") };
        write(&third, event::Batch { events: vec![event], variables: Vec::new(), end: id(1).position }).await;
        third.refresh().await.unwrap();
        assert_eq!(found(&second, all("m")).await.1, 3);
        let answer = second.search(SearchRequest { limit: 0, ..all("m") }, &Limits::none()).await.unwrap();
        assert_eq!((answer.total, answer.covered), (3, id(2).position));
    });
}

#[test]
#[ignore = "needs a server: infra/test/elasticsearch start"]
fn before_the_first_event_there_is_nothing() {
    block_on(async {
        let name = fresh_name();
        set_up(&name, None).await;
        let index: Arc<dyn Index> = Arc::new(open(&name));
        assert_eq!(found(&*index, all("labels.a:*b OR x")).await, (vec![], 0));
        assert_eq!(index.fields(&Limits::none()).await.unwrap(), []);
        assert_eq!(index.histogram(by("labels.a", 1_000_000), &Limits::none()).await.unwrap().buckets, []);
        let answer = index.field_values(values("user.name", 3), &Limits::none()).await.unwrap();
        assert_eq!((answer.total, answer.distinct, answer.values), (0, 0, vec![]));
        let request = index::PatternsRequest { selection: selection(""), limit: 3 };
        let answer = index.patterns(request, &Limits::none()).await.unwrap();
        assert_eq!((answer.total, answer.distinct, answer.patterns), (0, 0, vec![]));
    });
}
