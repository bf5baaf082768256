//! What appliances send behind a header of syslog: PAN-OS of Palo Alto Networks (columns), Check Point (pairs in
//! brackets), and BIG-IP of F5, which has the level before the program or within a code.

use std::borrow::Cow;

use event::{Event, Severity, Timestamp, Value};

#[cfg(test)]
use super::format::Sample;
use crate::{Context, time};

/// Columns of a line of PAN-OS that are read.
const COLUMNS_MAX: usize = 40;
/// Pairs of a line of Check Point that are read.
const PAIRS_MAX: usize = 128;

/// `1,2026/10/22 21:59:01,001801000001,TRAFFIC,drop,…`, by the columns of PAN-OS 8 to 11.
pub(super) fn palo_alto<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let columns: Vec<&str> = columns(text).take(COLUMNS_MAX).collect();
    let [_, received, serial, kind, subtype, ..] = columns[..] else { return None };
    let is_serial = !serial.is_empty() && serial.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_kind = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    if !is_serial || !is_kind || received.as_bytes().get(4) != Some(&b'/') {
        return None;
    }
    let mut event = Event::new(text, context.received);
    event.timestamp = time::parse(received, context).unwrap_or(context.received);
    event.set("observer.product", "PAN-OS");
    event.set("event.code", kind);
    let of = |place: usize| columns.get(place).copied().unwrap_or_default();
    let is_session = matches!(kind, "TRAFFIC" | "THREAT");
    let (severity, action) = match kind {
        "TRAFFIC" => ("", if matches!(subtype, "drop" | "deny") { subtype } else { of(30) }),
        "THREAT" => (of(34), of(30)),
        "SYSTEM" => (of(13), ""),
        _ => ("", ""),
    };
    if kind == "THREAT" {
        event.set("observer.vendor", "Palo Alto Networks");
    }
    if is_session {
        let places = [
            (7, "source.ip"),
            (8, "destination.ip"),
            (24, "source.port"),
            (25, "destination.port"),
            (12, "user.name"),
        ];
        for (place, path) in places {
            put(&mut event, path, of(place));
        }
    }
    put(&mut event, "event.action", action);
    event.severity = match severity {
        "critical" => Severity::Fatal,
        "high" => Severity::Error,
        "medium" => Severity::Warn,
        _ => Severity::Info,
    };
    Some(event)
}

/// Text between commas; those within double quotes are of it.
fn columns(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let now = rest?;
        let (column, after) = match now.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
            Some((column, after)) => (column, after.strip_prefix(',')),
            None => now.split_once(',').map_or((now, None), |(column, after)| (column, Some(after))),
        };
        rest = after;
        Some(column)
    })
}

/// `[action:"Drop"; src:"192.0.2.7"; dst:"198.51.100.3"]`.
pub(super) fn check_point<'a>(text: &'a str, received: Timestamp) -> Option<Event<'a>> {
    let inside = text.strip_prefix('[')?;
    let is_pair = inside.split_once(":\"").is_some_and(|(name, _)| is_name(name));
    if !is_pair {
        return None;
    }
    let mut event = Event::new(text, received);
    event.set("observer.vendor", "Check Point");
    let mut rest = inside;
    for _ in 0..PAIRS_MAX {
        let Some((name, after)) = rest.split_once(":\"").filter(|(name, _)| is_name(name)) else { break };
        let Some((value, after)) = after.split_once('"') else { break };
        match name {
            "action" => put(&mut event, "event.action", value),
            "src" => put(&mut event, "source.ip", value),
            "dst" => put(&mut event, "destination.ip", value),
            "s_port" => put(&mut event, "source.port", value),
            "service" => put(&mut event, "destination.port", value),
            "user" => put(&mut event, "user.name", value),
            "product" => event.source = Some(Cow::Borrowed(value)).filter(|_| !value.is_empty()),
            _ => {}
        }
        rest = after.trim_start_matches([';', ' ']);
    }
    Some(event)
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Sets a field that has a value of its kind.
fn put<'a>(event: &mut Event<'a>, path: &'static str, value: &'a str) {
    let value = match path {
        _ if value.is_empty() => return,
        "source.port" | "destination.port" => match value.parse::<u16>() {
            Ok(port) => Value::Int(port.into()),
            Err(_) => return,
        },
        "source.ip" | "destination.ip" if value.parse::<std::net::IpAddr>().is_err() => return,
        _ => Value::String(Cow::Borrowed(value)),
    };
    event.set(path, value);
}

/// The level in a code of BIG-IP: `01010028:2: No members available`.
pub(crate) fn coded(message: &str) -> Option<Severity> {
    let [code @ .., b':', digit @ b'0'..=b'7', b':', b' '] = message.as_bytes().get(..12)? else {
        return None;
    };
    code.iter().all(u8::is_ascii_hexdigit).then(|| Severity::from_syslog(digit - b'0'))
}

#[cfg(test)]
pub(crate) const SAMPLES: &[Sample] = &[
    [
        "PAN-OS",
        "Oct 22 21:59:01 fw1 1,2026/10/22 21:59:00,001801000001,TRAFFIC,drop,2049,2026/10/22 21:59:00,192.0.2.7,198.51.100.3,,,rule",
        "2026-10-22T21:59:01Z",
        "info",
        "fw1",
        "",
        "1,2026/10/22 21:59:00,001801000001,TRAFFIC,drop,2049,2026/10/22 21:59:00,192.0.2.7,198.51.100.3,,,rule",
    ],
    [
        "PAN-OS",
        "Oct 22 21:59:01 fw1 1,2026/10/22 21:59:00,001801000001,SYSTEM,general,0,2026/10/22 21:59:00,,general,,0,0,general,critical,\"disk, full\"",
        "2026-10-22T21:59:01Z",
        "fatal",
        "fw1",
        "",
        "1,2026/10/22 21:59:00,001801000001,SYSTEM,general,0,2026/10/22 21:59:00,,general,,0,0,general,critical,\"disk, full\"",
    ],
    [
        "Check Point",
        "1 2026-10-22T21:59:01Z gw1 CheckPoint 19710 - [action:\"Drop\"; src:\"192.0.2.7\"; service:\"22\"]",
        "2026-10-22T21:59:01Z",
        "info",
        "gw1",
        "CheckPoint",
        "[action:\"Drop\"; src:\"192.0.2.7\"; service:\"22\"]",
    ],
    [
        "BIG-IP",
        "Oct 22 21:59:01 lb1 crit tmm[20175]: 01010028:5: No members available for pool web",
        "2026-10-22T21:59:01Z",
        "fatal",
        "lb1",
        "tmm",
        "01010028:5: No members available for pool web",
    ],
    [
        "BIG-IP",
        "Oct 22 21:59:01 lb1 mcpd[2017]: 01070727:4: Pool member is down",
        "2026-10-22T21:59:01Z",
        "warn",
        "lb1",
        "mcpd",
        "01070727:4: Pool member is down",
    ],
];
