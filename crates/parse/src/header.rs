//! The words between a time stamp and the text: where a level stands among them.

use event::Severity;

use crate::{cut, level};

/// How many words may stand between time stamp and level.
const WORDS_MAX: usize = 8;

/// A level in a header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<'a> {
    pub(crate) severity: Severity,
    /// What stands before the level.
    pub(crate) between: &'a str,
    /// A name beside the level that is nothing else: the channel of `shop.ERROR`, a logger between dashes.
    pub(crate) logger: Option<&'a str>,
    /// What follows the level.
    pub(crate) rest: &'a str,
    /// Where a word stands before the level that may belong to the text: from it on.
    pub(crate) whole: Option<&'a str>,
}

/// A word of a header: in brackets, or up to a blank or another mark.
#[derive(Debug, Clone, Copy)]
struct Word<'a> {
    text: &'a str,
    is_bracketed: bool,
    /// What follows it, behind its bracket.
    after: &'a str,
}

/// The level among the first words of a header. Words in brackets, numbers and what has marks in it may stand
/// before it, and one plain word. Outside of brackets a level is in capitals, or is the first word and stands before
/// a mark.
pub(crate) fn level(header: &str) -> Option<Found<'_>> {
    let (mut rest, mut plain, mut logger, mut whole) = (header, 0, None, None);
    for number in 0..WORDS_MAX {
        let is_mark = |byte: u8| matches!(byte, b' ' | b'\t' | b'-' | b'|' | b':' | b',' | b';');
        let skipped = &rest[rest.bytes().position(|byte| !is_mark(byte))?..];
        let gap = &rest[..rest.len() - skipped.len()];
        let word = word(skipped)?;
        let found = |severity, logger, after| Found {
            severity,
            between: &header[..header.len() - skipped.len()],
            logger,
            rest: after,
            whole,
        };
        if let Some(severity) = of(&word, number == 0) {
            return Some(found(severity, logger, word.after.trim_start_matches([']', ':'])));
        }
        if let Some((channel, severity)) = channel(&word) {
            return Some(found(severity, Some(channel), word.after.trim_start_matches(':')));
        }
        if !word.is_bracketed && is_name(word.text) {
            // A name that stands between two marks is a field of the header and no word of the text.
            let is_field = ends_field(gap) && begins_field(word.after);
            let is_identifier = is_identifier(word.text);
            if is_field || is_identifier {
                logger = logger.or(Some(word.text));
            } else {
                plain += 1;
                if plain > 1 || is_capitalised(word.text) {
                    return None;
                }
            }
            if !is_field && whole.is_none() {
                whole = Some(skipped);
            }
        }
        rest = word.after;
    }
    None
}

fn word(text: &str) -> Option<Word<'_>> {
    let close = match text.as_bytes().first()? {
        b'[' => Some(b']'),
        b'(' => Some(b')'),
        b'<' => Some(b'>'),
        _ => None,
    };
    match close {
        Some(close) => {
            let (inside, after) = cut::once(&text[1..], close)?;
            Some(Word { text: inside.trim_ascii(), is_bracketed: true, after })
        }
        None => {
            let ends = |byte: u8| matches!(byte, b' ' | b'\t' | b'|' | b':' | b',' | b'[' | b']' | b'(');
            let end = text.bytes().position(ends).unwrap_or(text.len());
            let end = if end == 0 { 1 } else { end };
            Some(Word { text: text.get(..end)?, is_bracketed: false, after: text.get(end..)? })
        }
    }
}

/// The level that a word is. In brackets in any case; Apache names the module before it, Celery the process after it.
fn of(word: &Word<'_>, is_first: bool) -> Option<Severity> {
    if word.is_bracketed {
        let name = word.text.rsplit_once(':').map_or(word.text, |(_, level)| level);
        let name = cut::once(name, b'/').map_or(name, |(name, _)| name);
        return match name.as_bytes() {
            [letter] => level::of_letter(*letter),
            _ => level::of_token(name),
        };
    }
    let name = cut::once(word.text, b'/').map_or(word.text, |(name, _)| name);
    let in_capitals = name.bytes().all(|byte| byte.is_ascii_uppercase());
    if in_capitals && !word.after.starts_with('(') {
        return level::of_token(name);
    }
    // `error: text`, `warning hostd[7]: text`, `info | text`, `info [main] text`.
    let marks = |after: &str| {
        let spaced = after.trim_start_matches(' ');
        after.starts_with([']', '\t']) || spaced.starts_with([':', '|']) || after.starts_with(" [")
    };
    let names_program = || {
        let program = word.after.strip_prefix(' ').unwrap_or_default();
        let end = program.find([' ', '[']).unwrap_or(program.len());
        program[end..]
            .strip_prefix('[')
            .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    };
    let is_level = is_first && name == word.text && (marks(word.after) || names_program());
    is_level.then(|| level::of_token(name)).flatten()
}

/// `shop.ERROR`, `payment-systems.CRITICAL`: a channel and its level.
fn channel<'a>(word: &Word<'a>) -> Option<(&'a str, Severity)> {
    if word.is_bracketed || memchr::memchr(b'.', word.text.as_bytes()).is_none() {
        return None;
    }
    let (channel, level) = word.text.rsplit_once('.')?;
    let in_capitals = level.bytes().all(|byte| byte.is_ascii_uppercase());
    let severity = level::of_token(level).filter(|_| in_capitals && word.after.starts_with([':', ' ']))?;
    Some((channel, severity))
}

/// Whether letters only, or an identifier: a word of a sentence or a name.
fn is_name(word: &str) -> bool {
    word.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$' | b'-') || byte >= 0x80)
        && word.bytes().any(|byte| byte.is_ascii_alphabetic() || byte >= 0x80)
}

/// `OrderService`, `com.example.Shop`, `my_module`, `worker-3`: no word of a sentence.
fn is_identifier(word: &str) -> bool {
    let has_mark = word.bytes().any(|byte| matches!(byte, b'_' | b'$' | b'0'..=b'9'));
    let inner_dot = word.trim_end_matches('.').contains('.');
    let humps =
        word.as_bytes().windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
    has_mark || inner_dot || humps
}

fn is_capitalised(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes[0].is_ascii_uppercase() && bytes.get(1).is_some_and(u8::is_ascii_lowercase)
}

fn ends_field(gap: &str) -> bool {
    gap.contains(['-', '|', ',', ';', '\t'])
}

fn begins_field(after: &str) -> bool {
    after.starts_with([' ', '\t', '|', ','])
        && after.trim_start_matches([' ', '\t']).starts_with(['-', '|', ',', ';'])
        || after.starts_with('\t')
}
