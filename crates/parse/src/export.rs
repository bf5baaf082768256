//! Entries of the journal of systemd in its export format: lines `NAME=value`, and for values that are no text their
//! name, their length in eight bytes, and themselves. An empty line ends an entry.

use std::borrow::Cow;

use event::{Event, field};

use crate::{Context, decoding, nested, record::Record};

/// What an entry begins with.
const START: &[u8] = b"__CURSOR=";

/// Whether an entry begins here.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(START)
}

/// Behind the entry that begins here, with the empty line that ends it; None while that is not there.
pub(crate) fn end(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while bytes.get(at)? != &b'\n' {
        at = field(bytes, at)?.2;
    }
    Some(at + 1)
}

/// The name and the value of the field that begins at `at`, and where the next one does.
fn field(bytes: &[u8], at: usize) -> Option<(&[u8], &[u8], usize)> {
    let line = at + memchr::memchr(b'\n', bytes.get(at..)?)?;
    if let Some(equals) = memchr::memchr(b'=', &bytes[at..line]) {
        return Some((&bytes[at..at + equals], &bytes[at + equals + 1..line], line + 1));
    }
    let begin = line + 9;
    let length = bytes.get(line + 1..begin)?.try_into().map(u64::from_le_bytes).ok()?;
    let end = begin.checked_add(usize::try_from(length).ok()?)?;
    (bytes.get(end)? == &b'\n').then(|| (&bytes[at..line], &bytes[begin..end], end + 1))
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
    while at < fields.len() && fields[at] != b'\n' {
        let (name, value, next) = field(fields, at)?;
        let name = String::from_utf8_lossy(name).into_owned();
        let (value, _) = decoding::text(value);
        record.put(name.into(), Cow::<str>::Owned(value.into_owned()).into());
        at = next;
    }
    let (text, decoding) = decoding::text(entry);
    let mut event = nested::event(record, context, || text.clone());
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
