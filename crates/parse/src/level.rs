//! Levels: their spellings, and the places of a text that are theirs.
//!
//! A level stands in a header, in brackets, before a colon that begins the text, or after `level=`. In a sentence
//! no word is one.

use event::{Severity, Value};

/// How far into a message a level is looked for, in bytes.
const LOOK_BYTES: usize = 512;

/// In a sentence only a word before a colon is a level, or one behind a name and a mark, so many bytes away at most.
const BEHIND_MARK: usize = 8;

/// What a text begins with when something has gone wrong, though no word of it is a level.
const STARTS: [(&str, Severity); 14] = [
    ("Traceback (most recent call last)", Severity::Error),
    ("Exception in thread ", Severity::Error),
    ("Unhandled exception", Severity::Error),
    ("Uncaught exception", Severity::Error),
    ("Segmentation fault", Severity::Error),
    ("segfault at ", Severity::Error),
    ("PHP Fatal error: ", Severity::Fatal),
    ("PHP Parse error: ", Severity::Error),
    ("PHP Warning: ", Severity::Warn),
    ("PHP Recoverable fatal error: ", Severity::Fatal),
    ("Fatal error: ", Severity::Fatal),
    ("fatal error: ", Severity::Fatal),
    ("thread '", Severity::Fatal),
    ("** (", Severity::Error),
];

/// The first bytes of these.
const STARTS_WITH: [bool; 256] = {
    let mut firsts = [false; 256];
    let mut start = 0;
    while start < STARTS.len() {
        firsts[STARTS[start].0.as_bytes()[0] as usize] = true;
        start += 1;
    }
    firsts
};

/// The level that a message names itself, or None. Known are whole words in capitals (`ERROR`) that stand before
/// any sentence, bracketed words (`[warn]`), assignments (`level=error`, `"severity":"info"`), words before a colon
/// at the start or behind another mark (`error:`, `imap-login: Warning:`) and names of exceptions before a colon
/// (`ValueError:`). The first one counts; a negated one (`no ERROR`, `0 ERROR`) and a count (`error: 0`) do not.
/// Only the first 512 bytes are looked at.
pub fn level_from_message(message: &str) -> Option<Severity> {
    // Nearly always the first byte tells.
    let may_start = message.as_bytes().first().is_some_and(|first| STARTS_WITH[usize::from(*first)]);
    let starts = STARTS.iter().filter(|_| may_start).find(|(start, _)| message.starts_with(start));
    if let Some((start, severity)) = starts
        && match *start {
            "thread '" => message.contains(" panicked at "),
            "** (" => message[4..].split(')').next().is_some_and(|name| is_exception(name.as_bytes())),
            _ => true,
        }
    {
        return Some(*severity);
    }
    let bytes = &message.as_bytes()[..message.len().min(LOOK_BYTES)];
    let mut sentence = Sentence::default();
    let (mut previous, mut is_named, mut at) = (0..0, false, 0);
    while let Some(skipped) = bytes[at..].iter().position(|byte| is_word(*byte)) {
        at += skipped;
        if sentence.has_begun() {
            return behind_marks(bytes, at, &sentence);
        }
        let word = at..word_end(bytes, at);
        // Few words are looked at further.
        if (is_named || may_be_level(bytes, word.clone()))
            && let Some(found) = level_at(bytes, word.clone(), previous, &sentence)
        {
            return Some(found);
        }
        sentence.add(bytes, word.clone());
        is_named = names_level(&bytes[word.clone()]);
        at = word.end;
        previous = word;
    }
    None
}

/// The level within a sentence: right before a colon, or given to a name.
fn behind_marks(bytes: &[u8], at: usize, sentence: &Sentence) -> Option<Severity> {
    memchr::memchr2_iter(b':', b'=', &bytes[at..]).find_map(|mark| {
        let mark = at + mark;
        // What names a level ends so, and other names that are given something are many.
        let last = bytes[mark.saturating_sub(1)];
        if bytes[mark] == b'=' && !matches!(last | 0x20, b'l' | b'y' | b'e' | b' ') {
            return None;
        }
        let name = word_before(bytes, mark);
        let stands_before = || level_at(bytes, name.clone(), word_before(bytes, name.start), sentence);
        let is_given = || {
            let begin = mark + bytes[mark..].iter().take(BEHIND_MARK).position(|byte| is_word(*byte))?;
            level_at(bytes, begin..word_end(bytes, begin), name.clone(), sentence)
        };
        let before =
            if bytes[mark] == b':' && name.end == mark && name.start >= at { stands_before() } else { None };
        before.or_else(|| if names_level(&bytes[name.clone()]) { is_given() } else { None })
    })
}

/// The level that a word is, behind the word before it.
fn level_at(
    bytes: &[u8],
    word: std::ops::Range<usize>,
    previous: std::ops::Range<usize>,
    sentence: &Sentence,
) -> Option<Severity> {
    if word.len() < 3 {
        return None;
    }
    let before = &bytes[previous.clone()];
    let assigned = names_level(before) && is_assigned(bytes, previous.clone(), word.start, sentence);
    if !(assigned || may_be_level(bytes, word.clone())) {
        return None;
    }
    // The last digits of a time are no count.
    let is_of_time =
        byte_before(bytes, previous.start).is_some_and(|mark| matches!(mark, b':' | b'.' | b','));
    level_of(bytes, word, assigned, sentence).filter(|_| is_of_time || !negates(before))
}

/// What stands directly before a place; None at the beginning.
fn byte_before(bytes: &[u8], at: usize) -> Option<u8> {
    at.checked_sub(1).and_then(|index| bytes.get(index)).copied()
}

fn word_end(bytes: &[u8], start: usize) -> usize {
    bytes[start..].iter().position(|byte| !is_word(*byte)).map_or(bytes.len(), |length| start + length)
}

/// The last word before a place.
fn word_before(bytes: &[u8], place: usize) -> std::ops::Range<usize> {
    let end = bytes[..place].iter().rposition(|byte| is_word(*byte)).map_or(0, |last| last + 1);
    bytes[..end].iter().rposition(|byte| !is_word(*byte)).map_or(0, |mark| mark + 1)..end
}

/// Whether plain words have begun a sentence, in which no word is a level.
#[derive(Debug, Default)]
struct Sentence {
    words: u8,
    capitalised: bool,
}

impl Sentence {
    fn add(&mut self, bytes: &[u8], word: std::ops::Range<usize>) {
        let is_free = |byte: Option<u8>| byte.is_none_or(|byte| matches!(byte, b' ' | b'\t' | b',' | b'!'));
        if !is_free(bytes.get(word.end).copied()) || !is_free(byte_before(bytes, word.start)) {
            return;
        }
        let (text, tail) = (&bytes[word.clone()], &bytes[word.start + 1..word.end]);
        if text[0].is_ascii_alphabetic() && tail.iter().all(u8::is_ascii_lowercase) {
            self.words = self.words.saturating_add(1);
            self.capitalised |= text[0].is_ascii_uppercase() && !tail.is_empty();
        }
    }

    const fn has_begun(&self) -> bool {
        self.words > 1 || self.capitalised
    }
}

const fn is_word(byte: u8) -> bool {
    WORD[byte as usize]
}

const WORD: [bool; 256] = {
    let mut word = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        word[byte] = matches!(byte as u8, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | 0x80..);
        byte += 1;
    }
    word
};

/// Whether a word stands in capitals, in brackets or before a colon: most words do not.
#[inline]
fn may_be_level(bytes: &[u8], word: std::ops::Range<usize>) -> bool {
    if word.len() < 3 {
        return false;
    }
    let before = byte_before(bytes, word.start);
    (bytes[word.start].is_ascii_uppercase() && bytes[word.start + 1].is_ascii_uppercase())
        || bytes.get(word.end) == Some(&b':')
        || matches!(before, Some(b'[' | b'(' | b'<'))
}

fn names_level(word: &[u8]) -> bool {
    if !matches!(word.len(), 3 | 5 | 8 | 9) || !matches!(word[0], b'l' | b'L' | b's' | b'S') {
        return false;
    }
    [b"level".as_slice(), b"lvl", b"severity", b"loglevel", b"levelname", b"log_level"]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(word))
}

/// Whether the name of a level at `name` and the word at `value` are a field and its value: `level=warn`,
/// `"level":"warn"`, `severity: warn`; not a part of a query string or an option.
fn is_assigned(bytes: &[u8], name: std::ops::Range<usize>, value: usize, sentence: &Sentence) -> bool {
    let before = byte_before(bytes, name.start);
    let is_field = before.is_none_or(|byte| {
        matches!(byte, b' ' | b'\t' | b'{' | b'[' | b'(' | b',' | b';' | b'|' | b'"' | b'\'' | b'.')
    });
    is_field
        && match &bytes[name.end..value] {
            b"=" | b"=\"" | b"='" | b"=[" | b"\":\"" | b"\": \"" | b"\" : \"" | b"':'" | b"': '" => true,
            b":" | b": " | b" : " | b" = " => !sentence.has_begun() && sentence.words <= 1,
            _ => false,
        }
}

fn negates(word: &[u8]) -> bool {
    (!word.is_empty() && word.iter().all(|byte| *byte == b'0'))
        || [b"no".as_slice(), b"not", b"without", b"zero"].iter().any(|no| no.eq_ignore_ascii_case(word))
}

/// `ValueError`, `java.lang.NullPointerException`.
fn is_exception(name: &[u8]) -> bool {
    (name.ends_with(b"Exception") && name.len() > 9) || (name.ends_with(b"Error") && name.len() > 5)
}

fn level_of(
    bytes: &[u8],
    range: std::ops::Range<usize>,
    assigned: bool,
    sentence: &Sentence,
) -> Option<Severity> {
    let (word, rest) = (&bytes[range.clone()], &bytes[range.end..]);
    let before = byte_before(bytes, range.start);
    let after = rest.first().copied();
    let colon = after == Some(b':') && rest.get(1).is_none_or(|byte| matches!(byte, b' ' | b'\t'));
    if colon && (is_exception(word) || word == b"Exception") {
        return Some(Severity::Error);
    }
    if word.len() > 13 {
        return None;
    }
    let bracketed = matches!(
        (before, after),
        (Some(b'['), Some(b']')) | (Some(b'('), Some(b')')) | (Some(b'<'), Some(b'>'))
    ) && !sentence.has_begun();
    let capitals = word.iter().all(u8::is_ascii_uppercase)
        && !sentence.has_begun()
        && !matches!(before, Some(b'/' | b'-' | b'.' | b'=' | b'$' | b'%' | b'&' | b'?'))
        && !matches!(after, Some(b'/' | b'-' | b'.' | b'=' | b'('));
    // The text begins here, or behind the mark that ends what stands before it.
    let leads = colon && !is_count(&rest[1..]) && {
        let head = bytes[..range.start].trim_ascii_end();
        let spaced = before.is_none_or(|byte| matches!(byte, b' ' | b'\t' | b']' | b')' | b':' | b'|'));
        spaced
            && head.last().is_none_or(|byte| matches!(byte, b':' | b']' | b')' | b'|' | b'-' | b'>' | b';'))
    };
    if !(bracketed || assigned || (capitals && !(colon && is_count(&rest[1..]))) || leads) {
        return None;
    }
    let level = Severity::from_name(std::str::from_utf8(word).ok()?)?;
    // `FINE`, `ALERT` or `PANIC` in capitals, or `fine:`, are as often prose.
    let prose = [
        b"fine".as_slice(),
        b"finer",
        b"finest",
        b"alert",
        b"verbose",
        b"failure",
        b"information",
        b"note",
        b"fail",
        b"silly",
    ]
    .iter()
    .any(|name| name.eq_ignore_ascii_case(word));
    let is_net = leads && matches!(word, b"fail");
    (bracketed || assigned || is_net || !prose).then_some(level)
}

/// Whether what follows `error:` says how many or that there is none.
fn is_count(rest: &[u8]) -> bool {
    let rest = rest.trim_ascii_start();
    let word = rest.iter().take_while(|byte| is_word(**byte)).count();
    let (word, tail) = rest.split_at(word);
    let ends = tail.first().is_none_or(|byte| matches!(byte, b',' | b';' | b')' | b'.' | b'%'));
    let is_number = !word.is_empty() && word.iter().all(u8::is_ascii_digit);
    let is_nothing = [b"none".as_slice(), b"no", b"null", b"nil", b"false", b"ok"]
        .iter()
        .any(|nothing| nothing.eq_ignore_ascii_case(word));
    ends && (is_number || is_nothing)
}

/// What the text of a system program says by itself: kernels write no level beside it.
pub(crate) fn of_program(program: &str, message: &str) -> Option<Severity> {
    let table = match program {
        "kernel" => &KERNEL,
        "systemd" => &SYSTEMD,
        "smartd" | "mdadm" => &DISKS,
        _ => return None,
    };
    let head = &message.as_bytes()[..message.len().min(LOOK_BYTES)];
    table.iter().find(|(words, _)| words.find(head).is_some()).map(|(_, level)| *level)
}

/// Words, and the level of a message that has them.
type Grave = std::sync::LazyLock<Vec<(memchr::memmem::Finder<'static>, Severity)>>;

fn grave(table: &[(&'static str, Severity)]) -> Vec<(memchr::memmem::Finder<'static>, Severity)> {
    table.iter().map(|(words, level)| (memchr::memmem::Finder::new(*words), *level)).collect()
}

static KERNEL: Grave = Grave::new(|| {
    grave(&[
        ("Kernel panic", Severity::Fatal),
        ("Out of memory", Severity::Error),
        ("invoked oom-killer", Severity::Error),
        ("oom-kill:", Severity::Error),
        ("oom_reaper", Severity::Error),
        ("Killed process", Severity::Error),
        ("I/O error", Severity::Error),
        ("Medium Error", Severity::Error),
        ("critical medium error", Severity::Error),
        ("-fs error", Severity::Error),
        ("Remounting filesystem read-only", Severity::Error),
        ("segfault at", Severity::Error),
        ("general protection", Severity::Error),
        ("unable to handle", Severity::Error),
        ("Oops", Severity::Error),
        ("BUG:", Severity::Error),
        ("soft lockup", Severity::Error),
        ("hard LOCKUP", Severity::Error),
        ("rcu_sched self-detected stall", Severity::Error),
        ("Hardware Error", Severity::Error),
        ("Machine check", Severity::Error),
        ("blocked for more than", Severity::Error),
        ("temperature above threshold", Severity::Warn),
        ("table full, dropping packet", Severity::Warn),
    ])
});

static SYSTEMD: Grave = Grave::new(|| {
    grave(&[
        ("Failed to start ", Severity::Error),
        ("Failed with result ", Severity::Warn),
        ("Dependency failed for ", Severity::Error),
    ])
});

static DISKS: Grave = Grave::new(|| {
    grave(&[
        ("FAILED SMART self-check", Severity::Error),
        ("Currently unreadable (pending) sectors", Severity::Error),
        ("Offline uncorrectable sectors", Severity::Error),
        ("Fail event", Severity::Error),
    ])
});

/// The level of a structured record's value, and whether it says no more than the level's own name.
pub(crate) fn of_value(value: &Value<'_>) -> Option<(Severity, bool)> {
    match value {
        Value::Int(number) => of_number(*number).map(|level| (level, false)),
        Value::String(text) => {
            let text = text.trim();
            if let Some(level) = Severity::from_name(text) {
                return Some((level, level.as_str().eq_ignore_ascii_case(text)));
            }
            text.parse().ok().and_then(of_number).map(|level| (level, false))
        }
        _ => None,
    }
}

/// Numbers of bunyan and pino (10 trace to 60 fatal), else syslog severities (0 to 7).
fn of_number(number: i64) -> Option<Severity> {
    match number {
        0..=7 => Some(Severity::from_syslog(number as u8)),
        10 => Some(Severity::Trace),
        20 => Some(Severity::Debug),
        30 => Some(Severity::Info),
        40 => Some(Severity::Warn),
        50 => Some(Severity::Error),
        60 => Some(Severity::Fatal),
        _ => None,
    }
}

/// The level of a single letter, where the format has one: Android, klog, brackets.
pub(crate) const fn of_letter(letter: u8) -> Option<Severity> {
    match letter {
        b'T' | b'V' => Some(Severity::Trace),
        b'D' => Some(Severity::Debug),
        b'I' | b'N' => Some(Severity::Info),
        b'W' => Some(Severity::Warn),
        b'E' => Some(Severity::Error),
        b'F' | b'A' | b'C' => Some(Severity::Fatal),
        _ => None,
    }
}

/// The level of a word of a header, of any spelling, in capitals, lower case or with one capital.
pub(crate) fn of_token(token: &str) -> Option<Severity> {
    let [first, tail @ ..] = token.as_bytes() else { return None };
    let cased = tail.iter().all(u8::is_ascii_uppercase) || tail.iter().all(u8::is_ascii_lowercase);
    let is_word = first.is_ascii_alphabetic() && tail.len() >= 2 && cased;
    if !is_word || matches!(token, "fine" | "failure" | "alert" | "panic" | "information") {
        return None;
    }
    Severity::from_name(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_in_messages() {
        for (message, expected) in [
            ("ERROR could not open", Some(Severity::Error)),
            ("worker 3 [warn] slow", Some(Severity::Warn)),
            ("ts=1 level=error msg=x", Some(Severity::Error)),
            ("{\"level\":\"debug\"}", Some(Severity::Debug)),
            ("error: kex_exchange_identification", Some(Severity::Error)),
            ("sshd: fatal: Timeout", Some(Severity::Fatal)),
            ("imap-login: Error: auth failed", Some(Severity::Error)),
            ("Warning: deprecated", Some(Severity::Warn)),
            ("ValueError: bad", Some(Severity::Error)),
            ("java.lang.NullPointerException: x", Some(Severity::Error)),
            ("INFO then ERROR", Some(Severity::Info)),
            ("npm ERR! code E404", Some(Severity::Error)),
            ("ERRO[0007] boom  user=ann", Some(Severity::Error)),
            ("DEBU[0001] x", Some(Severity::Debug)),
            ("FATA[0001] x", Some(Severity::Fatal)),
            ("fail: Shop.Orders[13]", Some(Severity::Error)),
            ("crit: Shop.Orders[13]", Some(Severity::Fatal)),
            ("dbug: Shop.Orders[13]", Some(Severity::Debug)),
            ("trce: Shop.Orders[13]", Some(Severity::Trace)),
            ("t=2026-10-22T21:59:01+0000 lvl=eror msg=x", Some(Severity::Error)),
            ("lvl=dbug", Some(Severity::Debug)),
            ("severity: warning", Some(Severity::Warn)),
            ("Handled a stream from 192.0.2.7:34871 level=debug", Some(Severity::Debug)),
            ("Traceback (most recent call last):", Some(Severity::Error)),
            ("Exception in thread \"main\" java.lang.Error", Some(Severity::Error)),
            ("thread 'main' panicked at src/main.rs:2:5:", Some(Severity::Fatal)),
            ("thread 'main' (98765) panicked at src/main.rs:2:5:", Some(Severity::Fatal)),
            ("thread 'main' started", None),
            ("** (RuntimeError) boom", Some(Severity::Error)),
            ("** (boom) text", None),
            ("PHP Fatal error:  Uncaught Exception", Some(Severity::Fatal)),
            ("PHP Warning:  Undefined variable", Some(Severity::Warn)),
            ("panic: runtime error: index out of range", Some(Severity::Fatal)),
            ("error: 404 not found", Some(Severity::Error)),
            ("error: 0", None),
            ("errors: 0, error: none, warning: 3", None),
            ("ERROR: 0", None),
            ("no errors", None),
            ("0 errors", None),
            ("0 ERROR lines", None),
            ("No ERROR found", None),
            ("finished with errors: 3", None),
            ("finished with error: timeout", None),
            ("an error occurred", None),
            ("GET /ERROR/x", None),
            ("GET /s?level=error", None),
            ("GET /s?x=1&level=error", None),
            ("started with --log-level=debug", None),
            ("Setting log level: debug", None),
            ("Cleared ERROR count on port 3", None),
            ("we are sending a WARN to them", None),
            ("that is fine: go on", None),
            ("plan D was chosen", None),
            ("status=ERROR_NONE ok", None),
            ("User login", None),
            ("", None),
        ] {
            assert_eq!(level_from_message(message), expected, "{message}");
        }
    }

    #[test]
    fn levels_of_system_programs() {
        for (program, message, expected) in [
            ("kernel", "Kernel panic - not syncing: VFS", Some(Severity::Fatal)),
            ("kernel", "Out of memory: Killed process 812 (java)", Some(Severity::Error)),
            ("kernel", "blk_update_request: I/O error, dev sda, sector 7", Some(Severity::Error)),
            ("kernel", "app[7]: segfault at 0 ip 0000 sp 0000 error 4 in libc.so", Some(Severity::Error)),
            ("kernel", "usb 1-1: new high-speed USB device", None),
            ("systemd", "Failed to start nginx.service.", Some(Severity::Error)),
            ("app", "Kernel panic", None),
        ] {
            assert_eq!(of_program(program, message), expected, "{message}");
        }
    }

    #[test]
    fn levels_of_values() {
        for (value, expected) in [
            (Value::from("ERROR"), Some((Severity::Error, true))),
            (Value::from("WARNING"), Some((Severity::Warn, false))),
            (Value::from("banana"), None),
            (Value::Int(30), Some((Severity::Info, false))),
            (Value::Int(3), Some((Severity::Error, false))),
            (Value::from("50"), Some((Severity::Error, false))),
            (Value::Int(99), None),
            (Value::Bool(true), None),
        ] {
            assert_eq!(of_value(&value), expected, "{value:?}");
        }
    }
}
