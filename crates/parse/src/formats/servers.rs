//! Servers with a log of their own kind: IIS, Squid, AWS load balancers, HAProxy, Exim, vsftpd, ESXi.

use std::net::IpAddr;

use event::Event;

#[cfg(test)]
use super::format::Sample;
use super::format::{Begins, Format, Line};
use crate::{Context, access, auth, cut, level, time};

pub(super) const FORMATS: &[Format] = &[
    Format {
        name: "IIS",
        begins: Begins::Digits(&[]),
        read: iis,
        #[cfg(test)]
        samples: IIS,
    },
    Format {
        name: "Squid",
        begins: Begins::Numbered(&[]),
        read: squid,
        #[cfg(test)]
        samples: SQUID,
    },
    Format {
        name: "AWS load balancer",
        begins: Begins::With(b"hgw"),
        read: load_balancer,
        #[cfg(test)]
        samples: AWS,
    },
    Format {
        name: "exim",
        begins: Begins::Digits(&[]),
        read: exim,
        #[cfg(test)]
        samples: EXIM,
    },
    Format {
        name: "vsftpd",
        begins: Begins::Stamp(b"["),
        read: vsftpd,
        #[cfg(test)]
        samples: VSFTPD,
    },
    Format {
        name: "ESXi",
        begins: Begins::Stamp(b"abcdefghijklmnopqrstuvwxyz"),
        read: esxi,
        #[cfg(test)]
        samples: ESXI,
    },
];

/// W3C lines of IIS. Their columns are named by a line before them, which need not be at hand: those that show what
/// they are count. The request's method has its path behind it; the status is the first number of three digits from
/// 100 to 599 behind which two more numbers stand.
fn iis<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    const METHODS: [&str; 9] =
        ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "CONNECT"];
    const COLUMNS_MAX: usize = 40;
    let stamp = line.stamp.filter(|stamp| stamp.text.len() == 19)?;
    let message = stamp.rest.strip_prefix(' ')?;
    let mut rest = message;
    let method = (0..6).find(|_| {
        let (column, after) = cut::once(rest, b' ').unwrap_or((rest, ""));
        rest = after;
        METHODS.contains(&column)
    })?;
    let columns: Vec<&str> = message.split(' ').take(COLUMNS_MAX).collect();
    let path = columns.get(method + 1).filter(|path| path.starts_with('/'))?;
    let is_number = |column: Option<&&str>| {
        column.is_some_and(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let status = (method + 3..columns.len()).find(|at| {
        let status = columns[*at]
            .parse::<i64>()
            .ok()
            .filter(|status| (100..600).contains(status) && columns[*at].len() == 3);
        status.is_some() && is_number(columns.get(at + 1)) && is_number(columns.get(at + 2))
    })?;
    let mut event = Event::new(message, context.received);
    event.timestamp = stamp.at?;
    let code = columns[status].parse::<i64>().ok()?;
    event.severity = access::severity_of(code);
    event.set("http.request.method", columns[method]);
    event.set("url.path", *path);
    event.set("http.response.status_code", code);
    if let Some(query) = columns.get(method + 2).filter(|query| **query != "-") {
        event.set("url.query", *query);
    }
    // The server's address stands before the method, the client's behind it.
    if let Some(at) = (method..status).find(|at| columns[*at].parse::<IpAddr>().is_ok()) {
        event.set("source.ip", columns[at]);
        // What the client calls itself is the next column, but for the version of the protocol.
        let agent = columns[at + 1..status].iter().find(|column| !column.starts_with("HTTP/"));
        // Robots name an address within it; where the log has no such column, the page that led here is one from the start.
        let is_address = |text: &str| {
            text.split_once("://")
                .is_some_and(|(scheme, _)| scheme.bytes().all(|byte| byte.is_ascii_lowercase()))
        };
        if let Some(agent) = agent.filter(|text| text.contains(['/', '+']) && !is_address(text)) {
            event.set("user_agent.original", *agent);
        }
    }
    Some(event)
}

/// `1792706341.123    456 192.0.2.7 TCP_MISS/200 5120 GET http://example.org/ ann HIER_DIRECT/198.51.100.9 text/html`.
fn squid<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let stamp = line.stamp.filter(|stamp| stamp.text.len() == 14)?;
    let mut words = stamp.rest.split_ascii_whitespace();
    let _elapsed = words.next()?.parse::<u64>().ok()?;
    let (address, result) = (words.next()?, words.next()?);
    let (kind, status) = result.split_once('/')?;
    let status = status.parse::<i64>().ok()?;
    if !kind.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
        return None;
    }
    let (bytes, method, url) = (words.next()?.parse::<i64>().ok()?, words.next()?, words.next()?);
    let mut event = Event::new(line.text, context.received);
    event.timestamp = stamp.at?;
    event.severity = access::severity_of(status);
    event.source = Some("squid".into());
    match address.parse::<IpAddr>() {
        Ok(_) => event.set("source.ip", address),
        Err(_) => event.set("source.address", address),
    }
    event.set("http.request.method", method);
    event.set("url.original", url);
    event.set("http.response.status_code", status);
    event.set("http.response.bytes", bytes);
    if let Some(user) = words.next().filter(|user| *user != "-") {
        event.set("user.name", user);
    }
    Some(event)
}

/// `https 2026-10-22T21:59:01.123456Z app/lb/50dc 192.0.2.7:4711 10.0.0.1:80 0.0 0.1 0.0 200 200 34 366 "GET https://…`.
fn load_balancer<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let (kind, rest) = line.text.split_once(' ')?;
    if !matches!(kind, "http" | "https" | "h2" | "grpcs" | "ws" | "wss") {
        return None;
    }
    let stamp = time::stamp(rest, context)?;
    let mut words = stamp.rest.split_ascii_whitespace();
    let (_name, client) = (words.next()?, words.next()?);
    let (address, port) = client.rsplit_once(':')?;
    let address = address.trim_matches(['[', ']']);
    let status = words.nth(4)?;
    let mut event = Event::new(line.text, context.received);
    event.timestamp = stamp.at?;
    if let Ok(status) = status.parse::<i64>() {
        event.severity = access::severity_of(status);
        event.set("http.response.status_code", status);
    }
    if address.parse::<IpAddr>().is_ok() {
        event.set("source.ip", address);
    }
    if let Ok(port) = port.parse::<u16>() {
        event.set("source.port", i64::from(port));
    }
    if let Some((_, request)) = stamp.rest.split_once(" \"") {
        access::set_request(&mut event, request.split('"').next().unwrap_or_default());
    }
    Some(event)
}

/// `1abcde-000123-AB <= ann@example.org H=mx.example.org [192.0.2.7]`, its process id before it or not.
fn exim<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let stamp = line.stamp?;
    let message = stamp.rest.strip_prefix(' ')?;
    let (pid, text) = match message.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((pid, text)) => (Some(pid.parse::<i64>().ok()?), text),
        None => (None, message),
    };
    if let Some((_, rest)) = cut::within(text, b' ', 24)
        && let Some(rest) = rest.strip_prefix("authenticator failed for ")
    {
        let mut event = Event::new(text, context.received);
        event.timestamp = stamp.at?;
        event.source = Some("exim".into());
        event.set("process.name", "exim");
        event.severity = event::Severity::Warn;
        auth::exim(&mut event, rest);
        return Some(event);
    }
    if text.starts_with("H=") && [" rejected ", " verify fail "].iter().any(|word| text.contains(word)) {
        let mut event = Event::new(text, context.received);
        event.timestamp = stamp.at?;
        event.source = Some("exim".into());
        event.set("process.name", "exim");
        event.severity = event::Severity::Warn;
        auth::exim_refusal(&mut event, text);
        return Some(event);
    }
    // As long as the first part of an id is.
    if text.as_bytes().get(6) != Some(&b'-') {
        return None;
    }
    let (id, rest) = cut::within(text, b' ', 24)?;
    // Six, six and two characters, or since 4.97 six, eleven and four.
    let mut lengths = id.split('-').map(str::len);
    let lengths = (lengths.next(), lengths.next(), lengths.next(), lengths.next());
    let is_id = matches!(lengths, (Some(6), Some(6), Some(2), None) | (Some(6), Some(11), Some(4), None))
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !is_id {
        return None;
    }
    let mut event = Event::new(text, context.received);
    event.timestamp = stamp.at?;
    event.source = Some("exim".into());
    event.set("process.name", "exim");
    if let Some(pid) = pid {
        event.set("process.pid", pid);
    }
    event.severity = match rest.split(' ').next()? {
        "**" => event::Severity::Error,
        "==" => event::Severity::Warn,
        _ => level::level_from_message(rest).unwrap_or(event::Severity::Info),
    };
    Some(event)
}

/// `[pid 27245] CONNECT: Client "192.0.2.7"`.
fn vsftpd<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let stamp = line.stamp.filter(|_| line.text.as_bytes()[0].is_ascii_alphabetic())?;
    let (pid, message) = stamp.rest.strip_prefix(" [pid ")?.split_once("] ")?;
    let mut event = Event::new(message, context.received);
    event.timestamp = stamp.at?;
    event.severity = match message.contains("FAIL ") {
        true => event::Severity::Warn,
        false => event::Severity::Info,
    };
    event.source = Some("vsftpd".into());
    event.set("process.name", "vsftpd");
    event.set("process.pid", pid.trim().parse::<i64>().ok()?);
    let client = message.rsplit_once("Client \"").and_then(|(_, rest)| rest.split('"').next());
    if let Some(address) = client.and_then(|client| client.parse::<IpAddr>().ok()) {
        event.set("source.ip", address.to_canonical().to_string());
    }
    auth::vsftpd(&mut event, message);
    Some(event)
}

/// `warning hostd[2100102] [Originator@6876 sub=VigorStats] text`.
fn esxi<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let stamp = line.stamp?;
    let (word, rest) = cut::within(stamp.rest.strip_prefix(' ')?, b' ', 12)?;
    let severity = level::of_token(word)?;
    let (program, rest) = rest.split_once('[')?;
    let (pid, message) = rest.split_once("] ")?;
    let is_program = !program.is_empty()
        && program.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if !is_program || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    let mut event = Event::new(message, context.received);
    event.timestamp = stamp.at?;
    event.severity = severity;
    event.source = Some(program.into());
    event.set("process.name", program);
    event.set("process.pid", pid.parse::<i64>().ok()?);
    Some(event)
}

#[cfg(test)]
const IIS: &[Sample] = &[
    [
        "IIS",
        "2026-10-22 21:59:01 W3SVC1 WEB01 192.0.2.33 GET /version.html - 80 - 198.51.100.3 HTTP/1.1 - - - intranet.example.org 200 0 0 1014 87 0",
        "2026-10-22T21:59:01Z",
        "info",
        "",
        "",
        "W3SVC1 WEB01 192.0.2.33 GET /version.html - 80 - 198.51.100.3 HTTP/1.1 - - - intranet.example.org 200 0 0 1014 87 0",
    ],
    [
        "IIS",
        "2026-10-22 21:59:01 192.0.2.33 POST /a.aspx x=1 443 ann 198.51.100.3 Mozilla/5.0+(X11) - 500 19 5 93",
        "2026-10-22T21:59:01Z",
        "error",
        "",
        "",
        "192.0.2.33 POST /a.aspx x=1 443 ann 198.51.100.3 Mozilla/5.0+(X11) - 500 19 5 93",
    ],
];

#[cfg(test)]
const SQUID: &[Sample] = &[[
    "Squid",
    "1792706341.123    456 192.0.2.7 TCP_MISS/503 5120 GET http://example.org/ - HIER_DIRECT/198.51.100.9 text/html",
    "2026-10-22T21:59:01.123Z",
    "error",
    "",
    "squid",
    "1792706341.123    456 192.0.2.7 TCP_MISS/503 5120 GET http://example.org/ - HIER_DIRECT/198.51.100.9 text/html",
]];

#[cfg(test)]
const AWS: &[Sample] = &[[
    "AWS ALB",
    "https 2026-10-22T21:59:01.123456Z app/lb/50dc6c49 192.0.2.7:4711 10.0.0.1:80 0.000 0.001 0.000 404 404 34 366 \"GET https://example.org:443/x HTTP/1.1\" \"curl\" - -",
    "2026-10-22T21:59:01.123456Z",
    "warn",
    "",
    "",
    "https 2026-10-22T21:59:01.123456Z app/lb/50dc6c49 192.0.2.7:4711 10.0.0.1:80 0.000 0.001 0.000 404 404 34 366 \"GET https://example.org:443/x HTTP/1.1\" \"curl\" - -",
]];

#[cfg(test)]
const EXIM: &[Sample] = &[
    [
        "Exim",
        "2026-10-22 21:59:01 login authenticator failed for mx.example.org (helo) [192.0.2.7]:4711: 535 Incorrect authentication data (set_id=ann)",
        "2026-10-22T21:59:01Z",
        "warn",
        "",
        "exim",
        "login authenticator failed for mx.example.org (helo) [192.0.2.7]:4711: 535 Incorrect authentication data (set_id=ann)",
    ],
    [
        "Exim",
        "2026-10-22 21:59:01 1abcde-000123-AB <= ann@example.org H=mx.example.org [192.0.2.7] P=esmtps",
        "2026-10-22T21:59:01Z",
        "info",
        "",
        "exim",
        "1abcde-000123-AB <= ann@example.org H=mx.example.org [192.0.2.7] P=esmtps",
    ],
    [
        "Exim",
        "2026-10-22 21:59:01 [812] 1abcde-000123-AB ** bob@example.org R=dnslookup: no such user",
        "2026-10-22T21:59:01Z",
        "error",
        "",
        "exim",
        "1abcde-000123-AB ** bob@example.org R=dnslookup: no such user",
    ],
];

#[cfg(test)]
const VSFTPD: &[Sample] = &[[
    "vsftpd",
    "Thu Oct 22 21:59:01 2026 [pid 27245] [ann] FAIL LOGIN: Client \"::ffff:192.0.2.7\"",
    "2026-10-22T21:59:01Z",
    "warn",
    "",
    "vsftpd",
    "[ann] FAIL LOGIN: Client \"::ffff:192.0.2.7\"",
]];

#[cfg(test)]
const ESXI: &[Sample] = &[[
    "ESXi",
    "2026-10-22T21:59:01.509Z warning hostd[2100102] [Originator@6876 sub=VigorStats] SetVigor: Not connected",
    "2026-10-22T21:59:01.509Z",
    "warn",
    "",
    "hostd",
    "[Originator@6876 sub=VigorStats] SetVigor: Not connected",
]];
