//! Lines that applications write by themselves: a time stamp, a level, then text. Also the error logs
//! of Apache and nginx, and kernel messages.

use std::{borrow::Cow, net::IpAddr};

use event::{Event, Timestamp, Value};

use crate::{Context, access, level, time};

/// How many words may stand between time stamp and level.
const WORDS_MAX: usize = 6;

/// The event of a line with a time stamp and a level at its start, in either order, bracketed or
/// not. The message is what follows them, their separators, and a logger's name before a colon or
/// dash.
pub(crate) fn event<'a>(line: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let (severity, timestamp, message, between) = match stamp(line, context) {
        Some((timestamp, rest)) => {
            let (severity, message, between) = find_level(rest)?;
            (severity, timestamp, message, between)
        }
        None => {
            let (severity, rest) = leading_level(line)?;
            let (timestamp, message) = stamp(rest, context)?;
            (severity, timestamp, message, "")
        }
    };
    let message = message.trim_start_matches([' ', '\t', '|']);
    let mut event = Event::new(message, context.received);
    event.timestamp = timestamp;
    event.severity = severity;
    brackets(&mut event, between);
    strip_header(&mut event, message);
    Some(event)
}

/// A time stamp at the start, bracketed or not, and what follows it.
fn stamp<'a>(text: &'a str, context: &Context<'_>) -> Option<(Timestamp, &'a str)> {
    let (inner, bracketed) = match text.strip_prefix('[') {
        Some(inner) => (inner, true),
        None => (text, false),
    };
    let bytes = inner.as_bytes();
    let civil = time::iso(bytes)
        .or_else(|| time::clf(bytes))
        .or_else(|| time::ctime(bytes))
        .or_else(|| time::compact(bytes));
    let (timestamp, length) = match civil {
        Some((civil, length)) => (civil.at(context.zone)?, length),
        None => time::month_day(bytes, context.near, context.zone)?,
    };
    let rest = inner.get(length..)?;
    if bracketed {
        let rest = rest.trim_start_matches(' ');
        if let Some(rest) = rest.strip_prefix(']') {
            return Some((timestamp, rest));
        }
        return rest.len().lt(&inner.len()).then_some((timestamp, rest));
    }
    rest.starts_with([' ', '\t', '|', ',', ':', ']', '[', '-', ';']).then_some((timestamp, rest))
}

/// The level among the first words; also the text after it and the text before it.
fn find_level(rest: &str) -> Option<(event::Severity, &str, &str)> {
    let mut at = 0;
    for _ in 0..WORDS_MAX {
        let skipped = rest[at..].trim_start_matches([' ', '\t', '-', '|', ':', ',', ';']);
        at = rest.len() - skipped.len();
        let word = skipped;
        let (inner, close) = match word.as_bytes().first()? {
            b'[' => (&word[1..], Some(']')),
            b'(' => (&word[1..], Some(')')),
            b'<' => (&word[1..], Some('>')),
            _ => (word, None),
        };
        let length = match close {
            Some(close) => inner.find(close)?,
            None => inner.find([' ', '\t', '|', ':', ',', '[', ']']).unwrap_or(inner.len()),
        };
        let token = inner[..length].trim();
        let end =
            at + (inner.as_ptr() as usize - word.as_ptr() as usize) + length + usize::from(close.is_some());
        // Apache 2.4 names the module before the level.
        let name = token.rsplit_once(':').filter(|_| close == Some(']')).map_or(token, |(_, level)| level);
        if let Some(severity) = level::of_token(name) {
            let message = rest[end..].trim_start_matches(']').trim_start_matches([':']);
            return Some((severity, message, &rest[..end]));
        }
        at = end.max(at + 1);
        if !rest.is_char_boundary(at) || at >= rest.len() {
            return None;
        }
    }
    None
}

/// `INFO 2024-…`, `[warn] 2024-…`, `ERROR: [2024-…`.
fn leading_level(line: &str) -> Option<(event::Severity, &str)> {
    let inner = line.strip_prefix(['[', '(']).unwrap_or(line);
    let end = inner.bytes().position(|byte| !byte.is_ascii_alphabetic())?;
    let severity = level::of_token(&inner[..end])?;
    let rest = inner[end..].trim_start_matches([']', ')', ':', ',', '|', '-', ' ', '\t']);
    Some((severity, rest))
}

/// What the brackets of Apache and nginx say: `[pid 7:tid 8]`.
fn brackets<'a>(event: &mut Event<'a>, between: &'a str) {
    if let Some((_, rest)) = between.split_once("[pid ") {
        set_pid(event, rest);
    }
}

fn set_pid(event: &mut Event<'_>, text: &str) {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    if let Ok(pid) = text[..end].parse::<i64>() {
        event.set("process.pid", pid);
    }
}

/// Takes process, client and logger out of the start of the text after the level.
fn strip_header<'a>(event: &mut Event<'a>, message: &'a str) {
    let mut rest = message;
    while let Some(inner) = rest.strip_prefix('[') {
        let Some((inside, after)) = inner.split_once(']') else { break };
        if let Some(pid) = inside.strip_prefix("pid ") {
            set_pid(event, pid);
        } else if let Some(client) = inside.strip_prefix("client ") {
            set_client(event, client);
        } else {
            break;
        }
        rest = after.trim_start_matches(' ');
    }
    if let Some(after) = nginx(event, rest) {
        rest = after;
    } else if let Some((logger, after)) = logger(rest) {
        if let Some(logger) = logger {
            event.set("log.logger", logger);
        }
        rest = after;
    }
    event.message = Cow::Borrowed(rest);
}

/// `2035#2035: *9134 text, client: 192.0.2.7, server: example.org, request: "GET / HTTP/1.1"`.
fn nginx<'a>(event: &mut Event<'a>, text: &'a str) -> Option<&'a str> {
    let (head, rest) = text.split_once(": ")?;
    let (pid, thread) = head.split_once('#')?;
    thread.parse::<u64>().ok()?;
    event.set("process.pid", pid.parse::<i64>().ok()?);
    let message = match rest.strip_prefix('*').and_then(|rest| rest.split_once(' ')) {
        Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => rest,
    };
    if let Some((_, tail)) = message.split_once(", client: ") {
        set_client(event, tail.split([',', ' ']).next().unwrap_or_default());
        if let Some((_, request)) = tail.split_once(", request: \"") {
            access::set_request(event, request.split('"').next().unwrap_or_default());
        }
    }
    Some(message)
}

fn set_client<'a>(event: &mut Event<'a>, client: &'a str) {
    if client.parse::<IpAddr>().is_ok() {
        event.set("source.ip", client);
    } else if let Ok(socket) = client.parse::<std::net::SocketAddr>() {
        event.set("source.ip", socket.ip().to_string());
        event.set("source.port", i64::from(socket.port()));
    } else if let Some((address, port)) = client.rsplit_once(':')
        && let (Ok(_), Ok(port)) = (address.parse::<IpAddr>(), port.parse::<u16>())
    {
        event.set("source.ip", address);
        event.set("source.port", i64::from(port));
    }
}

/// `[thread] - text`, `logger: text`, `[thread] logger - text`: the logger and the text.
fn logger(text: &str) -> Option<(Option<&str>, &str)> {
    let text = text.strip_prefix("- ").unwrap_or(text).trim_start();
    let mut rest = text;
    if rest.starts_with('[') {
        // Brackets may nest, as in `[QuorumPeer[myid=1]/0:2181]`; the dash after them decides.
        let (inside, after) = rest.split_once("] ")?;
        if inside.len() > 200 {
            return None;
        }
        rest = after.trim_start();
        if let Some(message) = rest.strip_prefix("- ") {
            return Some((None, message));
        }
    }
    let end = rest.find([' ', ':'])?;
    let (name, after) = rest.split_at(end);
    let named = !name.is_empty()
        && name.len() <= 100
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$' | b'-' | b'/'));
    let qualified = name.contains(['.', '$', '_']);
    let message = match after.strip_prefix(": ") {
        Some(message) => message,
        None => match after.trim_start().strip_prefix("- ").or_else(|| after.trim_start().strip_prefix(": "))
        {
            Some(message) if qualified => message,
            _ => return (rest.len() < text.len()).then_some((None, text)),
        },
    };
    (named && name.parse::<IpAddr>().is_err()).then_some((Some(name), message.trim_start()))
}

/// `[   12.345678] usb 1-1: new device`: seconds since boot, so that the time is that of receipt.
pub(crate) fn kernel<'a>(line: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let (inside, message) = line.strip_prefix('[')?.split_once("] ")?;
    let (seconds, micros) = inside.trim_start().split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if micros.len() != 6 || !digits(seconds) || !digits(micros) {
        return None;
    }
    let mut event = Event::new(message, context.received);
    event.severity = level::level_from_message(message).unwrap_or(event::Severity::Info);
    event.source = Some("kernel".into());
    event.set("process.name", "kernel");
    if let Ok(uptime) = inside.trim_start().parse::<f64>() {
        event.set("labels.uptime_s", Value::Float(uptime));
    }
    Some(event)
}
