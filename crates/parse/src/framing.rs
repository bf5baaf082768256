//! JSON values as senders put them one after another: a line each, without anything between, with commas, with the
//! record separators of RFC 7464, with a byte order mark before each file that was joined; spread over lines; in lists.

use serde_json::value::RawValue;

use crate::{
    Context, Take, envelope,
    json::{self, Refusal},
    list::{self, List, Place},
};

/// What may stand between two values.
const SEPARATORS: [char; 8] = [' ', '\t', '\n', '\r', ',', '\u{1e}', '\u{feff}', '\0'];

/// What begins on a line and is broken further down is read again from the next line on, so many times the text's length
/// altogether: no text takes more than linear time.
const AHEAD_TIMES: usize = 4;

/// Takes all records of a text.
pub(crate) fn values<'a>(text: &'a str, mended: bool, context: &Context<'_>, take: Take<'_, 'a>) {
    let place = Place::new(text);
    let mut values = Values { text, mended, context, place, line_end: 0, ahead: AHEAD_TIMES * text.len() };
    let mut at = 0;
    loop {
        at = after_separators(text, at);
        if at >= text.len() {
            return;
        }
        values.line_end = values.line_end.max(at);
        if at >= values.line_end {
            values.line_end = line_end(text, at);
        }
        at = if text[at..].starts_with('[') { values.list(at, take) } else { values.value(at, take) };
    }
}

fn after_separators(text: &str, at: usize) -> usize {
    text.len() - text[at..].trim_start_matches(SEPARATORS).len()
}

fn line_end(text: &str, at: usize) -> usize {
    memchr::memchr(b'\n', &text.as_bytes()[at..]).map_or(text.len(), |newline| at + newline)
}

struct Values<'a, 'c> {
    text: &'a str,
    mended: bool,
    context: &'c Context<'c>,
    place: Place<'a>,
    /// End of the line that was reached.
    line_end: usize,
    /// How much may still be read ahead of what turns out to be broken.
    ahead: usize,
}

impl<'a> Values<'a, '_> {
    /// Takes what begins at `at` and is no list; gives where to go on.
    fn value(&mut self, at: usize, take: Take<'_, 'a>) -> usize {
        let line = &self.text[at..self.line_end];
        let line = line.trim_end_matches(SEPARATORS);
        if is_action(line) {
            return self.line_end;
        }
        // Nearly always a line is one record.
        let Err(refusal) = self.records(line, at, take) else { return self.line_end };
        let mut values = serde_json::Deserializer::from_str(line).into_iter::<&'a RawValue>();
        match values.next() {
            // A line that begins with something else is none of JSON's.
            Some(Ok(first)) if first.get().len() == line.len() || !first.get().starts_with('{') => {}
            Some(Ok(first)) => {
                let json = first.get();
                if !is_action(json)
                    && let Err(refusal) = self.records(json, at, take)
                {
                    take(Err(self.place.value(at, refusal)));
                }
                return at + json.len();
            }
            Some(Err(error)) if error.is_eof() => return self.spread(at, refusal, take),
            // The others of the line are read when it can be told where this one ends.
            Some(Err(_)) if line.starts_with('{') => {
                take(Err(self.place.value(at, refusal)));
                return at + object_end(line).unwrap_or(line.len());
            }
            _ => {}
        }
        take(Err(self.place.value(at, refusal)));
        self.line_end
    }

    fn records(&mut self, json: &'a str, at: usize, take: Take<'_, 'a>) -> Result<(), Refusal> {
        let place = &mut self.place;
        envelope::records(json, self.context, self.mended, &mut |record| {
            take(record.map_err(|refusal| place.value(at, refusal)));
        })
    }

    /// Takes a value that does not end with its line.
    fn spread(&mut self, at: usize, refusal: Refusal, take: Take<'_, 'a>) -> usize {
        let text = if self.ahead > 0 { &self.text[at..] } else { &self.text[at..self.line_end] };
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<&'a RawValue>();
        let error = match values.next() {
            Some(Ok(value)) => {
                let json = value.get();
                if let Err(refusal) = self.records(json, at, take) {
                    take(Err(self.place.value(at, refusal)));
                }
                return at + json.len();
            }
            Some(Err(error)) => Refusal::of(&error),
            None => refusal.clone(),
        };
        let lines = usize::try_from(error.line).unwrap_or(usize::MAX);
        let read =
            memchr::memchr_iter(b'\n', text.as_bytes()).nth(lines.saturating_sub(1)).unwrap_or(text.len());
        self.ahead = self.ahead.saturating_sub(read);
        let next = after_separators(self.text, self.line_end);
        let begins = |at: usize| self.text[at..].starts_with(['{', '[']);
        // Lines of objects go on with the next line; one broken object is named once.
        let is_line = begins(next);
        take(Err(self.place.value(at, if is_line { refusal } else { error })));
        if is_line {
            return next;
        }
        let mut line = self.line_end;
        while line < self.text.len() {
            let start = line + 1;
            if begins(start) {
                return start;
            }
            line = line_end(self.text, start);
        }
        self.text.len()
    }

    /// Takes the list that begins at `at`; gives where to go on.
    fn list(&mut self, at: usize, take: Take<'_, 'a>) -> usize {
        let List { end, elements } = list::array(&mut self.place, at, self.mended, self.context, take);
        let Some(end) = end else { return self.text.len() };
        let rest = after_separators(self.text, end);
        self.line_end = self.line_end.max(line_end(self.text, end));
        if rest < self.line_end && !self.text[rest..].starts_with(['{', '[']) {
            let reason = "there is more text after the list; it was not read".to_owned();
            let refusal = Refusal { line: 1, column: Some(1), reason, early_end: false };
            take(Err(self.place.element(elements + 1, rest, refusal)));
            return self.line_end;
        }
        end
    }
}

/// Behind the brace that closes the object at the start of a line.
fn object_end(line: &str) -> Option<usize> {
    let (mut depth, mut in_text, mut escaped) = (0u64, false, false);
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            _ if std::mem::take(&mut escaped) => {}
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' => depth += 1,
            b'}' if depth <= 1 => return Some(at + 1),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Whether a line is an action of an Elasticsearch `_bulk` body: it says where the next line goes.
fn is_action(line: &str) -> bool {
    const ACTIONS: [&str; 4] = ["index", "create", "update", "delete"];
    let Some(inner) = line.strip_prefix('{') else { return false };
    let Some(name) = inner.trim_start_matches(json::BLANKS).strip_prefix('"') else { return false };
    if !ACTIONS.iter().any(|action| name.starts_with(action)) {
        return false;
    }
    let Ok(serde_json::Value::Object(members)) = serde_json::from_str(line) else { return false };
    let mut members = members.iter();
    let (Some((name, serde_json::Value::Object(target))), None) = (members.next(), members.next()) else {
        return false;
    };
    ACTIONS.contains(&name.as_str())
        && target.keys().all(|key| {
            key.starts_with('_')
                || matches!(
                    key.as_str(),
                    "routing"
                        | "pipeline"
                        | "version"
                        | "version_type"
                        | "op_type"
                        | "dynamic_templates"
                        | "require_alias"
                        | "require_data_stream"
                        | "retry_on_conflict"
                        | "if_seq_no"
                        | "if_primary_term"
                        | "list_executed_pipelines"
                )
        })
}
