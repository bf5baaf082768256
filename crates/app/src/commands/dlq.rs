//! `log-sentinel dlq`: what the index refused.

use serde_json::Value as Json;

use super::{note, print, print_json, query::readable};
use crate::{
    AppError,
    cli::DlqAction,
    client::Client,
    wording::{count, grouped, many, text},
};

/// The API gives so many letters at a time.
const PAGE: u32 = 1000;

/// Lists, shows, replays or drops dead letters of a running collector.
///
/// # Errors
/// When the collector does not answer, or output cannot be written.
pub(crate) async fn run(client: &Client, action: &DlqAction) -> Result<(), AppError> {
    match action {
        DlqAction::List { query, limit } => {
            each(client, &query.join(" "), *limit, |letters| print(&lines(letters, line))).await
        }
        DlqAction::Show { query, limit } => {
            each(client, &query.join(" "), *limit, |letters| print_json(&lines(letters, Json::to_string)))
                .await
        }
        DlqAction::Replay => {
            let answer = client.post("/api/v1/dead-letters/replay", &[], &[], vec![]).await?;
            print(&format!("{} taken in again\n", events(count(&answer, "replayed"))))?;
            Ok(())
        }
        DlqAction::Drop { .. } => {
            let answer = client.post("/api/v1/dead-letters/discard", &[], &[], vec![]).await?;
            print(&format!("{} deleted\n", events(count(&answer, "discarded"))))?;
            Ok(())
        }
    }
}

fn events(number: u64) -> String {
    many(number, "event was", "events were")
}

fn lines(letters: &[Json], line: impl Fn(&Json) -> String) -> String {
    letters.iter().map(|letter| line(letter) + "\n").collect()
}

async fn each(
    client: &Client,
    query: &str,
    limit: u32,
    show: impl Fn(&[Json]) -> std::io::Result<bool>,
) -> Result<(), AppError> {
    let (mut left, mut cursor) = (limit, String::new());
    loop {
        let page = left.min(PAGE).to_string();
        let mut parameters = vec![("q", query), ("limit", page.as_str())];
        if !cursor.is_empty() {
            parameters.push(("cursor", &cursor));
        }
        let answer = client.get_json("/api/v1/dead-letters", &parameters).await?;
        let letters = answer["letters"].as_array().map(Vec::as_slice).unwrap_or_default();
        if !show(letters)? {
            return Ok(());
        }
        left -= (letters.len() as u32).min(left);
        match answer["next"].as_str() {
            Some(next) if left > 0 => cursor = next.to_owned(),
            _ => {
                note(&format!("{} of {} events", limit - left, grouped(count(&answer, "total"))));
                return Ok(());
            }
        }
    }
}

fn line(letter: &Json) -> String {
    format!("{}  [{}: {}]", readable(&letter["event"]), text(letter, "type"), text(letter, "reason"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_letter_is_one_line() {
        let reason = "failed to parse\r\n\u{1b}[2Jfield [a]\u{85}";
        let line = line(&json!({"event": {"message": "a\nb"}, "type": "t", "reason": reason}));
        assert!(!line.chars().any(char::is_control), "{line:?}");
        assert!(line.contains("failed to parse") && line.contains("field [a]"), "{line}");
    }
}
