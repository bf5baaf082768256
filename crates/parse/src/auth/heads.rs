//! What loggers of some programs put before their words: the place in the source, numbers and columns in brackets, levels,
//! the part of the program that is about sign-ins. A word in brackets alone may be somebody's name.

use super::said;
use crate::cut;

/// Nothing of this is longer in one piece.
const BYTES_MAX: usize = 80;
const MARKS_MAX: usize = 6;

/// The message behind that. It looks at a few bytes of a message that has none.
pub(super) fn own_words(message: &str) -> &str {
    let mut text = message;
    for _ in 0..MARKS_MAX {
        let Some(rest) = behind_mark(text) else { break };
        text = cut::behind(rest, |byte| matches!(byte, b' ' | b':'));
    }
    text
}

fn behind_mark(text: &str) -> Option<&str> {
    match text.as_bytes().first()? {
        b'(' => {
            let (inside, rest) = cut::at(&text[1..], ") ")?;
            (inside.len() <= 40 && is_part(inside) && !inside.contains(' ')).then_some(rest)
        }
        b'[' => {
            let (inside, rest) = cut::once(&text[1..], b']')?;
            let is_number = inside.bytes().all(|byte| byte.is_ascii_digit()) || inside.starts_with("C-0");
            let is_columns = inside.contains([':', '=', ';', '#', '/']) && !said::is_numeric_socket(inside);
            (inside.len() <= 200 && (is_number || is_columns || is_part(inside))).then_some(rest)
        }
        _ => behind_word(text),
    }
}

fn behind_word(text: &str) -> Option<&str> {
    let (first, rest) = word(text)?;
    match first.as_bytes() {
        [.., b':'] if is_level(first) || is_logger(first) => return Some(rest),
        // `SignInPost() [I] text`.
        [.., b'(', b')'] => return rest.strip_prefix('[')?.split_once("] ").map(|(_, rest)| rest),
        [b'0'..=b'9', ..] => return behind_number(first, rest),
        _ => {}
    }
    // `org.example.Logger warn`, of java.util.logging, whose text is on the next line.
    const LEVEL_BYTES_MAX: usize = 8;
    if first.len() > LEVEL_BYTES_MAX
        && let Some(end) = rest.bytes().take(LEVEL_BYTES_MAX).position(|byte| byte == b'\n')
        && first.matches('.').count() >= 2
    {
        return Some(&rest[end + 1..]);
    }
    // `shop odoo.addons.base.models.res_users: text`.
    if !rest.starts_with(|first: char| first.is_ascii_lowercase()) {
        return None;
    }
    word(rest).filter(|(second, _)| second.ends_with(':') && is_logger(second)).map(|(_, rest)| rest)
}

/// A number, or the program's own time behind that of syslog.
fn behind_number<'t>(first: &str, rest: &'t str) -> Option<&'t str> {
    if first.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(rest);
    }
    let is_date = first.len() == 10 && first.contains(['/', '-']);
    word(rest)
        .filter(|(clock, _)| is_date && clock.starts_with(|first: char| first.is_ascii_digit()))
        .map(|(_, rest)| rest)
}

/// The first word and what is behind it.
fn word(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let end = memchr::memchr(b' ', &bytes[..bytes.len().min(BYTES_MAX)])?;
    Some((&text[..end], &text[end + 1..]))
}

fn is_part(text: &str) -> bool {
    const PARTS: [&str; 7] = ["auth", "login", "signin", "security", "stderr", "stdout", "panel"];
    let text = text.to_ascii_lowercase();
    PARTS.iter().any(|word| text.contains(word))
}

fn is_level(word: &str) -> bool {
    matches!(word, "WARNING:" | "SEVERE:" | "ERROR:" | "INFO:" | "NOTICE:" | "WARN:")
}

/// `odoo.addons.base.models.res_users:`.
fn is_logger(word: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_');
    let name = word.strip_suffix(':').filter(|name| name.bytes().all(is_part));
    name.is_some_and(|name| {
        name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.matches('.').count() >= 2
    })
}
