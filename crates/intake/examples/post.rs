//! What a line costs on its way from a request's body into the journal:
//! `cargo run --release -p intake --example post`.

#![expect(clippy::unwrap_used, reason = "a measurement ends at its first failure")]

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use axum::{body::Body, http::Request};
use intake::http;
use journal::{Batch, Journal};
use tower::ServiceExt;

const LINES: usize = 4000;
const ROUNDS: usize = 100;

fn main() {
    let mut body = String::new();
    for line in 0..LINES {
        writeln!(
            body,
            "{{\"@timestamp\":\"2024-06-01T12:00:{:02}.123Z\",\"level\":\"info\",\"service\":\"checkout\",\"host\":\"web-{}\",\
             \"message\":\"order {line} of customer {} was paid in {} ms\",\"trace.id\":\"{:032x}\",\"amount\":{line}.5,\
             \"http\":{{\"request\":{{\"method\":\"POST\"}},\"response\":{{\"status_code\":200}}}}}}",
            line % 60,
            line % 7,
            line * 31,
            line % 900,
            line * 7919,
        )
        .unwrap();
    }
    println!("{LINES} lines, {} bytes", body.len());
    parse_and_encode(&body);
    tokio::runtime::Runtime::new().unwrap().block_on(post(body));
}

/// Parsing and encoding alone.
fn parse_and_encode(body: &str) {
    let config = intake::Config::default();
    let context = parse::Context::new(intake::system_clock(), &config.zone, config.line_bytes_max);
    let mut parsed = Duration::ZERO;
    let mut encoded = Duration::ZERO;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let mut count = 0;
        parse::body(parse::Format::Ndjson, body.as_bytes(), &context, |_| count += 1);
        parsed += began.elapsed();
        assert_eq!(count, LINES);
        let began = Instant::now();
        let mut batch = Batch::new();
        parse::body(parse::Format::Ndjson, body.as_bytes(), &context, |event| {
            batch.push_with(|out| event::codec::encode(&event.unwrap(), out));
        });
        encoded += began.elapsed();
        assert_eq!(batch.len(), LINES);
    }
    report("parse", parsed);
    report("parse and encode", encoded);
}

/// The whole request, made durable.
async fn post(body: String) {
    let dir = tempfile::tempdir().unwrap();
    let (segment_bytes, budget_bytes, queue_bytes) = (64 << 20, 4 << 30, 64 << 20);
    let config =
        journal::Config { segment_bytes, budget_bytes, queue_bytes, ..journal::Config::new(dir.path()) };
    let journal = Journal::open(config).unwrap();
    let door = intake::Door::new(journal, intake::Config::default(), intake::system_clock);
    let stop = telemetry::task::Stop::new();
    let router = http::router(http::Intake::new(door, body::Config::default(), None, stop));
    let began = Instant::now();
    for _ in 0..ROUNDS {
        let request = Request::post("/logs").header("content-type", "application/x-ndjson");
        let request = request.body(Body::from(body.clone())).unwrap();
        assert_eq!(router.clone().oneshot(request).await.unwrap().status(), 200);
    }
    report("request, one at a time, durable", began.elapsed());
}

fn report(what: &str, took: Duration) {
    println!("{what}: {:.3} µs a line", took.as_secs_f64() * 1e6 / (LINES * ROUNDS) as f64);
}
