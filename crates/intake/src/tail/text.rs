//! What the bytes of a file are: text, in which encoding, packed, or binary throughout.

use std::borrow::Cow;

use parse::utf16::{self, Order};
use serde::{Deserialize, Serialize};

/// Bytes of a file's start and end by which it is judged.
pub(crate) const SAMPLE_BYTES: usize = 32 << 10;
/// A run of so many NUL bytes is a hole, not text.
const HOLE_BYTES: usize = 8;

/// How text is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Encoding {
    /// UTF-8, or any other in which a newline is one byte.
    #[default]
    Bytes,
    Utf16Le,
    Utf16Be,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nature {
    Text(Encoding),
    /// Compressed, as its name says.
    Packed,
    Binary,
}

/// First bytes of compressed files and archives, with the endings of names that announce them.
const MAGICS: &[(&[u8], &str)] = &[
    (b"\x1f\x8b", "gz"),
    (b"\x28\xb5\x2f\xfd", "zst"),
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bz2"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"PK\x03\x04", "zip"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
];

/// What a file is, by the bytes at its start and at its end (which may overlap), without leading NULs.
pub(crate) fn nature(start: &[u8], end: &[u8], ending: Option<&str>) -> Nature {
    for (magic, announced) in MAGICS {
        // Three letters alone are no proof.
        if start.starts_with(magic) && (*magic != b"BZh" || text_share(start) < 0.9) {
            let is_announced = ending.is_some_and(|ending| ending.eq_ignore_ascii_case(announced));
            return if is_announced { Nature::Packed } else { Nature::Binary };
        }
    }
    if body::Packing::of(start) == Some(body::Packing::Tar) {
        return Nature::Binary;
    }
    match utf16::order(start) {
        Some(Order::Little) => return Nature::Text(Encoding::Utf16Le),
        Some(Order::Big) => return Nature::Text(Encoding::Utf16Be),
        None => {}
    }
    let share = text_share(start).max(text_share(end));
    if share < 0.1 { Nature::Binary } else { Nature::Text(Encoding::Bytes) }
}

fn units(bytes: &[u8], encoding: Encoding) -> impl Iterator<Item = u16> {
    utf16::units(bytes, encoding.order())
}

/// Which share of the bytes stands in lines of text. NULs at the end of a line and holes count for
/// neither; 1 when nothing is left.
fn text_share(bytes: &[u8]) -> f64 {
    let (mut text, mut all) = (0, 0);
    for line in bytes.split(|byte| *byte == b'\n') {
        let is_filler = |byte: &u8| matches!(byte, 0 | b'\r');
        let begin = line.iter().position(|byte| !is_filler(byte)).unwrap_or(line.len());
        let end = line.iter().rposition(|byte| !is_filler(byte)).map_or(begin, |last| last + 1);
        let line = &line[begin..end];
        all += line.len();
        let is_control = |byte: &&u8| **byte < 0x20 && !matches!(**byte, b'\t' | b'\r' | 0x08 | 0x0c | 0x1b);
        let controls = line.iter().filter(is_control).count();
        let broken: usize = line.utf8_chunks().map(|chunk| chunk.invalid().len()).sum();
        // One stray byte in a short line is no more than that.
        if (controls + broken).saturating_sub(1) * 10 <= line.len() {
            text += line.len();
        }
    }
    if all == 0 { 1.0 } else { text as f64 / all as f64 }
}

/// What of a turn's bytes is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Up to here.
    pub(crate) end: usize,
    /// Bytes at the start that are no line: NULs, or the rest of one that was cut.
    pub(crate) skip: usize,
    /// The rest of the last line is to be passed over: it was cut here, or before.
    pub(crate) skipping: bool,
}

impl Encoding {
    /// Which byte of a character comes first, where it has two.
    fn order(self) -> Order {
        match self {
            Self::Utf16Be => Order::Big,
            _ => Order::Little,
        }
    }

    /// How far bytes are read: to the end of their last line, or to their own end when they have `waited` for a newline
    /// and are no `full` turn, behind which the line goes on. Without any line, to their end when they are full, so that
    /// the line is longer than a turn; else not at all.
    pub(crate) fn cut(self, bytes: &[u8], skipping: bool, full: bool, waited: bool) -> Option<Cut> {
        let line_end = self.lines_end(bytes);
        let end = line_end.filter(|_| full || !waited).or((full || waited).then_some(bytes.len()))?;
        let bytes = &bytes[..end];
        if skipping {
            let skip = self.line_end(bytes).unwrap_or(end);
            return Some(Cut { end, skip, skipping: skip == end && line_end.is_none() });
        }
        // The hole that truncation leaves under a writer that does not append.
        let skip = self.nuls_before(bytes);
        Some(Cut { end, skip, skipping: full && line_end.is_none() && skip < end })
    }

    /// Behind the last newline.
    pub(crate) fn lines_end(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Bytes => memrchr(bytes),
            _ => {
                let newlines = units(bytes, self).enumerate().filter(|(_, unit)| *unit == 0x0a);
                newlines.last().map(|(at, _)| 2 * at + 2)
            }
        }
    }

    /// Behind the first newline.
    pub(crate) fn line_end(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Bytes => bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1),
            _ => units(bytes, self).position(|unit| unit == 0x0a).map(|at| 2 * at + 2),
        }
    }

    /// How many bytes at the start are NUL characters.
    pub(crate) fn nuls_before(self, bytes: &[u8]) -> usize {
        match self {
            Self::Bytes => bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len()),
            _ => units(bytes, self).position(|unit| unit != 0).map_or(bytes.len(), |at| 2 * at),
        }
    }

    /// The length without NUL characters at the end, and without half a character.
    pub(crate) fn length_without_nuls(self, bytes: &[u8]) -> usize {
        match self {
            Self::Bytes => bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1),
            _ => {
                let last = bytes.chunks_exact(2).rposition(|pair| pair != [0, 0]);
                last.map_or(0, |last| 2 * last + 2)
            }
        }
    }

    /// The bytes as lines that a newline byte ends, without holes.
    pub(crate) fn decoded(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Bytes if !has_hole(bytes) => Cow::Borrowed(bytes),
            Self::Bytes => Cow::Owned(without_holes(bytes)),
            _ => Cow::Owned(utf16::decoded(bytes, self.order()).into_bytes()),
        }
    }
}

fn memrchr(bytes: &[u8]) -> Option<usize> {
    bytes.iter().rposition(|byte| *byte == b'\n').map(|at| at + 1)
}

fn has_hole(bytes: &[u8]) -> bool {
    // Every run of this length covers a multiple of it.
    bytes.iter().step_by(HOLE_BYTES).any(|byte| *byte == 0) && !hole(bytes, 0).is_empty()
}

/// The first hole from `from` on.
fn hole(bytes: &[u8], from: usize) -> std::ops::Range<usize> {
    let mut at = from;
    while let Some(begin) = bytes[at..].iter().position(|byte| *byte == 0).map(|nul| at + nul) {
        let end = bytes[begin..].iter().position(|byte| *byte != 0).map_or(bytes.len(), |text| begin + text);
        if end - begin >= HOLE_BYTES {
            return begin..end;
        }
        at = end;
    }
    bytes.len()..bytes.len()
}

fn without_holes(bytes: &[u8]) -> Vec<u8> {
    let (mut kept, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let hole = hole(bytes, at);
        kept.extend_from_slice(&bytes[at..hole.start]);
        at = hole.end;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str, encode: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(encode).collect()
    }

    #[test]
    fn what_a_file_is() {
        let noise: Vec<u8> =
            (0..4000u32).flat_map(|n| (n.wrapping_mul(2_654_435_761)).to_le_bytes()).collect();
        let utmp = [&b"\x07\0\0\0\x01\x02\0\0pts/0"[..], &[0; 300], b"\x05\x01\x02\x03"].concat().repeat(20);
        let latin = "2026-11-29 Größe überschritten\n".chars().map(|c| c as u8).collect::<Vec<u8>>();
        let (le, be) = (u16::to_le_bytes as fn(u16) -> [u8; 2], u16::to_be_bytes as fn(u16) -> [u8; 2]);
        let text = Nature::Text(Encoding::Bytes);
        let le_text = Nature::Text(Encoding::Utf16Le);
        let be_text = Nature::Text(Encoding::Utf16Be);
        let mut tar = [&b"a.log"[..], &[0; 507], b"line\n"].concat();
        tar[257..265].copy_from_slice(b"ustar\x0000");
        let sum = tar[..512].iter().map(|byte| u32::from(*byte)).sum::<u32>() + 8 * u32::from(b' ');
        tar[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        for (bytes, ending, expected) in [
            (b"plain text\n".to_vec(), None, text),
            (b"plain text\n".to_vec(), Some("gz"), text),
            (b"BZh is text\n".to_vec(), None, text),
            (b"one\0NUL\n".to_vec(), None, text),
            (b"ends in NUL\0\nand again\0\n".to_vec(), None, text),
            (b"ab\0\n".repeat(50), None, text),
            (b"1\0\n".repeat(50), None, text),
            (latin, None, text),
            (b"".to_vec(), None, text),
            (b"\x1f\x8b\x08\0\0\0\0\0".to_vec(), Some("GZ"), Nature::Packed),
            (b"\x1f\x8b\x08\0\0\0\0\0".to_vec(), Some("1"), Nature::Binary),
            (noise.clone(), Some("gz"), Nature::Binary),
            // A request for such a path makes no archive of a log.
            ([&[b'a'; 257][..], b"ustar ", &[b'1'; 300]].concat(), Some("log"), text),
            (tar, Some("tar"), Nature::Binary),
            (b"7z\xbc\xaf\x27\x1c".to_vec(), Some("7z"), Nature::Packed),
            (noise, None, Nature::Binary),
            (utmp, None, Nature::Binary),
            (wide("\u{feff}Größe 1\r\n", le), None, le_text),
            (wide("\u{feff}Größe 1\r\n", be), None, be_text),
            (wide("2026-11-29 12:00:01 begun\n", le), None, le_text),
            (wide("2026-11-29 12:00:01 Привет мир\n", be), None, be_text),
        ] {
            assert_eq!(nature(&bytes, &bytes, ending), expected, "{:?}", String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn a_file_with_lines_at_its_end_is_not_binary_throughout() {
        let noise: Vec<u8> =
            (0..4000u32).flat_map(|n| (n.wrapping_mul(2_654_435_761)).to_le_bytes()).collect();
        assert_eq!(nature(&noise, &b"a line\n".repeat(100), None), Nature::Text(Encoding::Bytes));
    }

    #[test]
    fn what_is_cut() {
        for (bytes, skipping, full, expected) in [
            (&b"a\nb\n"[..], false, false, Some((4, 0, false))),
            (b"a\nb", false, true, Some((2, 0, false))),
            (b"\0\0a\n", false, false, Some((4, 2, false))),
            (b"aaaa", false, false, None),
            (b"aaaa", false, true, Some((4, 0, true))),
            (b"aaaa", true, true, Some((4, 4, true))),
            (b"aa\nb\n", true, false, Some((5, 3, false))),
            (b"aaaa\n", true, false, Some((5, 5, false))),
        ] {
            let cut = Encoding::Bytes.cut(bytes, skipping, full, false);
            assert_eq!(cut.map(|cut| (cut.end, cut.skip, cut.skipping)), expected, "{bytes:?}");
        }
        let waited = Encoding::Bytes.cut(b"aaaa", false, false, true);
        assert_eq!(waited, Some(Cut { end: 4, skip: 0, skipping: false }));
        let waited = Encoding::Bytes.cut(b"a\nb", false, false, true);
        assert_eq!(waited, Some(Cut { end: 3, skip: 0, skipping: false }), "the half line waited as long");
        let full = Encoding::Bytes.cut(b"a\nb", false, true, true);
        assert_eq!(full, Some(Cut { end: 2, skip: 0, skipping: false }), "its rest is in the next turn");
    }

    #[test]
    fn utf16_is_decoded_by_whole_characters() {
        let bytes = wide("\u{feff}aĊ\u{10a00}\nrest", u16::to_be_bytes);
        let end = Encoding::Utf16Be.lines_end(&bytes).unwrap();
        assert_eq!(Encoding::Utf16Be.decoded(&bytes[..end]), "aĊ\u{10a00}\n".as_bytes());
        assert_eq!(Encoding::Utf16Be.line_end(&bytes), Some(end));
        let padded = [&wide("a\n", u16::to_le_bytes)[..], &[0; 5]].concat();
        assert_eq!(Encoding::Utf16Le.length_without_nuls(&padded), 4);
    }

    #[test]
    fn holes_are_left_out_and_other_nuls_kept() {
        let text = [&b"a\0b\n"[..], &[0; 20], b"c\n"].concat();
        assert_eq!(Encoding::Bytes.decoded(&text), &b"a\0b\nc\n"[..]);
        assert!(matches!(Encoding::Bytes.decoded(b"a\0\0b\n"), Cow::Borrowed(_)));
        for at in 0..20 {
            let text = [&vec![b'x'; at][..], &[0; HOLE_BYTES], b"y"].concat();
            assert_eq!(Encoding::Bytes.decoded(&text).len(), at + 1);
        }
    }
}
