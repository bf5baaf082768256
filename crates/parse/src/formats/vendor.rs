//! What security products send, by itself or behind a syslog header: CEF, LEEF, and the key=value lines of Fortinet,
//! Sophos and their like, whose date and time are two fields.

use std::borrow::Cow;

use event::{Event, Severity, Timestamp, Value};

use super::appliances;
#[cfg(test)]
use super::format::Sample;
use crate::{Context, auth, level, nested, record::Record, time};

/// Fields that are looked at in a line.
const FIELDS_MAX: usize = 256;

/// The event of a text in one of these forms. `timestamp` is that of the header, for lines that name none, or no zone.
pub(crate) fn event<'a>(text: &'a str, timestamp: Timestamp, context: &Context<'_>) -> Option<Event<'a>> {
    let event = match text.as_bytes().first()? {
        b'C' => cef(text, context),
        b'L' => leef(text, context),
        b'a'..=b'z' => {
            key_values(text, timestamp, context).or_else(|| quoted_values(text, timestamp, context))
        }
        b'0'..=b'9' => appliances::palo_alto(text, context),
        b'[' => appliances::check_point(text, context.received),
        _ => None,
    }?;
    let is_headed = timestamp != context.received;
    let timestamp =
        if is_headed && !text.as_bytes()[0].is_ascii_lowercase() { timestamp } else { event.timestamp };
    Some(Event { timestamp, ..event })
}

/// `CEF:0|Vendor|Product|1.0|100|worm stopped|10|src=192.0.2.7 rt=1792706341123`.
fn cef<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let header = text.strip_prefix("CEF:")?;
    let parts = bars::<8>(header)?;
    let [_, vendor, product, _, code, _, severity, extension] = parts;
    let mut event = Event::new(text, context.received);
    event.severity = match severity.parse::<u8>() {
        Ok(0..=3) => Severity::Info,
        Ok(4..=6) => Severity::Warn,
        Ok(7 | 8) => Severity::Error,
        Ok(_) => Severity::Fatal,
        Err(_) => match severity {
            "Medium" => Severity::Warn,
            "High" => Severity::Error,
            "Very-High" => Severity::Fatal,
            _ => Severity::Info,
        },
    };
    describe(&mut event, vendor, product, code);
    let value = |name: &str| {
        let (_, rest) =
            extension.split_once(name).filter(|(before, _)| before.is_empty() || before.ends_with(' '))?;
        // A value ends before the next name.
        let end = rest.find('=').map_or(rest.len(), |equals| rest[..equals].rfind(' ').unwrap_or(0));
        Some(rest[..end].trim())
    };
    let named = ["rt=", "end=", "start="].iter().find_map(|name| value(name));
    if let Some(at) = named.and_then(|text| time::parse(text, context)) {
        event.timestamp = at;
    }
    event.host =
        value("dvchost=").or_else(|| value("dvc=")).filter(|host| !host.is_empty()).map(Cow::Borrowed);
    Some(event)
}

/// `LEEF:1.0|Vendor|Product|1.0|code|devTime=…<tab>sev=5<tab>…`.
fn leef<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let header = text.strip_prefix("LEEF:")?;
    let [_, vendor, product, _, code, attributes] = bars::<6>(header)?;
    let mut event = Event::new(text, context.received);
    describe(&mut event, vendor, product, code);
    for pair in attributes.split(['\t', '^']).take(FIELDS_MAX) {
        let Some((name, value)) = pair.trim_start_matches('|').split_once('=') else { continue };
        match name.trim() {
            "devTime" => event.timestamp = time::parse(value, context).unwrap_or(event.timestamp),
            "identHostName" | "devName" => event.host = Some(Cow::Borrowed(value)),
            "sev" => {
                event.severity = match value.trim().parse::<u8>() {
                    Ok(9..) => Severity::Fatal,
                    Ok(7 | 8) => Severity::Error,
                    Ok(4..=6) => Severity::Warn,
                    _ => Severity::Info,
                }
            }
            _ => {}
        }
    }
    Some(event)
}

/// So many parts between bars, of which the last is the rest.
fn bars<const N: usize>(text: &str) -> Option<[&str; N]> {
    let (mut parts, mut rest) = ([""; N], text);
    for part in parts.iter_mut().take(N - 1) {
        let mut from = 0;
        let end = loop {
            let end = from + rest.get(from..)?.find('|')?;
            if !rest[..end].ends_with('\\') {
                break end;
            }
            from = end + 1;
        };
        *part = &rest[..end];
        rest = &rest[end + 1..];
    }
    parts[N - 1] = rest;
    Some(parts)
}

fn describe<'a>(event: &mut Event<'a>, vendor: &'a str, product: &'a str, code: &'a str) {
    let unescaped = |text: &'a str| match text.contains('\\') {
        true => Cow::Owned(text.replace("\\|", "|").replace("\\\\", "\\")),
        false => Cow::Borrowed(text),
    };
    event.source = Some(unescaped(product)).filter(|product| !product.is_empty());
    for (path, value) in [("observer.vendor", vendor), ("observer.product", product), ("event.code", code)] {
        if !value.is_empty() {
            event.set(path, Value::String(unescaped(value)));
        }
    }
}

/// `date=2026-10-22 time=21:59:01 tz="+0200" devname="fw1" level="notice" srcip=192.0.2.7 …`.
fn key_values<'a>(text: &'a str, timestamp: Timestamp, context: &Context<'_>) -> Option<Event<'a>> {
    let first =
        text.as_bytes().iter().take(24).position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_'))?;
    if text.as_bytes()[first] != b'=' || memchr::memmem::find(text.as_bytes(), b"time=").is_none() {
        return None;
    }
    let pairs: Vec<_> = Pairs { rest: text }.take(FIELDS_MAX).collect();
    let find = |names: &[&str]| {
        names.iter().find_map(|name| pairs.iter().find(|(key, _)| key == name)).map(|(_, value)| *value)
    };
    let (date, clock) = (find(&["date"])?, find(&["time"])?);
    let zone = find(&["tz", "timezone"]).unwrap_or_default();
    let written = format!("{date} {clock} {zone}");
    let mut record = Record::default();
    for (key, value) in &pairs {
        let path = match *key {
            "date" | "time" | "tz" | "timezone" => continue,
            "devname" | "device_name" => "host.name",
            "srcip" | "src_ip" | "remip" => "source.ip",
            "srcport" | "src_port" => "source.port",
            "dstip" | "dst_ip" => "destination.ip",
            "dstport" | "dst_port" => "destination.port",
            key => key,
        };
        if !value.is_empty() {
            record.put(Cow::Borrowed(path), Value::from(*value));
        }
    }
    let mut event = nested::event(record, context, || Cow::Borrowed(text));
    event.timestamp = time::parse(written.trim(), context).unwrap_or(timestamp);
    if let Some(severity) = find(&["level", "priority", "log_level"]).and_then(Severity::from_name) {
        event.severity = severity;
    } else if find(&["level"]).is_none() {
        event.severity = level::level_from_message(text).unwrap_or(Severity::Info);
    }
    if event.field("event.outcome").is_none()
        && let Some(outcome) = signed_in(find(&["action"]), find(&["status"]))
    {
        auth::signed_in(&mut event, outcome);
    }
    Some(event)
}

/// What came of a sign-in, where a line tells of one: `action="login" status="failed"`, `action="ssl-login-fail"`.
fn signed_in(action: Option<&str>, status: Option<&str>) -> Option<&'static str> {
    match (action?, status.unwrap_or_default()) {
        (action, _) if action.ends_with("login-fail") => Some("failure"),
        ("login", "failed" | "failure") => Some("failure"),
        ("login", "success") => Some("success"),
        _ => None,
    }
}

/// `oscap: msg: "xccdf-result", title: "No empty passwords", result: "fail".`: all of it is names and quoted values, of
/// which the first is `msg`. The severity is that of what is told, not of the line.
fn quoted_values<'a>(text: &'a str, timestamp: Timestamp, context: &Context<'_>) -> Option<Event<'a>> {
    const PROGRAM_BYTES_MAX: usize = 32;
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    // Every line comes by here: one look at its first bytes tells most of them from these.
    let first = memchr::memchr(b':', &text.as_bytes()[..text.len().min(PROGRAM_BYTES_MAX)])?;
    let (program, mut rest) = match &text[..first] {
        "msg" => (None, text),
        program => (Some(program), text[first..].strip_prefix(": ")?),
    };
    if !rest.starts_with("msg: \"") || !program.is_none_or(is_name) {
        return None;
    }
    let mut event = Event::new(rest, context.received);
    event.timestamp = timestamp;
    event.source = program.map(Cow::Borrowed);
    if let Some(program) = program {
        event.set("process.name", program);
    }
    for _ in 0..FIELDS_MAX {
        let (name, quoted) = rest.split_once(": \"").filter(|(name, _)| is_name(name))?;
        let (value, after) = quoted.split_once("\", ").unwrap_or((quoted, ""));
        let value = if after.is_empty() { value.trim_end_matches('.').strip_suffix('"')? } else { value };
        event.set(format!("labels.{}", name.replace('-', "_")), value);
        if after.is_empty() {
            return Some(event);
        }
        rest = after;
    }
    None
}

/// `name=value name="two words"`, words without a sign passed over.
struct Pairs<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let text = self.rest.trim_start_matches([' ', ',', ';', '\t']);
            let end = text.find(['=', ' '])?;
            if text[end..].starts_with(' ') {
                self.rest = &text[end..];
                continue;
            }
            let (key, value) = (&text[..end], &text[end + 1..]);
            let (value, rest) = match value.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
                None => value.split_at(value.find(' ').unwrap_or(value.len())),
            };
            self.rest = rest;
            return Some((key, value));
        }
    }
}

#[cfg(test)]
pub(crate) const SAMPLES: &[Sample] = &[
    [
        "CEF",
        "CEF:0|Example|Gate|1.0|100|worm stopped|8|src=192.0.2.7 rt=1792706341123 dvchost=gate1 msg=a worm",
        "2026-10-22T21:59:01.123Z",
        "error",
        "gate1",
        "Gate",
        "CEF:0|Example|Gate|1.0|100|worm stopped|8|src=192.0.2.7 rt=1792706341123 dvchost=gate1 msg=a worm",
    ],
    [
        "CEF",
        "<134>Oct 22 21:59:01 gate2 CEF:0|Example|Gate|1.0|7|passed|Low|rt=Oct 22 2026 21:58:00 act=none",
        "2026-10-22T21:59:01Z",
        "info",
        "gate2",
        "Gate",
        "CEF:0|Example|Gate|1.0|7|passed|Low|rt=Oct 22 2026 21:58:00 act=none",
    ],
    [
        "LEEF",
        "LEEF:1.0|Example|Shield|2.1|login|sev=5\tdevTime=2026-10-22 21:59:01.692\tidentHostName=pc7\tusrName=ann",
        "2026-10-22T21:59:01.692Z",
        "warn",
        "pc7",
        "Shield",
        "LEEF:1.0|Example|Shield|2.1|login|sev=5\tdevTime=2026-10-22 21:59:01.692\tidentHostName=pc7\tusrName=ann",
    ],
    [
        "Fortinet",
        "date=2026-10-22 time=23:59:01 tz=\"+0200\" devname=\"fw1\" logid=\"0013\" type=\"traffic\" level=\"warning\" srcip=192.0.2.7",
        "2026-10-22T21:59:01Z",
        "warn",
        "fw1",
        "",
        "date=2026-10-22 time=23:59:01 tz=\"+0200\" devname=\"fw1\" logid=\"0013\" type=\"traffic\" level=\"warning\" srcip=192.0.2.7",
    ],
    [
        "Sophos",
        "<30>device=\"SFW\" date=2026-10-22 time=23:59:01 timezone=\"CEST\" device_name=\"XG\" log_type=\"Firewall\" src_ip=192.0.2.7",
        "2026-10-22T21:59:01Z",
        "info",
        "XG",
        "",
        "device=\"SFW\" date=2026-10-22 time=23:59:01 timezone=\"CEST\" device_name=\"XG\" log_type=\"Firewall\" src_ip=192.0.2.7",
    ],
    [
        "OpenSCAP",
        "<14>Oct 22 21:59:01 web1 oscap: msg: \"xccdf-result\", scan-id: \"7\", title: \"No empty \"passwords\"\", result: \"fail\", severity: \"high\".",
        "2026-10-22T21:59:01Z",
        "info",
        "web1",
        "oscap",
        "msg: \"xccdf-result\", scan-id: \"7\", title: \"No empty \"passwords\"\", result: \"fail\", severity: \"high\".",
    ],
];
