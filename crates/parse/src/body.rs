//! Whole request bodies: JSON, NDJSON, plain lines.

use std::fmt;

use event::Event;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::{
    Context, Format, Problem,
    json::{self, Refusal},
    record,
};

type Accept<'f, 'a> = &'f mut dyn FnMut(Event<'a>);
type Refuse<'f> = &'f mut dyn FnMut(Problem);

/// Parses a whole body, handing over events and problems in order. Nothing fails as a whole: what is
/// wrong is named by line (in an array: element) number, and the rest goes on.
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
    accept: &mut dyn FnMut(Event<'a>),
    refuse: &mut dyn FnMut(Problem),
) {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match format {
        Format::Lines => {
            for line in lines(body) {
                if !line.is_empty() {
                    accept(crate::line(line, context));
                }
            }
        }
        Format::Ndjson => ndjson(body, 1, context, accept, refuse),
        Format::Json => match std::str::from_utf8(body) {
            Ok(text) => any(text, false, context, accept, refuse),
            // One bad byte in NDJSON concerns one line; a list or object is mended as a whole.
            Err(_) if first_byte(body) == Some(b'{') && !is_spread(body) => {
                ndjson(body, 1, context, accept, refuse)
            }
            Err(_) => {
                let text = String::from_utf8_lossy(body);
                any(&text, true, context, &mut |event| accept(event.into_owned()), refuse);
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

fn ndjson<'a>(body: &'a [u8], first: u64, context: &Context<'_>, accept: Accept<'_, 'a>, refuse: Refuse<'_>) {
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
            Ok(event) => accept(completed(event, context)),
            Err(refusal) => {
                refuse(Problem { line: number, column: refusal.column, field: None, reason: refusal.reason })
            }
        }
    }
}

fn completed<'a>(mut event: Event<'a>, context: &Context<'_>) -> Event<'a> {
    record::complete(&mut event, context);
    event
}

/// One object, several (a line each or spread), or a list.
fn any<'a>(text: &'a str, mended: bool, context: &Context<'_>, accept: Accept<'_, 'a>, refuse: Refuse<'_>) {
    match first_byte(text.as_bytes()) {
        Some(b'[') => array(text, mended, context, accept, refuse),
        Some(b'{') if is_spread(text.as_bytes()) => spread(text, mended, context, accept, refuse),
        _ => ndjson(text.as_bytes(), 1, context, accept, refuse),
    }
}

/// Objects that may be spread over lines.
fn spread<'a>(
    text: &'a str,
    mended: bool,
    context: &Context<'_>,
    accept: Accept<'_, 'a>,
    refuse: Refuse<'_>,
) {
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
                    Ok(event) => accept(completed(event, context)),
                    Err(refusal) => refuse(Problem {
                        line: line + refusal.line - 1,
                        column: refusal.column,
                        field: None,
                        reason: refusal.reason,
                    }),
                }
                line += newlines(&text[counted..end]);
                counted = end;
            }
            Some(Err(_)) => {
                remainder(&text[counted..], line, context, accept, refuse);
                return;
            }
        }
    }
}

/// What begins with a broken object: lines of objects when the next line begins another one, else
/// one broken object, which is named once.
fn remainder<'a>(
    text: &'a str,
    line: u64,
    context: &Context<'_>,
    accept: Accept<'_, 'a>,
    refuse: Refuse<'_>,
) {
    let mut further = text.lines().skip(1).filter(|line| !line.trim().is_empty());
    if further.next().is_some_and(|next| next.starts_with('{')) {
        ndjson(text.as_bytes(), line, context, accept, refuse);
        return;
    }
    if let Err(refusal) = serde_json::from_str::<&RawValue>(text).map_err(|error| Refusal::of(&error)) {
        let at = if refusal.early_end { line } else { line + refusal.line - 1 };
        refuse(Problem { line: at, column: refusal.column, field: None, reason: refusal.reason });
    }
}

fn newlines(text: &str) -> u64 {
    memchr::memchr_iter(b'\n', text.as_bytes()).count() as u64
}

fn array<'a>(text: &'a str, mended: bool, context: &Context<'_>, accept: Accept<'_, 'a>, refuse: Refuse<'_>) {
    let mut number = 0;
    let elements = Elements { mended, context, accept, refuse, number: &mut number };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let result = elements.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    if let Err(error) = result {
        let refusal = Refusal::of(&error);
        let place = format!("line {}, column {} of the body", error.line(), error.column());
        refuse(Problem {
            line: number + 1,
            column: refusal.column,
            field: None,
            reason: format!("{}, at {place}; nothing from this element on was read", refusal.reason),
        });
    }
}

/// Hands over the elements of a list one by one.
struct Elements<'f, 'c, 'a> {
    mended: bool,
    context: &'f Context<'c>,
    accept: Accept<'f, 'a>,
    refuse: Refuse<'f>,
    number: &'f mut u64,
}

impl<'a> DeserializeSeed<'a> for Elements<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'a> Visitor<'a> for Elements<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of JSON objects")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element::<&'a RawValue>()? {
            *self.number += 1;
            match json::record(element.get(), self.context, self.mended) {
                Ok(event) => (self.accept)(completed(event, self.context)),
                Err(refusal) => (self.refuse)(Problem {
                    line: *self.number,
                    column: refusal.column,
                    field: None,
                    reason: refusal.reason,
                }),
            }
        }
        Ok(())
    }
}
