//! Syslog: RFC 5424, RFC 3164 (with or without its priority) and the ISO-stamped file form.

use std::borrow::Cow;

use event::{Event, Severity, Timestamp, Value};

use crate::{Context, auth, level, time};

/// The event of a syslog line.
pub(crate) fn event<'a>(line: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let (priority, rest) = priority(line);
    if priority.is_some()
        && let Some(rest) = rest.strip_prefix("1 ")
        && let Some(event) = rfc5424(rest, context)
    {
        return Some(with_priority(event, priority));
    }
    let bytes = rest.as_bytes();
    let (timestamp, length, is_iso) = match time::rfc3164(bytes, context.near, context.zone) {
        Some((timestamp, length)) => (timestamp, length, false),
        None => match time::iso(bytes).filter(|_| bytes.get(10) == Some(&b'T')) {
            Some((civil, length)) => (civil.at(context.zone)?, length, true),
            None if priority.is_some() => {
                let event = content(None, rest, context.received, context);
                return Some(with_priority(event, priority));
            }
            None => return None,
        },
    };
    let rest = rest.get(length..)?.strip_prefix([' ', ':'])?.trim_start_matches(' ');
    let (first, after) = rest.split_once(' ').unwrap_or((rest, ""));
    let event = if first.ends_with(':') {
        // No host: the tag follows at once.
        if is_iso {
            return None;
        }
        content(None, rest, timestamp, context)
    } else if is_host(first) {
        let after = after.trim_start_matches(' ');
        let tagged = tag(after).is_some();
        let levelled = is_iso && (level::of_token(first).is_some() || first_word_is_level(after));
        if levelled || (is_iso && priority.is_none() && !tagged) {
            return None;
        }
        let repeated = after.starts_with("last message repeated") || after.starts_with("-- MARK --");
        if tagged || repeated || priority.is_some() {
            content(Some(first), after, timestamp, context)
        } else {
            content(None, rest, timestamp, context)
        }
    } else if is_iso {
        return None;
    } else {
        content(None, rest, timestamp, context)
    };
    Some(with_priority(event, priority))
}

fn first_word_is_level(text: &str) -> bool {
    let word = text.split([' ', ':']).next().unwrap_or_default();
    level::of_token(word.trim_matches(['[', ']'])).is_some()
}

fn is_host(token: &str) -> bool {
    !token.is_empty()
        && token.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'@' | b'/')
        })
}

/// `<134>`: facility times eight plus severity, at most 191.
fn priority(line: &str) -> (Option<u8>, &str) {
    let parsed = line.strip_prefix('<').and_then(|rest| {
        let (digits, rest) = rest.split_at_checked(rest.find('>').filter(|end| (1..=3).contains(end))?)?;
        let number =
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u8>().ok())??;
        (number <= 191).then_some((number, &rest[1..]))
    });
    parsed.map_or((None, line), |(number, rest)| (Some(number), rest))
}

fn with_priority<'a>(mut event: Event<'a>, priority: Option<u8>) -> Event<'a> {
    if let Some(priority) = priority {
        event.severity = Severity::from_syslog(priority & 7);
        event.set("log.syslog.facility.code", i64::from(priority >> 3));
        event.set("log.syslog.severity.code", i64::from(priority & 7));
    }
    event
}

/// A program's name and process id before the colon, and the text after it.
struct Tag<'a> {
    program: &'a str,
    pid: Option<i64>,
    message: &'a str,
}

/// `sshd[42]: text`, `su: text`, `sshd(pam_unix)[42]: text`, `sogod [42]: text`.
fn tag(text: &str) -> Option<Tag<'_>> {
    let end = text.bytes().position(|byte| matches!(byte, b':' | b'[' | b' ' | b'('))?;
    let (program, mut rest) = text.split_at(end);
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'@' | b'+');
    if program.is_empty() || program.len() > 128 || !program.bytes().all(plain) {
        return None;
    }
    if let Some(inner) = rest.strip_prefix('(') {
        rest = inner.split_once(')').filter(|(inside, _)| !inside.contains(' '))?.1;
    }
    if rest.starts_with(" [") {
        rest = &rest[1..];
    }
    let mut pid = None;
    if let Some(inner) = rest.strip_prefix('[') {
        let (inside, after) = inner.split_once(']')?;
        pid = Some(inside.parse::<i64>().ok().filter(|pid| *pid >= 0)?);
        rest = after;
    }
    let message = rest.strip_prefix(':')?;
    if !(message.is_empty() || message.starts_with([' ', '\t'])) {
        return None;
    }
    let message = message.strip_prefix(' ').unwrap_or(message);
    // `su(pam_unix)[42]: text`: the module is part of what happened.
    Some(Tag { program, pid, message })
}

fn content<'a>(
    host: Option<&'a str>,
    text: &'a str,
    timestamp: Timestamp,
    context: &Context<'_>,
) -> Event<'a> {
    let tag = tag(text);
    let message = tag.as_ref().map_or(text, |tag| tag.message);
    let mut event = Event::new(message, context.received);
    event.timestamp = timestamp;
    event.host = host.map(Cow::Borrowed);
    event.severity = level::level_from_message(message).unwrap_or(Severity::Info);
    if let Some(Tag { program, pid, .. }) = tag {
        let name = program.rsplit('/').next().filter(|_| program.starts_with('/')).unwrap_or(program);
        event.source = Some(name.into());
        event.set("process.name", name);
        if let Some(pid) = pid {
            event.set("process.pid", pid);
        }
        auth::enrich(&mut event, name, message);
    }
    event
}

/// What follows `<PRI>1 `: RFC 5424 section 6.
fn rfc5424<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let mut parts = text.splitn(6, ' ');
    let stamp = parts.next()?;
    let timestamp = match stamp {
        "-" => context.received,
        stamp => {
            let (civil, length) = time::iso(stamp.as_bytes())?;
            if length != stamp.len() {
                return None;
            }
            civil.at(context.zone)?
        }
    };
    let mut named = || parts.next().map(|part| Some(part).filter(|part| *part != "-"));
    let (host, program, pid, id) = (named()?, named()?, named()?, named()?);
    let rest = parts.next()?;
    let (data, rest) = structured_data(rest)?;
    let message = rest.strip_prefix(' ').unwrap_or(rest);
    let message = message.strip_prefix('\u{feff}').unwrap_or(message);
    let mut event = Event::new(message, context.received);
    event.timestamp = timestamp;
    event.host = host.map(Cow::Borrowed);
    event.source = program.map(Cow::Borrowed);
    if let Some(program) = program {
        event.set("process.name", program);
    }
    match pid.map(|pid| pid.parse::<i64>().ok().filter(|number| *number >= 0).ok_or(pid)) {
        Some(Ok(number)) => event.set("process.pid", number),
        Some(Err(text)) => event.set("log.syslog.procid", text),
        None => {}
    }
    if let Some(id) = id {
        event.set("log.syslog.msgid", id);
    }
    for (path, value) in data {
        event.set(path, Value::String(value));
    }
    if let Some(program) = program {
        auth::enrich(&mut event, program, message);
    }
    Some(event)
}

type Parameters<'a> = Vec<(String, Cow<'a, str>)>;

/// `-` or `[id name="value"]…`: the values under `labels.id.name`, and the text after them.
fn structured_data(text: &str) -> Option<(Parameters<'_>, &str)> {
    let mut found = Vec::new();
    if let Some(rest) = text.strip_prefix('-') {
        return Some((found, rest));
    }
    let mut rest = text;
    while let Some(element) = rest.strip_prefix('[') {
        let end = element.find([' ', ']'])?;
        let (id, mut inner) = element.split_at(end);
        loop {
            inner = inner.trim_start_matches(' ');
            if let Some(after) = inner.strip_prefix(']') {
                rest = after;
                break;
            }
            let (name, quoted) = inner.split_once("=\"")?;
            let end = closing_quote(quoted)?;
            let value = &quoted[..end];
            let value = if value.contains('\\') {
                Cow::Owned(value.replace("\\\"", "\"").replace("\\]", "]").replace("\\\\", "\\"))
            } else {
                Cow::Borrowed(value)
            };
            // A header has few of these; each look-up of an earlier one is a short scan.
            if found.len() < 64 {
                found.push((format!("labels.{id}.{name}"), value));
            }
            inner = &quoted[end + 1..];
        }
    }
    (rest.len() < text.len()).then_some((found, rest))
}

fn closing_quote(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}
