// What is done with each input of the fuzz targets; ordinary tests do the same.

use event::Timestamp;
use jiff::tz::TimeZone;
use parse::{Context, Format};
use serde_json::value::RawValue;

fn context(zone: &TimeZone, line_bytes_max: usize) -> Context<'_> {
    Context::new(Timestamp::parse("2024-06-01T12:00:10Z").unwrap_or_default(), zone, line_bytes_max)
}

/// Events and problems that a body gives.
fn records(format: Format, bytes: &[u8]) -> usize {
    let (zone, mut records) = (TimeZone::UTC, 0);
    parse::body(format, bytes, &context(&zone, 1 << 20), |record| {
        records += 1;
        if let Err(problem) = record {
            assert!(
                problem.line >= 1 && problem.column != Some(0) && !problem.reason.is_empty(),
                "{problem:?}"
            );
        }
    });
    records
}

/// Reads request bodies in every form: what stands in one is given as so many events and problems.
pub(crate) fn json(bytes: &[u8]) {
    let content = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines = || content.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let is_blank = |line: &[u8]| line.iter().all(|byte| b" \t\n\r".contains(byte));
    assert_eq!(records(Format::Lines, bytes), lines().filter(|line| !line.is_empty()).count());
    assert_eq!(records(Format::Ndjson, bytes), lines().filter(|line| !is_blank(line)).count());
    let given = records(Format::Json, bytes);
    if let Ok(elements) = serde_json::from_slice::<Vec<&RawValue>>(content) {
        assert_eq!(given, elements.len());
    }
}

/// Reads text lines, syslog among them; the original is the text of the bytes.
pub(crate) fn line(bytes: &[u8]) {
    let zone = TimeZone::UTC;
    let event = parse::line(bytes, &context(&zone, usize::MAX));
    let trimmed = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let trimmed = trimmed.strip_suffix(b"\r").unwrap_or(trimmed);
    assert_eq!(event.original.as_deref(), Some(String::from_utf8_lossy(trimmed).as_ref()));
}
