// What is done with each input of the fuzz targets; ordinary tests do the same.

use event::Timestamp;
use jiff::tz::TimeZone;
use parse::{Context, Format, Joining};
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
    let is_wide = parse::utf16::order(bytes).is_some();
    let lines = || content.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let is_blank = |line: &[u8]| line.iter().all(|byte| b" \t\n\r".contains(byte));
    let is_lone = |line: &[u8]| line.contains(&b'\r');
    if !is_wide && !lines().any(is_lone) {
        assert_eq!(records(Format::Lines, bytes), lines().filter(|line| !line.is_empty()).count());
    }
    let is_object = |line: &[u8]| serde_json::from_slice::<serde_json::Map<_, _>>(line).is_ok();
    let given = [records(Format::Ndjson, bytes), records(Format::Json, bytes)];
    if lines().all(|line| is_blank(line) || is_object(line)) {
        let objects = lines().filter(|line| !is_blank(line)).count();
        assert_eq!(given, [objects; 2]);
    }
    if let Ok(elements) = serde_json::from_slice::<Vec<&RawValue>>(content) {
        assert_eq!(given, [elements.len(); 2]);
    }
}

/// Reads text lines, syslog among them; the original and what is marked beside it give back the bytes.
pub(crate) fn line(bytes: &[u8]) {
    let zone = TimeZone::UTC;
    let event = parse::line(bytes, &context(&zone, usize::MAX));
    let trimmed = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let trimmed = trimmed.strip_suffix(b"\r").unwrap_or(trimmed);
    assert_eq!(parse::original_bytes(&event).as_deref(), Some(trimmed));
}

/// Reads lines that may be one event, at once and cut where a reader may stop: every byte of a line is in one event, and
/// nothing depends on where the reading stopped.
pub(crate) fn joined(bytes: &[u8]) {
    let joining = Joining { bytes_max: 64, lines_max: 5, ..Joining::default() };
    let zone = TimeZone::UTC;
    let read = |bytes: &[u8]| {
        let (mut read, context) =
            (Vec::new(), Context { joining: Some(&joining), ..context(&zone, usize::MAX) });
        parse::body(Format::Lines, bytes, &context, |record| {
            read.extend(record.ok().and_then(|event| parse::original_bytes(&event)));
        });
        read
    };
    let has_mark = bytes.windows(3).any(|window| window == b"\xef\xbb\xbf");
    // The records of an envelope have no line of their own.
    let has_envelope = bytes.windows(12).any(|window| window == b"resourceLogs");
    if parse::utf16::order(bytes).is_some() || has_mark || has_envelope {
        return;
    }
    let text = |events: &[Vec<u8>]| -> Vec<u8> {
        events.concat().into_iter().filter(|byte| !byte.is_ascii_whitespace()).collect()
    };
    let whole = read(bytes);
    assert_eq!(text(&whole), text(&[bytes.to_vec()]));
    let complete = joining.complete(bytes).bytes;
    assert!(complete <= bytes.len());
    // What is read by itself is told to be UTF-16 by itself.
    let is_utf16 = |bytes: &[u8]| parse::utf16::order(bytes).is_some();
    if is_utf16(&bytes[..complete]) || is_utf16(&bytes[complete..]) {
        return;
    }
    if bytes.contains(&b'\n') && !bytes.contains(&b'\r') {
        assert_eq!([read(&bytes[..complete]), read(&bytes[complete..])].concat().len(), whole.len());
    }
}
