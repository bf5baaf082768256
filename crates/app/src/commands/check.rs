//! `log-sentinel check`: the effective settings and where each comes from, and whether the files that they name
//! can be used.

use std::fmt::Write;

use crate::{
    instance,
    settings::{Effective, Origin, Pem, SETTINGS, Settings, SettingsError, Values, told},
    wording::plain,
};

/// A table of every setting: value, origin; secrets masked.
pub(crate) fn table(sources: &Values) -> String {
    let (mut text, effective) = (String::new(), told(sources));
    for setting in SETTINGS {
        let one = effective.get(setting.name);
        let shown = plain(one.map_or("(unset)", Effective::shown));
        let origin = plain(&one.map_or(Origin::Default, |one| one.origin.clone()).to_string());
        // Writing to a string does not fail.
        let _ignored = writeln!(text, "{:<36} {shown:<44} {origin}", setting.name);
    }
    text
}

/// Looks at what a start would look at: certificates, their keys, keys that were made, formats and rules of one's own,
/// routes of alerts, and globs.
///
/// # Errors
/// Every file that cannot be read or used, a glob that is none, and a port that others reach without a key.
pub(crate) fn files(settings: &Settings) -> Result<(), SettingsError> {
    let cluster = settings.elastic.as_ref().map(|elastic| &elastic.cluster);
    let tls = &settings.listeners.tls;
    let mut named = vec![
        ("LOG_SENTINEL_ANOMALY_CA_FILE".to_owned(), settings.analysis.remote_ca_file.as_ref()),
        ("LOG_SENTINEL_CA_FILE".to_owned(), tls.ca_file.as_ref()),
        ("ELASTIC_CA_FILE".to_owned(), cluster.and_then(|cluster| cluster.ca_file.as_ref())),
    ];
    if let Some((cert, key)) = &settings.analysis.remote_identity {
        named.extend([
            ("LOG_SENTINEL_ANOMALY_SHOWN_CERT_FILE".to_owned(), Some(cert)),
            ("LOG_SENTINEL_ANOMALY_SHOWN_KEY_FILE".to_owned(), Some(key)),
        ]);
    }
    for (which, tls) in tls.all() {
        let name = |what: &str| format!("LOG_SENTINEL_{which}{what}");
        if let Pem::Files((cert, key)) = &tls.shown {
            named.extend([(name("CERT_FILE"), Some(cert)), (name("KEY_FILE"), Some(key))]);
        }
        if let Some((Pem::Files(roots), _)) = &tls.clients {
            named.push((name("CLIENT_CA_FILE"), Some(roots)));
        }
    }
    let mut problems = vec![];
    match instance::keys(settings) {
        Ok(keys) => {
            let reach = settings.listeners.check_reach(keys.is_locked());
            problems.extend(reach.err().into_iter().flat_map(|error| error.problems));
        }
        Err(error) => problems.push(crate::wording::describe(&error)),
    }
    for (name, path) in named.into_iter().filter_map(|(name, path)| Some((name, path?))) {
        match std::fs::read_to_string(path) {
            Ok(text) if text.contains("-----BEGIN ") => {}
            Ok(_) => problems.push(format!("{name} names {}, which is no PEM file", path.display())),
            Err(error) => problems.push(format!("{name}: cannot read {}: {error}", path.display())),
        }
    }
    match crate::routes::load(&settings.alerts) {
        Ok((routes, _)) => problems.extend(routes.check().iter().map(ToString::to_string)),
        Err(error) => problems.push(crate::wording::describe(&error)),
    }
    if let Some(dir) = &settings.detection.rules.dir {
        match rulebook::below(dir) {
            Ok(files) => {
                let files = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
                let refused = detect::rules::read(files).1;
                problems.extend(
                    refused
                        .iter()
                        .map(|error| format!("LOG_SENTINEL_RULES_DIR: {}", plain(&error.to_string()))),
                );
            }
            Err(error) => {
                problems.push(format!("LOG_SENTINEL_RULES_DIR: {}", crate::wording::describe(&error)))
            }
        }
    }
    if let Err(error) = crate::formats::load(settings.intake.formats_file.as_deref()) {
        problems.push(crate::wording::describe(&error));
    }
    if let Err(error) = intake::tail::check(&settings.intake.tail.files) {
        problems.push(crate::wording::describe(&error));
    }
    if problems.is_empty() { Ok(()) } else { Err(SettingsError { problems }) }
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
        let text = table(&sources.resolve());
        assert!(
            text.lines().any(|line| line.starts_with("API_KEYS") && line.ends_with("environment")),
            "{text}"
        );
        assert!(text.lines().any(|line| line.contains("127.0.0.1:9 ") && line.ends_with("flag")), "{text}");
        assert!(!text.contains("someone"), "{text}");
        assert_eq!(text.lines().count(), SETTINGS.len());
    }

    #[test]
    fn files_that_a_start_would_need_are_looked_at() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let (good, bad) = (file("good.pem", "-----BEGIN CERTIFICATE-----"), file("bad.pem", "0\u{1}"));
        let gone = dir.path().join("gone.pem").display().to_string();
        let check = |cert: &str, ca: &str, files: &str| {
            let environment = [
                ("LOG_SENTINEL_ANOMALY_CERT_FILE", cert),
                ("LOG_SENTINEL_ANOMALY_KEY_FILE", &good),
                ("LOG_SENTINEL_ANOMALY_CA_FILE", ca),
                ("LOG_SENTINEL_FILES", files),
            ];
            let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            super::files(&Settings::check(&Sources { environment, ..Sources::default() }.resolve()).unwrap())
        };
        assert!(check(&good, "", "/var/log/*.log").is_ok());
        let text = check(&gone, &bad, "/var/log/[").unwrap_err().to_string();
        for expected in [
            "LOG_SENTINEL_ANOMALY_CERT_FILE: cannot read",
            "LOG_SENTINEL_ANOMALY_CA_FILE names",
            "LOG_SENTINEL_FILES holds '/var/log/['",
        ] {
            assert!(text.contains(expected), "{expected} in {text}");
        }
    }
}
