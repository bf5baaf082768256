//! Request bodies in every format: nothing panics.

#![no_main]

use event::Timestamp;
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use parse::{Context, Format};

fuzz_target!(|bytes: &[u8]| {
    let (received, zone) = (Timestamp::parse("2024-06-01T12:00:10Z").unwrap_or_default(), TimeZone::UTC);
    let context = Context::new(received, &zone, 1 << 20);
    for format in [Format::Json, Format::Ndjson, Format::Lines] {
        parse::body(format, bytes, &context, |_| {});
    }
});
