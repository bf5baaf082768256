//! The collector's read side through its router.

use std::{sync::Arc, time::Duration};

use crate::support::{Collector, ask, event, four, get};
use api::{AccessConfig, CollectorConfig};
use async_trait::async_trait;
use axum::body::Body;
use event::{Batch, Event, EventId, JournalId, Position, Severity, Timestamp, Verdict};
use index::{
    FieldInfo, FieldValues, FieldValuesRequest, FollowRequest, Followed, Histogram, HistogramRequest, Index,
    IndexError, IndexStats, Limits, Patterns, PatternsRequest, SearchRequest, SearchResult, scan::ScanIndex,
};
use serde_json::{Value, json};
use tower::ServiceExt;

/// Two of four events in the index, two in the journal alone.
async fn half_indexed() -> Collector {
    let collector = Collector::new();
    let events = four();
    let appended = collector.append(&events[..2]).await;
    collector.index(&events[..2], appended).await;
    collector.append(&events[2..]).await;
    collector
}

fn messages(json: &Value) -> Vec<&str> {
    json["hits"].as_array().unwrap().iter().map(|hit| hit["message"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_search_covers_index_and_journal() {
    let collector = half_indexed().await;
    let router = collector.router(&AccessConfig::default());
    let cases: &[(&str, u64, &[&str])] = &[
        ("", 4, &["upstream timed out", "GET /index.html", "Brute force detected", "User login"]),
        ("?q=*", 4, &["upstream timed out", "GET /index.html", "Brute force detected", "User login"]),
        ("?q=level:error", 2, &["upstream timed out", "Brute force detected"]),
        ("?q=source:web", 2, &["upstream timed out", "GET /index.html"]),
        ("?q=%22brute%20force%22", 1, &["Brute force detected"]),
        ("?q=nothing", 0, &[]),
        ("?limit=1", 4, &["upstream timed out"]),
        ("?limit=0", 4, &[]),
        (
            "?from=2024-06-01T12:01:00Z&to=2024-06-01T12:03:00Z",
            2,
            &["GET /index.html", "Brute force detected"],
        ),
        ("?from=now-15m", 0, &[]),
    ];
    for (query, total, expected) in cases {
        let reply = get(&router, &format!("/api/v1/search{query}")).await;
        assert_eq!(reply.status, 200, "{query}: {}", reply.text);
        assert_eq!(reply.json["total"], *total, "{query}");
        assert_eq!(messages(&reply.json), *expected, "{query}");
        assert_eq!(reply.json.get("partial"), None, "{query}");
        assert!(reply.json["took_ms"].is_u64(), "{query}");
    }
}

#[tokio::test]
async fn a_search_that_finds_nothing_says_why_that_may_be() {
    let collector = half_indexed().await;
    let router = collector.router(&AccessConfig::default());
    for (query, expected) in [
        ("brute", &[][..]),
        ("nothing", &[]),
        ("-brute%20-login%20-get%20-upstream", &[]),
        ("source:nobody", &[]),
        ("not%20a%20fan", &["the operator is NOT"]),
        ("log.levell:error", &["no event has the field labels.log.levell; there is log.level"]),
        ("WEB", &["for the service write service.name:web"]),
        ("level:[error%20TO%20info]", &["begins behind its end"]),
        ("host:x%20auth", &["no event has the field host.name", "service.name:auth"]),
        ("source:Web", &["'Web' is written otherwise there; write service.name:web"]),
        ("msg:brute", &["no event has the field labels.msg; there is message"]),
        (
            "level:error&from=2030-01-01T00:00:00Z",
            &["no event is within this time; there are some from 2024-06-01T12:00:00Z to"],
        ),
    ] {
        for path in ["search?q", "histogram?q", "patterns?q", "fields?field=source&q"] {
            let reply = get(&router, &format!("/api/v1/{path}={query}")).await;
            let hints = reply.json["hints"].as_array().map(Vec::as_slice).unwrap_or_default();
            // Of nothing no field has values.
            assert_eq!(hints.len(), expected.len(), "{path}={query}: {}", reply.text);
            for (hint, part) in hints.iter().zip(expected) {
                assert!(hint.as_str().unwrap().contains(part), "{path}={query}: {}", reply.text);
            }
        }
    }
    let reply = get(&router, "/api/v1/fields?field=servicename").await;
    assert_eq!(reply.json["hints"][0], "no event has the field labels.servicename; there is service.name");
}

#[tokio::test]
async fn hits_are_nested_documents_with_their_id_first() {
    let collector = half_indexed().await;
    let router = collector.router(&AccessConfig::default());
    let reply = get(&router, "/api/v1/search?q=brute").await;
    let hit = reply.json["hits"][0].as_object().unwrap();
    assert_eq!(hit.keys().next().unwrap(), "_id");
    assert_eq!(hit["_id"], collector.id(Position { segment: 0, record: 1 }).to_string());
    assert_eq!(hit["@timestamp"], "2024-06-01T12:01:00Z");
    assert_eq!(hit["log"], json!({"level": "error"}));
    assert_eq!(hit["service"], json!({"name": "auth"}));
    assert_eq!(hit["sentinel"]["template"]["text"], "made up");
    assert_eq!(reply.headers["content-type"], "application/json");
}

#[tokio::test]
async fn pages_follow_each_other_across_the_border() {
    let collector = half_indexed().await;
    let router = collector.router(&AccessConfig::default());
    let (mut seen, mut uri) = (Vec::new(), "/api/v1/search?limit=1".to_owned());
    for _ in 0..5 {
        let reply = get(&router, &uri).await;
        assert_eq!(reply.json["total"], 4);
        seen.extend(messages(&reply.json).into_iter().map(str::to_owned));
        match reply.json["next"].as_str() {
            Some(cursor) => uri = format!("/api/v1/search?limit=1&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, ["upstream timed out", "GET /index.html", "Brute force detected", "User login"]);
}

#[tokio::test]
async fn pages_follow_each_other_from_the_oldest_on() {
    let collector = half_indexed().await;
    let router = collector.router(&AccessConfig::default());
    let (mut seen, mut uri) = (Vec::new(), "/api/v1/search?limit=1&order=asc".to_owned());
    for _ in 0..5 {
        let reply = get(&router, &uri).await;
        seen.extend(messages(&reply.json).into_iter().map(str::to_owned));
        let Some(cursor) = reply.json["next"].as_str() else { break };
        let other = get(&router, &format!("/api/v1/search?limit=1&cursor={cursor}")).await;
        assert_eq!((other.status, &other.json["field"]), (400, &json!("cursor")), "in the other order");
        uri = format!("/api/v1/search?limit=1&order=asc&cursor={cursor}");
    }
    assert_eq!(seen, ["User login", "Brute force detected", "GET /index.html", "upstream timed out"]);
}

#[tokio::test]
async fn an_event_is_found_by_its_id_and_with_what_stood_around_it() {
    let collector = Collector::new();
    let router = collector.router(&AccessConfig::default());
    let made = |second: u32, fields: &[(&'static str, &'static str)]| {
        let mut event = event("2024-06-01T12:00:00Z", Severity::Info, "app", &format!("event {second}"));
        event.timestamp = Timestamp::from_nanos(i64::from(second) * 1_000_000_000).unwrap();
        for (path, value) in fields {
            match *path {
                "host.name" => event.host = Some((*value).into()),
                path => event.set(path, *value),
            }
        }
        event
    };
    let (a, b, web) = (("log.file.path", "/a.log"), ("log.file.path", "/b.log"), ("host.name", "web-1"));
    let trace = ("trace.id", "t-1");
    let events = [
        made(0, &[a, web]),
        made(1, &[a]),
        made(2, &[b, web]),
        made(3, &[a, web]),
        made(4, &[web, trace]),
        made(5, &[trace]),
        made(6, &[web]),
        made(7, &[a, web]),
        made(8, &[]),
    ];
    // Most of them in the index, the others in the journal.
    let appended = collector.append(&events[..5]).await;
    collector.index(&events[..5], appended).await;
    collector.append(&events[5..]).await;
    let id = |record| collector.id(Position { segment: 0, record }).to_string();
    let numbers = |json: &Value, member: &str| -> Vec<u64> {
        let number =
            |hit: &Value| hit["message"].as_str().unwrap().split(' ').next_back().unwrap().parse().unwrap();
        json[member].as_array().unwrap().iter().map(number).collect()
    };
    for (record, around, by, before, after) in [
        (3, "?before=5&after=5", "file", vec![0], vec![7]),
        (4, "?before=5&after=5", "session", vec![], vec![5]),
        (6, "?before=2&after=5", "host", vec![3, 4], vec![7]),
        (6, "?after=5", "host", vec![], vec![7]),
        (8, "?before=3&after=9", "all", vec![5, 6, 7], vec![]),
        (0, "", "file", vec![], vec![]),
    ] {
        let reply = get(&router, &format!("/api/v1/events/{}{around}", id(record))).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.json["event"]["_id"], id(record));
        assert_eq!(reply.json["neighbours"]["by"], by, "{record}");
        assert_eq!(
            (numbers(&reply.json, "before"), numbers(&reply.json, "after")),
            (before, after),
            "{record}"
        );
    }
    // The query and the cursors of an answer go on where it ended.
    let reply = get(&router, &format!("/api/v1/events/{}?before=1&after=1&fields=message", id(6))).await;
    assert_eq!(reply.json["before"], json!([{"_id": id(4), "message": "event 4"}]));
    assert_eq!(reply.json["neighbours"]["in"], json!({"host.name": "web-1"}));
    let (query, cursor) =
        (reply.json["neighbours"]["query"].as_str().unwrap(), reply.json["earlier"].as_str().unwrap());
    let further = get(&router, &format!("/api/v1/search?q={query}&cursor={cursor}&fields=level")).await;
    let hits = [3, 2, 0].map(|record| json!({"_id": id(record), "log": {"level": "info"}}));
    assert_eq!(further.json["hits"], json!(hits));

    let found = get(&router, &format!("/api/v1/search?q=_id:({}%20OR%20{})", id(1), id(7))).await;
    assert_eq!((found.json["total"].as_u64(), messages(&found.json)), (Some(2), vec!["event 7", "event 1"]));
    let reply = get(&router, &format!("/api/v1/events/{}", id(99))).await;
    assert_eq!((reply.status, &reply.json["code"]), (404, &json!("event_not_found")));
}

#[tokio::test]
async fn counts_cover_index_and_journal() {
    let collector = half_indexed().await;
    let router = collector.router(&AccessConfig::default());
    let json = get(&router, "/api/v1/histogram?interval=1h&by=level").await.json;
    let bucket = json!({"t": "2024-06-01T12:00:00Z", "count": 4, "by": {"error": 2, "info": 2}});
    assert_eq!(json, json!({"interval": "1h", "buckets": [bucket]}));

    let json = get(&router, "/api/v1/histogram").await.json;
    assert_eq!((&json["interval"], json["buckets"].as_array().unwrap().len()), (&json!("5s"), 4));

    let uri = "/api/v1/histogram?interval=1d&zone=Asia/Tokyo&from=2024-06-01T20:59&q=timestamp:2024-06-01";
    let json = get(&router, uri).await.json;
    assert_eq!(json, json!({"interval": "1d", "buckets": [{"t": "2024-05-31T15:00:00Z", "count": 4}]}));
    let json = get(&router, "/api/v1/histogram?interval=30s&empty=true").await.json;
    let counts: Vec<_> =
        json["buckets"].as_array().unwrap().iter().map(|bucket| bucket["count"].as_u64()).collect();
    assert_eq!(counts, [1, 0, 1, 0, 1, 0, 1].map(Some));
    let json = get(&router, "/api/v1/search?zone=%2B09:00&to=2024-06-01T21:00:30&limit=0").await.json;
    assert_eq!(json["total"], 1);

    let json = get(&router, "/api/v1/fields?field=source").await.json;
    let values = json!([{"value": "auth", "count": 2}, {"value": "web", "count": 2}]);
    assert_eq!(json, json!({"field": "service.name", "values": values, "total": 4, "distinct": 2}));

    let json = get(&router, "/api/v1/fields").await.json;
    let field = json["fields"].as_array().unwrap().iter().find(|field| field["name"] == "service.name");
    assert_eq!(field.unwrap()["count"], 4);

    let json = get(&router, "/api/v1/patterns").await.json;
    assert_eq!((&json["patterns"][0]["text"], &json["patterns"][0]["count"]), (&json!("made up"), &json!(2)));
    assert_eq!(json["patterns"][0]["level"], "error");
}

#[tokio::test]
async fn patterns_come_in_an_order_or_compared() {
    let collector = Collector::new();
    let router = collector.router(&AccessConfig::default());
    let at = |minute: u32, text: &str| (event("2024-06-01T12:00:00Z", Severity::Info, "app", text), minute);
    let events =
        [(0, "a"), (1, "a"), (2, "b"), (3, "gone"), (10, "a"), (11, "new"), (12, "b"), (13, "b"), (14, "a")];
    let events: Vec<_> = events
        .into_iter()
        .map(|(minute, text)| at(minute, text))
        .map(|(mut event, minute)| {
            event.timestamp = event.timestamp.saturating_add(i64::from(minute) * 60_000_000_000);
            event
        })
        .collect();
    let appended = collector.append(&events).await;
    collector.index_by_message(&events, appended).await;
    let texts = |json: &Value, members: &[&str]| -> Vec<String> {
        let row = |row: &Value| {
            members
                .iter()
                .map(|member| row[*member].to_string().replace('"', ""))
                .collect::<Vec<_>>()
                .join(" ")
        };
        json["patterns"].as_array().unwrap().iter().map(row).collect()
    };
    for (parameters, expected) in [
        ("", vec!["a 4", "b 3"]),
        ("&order=frequent", vec!["a 4", "b 3"]),
        ("&order=rare&q=NOT%20b", vec!["gone 1", "new 1"]),
        ("&order=newest", vec!["new 1", "gone 1"]),
    ] {
        let json = get(&router, &format!("/api/v1/patterns?limit=2{parameters}")).await.json;
        let mut found = texts(&json, &["text", "count"]);
        if parameters.contains("rare") {
            found.sort();
        }
        assert_eq!(found, expected, "{parameters}");
    }
    let (from, before) = ("from=2024-06-01T12:10:00Z", "compare_from=2024-06-01T12:00:00Z");
    let json = get(&router, &format!("/api/v1/patterns?{from}&{before}")).await.json;
    let changes = texts(&json, &["change", "text", "count_before", "count"]);
    assert_eq!(changes, ["new new 0 1", "gone gone 1 0", "changed b 1 2"]);
    let counts = ["total", "total_before", "new", "gone", "changed", "unchanged"]
        .map(|name| json[name].as_u64().unwrap());
    assert_eq!(counts, [5, 4, 1, 1, 1, 1]);
}

#[tokio::test]
async fn bad_questions_name_what_is_wrong() {
    let router = Collector::new().router(&AccessConfig::default());
    for (uri, code, field, part) in [
        ("/api/v1/search?q=(a", "bad_query", "q", "column"),
        ("/api/v1/search?limt=1", "unknown_parameter", "limt", "did you mean 'limit'?"),
        ("/api/v1/search?limit=-1", "bad_parameter", "limit", "from 0 to 10000"),
        ("/api/v1/search?limit=10001", "bad_parameter", "limit", "from 0 to 10000"),
        ("/api/v1/search?from=yesterday", "bad_parameter", "from", "yesterday"),
        ("/api/v1/search?from=now&to=now-1h", "bad_parameter", "from", "later than"),
        ("/api/v1/search?cursor=x", "bad_parameter", "cursor", "'next'"),
        ("/api/v1/search?order=up", "bad_parameter", "order", "asc"),
        ("/api/v1/search?q=_id:7", "bad_query", "q", "hexadecimal"),
        ("/api/v1/events/7", "bad_parameter", "id", "hexadecimal"),
        ("/api/v1/events/7?before=x", "bad_parameter", "id", "hexadecimal"),
        ("/api/v1/events/7?limit=1", "unknown_parameter", "limit", "before"),
        ("/api/v1/fields?field=_id", "bad_parameter", "field", "_id of its own"),
        ("/api/v1/histogram?by=_id", "bad_parameter", "by", "_id of its own"),
        ("/api/v1/search?limit=1&limit=2", "bad_parameter", "limit", "more than once"),
        ("/api/v1/histogram?interval=2y", "bad_parameter", "interval", "30s"),
        ("/api/v1/histogram?zone=Mars/Olympus", "bad_parameter", "zone", "Europe/Berlin"),
        ("/api/v1/histogram?from=now-7d&to=now&interval=1s", "bad_parameter", "interval", "10000 buckets"),
        ("/api/v1/histogram?limit=1", "unknown_parameter", "limit", "interval"),
        ("/api/v1/fields?q=a", "bad_parameter", "q", "'field'"),
        ("/api/v1/patterns?q=%22", "bad_query", "q", "column"),
        ("/api/v1/patterns?order=up", "bad_parameter", "order", "frequent, rare, newest"),
        ("/api/v1/patterns?order=rare&compare_from=now-1d", "bad_parameter", "order", "of their own"),
        ("/api/v1/patterns?compare_from=now-1d", "bad_parameter", "compare_from", "'from' or 'compare_to'"),
        (
            "/api/v1/patterns?from=now-2h&compare_from=now-1h",
            "bad_parameter",
            "compare_from",
            "later than 'from'",
        ),
        (
            "/api/v1/patterns?compare_from=now&compare_to=now-1h",
            "bad_parameter",
            "compare_from",
            "later than",
        ),
        ("/api/v1/tail?q=(", "bad_query", "q", "column"),
        ("/api/v1/tail?from=now", "unknown_parameter", "from", "q"),
    ] {
        let reply = get(&router, uri).await;
        assert_eq!(reply.status, 400, "{uri}: {}", reply.text);
        assert_eq!(reply.headers["content-type"], "application/problem+json", "{uri}");
        assert_eq!((&reply.json["code"], &reply.json["field"]), (&json!(code), &json!(field)), "{uri}");
        assert!(reply.json["detail"].as_str().unwrap().contains(part), "{uri}: {}", reply.text);
        assert!(reply.json["request_id"].is_string(), "{uri}");
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let router = Collector::new().router(&AccessConfig::default());
    let reply = get(&router, "/nowhere").await;
    assert_eq!((reply.status, &reply.json["code"]), (404, &json!("not_found")));
    let reply = ask(&router, "DELETE", "/api/v1/search", &[], "").await;
    assert_eq!((reply.status, &reply.json["code"]), (405, &json!("method_not_allowed")));
    assert_eq!(reply.headers["allow"], "GET,HEAD");
}

#[tokio::test]
async fn hosts_and_keys() {
    let collector = Collector::new();
    let open = collector.router(&AccessConfig::default());
    let locked = collector.router(&AccessConfig {
        allowed_hosts: vec!["logs.example".into()],
        api_keys: vec!["secret".into()],
    });
    let search = "/api/v1/search";
    for (router, uri, headers, expected) in [
        (&open, search, vec![("host", "127.0.0.1:8080")], 200),
        (&open, search, vec![("host", "evil.example")], 421),
        (&open, "/livez", vec![("host", "evil.example")], 421),
        (&locked, search, vec![("host", "localhost")], 401),
        (&locked, search, vec![("host", "other.example")], 421),
        (&locked, search, vec![("host", "logs.example:8080")], 401),
        (&locked, "/nowhere", vec![("host", "logs.example")], 401),
        (&locked, "/metrics", vec![("host", "logs.example")], 401),
        (&locked, "/livez", vec![("host", "logs.example")], 200),
        (&locked, "/readyz", vec![("host", "logs.example")], 200),
        (&locked, "/health", vec![("host", "logs.example")], 200),
        (&locked, search, vec![("host", "logs.example"), ("authorization", "Bearer secret")], 200),
        (&locked, search, vec![("host", "logs.example"), ("authorization", "apikey secret")], 200),
        (&locked, search, vec![("host", "logs.example"), ("x-api-key", "secret")], 200),
        (&locked, search, vec![("host", "logs.example"), ("x-api-key", "Secret")], 401),
        (&locked, search, vec![("host", "logs.example"), ("authorization", "Basic secret")], 401),
        (&locked, search, vec![("host", "logs.example"), ("authorization", "Bearer")], 401),
    ] {
        let reply = ask(router, "GET", uri, &headers, "").await;
        assert_eq!(reply.status, expected, "{uri} {headers:?}");
        assert_eq!(reply.headers.contains_key("www-authenticate"), expected == 401, "{uri} {headers:?}");
        assert!(!reply.text.contains("secret"), "{uri} {headers:?}");
    }
}

#[tokio::test]
async fn probes_metrics_and_pages() {
    let collector = Collector::new();
    let router = collector.router(&AccessConfig::default());
    let ready = |status: &'static str| {
        let router = router.clone();
        async move {
            let reply = get(&router, "/readyz").await;
            assert_eq!(reply.json["status"], status, "{}", reply.text);
            reply
        }
    };
    assert_eq!(ready("ready").await.status, 200);
    let part = collector.health.component("index");
    part.degraded("catching up");
    let reply = ready("degraded").await;
    assert_eq!((reply.status, &reply.json["degraded"]), (200, &json!(["index"])));
    assert_eq!(reply.json["components"]["index"]["reason"], "catching up");
    part.failed("gone");
    assert_eq!(ready("unavailable").await.status, 503);
    assert_eq!(get(&router, "/livez").await.json, json!({"status": "live"}));

    let reply = get(&router, "/metrics").await;
    assert_eq!(reply.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let counted = "log_sentinel_http_requests_total{route=\"/readyz\",status=\"503\"}";
    assert!(reply.text.contains(counted), "{}", reply.text);

    assert_eq!(get(&router, "/").await.json["docs"], "/docs");
    let reply = get(&router, "/docs").await;
    assert_eq!(reply.headers["content-type"], "text/html; charset=utf-8");
    let policy = reply.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
    let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    assert!(reply.text.contains(&format!("<style nonce=\"{nonce}\">")));
    assert!(!reply.text.contains("{{"));
}

#[tokio::test]
async fn browsers_are_given_the_dashboard_and_its_files() {
    let router = Collector::new().router(&AccessConfig::default());
    let reply = ask(&router, "GET", "/", &[("accept", "text/html,*/*;q=0.8")], "").await;
    assert_eq!(reply.headers["content-type"], "text/html; charset=utf-8");
    let policy = reply.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'self';") && !policy.contains("unsafe"), "{policy}");
    let addresses: Vec<&str> = reply.text.split('"').filter(|text| text.starts_with("/ui/")).collect();
    assert!(addresses.len() > 10, "{addresses:?}");
    for address in addresses {
        let file = get(&router, address).await;
        assert_eq!(file.status, 200, "{address}");
        assert!(file.headers["cache-control"].to_str().unwrap().ends_with("immutable"), "{address}");
    }
    assert_eq!(get(&router, "/ui/0000000000000000/app.js").await.status, 404);
}

/// An index that fails, or never answers; it may still count.
#[derive(Default)]
pub(crate) struct Broken {
    pub(crate) hangs: bool,
    pub(crate) counts: u64,
    /// Told of each question that hangs.
    pub(crate) asked: tokio::sync::Notify,
}

impl Broken {
    async fn fail<T>(&self) -> Result<T, IndexError> {
        if self.hangs {
            self.asked.notify_one();
            std::future::pending::<()>().await;
        }
        Err(IndexError::Poisoned)
    }
}

#[async_trait]
impl Index for Broken {
    async fn write(&self, _: &Batch<'_>) -> Result<(), IndexError> {
        self.fail().await
    }
    async fn commit(&self) -> Result<Position, IndexError> {
        self.fail().await
    }
    fn attach(&self, _: JournalId, _: Position, _: Position) -> Position {
        Position::default()
    }
    fn written(&self) -> tokio::sync::watch::Receiver<Position> {
        tokio::sync::watch::channel(Position::default()).1
    }
    async fn search(&self, request: SearchRequest, _: &Limits) -> Result<SearchResult, IndexError> {
        if request.limit > 0 || self.counts == 0 {
            return self.fail().await;
        }
        Ok(SearchResult { total: self.counts, hits: vec![], next: None, covered: Position::default() })
    }
    async fn follow(&self, _: FollowRequest, _: &Limits) -> Result<Followed, IndexError> {
        self.fail().await
    }
    async fn histogram(&self, _: HistogramRequest, _: &Limits) -> Result<Histogram, IndexError> {
        self.fail().await
    }
    async fn field_values(&self, _: FieldValuesRequest, _: &Limits) -> Result<FieldValues, IndexError> {
        self.fail().await
    }
    async fn fields(&self, _: &Limits) -> Result<Vec<FieldInfo>, IndexError> {
        self.fail().await
    }
    async fn patterns(&self, _: PatternsRequest, _: &Limits) -> Result<Patterns, IndexError> {
        self.fail().await
    }
    async fn amend(&self, _: &[(EventId, Verdict)]) -> Result<u64, IndexError> {
        self.fail().await
    }
    async fn expire(&self, _: Timestamp) -> Result<u64, IndexError> {
        self.fail().await
    }
    fn stats(&self) -> IndexStats {
        IndexStats::default()
    }
}

#[tokio::test]
async fn without_an_index_the_journal_answers_in_part() {
    let broken = Arc::new(Broken::default());
    let collector = Collector::with(broken, CollectorConfig::default(), search::Config::default());
    collector.append(&four()).await;
    let router = collector.router(&AccessConfig::default());
    for (uri, pointer, expected) in [
        ("/api/v1/search", "/total", json!(4)),
        ("/api/v1/histogram?interval=1h", "/buckets/0/count", json!(4)),
        ("/api/v1/fields?field=level", "/total", json!(4)),
        ("/api/v1/fields", "/fields/0/count", json!(4)),
        ("/api/v1/patterns", "/patterns", json!([])),
    ] {
        let reply = get(&router, uri).await;
        assert_eq!(reply.status, 200, "{uri}: {}", reply.text);
        assert_eq!(reply.json["partial"], true, "{uri}");
        assert!(reply.json["reason"].as_str().unwrap().contains("does not answer"), "{uri}");
        assert_eq!(reply.json.pointer(pointer), Some(&expected), "{uri}: {}", reply.text);
    }
}

#[tokio::test]
async fn a_tail_beyond_its_budget_makes_the_answer_partial() {
    let search = search::Config { tail_bytes_max: 1, catch_up: Duration::ZERO, ..search::Config::default() };
    let collector = Collector::with(Arc::new(ScanIndex::new()), CollectorConfig::default(), search);
    collector.append(&many(45_000)).await;
    let reply = get(&collector.router(&AccessConfig::default()), "/api/v1/search?limit=1").await;
    // Pieces end at every 16,384th event.
    assert_eq!((&reply.json["total"], &reply.json["partial"]), (&json!(12_232), &json!(true)));
    assert_eq!(reply.json["hits"][0]["message"], "event 44999", "the newest are looked at first");
    assert!(reply.json["reason"].as_str().unwrap().contains("newest 12232 events"), "{}", reply.text);
}

#[tokio::test]
async fn all_that_waits_for_the_index_is_found() {
    // Time enough for any machine: a short one is another test's.
    let (catch_up, tail_time_max) = (Duration::ZERO, Duration::from_secs(600));
    let search = search::Config { catch_up, tail_time_max, ..search::Config::default() };
    let config = CollectorConfig { query_timeout: tail_time_max, ..CollectorConfig::default() };
    let collector = Collector::with(Arc::new(ScanIndex::new()), config, search);
    collector.append(&many(65_000)).await;
    let router = collector.router(&AccessConfig::default());
    let reply = get(&router, "/api/v1/search?limit=1").await;
    assert_eq!((&reply.json["total"], &reply.json["partial"]), (&json!(65_000), &Value::Null));
    let reply = get(&router, "/api/v1/search?q=64999%20OR%200").await;
    assert_eq!(reply.json["total"], 2, "the newest and the oldest: {}", reply.text);
    let reply = get(&router, "/api/v1/fields?field=level").await;
    assert_eq!(reply.json["total"], 65_000, "pieces add up");
}

/// So many events, a microsecond apart.
fn many(count: u32) -> Vec<Event<'static>> {
    let stamp = |number: u32| Timestamp::saturating_from_nanos(i128::from(number) * 1_000);
    (0..count).map(|number| Event::new(format!("event {number}"), stamp(number))).collect()
}

#[tokio::test]
async fn queries_are_bounded_in_time_and_number() {
    let config = CollectorConfig {
        queries_max: 1,
        query_timeout: Duration::from_millis(50),
        ..CollectorConfig::default()
    };
    let search = search::Config { catch_up: Duration::ZERO, ..search::Config::default() };
    let collector = Collector::with(Arc::new(Broken { hangs: true, ..Broken::default() }), config, search);
    let router = collector.router(&AccessConfig::default());
    let reply = get(&router, "/api/v1/search").await;
    assert_eq!((reply.status, &reply.json["code"]), (503, &json!("query_timeout")));
    assert_eq!(get(&router, "/livez").await.status, 200);
    // The work ended with its time, and left its place to the next.
    let reply = get(&router, "/api/v1/search").await;
    assert_eq!((reply.status, &reply.json["code"]), (503, &json!("query_timeout")));
}

#[tokio::test]
async fn a_query_ends_with_its_client() {
    let config = CollectorConfig {
        queries_max: 1,
        query_timeout: Duration::from_secs(600),
        ..CollectorConfig::default()
    };
    let search = search::Config { catch_up: Duration::ZERO, ..search::Config::default() };
    let index = Arc::new(Broken { hangs: true, ..Broken::default() });
    let collector = Collector::with(index.clone(), config, search);
    let router = collector.router(&AccessConfig::default());
    for uri in ["/api/v1/search", "/api/v1/histogram?interval=1h", "/api/v1/fields", "/api/v1/patterns"] {
        let asking = router.clone();
        let asking = telemetry::task::spawn("asks", async move { get(&asking, uri).await.status });
        index.asked.notified().await;
        let reply = get(&router, uri).await;
        assert_eq!((reply.status, &reply.json["code"]), (429, &json!("busy")), "{uri}");
        assert_eq!(reply.headers["retry-after"], "1", "{uri}");
        // Its place is free for the next, which would be refused otherwise.
        asking.abort();
    }
}

#[tokio::test]
async fn waiting_for_the_index_ends_when_it_is_there() {
    let collector = Collector::new();
    let events = four();
    let appended = collector.append(&events).await;
    assert!(!collector.searcher.wait_indexed(appended.end, Duration::from_millis(10)).await);
    let waiting = collector.searcher.wait_indexed(appended.end, Duration::from_secs(30));
    let (waited, ()) = tokio::join!(waiting, collector.index(&events, appended));
    assert!(waited);
}

#[tokio::test]
async fn live_tails_are_bounded_in_number() {
    let config = CollectorConfig { tails_max: 1, ..CollectorConfig::default() };
    let collector = Collector::with(Arc::new(ScanIndex::new()), config, search::Config::default());
    let router = collector.router(&AccessConfig::default());
    let open = || {
        let request = axum::http::Request::get("/api/v1/tail").header("host", "localhost");
        router.clone().oneshot(request.body(Body::empty()).unwrap())
    };
    let first = open().await.unwrap();
    assert_eq!(open().await.unwrap().status(), 429);
    drop(first);
    // Its place is free once it has noticed.
    let freed = async {
        while open().await.unwrap().status() != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), freed).await.expect("the place becomes free");
}

#[tokio::test]
async fn an_index_that_hangs_leaves_the_answer_to_the_journal() {
    let search =
        search::Config { index_timeout: Some(Duration::from_millis(10)), ..search::Config::default() };
    let hanging = Arc::new(Broken { hangs: true, ..Broken::default() });
    let collector = Collector::with(hanging, CollectorConfig::default(), search);
    collector.append(&four()).await;
    let router = collector.router(&AccessConfig::default());
    let reply = get(&router, "/api/v1/search").await;
    assert_eq!((reply.status, &reply.json["total"], &reply.json["partial"]), (200, &json!(4), &json!(true)));
}

#[tokio::test]
async fn dead_letters_are_listed_searched_taken_in_again_and_discarded() {
    let collector = Collector::new();
    let router = collector.router(&AccessConfig::default());
    let letters = collector.dead_letters.clone().unwrap();
    let put = async |messages: &[&'static str]| {
        let letter = |(at, message): (usize, &&'static str)| index::DeadLetter {
            id: collector.id(Position { segment: 0, record: at as u32 }),
            event: event("2024-06-01T12:00:00Z", Severity::Error, "app", message),
            kind: "mapper_parsing_exception".to_owned(),
            reason: "failed to parse field [x]".to_owned(),
        };
        index::DeadLetters::put(&*letters, messages.iter().enumerate().map(letter).collect()).await.unwrap();
    };
    put(&["disk full", "disk slow", "fan off"]).await;
    let reply = get(&router, "/api/v1/dead-letters?q=disk&limit=1").await;
    assert_eq!((reply.status, &reply.json["total"]), (200, &json!(2)), "{}", reply.text);
    assert_eq!(reply.json["letters"][0]["event"]["message"], "disk full");
    assert_eq!(reply.json["letters"][0]["type"], "mapper_parsing_exception");
    let next = reply.json["next"].as_str().unwrap();
    let reply = get(&router, &format!("/api/v1/dead-letters?q=disk&cursor={next}")).await;
    assert_eq!(reply.json["letters"][0]["event"]["message"], "disk slow");
    assert_eq!((reply.json["letters"].as_array().unwrap().len(), &reply.json["next"]), (1, &json!(null)));
    assert_eq!(get(&router, "/api/v1/dead-letters?cursor=x").await.status, 400);

    let reply = ask(&router, "POST", "/api/v1/dead-letters/replay", &[], "").await;
    assert_eq!((reply.status, &reply.json["replayed"]), (200, &json!(3)), "{}", reply.text);
    assert_eq!(get(&router, "/api/v1/search?q=disk").await.json["total"], 2, "they are in the journal");
    put(&["again"]).await;
    let reply = ask(&router, "POST", "/api/v1/dead-letters/discard", &[], "").await;
    assert_eq!(reply.json["discarded"], 1, "{}", reply.text);
    assert_eq!(get(&router, "/api/v1/dead-letters").await.json["total"], 0);
}
