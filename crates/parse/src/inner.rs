//! What a record's message says was done: a shipper took the line of a log as it was, or the record names the program
//! that said so.
//!
//! The message stays as it is. What the record says itself counts; the line only adds what the record lacks.

use std::borrow::Cow;

use event::{Event, Field, field};

use crate::{Context, access, auth, syslog, time};

/// Shorter texts say nothing of whom and from where.
const MESSAGE_BYTES_MIN: usize = 16;
/// What `source` holds where it is no program but the log in which programs say who signs in.
const LOGS: [&str; 6] = ["auth", "authpriv", "auth.log", "secure", "security", "ssh"];

/// Adds what the message of a record says was done.
pub(crate) fn read<'a>(event: &mut Event<'a>, context: &Context<'_>) {
    let has_said = |path| event.field(path).is_some();
    if event.message.len() < MESSAGE_BYTES_MIN
        || has_said("event.category")
        || has_said("event.outcome")
        || has_said("http.response.status_code")
    {
        return;
    }
    let program = event.source.as_deref();
    let told: Option<Event<'a>> = match &event.message {
        Cow::Borrowed(text) => told(text, program, context),
        Cow::Owned(text) => told(text, program, context).map(Event::into_owned),
    };
    let Some(told) = told else { return };
    for Field { path, value } in told.fields {
        let is_its_own = path.starts_with("log.") || path.starts_with(field::LABELS);
        if !is_its_own && event.field(&path).is_none() {
            event.fields.push(Field { path, value });
        }
    }
    event.host = event.host.take().or(told.host);
    if let Some(inner) = told.source
        && event.source.as_deref().is_none_or(|source| LOGS.contains(&source))
    {
        event.source = Some(inner);
    }
}

/// The event of the message by itself, where that says more than its words.
fn told<'a>(text: &'a str, program: Option<&str>, context: &Context<'_>) -> Option<Event<'a>> {
    let program = program.map(|program| if LOGS.contains(&program) { "sshd" } else { program });
    // Of another program it may be what somebody typed.
    if program.is_some_and(|program| !auth::tells(program)) {
        return None;
    }
    if is_line(text) {
        return line(text, context);
    }
    let program = program?;
    let mut event = Event::new(text, context.received);
    auth::enrich(&mut event, program, text);
    if event.fields.is_empty() {
        event.source = Some(program.to_owned().into());
        auth::sentence(&mut event);
        event.source = None;
    }
    (!event.fields.is_empty()).then_some(event)
}

/// The event of a whole line of syslog or of a web server.
fn line<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let event = match text.as_bytes().first()? {
        b'<' => syslog::event(text, context),
        _ => time::stamp(text, context)
            .and_then(|stamp| syslog::stamped(&stamp, context))
            .or_else(|| access::event(text, context)),
    }?;
    let is_known = event.source.is_some() || event.field("http.response.status_code").is_some();
    is_known.then_some(event)
}

/// Whether a text may begin with a priority, a time stamp or an address.
fn is_line(text: &str) -> bool {
    const MONTHS: [&[u8]; 12] = [
        b"Jan ", b"Feb ", b"Mar ", b"Apr ", b"May ", b"Jun ", b"Jul ", b"Aug ", b"Sep ", b"Oct ", b"Nov ",
        b"Dec ",
    ];
    let bytes = text.as_bytes();
    match bytes {
        [b'<', digit, ..] => digit.is_ascii_digit(),
        [first, second, ..] if first.is_ascii_digit() => second.is_ascii_digit() || *second == b'.',
        _ => MONTHS.iter().any(|month| bytes.starts_with(month)),
    }
}
