//! Text longer than the limit: cut and marked, in records as in lines.

use std::borrow::Cow;

use event::{Event, Value, field};

/// Cuts the message and the original of a record to `bytes_max` bytes and marks it; whether it, or
/// the line it was parsed from, was cut.
pub(crate) fn bound(event: &mut Event<'_>, bytes_max: usize) -> bool {
    let message = cut(&mut event.message, bytes_max);
    let original = event.original.as_mut().is_some_and(|original| cut(original, bytes_max));
    if message || original {
        event.flag(field::TRUNCATED);
        return true;
    }
    // Lines have been cut and marked where they were parsed; only they can be that long.
    event.original.as_ref().is_some_and(|original| original.len() + 3 >= bytes_max) && is_marked(event)
}

fn cut(text: &mut Cow<'_, str>, bytes_max: usize) -> bool {
    if text.len() <= bytes_max {
        return false;
    }
    let end = text.floor_char_boundary(bytes_max);
    match text {
        Cow::Borrowed(text) => *text = &text[..end],
        Cow::Owned(text) => text.truncate(end),
    }
    true
}

fn is_marked(event: &Event<'_>) -> bool {
    matches!(event.field(field::FLAGS), Some(Value::Json(flags)) if flags.contains(field::TRUNCATED))
}
