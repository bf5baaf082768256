//! Long answers and live tails: what they hold, and what becomes of clients that do not read.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use api::{AccessConfig, CollectorConfig};
use async_trait::async_trait;
use axum::{Router, body::Body, http::Request};
use event::{Batch, Event, EventId, JournalId, Position, Severity, Timestamp, Verdict};
use http_body_util::BodyExt;
use index::{
    FieldInfo, FieldValues, FieldValuesRequest, FollowRequest, Followed, Histogram, HistogramRequest, Index,
    IndexError, IndexStats, Limits, Patterns, PatternsRequest, SearchRequest, SearchResult, scan::ScanIndex,
};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::{Collector, analyzed, event, get};

const EVENT_BYTES: usize = 200_000;

/// An index that counts searches, and fails from one of them on.
struct Counting {
    inner: ScanIndex,
    searches: AtomicUsize,
    fails_from: usize,
}

impl Counting {
    fn new(fails_from: usize) -> Arc<Self> {
        Arc::new(Self { inner: ScanIndex::new(), searches: AtomicUsize::new(0), fails_from })
    }
}

#[async_trait]
impl Index for Counting {
    fn attach(&self, journal: JournalId, cursor: Position, end: Position) -> Position {
        self.inner.attach(journal, cursor, end)
    }
    async fn write(&self, batch: &Batch<'_>) -> Result<(), IndexError> {
        self.inner.write(batch).await
    }
    async fn commit(&self) -> Result<Position, IndexError> {
        self.inner.commit().await
    }
    fn written(&self) -> tokio::sync::watch::Receiver<Position> {
        self.inner.written()
    }
    async fn search(&self, request: SearchRequest, limits: &Limits) -> Result<SearchResult, IndexError> {
        let number = self.searches.fetch_add(1, Ordering::SeqCst);
        if number >= self.fails_from {
            Err(IndexError::Poisoned)
        } else {
            self.inner.search(request, limits).await
        }
    }
    async fn follow(&self, request: FollowRequest, limits: &Limits) -> Result<Followed, IndexError> {
        self.inner.follow(request, limits).await
    }
    async fn histogram(&self, request: HistogramRequest, limits: &Limits) -> Result<Histogram, IndexError> {
        self.inner.histogram(request, limits).await
    }
    async fn field_values(
        &self,
        request: FieldValuesRequest,
        limits: &Limits,
    ) -> Result<FieldValues, IndexError> {
        self.inner.field_values(request, limits).await
    }
    async fn fields(&self, limits: &Limits) -> Result<Vec<FieldInfo>, IndexError> {
        self.inner.fields(limits).await
    }
    async fn patterns(&self, request: PatternsRequest, limits: &Limits) -> Result<Patterns, IndexError> {
        self.inner.patterns(request, limits).await
    }
    async fn amend(&self, verdicts: &[(EventId, Verdict)]) -> Result<u64, IndexError> {
        self.inner.amend(verdicts).await
    }
    async fn expire(&self, before: Timestamp) -> Result<u64, IndexError> {
        self.inner.expire(before).await
    }
    fn stats(&self) -> IndexStats {
        self.inner.stats()
    }
}

/// So many large events, a second apart, in the index.
async fn large(index: Arc<dyn Index>, count: u32, config: CollectorConfig) -> Collector {
    let collector = Collector::with(index, config, search::Config::default());
    let one = |second: u32| {
        let mut event = event("2024-06-01T12:00:00Z", Severity::Info, "app", &"x".repeat(EVENT_BYTES));
        event.set("labels.number", i64::from(second));
        event.timestamp = Timestamp::from_nanos(i64::from(second) * 1_000_000_000).unwrap();
        event
    };
    let events: Vec<Event<'static>> = (0..count).map(one).collect();
    let appended = collector.append(&events).await;
    collector.index(&events, appended).await;
    collector
}

async fn open(router: &Router, uri: &str, headers: &[(&str, &str)]) -> axum::response::Response {
    let mut request = Request::get(uri).header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

fn numbers(hits: &Value) -> Vec<i64> {
    hits.as_array().unwrap().iter().map(|hit| hit["labels"]["number"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn an_answer_is_found_and_held_as_its_client_takes_it() {
    let index = Counting::new(usize::MAX);
    let collector = large(index.clone(), 60, CollectorConfig::default()).await;
    let router = collector.router(&AccessConfig::default());
    let response = open(&router, "/api/v1/search?limit=60", &[]).await;
    assert_eq!(response.headers()["content-type"], "application/json");
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    let searches = index.searches.load(Ordering::SeqCst);
    assert!(searches <= 2, "{searches} pages were made for a client that reads nothing");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let json: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(json["total"], 60);
    assert_eq!(numbers(&json["hits"]), (0..60).rev().collect::<Vec<_>>());
    assert_eq!(json["next"], Value::Null);
    let members: Vec<_> = json.as_object().unwrap().keys().collect();
    assert_eq!(members, ["total", "hits", "next", "took_ms"]);
    assert!(index.searches.load(Ordering::SeqCst) >= 10);
}

#[tokio::test]
async fn an_export_has_all_there_is_and_is_found_as_its_client_takes_it() {
    let index = Counting::new(usize::MAX);
    // Far more than one answer of JSON may have.
    let config = CollectorConfig { hits_max: 10, answer_bytes_max: 1 << 20, ..CollectorConfig::default() };
    let collector = large(index.clone(), 60, config).await;
    let router = collector.router(&AccessConfig::default());
    for (uri, accept, media) in [
        ("/api/v1/search?order=asc&fields=number", "text/csv", "text/csv; charset=utf-8; header=present"),
        (
            "/api/v1/search?order=asc&format=csv&fields=number",
            "*/*",
            "text/csv; charset=utf-8; header=present",
        ),
        ("/api/v1/search?order=asc&format=ndjson", "*/*", "application/x-ndjson"),
        ("/api/v1/search?order=asc", "application/x-ndjson", "application/x-ndjson"),
    ] {
        let before = index.searches.load(Ordering::SeqCst);
        let response = open(&router, uri, &[("accept", accept)]).await;
        assert_eq!(
            (&response.headers()["content-type"], &response.headers()["x-total"]),
            (&media.parse().unwrap(), &60.into())
        );
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        let searches = index.searches.load(Ordering::SeqCst) - before;
        assert!(searches <= 2, "{searches} pages were made for a client that reads nothing");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let numbers: Vec<String> = match media {
            "application/x-ndjson" => {
                let number =
                    |line| serde_json::from_str::<Value>(line).unwrap()["labels"]["number"].to_string();
                text.lines().map(number).collect()
            }
            _ => text.split_terminator("\r\n").skip(1).map(str::to_owned).collect(),
        };
        assert_eq!(numbers, (0..60).map(|number| number.to_string()).collect::<Vec<_>>(), "{uri}");
    }
    let limited = get(&router, "/api/v1/search?format=csv&limit=2&fields=number,_id").await;
    assert_eq!(limited.text.lines().count(), 3, "{}", limited.text);
    assert!(limited.text.starts_with("number,_id\r\n59,"), "{}", limited.text);
    assert_eq!(get(&router, "/api/v1/search?format=xml").await.status, 400);
}

#[tokio::test]
async fn an_answer_that_cannot_go_on_breaks_off() {
    let index = Counting::new(3);
    let collector = large(index.clone(), 60, CollectorConfig::default()).await;
    let router = collector.router(&AccessConfig::default());
    for uri in ["/api/v1/search?limit=60", "/api/v1/search?format=csv"] {
        index.searches.store(0, Ordering::SeqCst);
        let response = open(&router, uri, &[]).await;
        assert_eq!(response.status(), 200);
        assert!(response.into_body().collect().await.is_err());
    }
}

#[tokio::test]
async fn an_answer_ends_at_its_bound_and_says_where_to_go_on() {
    let config = CollectorConfig { answer_bytes_max: 3 << 20, ..CollectorConfig::default() };
    let collector = large(Arc::new(ScanIndex::new()), 60, config).await;
    let router = collector.router(&AccessConfig::default());
    let (mut seen, mut cursor, mut answers) = (Vec::new(), String::new(), 0);
    loop {
        let reply = get(&router, &format!("/api/v1/search?limit=100{cursor}")).await;
        assert_eq!((reply.status, &reply.json["total"]), (200, &json!(60)));
        assert!(reply.text.len() < 5 << 20, "{} bytes", reply.text.len());
        seen.extend(numbers(&reply.json["hits"]));
        answers += 1;
        let Some(next) = reply.json["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, (0..60).rev().collect::<Vec<_>>());
    assert!(answers >= 3, "{answers}");
}

#[tokio::test]
async fn all_answers_together_hold_no_more_than_they_may() {
    let config = CollectorConfig { answers_bytes_max: 1 << 20, ..CollectorConfig::default() };
    let collector = large(Arc::new(ScanIndex::new()), 60, config).await;
    let router = collector.router(&AccessConfig::default());
    let unread = open(&router, "/api/v1/search?limit=60", &[]).await;
    let reply = get(&router, "/api/v1/search?limit=60").await;
    assert_eq!((reply.status, &reply.json["code"]), (429, &json!("busy")), "{}", reply.text);
    assert_eq!(reply.headers["retry-after"], "1");
    drop(unread);
    assert_eq!(open(&router, "/api/v1/search?limit=60", &[]).await.status(), 200);
}

/// Writes events as the pipeline does: to the journal, the index, and what is live.
async fn take_in(collector: &Collector, numbers: std::ops::Range<i64>) {
    for number in numbers {
        let severity = if number % 2 == 0 { Severity::Error } else { Severity::Info };
        let mut event = event("2024-06-01T12:00:00Z", severity, "app", &"x".repeat(1000));
        event.set("labels.number", number);
        let appended = collector.append(std::slice::from_ref(&event)).await;
        collector.index(std::slice::from_ref(&event), appended).await;
        let event = analyzed(collector.id(appended.first), event);
        collector.live.push(vec![event], appended.end);
    }
}

/// Reads so many events of a live tail: their numbers, and the last id.
async fn read(body: &mut Body, count: usize) -> (Vec<i64>, String) {
    let (mut text, mut numbers, mut last) = (String::new(), Vec::new(), String::new());
    while numbers.len() < count {
        let frame = tokio::time::timeout(Duration::from_secs(60), body.frame()).await;
        let frame = frame.expect("a message comes").unwrap().unwrap();
        text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        while let Some((message, rest)) = text.split_once("\n\n") {
            assert!(!message.contains("lagged"), "{message}");
            for line in message.lines() {
                if let Some(data) = line.strip_prefix("data: ") {
                    let json: Value = serde_json::from_str(data).unwrap();
                    numbers.push(json["labels"]["number"].as_i64().unwrap());
                }
                last = line.strip_prefix("id: ").map_or(last, str::to_owned);
            }
            text = rest.to_owned();
        }
    }
    (numbers, last)
}

#[tokio::test]
async fn a_live_tail_brings_every_event_in_order_however_far_behind_it_is() {
    // Of this burst, about twenty events are held in memory.
    let collector = Collector::new();
    let router = collector.router(&AccessConfig::default());
    take_in(&collector, 0..10).await;
    let response = open(&router, "/api/v1/tail?q=level:error", &[]).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    take_in(&collector, 10..410).await;
    let (numbers, last) = read(&mut body, 200).await;
    assert_eq!(numbers, (10..410).filter(|number| number % 2 == 0).collect::<Vec<_>>());
    drop(body);

    // Who was away goes on behind what it saw.
    take_in(&collector, 410..500).await;
    let expected: Vec<i64> = (410..500).filter(|number| number % 2 == 0).collect();
    for (uri, headers) in [
        ("/api/v1/tail?q=level:error".to_owned(), vec![("last-event-id", last.as_str())]),
        (format!("/api/v1/tail?q=level:error&after={last}"), vec![]),
        (
            format!("/api/v1/tail?q=level:error&after={}", "0".repeat(32)),
            vec![("last-event-id", last.as_str())],
        ),
    ] {
        let uri = uri.replace(&"0".repeat(32), &collector.id(Position::default()).to_string());
        let mut body = open(&router, &uri, &headers).await.into_body();
        assert_eq!(read(&mut body, 45).await.0, expected, "{uri}");
    }

    let mut body = open(&router, "/api/v1/tail", &[]).await.into_body();
    collector.stop.cancel();
    let rest = tokio::time::timeout(Duration::from_secs(10), (&mut body).collect()).await;
    assert!(rest.expect("the stream ends when the program stops").is_ok());
}

#[tokio::test]
async fn a_live_tail_says_when_what_it_missed_is_gone() {
    let collector = Collector::new();
    let router = collector.router(&AccessConfig::default());
    take_in(&collector, 0..10).await;
    collector.index.expire(Timestamp::MAX).await.unwrap();
    let gone = collector.id(Position { segment: 0, record: 4 }).to_string();
    let foreign = format!("{:032x}-00000000-00000000", 7);
    for id in [gone, foreign] {
        let mut body = open(&router, "/api/v1/tail", &[("last-event-id", &id)]).await.into_body();
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        let text = String::from_utf8(frame.to_vec()).unwrap();
        assert!(text.starts_with("event: lagged\ndata: ") && text.contains(&id), "{text}");
    }
    let response = open(&router, "/api/v1/tail?after=x", &[]).await;
    assert_eq!(response.status(), 400);
}
