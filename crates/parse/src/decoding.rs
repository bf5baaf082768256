//! Bytes as text, so that the text and what is marked beside it give back the same bytes.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use event::{Event, Value, field};

/// How bytes became text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decoding {
    Utf8,
    /// No byte beyond ASCII was UTF-8, and each is a letter or sign of Windows-1252, which holds Latin-1.
    Windows1252,
    /// Some bytes are nothing: U+FFFD stands for them.
    Lossy,
}

/// What Windows-1252 has for the bytes from 0x80 to 0x9f; NUL for those that are nothing.
const HIGH: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘', '’', '“',
    '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
];

/// The text of some bytes.
pub(crate) fn text(bytes: &[u8]) -> (Cow<'_, str>, Decoding) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text), Decoding::Utf8),
        Err(_) => match windows_1252(bytes) {
            Some(text) => (Cow::Owned(text), Decoding::Windows1252),
            None => (Cow::Owned(String::from_utf8_lossy(bytes).into_owned()), Decoding::Lossy),
        },
    }
}

fn windows_1252(bytes: &[u8]) -> Option<String> {
    let is_mixed = bytes.utf8_chunks().any(|chunk| !chunk.valid().is_ascii());
    let is_control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x1b);
    if is_mixed || bytes.iter().any(is_control) {
        return None;
    }
    bytes
        .iter()
        .map(|byte| match byte {
            0x80..0xa0 => Some(HIGH[usize::from(byte - 0x80)]).filter(|character| *character != '\0'),
            byte => Some(char::from(*byte)),
        })
        .collect()
}

impl Decoding {
    /// Says of an event what its text was made of.
    pub(crate) fn mark(self, event: &mut Event<'_>, bytes: &[u8]) {
        match self {
            Self::Utf8 => {}
            Self::Windows1252 => event.flag(field::WINDOWS_1252),
            Self::Lossy => {
                event.flag(field::INVALID_UTF8);
                event.set(field::ORIGINAL_BASE64, Value::String(STANDARD.encode(bytes).into()));
            }
        }
    }
}

/// The bytes of the line that an event was parsed from, as far as it has an `event.original`: without the terminator, and
/// without what was cut.
pub fn original_bytes(event: &Event<'_>) -> Option<Vec<u8>> {
    let original = event.original.as_deref()?;
    if let Some(Value::String(base64)) = event.field(field::ORIGINAL_BASE64)
        && event.has_flag(field::INVALID_UTF8)
    {
        return STANDARD.decode(base64.as_bytes()).ok();
    }
    if event.has_flag(field::WINDOWS_1252) {
        let byte =
            |character: char| match HIGH.iter().position(|high| *high == character && character != '\0') {
                Some(at) => u8::try_from(0x80 + at).ok(),
                None => u8::try_from(u32::from(character)).ok(),
            };
        return original.chars().map(byte).collect();
    }
    Some(original.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_utf8() {
        for (bytes, expected, decoding) in [
            (&b"Gr\xc3\xb6\xc3\x9fe"[..], "Größe", Decoding::Utf8),
            (b"Gr\xf6\xdfe 5 \x80", "Größe 5 €", Decoding::Windows1252),
            (b"Gr\xf6\xdfe, Gr\xc3\xb6\xc3\x9fe", "Gr\u{fffd}\u{fffd}e, Größe", Decoding::Lossy),
            (b"\x81\x8d", "\u{fffd}\u{fffd}", Decoding::Lossy),
            (b"\xff\0", "\u{fffd}\0", Decoding::Lossy),
        ] {
            assert_eq!(text(bytes), (Cow::Borrowed(expected), decoding));
            let received = event::Timestamp::default();
            let mut event = Event::new("", received);
            event.original = Some(expected.into());
            decoding.mark(&mut event, bytes);
            assert_eq!(original_bytes(&event).as_deref(), Some(bytes), "{expected}");
        }
    }
}
