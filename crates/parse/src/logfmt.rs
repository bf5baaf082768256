//! logfmt: `level=info msg="two words" key=value`.

use std::borrow::Cow;

use event::{Event, Value};

use crate::{Context, record::Record};

/// The event of a line all of which is `key=value`, two pairs or more, one of them a level, time or
/// message. Numbers stay text, except where ECS has a number.
pub(crate) fn event<'a>(line: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let mut pairs = Vec::new();
    let mut rest = line.trim_ascii();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=')?;
        let plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'@' | b'/');
        if key.is_empty() || !key.bytes().all(plain) {
            return None;
        }
        let (value, tail) = value(after)?;
        pairs.push((key, value));
        rest = tail.trim_ascii_start();
    }
    let says = |names: &[&str]| pairs.iter().any(|(key, _)| names.contains(key));
    let plausible = says(&["level", "lvl", "severity", "msg", "message", "time", "ts", "timestamp", "t"]);
    if pairs.len() < 2 || !plausible {
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
    Some(record.finish(context, || Cow::Borrowed(line)))
}

/// A value, quoted or up to the next blank, and what follows it.
fn value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '\t']).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return (!value.contains('"')).then_some((Cow::Borrowed(value), rest));
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
