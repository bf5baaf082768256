//! Linux audit records: `type=USER_LOGIN msg=audit(1792706341.260:3932): pid=718 …`.

use std::borrow::Cow;

use event::{Event, Severity, Value};

#[cfg(test)]
use super::format::Sample;
use super::format::{Begins, Format, Line};
use crate::{Context, time};

pub(super) const FORMATS: &[Format] = &[Format {
    name: "auditd",
    begins: Begins::With(b"tn"),
    read,
    #[cfg(test)]
    samples: SAMPLES,
}];

/// Fields that are kept of a record.
const FIELDS_MAX: usize = 64;

fn read<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let (node, text) = match line.text.strip_prefix("node=") {
        Some(rest) => rest.split_once(' ').map(|(node, text)| (Some(node), text))?,
        None => (None, line.text),
    };
    let (kind, rest) = text.strip_prefix("type=")?.split_once(" msg=audit(")?;
    let (stamp, fields) = rest.split_once(')')?;
    let (seconds, sequence) = stamp.split_once(':')?;
    let mut event = Event::new(text, context.received);
    event.timestamp = time::number(seconds)?;
    event.host = node.map(Cow::Borrowed);
    event.source = Some("auditd".into());
    event.severity = Severity::Info;
    event.set("event.action", kind.to_ascii_lowercase());
    event.set("labels.audit.sequence", sequence);
    // What stands in single quotes are fields too.
    let words = fields.split([' ', '\'']).filter_map(|word| word.split_once('='));
    for (name, value) in words.take(FIELDS_MAX) {
        let (is_quoted, value) = (value.starts_with('"'), value.trim_matches('"'));
        match name {
            "pid" => {
                if let Ok(pid) = value.parse::<i64>() {
                    event.set("process.pid", pid);
                }
            }
            // A name with a blank or a quote in it is written in hexadecimal.
            "acct" if !is_quoted && let Some(name) = hexadecimal(value) => event.set("user.name", name),
            "acct" if !value.is_empty() && value != "?" => event.set("user.name", value),
            "exe" if !value.is_empty() => event.set("process.executable", value),
            "comm" if !value.is_empty() => event.set("process.name", value),
            "addr" if value.parse::<std::net::IpAddr>().is_ok() => event.set("source.ip", value),
            "res" | "success" => {
                let outcome = match value {
                    "success" | "yes" | "1" => "success",
                    "failed" | "no" | "0" => "failure",
                    _ => continue,
                };
                event.set("event.outcome", Value::from(outcome));
            }
            _ => {}
        }
    }
    Some(event)
}

/// The text of pairs of hexadecimal digits.
fn hexadecimal(text: &str) -> Option<String> {
    const DIGITS_MAX: usize = 512;
    if text.is_empty() || !text.len().is_multiple_of(2) || text.len() > DIGITS_MAX || !text.is_ascii() {
        return None;
    }
    let bytes: Option<Vec<u8>> = (0..text.len() / 2)
        .map(|pair| u8::from_str_radix(text.get(2 * pair..2 * pair + 2)?, 16).ok())
        .collect();
    String::from_utf8(bytes?).ok().filter(|name| !name.chars().any(char::is_control))
}

#[cfg(test)]
const SAMPLES: &[Sample] = &[
    [
        "auditd",
        "type=USER_LOGIN msg=audit(1792706341.260:3932): pid=718 uid=0 auid=4294967295 ses=1 res=failed",
        "2026-10-22T21:59:01.26Z",
        "info",
        "",
        "auditd",
        "type=USER_LOGIN msg=audit(1792706341.260:3932): pid=718 uid=0 auid=4294967295 ses=1 res=failed",
    ],
    [
        "auditd",
        "node=web1 type=USER_START msg=audit(1792706341.000:17948): pid=16484 msg='op=PAM:session_open acct=\"ann\" res=success'",
        "2026-10-22T21:59:01Z",
        "info",
        "web1",
        "auditd",
        "type=USER_START msg=audit(1792706341.000:17948): pid=16484 msg='op=PAM:session_open acct=\"ann\" res=success'",
    ],
];
