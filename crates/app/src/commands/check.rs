//! `log-sentinel check`: the effective settings and where each comes from.

use std::{collections::BTreeMap, fmt::Write};

use crate::{
    settings::{SETTINGS, Value, masked},
    wording::plain,
};

/// A table of every setting: value, origin; secrets masked.
pub(crate) fn table(values: &BTreeMap<&'static str, Value>) -> String {
    let mut text = String::new();
    for setting in SETTINGS {
        let (shown, origin) = match values.get(setting.name) {
            Some(value) if setting.secret => ("********".to_owned(), value.origin.to_string()),
            Some(value) if is_address(setting.name) => (masked(&value.text), value.origin.to_string()),
            Some(value) => (value.text.clone(), value.origin.to_string()),
            None => ("(unset)".to_owned(), "default".to_owned()),
        };
        let (shown, origin) = (plain(&shown), plain(&origin));
        // Writing to a string does not fail.
        let _ignored = writeln!(text, "{:<36} {shown:<44} {origin}", setting.name);
    }
    text
}

/// Whether a setting holds addresses, in which people write passwords.
fn is_address(name: &str) -> bool {
    ["_ADDR", "_URL", "_HOSTS"].iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Sources;

    #[test]
    fn it_shows_origins_and_masks_secrets() {
        let sources = Sources {
            environment: [
                ("API_KEYS".to_owned(), "a-long-key-of-someone".to_owned()),
                ("ELASTIC_ADDR".to_owned(), "http://u:someone@h:9200".to_owned()),
                ("LOG_SENTINEL_ANOMALY_URL".to_owned(), "https://someone@h".to_owned()),
            ]
            .into(),
            flags: [("LOG_SENTINEL_ADDR", "127.0.0.1:9".to_owned())].into(),
            ..Sources::default()
        };
        let text = table(&sources.resolve().unwrap());
        assert!(
            text.lines().any(|line| line.starts_with("API_KEYS") && line.ends_with("environment")),
            "{text}"
        );
        assert!(text.lines().any(|line| line.contains("127.0.0.1:9 ") && line.ends_with("flag")), "{text}");
        assert!(!text.contains("someone"), "{text}");
        assert_eq!(text.lines().count(), SETTINGS.len());
    }
}
