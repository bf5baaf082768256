//! Undoing what hides a request: percent signs once, twice and thrice, overlong UTF-8, escapes of the log itself,
//! comments and white space between words of SQL.

use std::borrow::Cow;

/// As much of a text is looked at; servers refuse longer request lines by default.
pub(super) const TEXT_BYTES_MAX: usize = 8192;

/// How often percent signs are undone: once for the client, twice for a proxy behind a proxy.
const ROUNDS_MAX: usize = 3;

/// A comment of SQL that is longer than this is not taken for one.
const COMMENT_BYTES_MAX: usize = 64;

/// A request as the application behind the server may see it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded<'a> {
    /// Its bytes, case untouched.
    pub(super) bytes: Cow<'a, [u8]>,
    /// Where the query's question mark is; the end when there is none.
    pub(super) query_at: usize,
    /// A dot, a slash or a backslash was hidden: no client needs to.
    pub(super) hides_path: bool,
    /// It held a line break.
    pub(super) has_line_break: bool,
}

/// Decodes a request's target, in time and space linear in its length. Only what stands in the query has `+` for a
/// space and comments.
pub(super) fn target(text: &str) -> Decoded<'_> {
    let raw = &text.as_bytes()[..text.len().min(TEXT_BYTES_MAX)];
    let query_at = memchr::memchr(b'?', raw).unwrap_or(raw.len());
    if memchr::memchr3(b'%', b'+', b'\\', raw).is_none() && memchr::memchr(b'*', raw).is_none() {
        return Decoded { bytes: Cow::Borrowed(raw), query_at, hides_path: false, has_line_break: false };
    }
    let (path, query) = raw.split_at(query_at);
    let mut notes = Notes::default();
    let mut bytes = words(&rounds(path, false, &mut notes), false, &mut notes);
    let query_at = bytes.len();
    bytes.extend(words(&rounds(query, true, &mut notes), true, &mut notes));
    Decoded {
        bytes: Cow::Owned(bytes),
        query_at,
        hides_path: notes.hides_path,
        has_line_break: notes.has_line_break,
    }
}

/// Decodes the value of a header.
pub(super) fn header(text: &str) -> Cow<'_, [u8]> {
    let raw = &text.as_bytes()[..text.len().min(TEXT_BYTES_MAX)];
    if memchr::memchr2(b'%', b'\\', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut notes = Notes::default();
    Cow::Owned(words(&rounds(raw, false, &mut notes), false, &mut notes))
}

#[derive(Default)]
struct Notes {
    hides_path: bool,
    has_line_break: bool,
}

fn rounds(text: &[u8], is_query: bool, notes: &mut Notes) -> Vec<u8> {
    let mut bytes = once(text, is_query, notes);
    for _ in 1..ROUNDS_MAX {
        if memchr::memchr(b'%', &bytes).is_none() {
            break;
        }
        let again = once(&bytes, false, notes);
        if again.len() == bytes.len() {
            break;
        }
        bytes = again;
    }
    bytes
}

/// One round: `%41`, `%u0041`, `+` in a query, and `\x41`, `\"` and `\\` as servers write them into logs. What is no
/// escape stays.
fn once(text: &[u8], is_query: bool, notes: &mut Notes) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let (byte, taken) = match text[at] {
            b'%' => escaped(&text[at + 1..]).map_or((b'%', 1), |(byte, taken)| (byte, taken + 1)),
            b'\\' => match text.get(at + 1) {
                Some(b'x') => hex(&text[at + 2..], 2).map_or((b'\\', 1), |value| (value as u8, 4)),
                Some(b'"') => (b'"', 2),
                Some(b'\\') => (b'\\', 2),
                _ => (b'\\', 1),
            },
            b'+' if is_query => (b' ', 1),
            byte => (byte, 1),
        };
        notes.hides_path |= taken > 1 && text[at] == b'%' && matches!(byte, b'.' | b'/' | b'\\');
        notes.has_line_break |= taken > 1 && matches!(byte, b'\n' | b'\r');
        out.push(byte);
        at += taken;
    }
    out
}

/// What follows a percent sign: `41` or `u0041`. The byte, and how many stood for it.
fn escaped(rest: &[u8]) -> Option<(u8, usize)> {
    if let Some(value) = hex(rest, 2) {
        return Some((value as u8, 2));
    }
    let value = hex(rest.strip_prefix(b"u").or_else(|| rest.strip_prefix(b"U"))?, 4)?;
    Some((narrowed(value), 5))
}

/// The ASCII letter that old servers took a letter of UTF-16 for; full-width forms are among them.
fn narrowed(value: u16) -> u8 {
    match value {
        0..=0x7f => value as u8,
        0xff01..=0xff5e => (value - 0xfee0) as u8,
        0x2215 | 0x2044 => b'/',
        0x2216 => b'\\',
        _ => b'?',
    }
}

fn hex(text: &[u8], digits: usize) -> Option<u16> {
    text.get(..digits)?
        .iter()
        .try_fold(0u16, |value, byte| Some(value * 16 + (*byte as char).to_digit(16)? as u16))
}

/// One space for white space of any length and for comments, and one letter for an overlong one.
fn words(text: &[u8], is_query: bool, notes: &mut Notes) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let (byte, taken) = match text[at] {
            b'\t'..=b'\r' | b' ' => (b' ', 1),
            b'/' if is_query => comment(&text[at..]).map_or((b'/', 1), |taken| (b' ', taken)),
            b'*' if is_query && text.get(at + 1) == Some(&b'/') => (b' ', 2),
            first @ (0xc0 | 0xc1 | 0xe0) => {
                overlong(first, &text[at + 1..]).inspect(|_| notes.hides_path = true).unwrap_or((first, 1))
            }
            byte => (byte, 1),
        };
        if byte != b' ' || out.last() != Some(&b' ') {
            out.push(byte);
        }
        at += taken;
    }
    out
}

/// How long the comment of SQL is that the text begins with; of `/*!50000 … */`, whose content counts, only its head.
fn comment(text: &[u8]) -> Option<usize> {
    let inner = text.strip_prefix(b"/*")?;
    if let Some(version) = inner.strip_prefix(b"!") {
        let digits = version.iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
        return Some(3 + digits);
    }
    let within = &inner[..inner.len().min(COMMENT_BYTES_MAX)];
    Some(memchr::memmem::find(within, b"*/")? + 4)
}

/// The ASCII letter of two or three bytes that one would have done for.
fn overlong(first: u8, rest: &[u8]) -> Option<(u8, usize)> {
    let tail = |byte: Option<&u8>| byte.filter(|byte| **byte & 0xc0 == 0x80).map(|byte| byte & 0x3f);
    let second = tail(rest.first())?;
    match first {
        0xc0 | 0xc1 => Some((((first & 1) << 6) | second, 2)),
        _ if second <= 1 => Some(((second << 6) | tail(rest.get(1))?, 3)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let decoded = target(text);
        assert_eq!(String::from_utf8_lossy(&decoded.bytes), expected, "{text}");
    }

    #[test]
    fn what_hides_a_request_is_undone() {
        check("/plain/path?and=query", "/plain/path?and=query");
        check("/a%20b?c+d%2Be", "/a b?c d+e");
        check("/a+b", "/a+b");
        check("/%252e%252e/%25252e", "/../.");
        check("/%%32%65%%32%65/", "/../");
        check("/%u002e%uff0e/%u0441", "/../?");
        check("/%c0%ae%c0%af%c1%9c%e0%80%ae", "/./\\.");
        check("/\\x2e\\x2E?q=\\\"\\\\", "/..?q=\"\\");
        check("/?q=union/**/select/*x*/1", "/?q=union select 1");
        check("/?q=/*!50000union*/+select", "/?q= union select");
        check("/?q=a%0d%0a%09b", "/?q=a b");
        check("/100%", "/100%");
        check("/%zz%4", "/%zz%4");
        check("/src/**/x", "/src/**/x");
    }

    #[test]
    fn hidden_paths_and_line_breaks_are_noted() {
        assert!(target("/%2e%2e/x").hides_path);
        assert!(target("/%c0%ae/x").hides_path);
        assert!(!target("/a%20b?x+y").hides_path);
        assert!(target("/?x=%0d%0aSet-Cookie:a").has_line_break);
        assert!(!target("/?x=%20").has_line_break);
    }

    #[test]
    fn the_query_begins_at_the_first_raw_question_mark() {
        let decoded = target("/a%3fb%20c?d=e");
        assert_eq!(&decoded.bytes[decoded.query_at..], b"?d=e");
        let decoded = target("/a%20c");
        assert_eq!(decoded.query_at, decoded.bytes.len());
    }

    /// Output never outgrows input, and no text makes it panic.
    #[test]
    fn decoding_is_bounded() {
        let pieces = [
            "%", "25", "%2", "%c0", "%ae", "\\", "\\x", "/*", "*/", "!", "u", "%u", "+", " ", "?", "é",
            "\u{ff0e}", "0",
        ];
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..4000 {
            let mut text = String::new();
            for _ in 0..40 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                text.push_str(pieces[(state % pieces.len() as u64) as usize]);
            }
            let decoded = target(&text);
            assert!(decoded.bytes.len() <= text.len(), "{text}");
            assert!(decoded.query_at <= decoded.bytes.len(), "{text}");
            assert!(header(&text).len() <= text.len(), "{text}");
        }
        let long = "%25".repeat(1_000_000);
        assert!(target(&long).bytes.len() <= TEXT_BYTES_MAX);
    }
}
