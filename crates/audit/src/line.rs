//! One line of the record, and how it hangs on the one before.

use std::io::Write;

use blake3::Hash;
use event::Timestamp;

/// The longest line there can be, its newline included.
pub(crate) const LINE_BYTES_MAX: usize = 64 << 10;

const HASH: &[u8] = br#","hash":""#;
const END: &[u8] = br#""}"#;
const SUFFIX_BYTES: usize = HASH.len() + 64 + END.len();

/// On what the first line of an installation hangs.
pub(crate) fn genesis(installation: &str) -> Hash {
    Hash::from_bytes(blake3::derive_key("log-sentinel audit 1 genesis", installation.as_bytes()))
}

/// The hash of a line: of the hash before and of all of the line up to its own.
pub(crate) fn follow(previous: &Hash, content: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(previous.as_bytes());
    hasher.update(content);
    hasher.finalize()
}

/// Appends a line with these members (JSON without braces) and gives its hash.
pub(crate) fn push(lines: &mut Vec<u8>, seq: u64, time: Timestamp, members: &str, previous: &Hash) -> Hash {
    let start = lines.len();
    // Writing to a buffer does not fail.
    drop(write!(lines, r#"{{"seq":{seq},"time":"{time}",{members}"#));
    let hash = follow(previous, &lines[start..]);
    lines.extend_from_slice(HASH);
    lines.extend_from_slice(hash.to_hex().as_bytes());
    lines.extend_from_slice(END);
    lines.push(b'\n');
    hash
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The first of a file.
    Header,
    Checkpoint,
    Record,
}

/// A line that has the form of one; whether it hangs on the one before is another question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) seq: u64,
    pub(crate) time: Timestamp,
    pub(crate) kind: Kind,
    /// What is hashed.
    pub(crate) content: &'a [u8],
    /// The hash that the line gives itself, in hexadecimal digits.
    pub(crate) hash: &'a [u8],
}

impl<'a> Line<'a> {
    /// Looks at what verification needs, and at no more: a million lines take a second.
    pub(crate) fn parse(line: &'a [u8]) -> Option<Self> {
        let (content, suffix) = line.split_at_checked(line.len().checked_sub(SUFFIX_BYTES)?)?;
        let hash = suffix.strip_prefix(HASH)?.strip_suffix(END)?;
        let rest = content.strip_prefix(br#"{"seq":"#)?;
        let (digits, rest) = rest.split_at_checked(memchr::memchr(b',', rest)?)?;
        let seq = number(digits)?;
        let rest = rest.strip_prefix(br#","time":""#)?;
        let (time, rest) = rest.split_at_checked(memchr::memchr(b'"', rest)?)?;
        let time = Timestamp::parse(std::str::from_utf8(time).ok()?).ok()?;
        let members = rest.strip_prefix(br#"","#)?;
        let kind = if members.starts_with(br#""actor":"#) {
            Kind::Record
        } else if members.starts_with(br#""checkpoint":"#) {
            Kind::Checkpoint
        } else if members.starts_with(br#""audit":"#) {
            Kind::Header
        } else {
            return None;
        };
        Some(Self { seq, time, kind, content, hash })
    }

    /// The hash of this line if it hangs on `previous`; None when it does not.
    pub(crate) fn follows(&self, previous: &Hash) -> Option<Hash> {
        let hash = follow(previous, self.content);
        (hash.to_hex().as_bytes() == self.hash).then_some(hash)
    }

    /// The hash that the line gives itself.
    pub(crate) fn claimed(&self) -> Option<Hash> {
        Hash::from_hex(self.hash).ok()
    }
}

/// Decimal digits as this program writes them: no sign, no leading zero.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 19 || (digits[0] == b'0' && digits.len() > 1) {
        return None;
    }
    digits
        .iter()
        .try_fold(0u64, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written_and_as_nothing_else() {
        let genesis = genesis("a");
        let mut lines = vec![];
        let time = Timestamp::saturating_from_nanos(1_700_000_000_123_456_789);
        let hash =
            push(&mut lines, 7, time, r#""actor":{"kind":"system"},"target":"x\",\"hash\":\"""#, &genesis);
        let text = &lines[..lines.len() - 1];
        let line = Line::parse(text).unwrap();
        assert_eq!((line.seq, line.time, line.kind), (7, time, Kind::Record));
        assert_eq!(line.follows(&genesis), Some(hash));
        assert_eq!(line.follows(&hash), None);
        assert_eq!(line.claimed(), Some(hash));
        serde_json::from_slice::<serde_json::Value>(text).unwrap();
        for bytes in 0..text.len() {
            assert!(Line::parse(&text[..bytes]).is_none(), "{bytes}");
        }
        for wrong in ["", "{}", r#"{"seq":07,"#, r#"{"seq":-1,"time":"2024-06-01T12:00:00Z","actor":"#] {
            let line = format!(r#"{wrong},"hash":"{}"}}"#, hash.to_hex());
            assert!(Line::parse(line.as_bytes()).is_none(), "{line}");
        }
    }
}
