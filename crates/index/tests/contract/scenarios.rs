//! The scenarios. Expectations follow from the design, not from a run.

use std::time::Duration;

use event::{Event, JournalId, Position, Severity, Timestamp, Value, Verdict, VerdictState};
use index::{
    FieldValuesRequest, FollowRequest, HistogramRequest, Index, IndexError, Interval, Limits, Order,
    PatternsRequest, SearchRequest, Selection, Unit, Width,
};
use jiff::tz::TimeZone;

use super::{Factory, JOURNAL, all, analyzed, batch, found, id, now, plain, seconds, selection, write};

/// Eight events, a second apart, record n at second n; record 7 came late and is the oldest.
async fn sample(index: &dyn Index) {
    let event = |offset, message: &'static str| Event::new(message, seconds(offset));
    let events = [
        analyzed(0, event(0, "Failed password for root from 10.0.0.1 port 22"), |event| {
            event.severity = Severity::Warn;
            event.source = Some("sshd".into());
            event.host = Some("web-1".into());
            event.set("source.ip", "10.0.0.1");
            event.set("source.port", 22);
            event.set("event.outcome", "Failure");
        }),
        analyzed(1, event(1, "Accepted password for alice from 192.168.7.9 port 50022"), |event| {
            event.source = Some("sshd".into());
            event.host = Some("web-2".into());
            event.set("source.ip", "192.168.7.9");
            event.set("source.port", 50022);
            event.set("event.outcome", "success");
        }),
        analyzed(
            2,
            event(
                2,
                "Straße ÜBERLASTET: 北京 user_id=42 数据库连接失败，请重试 Οδυσσεύς １２３４５ cafe\u{301} Zürich",
            ),
            |event| {
                event.severity = Severity::Error;
                event.source = Some("app".into());
                event.set("labels.mixed", 5);
            },
        ),
        analyzed(3, event(3, "disk full"), |event| {
            event.severity = Severity::Fatal;
            event.set("labels.mixed", "5");
            event.set("labels.tags", Value::Json("[\"a\",\"b\",null]".into()));
        }),
        analyzed(4, event(4, "disk full"), |event| {
            event.set("labels.mixed", true);
            event.set("labels.null", Value::Null);
            event.set("labels.tags", Value::Json("[\"b\",7]".into()));
            let items = r#"[{"id":7,"name":"ann"},{"id":"x","in":{"b":[1,2]}},{"in":[{"b":3}]}]"#;
            event.set("labels.ctx.items", Value::Json(items.into()));
        }),
        analyzed(5, event(5, "full disk"), |event| {
            event.set("host.ip", Value::Json("[\"10.1.2.3\",\"fe80::1\"]".into()));
            event.set("event.start", "2024-06-01T10:00:00+02:00");
        }),
        analyzed(6, event(6, "!!!"), |event| {
            event.severity = Severity::Trace;
            event.set("user.name", "Alice");
            event.set("labels.error", "timeout");
            event.set("labels.http.status", 503);
            event.set("labels.user name", "x:y");
            event.set("labels.client.ip", "unknown");
            event.set("labels.url", Value::Json("[\"http://a/\",\"C:\\\\Temp\"]".into()));
        }),
        analyzed(7, event(-3600, "a late one"), |event| event.severity = Severity::Debug),
    ];
    write(index, batch(events[..3].to_vec())).await;
    write(index, batch(events[3..].to_vec())).await;
    // Written again, as after a restart: nothing changes.
    write(index, batch(events[2..].to_vec())).await;
}

pub(super) async fn queries<F: Factory>(factory: &F) {
    let place = factory.place();
    let index = factory.open(&place).await;
    assert_eq!(found(&*index, all("")).await, (vec![], 0), "an empty index");
    sample(&*index).await;
    for (query, expected) in [
        ("", &[6, 5, 4, 3, 2, 1, 0, 7][..]),
        ("PASSWORD", &[1, 0]),
        ("pass", &[]),
        ("pass*", &[1, 0]),
        ("\"disk full\"", &[4, 3]),
        ("disk full", &[5, 4, 3]),
        ("10.0.0.1", &[0]),
        ("10.0.0", &[0]),
        ("0.0.0.1", &[]),
        ("22", &[0]),
        ("*22", &[1, 0]),
        ("straße überlastet", &[2]),
        ("北京", &[2]),
        ("ΟΔΥΣΣΕΎΣ", &[2]),
        ("12345", &[2]),
        ("１２３４５ Ｆull OR １２３４５", &[2]),
        ("café", &[2]),
        ("cafe\u{301}", &[2]),
        ("ZU\u{308}RICH", &[2]),
        ("NOT zürich überlastet", &[]),
        ("连接失败", &[2]),
        ("\"连接失败 请重\"", &[2]),
        ("\"连接 请重\"", &[]),
        ("连接请", &[]),
        ("overlast OR 重试", &[2]),
        ("NOT 数据 überlastet", &[]),
        ("user_id", &[2]),
        ("user", &[]),
        ("NOT disk", &[6, 2, 1, 0, 7]),
        ("password -root", &[1]),
        ("root OR late", &[0, 7]),
        ("level:WARNING", &[0]),
        ("level:>=error", &[3, 2]),
        ("level:<info", &[6, 7]),
        ("source:sshd host:web-1", &[0]),
        ("source:SSHD", &[]),
        ("source:(sshd OR app)", &[2, 1, 0]),
        ("source:*", &[2, 1, 0]),
        ("host:web-?", &[1, 0]),
        ("NOT source:*", &[6, 5, 4, 3, 7]),
        ("event.outcome:FAILURE", &[0]),
        ("user.name:alice", &[]),
        ("source.port:22.0", &[0]),
        ("source.port:>22", &[1]),
        ("source.port:[22 TO 50022}", &[0]),
        ("source.ip:10.0.0.0/8", &[0]),
        ("source.ip:192.168.*", &[1]),
        ("host.ip:10.0.0.0/8", &[5]),
        ("host.ip:fe80::/10", &[5]),
        ("error:timeout", &[6]),
        ("http.status:503", &[6]),
        ("\"user name\":\"x:y\"", &[6]),
        ("client.ip:unknown", &[6]),
        ("client.ip:*", &[]),
        ("url:\"http://a/\" url:C:\\Temp", &[6]),
        ("url:C:\\T*", &[6]),
        ("-error:* full", &[5, 4, 3]),
        ("http.status:>=500", &[6]),
        ("http.status:5.03e2", &[6]),
        ("-http.status:[500 TO 599] full", &[5, 4, 3]),
        ("http.status:{503 TO *}", &[]),
        ("labels.tags:[6 TO 8}", &[4]),
        ("mixed:<6", &[2]),
        ("labels.mixed:5", &[3, 2]),
        ("labels.mixed:5.0", &[2]),
        ("labels.mixed:true", &[4]),
        ("labels.mixed:*", &[4, 3, 2]),
        ("labels.null:*", &[]),
        ("labels.tags:b", &[4, 3]),
        ("labels.tags:(a b)", &[3]),
        ("labels.tags:7", &[4]),
        ("ctx.items.id:7", &[4]),
        ("ctx.items.id:(x 7)", &[4]),
        ("ctx.items.id:8", &[]),
        ("ctx.items.name:an*", &[4]),
        ("ctx.items.name:*", &[4]),
        ("ctx.items.in.b:3", &[4]),
        ("ctx.items.in.b:2", &[4]),
        ("ctx.items.in:*", &[]),
        ("ctx.items.absent:*", &[]),
        ("event.start:2024-06-01T08:00:00Z", &[5]),
        ("timestamp:<now", &[7]),
        ("timestamp:[now+1s TO now+3s}", &[2, 1]),
        ("sentinel.anomaly.is_anomaly:true", &[6, 5, 7]),
        ("sentinel.anomaly.score:>=0.6", &[6, 7]),
        ("sentinel.anomaly.reasons:\"never seen\"", &[6, 5, 7]),
        ("sentinel.anomaly.state:Scored", &[6, 5, 4, 3, 2, 1, 0, 7]),
        ("sentinel.template.text:\"disk full\"", &[4, 3]),
        ("level:>fatal", &[]),
        ("_id:0000000000000000000000000000feed-00000000-00000004", &[4]),
        ("disk -_id:0000000000000000000000000000feed-00000000-00000004", &[5, 3]),
        ("_id:0000000000000000000000000000feed-00000000-00000009", &[]),
        ("_id:0000000000000000000000000000beef-00000000-00000004", &[]),
        (
            "_id:(0000000000000000000000000000FEED-00000000-00000007 OR \
             0000000000000000000000000000feed-00000000-00000000)",
            &[0, 7],
        ),
        ("_id:*", &[6, 5, 4, 3, 2, 1, 0, 7]),
    ] {
        assert_eq!(found(&*index, all(query)).await, (expected.to_vec(), expected.len() as u64), "{query}");
    }
    let result = index.search(all("10.0.0.1"), &Limits::none()).await.unwrap();
    assert_eq!(result.hits[0].document["log"]["level"], "warn");
    assert_eq!(result.hits[0].document["source"]["port"], 22);
    assert_eq!(result.hits[0].document["event"]["outcome"], "Failure");
}

/// The records of all pages.
async fn pages(index: &dyn Index, mut request: SearchRequest) -> Vec<Vec<u32>> {
    let mut pages = Vec::new();
    loop {
        let result = index.search(request.clone(), &Limits::none()).await.unwrap();
        assert_eq!(result.total, 7);
        assert_eq!(result.covered, id(7).position);
        pages.push(result.hits.iter().map(|hit| hit.key.id.position.record).collect::<Vec<_>>());
        let Some(next) = result.next else { return pages };
        assert!(pages.len() < 9, "paging does not end");
        request.after = Some(next);
    }
}

pub(super) async fn expressions<F: Factory>(factory: &F) {
    let place = factory.place();
    let index = factory.open(&place).await;
    sample(&*index).await;
    for (query, expected) in [
        ("message:~\"password for (root|alice) from \\d\"", &[1, 0][..]),
        ("message:~\"^disk\"", &[4, 3]),
        ("message:~\"(?i)überlastet\" -message:~\"^!\"", &[2]),
        ("host:~\"-2$\"", &[1]),
        ("host:~\"^web\" -source:~\"^a\"", &[1, 0]),
        ("event.outcome:~\"^fail\"", &[0]),
        ("labels.tags:~\"^[a7]$\"", &[4, 3]),
        ("labels.mixed:~\"^5$\"", &[3, 2]),
        ("\"user name\":~\":\"", &[6]),
    ] {
        match index.search(all(query), &Limits::none()).await {
            Err(IndexError::Unsupported { .. }) if !F::FINDS_EXPRESSIONS => {}
            result => {
                let hits = result.unwrap().hits;
                let records: Vec<_> = hits.iter().map(|hit| hit.key.id.position.record).collect();
                assert_eq!(records, expected, "{query}");
            }
        }
    }
}

pub(super) async fn paging<F: Factory>(factory: &F) {
    let place = factory.place();
    let index = factory.open(&place).await;
    // Equal time stamps: the id decides, falling.
    let events = (0..7).map(|record| plain(record, i64::from(record / 4), "same")).collect();
    write(&*index, batch(events)).await;
    for (order, expected) in [
        (Order::NewestFirst, [vec![6, 5, 4], vec![3, 2, 1], vec![0]]),
        (Order::OldestFirst, [vec![0, 1, 2], vec![3, 4, 5], vec![6]]),
    ] {
        assert_eq!(pages(&*index, SearchRequest { order, limit: 3, ..all("same") }).await, expected);
    }

    let result = index.search(SearchRequest { limit: 0, ..all("same") }, &Limits::none()).await.unwrap();
    assert_eq!((result.total, result.hits.len(), result.next), (7, 0, None));
    let result = index.search(SearchRequest { limit: 7, ..all("same") }, &Limits::none()).await.unwrap();
    assert_eq!((result.hits.len(), result.next), (7, None));

    // Pages bounded in bytes give the same hits; one comes in any case.
    for (bytes_max, at_once) in [(1, 1..=1), (1500, 2..=6), (1 << 20, 7..=7)] {
        let mut request = SearchRequest { bytes_max, ..all("same") };
        let mut hits = Vec::new();
        loop {
            let page = index.search(request.clone(), &Limits::none()).await.unwrap();
            assert_eq!(page.total, if request.counted { 7 } else { 0 });
            assert!(
                at_once.contains(&page.hits.len()) || page.next.is_none(),
                "{bytes_max}: {}",
                page.hits.len()
            );
            hits.extend(page.hits);
            let Some(next) = page.next else { break };
            assert_eq!(hits.last().map(|hit| hit.key), Some(next));
            request = SearchRequest { after: Some(next), counted: false, ..request };
        }
        assert_eq!(hits, index.search(all("same"), &Limits::none()).await.unwrap().hits, "{bytes_max}");
    }

    for (from, to, expected) in [
        (Some(0), Some(1), &[3, 2, 1, 0][..]),
        (Some(1), None, &[6, 5, 4]),
        (None, Some(0), &[]),
        (Some(2), None, &[]),
        (Some(1), Some(1), &[]),
    ] {
        let selection = Selection { from: from.map(seconds), to: to.map(seconds), ..selection("same") };
        let request = SearchRequest::new(selection, 100);
        assert_eq!(found(&*index, request).await.0, expected, "{from:?} to {to:?}");
    }
}

/// Who follows a journal gets every matching event in its order, each once, however much comes at a time.
pub(super) async fn following<F: Factory>(factory: &F) {
    let place = factory.place();
    let index = factory.open(&place).await;
    let word = |record: u32| if record.is_multiple_of(3) { "odd one" } else { "usual" };
    // Later events have earlier time stamps, and every other batch is made durable.
    for start in [0, 40, 41, 90] {
        let end = if start == 41 { 90 } else { start + if start == 40 { 1 } else { 40 } };
        let events = (start..end).map(|record| plain(record, -i64::from(record / 7), word(record)));
        write(&*index, batch(events.collect())).await;
        if u32::is_multiple_of(start, 2) {
            index.commit().await.unwrap();
        }
    }
    for (query, from, bytes_max) in
        [("", 0, usize::MAX), ("", 57, 1), ("", 3, 2000), ("odd", 0, 1), ("odd", 41, 3000), ("nothing", 5, 1)]
    {
        let query = selection(query).query;
        let mut request = FollowRequest { query, journal: JOURNAL, from: id(from).position, bytes_max };
        let mut records = Vec::new();
        loop {
            let followed = index.follow(request.clone(), &Limits::none()).await.unwrap();
            records.extend(followed.hits.iter().map(|hit| hit.key.id.position.record));
            if followed.end == request.from {
                break;
            }
            assert!(followed.end > request.from);
            request.from = followed.end;
        }
        let expected: Vec<u32> = (from..130)
            .filter(|record| match request.query.to_string().as_str() {
                text if text.contains("odd") => record.is_multiple_of(3),
                text => !text.contains("nothing"),
            })
            .collect();
        assert_eq!(records, expected, "{} from {from}", request.query);
    }
    let other = FollowRequest {
        query: selection("").query,
        journal: JournalId(7),
        from: Position::default(),
        bytes_max: usize::MAX,
    };
    assert_eq!(index.follow(other, &Limits::none()).await.unwrap().hits, []);
}

pub(super) async fn counts<F: Factory>(factory: &F) {
    let place = factory.place();
    let index = factory.open(&place).await;
    sample(&*index).await;
    let request = HistogramRequest {
        selection: selection(""),
        interval: Interval::Fixed(4_000_000_000),
        by: Some("service.name".to_owned()),
        by_limit: 1,
        buckets_max: 10,
    };
    let histogram = index.histogram(request.clone(), &Limits::none()).await.unwrap();
    let buckets: Vec<_> = histogram
        .buckets
        .iter()
        .map(|bucket| {
            (bucket.t, bucket.count, bucket.by.iter().map(|(v, n)| (v.as_str(), *n)).collect::<Vec<_>>())
        })
        .collect();
    assert_eq!(
        buckets,
        [
            (seconds(-3600), 1, vec![]),
            (seconds(0), 4, vec![("(other)", 1), ("sshd", 2)]),
            (seconds(4), 3, vec![]),
        ]
    );
    assert_eq!(histogram.covered, id(8).position);
    assert!(
        index.histogram(HistogramRequest { buckets_max: 2, ..request }, &Limits::none()).await.is_err(),
        "too many buckets"
    );

    for (field, query, expected, total, distinct) in [
        ("log.level", "", &[("info", 3), ("debug", 1), ("error", 1)][..], 8, 6),
        ("service.name", "", &[("sshd", 2), ("app", 1)], 3, 2),
        ("labels.tags", "", &[("b", 2), ("7", 1), ("a", 1)], 2, 3),
        ("labels.mixed", "", &[("5", 2), ("true", 1)], 3, 2),
        ("event.outcome", "password", &[("failure", 1), ("success", 1)], 2, 2),
        ("labels.absent", "", &[], 0, 0),
        ("labels.user name", "", &[("x:y", 1)], 1, 1),
    ] {
        let request = FieldValuesRequest { selection: selection(query), field: field.to_owned(), limit: 3 };
        let answer = index.field_values(request, &Limits::none()).await.unwrap();
        let values: Vec<_> = answer.values.iter().map(|(value, count)| (value.as_str(), *count)).collect();
        assert_eq!(
            (values.as_slice(), answer.total, answer.distinct),
            (expected, total, distinct),
            "{field}"
        );
    }

    let fields = index.fields(&Limits::none()).await.unwrap();
    for (name, kind, count) in [
        ("@timestamp", "date", Some(8)),
        ("message", "text", Some(8)),
        ("log.level", "keyword", Some(8)),
        ("source.port", "long", Some(2)),
        ("source.ip", "ip", Some(2)),
        ("labels.mixed", "keyword", Some(3)),
        ("sentinel.anomaly.score", "double", Some(8)),
        ("sentinel.anomaly.is_anomaly", "boolean", Some(8)),
        ("labels.null", "", None),
        ("labels.ctx.items.id", "keyword", Some(1)),
        ("labels.ctx.items.in.b", "keyword", Some(1)),
        ("labels.ctx.items", "", None),
    ] {
        let field = fields.iter().find(|field| field.name == name);
        assert_eq!(field.map(|field| field.count), count, "{name}");
        assert_eq!(field.map_or("", |field| &field.kind), kind, "{name}");
    }

    let answer = index
        .patterns(PatternsRequest { selection: selection("disk"), limit: 1 }, &Limits::none())
        .await
        .unwrap();
    assert_eq!((answer.total, answer.distinct, answer.patterns.len()), (3, 2, 1));
    let pattern = &answer.patterns[0];
    assert_eq!((pattern.text.as_str(), pattern.count, pattern.anomalies), ("disk full", 2, 0));
    assert_eq!((pattern.first, pattern.last), (seconds(3), seconds(4)));
    assert_eq!((pattern.severity, pattern.score_max), (Severity::Fatal, 0.4));
}

/// Days, weeks, months, quarters and years of a zone, over two changes of its clocks.
pub(super) async fn calendars<F: Factory>(factory: &F) {
    let place = factory.place();
    let index = factory.open(&place).await;
    let times = [
        "2023-12-31T22:59:59.999999999Z",
        "2023-12-31T23:00:00Z",
        "2024-03-30T22:59:59Z",
        "2024-03-30T23:00:00Z",
        "2024-03-31T21:59:59Z",
        "2024-03-31T22:00:00Z",
        "2024-10-26T22:00:00Z",
        "2024-10-27T22:59:59Z",
        "2024-10-27T23:00:00Z",
    ];
    let event = |(record, time): (usize, &&str)| {
        let event = Event::new("m", Timestamp::parse(time).unwrap());
        analyzed(record as u32, event, |event| event.source = Some(if record < 5 { "a" } else { "b" }.into()))
    };
    let events: Vec<_> = times.iter().enumerate().map(event).collect();
    write(&*index, batch(events[..4].to_vec())).await;
    index.commit().await.unwrap();
    write(&*index, batch(events[4..].to_vec())).await;
    let (utc, berlin) = (TimeZone::UTC, TimeZone::get("Europe/Berlin").unwrap());
    let shifted = TimeZone::fixed(jiff::tz::Offset::from_seconds(-12_600).unwrap());
    for (unit, zone, expected) in [
        (
            Unit::Day,
            &berlin,
            &[
                ("2023-12-30T23:00:00Z", 1),
                ("2023-12-31T23:00:00Z", 1),
                ("2024-03-29T23:00:00Z", 1),
                ("2024-03-30T23:00:00Z", 2),
                ("2024-03-31T22:00:00Z", 1),
                ("2024-10-26T22:00:00Z", 2),
                ("2024-10-27T23:00:00Z", 1),
            ][..],
        ),
        (
            Unit::Week,
            &berlin,
            &[
                ("2023-12-24T23:00:00Z", 1),
                ("2023-12-31T23:00:00Z", 1),
                ("2024-03-24T23:00:00Z", 3),
                ("2024-03-31T22:00:00Z", 1),
                ("2024-10-20T22:00:00Z", 2),
                ("2024-10-27T23:00:00Z", 1),
            ],
        ),
        (
            Unit::Month,
            &shifted,
            &[("2023-12-01T03:30:00Z", 2), ("2024-03-01T03:30:00Z", 4), ("2024-10-01T03:30:00Z", 3)],
        ),
        (
            Unit::Quarter,
            &berlin,
            &[
                ("2023-09-30T22:00:00Z", 1),
                ("2023-12-31T23:00:00Z", 4),
                ("2024-03-31T22:00:00Z", 1),
                ("2024-09-30T22:00:00Z", 3),
            ],
        ),
        (Unit::Year, &utc, &[("2023-01-01T00:00:00Z", 2), ("2024-01-01T00:00:00Z", 7)]),
    ] {
        for by in [None, Some("service.name".to_owned())] {
            let request = HistogramRequest {
                selection: selection("*"),
                interval: Interval::Calendar(unit, zone.clone()),
                by,
                by_limit: 2,
                buckets_max: 10,
            };
            let found = index.histogram(request, &Limits::none()).await.unwrap();
            let buckets: Vec<_> =
                found.buckets.iter().map(|bucket| (bucket.t.to_string(), bucket.count)).collect();
            let expected: Vec<_> = expected.iter().map(|(t, count)| ((*t).to_owned(), *count)).collect();
            assert_eq!(buckets, expected, "{unit:?} {zone:?}");
        }
    }
    // Chosen, they are the same stretches.
    let interval = Interval::Chosen { until: Timestamp::MAX, zone: berlin.clone() };
    let request =
        HistogramRequest { selection: selection("*"), interval, by: None, by_limit: 2, buckets_max: 1000 };
    let found = index.histogram(request, &Limits::none()).await.unwrap().settle(Timestamp::MAX, &berlin);
    assert_eq!(found.width, Width::Calendar(Unit::Week, berlin));
    assert_eq!(found.buckets.iter().map(|bucket| bucket.count).collect::<Vec<_>>(), [1, 1, 3, 1, 2, 1]);
}

pub(super) async fn durability<F: Factory>(factory: &F) {
    let place = factory.place();
    let index = factory.open(&place).await;
    assert_eq!(index.commit().await.unwrap(), Default::default(), "nothing to commit");
    let events: Vec<_> = (0..6).map(|record| plain(record, 0, "kept")).collect();
    write(&*index, batch(events[..3].to_vec())).await;
    assert_eq!(*index.written().borrow(), id(3).position);
    assert_eq!(found(&*index, all("kept")).await.1, 3, "searchable before it is durable");
    let durable = index.commit().await.unwrap();
    assert_eq!(durable, id(3).position);
    write(&*index, batch(events[3..].to_vec())).await;
    assert_eq!(found(&*index, all("kept")).await.1, 6);
    drop(index);

    let index = factory.open(&place).await;
    let start = index.attach(JOURNAL, durable, id(6).position).record as usize;
    assert!(start >= 3, "what was committed is lost");
    assert_eq!(index.attach(event::JournalId(1), Default::default(), id(6).position), Default::default());
    index.attach(JOURNAL, durable, id(6).position);
    write(&*index, batch(events[start..].to_vec())).await;
    assert_eq!(found(&*index, all("kept")).await, (vec![5, 4, 3, 2, 1, 0], 6), "each exactly once");
    assert_eq!(index.commit().await.unwrap(), id(6).position);
    drop(index);
    let index = factory.open(&place).await;
    assert_eq!(found(&*index, all("kept")).await.1, 6);
    // A remote index learns its figures from time to time.
    let figures = async {
        while index.stats().events != 6 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert_eq!(tokio::time::timeout(Duration::from_secs(60), figures).await, Ok(()), "figures");
}

pub(super) async fn expiry<F: Factory>(factory: &F) {
    let place = factory.place();
    let index = factory.open(&place).await;
    write(&*index, batch((0..4).map(|record| plain(record, i64::from(record), "x")).collect())).await;
    index.commit().await.unwrap();
    assert_eq!(index.expire(now()).await.unwrap(), 0, "none is older");
    index.expire(seconds(2)).await.unwrap();
    let (kept, _) = found(&*index, all("x")).await;
    assert!(kept.starts_with(&[3, 2]), "a younger one went: {kept:?}");
    assert_eq!(index.expire(seconds(100)).await.unwrap(), kept.len() as u64, "all of them are older");
    assert_eq!(found(&*index, all("x")).await, (vec![], 0));
    assert_eq!(index.commit().await.unwrap(), id(4).position, "what expired is not asked for again");
}

pub(super) async fn late_verdicts<F: Factory>(factory: &F) {
    let place = factory.place();
    let index = factory.open(&place).await;
    let unscored = |record: u32| {
        let offset = i64::from(record);
        let mut event = plain(record, offset, if record.is_multiple_of(2) { "even" } else { "odd" });
        event.verdict = Verdict::unscored();
        event
    };
    let mut events: Vec<_> = (0..8).map(unscored).collect();
    events.push(plain(8, 8, "scored at once"));
    write(&*index, batch(events[..5].to_vec())).await;
    index.commit().await.unwrap();
    write(&*index, batch(events[5..].to_vec())).await;
    let late = |record: u32| {
        let reasons = if record == 3 { vec!["never \"seen\" before".to_owned()] } else { Vec::new() };
        let (score, state) = (Verdict::quantize(record as f32 / 10.0), VerdictState::Scored);
        (id(record), Verdict { score, is_anomaly: record == 3, state, reasons })
    };
    // Of what is scored already and of what is not there nothing changes.
    let verdicts: Vec<_> = [1, 2, 3, 6, 8, 77].map(late).into();
    assert_eq!(index.amend(&verdicts).await.unwrap(), 4);
    assert_eq!(index.amend(&verdicts).await.unwrap(), 0, "told again");
    let ask = async |index: &dyn Index| {
        for (query, expected) in [
            ("sentinel.anomaly.state:unscored", vec![7, 5, 4, 0]),
            ("sentinel.anomaly.state:scored", vec![8, 6, 3, 2, 1]),
            ("sentinel.anomaly.is_anomaly:true", vec![8, 3]),
            ("sentinel.anomaly.score:>=0.3", vec![8, 6, 3]),
            ("sentinel.anomaly.reasons:\"never \\\"seen\\\" before\"", vec![3]),
            ("odd", vec![7, 5, 3, 1]),
        ] {
            let total = expected.len() as u64;
            assert_eq!(found(index, all(query)).await, (expected, total), "{query}");
        }
        let hits = index.search(all("odd"), &Limits::none()).await.unwrap().hits;
        let hit = hits.iter().find(|hit| hit.key.id == id(3)).unwrap();
        let anomaly = &hit.document["sentinel"]["anomaly"];
        let reasons = serde_json::json!(["never \"seen\" before"]);
        assert_eq!((&anomaly["score"], &anomaly["reasons"]), (&serde_json::json!(0.3), &reasons));
        let request = PatternsRequest { selection: selection("odd"), limit: 1 };
        let pattern = &index.patterns(request, &Limits::none()).await.unwrap().patterns[0];
        assert_eq!((pattern.count, pattern.anomalies, pattern.score_max), (4, 1, 0.3));
    };
    ask(&*index).await;
    index.commit().await.unwrap();
    drop(index);
    ask(&*factory.open(&place).await).await;
}
