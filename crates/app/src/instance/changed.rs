//! Which settings differ from those of the run before.

use std::{collections::BTreeMap, io, path::Path};

use audit::{Action, Actor, Audit, Record, RecordError};
use event::Timestamp;
use serde_json::{Map, Value as Json, json};

use crate::settings::{Effective, Told};

/// The effective settings, by name.
pub(super) type Effectives = BTreeMap<&'static str, Effective>;

/// Of a longer value the beginning stands in a record.
const VALUE_CHARS_MAX: usize = 500;
/// What a secret is written as: a few digits of a hash tell that it changed and help nobody to guess it.
const SECRET: &str = "(secret ";

/// Why changed settings are not on record.
#[derive(Debug, thiserror::Error)]
pub(super) enum ChangedError {
    /// The record.
    #[error("the audit record cannot be written")]
    Record(#[from] RecordError),
    /// The file of the settings of the last run.
    #[error("cannot write the settings of this run to the data folder")]
    Write(#[from] io::Error),
}

/// Records what differs from what the file says, and writes the file anew. Without a file all are new that somebody set.
///
/// # Errors
/// When one of both cannot be written.
pub(super) fn record(
    audit: &Audit,
    effective: &Effectives,
    file: &Path,
    now: Timestamp,
) -> Result<(), ChangedError> {
    let before: Option<Map<String, Json>> =
        std::fs::read(file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let salt = match before.as_ref().and_then(|before| before.get("salt")?.as_str()) {
        Some(salt) => salt.to_owned(),
        None => audit.public_key_file().display().to_string() + &now.to_string(),
    };
    let values: Map<String, Json> =
        effective.iter().map(|(name, one)| ((*name).to_owned(), text(one, &salt).into())).collect();
    let none = Map::new();
    let old = before.as_ref().map(|before| before.get("values").and_then(Json::as_object).unwrap_or(&none));
    let is_new = |name: &str, value: &Json| match old {
        Some(old) => old.get(name) != Some(value),
        None => effective.get(name).is_some_and(|one| !one.is_default()),
    };
    let old = old.unwrap_or(&none);
    let mut records = vec![];
    let mut changed = |name: &str, value: Json| {
        let from = old.get(name).map_or(Json::Null, shown);
        let record = Record::new(now, Actor::system(), Action::SettingsChanged, name);
        records.push(record.with("from", from).with("to", value));
    };
    for (name, value) in values.iter().filter(|(name, value)| is_new(name, value)) {
        changed(name, shown(value));
    }
    for name in old.keys().filter(|name| !values.contains_key(*name)) {
        changed(name, Json::Null);
    }
    if records.is_empty() && before.is_some() {
        return Ok(());
    }
    audit.record_all(&records)?;
    disk::replace(file, json!({"salt": salt, "values": values}).to_string().as_bytes())?;
    Ok(())
}

fn text(one: &Effective, salt: &str) -> String {
    match &one.value {
        Told::Text(text) => text.clone(),
        Told::Secret(secret) => {
            let hash = blake3::keyed_hash(blake3::hash(salt.as_bytes()).as_bytes(), secret.0.as_bytes());
            format!("{SECRET}{})", &hash.to_hex()[..4])
        }
    }
}

/// As it stands in a record.
fn shown(value: &Json) -> Json {
    match value.as_str().unwrap_or_default() {
        text if text.starts_with(SECRET) => "(secret)".into(),
        text => text.chars().take(VALUE_CHARS_MAX).collect::<String>().into(),
    }
}

#[cfg(test)]
mod tests {
    use audit::Config;

    use super::*;
    use crate::settings::{Settings, Sources};

    fn effective(pairs: &[(&str, &str)]) -> Effectives {
        let environment = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let sources = Sources {
            environment: environment.collect(),
            home: Some("/home/someone".into()),
            ..Sources::default()
        };
        Settings::check(&sources.resolve()).unwrap().told
    }

    #[test]
    fn what_differs_from_the_run_before_is_recorded_and_no_secret_shows() {
        let dir = tempfile::tempdir().unwrap();
        let now = intake::system_clock();
        let audit = Audit::open(Config::new(dir.path().join("audit")), None, now).unwrap();
        let file = dir.path().join("settings");
        let mut seen = 0;
        let mut run = |pairs: &[(&str, &str)]| {
            record(&audit, &effective(pairs), &file, now).unwrap();
            let mut all = vec![];
            audit::each(&dir.path().join("audit"), |_, entry| {
                if entry.action == "settings.changed" {
                    all.push(format!(
                        "{}: {} > {}",
                        entry.target, entry.details["from"], entry.details["to"]
                    ));
                }
                true
            })
            .unwrap();
            let new = all.split_off(seen);
            seen += new.len();
            new
        };
        let key = ("API_KEYS", "hunter2-is-a-key");
        let retention = ("LOG_SENTINEL_RETENTION", "30d");
        assert_eq!(
            run(&[key, retention]),
            [r#"API_KEYS: null > "(secret)""#, r#"LOG_SENTINEL_RETENTION: null > "30d""#]
        );
        assert_eq!(run(&[key, retention]), [""; 0]);
        assert_eq!(run(&[key]), [r#"LOG_SENTINEL_RETENTION: "30d" > "never""#]);
        assert_eq!(
            run(&[("API_KEYS", "hunter3-is-a-key")]),
            [r#"API_KEYS: "(secret)" > "(secret)""#],
            "that a secret changed shows"
        );
        assert_eq!(run(&[]), [r#"API_KEYS: "(secret)" > null"#]);
        let kept = std::fs::read_to_string(&file).unwrap();
        assert!(!kept.contains("hunter"), "{kept}");
    }

    #[test]
    fn a_file_that_says_something_else_is_written_anew() {
        let dir = tempfile::tempdir().unwrap();
        let now = intake::system_clock();
        let audit = Audit::open(Config::new(dir.path().join("audit")), None, now).unwrap();
        let file = dir.path().join("settings");
        for text in ["{}", "[]", "no JSON", r#"{"salt":1,"values":[]}"#] {
            std::fs::write(&file, text).unwrap();
            record(&audit, &effective(&[]), &file, now).unwrap();
            let kept: Json = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            assert!(kept["salt"].is_string() && kept["values"]["LOG_SENTINEL_DATA"].is_string(), "{text}");
        }
    }
}
