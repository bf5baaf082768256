//! Syslog: RFC 5424, RFC 3164 (with or without its priority), and the forms in which files and journals hold it.

use std::borrow::Cow;

use event::{Event, Severity, Timestamp, Value};

use crate::{
    Context, access, auth, cut,
    formats::{appliances, kernel, network, vendor},
    level,
    time::{self, Form, Stamp},
};

/// The event of a line that begins with a priority.
pub(crate) fn event<'a>(line: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let (priority, text) = priority(line)?;
    let mut event = version_one(text, context)
        .or_else(|| network::event(text, context))
        .or_else(|| {
            let stamp = time::stamp(text, context)?;
            header(&stamp, true, context)
        })
        .unwrap_or_else(|| content(None, text, context.received, context));
    event.severity = Severity::from_syslog(priority & 7);
    event.set("log.syslog.facility.code", i64::from(priority >> 3));
    event.set("log.syslog.severity.code", i64::from(priority & 7));
    Some(event)
}

/// The event of a line without a priority whose time stamp has been read, when a host and a program follow it.
pub(crate) fn stamped<'a>(stamp: &Stamp<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    if stamp.is_open {
        return None;
    }
    header(stamp, false, context)
}

/// RFC 5424 from its version on; its priority may have been lost on the way.
pub(crate) fn version_one<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    rfc5424(text.strip_prefix("1 ")?, context)
}

/// What follows a time stamp: `host program[pid]: text`, with more or less of it.
fn header<'a>(stamp: &Stamp<'a>, has_priority: bool, context: &Context<'_>) -> Option<Event<'a>> {
    let timestamp = stamp.at.unwrap_or(context.received);
    let rest = cut::behind(stamp.rest, |byte| matches!(byte, b' ' | b':'));
    let is_syslog = has_priority || stamp.form == Form::Syslog;
    if let Some((severity, after)) = facility(rest) {
        return Some(Event { severity, ..content(None, after, timestamp, context) });
    }
    let (host, after) = match host(rest, is_syslog) {
        Some((host, after)) => (host, cut::behind(after, |byte| byte == b' ')),
        // No host: the tag follows at once.
        None if is_syslog => return Some(content(None, rest, timestamp, context)),
        None => return None,
    };
    if let Some(inner) = version_one(after, context).filter(|_| host.is_some()) {
        let host = inner.host.or(host.map(Cow::Borrowed));
        return Some(Event { host, ..inner });
    }
    if let Some((severity, after)) = facility(after) {
        return Some(Event { severity, ..content(host, after, timestamp, context) });
    }
    if let Some((severity, after)) = level_before_program(after).filter(|_| is_syslog && host.is_some()) {
        return Some(Event { severity, ..content(host, after, timestamp, context) });
    }
    // A level is no host, and none stands before a program.
    if !is_syslog && (host.is_some_and(|host| level::of_token(host).is_some()) || begins_with_level(after)) {
        return None;
    }
    let tag = tag(after);
    if !is_syslog && tag.is_none() && stamp.form == Form::Other {
        return None;
    }
    let looks_like_host = || host.is_some_and(looks_like_host);
    let is_sure = match (&tag, stamp.form) {
        _ if has_priority => true,
        (Some(tag), _) if tag.pid.is_some() => true,
        (Some(_), Form::Syslog) => true,
        (Some(_), Form::Iso) => looks_like_host() || stamp.has_offset(),
        (Some(_), Form::Other) => looks_like_host() && stamp.names_zone,
        (None, Form::Syslog) => {
            looks_like_host() || after.starts_with("last message repeated") || after.starts_with("-- MARK --")
        }
        (None, Form::Iso) => looks_like_host() && stamp.has_offset(),
        (None, Form::Other) => false,
    };
    match is_sure {
        true => Some(tagged(host, after, tag, timestamp, context)),
        false if is_syslog => Some(content(None, rest, timestamp, context)),
        false => None,
    }
}

/// The host at the start, and what follows it; a device in quotes gives none. None where a tag or text stands there.
fn host(text: &str, is_syslog: bool) -> Option<(Option<&str>, &str)> {
    if is_syslog && let Some(inner) = text.strip_prefix('[') {
        let (name, after) = inner.split_once("] ")?;
        let is_name = is_host(name) && name.bytes().any(|byte| byte.is_ascii_alphabetic());
        return (is_name && tag(after).is_some()).then_some((Some(name), after));
    }
    if is_syslog && let Some(inner) = text.strip_prefix("(\"") {
        return inner.split_once("\") ").map(|(_, after)| (None, after));
    }
    let (name, after) = cut::once(text, b' ').unwrap_or((text, ""));
    if name.ends_with(':') && name.parse::<std::net::IpAddr>().is_err() {
        return None;
    }
    is_host(name).then_some((Some(name), after))
}

/// `daemon.info`, as busybox and BSD write the priority: its level, and what follows it.
fn facility(text: &str) -> Option<(Severity, &str)> {
    const FACILITIES: [&str; 15] = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
        "ntp", "security", "console",
    ];
    let name = text.strip_prefix('<').unwrap_or(text).as_bytes();
    let end = name.iter().position(|byte| !byte.is_ascii_alphanumeric())?;
    if name[end] != b'.' || !name[0].is_ascii_lowercase() {
        return None;
    }
    let (word, after) = cut::within(text, b' ', 24)?;
    let word = word.strip_prefix('<').and_then(|word| word.strip_suffix('>')).unwrap_or(word);
    let (facility, severity) = cut::within(word, b'.', 12)?;
    let is_local =
        facility.strip_prefix("local").is_some_and(|number| number.parse::<u8>().is_ok_and(|n| n < 8));
    (is_local || FACILITIES.contains(&facility))
        .then(|| Severity::from_name(severity))
        .flatten()
        .map(|severity| (severity, after))
}

fn begins_with_level(text: &str) -> bool {
    let text = cut::behind(text, |byte| byte == b'[');
    let end = text.bytes().position(|byte| matches!(byte, b' ' | b':' | b']')).unwrap_or(text.len());
    // Nothing but closing brackets stands between a level and the next word.
    let after = cut::behind(&text[end..], |byte| byte == b']');
    matches!(after.as_bytes().first(), None | Some(b' ' | b':')) && level::of_token(&text[..end]).is_some()
}

fn is_host(token: &str) -> bool {
    !token.is_empty()
        && token.len() <= 255
        && token.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'@' | b'/')
        })
}

/// `web1`, `FW-EDGE-1`, `mx1.example.org`, an address: no word of a sentence and no number.
fn looks_like_host(token: &str) -> bool {
    let has = |wanted: fn(&u8) -> bool| token.bytes().any(|byte| wanted(&byte));
    let is_name =
        token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    let starts = token.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    (is_name && starts && (has(u8::is_ascii_digit) || (has(|byte| *byte == b'.') && !token.ends_with('.'))))
        || token.parse::<std::net::IpAddr>().is_ok()
}

/// `<134>`: facility times eight plus severity, at most 191.
fn priority(line: &str) -> Option<(u8, &str)> {
    let rest = line.strip_prefix('<')?;
    let (digits, rest) = rest.split_at_checked(rest.find('>').filter(|end| (1..=3).contains(end))?)?;
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u8>().ok())??;
    (number <= 191).then_some((number, &rest[1..]))
}

/// A program's name and process id before the colon, and the text after it.
struct Tag<'a> {
    program: &'a str,
    pid: Option<i64>,
    message: &'a str,
}

/// `sshd[42]: text`, `su: text`, `sshd(pam_unix)[42]: text`, `sogod [42]: text`, `(udev-worker)[42]: text`,
/// `spf filter[42]: text`, `launchd[1] (mdworker[42]): text`, `syslogd 1.4.1: text` (whose version is of the text, as
/// RFC 3164 section 5.3 has it).
fn before_colon(text: &str) -> Option<Tag<'_>> {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'@' | b'+');
    let named = match text.strip_prefix('(') {
        Some(inner) => {
            inner.bytes().position(|byte| !plain(byte)).filter(|end| inner[*end..].starts_with(')'))? + 2
        }
        None => text.bytes().position(|byte| !plain(byte))?,
    };
    if named == 0 || named > 128 {
        return None;
    }
    let (mut program, mut rest) = text.split_at(named);
    if let Some(inner) = rest.strip_prefix('(') {
        rest = inner.split_once(')').filter(|(inside, _)| !inside.contains(' '))?.1;
    }
    if let Some(words) = rest.strip_prefix(' ') {
        // A blank before the process id, or one within the name.
        let second = words.bytes().position(|byte| !plain(byte))?;
        rest = &words[second..];
        if rest.starts_with(": ") && is_version(&words[..second]) {
            return Some(Tag { program, pid: None, message: words });
        }
        program = &text[..named + if second > 0 { 1 + second } else { 0 }];
        if !rest.starts_with('[') {
            return None;
        }
    }
    let mut pid = None;
    if let Some(inner) = rest.strip_prefix('[') {
        let (inside, after) = inner.split_once(']')?;
        if inside.is_empty() || inside.len() > 64 || inside.contains(' ') {
            return None;
        }
        pid = inside.parse::<i64>().ok().filter(|pid| *pid >= 0);
        rest = after;
        if let Some(inner) = rest.strip_prefix(" (") {
            rest = inner.split_once(')').filter(|(inside, _)| !inside.contains(' '))?.1;
        }
    }
    let message = rest.strip_prefix(':')?;
    if !(message.is_empty() || message.starts_with([' ', '\t'])) {
        return None;
    }
    let message = message.strip_prefix(' ').unwrap_or(message);
    // `su(pam_unix)[42]: text`: the module is part of what happened.
    Some(Tag { program, pid, message })
}

fn tag(text: &str) -> Option<Tag<'_>> {
    before_colon(text).or_else(|| bracketed(text))
}

/// `crit tmm[42]: text`, as BIG-IP writes it.
fn level_before_program(text: &str) -> Option<(Severity, &str)> {
    let (word, after) = text.split_once(' ')?;
    let severity = level::of_token(word)?;
    before_colon(after).is_some_and(|tag| tag.pid.is_some()).then_some((severity, after))
}

/// `[sshd] text`, as metalog writes it; `proftpd[42] text`, which has no colon.
fn bracketed(text: &str) -> Option<Tag<'_>> {
    if let Some((pid, message)) = text.strip_prefix("proftpd[").and_then(|rest| rest.split_once("] ")) {
        return Some(Tag { program: &text[.."proftpd".len()], pid: pid.parse::<i64>().ok(), message });
    }
    let (program, message) = text.strip_prefix('[')?.split_once("] ")?;
    auth::knows(program).then_some(Tag { program, pid: None, message })
}

/// A line without a time stamp, as journals give it where none is asked for: `host sshd[42]: text`. Only of programs
/// that are known, since words of a sentence may look so.
pub(crate) fn unstamped<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let (host, after) = cut::within(text, b' ', 64)?;
    let program = after.split(['[', ' ']).next()?;
    let is_tagged = auth::knows(program) && tag(after).is_some_and(|tag| tag.pid.is_some());
    (is_tagged && is_host(host)).then(|| content(Some(host), after, context.received, context))
}

/// `1.4.1`, `8.2302.0`, `2.6.5-1.358`.
fn is_version(word: &str) -> bool {
    let numbers = word.split(['.', '-']);
    word.contains('.')
        && numbers.clone().all(|part| !part.is_empty())
        && numbers.take(2).all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What follows the host: `program[pid]: text`, or text.
pub(crate) fn content<'a>(
    host: Option<&'a str>,
    text: &'a str,
    timestamp: Timestamp,
    context: &Context<'_>,
) -> Event<'a> {
    tagged(host, text, tag(text), timestamp, context)
}

fn tagged<'a>(
    host: Option<&'a str>,
    text: &'a str,
    tag: Option<Tag<'a>>,
    timestamp: Timestamp,
    context: &Context<'_>,
) -> Event<'a> {
    if let Some(event) = vendor::event(text, timestamp, context) {
        return Event { host: host.map(Cow::Borrowed).or(event.host), ..event };
    }
    let message = tag.as_ref().map_or(text, |tag| tag.message);
    let mut event = Event::new(message, context.received);
    event.timestamp = timestamp;
    event.host = host.map(Cow::Borrowed);
    let coded = appliances::coded(message).or_else(|| level::level_from_message(message));
    event.severity = coded.unwrap_or(Severity::Info);
    if let Some(Tag { program, pid, .. }) = tag {
        if program == "kernel"
            && let Some((uptime, text)) = kernel::uptime(message)
        {
            event.message = Cow::Borrowed(text);
            event.set("labels.uptime_s", Value::Float(uptime));
        }
        if let Some(severity) = level::of_program(program, message) {
            event.severity = severity;
        }
        let name = program.rsplit('/').next().filter(|_| program.starts_with('/')).unwrap_or(program);
        event.source = Some(name.into());
        event.add("process.name", name);
        if let Some(pid) = pid {
            event.add("process.pid", pid);
        }
        access::in_syslog(&mut event, name, message, context);
        auth::enrich(&mut event, name, message);
    }
    event
}

/// What follows `<PRI>1 `: RFC 5424 section 6. Structured data that breaks its grammar is text.
fn rfc5424<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let mut parts = text.splitn(6, ' ');
    let stamp = parts.next()?;
    let timestamp = match stamp {
        "-" => context.received,
        stamp => time::parse(stamp, context)?,
    };
    let mut named = || parts.next().map(|part| Some(part).filter(|part| *part != "-"));
    let (host, program, pid, id) = (named()?, named()?, named()?, named()?);
    let rest = parts.next()?;
    let (data, rest) = structured_data(rest).unwrap_or((Vec::new(), rest));
    let message = rest.strip_prefix(' ').unwrap_or(rest);
    let message = message.strip_prefix('\u{feff}').unwrap_or(message);
    let mut event = Event::new(message, context.received);
    event.timestamp = timestamp;
    event.severity = level::level_from_message(message).unwrap_or(Severity::Info);
    // Of any other program the message may begin with what somebody else wrote.
    let is_product = program.is_none_or(|program| matches!(program, "CheckPoint" | "CEF" | "LEEF"));
    if is_product && let Some(said) = vendor::event(message, timestamp, context) {
        (event.severity, event.source, event.fields) = (said.severity, said.source, said.fields);
        event.host = said.host;
    }
    event.host = host.map(Cow::Borrowed).or(event.host);
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
        access::in_syslog(&mut event, program, message, context);
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
        if id.is_empty() || id.contains(['"', '=']) {
            return None;
        }
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
