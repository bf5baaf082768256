//! Lines of container runtimes, and records within records: the text of a line may be a line or a record itself.

use std::borrow::Cow;

use event::{Event, Severity, Timestamp, field};

use crate::{
    Context, json, logfmt,
    record::{Record, Said},
    time,
};

/// A line in a runtime's form.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    stamp: &'a str,
    pub(crate) stream: &'a str,
    /// The line goes on with the next part of the stream.
    pub(crate) is_partial: bool,
    pub(crate) text: Cow<'a, str>,
}

/// `2026-10-22T21:59:01.1Z stdout F text`, as CRI runtimes write it.
pub(crate) fn cri(line: &str) -> Option<Part<'_>> {
    let (stamp, rest) = line.split_at_checked(line.bytes().take(40).position(|byte| byte == b' ')?)?;
    if !stamp.as_bytes().first()?.is_ascii_digit() {
        return None;
    }
    let (stream, rest) = rest.strip_prefix(' ')?.split_at_checked(6)?;
    if !matches!(stream, "stdout" | "stderr") {
        return None;
    }
    let rest = rest.strip_prefix(' ')?;
    let (tags, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let is_partial = match tags.split(':').next()? {
        "P" => true,
        "F" => false,
        _ => return None,
    };
    Some(Part { stamp, stream, is_partial, text: Cow::Borrowed(text) })
}

/// Whether a line begins as one of a CRI runtime does.
pub(crate) fn is_cri(line: &[u8]) -> bool {
    let blank = line.iter().take(40).position(|byte| *byte == b' ');
    blank.is_some_and(|blank| {
        line[blank + 1..].starts_with(b"stdout ") || line[blank + 1..].starts_with(b"stderr ")
    })
}

/// `{"log":"text\n","stream":"stdout","time":"…"}`, as Docker writes it.
pub(crate) fn docker(line: &str) -> Option<Part<'_>> {
    const HEAD: &str = "{\"log\":";
    #[derive(serde::Deserialize)]
    struct Docker<'a> {
        #[serde(borrow)]
        log: Cow<'a, str>,
        stream: &'a str,
        time: &'a str,
    }
    if !line.starts_with(HEAD) {
        return None;
    }
    let Docker { log, stream, time } = serde_json::from_str(line).ok()?;
    let is_partial = !log.ends_with('\n');
    let text = match log {
        Cow::Borrowed(text) => Cow::Borrowed(text.strip_suffix('\n').unwrap_or(text)),
        Cow::Owned(text) => Cow::Owned(text.strip_suffix('\n').unwrap_or(&text).to_owned()),
    };
    Some(Part { stamp: time, stream, is_partial, text })
}

/// The event of CRI lines that belong together, or of Docker's where there are several.
pub(crate) fn event<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let (head, rest) = text.split_once('\n').unwrap_or((text, ""));
    let head = head.strip_suffix('\r').unwrap_or(head);
    let is_docker = head.starts_with('{');
    if is_docker && rest.is_empty() {
        return None;
    }
    let read = if is_docker { docker } else { cri };
    let first = read(head)?;
    let (stamp, stream) = (first.stamp, first.stream);
    let mut event = if rest.is_empty() {
        match first.text {
            Cow::Borrowed(text) => crate::line::recognised(text, context),
            Cow::Owned(text) => crate::line::recognised(&text, context).into_owned(),
        }
    } else {
        let (mut joined, mut is_partial) = (first.text.into_owned(), first.is_partial);
        for line in rest.lines() {
            let part = read(line);
            if !std::mem::replace(&mut is_partial, part.as_ref().is_some_and(|part| part.is_partial)) {
                joined.push('\n');
            }
            joined.push_str(part.as_ref().map_or(line, |part| &part.text));
        }
        crate::line::recognised(&joined, context).into_owned()
    };
    // The runtime's clock is a whole date with a zone, what the program writes may be neither.
    if let Some(timestamp) = time::parse(stamp, context) {
        event.timestamp = timestamp;
    }
    event.set("labels.stream", stream);
    Some(event)
}

/// Opens a record that is the message of another one: JSON, also behind the cookie of CEE, or logfmt.
pub(crate) fn unfold<'a>(event: &mut Event<'a>, context: &Context<'_>) {
    let opened = match &event.message {
        Cow::Borrowed(text) => inner(text, context),
        Cow::Owned(text) => inner(text, context).map(|(inner, said)| (inner.into_owned(), said)),
    };
    if let Some((inner, said)) = opened {
        merge(event, inner, said, context.received);
    }
}

fn inner<'a>(text: &'a str, context: &Context<'_>) -> Option<(Event<'a>, Said)> {
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
    Some((record.finish(context, || Cow::Borrowed(text)), said))
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
