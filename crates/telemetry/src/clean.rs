//! Text of others, made safe to show: on a terminal, in a line of a log, in JSON.
//!
//! What logs, file names and senders say may hold characters that steer a terminal, hide or reorder what is
//! read, or begin a line that nobody wrote. Here they become visible: `\n`, `\u{1b}`, in JSON `\u001b`. These
//! are control characters (C0, DEL, C1), marks of direction, separators of lines and paragraphs, and what
//! Unicode shows as nothing (`Default_Ignorable_Code_Point`, joiners and variation selectors among it).

use std::{borrow::Cow, fmt::Write};

/// Text for one line: nothing in it steers, hides or begins a line.
///
/// ```
/// assert_eq!(telemetry::clean::line("a\u{1b}[2J\nb"), r"a\u{1b}[2J\nb");
/// ```
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, is_unseen, visible)
}

/// Text of several lines that we made: as [`line()`], but newlines stay.
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && is_unseen(c), visible)
}

/// Serialised JSON, which stays the same document: only within texts can such characters stand, and a writer of
/// JSON has escaped C0 there.
pub fn json(text: &str) -> Cow<'_, str> {
    escaped(
        text,
        |c| c >= '\u{7f}' && is_unseen(c),
        |out, c| {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ignored = write!(out, "\\u{unit:04x}");
            }
        },
    )
}

/// Whether a character does something without being seen.
pub fn is_unseen(c: char) -> bool {
    matches!(c,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}'
        | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

fn visible(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c => out.extend(c.escape_unicode()),
    }
}

fn escaped(text: &str, wanted: impl Fn(char) -> bool, escape: impl Fn(&mut String, char)) -> Cow<'_, str> {
    let Some(first) = text.find(&wanted) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(&text[..first]);
    for c in text[first..].chars() {
        if wanted(c) { escape(&mut out, c) } else { out.push(c) }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unseen_becomes_visible() {
        for (text, expected) in [
            ("plain, größer, 日本語, 🙂", "plain, größer, 日本語, 🙂"),
            ("a\u{1b}[31mred\u{7}", r"a\u{1b}[31mred\u{7}"),
            ("a\r\nb\tc\0", r"a\r\nb\tc\u{0}"),
            ("\u{7f}\u{9b}31m\u{85}", r"\u{7f}\u{9b}31m\u{85}"),
            ("\u{202e}gpj.exe\u{2066}\u{200e}\u{61c}", r"\u{202e}gpj.exe\u{2066}\u{200e}\u{61c}"),
            ("\u{2028}\u{2029}\u{feff}\u{200b}\u{ad}", r"\u{2028}\u{2029}\u{feff}\u{200b}\u{ad}"),
            ("\u{e0041}", r"\u{e0041}"),
        ] {
            assert_eq!(line(text), expected);
            assert!(!line(text).chars().any(is_unseen));
        }
        assert_eq!(lines("a\n\u{1b}b\r\n"), "a\n\\u{1b}b\\r\n");
    }

    #[test]
    fn json_stays_the_same_document() {
        let text = "{\n \"a\": \"\u{7f}\u{9b}\u{202e}\u{2028}\u{e0041}é\"\n}";
        assert_eq!(json(text), "{\n \"a\": \"\\u007f\\u009b\\u202e\\u2028\\udb40\\udc41é\"\n}");
    }
}
