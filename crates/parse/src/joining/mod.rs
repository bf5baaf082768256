//! Which lines are one event: stack traces, indented lines, halves of a long line that a container runtime cut, JSON
//! that is spread over lines, or what a pattern of the user's own says.
//!
//! A line that has a time of its own always begins an event. Each decision looks at the line and at what the event is
//! so far, never at what follows, so that a reader may stop behind any line and go on later.

mod blocks;
mod continuation;
mod kind;
mod postgres;
mod rules;
mod traces;

use std::borrow::Cow;

use continuation::{Joiner, header_level};
pub use rules::{Joining, Pattern};

use crate::{
    Context, cut,
    export::{Entries, Found},
    stamped::begins_with_time,
};

/// How far some lines are whole events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Complete {
    /// So many bytes are events that no further line can continue; what is behind is the last event, which may go on, with
    /// all its parts when it had more than the bounds.
    pub bytes: usize,
    /// What is behind is not whole, as JSON is without its last bracket: the rest of it is yet to come.
    pub is_open: bool,
}

impl Joining {
    /// Tells how far lines are whole events. Of a last line without its newline it is believed only that it begins with a
    /// time, and so ends the event before it.
    pub fn complete(&self, bytes: &[u8]) -> Complete {
        let mut joiner = Joiner::new(Some(self));
        let mut entries = Entries::new(self.bytes_max);
        let (mut at, mut begin) = (0, 0);
        while at < bytes.len() {
            match entries.at(bytes, at) {
                Found::Nothing => {}
                Found::Open(_) => return Complete { bytes: at, is_open: true },
                Found::Whole(_, next) => {
                    joiner = Joiner::new(Some(self));
                    (begin, at) = (at, next);
                    continue;
                }
            }
            let end = line_end(bytes, at);
            let line = content(&bytes[at..end]);
            if !bytes[..end].ends_with(b"\n") && !joiner.is_ended_by(line) {
                let bytes = if joiner.is_closed() { at } else { begin };
                return Complete { bytes, is_open: true };
            }
            if !joiner.continues(line) && !line.trim_ascii().is_empty() && !joiner.is_rest {
                begin = at;
            }
            at = end;
        }
        if joiner.is_closed() {
            return Complete { bytes: bytes.len(), is_open: false };
        }
        Complete { bytes: begin, is_open: joiner.is_open() || bytes.last() != Some(&b'\n') }
    }
}

/// Lines that are one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece<'b> {
    /// Without the terminator of the last line.
    pub(crate) bytes: &'b [u8],
    /// The event before was ended by the bound, and this is the rest of it.
    pub(crate) is_rest: bool,
    /// An entry of the journal's export format.
    pub(crate) is_entry: bool,
}

/// The events of a text; empty lines between them are passed over.
pub(crate) fn pieces<'b>(bytes: &'b [u8], context: &Context<'_>) -> impl Iterator<Item = Piece<'b>> {
    let joining = context.joining;
    let has_newline = memchr::memchr(b'\n', bytes).is_some();
    let mut joiner = Joiner::new(joining);
    let mut entries = Entries::new(joining.map_or(context.line_bytes_max, |joining| joining.bytes_max));
    let (mut at, mut returns) = (0, Returns::new(bytes));
    let mut held: Option<Piece<'b>> = None;
    let mut entry: Option<Piece<'b>> = None;
    std::iter::from_fn(move || {
        if entry.is_some() {
            return entry.take();
        }
        while at < bytes.len() {
            let begin = at;
            let found = match entries.at(bytes, begin) {
                Found::Whole(end, next) => Some((end, next)),
                Found::Open(true) => Some((bytes.len(), bytes.len())),
                Found::Open(false) | Found::Nothing => None,
            };
            if let Some((end, next)) = found {
                at = next;
                joiner = Joiner::new(joining);
                let piece = Piece { bytes: &bytes[begin..end], is_rest: false, is_entry: true };
                let Some(before) = held.take() else { return Some(piece) };
                entry = Some(piece);
                return Some(before);
            }
            at = returns.next_line(at, has_newline);
            let line = content(&bytes[begin..at]);
            let continues = joiner.continues(line);
            if line.is_empty() || (joining.is_some() && line.trim_ascii().is_empty()) {
                continue;
            }
            match &mut held {
                Some(held) if continues => {
                    let first = held.bytes.as_ptr().addr() - bytes.as_ptr().addr();
                    held.bytes = &bytes[first..begin + line.len()];
                }
                _ => {
                    let piece = Piece { bytes: line, is_rest: joiner.is_rest, is_entry: false };
                    if let Some(before) = held.replace(piece) {
                        return Some(before);
                    }
                }
            }
        }
        held.take()
    })
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |newline| at + newline + 1)
}

/// Where the next carriage return of a text stands, so that each byte is looked at once.
struct Returns<'b> {
    bytes: &'b [u8],
    /// That of the first one from a place on, or the text's end.
    next: usize,
}

impl<'b> Returns<'b> {
    fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, next: Self::from(bytes, 0) }
    }

    fn from(bytes: &[u8], at: usize) -> usize {
        memchr::memchr(b'\r', &bytes[at..]).map_or(bytes.len(), |found| at + found)
    }

    /// Behind the line that begins at `at`, which is never before an earlier one. A lone carriage return ends a line where
    /// no line has another end, and before a time.
    fn next_line(&mut self, at: usize, has_newline: bool) -> usize {
        let end = line_end(self.bytes, at);
        if self.next < at {
            self.next = Self::from(self.bytes, at);
        }
        while self.next < end {
            let rest = &self.bytes[self.next + 1..end];
            let is_lone = !matches!(rest.first(), None | Some(b'\n' | b'\r'));
            if is_lone && (!has_newline || begins_with_time(rest)) {
                return self.next + 1;
            }
            self.next = Self::from(self.bytes, self.next + 1);
        }
        end
    }
}

/// A line without its terminator.
pub(crate) fn content(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The event of one line, or of several as `one` reads the first of them.
pub(crate) fn event<'a>(text: &'a str, one: impl FnOnce(&'a str) -> event::Event<'a>) -> event::Event<'a> {
    let Some((head, rest)) = cut::once(text, b'\n') else { return one(text) };
    let head = head.strip_suffix('\r').unwrap_or(head);
    let mut event = one(head);
    let is_silent = event.severity == event::Severity::Info
        && header_level(head).is_none()
        && event.field("log.syslog.severity.code").is_none();
    if is_silent && let Some(severity) = crate::level_from_message(rest) {
        event.severity = severity;
    }
    let at_end = match &event.message {
        Cow::Borrowed(message) => {
            head.ends_with(message)
                && !text.contains('\r')
                && !rest.lines().any(|line| postgres::part(head, line).is_some())
        }
        Cow::Owned(_) => false,
    };
    event.message = if at_end {
        Cow::Borrowed(&text[head.len() - event.message.len()..])
    } else {
        let mut message = std::mem::take(&mut event.message).into_owned();
        for line in rest.lines() {
            message.push('\n');
            message.push_str(&line[postgres::part(head, line).unwrap_or(0)..]);
        }
        Cow::Owned(message)
    };
    event
}
