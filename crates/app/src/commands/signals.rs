//! `log-sentinel signals`: what was found, and what people decide of it.

use serde_json::{Value as Json, json};

use super::{note, show};
use crate::{
    AppError,
    cli::{Says, SignalsAction, SignalsAsked, SignalsTold},
    client::Client,
    wording::{count, each, grouped, many, plain, text, texts, time},
};

/// Lists signals, shows one, or changes one, of a running collector.
///
/// # Errors
/// When the collector does not answer, none or several have the id, or output cannot be written.
pub(crate) async fn run(
    client: &Client,
    action: Option<&SignalsAction>,
    asked: &SignalsAsked,
    told: &SignalsTold,
) -> Result<(), AppError> {
    match action {
        None => list(client, asked, told).await,
        Some(SignalsAction::Show { id }) => {
            let path = path(client, id).await?;
            let answer = client.get_json(&path, &words(told)).await?;
            show(told.output, &answer, None, whole)
        }
        Some(SignalsAction::Acknowledge(says)) => change(client, says, "acknowledge", json!({}), told).await,
        Some(SignalsAction::Resolve(says)) => change(client, says, "resolve", json!({}), told).await,
        Some(SignalsAction::Reopen(says)) => change(client, says, "reopen", json!({}), told).await,
        Some(SignalsAction::Expected { says, similar }) => {
            change(client, says, "feedback", json!({"label": "expected", "similar": similar}), told).await
        }
        Some(SignalsAction::Real { says, similar }) => {
            change(client, says, "feedback", json!({"label": "real", "similar": similar}), told).await
        }
    }
}

/// In which words they are told.
fn words(told: &SignalsTold) -> Vec<(&str, &str)> {
    let mut parameters = vec![("lang", told.lang.as_str())];
    parameters.extend(told.zone.as_deref().map(|zone| ("zone", zone)));
    parameters
}

async fn list(client: &Client, asked: &SignalsAsked, told: &SignalsTold) -> Result<(), AppError> {
    let (q, limit) = (asked.words.join(" "), asked.limit.to_string());
    let mut parameters = words(told);
    parameters.extend([("limit", limit.as_str()), ("q", q.as_str())]);
    let given = [
        ("state", &asked.state),
        ("kind", &asked.kind),
        ("severity", &asked.severity),
        ("rule", &asked.rule),
        ("entity", &asked.entity),
        ("from", &asked.from),
        ("to", &asked.to),
    ];
    parameters.extend(given.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))));
    let answer = client.get_json("/api/v1/signals", &parameters).await?;
    show(told.output, &answer, Some("signals"), table)?;
    let (shown, total) = (each(&answer, "signals").len() as u64, count(&answer, "total"));
    if total > shown {
        note(&format!("{} of {} signals; -n shows more", grouped(shown), grouped(total)));
    }
    Ok(())
}

/// The path of the one signal whose id begins so.
async fn path(client: &Client, id: &str) -> Result<String, AppError> {
    let is_whole = id.len() == 32;
    let is_id = !id.is_empty() && id.len() <= 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_id {
        return Err(AppError::NoSignal(id.to_owned()));
    }
    let id = id.to_ascii_lowercase();
    if is_whole {
        return Ok(format!("/api/v1/signals/{id}"));
    }
    let answer = client.get_json("/api/v1/signals", &[("limit", "1000")]).await?;
    let found: Vec<_> = each(&answer, "signals")
        .iter()
        .filter_map(|signal| signal["id"].as_str())
        .filter(|known| known.starts_with(&id))
        .collect();
    match found.as_slice() {
        [one] => Ok(format!("/api/v1/signals/{one}")),
        _ => Err(AppError::NoSignal(id)),
    }
}

async fn change(
    client: &Client,
    says: &Says,
    what: &str,
    mut body: Json,
    told: &SignalsTold,
) -> Result<(), AppError> {
    let path = path(client, &says.id).await?;
    for (name, value) in [("note", &says.note), ("by", &says.by)] {
        if let Some(value) = value {
            body[name] = value.as_str().into();
        }
    }
    let answer = client.post_json(&format!("{path}/{what}"), &body).await?;
    show(told.output, &answer, None, |signal| {
        format!("{}  {}\n", text(signal, "state"), text(signal, "title"))
    })
}

/// One line each, within 80 columns: as much of the title as there is room for.
fn table(answer: &Json) -> String {
    let signals = each(answer, "signals");
    if signals.is_empty() {
        return "no signals\n".to_owned();
    }
    let mut said = format!("{:<8} {:<8} {:<12} {:<16} {}\n", "ID", "SEVERITY", "STATE", "LAST SEEN", "WHAT");
    for signal in signals {
        let seen = time(signal, "last");
        let seen: String = seen.chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect();
        said.push_str(&format!(
            "{:<8} {:<8} {:<12} {seen:<16} {}\n",
            text(signal, "id").get(..8).unwrap_or_default(),
            text(signal, "severity"),
            text(signal, "state"),
            cut(&text(signal, "title"), 32),
        ));
    }
    said
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

/// All that is known of one.
fn whole(signal: &Json) -> String {
    let mut said = format!("{}\n", text(signal, "title"));
    said.push_str(&format!(
        "{}, {}, {} from {} to {}\n\n",
        text(signal, "severity"),
        text(signal, "state"),
        many(count(signal, "count"), "event", "events"),
        time(signal, "first"),
        time(signal, "last"),
    ));
    for (head, member) in [("What happened", "what"), ("Why it matters", "why")] {
        said.push_str(&format!("{head}\n  {}\n\n", text(signal, member)));
    }
    said.push_str("What to do next\n");
    for step in texts(signal, "next") {
        said.push_str(&format!("  - {step}\n"));
    }
    said.push_str("\nEvents\n");
    for event in each(signal, "evidence") {
        said.push_str(&format!("  {}  {}\n", time(event, "@timestamp"), text(event, "message")));
    }
    let timeline = each(signal, "timeline");
    if !timeline.is_empty() {
        said.push_str("\nSo far\n");
    }
    for entry in timeline {
        let by = entry["by"].as_str().map(|by| format!(" by {}", plain(by))).unwrap_or_default();
        let said_of_it = entry["note"].as_str().map(|note| format!(": {}", plain(note))).unwrap_or_default();
        said.push_str(&format!("  {}  {}{by}{said_of_it}\n", time(entry, "at"), text(entry, "what")));
    }
    said.push_str(&format!(
        "\nid {}  kind {}  rule {}\n",
        text(signal, "id"),
        text(signal, "kind"),
        text(signal, "rule")
    ));
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal() -> Json {
        json!({
            "id": "0123456789abcdef0123456789abcdef", "kind": "ssh_brute_force", "severity": "medium",
            "state": "ongoing", "title": "Guessing at passwords from 203.0.113.9 at gate\u{1b}[2J",
            "first": "2024-05-01T10:00:00Z", "last": "2024-05-01T10:04:00Z", "count": 37, "rule": "ssh_brute_force",
            "what": "37 failed logins.", "why": "They may get in.", "next": ["Look: last", "Block it"],
            "evidence": [{"id": "e", "@timestamp": "2024-05-01T10:00:00Z", "message": "Failed\npassword"}],
            "timeline": [{"at": "2024-05-01T10:05:00Z", "what": "acknowledged", "by": "ann", "note": "on it"}]
        })
    }

    #[test]
    fn a_table_of_signals_fits_eighty_columns() {
        let text = table(&json!({"signals": [signal()], "total": 1}));
        assert_eq!(
            text,
            "ID       SEVERITY STATE        LAST SEEN        WHAT\n\
             01234567 medium   ongoing      2024-05-01 10:04 Guessing at passwords from 203.…\n"
        );
        assert!(text.lines().all(|line| line.chars().count() <= 80));
        assert_eq!(table(&json!({"signals": [], "total": 0})), "no signals\n");
    }

    #[test]
    fn one_is_told_whole_and_nothing_of_it_steers_the_terminal() {
        let text = whole(&signal());
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        for expected in [
            "medium, ongoing, 37 events from 2024-05-01T10:00:00Z to 2024-05-01T10:04:00Z",
            "What happened\n  37 failed logins.",
            "  - Block it\n",
            "  2024-05-01T10:00:00Z  Failed\\npassword\n",
            "  2024-05-01T10:05:00Z  acknowledged by ann: on it\n",
        ] {
            assert!(text.contains(expected), "{expected} in {text}");
        }
    }
}
