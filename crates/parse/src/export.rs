//! Entries of the journal of systemd in its export format: lines `NAME=value`, and for values that are no text their
//! name, their length in eight bytes, and themselves. An empty line ends an entry.

use std::borrow::Cow;

use event::{Event, field};

use crate::{Context, decoding, inner, nested, record::Record};

pub(crate) const NAME: &str = "journal export";
/// What an entry begins with, and has once.
const START: &[u8] = b"__CURSOR=";

/// What begins at a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// No entry.
    Nothing,
    /// An entry with the end of its last field, and where the next line begins.
    Whole(usize, usize),
    /// An entry so far, which the text ends; whether it does so behind a field.
    Open(bool),
}

/// Looks for entries in a text from its start on, each byte once: where none was found none is looked for again.
#[derive(Debug)]
pub(crate) struct Entries {
    /// Longest entry.
    bytes_max: usize,
    /// No entry begins before.
    tried: usize,
}

impl Entries {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, tried: 0 }
    }

    /// What begins at the line at `begin`. All that a text holds counts as an entry only up to the bound.
    pub(crate) fn at(&mut self, text: &[u8], begin: usize) -> Found {
        if begin < self.tried || !text[begin..].starts_with(START) {
            return Found::Nothing;
        }
        let rest = &text[begin..];
        let bytes = &rest[..rest.len().min(self.bytes_max)];
        let mut at = 0;
        let stop = loop {
            let next = match bytes.get(at..) {
                Some([]) | None => break Stop::Missing(true),
                Some([b'\n', ..]) => return Found::Whole(begin + at, begin + at + 1),
                Some([b'\r', b'\n', ..]) => return Found::Whole(begin + at, begin + at + 2),
                Some(b"\r") => break Stop::Missing(true),
                Some(field) if at > 0 && field.starts_with(START) => break Stop::Wrong,
                Some(_) => field(bytes, at, self.bytes_max),
            };
            match next {
                Ok((.., next)) => at = next,
                Err(stop) => break stop,
            }
        };
        match stop {
            Stop::Missing(is_behind_field) if bytes.len() == rest.len() => {
                if !is_behind_field {
                    self.tried = text.len();
                }
                return Found::Open(is_behind_field);
            }
            Stop::Missing(_) => self.tried = begin + bytes.len(),
            Stop::Wrong => self.tried = begin + at,
        }
        Found::Nothing
    }
}

/// Why there is no field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// The bytes end before the field does; whether but for its newline it may be whole.
    Missing(bool),
    Wrong,
}

/// A name, its value, and where the next field begins.
type Field<'b> = (&'b [u8], &'b [u8], usize);

/// The field that begins at `at` and ends within `bytes_max`.
fn field(bytes: &[u8], at: usize, bytes_max: usize) -> Result<Field<'_>, Stop> {
    let is_of_name = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    let rest = &bytes[at..];
    let length = rest.iter().position(|byte| !is_of_name(byte)).ok_or(Stop::Missing(false))?;
    let (name, rest) = rest.split_at(length);
    let behind = at + length + 1;
    match rest[0] {
        _ if name.is_empty() => Err(Stop::Wrong),
        b'=' => {
            let length = memchr::memchr(b'\n', &rest[1..]).ok_or(Stop::Missing(true))?;
            Ok((name, &rest[1..=length], behind + length + 1))
        }
        b'\n' => {
            let length = rest.get(1..9).and_then(|length| length.try_into().ok()).map(u64::from_le_bytes);
            let length = usize::try_from(length.ok_or(Stop::Missing(false))?).map_err(|_| Stop::Wrong)?;
            let begin = behind + 8;
            let end = begin.checked_add(length).filter(|end| *end < bytes_max).ok_or(Stop::Wrong)?;
            match bytes.get(end) {
                Some(b'\n') => Ok((name, &bytes[begin..end], end + 1)),
                Some(_) => Err(Stop::Wrong),
                None => Err(Stop::Missing(false)),
            }
        }
        _ => Err(Stop::Wrong),
    }
}

/// The event of an entry; its text is what stands there, but for bytes that are none.
pub(crate) fn event<'a>(entry: &'a [u8], context: &Context<'_>) -> Option<Event<'a>> {
    let mut record = Record::default();
    let mut at = 0;
    // The last field may have lost its newline.
    let ended;
    let fields = if entry.ends_with(b"\n") {
        entry
    } else {
        ended = [entry, b"\n"].concat();
        &ended
    };
    let first = memchr::memchr(b'\n', fields)?;
    let has_returns = fields[..first].ends_with(b"\r");
    while at < fields.len() {
        let (name, value, next) = field(fields, at, usize::MAX).ok()?;
        let value = value.strip_suffix(b"\r").filter(|_| has_returns).unwrap_or(value);
        let name = String::from_utf8_lossy(name).into_owned();
        let (value, _) = decoding::text(value);
        record.put(name.into(), Cow::<str>::Owned(value.into_owned()).into());
        at = next;
    }
    let (text, decoding) = decoding::text(entry);
    let mut event = nested::event(record, context, || text.clone());
    inner::read(&mut event, context);
    if event.message.len() > context.line_bytes_max {
        let end = event.message.floor_char_boundary(context.line_bytes_max);
        event.message = event.message[..end].to_owned().into();
        event.flag(field::TRUNCATED);
    }
    decoding.mark(&mut event, entry);
    let mut original = text;
    if original.len() > context.line_bytes_max {
        let end = original.floor_char_boundary(context.line_bytes_max);
        original = original[..end].to_owned().into();
        event.flag(field::TRUNCATED);
    }
    event.original = Some(original);
    Some(event)
}
