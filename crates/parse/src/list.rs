//! A JSON list of records: what is wrong with one element concerns that element.

use serde_json::value::RawValue;

use crate::{
    Context, Problem, Take, envelope,
    json::{self, Refusal},
};

/// Where a list ended.
pub(crate) struct List {
    /// Behind its bracket; None when that cannot be found, so that nothing behind was read.
    pub(crate) end: Option<usize>,
    /// How many elements it had.
    pub(crate) elements: u64,
}

/// Takes the records of the list that begins at `begin`.
pub(crate) fn array<'a>(
    place: &mut Place<'a>,
    begin: usize,
    mended: bool,
    context: &Context<'_>,
    take: Take<'_, 'a>,
) -> List {
    let text = place.text;
    let (mut at, mut elements) = (begin + 1, 0);
    place.is_among_lines = !text[..begin].trim_start_matches(json::BLANKS).is_empty();
    loop {
        at = after_blanks(text, at);
        if elements == 0 && text[at..].starts_with(']') {
            return List { end: Some(at + 1), elements };
        }
        elements += 1;
        let (refusal, end) = match element(&text[at..]) {
            Ok(json) => {
                let read = envelope::records(json, context, mended, &mut |record| {
                    take(record.map_err(|refusal| place.element(elements, at, refusal)));
                });
                (read.err(), Some(after_blanks(text, at + json.len())))
            }
            Err(refusal) => (Some(refusal), element_end(text, at)),
        };
        if let Some(mut refusal) = refusal {
            if end.is_none() && !refusal.early_end {
                refusal.reason.push_str("; its end cannot be found, and nothing from there on was read");
            }
            take(Err(place.element(elements, at, refusal)));
        }
        let Some(end) = end else { return List { end, elements } };
        at = (end + 1).min(text.len());
        if text[end..].starts_with(']') {
            return List { end: Some(at), elements };
        }
    }
}

/// The element at the start of the text, when a comma or the list's end follows it.
fn element(text: &str) -> Result<&str, Refusal> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let value = match values.next() {
        Some(Ok(value)) => value.get(),
        Some(Err(error)) if text.starts_with(']') => {
            let reason = "malformed JSON: trailing comma".to_owned();
            return Err(Refusal { reason, ..Refusal::of(&error) });
        }
        Some(Err(error)) => return Err(Refusal::of(&error)),
        None => {
            let reason = "the JSON ends too early (EOF while parsing a list); was it cut off?".to_owned();
            return Err(Refusal { line: 1, column: Some(1), reason, early_end: true });
        }
    };
    let next = after_blanks(text, value.len());
    if matches!(text.as_bytes().get(next), None | Some(b',' | b']')) {
        return Ok(value);
    }
    let line_start = text[..next].rfind('\n').map_or(0, |newline| newline + 1);
    Err(Refusal {
        line: 1 + newlines(&text[..next]),
        column: Some((next - line_start) as u64 + 1),
        reason: "malformed JSON: expected a comma or the end of the list".to_owned(),
        early_end: false,
    })
}

fn after_blanks(text: &str, at: usize) -> usize {
    text.len() - text[at..].trim_start_matches(json::BLANKS).len()
}

/// Where the comma or bracket stands that ends the element begun at `at`, whatever is in it. A text
/// ends at its quote, or with its line: JSON has no line ends in texts.
pub(crate) fn element_end(text: &str, at: usize) -> Option<usize> {
    let (mut depth, mut in_text, mut escaped) = (0u64, false, false);
    for (offset, byte) in text.as_bytes().get(at..)?.iter().enumerate() {
        match byte {
            _ if std::mem::take(&mut escaped) => {}
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'\n' => in_text = false,
            _ if in_text => {}
            b'{' | b'[' => depth += 1,
            b',' | b']' if depth == 0 => return Some(at + offset),
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

pub(crate) fn newlines(text: &str) -> u64 {
    memchr::memchr_iter(b'\n', text.as_bytes()).count() as u64
}

/// Counts lines on the way through a text.
pub(crate) struct Place<'t> {
    pub(crate) text: &'t str,
    at: usize,
    line: u64,
    line_start: usize,
    /// Whether a list is read that other records stand before.
    is_among_lines: bool,
}

impl<'t> Place<'t> {
    /// At the start.
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, at: 0, line: 1, line_start: 0, is_among_lines: false }
    }

    /// Moves on to `start`; gives its line and, from 0, its column.
    fn move_to(&mut self, start: usize) -> (u64, u64) {
        let passed = &self.text[self.at.min(start)..start];
        self.line += newlines(passed);
        if let Some(newline) = passed.rfind('\n') {
            self.line_start = self.at + newline + 1;
        }
        self.at = self.at.max(start);
        (self.line, (start - self.line_start.min(start)) as u64)
    }

    /// What is wrong with the element that begins at `start`: of a body that is a list by the element's number,
    /// of a list among lines by its line.
    pub(crate) fn element(&mut self, number: u64, start: usize, refusal: Refusal) -> Problem {
        let (line, before) = self.move_to(start);
        let line = line + refusal.line.max(1) - 1;
        let before = if refusal.line > 1 { 0 } else { before };
        let column = before + refusal.column.unwrap_or(1).max(1);
        let reason =
            format!("element {number} (line {line}, column {column} of the body): {}", refusal.reason);
        Problem { line: if self.is_among_lines { line } else { number }, column: None, field: None, reason }
    }

    /// What is wrong with the value that begins at `start`.
    pub(crate) fn value(&mut self, start: usize, refusal: Refusal) -> Problem {
        let (line, before) = self.move_to(start);
        let before = if refusal.line > 1 { 0 } else { before };
        let at = if refusal.early_end { line } else { line + refusal.line.max(1) - 1 };
        let column = refusal.column.map(|column| before + column);
        Problem { line: at, column, field: None, reason: refusal.reason }
    }
}
