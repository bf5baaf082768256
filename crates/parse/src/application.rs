//! Lines that applications write by themselves: a time stamp, a level, then text. Also the error logs
//! of Apache and nginx.

use std::{borrow::Cow, net::IpAddr};

use event::{Event, Severity};

use crate::{
    Context, access, auth, cut,
    header::{self, Found},
    level,
    time::{self, Stamp},
};

/// The event of a line that begins with a time stamp. What follows is the message, without the level, the process
/// and the logger where they surely are these.
pub(crate) fn stamped<'a>(stamp: &Stamp<'a>, context: &Context<'_>) -> Event<'a> {
    let inside = if stamp.is_open { cut::once(stamp.rest, b']') } else { None };
    let (inside, outside) = inside.unwrap_or(("", stamp.rest));
    let found = match header::level(inside) {
        Some(found) => Some(Found { rest: outside, ..found }),
        None => header::level(outside),
    };
    let text = trimmed(outside);
    let mut event = Event::new(text, context.received);
    event.timestamp = stamp.at.unwrap_or(context.received);
    match found {
        Some(found) => levelled(&mut event, &found),
        None => {
            event.severity = level::level_from_message(text).unwrap_or(Severity::Info);
            if text.len() < stamp.rest.len() && stamp.rest.trim_start().starts_with("- ") {
                event.message = Cow::Borrowed(text.strip_prefix("- ").unwrap_or(text));
            }
            auth::lighttpd(&mut event, text);
        }
    }
    event
}

/// The event of a line that begins with a level before its time stamp: `INFO 2024-…`, `[warn] 2024-…`,
/// `ERROR: [2024-…`.
pub(crate) fn level_first<'a>(line: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let inner = line.strip_prefix(['[', '(']).unwrap_or(line);
    let end = inner.bytes().position(|byte| !byte.is_ascii_alphabetic())?;
    let severity = match &inner.as_bytes()[..end] {
        [letter] if inner.len() < line.len() => level::of_letter(*letter)?,
        _ => level::of_token(&inner[..end])?,
    };
    let rest = inner[end..].trim_start_matches([']', ')', ':', ',', '|', '-', ' ', '\t']);
    let stamp = time::stamp(rest, context)?;
    let mut event = Event::new("", context.received);
    event.timestamp = stamp.at.unwrap_or(context.received);
    // A bracket may hold the level and the time.
    let rest = stamp.rest.trim_start_matches(']');
    let found = Found { severity, between: "", logger: None, rest, whole: None };
    levelled(&mut event, &found);
    Some(event)
}

/// The event of a line that has its time stamp among its first words, before any sentence begins:
/// `update-alternatives 2026-10-22 21:59:01: run with …`. The message is the whole line.
pub(crate) fn later_word<'a>(line: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    const FIRST_BYTES_MAX: usize = 100;
    let head = &line.as_bytes()[..line.len().min(FIRST_BYTES_MAX)];
    let mut sentence = 0;
    let mut start = 0;
    while sentence < 2 {
        let end = start + head.get(start..)?.iter().position(|byte| matches!(byte, b' ' | b'\t' | b','))?;
        sentence += u8::from(head[start..end].iter().all(u8::is_ascii_lowercase) && end > start);
        start = end + 1;
        let digits = start + usize::from(matches!(head.get(start), Some(b'[' | b'(')));
        let marked = [2, 4].iter().any(|at| matches!(head.get(digits + at), Some(b'/' | b'-' | b'.')));
        if !(marked && head[digits].is_ascii_digit()) {
            continue;
        }
        let Some(stamp) = time::stamp(&line[digits..], context).filter(|stamp| stamp.text.len() >= 17) else {
            continue;
        };
        let mut event = Event::new(line, context.received);
        event.timestamp = stamp.at?;
        let found = header::level(stamp.rest).map(|found| found.severity);
        event.severity = found.or_else(|| level::level_from_message(line)).unwrap_or(Severity::Info);
        return Some(event);
    }
    None
}

fn trimmed(text: &str) -> &str {
    cut::behind(text, |byte| matches!(byte, b' ' | b'\t' | b'|' | b',' | b':' | b';'))
}

fn levelled<'a>(event: &mut Event<'a>, found: &Found<'a>) {
    event.severity = found.severity;
    let has_bracket = found.between.bytes().any(|byte| byte == b'[');
    let pid = if has_bracket { found.between.split_once("[pid ") } else { None };
    if let Some((_, rest)) = pid {
        set_pid(event, rest);
    }
    if let Some(logger) = found.logger {
        event.set("log.logger", logger);
    }
    match found.whole {
        Some(whole)
            if !found.logger.is_some_and(|logger| is_surely_logger(logger) && whole.starts_with(logger)) =>
        {
            event.message = Cow::Borrowed(whole);
        }
        // Apache 2.4 names the module, and always the client's port.
        _ => {
            let text = trimmed(found.rest);
            strip_header(event, text.strip_prefix("- ").unwrap_or(text), pid.is_some());
        }
    }
}

fn set_pid(event: &mut Event<'_>, text: &str) {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    if let Ok(pid) = text[..end].parse::<i64>() {
        event.set("process.pid", pid);
    }
}

/// Takes process, client and logger out of the start of the text after the level.
fn strip_header<'a>(event: &mut Event<'a>, message: &'a str, with_ports: bool) {
    let (mut rest, mut with_ports, mut with_client) = (message, with_ports, false);
    while let Some(inner) = rest.strip_prefix('[') {
        let Some((inside, after)) = cut::once(inner, b']') else { break };
        if let Some(pid) = inside.strip_prefix("pid ") {
            set_pid(event, pid);
            with_ports = true;
        } else if let Some(client) = inside.strip_prefix("client ").or_else(|| inside.strip_prefix("remote "))
        {
            set_client(event, client, with_ports);
            with_client = true;
        } else {
            break;
        }
        rest = cut::behind(after, |byte| byte == b' ');
    }
    if with_client {
        auth::apache(event, rest);
    }
    if let Some(after) = nginx(event, rest) {
        rest = after;
    } else if let Some((logger, after)) = spring(event, rest).or_else(|| logger(rest)) {
        if let Some(logger) = logger {
            event.set("log.logger", logger);
        }
        rest = after;
    }
    event.message = Cow::Borrowed(rest);
}

/// `2035#2035: *9134 text, client: 192.0.2.7, server: example.org, request: "GET / HTTP/1.1"`.
fn nginx<'a>(event: &mut Event<'a>, text: &'a str) -> Option<&'a str> {
    if !text.as_bytes().first()?.is_ascii_digit() {
        return None;
    }
    let (head, rest) = cut::at(text, ": ")?;
    let (pid, thread) = cut::once(head, b'#')?;
    thread.parse::<u64>().ok()?;
    event.set("process.pid", pid.parse::<i64>().ok()?);
    let message = match rest.strip_prefix('*').and_then(|rest| rest.split_once(' ')) {
        Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => rest,
    };
    auth::nginx(event, message);
    if let Some(tail) = auth::nginx_client(message) {
        set_client(event, tail.split([',', ' ']).next().unwrap_or_default(), false);
        if let Some((_, request)) = tail.split_once(", request: \"") {
            access::set_request(event, request.split('"').next().unwrap_or_default());
        }
    }
    Some(message)
}

/// An address, and a port behind its last colon: always where `with_port` says so, else where it is no part of the
/// address.
fn set_client<'a>(event: &mut Event<'a>, client: &'a str, with_port: bool) {
    let split = client.rsplit_once(':').and_then(|(address, port)| {
        let address = address.trim_start_matches('[').trim_end_matches(']');
        Some((address, port.parse::<u16>().ok()?)).filter(|(address, _)| address.parse::<IpAddr>().is_ok())
    });
    let is_whole = client.parse::<IpAddr>().is_ok();
    match split {
        Some((address, port)) if with_port || !is_whole => {
            event.set("source.ip", address);
            event.set("source.port", i64::from(port));
        }
        _ if is_whole => event.set("source.ip", client),
        _ => {}
    }
}

/// `7 --- [shop] [nio-8080-exec-1] c.e.shop.OrderController : text`, of Spring Boot.
fn spring<'a>(event: &mut Event<'a>, text: &'a str) -> Option<(Option<&'a str>, &'a str)> {
    let digits = text.bytes().position(|byte| !byte.is_ascii_digit())?;
    let (pid, rest) = text.split_at(digits);
    let rest = rest.trim_start().strip_prefix("--- [")?;
    let (names, message) = rest.split_once(" : ")?;
    let (threads, logger) = names.rsplit_once(']')?;
    let thread = threads.rsplit('[').next().unwrap_or(threads).trim();
    let logger = logger.trim();
    if logger.contains(' ') || names.len() > 400 {
        return None;
    }
    if let Ok(pid) = pid.parse::<i64>() {
        event.set("process.pid", pid);
    }
    if !thread.is_empty() {
        event.set("process.thread.name", thread);
    }
    Some((Some(logger).filter(|logger| !logger.is_empty()), message.trim_start()))
}

/// The logger and the text of `[thread] - text`, `[thread] logger - text`, `com.example.Shop: text`. Only what is
/// surely a logger is taken out of the text.
fn logger(text: &str) -> Option<(Option<&str>, &str)> {
    let text = begin_of(text.strip_prefix("- ").unwrap_or(text));
    if !text.starts_with('[') {
        let (name, mark, message) = named(text)?;
        let is_logger = if mark == ':' { is_surely_logger(name) } else { is_qualified(name) };
        return Some(if is_logger { (Some(name), message) } else { (None, text) });
    }
    // Brackets may nest, as in `[QuorumPeer[myid=1]/0:2181]`; the dash after them decides.
    let unchanged = Some((None, text));
    let Some((inside, after)) = cut::at(text, "] ") else { return unchanged };
    let (inside, after) = (&inside[1..], begin_of(after));
    if inside.len() > 200 {
        return unchanged;
    }
    let bracket = Some(inside).filter(|inside| is_surely_logger(inside));
    if let Some(message) = after.strip_prefix("- ") {
        return Some((bracket, message));
    }
    match named(after) {
        Some((name, ':', message)) if is_surely_logger(name) => Some((Some(name), message)),
        Some((name, '-', message)) if is_plain_name(name) && name.parse::<IpAddr>().is_err() => {
            Some((Some(name), message))
        }
        _ => match after.split_once(' ') {
            // `[main] org.apache.catalina.core.StandardService.initInternal text`, of java.util.logging.
            Some((name, message)) if is_method(name) => Some((Some(name), message.trim_start())),
            _ if bracket.is_some() => Some((bracket, after)),
            _ => unchanged,
        },
    }
}

/// The first word of a text, and whether a colon (`:`) or a dash or colon of its own (`-`) follows it.
fn named(text: &str) -> Option<(&str, char, &str)> {
    let (word, rest) = cut::once(text, b' ')?;
    if let Some(name) = word.strip_suffix(':') {
        return Some((name, ':', begin_of(rest)));
    }
    let rest = begin_of(rest);
    let message = rest.strip_prefix("- ").or_else(|| rest.strip_prefix(": "))?;
    Some((word, '-', begin_of(message)))
}

/// As [`str::trim_start`]: most texts begin with no blank.
fn begin_of(text: &str) -> &str {
    if text.as_bytes().first().is_some_and(u8::is_ascii_graphic) { text } else { text.trim_start() }
}

fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 120
        && name.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$' | b'-' | b'/' | b':')
        })
}

fn is_qualified(name: &str) -> bool {
    is_plain_name(name) && name.contains(['.', '$', '_']) && name.parse::<IpAddr>().is_err()
}

/// `com.example.Shop`, `dfs.DataNode$DataXceiver`, `my_crate::module`: no host, file or word has this form.
fn is_surely_logger(name: &str) -> bool {
    const NAME_BYTES_MAX: usize = 120;
    if name.len() > NAME_BYTES_MAX {
        return false;
    }
    let bytes = name.as_bytes();
    let kinds = header::kinds(bytes);
    if kinds & !(header::CAPITAL | header::SMALL | header::DIGIT | header::JOINT | header::DOT) != 0 {
        // A path of Rust has colons.
        return kinds & header::END != 0 && name.contains("::") && name.split("::").all(is_plain);
    }
    let (mut dots, mut part) = (0, 0);
    for (at, byte) in bytes.iter().enumerate() {
        if *byte == b'.' {
            if !begins_name(bytes, part) {
                return false;
            }
            (dots, part) = (dots + 1, at + 1);
        }
    }
    let class = &bytes[part..];
    let is_class = class.first().is_some_and(u8::is_ascii_uppercase)
        && class.iter().any(|byte| byte.is_ascii_lowercase() || class.len() == 1 || *byte == b'$');
    is_class && dots > 0 && (dots > 1 || bytes[0].is_ascii_lowercase()) && !is_exception(name)
}

/// Whether an identifier without a dot.
fn is_plain(name: &str) -> bool {
    let plain = header::CAPITAL | header::SMALL | header::DIGIT | header::JOINT;
    begins_name(name.as_bytes(), 0) && header::kinds(name.as_bytes()) & !plain == 0
}

fn begins_name(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
}

/// `org.apache.catalina.core.StandardService.initInternal`.
fn is_method(name: &str) -> bool {
    let parts = || name.split('.');
    parts().count() >= 4
        && name.len() <= 160
        && parts().all(|part| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_$<>".contains(&byte))
        })
        && parts().any(|part| part.starts_with(|first: char| first.is_ascii_uppercase()))
        && !is_exception(name)
}

fn is_exception(name: &str) -> bool {
    name.ends_with("Exception") || name.ends_with("Error")
}
