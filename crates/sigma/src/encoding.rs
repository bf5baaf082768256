//! The encodings that modifiers ask for.

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::{error::Reason, pattern::Part};

/// One step of encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Base64,
    /// Base64 of text that begins anywhere within what was encoded.
    Base64Offset,
    Utf16LittleEndian,
    Utf16BigEndian,
    /// UTF-16, little-endian, behind a byte order mark.
    Utf16,
}

impl Encoding {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "base64" => Self::Base64,
            "base64offset" => Self::Base64Offset,
            "wide" | "utf16le" => Self::Utf16LittleEndian,
            "utf16be" => Self::Utf16BigEndian,
            "utf16" => Self::Utf16,
            _ => return None,
        })
    }

    /// Whether what comes out is found anywhere within a value rather than being the whole of it.
    pub(crate) fn is_within(self) -> bool {
        self == Self::Base64Offset
    }

    fn apply(self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, Reason> {
        Ok(match self {
            Self::Base64 => vec![BASE64_STANDARD.encode(bytes).into_bytes()],
            Self::Base64Offset => (0..3).map(|offset| within_base64(bytes, offset)).collect(),
            Self::Utf16LittleEndian => vec![utf16(bytes, u16::to_le_bytes)?],
            Self::Utf16BigEndian => vec![utf16(bytes, u16::to_be_bytes)?],
            Self::Utf16 => {
                let mut marked = vec![0xff, 0xfe];
                marked.extend(utf16(bytes, u16::to_le_bytes)?);
                vec![marked]
            }
        })
    }
}

fn utf16(bytes: &[u8], order: fn(u16) -> [u8; 2]) -> Result<Vec<u8>, Reason> {
    let text = std::str::from_utf8(bytes).map_err(|_| Reason::Encoding("it is no text any more"))?;
    Ok(text.encode_utf16().flat_map(order).collect())
}

/// The characters that stand in the Base64 of any text which has these bytes `offset` bytes behind a multiple
/// of three: those that depend on what stands before or behind are left out.
fn within_base64(bytes: &[u8], offset: usize) -> Vec<u8> {
    let mut shifted = vec![b' '; offset];
    shifted.extend(bytes);
    let encoded = BASE64_STANDARD.encode(&shifted);
    let start = [0, 2, 3][offset];
    let cut = [0, 3, 2][shifted.len() % 3];
    let end = encoded.len().saturating_sub(cut).max(start);
    encoded.as_bytes()[start..end].to_vec()
}

/// Encodes a text without wildcards, step by step; more than one form may come out.
pub(crate) fn encode(parts: &[Part], steps: &[Encoding]) -> Result<Vec<Vec<Part>>, Reason> {
    let text = match parts {
        [Part::Text(text)] => text,
        _ => return Err(Reason::Encoding("it has wildcards")),
    };
    let mut forms = vec![text.clone().into_bytes()];
    for step in steps {
        let mut next = vec![];
        for form in &forms {
            next.extend(step.apply(form)?);
        }
        forms = next;
    }
    let text = |bytes| String::from_utf8(bytes).map_err(|_| Reason::Encoding("what comes out is no UTF-8"));
    forms.into_iter().map(|bytes| Ok(vec![Part::Text(text(bytes)?)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(text: &str, steps: &[Encoding]) -> Vec<String> {
        let forms = encode(&[Part::Text(text.to_owned())], steps).unwrap();
        let text = |parts: Vec<Part>| match parts.as_slice() {
            [Part::Text(text)] => text.clone(),
            _ => panic!("{parts:?}"),
        };
        forms.into_iter().map(text).collect()
    }

    #[test]
    fn every_offset_is_found_in_what_was_encoded() {
        for text in ["http://", "/bin/bash", "x", "ab", "foo", "whoami"] {
            let forms = forms(text, &[Encoding::Base64Offset]);
            for before in 0..6 {
                for after in 0..4 {
                    let whole = "~".repeat(before) + text + &"~".repeat(after);
                    let encoded = BASE64_STANDARD.encode(whole);
                    assert!(encoded.contains(&forms[before % 3]), "{text} {before} {after}");
                }
            }
        }
    }

    #[test]
    fn known_encodings() {
        assert_eq!(forms("foobar", &[Encoding::Base64]), ["Zm9vYmFy"]);
        assert_eq!(forms("cmd", &[Encoding::Utf16LittleEndian]), ["c\0m\0d\0"]);
        assert_eq!(forms("cmd", &[Encoding::Utf16BigEndian]), ["\0c\0m\0d"]);
        assert_eq!(forms("cmd", &[Encoding::Utf16LittleEndian, Encoding::Base64]), ["YwBtAGQA"]);
        assert_eq!(forms("cmd", &[Encoding::Utf16, Encoding::Base64]), ["//5jAG0AZAA="]);
    }

    #[test]
    fn what_cannot_be_encoded_is_said() {
        let text = [Part::Text("cmd".to_owned())];
        assert!(encode(&text, &[Encoding::Utf16]).is_err(), "a byte order mark is no UTF-8");
        assert!(encode(&[Part::Many], &[Encoding::Base64]).is_err());
    }
}
