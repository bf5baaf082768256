//! Escape sequences with which programs colour their lines: no part of the text.

/// The text without them; None when there are none.
pub(crate) fn strip(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut next = memchr::memchr(0x1b, bytes)?;
    let (mut kept, mut at) = (String::with_capacity(text.len()), 0);
    loop {
        kept.push_str(&text[at..next]);
        at = next + sequence(&bytes[next..]);
        match memchr::memchr(0x1b, &bytes[at..]) {
            Some(found) => next = at + found,
            None => {
                kept.push_str(&text[at..]);
                return Some(kept);
            }
        }
    }
}

/// The length of the escape sequence at the start, ECMA-48 section 5: control sequences, strings up to their
/// terminator, and escapes of two bytes; of what is none, the escape alone.
fn sequence(bytes: &[u8]) -> usize {
    match bytes.get(1) {
        Some(b'[') => {
            let body = bytes[2..].iter().take_while(|byte| (0x20..0x40).contains(*byte)).count();
            match bytes.get(2 + body) {
                Some(0x40..0x7f) => 3 + body,
                _ => 2 + body,
            }
        }
        Some(b']') => {
            let end = bytes[2..].iter().position(|byte| matches!(byte, 0x07 | 0x1b));
            match end {
                Some(end) if bytes[2 + end] == 0x07 => 3 + end,
                Some(end) if bytes.get(3 + end) == Some(&b'\\') => 4 + end,
                _ => 2,
            }
        }
        Some(b'(' | b')') if bytes.get(2).is_some_and(u8::is_ascii_alphanumeric) => 3,
        Some(0x40..0x5f) => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_no_text() {
        for (text, expected) in [
            ("plain", None),
            ("\u{1b}[31mERROR\u{1b}[0m boom", Some("ERROR boom")),
            ("\u{1b}[1;38;5;9mé\u{1b}[m", Some("é")),
            ("\u{1b}]8;;http://x\u{7}link\u{1b}]8;;\u{1b}\\", Some("link")),
            ("\u{1b}(Ba\u{1b}[K", Some("a")),
            ("cut \u{1b}[3", Some("cut ")),
            ("cut \u{1b}", Some("cut ")),
            ("\u{1b}é\u{1b}[é", Some("éé")),
        ] {
            assert_eq!(strip(text).as_deref(), expected, "{text:?}");
        }
    }
}
