//! `log-sentinel dlq`: what the index refused.

use serde_json::Value as Json;

use super::{print, query::readable};
use crate::{AppError, cli::DlqAction, client::Client};

/// The API gives so many letters at a time.
const PAGE: u32 = 1000;

/// Lists, shows, replays or drops dead letters of a running collector.
///
/// # Errors
/// When the collector does not answer, or output cannot be written.
pub(crate) async fn run(client: &Client, action: &DlqAction) -> Result<(), AppError> {
    match action {
        DlqAction::List { query, limit } => each(client, &query.join(" "), *limit, line).await,
        DlqAction::Show { query, limit } => each(client, &query.join(" "), *limit, Json::to_string).await,
        DlqAction::Replay => {
            let answer = client.post("/api/v1/dead-letters/replay", &[], &[], vec![]).await?;
            print(&format!("{} events were taken in again\n", answer["replayed"]))?;
            Ok(())
        }
        DlqAction::Drop { .. } => {
            let answer = client.post("/api/v1/dead-letters/discard", &[], &[], vec![]).await?;
            print(&format!("{} events were deleted\n", answer["discarded"]))?;
            Ok(())
        }
    }
}

async fn each(client: &Client, query: &str, limit: u32, show: fn(&Json) -> String) -> Result<(), AppError> {
    let (mut left, mut cursor) = (limit, String::new());
    loop {
        let page = left.min(PAGE).to_string();
        let mut parameters = vec![("q", query), ("limit", page.as_str())];
        if !cursor.is_empty() {
            parameters.push(("cursor", &cursor));
        }
        let answer = client.get_json("/api/v1/dead-letters", &parameters).await?;
        let letters = answer["letters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let lines: String = letters.iter().map(|letter| show(letter) + "\n").collect();
        if !print(&lines)? {
            return Ok(());
        }
        left -= (letters.len() as u32).min(left);
        match answer["next"].as_str() {
            Some(next) if left > 0 => cursor = next.to_owned(),
            _ => {
                eprintln!("{} of {} events", limit - left, answer["total"]);
                return Ok(());
            }
        }
    }
}

fn line(letter: &Json) -> String {
    let text = |name: &str| letter[name].as_str().unwrap_or_default().to_owned();
    format!("{}  [{}: {}]", readable(&letter["event"]), text("type"), text("reason"))
}
