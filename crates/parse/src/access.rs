//! Access logs: the common and the combined format of Apache and nginx.

use std::net::IpAddr;

use event::{Event, Severity, Value};

use crate::{Context, time};

/// The event of `address ident user [time] "request" status bytes "referrer" "agent"`, where the last
/// two may be absent and a virtual host may come first. The message is the whole line.
pub(crate) fn event<'a>(line: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let open = memchr::memmem::find(line.as_bytes(), b" [")?;
    let (head, rest) = (&line[..open], &line[open + 2..]);
    let (civil, length) = time::clf(rest.as_bytes())?;
    let timestamp = civil.at(context.zone)?;
    let rest = rest.get(length..)?.trim_start_matches(' ').strip_prefix("] \"")?;
    let (request, rest) = quoted(rest)?;
    let mut words = rest.strip_prefix(' ')?.splitn(3, ' ');
    let status =
        words.next().filter(|word| word.len() == 3)?.parse::<i64>().ok().filter(|code| *code >= 0)?;
    let bytes = words.next().unwrap_or("-");
    let (referrer, agent) = trailing(words.next().unwrap_or_default());

    let mut parts = head.splitn(4, ' ');
    let (mut address, mut ident, mut user) = (parts.next()?, parts.next()?, parts.next()?);
    if let Some(more) = parts.next() {
        if address.parse::<IpAddr>().is_err() && ident.parse::<IpAddr>().is_ok() {
            (address, ident, user) = (ident, user, more);
        } else {
            user = head.get(address.len() + ident.len() + 2..)?;
        }
    }
    let mut event = Event::new(line, context.received);
    event.timestamp = timestamp;
    event.severity = match status {
        500.. => Severity::Error,
        400.. => Severity::Warn,
        _ => Severity::Info,
    };
    match address.parse::<IpAddr>() {
        Ok(_) => event.set("source.ip", address),
        Err(_) => event.set("source.address", address),
    }
    let _ = ident;
    if user != "-" && !user.is_empty() && !user.starts_with("- ") {
        event.set("user.name", user);
    }
    set_request(&mut event, request);
    event.set("http.response.status_code", status);
    if let Ok(bytes) = bytes.parse::<i64>() {
        event.set("http.response.body.bytes", bytes);
    }
    if let Some(referrer) = referrer.filter(|text| *text != "-" && !text.is_empty()) {
        event.set("http.request.referrer", referrer);
    }
    if let Some(agent) = agent.filter(|text| *text != "-" && !text.is_empty()) {
        event.set("user_agent.original", agent);
    }
    event.set("event.category", Value::Json("[\"web\"]".into()));
    event.set("event.type", Value::Json("[\"access\"]".into()));
    event.set("event.outcome", if status < 400 { "success" } else { "failure" });
    Some(event)
}

/// `GET /path?query HTTP/1.1`; nothing is said of what has another form.
pub(crate) fn set_request<'a>(event: &mut Event<'a>, request: &'a str) {
    let Some((method, rest)) = request.split_once(' ') else { return };
    let (url, version) = match rest.rsplit_once(" HTTP/") {
        Some((url, version)) => (url, Some(version)),
        None => (rest, None),
    };
    let is_method = (3..=20).contains(&method.len())
        && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_' || byte == b'-');
    if !is_method || url.is_empty() {
        return;
    }
    event.set("http.request.method", method);
    if let Some(version) = version.filter(|version| version.len() <= 4 && !version.is_empty()) {
        event.set("http.version", version);
    }
    event.set("url.original", url);
    let mut local = url;
    if let Some((_, rest)) = url.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https")) {
        local = rest.find('/').map_or("/", |at| &rest[at..]);
    }
    if !local.starts_with('/') {
        return;
    }
    let local = local.split('#').next().unwrap_or(local);
    let (path, query) = local.split_once('?').map_or((local, None), |(path, query)| (path, Some(query)));
    event.set("url.path", path);
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        event.set("url.query", query);
    }
}

/// The text up to the closing quote, and what follows the quote.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some((&text[..at], &text[at + 1..]));
        }
        at += 2;
    }
}

fn trailing(text: &str) -> (Option<&str>, Option<&str>) {
    let Some((referrer, rest)) = text.strip_prefix('"').and_then(quoted) else {
        return (None, None);
    };
    let agent = rest.strip_prefix(" \"").and_then(quoted).map(|(agent, _)| agent);
    (Some(referrer), agent)
}
