//! `log-sentinel sessions`: what was strange as a whole.

use serde_json::Value as Json;

use super::show;
use crate::{
    AppError,
    cli::Output,
    client::Client,
    wording::{count, each, grouped, many, number, short, text, texts, time},
};

/// Prints the strange sessions found lately, the newest first.
///
/// # Errors
/// When the service does not answer, or output cannot be written.
pub(crate) async fn run(client: &Client, limit: u32, output: Output) -> Result<(), AppError> {
    let answer = client.get_json("/sessions", &[("limit", &limit.to_string())]).await?;
    show(output, &answer, Some("sessions"), list)
}

fn list(answer: &Json) -> String {
    let mut said: String = each(answer, "sessions").iter().map(session).collect();
    said.push_str(&format!(
        "{} found strange since the start; {} open, {} ended, {} of these early to make room\n",
        many(count(answer, "found"), "session", "sessions"),
        grouped(count(answer, "open")),
        grouped(count(answer, "ended")),
        grouped(count(answer, "evicted")),
    ));
    said
}

fn session(session: &Json) -> String {
    let end = match session["end"].as_str() {
        Some("open") => ", goes on",
        Some("closed") => ", ended",
        Some("silent") => ", fell silent",
        Some("evicted") => ", broken off to make room",
        _ => "",
    };
    let mut said = format!(
        "{} to {}  {} = {}  {}{end}  [score {:.3}, p {:.1e}]\n",
        time(session, "from"),
        time(session, "to"),
        text(session, "kind"),
        text(session, "key"),
        many(count(session, "events"), "event", "events"),
        number(session, "score"),
        number(session, "p_value"),
    );
    for reason in texts(session, "reasons") {
        said.push_str(&format!("  - {reason}\n"));
    }
    let nearest = each(session, "nearest");
    if !nearest.is_empty() {
        said.push_str("  the nearest ordinary one:\n");
    }
    for line in nearest {
        let template = short(line["template"].as_str().unwrap_or_default());
        said.push_str(&format!("  {:>6} x {template}\n", grouped(count(line, "count"))));
    }
    said.push('\n');
    said
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_session_is_said_with_its_reasons() {
        let answer = json!({
            "sessions": [{
                "key": "9e37\u{1b}79b9", "kind": "request", "first": "j-0-1", "last": "j-0-9",
                "from": "2023-11-15T01:00:00Z", "to": "2023-11-15T01:00:07Z", "events": 3, "score": 0.612,
                "p_value": 0.00021, "end": "silent", "reasons": ["no \"stored request <id>\"", "short"],
                "nearest": [{"template": "begin request <id>", "count": 1}, {"template": "try <id>", "count": 1_200}]
            }],
            "open": 14, "ended": 5_601, "found": 1, "evicted": 0
        });
        assert_eq!(
            list(&answer),
            "2023-11-15T01:00:00Z to 2023-11-15T01:00:07Z  request = 9e37\\u{1b}79b9  3 events, fell silent  [score 0.612, p 2.1e-4]\n\
             \x20 - no \"stored request <id>\"\n\
             \x20 - short\n\
             \x20 the nearest ordinary one:\n\
             \x20      1 x begin request <id>\n\
             \x20  1,200 x try <id>\n\
             \n\
             1 session found strange since the start; 14 open, 5,601 ended, 0 of these early to make room\n"
        );
        let none = json!({"sessions": [], "open": 0, "ended": 0, "found": 0, "evicted": 0});
        assert!(list(&none).starts_with("0 sessions found strange"), "{}", list(&none));
    }
}
