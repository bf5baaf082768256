//! One text line: which format it is in.

use std::borrow::Cow;

use event::{Event, Severity};

use crate::{
    Context, access, ansi, application,
    container::{self, Part},
    decoding,
    formats::{self, Line, network, supercomputers, vendor},
    joining, level, nested, record, syslog,
    time::{self, Stamp},
};

/// Recognises one text line (without its newline). Never fails: what nothing recognises is plain text.
///
/// Known are JSON objects, logfmt, syslog (RFC 5424, RFC 3164 with or without priority, and the forms of journals
/// and devices), access logs, the formats of the table in `formats`, and whatever begins with a time stamp or a
/// level. `original` is the whole line; the message is what follows the header, the whole line for access logs and
/// plain text.
pub fn line<'a>(bytes: &'a [u8], context: &Context<'_>) -> Event<'a> {
    let (bytes, truncated) = cut(joining::content(bytes), context.line_bytes_max);
    let mut event = match decoding::text(bytes) {
        (Cow::Borrowed(text), _) => recognised(text, context),
        (Cow::Owned(text), decoding) => {
            let mut event = recognised(&text, context).into_owned();
            decoding.mark(&mut event, bytes);
            event
        }
    };
    if truncated {
        event.flag(event::field::TRUNCATED);
    }
    record::complete(&mut event, context);
    event
}

/// At most `max` bytes, cut between characters.
fn cut(bytes: &[u8], max: usize) -> (&[u8], bool) {
    if bytes.len() <= max {
        return (bytes, false);
    }
    let mut end = max;
    while end > 0 && max - end < 3 && bytes[end] & 0xc0 == 0x80 {
        end -= 1;
    }
    // Four continuation bytes in a row are no character.
    if bytes[end] & 0xc0 == 0x80 {
        end = max;
    }
    (&bytes[..end], true)
}

/// The event of a text, be it one line or several that belong together.
pub(crate) fn recognised<'a>(line: &'a str, context: &Context<'_>) -> Event<'a> {
    if let Some(bare) = ansi::strip(line) {
        let mut event = recognised(&bare, context).into_owned();
        event.flag(event::field::ANSI);
        event.original = Some(Cow::Borrowed(line));
        return event;
    }
    let text = line.strip_prefix('\u{feff}').unwrap_or(line);
    let one = |text: &'a str| structured(text, context).unwrap_or_else(|| plain(text, context));
    let mut event = contained(text, context).unwrap_or_else(|| joining::event(text, context, one));
    if event.message.len() < text.len() {
        nested::unfold(&mut event, context);
    }
    if event.fields.is_empty() && event.message.len() == text.len() {
        // Plain text keeps its byte order mark out of the message only.
        event.message = Cow::Borrowed(text);
    }
    event.original = Some(Cow::Borrowed(line));
    event
}

/// The event of a program's line that a container's runtime wrote down.
fn contained<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let Part { stamp, stream, text, .. } = container::parts(text)?;
    let mut event = match text {
        Cow::Borrowed(text) => recognised(text, context),
        Cow::Owned(text) => recognised(&text, context).into_owned(),
    };
    // The runtime's clock is a whole date with a zone, what the program writes may be neither.
    if let Some(timestamp) = time::parse(stamp, context) {
        event.timestamp = timestamp;
    }
    event.set("labels.stream", stream);
    Some(event)
}

fn plain<'a>(text: &'a str, context: &Context<'_>) -> Event<'a> {
    let mut event = Event::new(text, context.received);
    event.severity = level::level_from_message(text).unwrap_or(Severity::Info);
    event
}

fn structured<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    match text.as_bytes().first()? {
        // Continued lines, such as those of stack traces.
        b' ' | b'\t' => None,
        b'{' => nested::json(text, context, false).ok(),
        b'<' => syslog::event(text, context),
        _ => {
            let line = Line::new(text, context);
            formats::event(&line, context).or_else(|| match &line.stamp {
                Some(stamp) => Some(stamped(stamp, context)),
                None => unstamped(text, context),
            })
        }
    }
}

fn stamped<'a>(stamp: &Stamp<'a>, context: &Context<'_>) -> Event<'a> {
    let mut event = network::stamped(stamp, context)
        .or_else(|| syslog::stamped(stamp, context))
        .or_else(|| access::stamped(stamp, context))
        .unwrap_or_else(|| application::stamped(stamp, context));
    if stamp.at.is_none() {
        event.flag(event::field::TIMESTAMP_REPLACED);
        event.set("labels.timestamp", stamp.text);
    }
    event
}

fn unstamped<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    application::level_first(text, context)
        .or_else(|| access::event(text, context))
        .or_else(|| supercomputers::event(text, context))
        .or_else(|| syslog::version_one(text, context))
        .or_else(|| network::event(text, context))
        .or_else(|| vendor::event(text, context.received, context))
        .or_else(|| nested::logfmt(text, context))
        .or_else(|| application::later_word(text, context))
}
