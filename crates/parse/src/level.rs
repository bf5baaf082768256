//! Levels: their spellings, and where messages carry them.

use event::{Severity, Value};

/// How far into a message a level is looked for, in bytes.
const LOOK_BYTES: usize = 512;

/// The level that a message names itself, or None. Known are whole words in capitals (`ERROR`),
/// bracketed words (`[warn]`), assignments (`level=error`, `severity: info`), words before a colon
/// (`error:`, `Warning:`) and names of exceptions before a colon (`ValueError:`). The first one
/// counts; a negated one (`no ERROR`, `0 ERROR`) does not. Only the first 512 bytes are looked at.
pub fn level_from_message(message: &str) -> Option<Severity> {
    let bytes = &message.as_bytes()[..message.len().min(LOOK_BYTES)];
    let mut previous: &[u8] = b"";
    let mut at = 0;
    while at < bytes.len() {
        if !is_word(bytes[at]) {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && is_word(bytes[at]) {
            at += 1;
        }
        let word = &bytes[start..at];
        let found = if word.len() < 3 {
            None
        } else {
            let before = start.checked_sub(1).map(|index| bytes[index]);
            let assigned = matches!(before, Some(b'=' | b':' | b'"' | b' ')) && names_level(previous);
            level_of(word, before, &bytes[at..], assigned)
        };
        if found.is_some() && !negates(previous) {
            return found;
        }
        previous = word;
    }
    None
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn names_level(word: &[u8]) -> bool {
    [b"level".as_slice(), b"lvl", b"severity", b"loglevel", b"levelname"]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(word))
}

fn negates(word: &[u8]) -> bool {
    (!word.is_empty() && word.iter().all(|byte| *byte == b'0'))
        || [b"no".as_slice(), b"not", b"without", b"zero"].iter().any(|no| no.eq_ignore_ascii_case(word))
}

fn level_of(word: &[u8], before: Option<u8>, rest: &[u8], assigned: bool) -> Option<Severity> {
    let after = rest.first().copied();
    let colon = after == Some(b':') && rest.get(1).is_none_or(|byte| matches!(byte, b' ' | b'\t'));
    let spaced = matches!(before, None | Some(b' ' | b'\t' | b']' | b')' | b':' | b'|'));
    if colon && (word.ends_with(b"Exception") || (word.ends_with(b"Error") && word.len() > 5)) {
        return Some(Severity::Error);
    }
    if word.len() > 13 {
        return None;
    }
    let bracketed = matches!(
        (before, after),
        (Some(b'['), Some(b']')) | (Some(b'('), Some(b')')) | (Some(b'<'), Some(b'>'))
    );
    let capitals = word.iter().all(u8::is_ascii_uppercase)
        && !matches!(before, Some(b'/' | b'-' | b'.' | b'=' | b'$' | b'%'))
        && !matches!(after, Some(b'/' | b'-' | b'.' | b'=' | b'('));
    if !(bracketed || assigned || capitals || (colon && spaced)) {
        return None;
    }
    let level = Severity::from_name(std::str::from_utf8(word).ok()?)?;
    // `FINE`, `ALERT` or `PANIC` in capitals, or `fine:`, are as often prose.
    let prose = [b"fine".as_slice(), b"finer", b"finest", b"alert", b"verbose", b"failure", b"information"]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(word));
    (bracketed || assigned || !prose).then_some(level)
}

/// The level of a structured record's value, and whether it says no more than the level's own name.
pub(crate) fn of_value(value: &Value<'_>) -> Option<(Severity, bool)> {
    match value {
        Value::Int(number) => of_number(*number).map(|level| (level, false)),
        Value::String(text) => {
            let text = text.trim();
            if let Some(level) = Severity::from_name(text) {
                return Some((level, level.as_str().eq_ignore_ascii_case(text)));
            }
            text.parse().ok().and_then(of_number).map(|level| (level, false))
        }
        _ => None,
    }
}

/// Numbers of bunyan and pino (10 trace to 60 fatal), else syslog severities (0 to 7).
fn of_number(number: i64) -> Option<Severity> {
    match number {
        0..=7 => Some(Severity::from_syslog(number as u8)),
        10 => Some(Severity::Trace),
        20 => Some(Severity::Debug),
        30 => Some(Severity::Info),
        40 => Some(Severity::Warn),
        50 => Some(Severity::Error),
        60 => Some(Severity::Fatal),
        _ => None,
    }
}

/// The level of a header token: any spelling, or the single letter of Android and glog.
pub(crate) fn of_token(token: &str) -> Option<Severity> {
    if token.len() == 1 {
        return match token {
            "V" => Some(Severity::Trace),
            "D" => Some(Severity::Debug),
            "I" => Some(Severity::Info),
            "W" => Some(Severity::Warn),
            "E" => Some(Severity::Error),
            "F" => Some(Severity::Fatal),
            _ => None,
        };
    }
    if token.len() < 3 || !token.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    // Prose is lower-case and long words of it are no levels: `fine`, `failure`, `alert`.
    let cased = token.bytes().skip(1).all(|byte| byte.is_ascii_uppercase())
        || token.bytes().skip(1).all(|byte| byte.is_ascii_lowercase());
    if !cased || matches!(token, "fine" | "failure" | "alert" | "panic" | "information") {
        return None;
    }
    Severity::from_name(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_in_messages() {
        for (message, expected) in [
            ("ERROR could not open", Some(Severity::Error)),
            ("worker 3 [warn] slow", Some(Severity::Warn)),
            ("ts=1 level=error msg=x", Some(Severity::Error)),
            ("{\"level\":\"debug\"}", Some(Severity::Debug)),
            ("error: kex_exchange_identification", Some(Severity::Error)),
            ("sshd: fatal: Timeout", Some(Severity::Fatal)),
            ("Warning: deprecated", Some(Severity::Warn)),
            ("ValueError: bad", Some(Severity::Error)),
            ("java.lang.NullPointerException: x", Some(Severity::Error)),
            ("INFO then ERROR", Some(Severity::Info)),
            ("no errors", None),
            ("0 errors", None),
            ("0 ERROR lines", None),
            ("No ERROR found", None),
            ("finished with errors: 3", None),
            ("an error occurred", None),
            ("GET /ERROR/x", None),
            ("that is fine: go on", None),
            ("User login", None),
            ("", None),
        ] {
            assert_eq!(level_from_message(message), expected, "{message}");
        }
    }

    #[test]
    fn levels_of_values() {
        for (value, expected) in [
            (Value::from("ERROR"), Some((Severity::Error, true))),
            (Value::from("WARNING"), Some((Severity::Warn, false))),
            (Value::from("banana"), None),
            (Value::Int(30), Some((Severity::Info, false))),
            (Value::Int(3), Some((Severity::Error, false))),
            (Value::from("50"), Some((Severity::Error, false))),
            (Value::Int(99), None),
            (Value::Bool(true), None),
        ] {
            assert_eq!(of_value(&value), expected, "{value:?}");
        }
    }
}
