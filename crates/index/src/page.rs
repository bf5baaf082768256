//! How much of an answer is held at a time.

use event::{Document, Event, Value};
use serde_json::Value as Json;

/// Room for the documents of a page, in bytes as JSON. The first one always fits, so that paging
/// goes on whatever its size.
#[derive(Debug)]
pub(crate) struct Room {
    left: usize,
    taken: usize,
}

impl Room {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { left: bytes_max, taken: 0 }
    }

    /// Takes a document in; false when it does not fit any more.
    pub(crate) fn take(&mut self, document: &Document) -> bool {
        if self.left == usize::MAX {
            return true;
        }
        let length = object_len(document);
        let fits = self.taken == 0 || length <= self.left;
        self.left = if fits { self.left.saturating_sub(length) } else { 0 };
        self.taken += length;
        fits
    }

    /// How many more documents fit, by the mean size of the `count` taken so far.
    pub(crate) fn fits(&self, count: usize) -> usize {
        self.left / (self.taken / count.max(1)).max(1)
    }
}

/// Bytes of an event's texts.
pub(crate) fn text_len(event: &Event<'_>) -> usize {
    let field = |value: &Value<'_>| match value {
        Value::String(text) | Value::Json(text) => text.len(),
        _ => 0,
    };
    let original = event.original.as_ref().map_or(0, |original| original.len());
    event.message.len() + original + event.fields.iter().map(|known| field(&known.value)).sum::<usize>()
}

fn object_len(object: &Document) -> usize {
    let member = |(name, value): (&String, &Json)| string_len(name) + json_len(value) + 2;
    2 + object.iter().map(member).sum::<usize>()
}

/// The length of a value as JSON without blanks; that of a number is estimated.
fn json_len(value: &Json) -> usize {
    match value {
        Json::Null | Json::Bool(_) => 5,
        Json::Number(_) => 12,
        Json::String(text) => string_len(text),
        Json::Array(elements) => 2 + elements.iter().map(|element| json_len(element) + 1).sum::<usize>(),
        Json::Object(object) => object_len(object),
    }
}

fn string_len(text: &str) -> usize {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 1,
        0..0x20 => 5,
        _ => 0,
    };
    2 + text.len() + text.bytes().map(escaped).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(json: Json) -> Document {
        json.as_object().unwrap().clone()
    }

    #[test]
    fn lengths_are_those_of_the_text() {
        let text = "line\u{1}\u{1b}[0m \"quoted\" \\ back\n\r\t\u{8}\u{c} ü 日本";
        let document = document(json!({"message": text, "a": {"b": [text, {}, []]}}));
        let length = Json::Object(document.clone()).to_string().len();
        assert!(object_len(&document).abs_diff(length) < 16, "{} {length}", object_len(&document));
    }

    #[test]
    fn the_first_always_fits_and_nothing_after_the_last() {
        let (large, small) = (document(json!({"m": "x".repeat(1000)})), document(json!({"m": "x"})));
        let mut room = Room::new(10);
        assert!(room.take(&large) && !room.take(&small));
        let mut room = Room::new(40);
        assert!(room.take(&small) && !room.take(&large) && !room.take(&small));
        let mut room = Room::new(usize::MAX);
        assert!(room.take(&large) && room.take(&large));
    }
}
