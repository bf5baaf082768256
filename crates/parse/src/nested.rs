//! Events of records, and records within records: the message of a record, or of a line, may be a record itself.

use std::borrow::Cow;

use event::{Event, Severity, Timestamp, field};

use crate::{
    Context, auth,
    json::{self, Refusal},
    laurel, logfmt,
    record::{Record, Said},
};

/// The event of a record, with the record that its message may be. One without a message gets `whole`.
pub(crate) fn event<'a>(
    record: Record<'a>,
    context: &Context<'_>,
    whole: impl FnOnce() -> Cow<'a, str>,
) -> Event<'a> {
    let is_whole = record.is_whole();
    let mut event = record.finish(context, whole);
    if !is_whole && event.message.len() > 2 {
        unfold(&mut event, context);
    }
    laurel::read(&mut event, context);
    auth::windows(&mut event);
    auth::record(&mut event);
    event
}

/// The event of the record of a JSON object.
pub(crate) fn whole<'a>(record: Record<'a>, text: &'a str, context: &Context<'_>) -> Event<'a> {
    event(record, context, || json::compact(text.trim_matches(json::BLANKS)))
}

/// The event of a JSON object.
///
/// # Errors
/// When it is no record.
pub(crate) fn json<'a>(text: &'a str, context: &Context<'_>, mended: bool) -> Result<Event<'a>, Refusal> {
    Ok(whole(json::read(text, mended)?, text, context))
}

/// The event of a line of logfmt.
pub(crate) fn logfmt<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    Some(event(logfmt::record(text)?, context, || Cow::Borrowed(text)))
}

/// Opens a record that is the message of another one: JSON, also behind the cookie of CEE, or logfmt. Says whether it
/// is one.
pub(crate) fn unfold<'a>(event: &mut Event<'a>, context: &Context<'_>) -> bool {
    let opened = match &event.message {
        Cow::Borrowed(text) => inner(text, context),
        Cow::Owned(text) => inner(text, context).map(|(inner, said)| (inner.into_owned(), said)),
    };
    let Some((inner, said)) = opened else { return false };
    merge(event, inner, said, context.received);
    true
}

/// Adds what the record says of a sign-in that a logger wrote into its line, with an empty list behind it or without:
/// `{"type":"LOGIN_FAILED","ip":"192.0.2.7"} []`. The record stays the message.
pub(crate) fn sign_in(event: &mut Event<'_>, context: &Context<'_>) {
    const TOLD: [&str; 6] =
        ["event.category", "event.action", "event.outcome", "user.name", "source.ip", "source.port"];
    let Cow::Borrowed(text) = event.message else { return };
    let text = text.strip_suffix(" []").unwrap_or(text);
    let Some((words, json)) = behind_words(text) else { return };
    let Some(mut record) = json::read(json, false).ok().filter(|_| json.ends_with('}')) else { return };
    if !words.is_empty() {
        record.put("message".into(), event::Value::String(words.into()));
    }
    let told = self::event(record, context, || Cow::Borrowed(json));
    if told.field("event.category").is_some() {
        event.fields.extend(told.fields.into_iter().filter(|each| TOLD.contains(&each.path.as_ref())));
    }
}

/// The record behind the words of a message, and these. Nobody can write what reads as one from the first brace to the
/// end, where the logger's own follows.
fn behind_words(text: &str) -> Option<(&str, &str)> {
    if text.starts_with('{') {
        return Some(("", text));
    }
    let at = text.find(" {\"")?;
    Some((&text[..at], &text[at + 1..]))
}

fn inner<'a>(text: &'a str, context: &Context<'_>) -> Option<(Event<'a>, Said)> {
    // Neither a pair nor a brace: none.
    memchr::memchr2(b'=', b'{', text.as_bytes())?;
    let text = text.trim_matches(json::BLANKS);
    let text = text.strip_prefix("@cee:").map_or(text, |text| text.trim_start_matches(' '));
    let (record, is_json): (Record<'a>, bool) = match text.as_bytes() {
        [b'{', .., b'}'] => (json::read(text, false).ok()?, true),
        _ => (logfmt::record(text)?, false),
    };
    let said = record.said();
    // Pairs are written by others than loggers too.
    let is_log = if is_json { said.message || said.level } else { said.message && said.level };
    if !is_log {
        return None;
    }
    Some((event(record, context, || Cow::Borrowed(text)), said))
}

/// What the inner record says of what happened counts; when and where is the outer's to say.
fn merge<'a>(event: &mut Event<'a>, inner: Event<'a>, said: Said, received: Timestamp) {
    event.message = inner.message;
    if said.level || (event.severity == Severity::Info && inner.severity != Severity::Info) {
        event.severity = inner.severity;
    }
    if inner.timestamp != received {
        if event.timestamp == received {
            event.timestamp = inner.timestamp;
        } else if event.timestamp != inner.timestamp {
            event.set("labels.nested.timestamp", inner.timestamp.to_string());
        }
    }
    for (outer, inner, path) in [
        (&mut event.source, inner.source, "labels.nested.source"),
        (&mut event.host, inner.host, "labels.nested.host"),
    ] {
        match (&outer, inner) {
            (None, inner) => *outer = inner,
            (Some(held), Some(inner)) if *held != inner => {
                let value = event::Value::String(inner);
                event.fields.push(event::Field { path: path.into(), value });
            }
            _ => {}
        }
    }
    for event::Field { path, value } in inner.fields {
        if path == field::FLAGS {
            // The outer record's time counts, whatever became of the inner one's.
            if value.to_json().to_string().contains(field::INVALID_UTF8) {
                event.flag(field::INVALID_UTF8);
            }
        } else if event.field(&path).is_none() {
            event.fields.push(event::Field { path, value });
        } else if event.field(&path) != Some(&value) {
            let path = format!("labels.nested.{}", path.strip_prefix(field::LABELS).unwrap_or(&path));
            event.set(path, value);
        }
    }
}
