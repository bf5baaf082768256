// What is done with each input of the fuzz target `text`; an ordinary test does the same.

#[path = "../src/tail/text.rs"]
mod text;

use text::{Cut, Encoding, Nature};

/// Reads bytes as a watched file is read, so many at a time; panics where that is not what a look at all of them
/// says, line by line.
pub(crate) fn text(turn: usize, is_big_endian: bool, bytes: &[u8]) {
    let turn = 16 + 2 * turn;
    let sample = bytes.len().min(text::SAMPLE_BYTES);
    let nature = text::nature(&bytes[..sample], &bytes[bytes.len() - sample..], None);
    let wide = if is_big_endian { Encoding::Utf16Be } else { Encoding::Utf16Le };
    let guessed = if let Nature::Text(encoding) = nature { encoding } else { Encoding::Bytes };
    for encoding in [Encoding::Bytes, wide, guessed] {
        compare(encoding, turn, bytes);
    }
}

fn compare(encoding: Encoding, turn: usize, bytes: &[u8]) {
    let found = read(encoding, turn, bytes);
    let lines = lines(encoding, bytes);
    let cut: Vec<String> =
        lines.iter().map(|line| decoded(encoding, &line[..line.len().min(turn)])).collect();
    if !lines.iter().any(|line| decoded(encoding, line).contains('\0')) {
        assert_eq!(trimmed(&found), trimmed(&cut), "{encoding:?} by {turn}");
    } else if lines.iter().all(|line| line.len() <= turn) {
        // NULs are no text: they are left out where there are many, or where a line begins or all ends.
        assert_eq!(without_nuls(&found), without_nuls(&cut), "{encoding:?} by {turn}");
    }
}

/// Without empty lines at the end: a byte order mark without a newline is one, or none.
fn trimmed(lines: &[String]) -> &[String] {
    let end = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
    &lines[..end]
}

/// The lines that turns of so many bytes give.
fn read(encoding: Encoding, turn: usize, bytes: &[u8]) -> Vec<String> {
    let (mut rest, mut skipping, mut found) = (bytes, false, Vec::new());
    while !rest.is_empty() {
        let is_full = rest.len() >= turn;
        let mut new = &rest[..turn.min(rest.len())];
        if is_full && new.iter().all(|byte| *byte == 0) {
            (rest, skipping) = (&rest[turn..], false);
            continue;
        }
        if !is_full {
            new = &new[..encoding.length_without_nuls(new)];
        }
        if new.is_empty() {
            break;
        }
        let Some(Cut { end, skip, skipping: goes_on }) = encoding.cut(new, skipping, is_full, true) else {
            break;
        };
        assert!(end > 0 && end <= new.len() && skip <= end, "{encoding:?} by {turn}");
        let lines = encoding.decoded(&new[skip..end]);
        if skip < end {
            let lines = lines.strip_suffix(b"\n").unwrap_or(&lines);
            found.extend(
                lines.split(|byte| *byte == b'\n').map(|line| String::from_utf8_lossy(line).into_owned()),
            );
        }
        (rest, skipping) = (&rest[end..], goes_on);
    }
    found
}

/// The bytes of each line with its newline.
fn lines(encoding: Encoding, bytes: &[u8]) -> Vec<&[u8]> {
    let newline: &[u8] = match encoding {
        Encoding::Bytes => b"\n",
        Encoding::Utf16Le => b"\n\0",
        Encoding::Utf16Be => b"\0\n",
    };
    let whole = &bytes[..bytes.len() / newline.len() * newline.len()];
    let (mut lines, mut begin) = (Vec::new(), 0);
    for (at, unit) in whole.chunks_exact(newline.len()).enumerate() {
        if unit == newline {
            let end = (at + 1) * newline.len();
            lines.push(&whole[begin..end]);
            begin = end;
        }
    }
    if begin < whole.len() {
        lines.push(&whole[begin..]);
    }
    lines
}

/// The text of one line.
fn decoded(encoding: Encoding, line: &[u8]) -> String {
    let pairs = line.chunks_exact(2).map(|pair| [pair[0], pair[1]]);
    let text = match encoding {
        Encoding::Bytes => String::from_utf8_lossy(line).into_owned(),
        Encoding::Utf16Le => String::from_utf16_lossy(&pairs.map(u16::from_le_bytes).collect::<Vec<_>>()),
        Encoding::Utf16Be => String::from_utf16_lossy(&pairs.map(u16::from_be_bytes).collect::<Vec<_>>()),
    };
    let text = text.strip_suffix('\n').unwrap_or(&text);
    if encoding == Encoding::Bytes { text.to_owned() } else { text.replace('\u{feff}', "") }
}

fn without_nuls(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| line.replace('\0', "")).filter(|line| !line.is_empty()).collect()
}
