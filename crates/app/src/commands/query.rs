//! `log-sentinel query`: search from a terminal.

use serde_json::Value as Json;

use super::print;
use crate::{AppError, cli::Output, client::Client, wording::plain};

/// The API gives so many hits at a time.
const PAGE: u32 = 1000;

/// What to search.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The query.
    pub query: String,
    /// Earliest time.
    pub from: Option<String>,
    /// Latest time.
    pub to: Option<String>,
    /// How many events.
    pub limit: u32,
}

/// Prints what matches, page by page.
///
/// # Errors
/// When the collector does not answer, or output cannot be written.
pub(crate) async fn run(client: &Client, request: &Request, output: Output) -> Result<(), AppError> {
    let mut left = request.limit;
    let mut cursor = String::new();
    let mut collected = vec![];
    loop {
        let limit = left.min(PAGE).to_string();
        let mut parameters = vec![("q", request.query.as_str()), ("limit", &limit)];
        for (name, value) in [
            ("from", request.from.as_deref()),
            ("to", request.to.as_deref()),
            ("cursor", Some(cursor.as_str())),
        ] {
            parameters.extend(value.filter(|value| !value.is_empty()).map(|value| (name, value)));
        }
        let mut answer = client.get_json("/api/v1/search", &parameters).await?;
        let next = answer["next"].as_str().map(str::to_owned);
        let hits = match answer["hits"].take() {
            Json::Array(hits) => hits,
            _ => vec![],
        };
        left -= (hits.len() as u32).min(left);
        let last = next.is_none() || left == 0;
        match output {
            Output::Json => collected.extend(hits),
            Output::Ndjson => {
                let lines: String = hits.iter().map(|hit| format!("{hit}\n")).collect();
                if !print(&lines)? {
                    return Ok(());
                }
            }
            Output::Text => {
                let lines: String = hits.iter().map(|hit| readable(hit) + "\n").collect();
                if !print(&lines)? {
                    return Ok(());
                }
                if last {
                    summarize(&answer, request.limit - left);
                }
            }
        }
        match next {
            Some(next) if !last => cursor = next,
            _ => {
                if output == Output::Json {
                    answer["hits"] = Json::Array(collected);
                    print(&format!("{answer:#}\n"))?;
                }
                return Ok(());
            }
        }
    }
}

fn summarize(answer: &Json, shown: u32) {
    let total = answer["total"].as_u64().unwrap_or_default();
    let partial =
        answer["reason"].as_str().map(|reason| format!("; incomplete: {reason}")).unwrap_or_default();
    eprintln!("{shown} of {total} events{partial}");
}

/// An event as a line for people: time, level, host, service, text, and what is strange about it.
pub(crate) fn readable(hit: &Json) -> String {
    let text = |path: &str| hit.pointer(path).and_then(Json::as_str);
    let mut line = format!("{} {:<5}", text("/@timestamp").unwrap_or("-"), text("/log/level").unwrap_or("-"));
    for part in [text("/host/name"), text("/service/name")].into_iter().flatten() {
        line.push(' ');
        line.push_str(part);
    }
    line.push_str("  ");
    line.push_str(&plain(text("/message").unwrap_or_default()));
    let anomaly = &hit["sentinel"]["anomaly"];
    if anomaly["is_anomaly"] == true {
        let score = anomaly["score"].as_f64().unwrap_or_default();
        let reasons: Vec<&str> =
            anomaly["reasons"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        line.push_str(&format!("  [anomaly {score:.3}: {}]", reasons.join("; ")));
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_for_people_holds_no_control_characters() {
        let hit = json!({
            "@timestamp": "2024-06-01T12:00:00Z", "log": {"level": "warn"}, "service": {"name": "sshd"},
            "message": "a\u{1b}[31mred", "sentinel": {"anomaly": {"is_anomaly": true, "score": 0.9912, "reasons": ["new"]}}
        });
        assert_eq!(readable(&hit), "2024-06-01T12:00:00Z warn  sshd  a [31mred  [anomaly 0.991: new]");
    }
}
