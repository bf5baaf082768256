//! Texts cut at an ASCII byte: what the standard library does for any pattern, at a fraction of its cost on the few bytes
//! between two marks of a log line.

/// What stands before the first such byte, and what behind it.
pub(crate) fn once(text: &str, mark: u8) -> Option<(&str, &str)> {
    debug_assert!(mark.is_ascii());
    let at = memchr::memchr(mark, text.as_bytes())?;
    Some((&text[..at], &text[at + 1..]))
}

/// As [`once`], where the mark is at most so many bytes away.
pub(crate) fn within(text: &str, mark: u8, bytes_max: usize) -> Option<(&str, &str)> {
    debug_assert!(mark.is_ascii());
    let head = &text.as_bytes()[..text.len().min(bytes_max)];
    let at = head.iter().position(|byte| *byte == mark)?;
    Some((&text[..at], &text[at + 1..]))
}

/// What stands before the first place of a mark of several bytes, and what behind it.
#[inline]
pub(crate) fn at<'t>(text: &'t str, mark: &str) -> Option<(&'t str, &'t str)> {
    let (bytes, mark) = (text.as_bytes(), mark.as_bytes());
    let begin = memchr::memchr_iter(*mark.first()?, bytes).find(|begin| bytes[*begin..].starts_with(mark))?;
    Some((&text[..begin], &text[begin + mark.len()..]))
}

/// As [`at`], at its last place.
#[inline]
pub(crate) fn at_last<'t>(text: &'t str, mark: &str) -> Option<(&'t str, &'t str)> {
    let (bytes, mark) = (text.as_bytes(), mark.as_bytes());
    let begin =
        memchr::memrchr_iter(*mark.first()?, bytes).find(|begin| bytes[*begin..].starts_with(mark))?;
    Some((&text[..begin], &text[begin + mark.len()..]))
}

/// What follows the bytes at the start that are such marks, all of them ASCII.
pub(crate) fn behind(text: &str, is_mark: impl Fn(u8) -> bool) -> &str {
    let at = text.bytes().position(|byte| !is_mark(byte)).unwrap_or(text.len());
    text.get(at..).unwrap_or_default()
}

/// As [`str::trim`], which decodes characters at both ends: nearly no text has a blank there.
pub(crate) fn trim(text: &str) -> &str {
    match text.as_bytes() {
        [only] if only.is_ascii_graphic() => text,
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_a_byte() {
        for (text, expected) in [
            ("a b c", Some(("a", "b c"))),
            ("é ü", Some(("é", "ü"))),
            (" ", Some(("", ""))),
            ("ab", None),
            ("", None),
        ] {
            assert_eq!(once(text, b' '), expected, "{text:?}");
            assert_eq!(within(text, b' ', 8), expected, "{text:?}");
        }
        for text in ["", " ", "a", " a", "a ", "ab", "\u{a0}a\u{3000}", "é"] {
            assert_eq!(trim(text), text.trim(), "{text:?}");
        }
        assert_eq!(within("abc d", b' ', 3), None);
        for (text, mark, first, last) in [
            ("a] b] c", "] ", Some(("a", "b] c")), Some(("a] b", "c"))),
            ("a]b] c", "] ", Some(("a]b", "c")), Some(("a]b", "c"))),
            ("é → ü → ", " → ", Some(("é", "ü → ")), Some(("é → ü", ""))),
            ("a]", "] ", None, None),
            ("", "] ", None, None),
        ] {
            assert_eq!((at(text, mark), at_last(text, mark)), (first, last), "{text:?}");
            assert_eq!((first, last), (text.split_once(mark), text.rsplit_once(mark)), "{text:?}");
        }
        for (text, expected) in [("  é ", "é "), ("é", "é"), ("  ", ""), ("", "")] {
            assert_eq!(behind(text, |byte| byte == b' '), expected, "{text:?}");
        }
    }
}
