//! Access logs: the common and the combined format of Apache and nginx, and what is like them.

use std::net::IpAddr;

use event::{Event, Severity, Timestamp, Value};

use crate::{
    Context, cut,
    time::{self, Stamp},
};

/// Fields that a line of the combined format has at most.
const FIELDS: usize = 14;

/// The event of `address ident user [time] "request" status bytes "referrer" "agent"`, where the last
/// two may be absent and a virtual host may come first. The message is the whole line.
pub(crate) fn event<'a>(line: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let bytes = line.as_bytes();
    let is_open = |at: &usize| *at > 0 && bytes[at - 1] == b' ';
    let open = memchr::memchr_iter(b'[', bytes).find(is_open)? - 1;
    let head = &line[..open];
    let stamp = time::stamp(&line[open + 1..], context).filter(|stamp| !stamp.is_open)?;
    let timestamp = stamp.at?;
    let mut event = Event::new(line, context.received);
    event.timestamp = timestamp;
    event.fields.reserve_exact(FIELDS);
    let Some((request, status, rest)) = stamp.rest.strip_prefix(" \"").and_then(answered) else {
        // A log of another server: its time, and what else is certain.
        let request = request_within(stamp.rest);
        if request.is_none() && head.split(' ').count() > 4 {
            return None;
        }
        set_answer(&mut event, request);
        return Some(event);
    };
    let (bytes, rest) = cut::once(rest, b' ').unwrap_or((rest, ""));
    let (referrer, agent) = trailing(rest);

    // A list of proxies may stand for the address: the first is the client.
    let list = cut::once(head, b',').and_then(|(first, rest)| Some((first, rest.strip_prefix(' ')?)));
    let (address, ident, user) = match list {
        Some((first, rest)) if first.parse::<IpAddr>().is_ok() => {
            let mut parts = rest.rsplitn(3, ' ');
            let (user, ident) = (parts.next()?, parts.next()?);
            (first, ident, user)
        }
        _ => client(head)?,
    };
    match address.parse::<IpAddr>() {
        Ok(_) => event.add("source.ip", address),
        Err(_) => event.add("source.address", address),
    }
    let _ = ident;
    if user != "-" && !user.is_empty() && !user.starts_with("- ") {
        event.add("user.name", user);
    }
    set_answer(&mut event, Some((request, status)));
    if let Ok(bytes) = bytes.parse::<i64>() {
        event.add("http.response.body.bytes", bytes);
    }
    if let Some(referrer) = referrer.filter(|text| *text != "-" && !text.is_empty()) {
        event.add("http.request.referrer", referrer);
    }
    if let Some(agent) = agent.filter(|text| *text != "-" && !text.is_empty()) {
        event.add("user_agent.original", agent);
    }
    event.add("event.category", Value::Json("[\"web\"]".into()));
    event.add("event.type", Value::Json("[\"access\"]".into()));
    event.add("event.outcome", if status < 400 { "success" } else { "failure" });
    Some(event)
}

/// The event of a line that begins with a time stamp in brackets and has a request in quotes and its status, as
/// Envoy, Django and many others write it. The message is what follows the stamp.
pub(crate) fn stamped<'a>(stamp: &Stamp<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let message = stamp.rest.trim_start_matches(' ');
    let found = request_within(message)?;
    let mut event = Event::new(message, context.received);
    event.timestamp = stamp.at.unwrap_or(context.received);
    set_answer(&mut event, Some(found));
    Some(event)
}

/// Adds what a server tells of a request, where it writes its access log to syslog.
pub(crate) fn in_syslog<'a>(event: &mut Event<'a>, program: &str, message: &'a str, context: &Context<'_>) {
    const SERVERS: [&str; 8] =
        ["nginx", "apache", "apache2", "httpd", "lighttpd", "caddy", "traefik", "varnishncsa"];
    let told = match program {
        "haproxy" => haproxy(message, event.timestamp),
        // Its own time has a year and a zone.
        program if SERVERS.contains(&program) => self::event(message, context),
        _ => None,
    };
    if let Some(told) = told.filter(|told| told.field("http.response.status_code").is_some()) {
        event.timestamp = told.timestamp;
        event.severity = told.severity;
        event.fields.extend(told.fields);
    }
}

/// `192.0.2.7:58340 [22/Oct/2026:21:59:00.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {agent}
/// "GET / HTTP/1.1"`.
fn haproxy(message: &str, at: Timestamp) -> Option<Event<'_>> {
    let (client, rest) = message.split_once(" [")?;
    let (_accepted, rest) = rest.split_once("] ")?;
    let mut columns = rest.split_ascii_whitespace();
    let (_frontend, _backend, _timers, status, bytes) =
        (columns.next()?, columns.next()?, columns.next()?, columns.next()?, columns.next()?);
    let status = status.parse::<i64>().ok().filter(|status| (100..600).contains(status))?;
    let (_, request) = rest.split_once(" \"")?;
    let mut event = Event::new(message, at);
    if let Some((address, port)) = client.rsplit_once(':')
        && address.parse::<IpAddr>().is_ok()
    {
        event.set("source.ip", address);
        if let Ok(port) = port.parse::<u16>() {
            event.set("source.port", i64::from(port));
        }
    }
    set_answer(&mut event, Some((request.split('"').next().unwrap_or_default(), status)));
    if let Ok(bytes) = bytes.parse::<i64>() {
        event.set("http.response.bytes", bytes);
    }
    event.set("event.category", Value::Json("[\"web\"]".into()));
    event.set("event.type", Value::Json("[\"access\"]".into()));
    event.set("event.outcome", if status < 400 { "success" } else { "failure" });
    Some(event)
}

/// Adds what the message of an application tells of a request in the form of its framework: Uvicorn's
/// `192.0.2.7:4711 - "GET / HTTP/1.1" 200 OK`, Play's `192.0.2.7 GET / took 8ms and returned 200 65 bytes`.
pub(crate) fn in_words<'a>(event: &mut Event<'a>, message: &'a str) {
    let bytes = message.as_bytes();
    if bytes.last() == Some(&b's')
        && message.ends_with(" bytes")
        && let Some((head, tail)) = message.rsplit_once(" took ")
        && let Some((_, answer)) = tail.split_once(" and returned ")
        && let [path, method, address] = head.rsplitn(4, ' ').take(3).collect::<Vec<_>>()[..]
    {
        let status = answer.split(' ').next().and_then(|status| status.parse::<i64>().ok());
        return told(event, address, method, path, status);
    }
    if !matches!(bytes.first(), Some(b'0'..=b'9' | b'[' | b'I')) {
        return;
    }
    let message = message.strip_prefix("INFO:").map_or(message, str::trim_start);
    if let Some((client, rest)) = cut::within(message, b' ', 48)
        && let Some(rest) = rest.strip_prefix("- \"")
        && let Some((address, _)) = client.rsplit_once(':')
        && let Some((request, status, _)) = answered(rest)
        && let Some((method, rest)) = cut::once(request, b' ')
    {
        let path = versioned(rest).map_or(rest, |(path, _)| path);
        told(event, address, method, path, Some(status));
    }
}

fn told<'a>(event: &mut Event<'a>, address: &'a str, method: &'a str, path: &'a str, status: Option<i64>) {
    let Some(status) = status.filter(|status| (100..600).contains(status)) else { return };
    let address = address.trim_matches(['[', ']']);
    if address.parse::<IpAddr>().is_err() || !is_method(method) || !path.starts_with('/') {
        return;
    }
    event.severity = severity_of(status);
    event.set("source.ip", address);
    event.set("http.request.method", method);
    event.set("url.original", path);
    event.set("http.response.status_code", status);
}

/// The level that a status of HTTP is.
pub(crate) const fn severity_of(status: i64) -> Severity {
    match status {
        500.. => Severity::Error,
        400.. => Severity::Warn,
        _ => Severity::Info,
    }
}

/// The request, the status, and what follows it, of `GET / HTTP/1.1" 200 5`.
fn answered(text: &str) -> Option<(&str, i64, &str)> {
    let (request, rest) = quoted(text)?;
    let rest = rest.strip_prefix(' ')?;
    let (word, rest) = cut::once(rest, b' ').unwrap_or((rest, ""));
    let status = Some(word).filter(|word| word.len() == 3)?.parse::<i64>().ok().filter(|code| *code >= 0)?;
    Some((request, status, rest))
}

/// The first text in quotes, when it is a request and a status follows it.
fn request_within(text: &str) -> Option<(&str, i64)> {
    let open = memchr::memchr(b'"', text.as_bytes())?;
    let (request, status, _) = answered(&text[open + 1..])?;
    let (method, rest) = cut::once(request, b' ')?;
    let is_request = is_method(method) && (rest.contains(" HTTP/") || rest.starts_with('/'));
    is_request.then_some((request, status))
}

fn set_answer<'a>(event: &mut Event<'a>, answer: Option<(&'a str, i64)>) {
    if let Some((request, status)) = answer {
        event.severity = severity_of(status);
        set_request(event, request);
        event.add("http.response.status_code", status);
    }
}

/// Address, ident and user; a virtual host may stand before them.
fn client(head: &str) -> Option<(&str, &str, &str)> {
    let (address, rest) = cut::once(head, b' ')?;
    let (ident, rest) = cut::once(rest, b' ')?;
    let (user, more) = cut::once(rest, b' ').map_or((rest, None), |(user, more)| (user, Some(more)));
    match more {
        None => Some((address, ident, user)),
        Some(more) if address.parse::<IpAddr>().is_err() && ident.parse::<IpAddr>().is_ok() => {
            Some((ident, user, more))
        }
        Some(_) => Some((address, ident, head.get(address.len() + ident.len() + 2..)?)),
    }
}

fn is_method(method: &str) -> bool {
    (3..=20).contains(&method.len())
        && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_' || byte == b'-')
}

/// `GET /path?query HTTP/1.1`; nothing is said of what has another form.
pub(crate) fn set_request<'a>(event: &mut Event<'a>, request: &'a str) {
    let Some((method, rest)) = cut::once(request, b' ') else { return };
    let (url, version) = match versioned(rest) {
        Some((url, version)) => (url, Some(version)),
        None => (rest, None),
    };
    if !is_method(method) || url.is_empty() {
        return;
    }
    event.set("http.request.method", method);
    if let Some(version) = version.filter(|version| version.len() <= 4 && !version.is_empty()) {
        event.set("http.version", version);
    }
    event.set("url.original", url);
    let local = match url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")) {
        Some(rest) => memchr::memchr(b'/', rest.as_bytes()).map_or("/", |at| &rest[at..]),
        None => url,
    };
    if !local.starts_with('/') {
        return;
    }
    let end = memchr::memchr2(b'?', b'#', local.as_bytes()).unwrap_or(local.len());
    let (path, rest) = local.split_at(end);
    let query = rest.strip_prefix('?').map(|query| cut::once(query, b'#').map_or(query, |(query, _)| query));
    event.set("url.path", path);
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        event.set("url.query", query);
    }
}

/// What stands before the last ` HTTP/`, and behind it.
fn versioned(text: &str) -> Option<(&str, &str)> {
    // Nearly always it is the last word.
    if let Some(blank) = memchr::memrchr(b' ', text.as_bytes())
        && let Some(version) = text[blank..].strip_prefix(" HTTP/")
    {
        return Some((&text[..blank], version));
    }
    text.rsplit_once(" HTTP/")
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
    // A line that was cut has no closing quote.
    let agent = rest.strip_prefix(" \"").map(|rest| quoted(rest).map_or(rest, |(agent, _)| agent));
    (Some(referrer), agent)
}
