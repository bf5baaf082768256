//! A line taken apart: literal text, and slots whose contents become columns. Lossless: literals
//! and contents joined again are the line, byte for byte.
//!
//! Digit runs and short hexadecimal runs become integers by bijective numeration (the strings over
//! an alphabet of `b` digits, ordered by length, numbered from 1), which keeps leading zeros.

use std::ops::Range;

use event::{Variable, VariableKind};

/// What stands in a slot. The numbers are part of the format; `WIDE + n` is `n` bytes written as
/// `2 n` lower-case hexadecimal digits.
pub(super) mod slot {
    pub(in super::super) const DECIMAL: u8 = 0;
    pub(in super::super) const HEX: u8 = 1;
    pub(in super::super) const HEX_UPPER: u8 = 2;
    /// Text, stored as its number in the block's dictionary.
    pub(in super::super) const TEXT: u8 = 3;
    /// The host of the row, stored nowhere else.
    pub(in super::super) const HOST: u8 = 4;
    /// 16 bytes in the block's wide stream.
    pub(in super::super) const UUID: u8 = 5;
    pub(in super::super) const WIDE: u8 = 64;
}

const DECIMAL_DIGITS_MAX: usize = 19;
const HEX_DIGITS_MAX: usize = 15;
const WIDE_BYTES_MAX: usize = 32;
const RUNS_MAX: usize = 12;

/// Bytes that a slot's content takes in the block's wide stream.
pub(super) const fn wide_len(slot: u8) -> usize {
    match slot {
        slot::UUID => 16,
        slot::WIDE.. => (slot - slot::WIDE) as usize,
        _ => 0,
    }
}

/// Whether a slot's content is an integer among the row's cells.
pub(super) const fn has_cell(slot: u8) -> bool {
    slot <= slot::TEXT
}

/// A place at a fixed distance behind the start of a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Anchor {
    pub(super) literal: u32,
    pub(super) offset: u32,
}

/// A stretch of a line between two anchors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Anchor,
    pub(super) to: Anchor,
}

/// A line taken apart; reused from row to row.
#[derive(Debug, Default)]
pub(super) struct Skeleton {
    /// The literals, one behind the other.
    pub(super) literals: String,
    /// Where each literal but the last ends in `literals`: one for each slot.
    pub(super) ends: Vec<u32>,
    pub(super) slots: Vec<u8>,
    /// Where each slot stands in the line.
    pub(super) ranges: Vec<(u32, u32)>,
    /// One for each slot with [`has_cell`]; 0 where text stands.
    pub(super) cells: Vec<u64>,
    /// Contents of the wide slots.
    pub(super) wide: Vec<u8>,
    line_len: u32,
}

impl Skeleton {
    pub(super) fn clear(&mut self) {
        self.literals.clear();
        self.ends.clear();
        self.slots.clear();
        self.ranges.clear();
        self.cells.clear();
        self.wide.clear();
        self.line_len = 0;
    }

    fn literal(&mut self, text: &str) {
        self.literals.push_str(text);
        self.line_len += text.len() as u32;
    }

    fn slot(&mut self, slot: u8, length: usize) {
        self.ends.push(self.literals.len() as u32);
        self.slots.push(slot);
        self.ranges.push((self.line_len, self.line_len + length as u32));
        self.line_len += length as u32;
    }

    fn cell(&mut self, slot: u8, length: usize, cell: u64) {
        self.slot(slot, length);
        self.cells.push(cell);
    }

    /// The place reached so far.
    pub(super) fn anchor(&self) -> Anchor {
        let start = self.ends.last().copied().unwrap_or_default();
        Anchor { literal: self.ends.len() as u32, offset: self.literals.len() as u32 - start }
    }

    /// Where a literal starts in the line.
    pub(super) fn literal_start(&self, literal: u32) -> u32 {
        match literal.checked_sub(1) {
            Some(slot) => self.ranges.get(slot as usize).map_or(0, |range| range.1),
            None => 0,
        }
    }

    /// Where a span of this line lies.
    pub(super) fn resolve(&self, span: Span) -> Range<usize> {
        let place = |anchor: Anchor| (self.literal_start(anchor.literal) + anchor.offset) as usize;
        place(span.from)..place(span.to)
    }

    /// The anchor of a place in the line; None inside a slot.
    pub(super) fn anchor_at(&self, place: usize) -> Option<Anchor> {
        let place = place as u32;
        let literal = self.ranges.partition_point(|range| range.1 <= place) as u32;
        match self.ranges.get(literal as usize) {
            Some(range) if range.0 < place => None,
            _ => Some(Anchor { literal, offset: place - self.literal_start(literal) }),
        }
    }

    /// Appends a message by its variables. Variables that are none make it one text slot.
    pub(super) fn message(&mut self, message: &str, variables: &[Variable]) {
        let mut at = 0;
        let sound = variables.iter().all(|variable| {
            let (start, end) = (variable.start as usize, variable.end as usize);
            let sound = at <= start && message.get(start..end).is_some();
            at = end;
            sound
        });
        if !sound {
            return self.cell(slot::TEXT, message.len(), 0);
        }
        let mut at = 0;
        for variable in variables {
            let (start, end) = (variable.start as usize, variable.end as usize);
            self.literal(&message[at..start]);
            self.variable(variable.kind, &message[start..end]);
            at = end;
        }
        self.literal(&message[at..]);
    }

    /// Appends a text as one slot.
    pub(super) fn text(&mut self, text: &str) {
        self.cell(slot::TEXT, text.len(), 0);
    }

    /// Appends what stands around the message in its line: the host where it occurs as a word,
    /// digit runs, and literal text.
    pub(super) fn surroundings(&mut self, mut text: &str, host: Option<&str>) {
        if let Some(host) = host.filter(|host| host.len() > 1)
            && let Some(at) = text.find(host)
            && !text[..at].ends_with(char::is_alphanumeric)
            && !text[at + host.len()..].starts_with(char::is_alphanumeric)
        {
            self.digit_runs(&text[..at]);
            self.slot(slot::HOST, host.len());
            text = &text[at + host.len()..];
        }
        self.digit_runs(text);
    }

    fn digit_runs(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let (mut at, mut literal) = (0, 0);
        while at < bytes.len() {
            if !bytes[at].is_ascii_digit() {
                at += 1;
                continue;
            }
            let mut end = at;
            while end < bytes.len() && bytes[end].is_ascii_digit() {
                end += 1;
            }
            if end - at <= DECIMAL_DIGITS_MAX {
                self.literal(&text[literal..at]);
                self.cell(slot::DECIMAL, end - at, from_digits(&bytes[at..end], 10));
            } else {
                self.literal(&text[literal..at]);
                self.text(&text[at..end]);
            }
            literal = end;
            at = end;
        }
        self.literal(&text[literal..]);
    }

    fn variable(&mut self, kind: VariableKind, text: &str) {
        let taken = match kind {
            VariableKind::Integer => self.decimal(text),
            VariableKind::Number | VariableKind::Time | VariableKind::Ip => self.digits_and_marks(kind, text),
            VariableKind::Hex => self.hex(text),
            VariableKind::Uuid => self.uuid(text),
            VariableKind::Path | VariableKind::Host | VariableKind::Text => false,
        };
        if !taken {
            self.text(text);
        }
    }

    fn decimal(&mut self, text: &str) -> bool {
        let fits = (1..=DECIMAL_DIGITS_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if fits {
            self.cell(slot::DECIMAL, text.len(), from_digits(text.as_bytes(), 10));
        }
        fits
    }

    /// Digit runs as numbers, marks as literals; words (of months) as text, in times only.
    fn digits_and_marks(&mut self, kind: VariableKind, text: &str) -> bool {
        let bytes = text.as_bytes();
        let class = |byte: u8| match byte {
            b'0'..=b'9' => 0u8,
            b'a'..=b'z' | b'A'..=b'Z' => 1,
            0x80.. => 3,
            _ => 2,
        };
        let words = kind == VariableKind::Time;
        let (mut runs, mut run_len, mut last) = (0, 0, 2);
        for &byte in bytes {
            let class = class(byte);
            run_len = if class == last { run_len + 1 } else { 1 };
            runs += usize::from(class < 2 && class != last);
            last = class;
            if class == 3
                || class == 1 && kind == VariableKind::Ip
                || class == 0 && run_len > DECIMAL_DIGITS_MAX
            {
                return false;
            }
        }
        if runs == 0 || runs > RUNS_MAX {
            return false;
        }
        let mut at = 0;
        while at < bytes.len() {
            let kind = class(bytes[at]);
            let length = bytes[at..].iter().take_while(|byte| class(**byte) == kind).count();
            let run = &text[at..at + length];
            match kind {
                0 => self.cell(slot::DECIMAL, length, from_digits(run.as_bytes(), 10)),
                1 if words && length > 1 => self.text(run),
                _ => self.literal(run),
            }
            at += length;
        }
        true
    }

    fn hex(&mut self, text: &str) -> bool {
        let digits = match text.as_bytes() {
            [b'0', b'x' | b'X', digits @ ..] => digits,
            digits => digits,
        };
        let lower = digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let upper = digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
        let prefix = &text[..text.len() - digits.len()];
        match digits.len() {
            1..=HEX_DIGITS_MAX if lower || upper => {
                self.literal(prefix);
                let slot = if lower { slot::HEX } else { slot::HEX_UPPER };
                self.cell(slot, digits.len(), from_digits(digits, 16));
                true
            }
            length if lower && length > HEX_DIGITS_MAX && length % 2 == 0 && length / 2 <= WIDE_BYTES_MAX => {
                self.literal(prefix);
                self.slot(slot::WIDE + (length / 2) as u8, length);
                self.wide.extend(
                    digits.as_chunks::<2>().0.iter().map(|pair| nibble(pair[0]) << 4 | nibble(pair[1])),
                );
                true
            }
            _ => false,
        }
    }

    fn uuid(&mut self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let sound = bytes.len() == 36
            && bytes.iter().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => *byte == b'-',
                _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            });
        if sound {
            self.slot(slot::UUID, 36);
            for (from, to) in [(0, 8), (9, 13), (14, 18), (19, 23), (24, 36)] {
                let pairs = bytes[from..to].as_chunks::<2>().0;
                self.wide.extend(pairs.iter().map(|pair| nibble(pair[0]) << 4 | nibble(pair[1])));
            }
        }
        sound
    }
}

const fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20).wrapping_sub(b'a').wrapping_add(10),
    }
}

/// The number of a string of digits; at most 19 decimal or 15 hexadecimal ones.
pub(super) fn from_digits(digits: &[u8], base: u64) -> u64 {
    digits.iter().fold(0, |number, digit| number * base + u64::from(nibble(*digit)) + 1)
}

/// Appends the string of digits with this number, of base 10 or 16.
pub(super) fn put_digits(number: u64, base: u64, upper: bool, out: &mut String) {
    // Division by a number that is known beforehand is none.
    match (base, upper) {
        (10, _) => put_digits_of::<10>(number, b"0123456789", out),
        (_, true) => put_digits_of::<16>(number, b"0123456789ABCDEF", out),
        (_, false) => put_digits_of::<16>(number, b"0123456789abcdef", out),
    }
}

fn put_digits_of<const BASE: usize>(mut number: u64, alphabet: &[u8; BASE], out: &mut String) {
    let mut digits = [0u8; 64];
    let mut at = digits.len();
    while number > 0 && at > 0 {
        at -= 1;
        digits[at] = alphabet[((number - 1) % BASE as u64) as usize];
        number = (number - 1) / BASE as u64;
    }
    out.push_str(std::str::from_utf8(&digits[at..]).unwrap_or_default());
}

/// Where the bytes start that stand between the hyphens of a UUID, and how many they are.
pub(super) const UUID_GROUPS: [(usize, usize); 5] = [(0, 4), (4, 2), (6, 2), (8, 2), (10, 6)];

/// The bytes of lower-case hexadecimal digits; None when others are among them or one is left over.
pub(super) fn from_wide(digits: &str) -> Option<Box<[u8]>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let are_digits = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (are_digits && rest.is_empty())
        .then(|| pairs.iter().map(|pair| nibble(pair[0]) << 4 | nibble(pair[1])).collect())
}

/// Appends wide content as its text.
pub(super) fn put_wide(slot: u8, bytes: &[u8], out: &mut String) {
    for (at, byte) in bytes.iter().enumerate() {
        if slot == slot::UUID && matches!(at, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        for digit in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digits_round_trip(decimal in "[0-9]{1,19}", hex in "[0-9a-f]{1,15}") {
            let mut out = String::new();
            put_digits(from_digits(decimal.as_bytes(), 10), 10, false, &mut out);
            prop_assert_eq!(&out, &decimal);
            out.clear();
            put_digits(from_digits(hex.as_bytes(), 16), 16, false, &mut out);
            prop_assert_eq!(&out, &hex);
            out.clear();
            put_digits(from_digits(hex.to_uppercase().as_bytes(), 16), 16, true, &mut out);
            prop_assert_eq!(out, hex.to_uppercase());
        }
    }

    #[test]
    fn variables_of_a_kind_share_a_skeleton() {
        let skeleton = |kind, text: &str| {
            let mut skeleton = Skeleton::default();
            let end = text.len() as u32;
            skeleton.message(text, &[Variable { kind, start: 0, end }]);
            (skeleton.literals, skeleton.slots)
        };
        for (kind, a, b) in [
            (VariableKind::Ip, "10.0.0.1", "192.168.250.3"),
            (VariableKind::Integer, "007", "123"),
            (VariableKind::Time, "2024-06-01T00:00:00.5Z", "2023-12-31T23:59:59.123Z"),
            (VariableKind::Time, "Jun  4 01:02:03", "Dec 14 11:12:13"),
            (VariableKind::Hex, "0xff", "0x0a1b"),
        ] {
            let (a, b) = (skeleton(kind, a), skeleton(kind, b));
            assert_eq!(a.1, b.1, "{kind:?}");
        }
    }
}
