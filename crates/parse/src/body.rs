//! Whole request bodies: JSON, NDJSON, plain lines.

use std::borrow::Cow;

use event::{Event, field};

use crate::{
    Before, Context, Format, Problem, Take, decoding, envelope, export, framing,
    joining::{self, Piece},
    line, record, utf16, w3c, windows,
};

/// Parses a whole body and hands over each record in order, as an event or as what is wrong with it. Nothing
/// fails as a whole: a problem names its line (in an array: its element), and the rest goes on.
///
/// - `Json` and `Ndjson` are JSON objects and lists of them, one after another: a line each, spread over lines, or
///   with nothing, commas, record separators or byte order marks between them. The action lines of a `_bulk` body are
///   passed over, and the envelopes of OTLP, Loki, Splunk HEC, CloudWatch, CloudTrail and Azure give the records that
///   are in them.
/// - `Lines` is text, each line recognised as [`crate::line`] does, or several that are one event
///   ([`Context::joining`]); empty lines are passed over. In a file, a line without a time has that of the one before.
///   Columns that the head of a W3C log names hold for the lines behind that they fit. Entries of the journal's export
///   format that are whole, and texts that are nothing but events of Windows in XML, are one event each, whatever lines
///   they have.
///
/// UTF-16 is decoded and marked.
///
/// Names are those of all common loggers, whatever their case (`docs/formats.md`). The first of each group counts, the
/// others go under `labels.`. A record without a message has `event.original` for one, else its own compact JSON.
///
/// Returns what the lines say of those behind the body ([`Context::before`] of the next part).
pub fn body<'a>(
    format: Format,
    body: &'a [u8],
    context: &Context<'_>,
    mut take: impl FnMut(Result<Event<'a>, Problem>),
) -> Before {
    let (Cow::Owned(decoded), true) = utf16::as_utf8(body) else {
        return read(format, body, context, &mut take);
    };
    read(format, &decoded, context, &mut |record| {
        take(record.map(|event| {
            let mut event = event.into_owned();
            event.flag(field::UTF16);
            event
        }));
    })
}

fn read<'a>(format: Format, body: &'a [u8], context: &Context<'_>, take: Take<'_, 'a>) -> Before {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match format {
        Format::Lines => return text(body, context, &mut |_| {}, &mut |read| take(Ok(read.event))),
        Format::Ndjson | Format::Json => match std::str::from_utf8(body) {
            Ok(text) => framing::values(text, false, context, take),
            Err(_) => broken(format, body, context, take),
        },
    }
    context.before.cloned().unwrap_or_default()
}

/// An event of a text.
pub(crate) struct Read<'a> {
    /// What it was read from, within the text.
    pub(crate) bytes: &'a [u8],
    pub(crate) event: Event<'a>,
    /// It has no time of its own, but that of the line before.
    pub(crate) has_time_of_before: bool,
}

/// Lines, and lines that are one event: tells the names of the formats of each, from the outside in, before it is taken.
pub(crate) fn text<'a>(
    body: &'a [u8],
    context: &Context<'_>,
    tell: &mut dyn FnMut(&str),
    take: &mut dyn FnMut(Read<'a>),
) -> Before {
    let mut before = context.before.cloned().unwrap_or_default();
    // At once for all lines, where none has anything else.
    let whole = std::str::from_utf8(body).ok();
    let utf8 = |piece: &'a [u8]| {
        let begin = piece.as_ptr().addr() - body.as_ptr().addr();
        whole?.get(begin..begin + piece.len())
    };
    w3c::begin(body, &mut before, context);
    for Piece { bytes, is_rest, is_entry } in joining::pieces(body, context) {
        w3c::direct(bytes, &mut before, context);
        let enveloped = if is_entry { None } else { enveloped(bytes, context) };
        if let Some(events) = enveloped {
            for event in events {
                tell("a protocol's envelope");
                take(Read { bytes, event, has_time_of_before: false });
            }
            continue;
        }
        let mut put = |bytes: &'a [u8], mut event: Event<'a>, before: &mut Before| {
            let has_time_of_before = date(&mut event, before, context);
            if is_rest {
                event.flag(field::REST);
            }
            take(Read { bytes, event, has_time_of_before });
        };
        if bytes.trim_ascii_start().first() == Some(&b'<')
            && let Ok(text) = std::str::from_utf8(bytes)
        {
            let elements = windows::elements(text);
            if elements.first().is_some_and(|element| element.len() < text.len()) {
                for element in elements {
                    let event = line::complete(element.as_bytes(), Some(element), context, tell);
                    put(element.as_bytes(), event, &mut before);
                }
                continue;
            }
            if windows::is_frame(text) {
                continue;
            }
        }
        let special = if is_entry {
            entry(bytes, context).inspect(|_| tell(export::NAME))
        } else {
            columned(bytes, &mut before, context).inspect(|_| tell(w3c::NAME))
        };
        let event = if let Some(event) = special {
            event
        } else {
            line::complete(bytes, utf8(bytes), &Context { before: Some(&before), ..context.clone() }, tell)
        };
        put(bytes, event, &mut before);
    }
    before
}

/// Gives an event the time of the line before, where it has none of its own and stands in a file: what a file holds was
/// not written when it was read. Whether it did.
fn date(event: &mut Event<'_>, before: &mut Before, context: &Context<'_>) -> bool {
    let mut has_time_of_before = false;
    if event.timestamp != context.received {
        before.saw(event.timestamp, context.received);
    } else if let Some(time) = before.time(context.received)
        && context.file.is_some()
        && !event.has_flag(field::TIMESTAMP_REPLACED)
    {
        event.timestamp = time;
        has_time_of_before = true;
    }
    has_time_of_before
}

/// The event of an entry of the journal.
fn entry<'a>(bytes: &'a [u8], context: &Context<'_>) -> Option<Event<'a>> {
    let mut event = export::event(bytes, context)?;
    record::complete(&mut event, context);
    Some(event)
}

/// The event of a line in the columns that a line before named.
fn columned<'a>(bytes: &'a [u8], before: &mut Before, context: &Context<'_>) -> Option<Event<'a>> {
    let columns = before.columns().filter(|_| bytes.len() <= context.line_bytes_max)?;
    let line = std::str::from_utf8(bytes).ok()?;
    let context = Context { before: Some(before), ..context.clone() };
    match w3c::event(line, columns, &context) {
        w3c::Found::Event(mut event) => {
            event.original = Some(Cow::Borrowed(line));
            record::complete(&mut event, &context);
            Some(event)
        }
        w3c::Found::Nothing => None,
        w3c::Found::Contradiction => {
            before.drop_columns();
            None
        }
    }
}

/// The records of a line that is the envelope of a protocol; None when it is none.
fn enveloped<'a>(line: &'a [u8], context: &Context<'_>) -> Option<Vec<Event<'a>>> {
    let text =
        Some(line).filter(|line| envelope::begins(line)).and_then(|line| std::str::from_utf8(line).ok())?;
    let mut records = Vec::new();
    envelope::records(text, context, false, &mut |record| records.push(record)).ok()?;
    records.into_iter().collect::<Result<_, _>>().ok()
}

/// JSON that is no UTF-8: one bad byte concerns its line when each line is a value, else the whole is mended.
fn broken<'a>(format: Format, body: &'a [u8], context: &Context<'_>, take: Take<'_, 'a>) {
    let start = body.trim_ascii_start();
    let first_line = start.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    let is_lines = start.first() == Some(&b'{') && first_line.last() == Some(&b'}');
    if format == Format::Json && !is_lines {
        let text = String::from_utf8_lossy(body);
        framing::values(&text, true, context, &mut |record| take(record.map(Event::into_owned)));
        return;
    }
    for (number, line) in (1..).zip(lines(body)) {
        let mut put = |record: Result<Event<'a>, Problem>| {
            take(record.map_err(|problem| Problem { line: number, ..problem }));
        };
        match std::str::from_utf8(line) {
            Ok(text) => framing::values(text, false, context, &mut put),
            Err(_) => {
                let (text, decoding) = decoding::text(line);
                framing::values(&text, false, context, &mut |record| {
                    put(record.map(|event| {
                        let mut event = event.into_owned();
                        decoding.mark(&mut event, line);
                        event
                    }));
                });
            }
        }
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
