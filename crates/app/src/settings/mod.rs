//! Settings: flags, then the environment, then `.env`, then `log-sentinel.yaml`.
//!
//! [`SETTINGS`] is the one list of them; `.env.sample`, the flags, `log-sentinel check` and the
//! documentation follow from it. [`Settings`] is what they mean, checked: one module a group, which reads it into
//! what the crates concerned want to know. Nothing else reads the environment, and no crate knows where its
//! `Config` comes from.

mod alerts;
mod analysis;
mod analyst;
mod audit;
mod certificates;
mod detection;
pub(crate) mod dot_env;
mod elastic;
mod error;
mod hosts;
mod intake;
mod listeners;
mod questions;
mod sample;
mod secret;
mod setting;
pub(crate) mod sources;
mod storage;
mod table;
mod table_of_agent;
mod table_of_hosts;
mod table_of_signals;
mod table_of_sql;
mod told;
mod value;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use self::analyst::Analyst;
use self::intake::Intake;
pub(crate) use alerts::{Alerts, Reports};
use analysis::Analysis;
use detection::Detection;
use hosts::Hosts;
use listeners::Listeners;
use questions::Questions;
use storage::Storage;

pub(crate) use self::audit::{AuditSettings, Syslog};
pub(crate) use certificates::{Certificates, Pem, Tls};
pub(crate) use elastic::Elastic;
pub(crate) use error::SettingsError;
pub(crate) use sample::sample;
pub(crate) use setting::Setting;
pub(crate) use sources::{Origin, Sources, Values};
pub(crate) use table::SETTINGS;
pub(crate) use told::{Effective, Told, told};
pub(crate) use value::{masked, parse_duration};

/// The settings, typed and checked. Each is explained where users read it: in [`SETTINGS`].
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The folder of all state.
    pub data: PathBuf,
    pub log_level: String,
    pub log_json: bool,
    pub shutdown_grace: Duration,
    pub listeners: Listeners,
    pub intake: Intake,
    pub storage: Storage,
    /// The cluster that is the index, where there is one.
    pub elastic: Option<Elastic>,
    pub questions: Questions,
    pub analysis: Analysis,
    pub detection: Detection,
    pub hosts: Hosts,
    pub alerts: Alerts,
    pub analyst: Analyst,
    pub audit: AuditSettings,
    /// All of them as they may be told, by name.
    pub told: BTreeMap<&'static str, Effective>,
}

impl Settings {
    /// Types and checks what the sources hold. Touches neither the disk nor the network.
    ///
    /// # Errors
    /// Every problem with the sources and with the values.
    pub(crate) fn check(sources: &Values) -> Result<Self, SettingsError> {
        let mut reader = value::Reader::new(sources);
        let data = reader.path("LOG_SENTINEL_DATA");
        let shutdown_grace = reader.duration("LOG_SENTINEL_SHUTDOWN_GRACE");
        // One half is for the newest events, the other for what is on its way.
        let live_bytes_max = reader.size("LOG_SENTINEL_LIVE_BYTES_MAX", 1 << 20, 64 << 30) / 2;
        let listeners = Listeners::read(&mut reader);
        let storage = Storage::read(&mut reader, &data, shutdown_grace / 3, live_bytes_max);
        let elastic = Elastic::read(&mut reader, storage.retention);
        let intake = Intake::read(&mut reader, storage.retention);
        let (write_timeout, cluster) =
            (listeners.connections.write_timeout, elastic.as_ref().map(|elastic| &elastic.cluster));
        let settings = Self {
            log_level: reader.one_of("LOG_SENTINEL_LOG_LEVEL", &["error", "warn", "info", "debug", "trace"]),
            log_json: reader.one_of("LOG_SENTINEL_LOG_FORMAT", &["text", "json"]) == "json",
            questions: Questions::read(&mut reader, write_timeout, live_bytes_max, cluster),
            analysis: Analysis::read(&mut reader, &data, &listeners, &intake),
            detection: Detection::read(&mut reader, &data),
            hosts: Hosts::read(&mut reader),
            alerts: Alerts::read(&mut reader),
            analyst: Analyst::read(&mut reader),
            audit: AuditSettings::read(&mut reader, &data, listeners.tls.ca_file.as_ref()),
            told: told(sources),
            data,
            shutdown_grace,
            listeners,
            intake,
            storage,
            elastic,
        };
        let problems = reader.finish();
        if problems.is_empty() { Ok(settings) } else { Err(SettingsError { problems }) }
    }
}

#[cfg(test)]
mod tests;
