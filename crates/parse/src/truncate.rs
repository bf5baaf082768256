//! Text longer than the limit: cut and marked, in records as in lines.

use std::borrow::Cow;

use event::{Event, field};

/// Cuts the message and the original of an event to `bytes_max` bytes each, and marks the event when that took
/// anything away.
pub(crate) fn bound(event: &mut Event<'_>, bytes_max: usize) {
    let message = cut(&mut event.message, bytes_max);
    let original = event.original.as_mut().is_some_and(|original| cut(original, bytes_max));
    if message || original {
        event.flag(field::TRUNCATED);
    }
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
