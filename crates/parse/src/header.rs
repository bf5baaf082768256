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
    /// Which kinds of bytes it has, outside of brackets.
    kinds: u16,
    /// What follows it, behind its bracket.
    after: &'a str,
}

/// Kinds of bytes, each a bit.
pub(crate) const CAPITAL: u16 = 1;
pub(crate) const SMALL: u16 = 1 << 1;
pub(crate) const DIGIT: u16 = 1 << 2;
/// `_` and `$`, which identifiers have.
pub(crate) const JOINT: u16 = 1 << 3;
pub(crate) const DOT: u16 = 1 << 4;
const DASH: u16 = 1 << 5;
const BEYOND_ASCII: u16 = 1 << 6;
const OTHER: u16 = 1 << 7;
/// A word ends before it.
pub(crate) const END: u16 = 1 << 8;

const KINDS: [u16; 256] = {
    let mut kinds = [OTHER; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'A'..=b'Z' => CAPITAL,
            b'a'..=b'z' => SMALL,
            b'0'..=b'9' => DIGIT,
            b'_' | b'$' => JOINT,
            b'.' => DOT,
            b'-' => DASH,
            b' ' | b'\t' | b'|' | b':' | b',' | b'[' | b']' | b'(' => OTHER | END,
            0x80.. => BEYOND_ASCII,
            _ => OTHER,
        };
        byte += 1;
    }
    kinds
};

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
            return Some(found(
                severity,
                logger,
                cut::behind(word.after, |byte| matches!(byte, b']' | b':')),
            ));
        }
        if let Some((channel, severity)) = channel(&word) {
            return Some(found(severity, Some(channel), cut::behind(word.after, |byte| byte == b':')));
        }
        if !word.is_bracketed && is_name(word.kinds) {
            // A name that stands between two marks is a field of the header and no word of the text.
            let is_field = ends_field(gap) && begins_field(word.after);
            let is_identifier = is_identifier(&word);
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
            Some(Word { text: inside.trim_ascii(), is_bracketed: true, kinds: 0, after })
        }
        None => {
            let (mut kinds, mut end) = (0, 0);
            for byte in text.bytes() {
                let kind = kind(byte);
                if kind & END != 0 {
                    break;
                }
                (kinds, end) = (kinds | kind, end + 1);
            }
            // A mark is a word by itself.
            if end == 0 {
                (kinds, end) = (OTHER | END, 1);
            }
            let (text, after) = text.split_at_checked(end)?;
            Some(Word { text, is_bracketed: false, kinds, after })
        }
    }
}

/// The level that a word is. In brackets in any case; Apache names the module before it, Celery the process after it.
fn of(word: &Word<'_>, is_first: bool) -> Option<Severity> {
    if word.is_bracketed {
        return of_bracketed(word.text).or_else(|| {
            memchr::memchr2(b':', b'/', word.text.as_bytes())?;
            let name = word.text.rsplit_once(':').map_or(word.text, |(_, level)| level);
            of_bracketed(name.split('/').next()?)
        });
    }
    // Nothing but letters is a level, and what stands before a slash.
    if word.kinds & OTHER == 0 && word.kinds & !(CAPITAL | SMALL) != 0 {
        return None;
    }
    let (name, in_capitals) = match word.kinds {
        CAPITAL => (word.text, true),
        // A slash is of these.
        kinds if kinds & OTHER != 0 => {
            let name = cut::once(word.text, b'/').map_or(word.text, |(name, _)| name);
            (name, name.bytes().all(|byte| byte.is_ascii_uppercase()))
        }
        _ => (word.text, false),
    };
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
    let severity = level::of_token(name).filter(|_| is_first && name.len() == word.text.len())?;
    (marks(word.after) || names_program()).then_some(severity)
}

fn of_bracketed(name: &str) -> Option<Severity> {
    match name.as_bytes() {
        [letter] => level::of_letter(*letter),
        _ => level::of_token(name),
    }
}

/// `shop.ERROR`, `payment-systems.CRITICAL`: a channel and its level.
fn channel<'a>(word: &Word<'a>) -> Option<(&'a str, Severity)> {
    if word.is_bracketed || word.kinds & DOT == 0 || word.kinds & CAPITAL == 0 {
        return None;
    }
    let (channel, level) = word.text.rsplit_once('.')?;
    let in_capitals = level.bytes().all(|byte| byte.is_ascii_uppercase());
    let severity = level::of_token(level).filter(|_| in_capitals && word.after.starts_with([':', ' ']))?;
    Some((channel, severity))
}

const fn kind(byte: u8) -> u16 {
    KINDS[byte as usize]
}

/// The kinds of bytes of a text.
pub(crate) fn kinds(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |kinds, byte| kinds | kind(*byte))
}

/// Whether letters only, or an identifier: a word of a sentence or a name.
const fn is_name(kinds: u16) -> bool {
    kinds & OTHER == 0 && kinds & (CAPITAL | SMALL | BEYOND_ASCII) != 0
}

/// `OrderService`, `com.example.Shop`, `my_module`, `worker-3`: no word of a sentence.
fn is_identifier(word: &Word<'_>) -> bool {
    let has_mark = word.kinds & (JOINT | DIGIT) != 0;
    let inner_dot = || word.kinds & DOT != 0 && word.text.trim_end_matches('.').contains('.');
    let is_hump = |pair: &[u8]| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase();
    let humps =
        || word.kinds & (CAPITAL | SMALL) == CAPITAL | SMALL && word.text.as_bytes().windows(2).any(is_hump);
    has_mark || inner_dot() || humps()
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
