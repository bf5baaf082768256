//! One text line: which format it is in.

use std::{borrow::Cow, net::IpAddr};

use event::{Event, Severity};

use crate::{
    Context, access, ansi, application, auth,
    container::{self, Part},
    cut,
    decoding::{self, Decoding},
    formats::{self, Line, network, supercomputers, vendor},
    inner, joining, level, nested, record,
    signs::Signs,
    syslog,
    time::{self, Stamp},
    windows,
};

/// Recognises one text line (without its newline). Never fails: what nothing recognises is plain text.
///
/// Known are formats of one's own ([`Context::formats`]), JSON objects, logfmt, syslog (RFC 5424, RFC 3164 with or
/// without priority, and the forms of journals and devices), access logs, the formats of the table in `formats`, and
/// whatever begins with a time stamp or a level. `original` is the whole line; the message is what follows the header,
/// the whole line for access logs and plain text.
pub fn line<'a>(bytes: &'a [u8], context: &Context<'_>) -> Event<'a> {
    complete(bytes, None, context, &mut |_| {})
}

/// As [`line`], telling the name of each format that was found, from the outside in. `text` is the same line where it
/// is known to be UTF-8.
pub(crate) fn complete<'a>(
    bytes: &'a [u8],
    text: Option<&'a str>,
    context: &Context<'_>,
    tell: &mut dyn FnMut(&str),
) -> Event<'a> {
    let (bytes, truncated) = cut(joining::content(bytes), context.line_bytes_max);
    let decoded = match text.and_then(|text| text.get(..bytes.len())) {
        Some(text) => (Cow::Borrowed(text), Decoding::Utf8),
        None => decoding::text(bytes),
    };
    let mut event = match decoded {
        (Cow::Borrowed(text), _) => recognised(text, context, tell),
        (Cow::Owned(text), decoding) => {
            let mut event = recognised(&text, context, tell).into_owned();
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

/// The event of a text, be it one line or several that belong together, and the name of each format that was found,
/// from the outside in.
pub(crate) fn recognised<'a>(line: &'a str, context: &Context<'_>, tell: &mut dyn FnMut(&str)) -> Event<'a> {
    let signs = Signs::of(line);
    if signs.has(Signs::ESCAPE)
        && let Some(bare) = ansi::strip(line)
    {
        tell("terminal colours");
        let mut event = recognised(&bare, context, tell).into_owned();
        event.flag(event::field::ANSI);
        event.original = Some(Cow::Borrowed(line));
        return event;
    }
    let text = line.strip_prefix('\u{feff}').unwrap_or(line);
    // An event is large: each branch gives it at the place where it stays.
    let mut event = if let Some(event) = own(text, context, tell) {
        event
    } else if let Some(event) = contained(text, context, tell) {
        event
    } else if let Some(event) = spread(text, context, tell) {
        event
    } else if signs.has(Signs::NEWLINE) {
        joining::event(text, |text| one(text, signs, context, tell))
    } else {
        one(text, signs, context, tell)
    };
    let may_hold_record = matches!(event.message, Cow::Owned(_)) || signs.has(Signs::PAIR);
    if may_hold_record && event.message.len() < text.len() && nested::unfold(&mut event, context) {
        tell("a record in its message");
    }
    if event.fields.is_empty() && event.message.len() == text.len() {
        // Plain text keeps its byte order mark out of the message only.
        event.message = Cow::Borrowed(text);
    }
    // What records say themselves is not looked for in their text.
    if !text.starts_with('{') {
        auth::sentence(&mut event);
        if let Cow::Borrowed(message) = event.message
            && event.source.is_none()
            && event.field("http.response.status_code").is_none()
        {
            access::in_words(&mut event, message);
        }
        if event.message.ends_with(['}', ']'])
            && signs.has(Signs::QUOTE)
            && event.field("event.category").is_none()
        {
            nested::sign_in(&mut event, context);
        }
    }
    event.original = Some(Cow::Borrowed(line));
    event
}

/// The event of one line, of whichever format it is.
fn one<'a>(text: &'a str, signs: Signs, context: &Context<'_>, tell: &mut dyn FnMut(&str)) -> Event<'a> {
    if let Some(event) = structured(text, signs, context, tell) {
        return event;
    }
    tell("plain text");
    plain(text, context)
}

/// The event of a text in a format of one's own.
fn own<'a>(text: &'a str, context: &Context<'_>, tell: &mut dyn FnMut(&str)) -> Option<Event<'a>> {
    let (event, name) = context.formats?.event(text, context)?;
    tell(name);
    Some(event)
}

/// The event of a program's line that a container's runtime wrote down.
fn contained<'a>(text: &'a str, context: &Context<'_>, tell: &mut dyn FnMut(&str)) -> Option<Event<'a>> {
    let Part { stamp, stream, text, .. } = container::parts(text)?;
    tell("a container's line");
    let mut event = match text {
        Cow::Borrowed(text) => recognised(text, context, tell),
        Cow::Owned(text) => recognised(&text, context, tell).into_owned(),
    };
    // The runtime's clock is a whole date with a zone, what the program writes may be neither.
    if let Some(timestamp) = time::parse(stamp, context) {
        event.timestamp = timestamp;
    }
    event.set("labels.stream", stream);
    Some(event)
}

/// The event of a line with a time stamp behind the address of a client, as PostgreSQL writes it with `%h %m`.
fn addressed<'a>(
    text: &'a str,
    signs: Signs,
    context: &Context<'_>,
    tell: &mut dyn FnMut(&str),
) -> Option<Event<'a>> {
    // Where the stamp stands in brackets, it is an access log.
    if !text.starts_with(|first: char| first.is_ascii_hexdigit()) {
        return None;
    }
    let (address, rest) = cut::within(text, b' ', 48)?;
    if !rest.starts_with(|first: char| first.is_ascii_digit()) || address.parse::<IpAddr>().is_err() {
        return None;
    }
    let line = Line::new(rest, context);
    let stamp = line.stamp?;
    let mut event = match formats::event(&line, context) {
        Some((name, event)) => {
            tell(name);
            event
        }
        None => stamped(&stamp, signs, context, tell),
    };
    if event.field("source.ip").is_none() {
        event.set("source.ip", address);
    }
    Some(event)
}

/// The event of a program's line behind the name of its container, as Compose prints it: `web-1  | text`.
fn composed<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    const NAME_BYTES_MAX: usize = 64;
    let head = &text.as_bytes()[..text.len().min(NAME_BYTES_MAX)];
    let (name, rest) = text.split_at(memchr::memchr(b'|', head)?);
    let rest = rest.strip_prefix("| ")?;
    let bare = name.trim_end_matches(' ');
    let is_name = bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if bare.is_empty() || bare.len() == name.len() || !is_name || rest.is_empty() {
        return None;
    }
    let mut event = recognised(rest, context, &mut |_| {});
    event.source.get_or_insert(Cow::Borrowed(bare));
    Some(event)
}

/// The event of JSON, or of Windows in XML, that is spread over lines.
fn spread<'a>(text: &'a str, context: &Context<'_>, tell: &mut dyn FnMut(&str)) -> Option<Event<'a>> {
    if !text.starts_with(['{', '<']) || !text.contains('\n') {
        return None;
    }
    let (name, event) = match text.starts_with('{') {
        true => ("JSON", json(text, context)?),
        false => (windows::NAME, windows::event(text, context)?),
    };
    tell(name);
    Some(event)
}

fn plain<'a>(text: &'a str, context: &Context<'_>) -> Event<'a> {
    let mut event = Event::new(text, context.received);
    event.severity = level::level_from_message(text).unwrap_or(Severity::Info);
    event
}

/// The event of a line, if it has a form.
fn structured<'a>(
    text: &'a str,
    signs: Signs,
    context: &Context<'_>,
    tell: &mut dyn FnMut(&str),
) -> Option<Event<'a>> {
    match text.as_bytes().first()? {
        // Continued lines, such as those of stack traces.
        b' ' | b'\t' => None,
        b'{' => json(text, context).inspect(|_| tell("JSON")),
        b'<' => match syslog::event(text, context).inspect(|_| tell("syslog")) {
            Some(event) => Some(event),
            None => windows::event(text, context).inspect(|_| tell(windows::NAME)),
        },
        _ => {
            let line = Line::new(text, context);
            if let Some((name, event)) = formats::event(&line, context) {
                tell(name);
                return Some(event);
            }
            match &line.stamp {
                Some(stamp) => Some(stamped(stamp, signs, context, tell)),
                None => unstamped(text, signs, context, tell),
            }
        }
    }
}

fn json<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let mut event = nested::json(text, context, false).ok()?;
    inner::read(&mut event, context);
    Some(event)
}

/// What stands behind a name when it is there.
fn named<'a>(
    name: &'static str,
    event: impl FnOnce() -> Option<Event<'a>>,
) -> impl FnOnce() -> Option<(&'static str, Event<'a>)> {
    move || Some((name, event()?))
}

fn stamped<'a>(
    stamp: &Stamp<'a>,
    signs: Signs,
    context: &Context<'_>,
    tell: &mut dyn FnMut(&str),
) -> Event<'a> {
    let device = || if signs.has(Signs::PERCENT) { network::stamped(stamp, context) } else { None };
    let request = || if signs.has(Signs::QUOTE) { access::stamped(stamp, context) } else { None };
    let mut event = if let Some(event) = device() {
        tell("network device");
        event
    } else if let Some(event) = syslog::stamped(stamp, context) {
        tell("syslog");
        event
    } else if let Some(event) = request() {
        tell("access log");
        event
    } else {
        tell("time stamp first");
        application::stamped(stamp, context)
    };
    if stamp.at.is_none() {
        event.flag(event::field::TIMESTAMP_REPLACED);
        event.set("labels.timestamp", stamp.text);
    }
    event
}

fn unstamped<'a>(
    text: &'a str,
    signs: Signs,
    context: &Context<'_>,
    tell: &mut dyn FnMut(&str),
) -> Option<Event<'a>> {
    let device = || if signs.has(Signs::PERCENT) { network::event(text, context) } else { None };
    let pairs = || if signs.has(Signs::PAIR) { nested::logfmt(text, context) } else { None };
    if let Some(event) = composed(text, context) {
        tell("a container's line");
        return Some(event);
    }
    if let Some(event) = addressed(text, signs, context, tell) {
        return Some(event);
    }
    let (name, event) = named("level first", || application::level_first(text, context))()
        .or_else(named("access log", || access::event(text, context)))
        .or_else(named("failure log of a supercomputer", || supercomputers::event(text, context)))
        .or_else(named("syslog", || syslog::version_one(text, context)))
        .or_else(named("syslog", || syslog::unstamped(text, context)))
        .or_else(named("network device", device))
        .or_else(named("security product", || vendor::event(text, context.received, context)))
        .or_else(named("logfmt", pairs))
        .or_else(named("time stamp after some words", || application::later_word(text, context)))?;
    tell(name);
    Some(event)
}
