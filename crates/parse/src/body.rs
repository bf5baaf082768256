//! Whole request bodies: JSON, NDJSON, plain lines.

use event::Event;
use serde_json::value::RawValue;

use crate::{
    Context, Format, Problem,
    json::{self, Refusal},
    record,
};

type Take<'f, 'a> = &'f mut dyn FnMut(Result<Event<'a>, Problem>);

/// Parses a whole body and hands over each record in order, as an event or as what is wrong with it. Nothing
/// fails as a whole: a problem names its line (in an array: its element), and the rest goes on.
///
/// - `Json` is one object, an array of objects, or NDJSON, told apart by looking; objects may be
///   spread over lines.
/// - `Ndjson` is one object a line; blank lines are passed over.
/// - `Lines` is text, each line recognised as [`crate::line`] does; empty lines are passed over.
///
/// The record's names are: `@timestamp`, `timestamp`, `time`, `ts`; `log.level`, `level`,
/// `severity`, `lvl`, `levelname`, `loglevel`; `message`, `msg`, `log`, `body`, `text`;
/// `service.name`, `source`, `service`; `host.name`, `host`, `hostname`; `user`. The first of each
/// group counts, the others go under `labels.`. A record without a message has `event.original` for
/// one, else its own compact JSON.
pub fn body<'a>(
    format: Format,
    body: &'a [u8],
    context: &Context<'_>,
    mut take: impl FnMut(Result<Event<'a>, Problem>),
) {
    let take: Take<'_, 'a> = &mut take;
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match format {
        Format::Lines => {
            for line in lines(body) {
                if !line.is_empty() {
                    take(Ok(crate::line(line, context)));
                }
            }
        }
        Format::Ndjson => ndjson(body, 1, context, take),
        Format::Json => match std::str::from_utf8(body) {
            Ok(text) => any(text, false, context, take),
            // One bad byte in NDJSON concerns one line; a list or object is mended as a whole.
            Err(_) if first_byte(body) == Some(b'{') && !is_spread(body) => ndjson(body, 1, context, take),
            Err(_) => {
                let text = String::from_utf8_lossy(body);
                any(&text, true, context, &mut |record| take(record.map(Event::into_owned)));
            }
        },
    }
}

/// The lines of a body, without their terminators; no empty one after the last terminator.
fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    let mut rest = Some(body);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let line = match memchr::memchr(b'\n', bytes) {
            Some(at) => {
                rest = Some(&bytes[at + 1..]);
                &bytes[..at]
            }
            None => {
                rest = None;
                bytes
            }
        };
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    })
}

fn first_byte(body: &[u8]) -> Option<u8> {
    body.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

/// Whether the first object's first line does not end with its closing brace.
fn is_spread(body: &[u8]) -> bool {
    let line = body.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.trim_ascii_end().last() != Some(&b'}')
}

fn ndjson<'a>(body: &'a [u8], first: u64, context: &Context<'_>, take: Take<'_, 'a>) {
    for (number, line) in (first..).zip(lines(body)) {
        let result = match std::str::from_utf8(line) {
            Ok(text) if text.trim_matches(json::BLANKS).is_empty() => continue,
            Ok(text) => json::record(text, context, false),
            Err(_) => {
                let text = String::from_utf8_lossy(line);
                json::record(&text, context, true).map(Event::into_owned)
            }
        };
        match result {
            Ok(event) => take(Ok(completed(event, context))),
            Err(refusal) => take(Err(Problem {
                line: number,
                column: refusal.column,
                field: None,
                reason: refusal.reason,
            })),
        }
    }
}

fn completed<'a>(mut event: Event<'a>, context: &Context<'_>) -> Event<'a> {
    record::complete(&mut event, context);
    event
}

/// One object, several (a line each or spread), or a list.
fn any<'a>(text: &'a str, mended: bool, context: &Context<'_>, take: Take<'_, 'a>) {
    match first_byte(text.as_bytes()) {
        Some(b'[') => array(text, mended, context, take),
        Some(b'{') if is_spread(text.as_bytes()) => spread(text, mended, context, take),
        _ => ndjson(text.as_bytes(), 1, context, take),
    }
}

/// Objects that may be spread over lines.
fn spread<'a>(text: &'a str, mended: bool, context: &Context<'_>, take: Take<'_, 'a>) {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&'a RawValue>();
    let (mut line, mut counted) = (1, 0);
    loop {
        let rest = &text[counted..];
        let blank = rest.len() - rest.trim_start_matches(json::BLANKS).len();
        line += newlines(&rest[..blank]);
        counted += blank;
        match values.next() {
            None => return,
            Some(Ok(value)) => {
                let end = values.byte_offset();
                match json::record(value.get(), context, mended) {
                    Ok(event) => take(Ok(completed(event, context))),
                    Err(refusal) => take(Err(Problem {
                        line: line + refusal.line - 1,
                        column: refusal.column,
                        field: None,
                        reason: refusal.reason,
                    })),
                }
                line += newlines(&text[counted..end]);
                counted = end;
            }
            Some(Err(_)) => {
                remainder(&text[counted..], line, context, take);
                return;
            }
        }
    }
}

/// What begins with a broken object: lines of objects when the next line begins another one, else
/// one broken object, which is named once.
fn remainder<'a>(text: &'a str, line: u64, context: &Context<'_>, take: Take<'_, 'a>) {
    let mut further = text.lines().skip(1).filter(|line| !line.trim().is_empty());
    if further.next().is_some_and(|next| next.starts_with('{')) {
        ndjson(text.as_bytes(), line, context, take);
        return;
    }
    if let Err(refusal) = serde_json::from_str::<&RawValue>(text).map_err(|error| Refusal::of(&error)) {
        let at = if refusal.early_end { line } else { line + refusal.line - 1 };
        take(Err(Problem { line: at, column: refusal.column, field: None, reason: refusal.reason }));
    }
}

fn newlines(text: &str) -> u64 {
    memchr::memchr_iter(b'\n', text.as_bytes()).count() as u64
}

/// A list. What is wrong with one element concerns that element, as long as its end can be found.
fn array<'a>(text: &'a str, mended: bool, context: &Context<'_>, take: Take<'_, 'a>) {
    let mut place = Place { text, at: 0, line: 1, line_start: 0 };
    let mut at = text.find('[').map_or(text.len(), |open| open + 1);
    let mut number = 0;
    loop {
        at = after_blanks(text, at);
        if number == 0 && text[at..].starts_with(']') {
            at += 1;
            break;
        }
        number += 1;
        let (refusal, end) = match element(&text[at..]) {
            Ok(json) => {
                let refusal = match json::record(json, context, mended) {
                    Ok(event) => {
                        take(Ok(completed(event, context)));
                        None
                    }
                    Err(refusal) => Some(refusal),
                };
                (refusal, Some(after_blanks(text, at + json.len())))
            }
            Err(refusal) => (Some(refusal), element_end(text, at)),
        };
        if let Some(mut refusal) = refusal {
            if end.is_none() && !refusal.early_end {
                refusal.reason.push_str("; its end cannot be found, and nothing from there on was read");
            }
            take(Err(place.problem(number, at, refusal)));
        }
        let Some(end) = end else { return };
        at = (end + 1).min(text.len());
        if text[end..].starts_with(']') {
            break;
        }
    }
    let rest = after_blanks(text, at);
    if rest < text.len() {
        let reason = "there is more text after the list; it was not read".to_owned();
        let refusal = Refusal { line: 1, column: Some(1), reason, early_end: false };
        take(Err(place.problem(number + 1, rest, refusal)));
    }
}

/// The element at the start of the text, when a comma or the list's end follows it.
fn element(text: &str) -> Result<&str, Refusal> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let value = match values.next() {
        Some(Ok(value)) => value.get(),
        Some(Err(error)) if text.starts_with(']') => {
            let reason = "malformed JSON: trailing comma".to_owned();
            return Err(Refusal { reason, ..Refusal::of(&error) });
        }
        Some(Err(error)) => return Err(Refusal::of(&error)),
        None => {
            let reason = "the JSON ends too early (EOF while parsing a list); was it cut off?".to_owned();
            return Err(Refusal { line: 1, column: Some(1), reason, early_end: true });
        }
    };
    let next = after_blanks(text, value.len());
    if matches!(text.as_bytes().get(next), None | Some(b',' | b']')) {
        return Ok(value);
    }
    let line_start = text[..next].rfind('\n').map_or(0, |newline| newline + 1);
    Err(Refusal {
        line: 1 + newlines(&text[..next]),
        column: Some((next - line_start) as u64 + 1),
        reason: "malformed JSON: expected a comma or the end of the list".to_owned(),
        early_end: false,
    })
}

fn after_blanks(text: &str, at: usize) -> usize {
    text.len() - text[at..].trim_start_matches(json::BLANKS).len()
}

/// Where the comma or bracket stands that ends the element begun at `at`, whatever is in it. A text
/// ends at its quote, or with its line: JSON has no line ends in texts.
fn element_end(text: &str, at: usize) -> Option<usize> {
    let (mut depth, mut in_text, mut escaped) = (0u64, false, false);
    for (offset, byte) in text.as_bytes().get(at..)?.iter().enumerate() {
        match byte {
            _ if std::mem::take(&mut escaped) => {}
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'\n' => in_text = false,
            _ if in_text => {}
            b'{' | b'[' => depth += 1,
            b',' | b']' if depth == 0 => return Some(at + offset),
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Counts lines on the way through a list.
struct Place<'t> {
    text: &'t str,
    at: usize,
    line: u64,
    line_start: usize,
}

impl Place<'_> {
    /// What is wrong with the element that begins at `start`.
    fn problem(&mut self, number: u64, start: usize, refusal: Refusal) -> Problem {
        let passed = &self.text[self.at..start];
        self.line += newlines(passed);
        if let Some(newline) = passed.rfind('\n') {
            self.line_start = self.at + newline + 1;
        }
        self.at = start;
        let line = self.line + refusal.line.max(1) - 1;
        let before = if refusal.line > 1 { 0 } else { start - self.line_start };
        let column = before as u64 + refusal.column.unwrap_or(1).max(1);
        let reason =
            format!("element {number} (line {line}, column {column} of the body): {}", refusal.reason);
        Problem { line: number, column: None, field: None, reason }
    }
}
