//! One piece of feedback, and the file of all.
//!
//! The file `feedback` beside the models is sealed as `disk::sealed` describes, magic `LSFEEDBK`; the body:
//!
//! ```text
//! u64      id of the next feedback
//! u32      count, then for each: u64 id, u8 label, u64 time given, u64 time of the event (nanoseconds),
//!          note, message, template text (u32 length, bytes), u8 1 and the source, or 0,
//!          u64 shape, 16 bytes pattern, u8 1 and the 16 bytes of the origin, or 0 (not in version 1)
//! ```
//! It is replaced as a whole.

use disk::sealed::{Reader, SealedError, Writer};
use event::{Template, Timestamp};

const MAGIC: &[u8; 8] = b"LSFEEDBK";
const VERSION: u32 = 2;
const WHAT: &str = "the feedback";
/// Feedback kept at a time.
pub const FEEDBACK_MAX: usize = 1_000;

/// What somebody says an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Label {
    /// Ordinary: such events are not to be flagged.
    Normal = 0,
    /// Bad: such events are to be flagged.
    Bad = 1,
}

impl Label {
    /// `normal` or `bad`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Bad => "bad",
        }
    }
}

/// What somebody said of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Feedback {
    /// Rises by one each time; never given out again.
    pub id: u64,
    /// What the event is.
    pub label: Label,
    /// Why, as far as they said.
    pub note: String,
    /// When they said so.
    pub given_at: Timestamp,
    /// When the event happened.
    pub event_at: Timestamp,
    /// The event's message, of a long one the beginning.
    pub message: String,
    /// The event's source.
    pub source: Option<String>,
    /// The message's template.
    pub template: Template,
    /// Whether it holds for every event of this template and source.
    pub general: bool,
    /// What was decided about something else that it follows from, by an id of that; none where it was given by itself.
    pub origin: Option<u128>,
}

/// What similar events have in common.
pub(super) type Pattern = [u8; 16];

/// Feedback, and how the events it holds for are found.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) feedback: Feedback,
    pub(super) shape: u64,
    pub(super) pattern: Pattern,
}

/// The file of all feedback, with the id that is given out next.
pub(super) fn write(next: u64, entries: &[Entry]) -> Vec<u8> {
    let mut out = Writer::sealed(MAGIC, VERSION);
    out.u64(next);
    out.u32(entries.len() as u32);
    for Entry { feedback, shape, pattern } in entries {
        out.u64(feedback.id);
        out.u8(feedback.label as u8);
        out.u64(feedback.given_at.as_nanos() as u64);
        out.u64(feedback.event_at.as_nanos() as u64);
        out.bytes(feedback.note.as_bytes());
        out.bytes(feedback.message.as_bytes());
        out.bytes(feedback.template.text.as_bytes());
        out.u8(u8::from(feedback.source.is_some()));
        if let Some(source) = &feedback.source {
            out.bytes(source.as_bytes());
        }
        out.u64(*shape);
        out.raw(pattern);
        out.u8(u8::from(feedback.origin.is_some()));
        if let Some(origin) = feedback.origin {
            out.raw(&origin.to_le_bytes());
        }
    }
    out.seal()
}

/// Reads such a file.
pub(super) fn read(bytes: &[u8]) -> Result<(u64, Vec<Entry>), SealedError> {
    let (mut input, version) = Reader::sealed_since(bytes, MAGIC, 1..=VERSION, WHAT)?;
    let next = input.u64()?;
    let count = input.count(62, FEEDBACK_MAX)?;
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        let entry = read_entry(&mut input, version)?;
        if entry.feedback.id >= next {
            return Err(input.damaged());
        }
        entries.push(entry);
    }
    input.end()?;
    Ok((next, entries))
}

fn read_entry(input: &mut Reader<'_>, version: u32) -> Result<Entry, SealedError> {
    let id = input.u64()?;
    let label = match input.u8()? {
        0 => Label::Normal,
        1 => Label::Bad,
        _ => return Err(input.damaged()),
    };
    let (given_at, event_at) = (read_time(input)?, read_time(input)?);
    let (note, message) = (input.text(usize::MAX)?, input.text(usize::MAX)?);
    let template = Template::new(input.text(usize::MAX)?);
    let source = match input.u8()? {
        0 => None,
        _ => Some(input.text(usize::MAX)?),
    };
    let shape = input.u64()?;
    let mut pattern = Pattern::default();
    pattern.copy_from_slice(input.take(16)?);
    let origin = match version {
        1 => None,
        _ if input.u8()? == 0 => None,
        _ => Some(u128::from_le_bytes(input.take(16)?.try_into().map_err(|_| input.damaged())?)),
    };
    let feedback =
        Feedback { id, label, note, given_at, event_at, message, source, template, general: false, origin };
    Ok(Entry { feedback, shape, pattern })
}

fn read_time(input: &mut Reader<'_>) -> Result<Timestamp, SealedError> {
    let nanos = input.u64()? as i64;
    Timestamp::from_nanos(nanos).ok_or_else(|| input.damaged())
}
