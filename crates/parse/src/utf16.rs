//! UTF-16: recognised by its byte order mark, or by the zeros that most of its characters hold.

use std::borrow::Cow;

/// Bytes that are looked at.
const SAMPLE_BYTES: usize = 32 << 10;

/// Which byte of a character comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The low one.
    Little,
    /// The high one.
    Big,
}

/// The order, when the bytes at the start of a text are UTF-16: by the byte order mark; without one when most characters
/// of the lines have a high byte of 0 and no low byte is.
pub fn order(start: &[u8]) -> Option<Order> {
    match start {
        // FF FE 00 00 would be UTF-32.
        [0xff, 0xfe, 0, 0, ..] => return None,
        [0xff, 0xfe, ..] => return Some(Order::Little),
        [0xfe, 0xff, ..] => return Some(Order::Big),
        _ => {}
    }
    let start = &start[..start.len().min(SAMPLE_BYTES)];
    [Order::Little, Order::Big].into_iter().find(|order| {
        let (mut narrow, mut wide) = (0, 0);
        for unit in units(start, *order) {
            match unit {
                0 => return false,
                0x0a | 0x0d => {}
                1..0x100 => narrow += 1,
                // The low byte is NUL: the other byte order, or no UTF-16.
                _ if unit & 0xff == 0 => return false,
                _ => wide += 1,
            }
        }
        narrow > 1 && narrow * 4 > wide
    })
}

/// The units of two bytes; half a unit at the end is left out.
pub fn units(bytes: &[u8], order: Order) -> impl Iterator<Item = u16> {
    bytes.chunks_exact(2).map(move |pair| match order {
        Order::Big => u16::from_be_bytes([pair[0], pair[1]]),
        Order::Little => u16::from_le_bytes([pair[0], pair[1]]),
    })
}

/// The text without byte order marks; U+FFFD stands for halves of pairs.
pub fn decoded(bytes: &[u8], order: Order) -> String {
    char::decode_utf16(units(bytes, order))
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .filter(|character| *character != '\u{feff}')
        .collect()
}

/// The bytes as they are, or as UTF-8 when they are UTF-16; and whether they were.
pub(crate) fn as_utf8(bytes: &[u8]) -> (Cow<'_, [u8]>, bool) {
    // A zero among the first bytes, or a mark, tells UTF-16 from nearly everything else.
    let is_likely = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..]);
    match is_likely.then(|| order(bytes)).flatten() {
        Some(order) => (Cow::Owned(decoded(bytes, order).into_bytes()), true),
        None => (Cow::Borrowed(bytes), false),
    }
}
