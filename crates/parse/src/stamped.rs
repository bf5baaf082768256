//! Whether a line begins with a time stamp, of whatever form.

use crate::time;

/// Whether a line begins with a time stamp or a syslog priority, whatever blanks and brackets stand before it.
pub(crate) fn has_time(text: &str) -> bool {
    begins_with_time(text.as_bytes())
}

pub(crate) fn begins_with_time(text: &[u8]) -> bool {
    let start =
        text.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'[' | b'(' | b'"' | b'\'')).unwrap_or(0);
    let text = &text[start..];
    let Some(first) = text.first() else { return false };
    match first {
        b'0'..=b'9' => time::begins(text) || is_clock_or_date(text),
        b'<' => text
            .iter()
            .take(5)
            .position(|byte| *byte == b'>')
            .is_some_and(|end| end > 1 && text[1..end].iter().all(u8::is_ascii_digit)),
        b'A'..=b'Z' | b'a'..=b'z' => time::begins(text) || is_named_time(text),
        _ => false,
    }
}

/// `21:59:01`, `10/22/2026 21:59`, `22.10.2026 21:59`, `10-22 21:59:01`.
fn is_clock_or_date(text: &[u8]) -> bool {
    let mut shape = [0; 24];
    for (shape, byte) in shape.iter_mut().zip(text) {
        *shape = if byte.is_ascii_digit() { b'0' } else { *byte };
    }
    let shape = &shape[..text.len().min(24)];
    let is_date = |separator: &u8| {
        let mut parts = shape.split(|byte| byte == separator);
        let (Some(first), Some(second), Some(third)) = (parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        [first, second, third].iter().all(|part| part.starts_with(b"0"))
            && first.len() <= 4
            && second.len() <= 2
            && third.windows(3).any(|part| part == b":00")
    };
    shape.starts_with(b"00:00:00")
        || shape.starts_with(b"00-00 00:00:00")
        || [b'/', b'.', b'-'].iter().any(is_date)
}

/// `Oct 22 21:59:01`, `Thu Oct 22 …`, `E1022 21:59:01.337461`.
fn is_named_time(text: &[u8]) -> bool {
    const NAMES: [&[u8]; 19] = [
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
        b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun",
    ];
    let is_klog = matches!(text, [b'I' | b'W' | b'E' | b'F', a, b, c, d, b' ', ..]
        if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()));
    let named = NAMES.iter().any(|name| text.starts_with(name)) && matches!(text.get(3), Some(b' ' | b','));
    is_klog || (named && memchr::memmem::find(&text[..text.len().min(32)], b":").is_some())
}
