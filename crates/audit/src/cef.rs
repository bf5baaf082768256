//! Records in the Common Event Format (`ArcSight` CEF, version 0), for systems that collect security events.

use serde_json::Value as Json;

use crate::Entry;

/// A line of CEF without its newline. `version` is the program's.
pub fn cef(entry: &Entry, version: &str) -> String {
    let severity = match entry.outcome.as_str() {
        "done" | "asked" => 3,
        "refused" => 6,
        _ => 7,
    };
    let (action, name) = (header(&entry.action), header(&entry.action.replace(['.', '_'], " ")));
    let mut line = format!("CEF:0|Log Sentinel|Log Sentinel|{}|{action}|{name}|{severity}|", header(version));
    let time = (entry.time.as_nanos() / 1_000_000).to_string();
    let details = if entry.details.is_empty() {
        String::new()
    } else {
        Json::Object(entry.details.clone()).to_string()
    };
    let seq = entry.seq.to_string();
    let mut extensions = vec![
        ("rt", time.as_str()),
        ("externalId", &seq),
        ("act", &entry.action),
        ("outcome", &entry.outcome),
        ("suid", &entry.actor.id),
        ("cs1Label", "actorKind"),
        ("cs1", &entry.actor.kind),
        ("src", entry.actor.address.as_deref().unwrap_or_default()),
        ("cs2Label", "target"),
        ("cs2", &entry.target),
    ];
    if !details.is_empty() {
        extensions.extend([("cs3Label", "details"), ("cs3", details.as_str())]);
    }
    extensions.retain(|(_, value)| !value.is_empty());
    let extensions: Vec<String> =
        extensions.into_iter().map(|(name, value)| format!("{name}={}", extension(value))).collect();
    line.push_str(&extensions.join(" "));
    line
}

fn header(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace(['\r', '\n'], " ")
}

fn extension(text: &str) -> String {
    text.replace('\\', "\\\\").replace('=', "\\=").replace('\r', "\\r").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_cef_is_escaped() {
        let line = r#"{"seq":4,"time":"2024-06-01T12:00:00.5Z","actor":{"kind":"key","id":"k|1","address":"192.0.2.7"},"action":"key.revoked","target":"a=b\\c\nd","outcome":"refused","details":{"x":"=1"}}"#;
        let entry: Entry = serde_json::from_str(line).unwrap();
        assert_eq!(
            cef(&entry, "1|0"),
            "CEF:0|Log Sentinel|Log Sentinel|1\\|0|key.revoked|key revoked|6|rt=1717243200500 externalId=4 \
             act=key.revoked outcome=refused suid=k|1 cs1Label=actorKind cs1=key src=192.0.2.7 cs2Label=target \
             cs2=a\\=b\\\\c\\nd cs3Label=details cs3={\"x\":\"\\=1\"}"
        );
    }
}
