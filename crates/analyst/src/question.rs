//! What is asked: the signal as data, with nothing of it that names anybody.

use event::Timestamp;
use serde_json::{Map, Value as Json, json};
use signal::{
    Incident, Signal,
    narrative::{self, Narrative, Reader},
};

use crate::pseudonyms::Pseudonyms;

const PROMPT: &str = include_str!("prompt.md");
const SCHEMA: &str = include_str!("answer.schema.json");
/// Lines of logs that are sent, and characters of each.
const LINES_MAX: usize = 8;
const LINE_CHARS_MAX: usize = 300;
/// Characters of any other text.
const TEXT_CHARS_MAX: usize = 600;
const TOKENS_MAX: u32 = 400;
/// Other signals of the same story that are sent, those that began last.
const STORY_MAX: usize = 8;

/// A question, and what stands for names in it.
pub(crate) struct Question {
    pub(crate) body: Json,
    pub(crate) names: Pseudonyms,
    /// The same for the same question to the same model.
    pub(crate) key: [u8; 32],
}

/// Of a signal in these words, and of the story that it belongs to.
pub(crate) fn of(
    signal: &Signal,
    words: &Narrative,
    story: Option<&Incident>,
    reader: &Reader,
    model: &str,
) -> Question {
    let others = story.map(|story| story.entities.as_slice()).unwrap_or_default();
    let mut names = Pseudonyms::of(signal.entities.iter().chain(others));
    let mut hidden = |text: &str, most: usize| cut(&names.hide(&cut(text, most)), most);
    let facts: Map<String, Json> = signal
        .facts
        .iter()
        .map(|(name, value)| {
            let text = match value {
                Json::String(text) => text.clone(),
                value => value.to_string(),
            };
            (name.clone(), hidden(&text, TEXT_CHARS_MAX).into())
        })
        .collect();
    let lines: Vec<String> =
        signal.evidence.iter().take(LINES_MAX).map(|event| hidden(&event.message, LINE_CHARS_MAX)).collect();
    let steps: Map<String, Json> = (1..)
        .zip(&words.next)
        .map(|(number, step): (u32, _)| (number.to_string(), hidden(step, TEXT_CHARS_MAX).into()))
        .collect();
    let story: Vec<Json> = others_of(signal, story)
        .map(|other| {
            json!({
                "kind": other.kind,
                "severity": other.severity,
                "began_seconds_before": seconds(other.first, signal.first),
                "events": other.count,
                "what_happened": hidden(&narrative::of(other, reader).what, TEXT_CHARS_MAX),
            })
        })
        .collect();
    let data = json!({
        "language": match reader.language { narrative::Language::English => "English", narrative::Language::Portuguese => "Brazilian Portuguese" },
        "kind": signal.kind,
        "severity": signal.severity,
        "confidence": signal.confidence,
        "what_happened": hidden(&words.what, TEXT_CHARS_MAX),
        "why_it_matters": hidden(&words.why, TEXT_CHARS_MAX),
        "events": signal.count,
        "lasted_seconds": seconds(signal.first, signal.last),
        "techniques": signal.techniques,
        "facts": facts,
        "next_steps": steps,
        "same_incident": story,
        "log_lines": lines,
    });
    let schema: Json = serde_json::from_str(SCHEMA).unwrap_or_default();
    let body = json!({
        "model": model,
        "temperature": 0,
        "max_tokens": TOKENS_MAX,
        "messages": [
            {"role": "system", "content": PROMPT},
            {"role": "user", "content": data.to_string()},
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "assessment", "strict": true, "schema": schema},
        },
    });
    let key = *blake3::hash(body.to_string().as_bytes()).as_bytes();
    Question { body, names, key }
}

/// What else belongs to the story of a signal, in the order in which it began.
fn others_of<'s>(signal: &Signal, story: Option<&'s Incident>) -> impl Iterator<Item = &'s Signal> {
    let others = story.map(|story| story.signals.as_slice()).unwrap_or_default();
    let others: Vec<_> = others.iter().filter(|other| other.id != signal.id).collect();
    let from = others.len().saturating_sub(STORY_MAX);
    others.into_iter().skip(from)
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_nanos() - from.as_nanos()) / 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_one() {
        let schema: Json = serde_json::from_str(SCHEMA).unwrap();
        assert_eq!(schema["required"], json!(["assessment", "steps"]));
    }
}
