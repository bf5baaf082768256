//! logfmt: `level=info msg="two words" key=value`.

use std::borrow::Cow;

use event::Value;

use crate::record::Record;

/// The record of a line all of which is `key=value`, two pairs or more, one of them a level, time or
/// message. Numbers stay text, except where ECS has a number. A key may stand alone in a line that has a message of
/// its own.
pub(crate) fn record(line: &str) -> Option<Record<'_>> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'@' | b'/');
    let (mut pairs, mut alone) = (Vec::new(), Vec::new());
    let mut rest = line.trim_ascii();
    while !rest.is_empty() {
        let end = rest.bytes().position(|byte| !plain(byte)).unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        if key.is_empty() {
            return None;
        }
        rest = match after.strip_prefix('=') {
            Some(after) => {
                let (value, tail) = value(after)?;
                pairs.push((key, value));
                tail
            }
            // Prose does not begin with a pair.
            None if pairs.is_empty() || !(after.is_empty() || after.starts_with([' ', '\t'])) => return None,
            None => {
                alone.push(key);
                after
            }
        }
        .trim_ascii_start();
    }
    let says = |names: &[&str]| pairs.iter().any(|(key, _)| names.contains(key));
    let plausible = says(&["level", "lvl", "severity", "msg", "message", "time", "ts", "timestamp", "t"]);
    let has_message = says(&["msg", "message"]);
    if pairs.len() < 2 || !plausible || (!alone.is_empty() && (!has_message || alone.len() >= pairs.len())) {
        return None;
    }
    let timed = says(&["@timestamp", "timestamp", "time", "ts"]);
    let mut record = Record::default();
    for (key, value) in pairs {
        let key = if key == "t" && !timed { "ts" } else { key };
        if !value.is_empty() {
            record.put(Cow::Borrowed(key), Value::String(value));
        }
    }
    for key in alone {
        record.put(Cow::Borrowed(key), Value::Bool(true));
    }
    Some(record)
}

/// A value, quoted or up to the next blank, and what follows it.
fn value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '\t']).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return Some((Cow::Borrowed(value), rest));
    };
    let bytes = quoted.as_bytes();
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            break;
        }
        at += 2;
    }
    let (inner, rest) = (&quoted[..at], &quoted[at + 1..]);
    if !(rest.is_empty() || rest.starts_with([' ', '\t'])) {
        return None;
    }
    if !inner.contains('\\') {
        return Some((Cow::Borrowed(inner), rest));
    }
    let decoded = serde_json::from_str::<String>(&format!("\"{inner}\""));
    Some((decoded.map_or(Cow::Borrowed(inner), Cow::Owned), rest))
}
