//! Parses made-up lines of three formats for a second each and prints the rates of one core.
//!
//! `cargo run --release -p parse --example throughput`

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use event::Timestamp;
use jiff::tz::TimeZone;
use parse::{Context, Format};

const LINES: usize = 100_000;

fn main() {
    let (received, zone) = (Timestamp::parse("2024-06-01T12:00:10Z").unwrap_or_default(), TimeZone::UTC);
    let context = Context::new(received, &zone, 1 << 20);
    let (mut json, mut syslog, mut access) = (String::new(), String::new(), String::new());
    for n in 0..LINES {
        let (second, port, octet) = (n % 60, 1024 + n % 60_000, n % 250);
        let written = writeln!(
            json,
            "{{\"timestamp\":\"2024-06-01T12:00:{second:02}.{n:06}Z\",\"level\":\"INFO\",\"message\":\"request {n} \
             of user u{octet} served in {port} us\",\"source\":\"shop\",\"host\":\"web{octet}\"}}"
        )
        .and(writeln!(
            syslog,
            "Jun  1 12:00:{second:02} web{octet} sshd[{port}]: Failed password for root from 192.0.2.{octet} port \
             {port} ssh2"
        ))
        .and(writeln!(
            access,
            "192.0.2.{octet} - - [01/Jun/2024:12:00:{second:02} +0000] \"GET /item/{n}?page=2 HTTP/1.1\" 200 {port} \
             \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\""
        ));
        if written.is_err() {
            return;
        }
    }
    for (name, format, text) in [
        ("JSON, simple form", Format::Ndjson, &json),
        ("syslog, sshd", Format::Lines, &syslog),
        ("access log", Format::Lines, &access),
    ] {
        let (start, mut events) = (Instant::now(), 0u64);
        while start.elapsed() < Duration::from_secs(1) {
            parse::body(format, text.as_bytes(), &context, |event| {
                std::hint::black_box(&event);
                events += u64::from(event.is_ok());
            });
        }
        println!("{name}: {:.2} million lines/s", events as f64 / start.elapsed().as_secs_f64() / 1e6);
    }
}
