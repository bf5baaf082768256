//! Text lines, syslog among them: nothing panics, and the original is the text of the bytes.

#![no_main]

use event::Timestamp;
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use parse::Context;

fuzz_target!(|bytes: &[u8]| {
    let (received, zone) = (Timestamp::parse("2024-06-01T12:00:10Z").unwrap_or_default(), TimeZone::UTC);
    let context = Context::new(received, &zone, usize::MAX);
    let event = parse::line(bytes, &context);
    let trimmed = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let trimmed = trimmed.strip_suffix(b"\r").unwrap_or(trimmed);
    assert_eq!(event.original.as_deref(), Some(String::from_utf8_lossy(trimmed).as_ref()));
});
