//! The members of JSON objects, at a fraction of what a reader of any type costs: most records are plain texts under
//! plain names.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// A value of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Member<'a> {
    /// A text without escapes.
    Text(&'a str),
    /// Well-formed JSON that is anything else.
    Json(&'a str),
}

/// Hands over each member of the object that fills a text, blanks apart. None where the text is no well-formed object,
/// by RFC 8259; some members may have been handed over then.
pub(crate) fn members<'a>(text: &'a str, each: &mut dyn FnMut(Cow<'a, str>, Member<'a>)) -> Option<()> {
    let bytes = text.as_bytes();
    let at = after_blanks(bytes, 0);
    if bytes.get(at) != Some(&b'{') {
        return None;
    }
    let mut at = after_blanks(bytes, at + 1);
    if bytes.get(at) == Some(&b'}') {
        return (after_blanks(bytes, at + 1) == bytes.len()).then_some(());
    }
    loop {
        let (name, end) = name(text, at)?;
        at = after_blanks(bytes, end);
        if bytes.get(at) != Some(&b':') {
            return None;
        }
        at = after_blanks(bytes, at + 1);
        let (value, end) = value(text, at)?;
        each(name, value);
        at = after_blanks(bytes, end);
        match bytes.get(at)? {
            b',' => at = after_blanks(bytes, at + 1),
            b'}' => return (after_blanks(bytes, at + 1) == bytes.len()).then_some(()),
            _ => return None,
        }
    }
}

fn after_blanks(bytes: &[u8], at: usize) -> usize {
    let mut at = at;
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// The name that begins at `at`, and where it has ended.
fn name(text: &str, at: usize) -> Option<(Cow<'_, str>, usize)> {
    if text.as_bytes().get(at) != Some(&b'"') {
        return None;
    }
    if let Some(end) = plain_end(text.as_bytes(), at + 1) {
        return Some((Cow::Borrowed(text.get(at + 1..end)?), end + 1));
    }
    let raw = raw(text, at)?;
    Some((Cow::Owned(serde_json::from_str(raw).ok()?), at + raw.len()))
}

/// The value that begins at `at`, and where it has ended.
fn value(text: &str, at: usize) -> Option<(Member<'_>, usize)> {
    let bytes = text.as_bytes();
    let end = match bytes.get(at)? {
        b'"' => {
            if let Some(end) = plain_end(bytes, at + 1) {
                return Some((Member::Text(text.get(at + 1..end)?), end + 1));
            }
            None
        }
        b'1'..=b'9' => {
            let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let end = at + digits;
            matches!(bytes.get(end), Some(b',' | b'}')).then_some(end)
        }
        b't' if bytes[at..].starts_with(b"true") => Some(at + 4),
        b'n' if bytes[at..].starts_with(b"null") => Some(at + 4),
        b'f' if bytes[at..].starts_with(b"false") => Some(at + 5),
        _ => None,
    };
    let json = match end {
        Some(end) => text.get(at..end)?,
        None => raw(text, at)?,
    };
    Some((Member::Json(json), at + json.len()))
}

/// The JSON that begins at `at`, whatever it is.
fn raw(text: &str, at: usize) -> Option<&str> {
    let mut values = serde_json::Deserializer::from_str(text.get(at..)?).into_iter::<&RawValue>();
    Some(values.next()?.ok()?.get())
}

/// Where the quote stands that closes a text from `at` on; None where an escape, or what no text may hold, comes first.
fn plain_end(bytes: &[u8], at: usize) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    // Has its high bit at the first byte below a bound, if any byte of the word is; behind it, it may have it too.
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word;
    let mut at = at;
    while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*eight);
        let quote = below(word ^ (ONES * u64::from(b'"')), 1);
        let escape = below(word ^ (ONES * u64::from(b'\\')), 1);
        let found = (quote | escape | below(word, 0x20)) & HIGHS;
        if found != 0 {
            at += found.trailing_zeros() as usize / 8;
            return (bytes[at] == b'"').then_some(at);
        }
        at += 8;
    }
    let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    let end = at + bytes.get(at..)?.iter().position(ends)?;
    (bytes[end] == b'"').then_some(end)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<Vec<(String, String)>> {
        let mut read = Vec::new();
        members(text, &mut |name, value| {
            let json = match value {
                Member::Text(text) => format!("\"{text}\""),
                Member::Json(json) => json.to_owned(),
            };
            read.push((name.into_owned(), json));
        })?;
        Some(read)
    }

    fn known(text: &str) -> Option<Vec<(String, String)>> {
        let known: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
        Some(known.into_iter().map(|(name, value)| (name, value.get().to_owned())).collect())
    }

    #[test]
    fn objects_are_read_as_they_stand() {
        for text in [
            "{}",
            " {\t}\r\n",
            r#"{"a":"b"}"#,
            r#"{"a" : "b" , "longer name":"a text of more than eight bytes","é":"größer"}"#,
            r#"{"a":1,"b":0,"c":-0,"d":1.5e3,"e":12345678901234567890123,"f":7 }"#,
            r#"{"a":true,"b":false,"c":null,"d":[1, "]"],"e":{"f":{}}}"#,
            r#"{"a\n\u0041":"\"\ud800"}"#,
            r#"{"a":"\\"}"#,
        ] {
            assert!(known(text).is_some(), "{text}");
            let mut read = read(text).unwrap();
            read.sort();
            assert_eq!(Some(read), known(text), "{text}");
        }
        for text in [
            "",
            "{",
            "[]",
            "{}{}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":"b",}"#,
            r#"{"a":"b""#,
            r#"{"a":"b" "c":"d"}"#,
            r#"{a:"b"}"#,
            r#"{"a":01}"#,
            r#"{"a":1.}"#,
            r#"{"a":truer}"#,
            r#"{"a":nul}"#,
            "{\"a\":\"new\nline in a longer text\"}",
            "{\"a\":\"\t\"}",
            r#"{"\ud800":1}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":[1,]}"#,
        ] {
            assert_eq!(read(text), None, "{text}");
            assert_eq!(known(text), None, "{text}");
        }
    }

    #[test]
    fn members_of_one_name_are_all_handed_over() {
        let each = |value: &str| ("a".to_owned(), value.to_owned());
        assert_eq!(read(r#"{"a":1,"a":2}"#), Some(vec![each("1"), each("2")]));
    }

    proptest! {
        #[test]
        fn the_same_texts_are_objects_as_elsewhere(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "{", "}", "\"", "\"a\"", "\"message\":", ":", ",", " ", "1", "0", "-", "e5", ".5", "true", "null",
                    "[", "]", "\\", "\\n", "\\ud83d\\ude00", "é", "\u{1}", "text of some length", "\"b\":{\"c\":7}",
                ]),
                0..12,
            ),
            is_framed in any::<bool>(),
        ) {
            let inner = parts.concat();
            let text = if is_framed { format!("{{\"x\":{inner}}}") } else { inner };
            let (read, known) = (read(&text), known(&text));
            prop_assert_eq!(read.is_some(), known.is_some(), "{}", text);
            let names = |members: Vec<(String, String)>| members.into_iter().collect::<BTreeMap<_, _>>();
            prop_assert_eq!(read.map(names), known.map(names), "{}", text);
        }
    }
}
