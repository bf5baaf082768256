//! A JSON object as a record: nested objects become dotted paths, text borrows where it can.

use std::{borrow::Cow, collections::BTreeMap};

use event::Value;
use serde_json::value::RawValue;

use crate::{
    object::{self, Member},
    record::Record,
};

/// Objects below a path longer than this many bytes stay JSON, so that a small record of long names
/// cannot ask for much memory.
const PATH_BYTES_MAX: usize = 256;
/// Objects deeper than this stay JSON.
const DEPTH_MAX: usize = 24;

/// Why a text is no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Line within the text, from 1.
    pub(crate) line: u64,
    /// Column in bytes, from 1.
    pub(crate) column: Option<u64>,
    pub(crate) reason: String,
    /// Whether the text ended before the JSON did.
    pub(crate) early_end: bool,
}

impl Refusal {
    pub(crate) fn of(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let position = format!(" at line {} column {}", error.line(), error.column());
        let what = text.strip_suffix(&position).unwrap_or(&text);
        let early_end = error.is_eof();
        let reason = match what {
            _ if early_end => format!("the JSON ends too early ({what}); was the record cut off?"),
            "trailing characters" => "there is more text after the JSON object".to_owned(),
            "key must be a string" => "a member name in double quotes is needed here".to_owned(),
            "expected value" | "expected ident" => {
                "malformed JSON: expected a value (text in quotes, a number, true, false or null)".to_owned()
            }
            what => format!("malformed JSON: {what}"),
        };
        // A text that ends behind a line break ends in column 0, which is no column of that line.
        let column = Some(error.column() as u64).filter(|column| *column > 0);
        Self { line: error.line() as u64, column, reason, early_end }
    }

    pub(crate) fn whole(reason: impl Into<String>) -> Self {
        Self { line: 1, column: None, reason: reason.into(), early_end: false }
    }
}

/// The record of a JSON object.
pub(crate) fn read(text: &str, mended: bool) -> Result<Record<'_>, Refusal> {
    let is_bare = text.starts_with('{') && text.ends_with('}');
    let trimmed = if is_bare { text } else { text.trim_matches(BLANKS) };
    if let Some(what) = not_an_object(trimmed) {
        // It may be malformed besides; then that is the better reason.
        return Err(match serde_json::from_str::<&RawValue>(trimmed) {
            Ok(_) => Refusal::whole(format!("{what} is no log record; a JSON object is needed")),
            Err(error) => Refusal::of(&error),
        });
    }
    let mut record = Record::default();
    let mut put = |name, value| {
        if let Member::Json(json) = value {
            record.wraps(&name, json);
        }
        put_member(&mut record, name, value, 0);
    };
    if object::members(text, &mut put).is_none() {
        return Err(malformed(text));
    }
    if record.is_empty() {
        return Err(Refusal::whole("the record is empty"));
    }
    if mended {
        record.mended();
    }
    Ok(record)
}

/// Why a text is no JSON object.
fn malformed(text: &str) -> Refusal {
    match serde_json::from_str::<BTreeMap<Cow<'_, str>, &RawValue>>(text) {
        Err(error) => Refusal::of(&error),
        Ok(_) => Refusal::whole("malformed JSON"),
    }
}

/// Puts the members of a JSON object into a record.
pub(crate) fn put_all<'a>(record: &mut Record<'a>, json: &'a str) {
    let mut put = |name, value| {
        if let Member::Json(json) = value {
            record.wraps(&name, json);
        }
        put_member(record, name, value, 0);
    };
    // What is no object has no members.
    object::members(json, &mut put).unwrap_or_default();
}

/// The blanks of JSON.
pub(crate) const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

fn not_an_object(text: &str) -> Option<&'static str> {
    match text.as_bytes().first()? {
        b'{' => None,
        b'[' => Some("a list"),
        b'"' => Some("a text"),
        b't' | b'f' => Some("a truth value"),
        b'n' => Some("null"),
        _ => Some("a number"),
    }
}

fn put_member<'a>(record: &mut Record<'a>, path: Cow<'a, str>, value: Member<'a>, depth: usize) {
    match value {
        Member::Text(text) => record.put(path, Value::String(Cow::Borrowed(text))),
        Member::Json(json) => put(record, path, json, depth),
    }
}

/// Puts a value whose JSON is known to be well-formed.
pub(crate) fn put<'a>(record: &mut Record<'a>, path: Cow<'a, str>, json: &'a str, depth: usize) {
    let value = match json.as_bytes().first() {
        Some(b'"') => {
            let (text, mended) = string(json);
            if mended {
                record.mended();
            }
            Value::String(text)
        }
        Some(b'{') => {
            if depth < 2 && record.is_time(&path, json) {
                record.put(path, Value::Json(compact(json)));
                return;
            }
            let within = depth < DEPTH_MAX && path.len() <= PATH_BYTES_MAX;
            let inner = json.get(1..json.len() - 1).unwrap_or_default();
            if within && !inner.trim_matches(BLANKS).is_empty() {
                let mut put = |name: Cow<'a, str>, value| {
                    let mut inner = String::with_capacity(path.len() + 1 + name.len());
                    inner.push_str(&path);
                    inner.push('.');
                    inner.push_str(&name);
                    put_member(record, Cow::Owned(inner), value, depth + 1);
                };
                if object::members(json, &mut put).is_some() {
                    return;
                }
            }
            Value::Json(compact(json))
        }
        Some(b'[') => Value::Json(compact(json)),
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'n') | None => Value::Null,
        Some(_) => number(json),
    };
    record.put(path, value);
}

/// The text of a JSON string, and whether half of a surrogate pair in it had to be replaced.
fn string(json: &str) -> (Cow<'_, str>, bool) {
    let inner = json.get(1..json.len() - 1).unwrap_or_default();
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return (Cow::Borrowed(inner), false);
    }
    match serde_json::from_str::<String>(json) {
        Ok(text) => (Cow::Owned(text), false),
        Err(_) => (Cow::Owned(mend(inner)), true),
    }
}

/// Decodes the inside of a JSON string piece by piece; what stands for no character is U+FFFD.
fn mend(inner: &str) -> String {
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let lengths: &[usize] = if rest[1..].starts_with('u') { &[12, 6] } else { &[2] };
        let decoded = lengths.iter().find_map(|length| {
            let piece = rest.get(..*length)?;
            if *length == 12 && !piece[6..].starts_with("\\u") {
                return None;
            }
            let decoded = serde_json::from_str::<String>(&format!("\"{piece}\"")).ok()?;
            Some((decoded, *length))
        });
        let (decoded, length) = decoded.unwrap_or_else(|| ("\u{fffd}".to_owned(), 6));
        text.push_str(&decoded);
        rest = rest.get(length..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

/// A number in the first type that holds it exactly.
fn number(json: &str) -> Value<'_> {
    if let Ok(int) = json.parse::<i64>()
        && json != "-0"
    {
        return Value::Int(int);
    }
    if json.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
        && let Ok(float) = json.parse::<f64>()
        && float.is_finite()
    {
        let mantissa = json.split(['e', 'E']).next().unwrap_or_default();
        let significant =
            mantissa.trim_start_matches(['-', '0', '.']).bytes().filter(u8::is_ascii_digit).count();
        // Fifteen digits survive any double that is not subnormal.
        let exact = significant <= 15 && (float.abs() > 1e-290 || significant == 0);
        if exact || float.to_string() == json {
            return Value::Float(float);
        }
    }
    Value::Json(Cow::Borrowed(json))
}

/// Well-formed JSON without blanks between its parts; the same text when there are none.
pub(crate) fn compact(json: &str) -> Cow<'_, str> {
    let mut kept: Option<String> = None;
    let (mut in_string, mut escaped, mut copied) = (false, false, 0);
    for (at, byte) in json.bytes().enumerate() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
        } else if byte == b'"' {
            in_string = true;
        } else if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            kept.get_or_insert_with(|| String::with_capacity(json.len())).push_str(&json[copied..at]);
            copied = at + 1;
        }
    }
    match kept {
        Some(mut text) => {
            text.push_str(&json[copied..]);
            Cow::Owned(text)
        }
        None => Cow::Borrowed(json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_value() {
        let json = |text: &'static str| Value::Json(text.into());
        for (text, expected) in [
            ("7", Value::Int(7)),
            ("-9223372036854775808", Value::Int(i64::MIN)),
            ("9223372036854775808", json("9223372036854775808")),
            ("0.5", Value::Float(0.5)),
            ("1e3", Value::Float(1000.0)),
            ("1e400", json("1e400")),
            ("1e-400", json("1e-400")),
            ("0.1234567890123456789", json("0.1234567890123456789")),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }

    #[test]
    fn strings_decode() {
        for (json, expected, mended) in [
            (r#""plain""#, "plain", false),
            (r#""a\nb\u00e9""#, "a\nbé", false),
            (r#""\ud83d\ude00""#, "😀", false),
            (r#""x\ud800y\n""#, "x\u{fffd}y\n", true),
            (r#""\ud800\u0041\ud83d\ude00""#, "\u{fffd}A😀", true),
        ] {
            assert_eq!(string(json), (Cow::Borrowed(expected), mended), "{json}");
        }
    }

    #[test]
    fn compact_json_has_no_blanks_outside_strings() {
        assert_eq!(compact("[1, \"a \\\" b\",\n {\"x\" : 2}]"), "[1,\"a \\\" b\",{\"x\":2}]");
        assert!(matches!(compact("[1,2]"), Cow::Borrowed(_)));
    }
}
