//! `POST /logs` through its router, into a real journal.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::Write,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Body, http::Request};
use event::{Position, field};
use http_body_util::BodyExt;
use intake::{Config, Door, http};
use journal::Journal;
use serde_json::{Value, json};
use tower::ServiceExt;

const BODY_BYTES_MAX: usize = 12 << 20;
const RESERVED: usize = BODY_BYTES_MAX + (64 << 10);

fn journal(dir: &Path, budget_bytes: u64) -> Journal {
    let config = journal::Config { budget_bytes, queue_bytes: 32 << 20, ..journal::Config::new(dir) };
    Journal::open(config).unwrap()
}

struct Intake {
    dir: tempfile::TempDir,
    journal: Journal,
    router: Router,
}

fn bounds() -> body::Config {
    body::Config { bytes_max: BODY_BYTES_MAX, in_flight_bytes_max: RESERVED, ..body::Config::default() }
}

/// With so many bytes of bodies at a time.
fn holding(in_flight_bytes_max: usize) -> body::Config {
    body::Config { in_flight_bytes_max, ..bounds() }
}

fn router(journal: &Journal, bounds: body::Config, indexed: Option<http::Indexed>) -> Router {
    let config = Config { held_bytes_max: bounds.in_flight_bytes_max, ..Config::default() };
    let door = Door::new(journal.clone(), config, intake::system_clock);
    http::router(http::Intake::new(door, bounds, indexed, telemetry::task::Stop::new()))
}

impl Intake {
    fn new() -> Self {
        Self::with(bounds(), 64 << 20)
    }

    fn with(bounds: body::Config, budget_bytes: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let journal = journal(dir.path(), budget_bytes);
        let router = router(&journal, bounds, None);
        Self { dir, journal, router }
    }

    /// Posts a body with headers written `name: value`.
    async fn post(&self, headers: &[&str], body: impl Into<Body>) -> Reply {
        send(&self.router, "/logs", headers, body).await
    }

    fn events(&self) -> Vec<event::Event<'static>> {
        events(&self.journal)
    }

    fn messages(&self) -> Vec<String> {
        self.events().into_iter().map(|event| event.message.into_owned()).collect()
    }
}

struct Reply {
    status: u16,
    headers: axum::http::HeaderMap,
    body: Value,
}

impl Reply {
    fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap_or_default()
    }

    fn retry_after(&self) -> u64 {
        self.headers["retry-after"].to_str().unwrap().parse().unwrap()
    }
}

async fn send(router: &Router, uri: &str, headers: &[&str], body: impl Into<Body>) -> Reply {
    let mut request = Request::post(uri);
    for header in headers {
        let (name, value) = header.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    let response = router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&bytes).unwrap();
    if !parts.status.is_success() {
        assert_eq!(parts.headers["content-type"], "application/problem+json", "{body}");
        assert_eq!(parts.headers["x-request-id"], *body["request_id"].as_str().unwrap(), "{body}");
    }
    Reply { status: parts.status.as_u16(), headers: parts.headers, body }
}

fn events(journal: &Journal) -> Vec<event::Event<'static>> {
    let (mut from, mut found) = (Position::default(), Vec::new());
    loop {
        let records = journal.read(from, 1 << 20).unwrap();
        if records.is_empty() {
            return found;
        }
        assert_eq!(records.damaged(), 0);
        found.extend(records.iter().map(|(_, record)| event::codec::decode(record).unwrap().into_owned()));
        from = records.end();
    }
}

fn flags(event: &event::Event<'_>) -> Value {
    event.field(field::FLAGS).map_or(Value::Null, |value| value.to_json())
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zstd(body: &[u8]) -> Vec<u8> {
    zstd::encode_all(body, 1).unwrap()
}

/// What is accepted: headers, body, messages stored.
#[tokio::test]
async fn every_form_and_compression_is_stored() {
    const JSON: &str = "content-type: application/json";
    const NDJSON: &str = "content-type: application/x-ndjson";
    const TEXT: &str = "content-type: text/plain; charset=utf-8";
    let two = "{\"message\":\"a\"}\n{\"message\":\"b\"}\n";
    let cases: &[(&[&str], Vec<u8>, &[&str])] = &[
        (&[JSON], b"{\"message\":\"a\"}".to_vec(), &["a"]),
        (&[JSON], b"{\n \"message\": \"a\"\n}".to_vec(), &["a"]),
        (&[JSON], b"[{\"message\":\"a\"},{\"message\":\"b\"}]".to_vec(), &["a", "b"]),
        (&[JSON], two.into(), &["a", "b"]),
        (&[NDJSON], two.into(), &["a", "b"]),
        (&[NDJSON], b"\n{\"message\":\"a\"}\r\n\r\n{\"message\":\"b\"}".to_vec(), &["a", "b"]),
        (&[TEXT], b"first\nsecond\r\n\nthird".to_vec(), &["first", "second", "third"]),
        (&[], two.into(), &["a", "b"]),
        (&[], b"plain\n".to_vec(), &["plain"]),
        (&[NDJSON, "content-encoding: gzip"], gzip(two.as_bytes()), &["a", "b"]),
        (
            &[NDJSON, "content-encoding: gzip"],
            [gzip(b"{\"message\":\"a\"}\n"), gzip(b"{\"message\":\"b\"}")].concat(),
            &["a", "b"],
        ),
        (&[NDJSON, "content-encoding: zstd"], zstd(two.as_bytes()), &["a", "b"]),
        (&[NDJSON, "content-encoding: deflate"], zlib(two.as_bytes()), &["a", "b"]),
        (&[NDJSON, "content-encoding: deflate"], deflate(two.as_bytes()), &["a", "b"]),
        (&[NDJSON, "content-encoding: identity"], two.into(), &["a", "b"]),
        (&[TEXT], gzip(b"first\nsecond\n"), &["first", "second"]),
        (&[], zstd(two.as_bytes()), &["a", "b"]),
        (&[TEXT, "content-encoding: gzip"], [gzip(b"first\n"), vec![0; 600]].concat(), &["first"]),
    ];
    for (number, (headers, body, messages)) in cases.iter().enumerate() {
        let intake = Intake::new();
        let reply = intake.post(headers, body.clone()).await;
        assert_eq!(reply.status, 200, "case {number}: {}", reply.body);
        let expected = json!({"accepted": messages.len(), "rejected": [], "rejected_total": 0});
        assert_eq!(reply.body, expected, "case {number}");
        assert_eq!(intake.messages(), *messages, "case {number}");
    }
}

#[tokio::test]
async fn what_stands_behind_good_gzip_is_named_and_the_good_lines_are_stored() {
    let intake = Intake::new();
    let body = [gzip(b"first\nsecond\n"), b"rubbish".to_vec()].concat();
    let reply = intake.post(&["content-type: text/plain", "content-encoding: gzip"], body).await;
    assert_eq!(
        (reply.status, &reply.body["accepted"], &reply.body["rejected_total"]),
        (200, &json!(2), &json!(1))
    );
    assert_eq!(reply.body["rejected"][0]["line"], 3);
    assert!(reply.body["rejected"][0]["reason"].as_str().unwrap().contains("no gzip"), "{}", reply.body);
    assert_eq!(intake.messages(), ["first", "second"]);
}

/// Headers, body, status, code, what the answer says.
type Refused<'a> = (&'a [&'a str], Vec<u8>, u16, &'a str, &'a [&'a str]);

#[tokio::test]
async fn somebodys_bytes_in_a_line_refuse_nobodys_lines() {
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\xff\x00\x01";
    let noise: Vec<u8> = (0..4000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let intake = Intake::new();
    for body in [hello.to_vec(), [&noise[..], &b"\nan ordinary line of a log".repeat(300)].concat()] {
        let reply = intake.post(&["content-type: text/plain"], body).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
}

/// Nothing of these is stored.
#[tokio::test]
async fn what_cannot_be_stored_is_refused_with_its_reason() {
    const JSON: &str = "content-type: application/json";
    const NDJSON: &str = "content-type: application/x-ndjson";
    let form = "content-type: application/x-www-form-urlencoded";
    let large = "x".repeat(BODY_BYTES_MAX + 1);
    let mut tar = [&b"a.log"[..], &[0; 507]].concat();
    tar[257..265].copy_from_slice(b"ustar\x0000");
    let noise: Vec<u8> = (0..4000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let sum = tar.iter().map(|byte| u32::from(*byte)).sum::<u32>() + 8 * u32::from(b' ');
    tar[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let cases: &[Refused<'_>] = &[
        (&[], b"".to_vec(), 400, "empty_body", &["at least one event"]),
        (&[JSON], b" \r\n\n".to_vec(), 400, "empty_body", &[]),
        (&[JSON], b"[]".to_vec(), 400, "empty_body", &[]),
        (&[NDJSON, "content-encoding: gzip"], gzip(b""), 400, "empty_body", &[]),
        (&[JSON], b"{\"a\":1,}".to_vec(), 400, "nothing_acceptable", &["Line 1, column 8", "trailing comma"]),
        (&[NDJSON], b"42\nnull\n".to_vec(), 400, "nothing_acceptable", &["Line 1"]),
        (&[form], b"a=b".to_vec(), 415, "unsupported_media_type", &["-H 'Content-Type: application/json'"]),
        (
            &["content-type: text/xml"],
            b"<a/>".to_vec(),
            415,
            "unsupported_media_type",
            &["application/x-ndjson"],
        ),
        (
            &["content-type: text/plain; charset=ISO-8859-1"],
            b"caf\xe9".to_vec(),
            415,
            "unsupported_media_type",
            &["'iso-8859-1'", "UTF-8"],
        ),
        (
            &["content-encoding: br"],
            b"x".to_vec(),
            415,
            "unsupported_content_encoding",
            &["'br'", "gzip, zstd"],
        ),
        (
            &["content-encoding: gzip, zstd"],
            b"x".to_vec(),
            415,
            "unsupported_content_encoding",
            &["once only"],
        ),
        (
            &["content-type: text/plain"],
            b"PK\x03\x04 a.log".to_vec(),
            415,
            "unsupported_content_encoding",
            &["'zip'"],
        ),
        (
            &["content-encoding: gzip"],
            gzip(&tar),
            415,
            "unsupported_content_encoding",
            &["once more", "'tar'"],
        ),
        (&["content-encoding: gzip"], gzip(&gzip(b"x")), 415, "unsupported_content_encoding", &["'gzip'"]),
        (&["content-encoding: gzip"], b"no gzip".to_vec(), 400, "invalid_compression", &["gzip"]),
        (&["content-encoding: gzip"], gzip(b"cut short")[..20].to_vec(), 400, "invalid_compression", &[]),
        (&["content-encoding: zstd"], b"no zstd".to_vec(), 400, "invalid_compression", &["zstd"]),
        (&[], large.clone().into(), 413, "body_too_large", &["12582912", "LOG_SENTINEL_BODY_BYTES_MAX"]),
        (
            &["content-encoding: gzip"],
            gzip(large.as_bytes()),
            413,
            "body_too_large",
            &["after decompression"],
        ),
        (&["content-encoding: zstd"], zstd(large.as_bytes()), 413, "body_too_large", &[]),
        (&["content-encoding: deflate"], zlib(large.as_bytes()), 413, "body_too_large", &[]),
        (&["content-type: text/plain"], noise, 415, "no_text", &["Base64"]),
        (&["idempotency-key: "], b"x".to_vec(), 400, "invalid_idempotency_key", &["1 to 255"]),
    ];
    let intake = Intake::new();
    for (number, (headers, body, status, code, says)) in cases.iter().enumerate() {
        let reply = intake.post(headers, body.clone()).await;
        assert_eq!(
            (reply.status, &reply.body["code"]),
            (*status, &json!(code)),
            "case {number}: {}",
            reply.body
        );
        for text in *says {
            assert!(reply.detail().contains(text), "case {number}: {text}: {}", reply.detail());
        }
        assert_eq!(intake.journal.end(), Position::default(), "case {number}");
    }
    let reply =
        intake.router.clone().oneshot(Request::get("/logs").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!((reply.status().as_u16(), &reply.headers()["allow"]), (405, &"POST".parse().unwrap()));
    let reply = send(&intake.router, "/logs?wait=stored", &[], "x").await;
    assert_eq!((reply.status, &reply.body["field"]), (400, &json!("wait")), "{}", reply.body);
}

#[tokio::test]
async fn good_lines_are_stored_and_each_bad_one_is_named() {
    let intake = Intake::new();
    let body = "{\"message\":\"a\"}\nnonsense\n{\"message\":\"b\"}\n[1]\n{\"message\":";
    let reply = intake.post(&["content-type: application/x-ndjson"], body).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!((&reply.body["accepted"], &reply.body["rejected_total"]), (&json!(2), &json!(3)));
    let rejected = reply.body["rejected"].as_array().unwrap();
    let lines: Vec<u64> = rejected.iter().map(|rejected| rejected["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [2, 4, 5]);
    assert!(rejected.iter().all(|rejected| !rejected["reason"].as_str().unwrap().is_empty()));
    assert_eq!(intake.messages(), ["a", "b"]);

    let body = format!("{{\"message\":\"c\"}}\n{}", "bad\n".repeat(250));
    let reply = intake.post(&["content-type: application/x-ndjson"], body).await;
    assert_eq!((reply.status, &reply.body["rejected_total"]), (200, &json!(250)));
    assert_eq!(reply.body["rejected"].as_array().unwrap().len(), 100);

    let reply = intake.post(&["content-type: application/json"], "[{\"message\":\"d\"}, 7]").await;
    assert_eq!((reply.status, &reply.body["rejected"][0]["line"]), (200, &json!(2)), "{}", reply.body);

    let reply = intake.post(&["content-type: application/json"], "{\n\"a\": oops\n}").await;
    assert_eq!((reply.status, &reply.body["line"]), (400, &json!(2)), "{}", reply.body);
    assert!(reply.body["column"].is_u64() && reply.body["rejected_total"] == 1, "{}", reply.body);
}

#[tokio::test]
async fn a_decompression_bomb_is_refused_after_no_more_than_the_limit() {
    let intake = Intake::new();
    let zeros = vec![0; 1 << 20];
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut zst = zstd::Encoder::new(Vec::new(), 1).unwrap();
    for _ in 0..256 {
        gz.write_all(&zeros).unwrap();
        zst.write_all(&zeros).unwrap();
    }
    for (encoding, bomb) in [("gzip", gz.finish().unwrap()), ("zstd", zst.finish().unwrap())] {
        assert!(bomb.len() < 2 << 20, "{encoding}");
        let reply = intake.post(&[&format!("content-encoding: {encoding}")], bomb).await;
        // The budget of all bodies is hardly more than one body, so more than that was never held.
        assert_eq!(
            (reply.status, &reply.body["limit_bytes"]),
            (413, &json!(BODY_BYTES_MAX)),
            "{}",
            reply.body
        );
    }
    assert_eq!(intake.journal.end(), Position::default());
    // What was held has been given back.
    let reply = intake.post(&["content-type: text/plain"], vec![b'x'; BODY_BYTES_MAX]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

#[tokio::test]
async fn beyond_the_budget_of_all_bodies_the_whole_request_waits() {
    let intake = Intake::with(holding(1000), 64 << 20);
    let (sender, body) = channel();
    sender.send(Ok("a".repeat(800).into())).await.unwrap();
    let mut slow = Box::pin(send(&intake.router, "/logs", &["content-type: text/plain"], body));
    // Polled once, it has taken and holds what has arrived.
    tokio::select! {
        biased;
        reply = &mut slow => panic!("{}", reply.body),
        () = std::future::ready(()) => {}
    }
    let refused = intake.post(&["content-type: text/plain"], "b".repeat(300)).await;
    assert_eq!(
        (refused.status, &refused.body["limit"]),
        (429, &json!("in_flight_bytes")),
        "{}",
        refused.body
    );
    assert_eq!(refused.body["setting"], "LOG_SENTINEL_IN_FLIGHT_BYTES_MAX");
    assert_eq!((refused.retry_after(), &refused.body["limit_bytes"]), (1, &json!(1000)));
    assert_eq!(intake.journal.end(), Position::default());
    drop(sender);
    assert_eq!(slow.await.status, 200);
    assert_eq!(intake.post(&["content-type: text/plain"], "b".repeat(300)).await.status, 200);
}

#[tokio::test]
async fn a_body_that_grows_past_the_budget_as_events_is_refused_whole() {
    let intake = Intake::with(holding(100_000), 64 << 20);
    let text = ["content-type: text/plain"];
    let reply = intake.post(&text, "a\n".repeat(40_000)).await;
    assert_eq!((reply.status, &reply.body["limit_bytes"]), (413, &json!(100_000)), "{}", reply.body);
    assert_eq!(reply.body["setting"], "LOG_SENTINEL_IN_FLIGHT_BYTES_MAX");
    let said = reply.detail().split(' ').find_map(|word| word.parse::<u64>().ok()).unwrap();
    assert!((1_000_000..2_000_000).contains(&said), "{}", reply.detail());
    assert_eq!(intake.journal.end(), Position::default());
    // Nothing is held any more.
    assert_eq!(intake.post(&text, "a\n".repeat(2000)).await.status, 200);
    assert_eq!(intake.messages().len(), 2000);
}

#[tokio::test]
async fn what_is_announced_and_does_not_come_holds_nothing_and_is_given_up() {
    let bounds = body::Config {
        bytes_max: 1000,
        in_flight_bytes_max: 1000,
        idle_max: Duration::from_millis(200),
        rate_min: 1000,
    };
    let intake = Intake::with(bounds, 64 << 20);
    let (sender, body) = channel();
    let headers = ["content-type: text/plain", "content-length: 900"];
    let mut slow = Box::pin(send(&intake.router, "/logs", &headers, body));
    tokio::select! {
        biased;
        reply = &mut slow => panic!("{}", reply.body),
        () = std::future::ready(()) => {}
    }
    assert_eq!(intake.post(&["content-type: text/plain"], "b".repeat(300)).await.status, 200);
    let trickle = async {
        while sender.send(Ok(b"a".to_vec())).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let (reply, ()) = tokio::join!(slow, trickle);
    assert_eq!(reply.status, 408, "{}", reply.body);
    assert!(reply.detail().contains("1000 a second"), "{}", reply.detail());
    assert_eq!(intake.messages().len(), 1);
}

type Chunk = Result<Vec<u8>, std::io::Error>;

fn channel() -> (tokio::sync::mpsc::Sender<Chunk>, Body) {
    let (sender, receiver) = tokio::sync::mpsc::channel(4);
    (sender, Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(receiver)))
}

#[tokio::test]
async fn a_full_journal_refuses_whole_requests_until_there_is_room() {
    let intake = Intake::with(bounds(), 1 << 20);
    let mut cursor = intake.journal.cursor("index").unwrap();
    let body = "a line of text\n".repeat(5000);
    let mut stored = 0;
    let refused = loop {
        let reply = intake.post(&["content-type: text/plain"], body.clone()).await;
        if reply.status != 200 {
            break reply;
        }
        stored += 5000;
    };
    assert_eq!((refused.status, &refused.body["limit"]), (429, &json!("journal_bytes")), "{}", refused.body);
    assert_eq!(refused.body["setting"], "LOG_SENTINEL_JOURNAL_BYTES_MAX");
    assert_eq!(refused.body["limit_bytes"], 1 << 20);
    assert!(refused.detail().contains("1048576"), "{}", refused.detail());
    assert_eq!(refused.retry_after(), refused.body["retry_after_s"]);
    assert_eq!(intake.events().len(), stored);
    // Twice what the journal may ever hold: sending it again would not help.
    let reply = intake.post(&["content-type: text/plain"], body.repeat(40)).await;
    assert_eq!((reply.status, &reply.body["limit_bytes"]), (413, &json!(1 << 20)), "{}", reply.body);

    cursor.commit(intake.journal.end()).unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while intake.post(&["content-type: text/plain"], body.clone()).await.status != 200 {
        assert!(std::time::Instant::now() < deadline, "no room again");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_closed_journal_is_not_ready() {
    let intake = Intake::new();
    intake.journal.close(Duration::from_secs(10)).await;
    let reply = intake.post(&["content-type: text/plain"], "x").await;
    assert_eq!((reply.status, &reply.body["code"]), (503, &json!("not_ready")), "{}", reply.body);
}

#[tokio::test]
async fn stamps_without_a_year_lie_in_the_year_before_the_file_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let journal = journal(dir.path(), 1 << 30);
    let router = router(&journal, bounds(), None);
    let lines =
        ["Nov 26 20:00:00", "Nov 27 03:00:00", "Nov 28 12:00:00", "Mar 29 10:42:24", "Jan  1 00:00:00"];
    let body: String = lines.iter().map(|stamp| format!("{stamp} web-1 sshd[1]: {stamp}\n")).collect();
    let reply = send(
        &router,
        "/logs?path=/var/log/auth.log&modified=2026-11-26T23:00:00Z",
        &["content-type: text/plain"],
        body,
    )
    .await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let times: Vec<String> = events(&journal).iter().map(|event| event.timestamp.to_string()).collect();
    let expected = [
        "2026-11-26T20:00:00Z",
        // A zone may be some hours ahead.
        "2026-11-27T03:00:00Z",
        "2025-11-28T12:00:00Z",
        "2026-03-29T10:42:24Z",
        "2026-01-01T00:00:00Z",
    ];
    assert_eq!(times, expected);
}

#[tokio::test]
async fn waiting_for_the_index_tells_whether_it_has_the_events() {
    let intake = Intake::new();
    let reply = send(&intake.router, "/logs?wait=indexed", &[], "a").await;
    assert_eq!(reply.body, json!({"accepted": 1, "rejected": [], "rejected_total": 0, "indexed": false}));
    for indexed in [true, false] {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = asked.clone();
        let wait: http::Indexed = Arc::new(move |end, timeout| {
            seen.lock().unwrap().push((end, timeout));
            Box::pin(async move { indexed })
        });
        let router = router(&intake.journal, bounds(), Some(wait));
        let reply = send(&router, "/logs?wait=indexed&timeout=500ms", &[], "b\nc").await;
        assert_eq!((reply.status, &reply.body["indexed"]), (200, &json!(indexed)));
        let asked = asked.lock().unwrap().clone();
        assert_eq!(asked, [(intake.journal.end(), Duration::from_millis(500))]);
        assert_eq!(send(&router, "/logs", &[], "d").await.body.get("indexed"), None);
    }
}

#[tokio::test]
async fn a_repeated_idempotency_key_is_stored_once_even_after_a_restart() {
    let intake = Intake::new();
    let headers = ["content-type: application/x-ndjson", "idempotency-key: batch 7"];
    let body = "{\"message\":\"a\"}\nbad\n";
    let first = intake.post(&headers, body).await;
    assert_eq!((first.status, &first.body["accepted"]), (200, &json!(1)), "{}", first.body);
    let end = intake.journal.end();
    let again = intake.post(&headers, body).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    let packed =
        intake.post(&[headers[0], headers[1], "content-encoding: gzip"], gzip(body.as_bytes())).await;
    assert_eq!((packed.status, &packed.body), (200, &first.body));
    let other = intake.post(&headers, "{\"message\":\"b\"}").await;
    assert_eq!(
        (other.status, &other.body["code"]),
        (409, &json!("idempotency_key_reused")),
        "{}",
        other.body
    );
    assert_eq!(intake.journal.end(), end);

    let Intake { dir, journal: open, router: old } = intake;
    open.close(Duration::from_secs(10)).await;
    drop((open, old));
    let reopened = journal(dir.path(), 64 << 20);
    let end = reopened.end();
    let router = router(&reopened, bounds(), None);
    let again = send(&router, "/logs", &headers, body).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(send(&router, "/logs", &headers, "{\"message\":\"b\"}").await.status, 409);
    assert_eq!((reopened.end(), events(&reopened).len()), (end, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_duplicates_are_stored_once() {
    let intake = Intake::new();
    let sent: Vec<_> = (0..32)
        .map(|number| {
            let router = intake.router.clone();
            let key = format!("idempotency-key: {}", number % 4);
            telemetry::task::spawn("sends", async move {
                send(&router, "/logs", &["content-type: text/plain", &key], format!("{key}\n")).await
            })
        })
        .collect();
    for reply in sent {
        assert_eq!(reply.await.unwrap().body, json!({"accepted": 1, "rejected": [], "rejected_total": 0}));
    }
    let mut messages = intake.messages();
    messages.sort();
    let expected: Vec<_> = (0..4).map(|number| format!("idempotency-key: {number}")).collect();
    assert_eq!(messages, expected);
}

/// Content type, body, and what is stored: start of the message, its length, its flags.
#[tokio::test]
async fn long_and_invalid_text_is_kept_as_far_as_it_goes_and_marked() {
    let max = Config::default().line_bytes_max;
    let long = "x".repeat(10 << 20);
    let record = format!("{{\"message\":\"{long}\"}}");
    let list = format!("[{record}]");
    let cases: &[(&str, Vec<u8>, usize, Value)] = &[
        ("text/plain", long.clone().into(), max, json!(["truncated"])),
        ("application/x-ndjson", record.clone().into(), max, json!(["truncated"])),
        ("application/json", list.into(), max, json!(["truncated"])),
        ("text/plain", b"x\xffy".to_vec(), 4, json!(["windows_1252"])),
        ("application/x-ndjson", b"{\"message\":\"x\xffy\"}".to_vec(), 4, json!(["windows_1252"])),
        (
            "application/json",
            [b"{\"message\":\"\xff", long.as_bytes(), b"\"}"].concat(),
            max,
            json!(["truncated", "windows_1252"]),
        ),
    ];
    for (number, (kind, body, length, expected)) in cases.iter().enumerate() {
        let intake = Intake::new();
        let reply = intake.post(&[&format!("content-type: {kind}")], body.clone()).await;
        assert_eq!(
            (reply.status, &reply.body["accepted"]),
            (200, &json!(1)),
            "case {number}: {}",
            reply.body
        );
        if *length == max {
            let truncated =
                json!({"records": 1, "limit_bytes": max, "setting": "LOG_SENTINEL_LINE_BYTES_MAX"});
            assert_eq!(reply.body["truncated"], truncated, "case {number}");
        }
        let events = intake.events();
        assert_eq!(
            (events[0].message.len(), flags(&events[0])),
            (*length, expected.clone()),
            "case {number}"
        );
        assert!(events[0].original.as_ref().is_none_or(|original| original.len() <= max), "case {number}");
    }
}

#[tokio::test]
async fn events_are_of_the_organization_of_the_key_that_sent_them() {
    let intake = Intake::new();
    let organization = Some("ACME".into());
    let caller = access::Caller { organization, ..access::Caller::open() };
    let router = intake.router.clone().layer(axum::Extension(caller));
    let lines = [
        r#"{"message":"a"}"#,
        r#"{"message":"b","organization":{"name":"Other","id":"7"}}"#,
        r#"{"message":"c","organization.name":"Other"}"#,
        r#"{"message":"d","organization":[{"name":"Other"}]}"#,
        r#"{"message":"e","organization":"Other"}"#,
    ];
    let reply = send(&router, "/logs", &["content-type: application/x-ndjson"], lines.join("\n")).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let events = intake.events();
    assert_eq!(events.len(), 5);
    for event in events {
        assert_eq!(event.field("organization.name").and_then(|name| name.as_str()), Some("ACME"));
        assert!(event.field("organization").is_none(), "{:?}", event.fields);
    }
}
