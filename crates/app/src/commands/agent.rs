//! `log-sentinel agent`: what runs on a host that is watched from elsewhere.

use std::path::Path;

use alert::{
    Secret,
    channel::{ChannelConfig, ChannelKind, SentinelConfig, Trust},
};

use super::measuring;
use crate::{
    AppError, Role, Settings, cli, serve,
    settings::{Alerts, SettingsError, Values},
};

/// The channel over which signals leave.
const CHANNEL: &str = "server";
/// What holds for an agent where nobody says otherwise: it reads the logs of its machine, and needs little of it.
const DEFAULTS: [(&str, &str); 4] = [
    ("LOG_SENTINEL_SYSTEM", "true"),
    ("LOG_SENTINEL_JOURNAL_BYTES_MAX", "64MiB"),
    ("LOG_SENTINEL_JOURNAL_SEGMENT_BYTES", "8MiB"),
    ("LOG_SENTINEL_JOURNAL_QUEUE_BYTES", "4MiB"),
];
/// An agent listens nowhere, and looks for what it sends in any case.
const FIXED: [(&str, &str); 4] = [
    ("LOG_SENTINEL_ADDR", "127.0.0.1:0"),
    ("LOG_SENTINEL_ANOMALY_ADDR", "127.0.0.1:0"),
    ("LOG_SENTINEL_ANOMALY_GRPC_ADDR", "127.0.0.1:0"),
    ("LOG_SENTINEL_DETECTION", "true"),
];

/// Runs an agent until a signal or a failure ends it: one that sends signals where the address is one of `/ingest`, else one
/// that measures, by the file that was named.
///
/// # Errors
/// When it is not said where signals go, the settings are not usable, or a part of it fails for good.
pub(crate) async fn run(sources: &Values, asked: &cli::Agent, file: Option<&Path>) -> Result<(), AppError> {
    let Some(url) = asked.signals_url() else {
        return measure(sources, asked, file).await;
    };
    let mut settings = of_agent(sources)?;
    if file.is_some() || asked.check {
        return Err(AppError::Asked(
            "an agent that sends signals to /ingest has no file: name the collector itself, or leave out --config".to_owned(),
        ));
    }
    settings.alerts = sending(&settings, url);
    let welcome = |_: &_| {
        format!(
            "Log Sentinel {} looks after this machine. Ctrl-C stops it; what was found is sent after the next start.\n\n  \
             {:<10} {url}\n  {:<10} {}\n",
            crate::VERSION,
            "signals to",
            "data",
            settings.data.display()
        )
    };
    serve::run(&settings, Role::Agent, welcome).await
}

/// Runs an agent that measures this machine and sends what it finds, and its logs, to a collector.
///
/// # Errors
/// As [`run`].
pub(crate) async fn measure(
    sources: &Values,
    asked: &cli::Agent,
    file: Option<&Path>,
) -> Result<(), AppError> {
    if asked.signals_url().is_some() {
        return Err(AppError::Asked(
            "signals are found and sent by `log-sentinel agent`; this program sends what it measures and reads: name the collector itself"
                .to_owned(),
        ));
    }
    measuring::run(sources, of_agent(sources)?, asked, file).await
}

/// The settings of an agent.
fn of_agent(sources: &Values) -> Result<Settings, SettingsError> {
    let mut sources = sources.clone();
    for (name, text) in DEFAULTS {
        if !sources.is_said(name) {
            sources.set(name, text);
        }
    }
    for (name, text) in FIXED {
        sources.set(name, text);
    }
    for name in ["LOG_SENTINEL_ANOMALY_URL", "ELASTIC_ADDR"] {
        sources.unset(name);
    }
    let is_own = sources.is_said("LOG_SENTINEL_DATA");
    let mut settings = Settings::check(&sources)?;
    if !is_own {
        // A collector on the same machine has the usual folder.
        let mut data = settings.data.into_os_string();
        data.push("-agent");
        sources.set("LOG_SENTINEL_DATA", &data.to_string_lossy());
        settings = Settings::check(&sources)?;
    }
    Ok(settings)
}

/// Every signal goes to one server, for as long as that takes.
fn sending(settings: &Settings, url: &str) -> Alerts {
    let listeners = &settings.listeners;
    let config = SentinelConfig {
        url: url.to_owned(),
        api_key: listeners.command_key().map(Secret::Text),
        trust: Trust { ca_file: listeners.tls.ca_file.clone() },
    };
    let channel = ChannelConfig::new(CHANNEL, ChannelKind::Sentinel(config));
    Alerts { forward: Some(channel), channels: vec![], file: None, ..settings.alerts.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Sources;

    #[test]
    fn an_agent_reads_its_machine_and_leaves_the_folder_of_a_collector_alone() {
        let values = |pairs: &[(&str, &str)]| {
            let environment = pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
            let environment = environment.collect();
            Sources { environment, home: Some("/home/someone".into()), ..Sources::default() }.resolve()
        };
        let settings = of_agent(&values(&[("LOG_SENTINEL_ADDR", "0.0.0.0:8080")])).unwrap();
        assert!(
            settings.intake.system && settings.detection.is_on && settings.listeners.addr.ip().is_loopback()
        );
        assert_eq!(settings.data.to_str(), Some("/home/someone/.local/state/log-sentinel-agent"));
        assert!(settings.detection.file.starts_with(&settings.data));
        assert_eq!(settings.storage.journal.budget_bytes, 64 << 20);
        let own = [("LOG_SENTINEL_DATA", "/srv/agent"), ("LOG_SENTINEL_SYSTEM", "false")];
        let settings = of_agent(&values(&own)).unwrap();
        assert!(!settings.intake.system && settings.data.to_str() == Some("/srv/agent"));
    }
}
