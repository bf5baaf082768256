//! Parses lines for a second each kind and prints the rates of one core: those of the files that are named (NDJSON where
//! the name ends so), else made-up ones.
//!
//! `cargo run --release -p parse --example throughput -- [--once] [FILE…]`; with `--once` each is parsed one time, for whoever
//! counts instructions.

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use event::Timestamp;
use jiff::tz::TimeZone;
use parse::{Context, Format};

const LINES: usize = 100_000;

fn main() -> std::io::Result<()> {
    let mut files: Vec<String> = std::env::args().skip(1).collect();
    let is_once = files.first().is_some_and(|first| first == "--once");
    files.drain(..usize::from(is_once));
    let mut kinds = Vec::new();
    for file in files {
        let format = if file.ends_with("json") { Format::Ndjson } else { Format::Lines };
        kinds.push((std::fs::read(&file)?, format, file));
    }
    if kinds.is_empty() {
        kinds = made_up();
    }
    let (received, zone) = (Timestamp::parse("2024-06-01T12:00:10Z").unwrap_or_default(), TimeZone::UTC);
    let context = Context::new(received, &zone, 1 << 20);
    for (text, format, name) in kinds {
        let (start, mut events) = (Instant::now(), 0u64);
        loop {
            parse::body(format, &text, &context, |event| {
                std::hint::black_box(&event);
                events += u64::from(event.is_ok());
            });
            if is_once || start.elapsed() >= Duration::from_secs(1) {
                break;
            }
        }
        println!("{name}: {:.2} million lines/s", events as f64 / start.elapsed().as_secs_f64() / 1e6);
    }
    Ok(())
}

fn made_up() -> Vec<(Vec<u8>, Format, String)> {
    let (mut json, mut syslog, mut access, mut text) =
        (String::new(), String::new(), String::new(), String::new());
    for n in 0..LINES {
        let (second, port, octet) = (n % 60, 1024 + n % 60_000, n % 250);
        // Writing to a string does not fail.
        let _ignored = writeln!(
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
        ))
        .and(writeln!(text, "worker {octet} took job {n} and gave it to somebody else after {second} tries"));
    }
    [
        (json, Format::Ndjson, "JSON, simple form"),
        (syslog, Format::Lines, "syslog, sshd"),
        (access, Format::Lines, "access log"),
        (text, Format::Lines, "unknown lines"),
    ]
    .map(|(text, format, name)| (text.into_bytes(), format, name.to_owned()))
    .into()
}
