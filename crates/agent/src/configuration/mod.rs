//! The configuration of an agent: YAML of `agent`, `server`, `monitoring`, `logs` and `buffer`, each value from the most
//! particular place that has it: the server (for `monitoring` only), what stands above the file (flags, the environment),
//! the file, the default.
//!
//! Every value has a row in [`ROWS`], with what it may be; so unknown names are refused with a suggestion, and each
//! problem names its path and where it comes from.

mod document;
mod row;

use std::{path::PathBuf, time::Duration};

pub use document::{ConfigurationError, Document, Origin};
pub use row::{ROWS, Row, Wants};

use host::{Selection, Wanted as Measured};
use sample::{Expected, Labels};

pub use crate::processes::Wanted;

/// What is measured, and from when on a value is too high. Thresholds are held against samples by the server.
#[derive(Debug, Clone, PartialEq)]
pub struct Monitoring {
    /// What is looked at.
    pub selection: Selection,
    /// Where failed sign-ins over SSH are counted.
    pub ssh: SignInLog,
}

/// Where failed sign-ins over SSH are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInLog {
    /// Nowhere.
    Nowhere,
    /// Where this system keeps them: a file of syslog, or the journal that is sent as logs.
    Usual,
    /// In this file.
    At(PathBuf),
}

/// The configuration, typed.
#[derive(Debug, Clone, PartialEq)]
pub struct Configuration {
    /// What the host is called; None: as the machine is.
    pub name: Option<String>,
    /// From one sample to the next.
    pub interval: Duration,
    /// Whether the host is always there.
    pub expected: Expected,
    /// What groups of hosts are told by.
    pub labels: Labels,
    /// Where the collector is, as it was given.
    pub url: String,
    /// Its key.
    pub api_key: Option<String>,
    /// PEM of authorities that are trusted as well.
    pub ca_file: Option<PathBuf>,
    /// PEM of this agent's certificate and its key.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// What is measured.
    pub monitoring: Monitoring,
    /// Where processes are read. What the server wants does not change it.
    pub processes: Wanted,
    /// Whether logs are sent.
    pub sends_logs: bool,
    /// Where logs go, when not to the place of samples.
    pub logs_url: Option<String>,
    /// Files of logs; None: those of the system, or its journal.
    pub log_files: Option<Vec<String>>,
    /// Whether changes of accounts, keys, schedules and of what starts by itself are sent as logs.
    pub sends_changes: bool,
    /// Bytes of samples kept while the server is away.
    pub buffer_bytes_max: u64,
    /// The age from which they are given up.
    pub buffer_age_max: Duration,
    /// How many samples a second are sent of those that waited.
    pub backfill_per_second: u32,
}

impl Configuration {
    /// Reads a document.
    ///
    /// # Errors
    /// Every value that does not fit, and what is missing.
    pub fn of(document: &Document) -> Result<Self, ConfigurationError> {
        let mut problems = document.problems();
        let path = |name: &str| document.text(name).map(PathBuf::from);
        let certificate = match (path("server.certificate_file"), path("server.key_file")) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => {
                problems.push("server.certificate_file and server.key_file need each other".to_owned());
                None
            }
        };
        if document.text("server.url").is_none() {
            let hint = "say where the collector is, such as server: { url: \"http://localhost:8080\" }";
            problems.push(format!("server.url is not set: {hint}"));
        }
        if !problems.is_empty() {
            return Err(ConfigurationError::Values(problems));
        }
        let seconds = |name: &str| Duration::from_secs_f64(document.number(name).unwrap_or_default());
        let whole = |name: &str| document.number(name).unwrap_or_default() as u64;
        Ok(Self {
            name: document.text("agent.name"),
            interval: seconds("agent.interval"),
            expected: match document.text("agent.expected").as_deref() {
                Some("sometimes") => Expected::Sometimes,
                _ => Expected::Always,
            },
            labels: document.labels("agent.labels"),
            url: document.text("server.url").unwrap_or_default(),
            api_key: document.text("server.api_key"),
            ca_file: path("server.ca_file"),
            certificate,
            monitoring: Monitoring::of(document),
            processes: Wanted {
                enabled: document.is("monitoring.processes.enabled"),
                socket: path("monitoring.processes.socket").unwrap_or_default(),
            },
            sends_logs: document.is("logs.enabled"),
            logs_url: document.text("logs.url"),
            log_files: document.list("logs.files"),
            sends_changes: document.is("logs.changes"),
            buffer_bytes_max: whole("buffer.bytes_max"),
            buffer_age_max: seconds("buffer.age_max"),
            backfill_per_second: u32::try_from(whole("buffer.backfill_per_second")).unwrap_or(u32::MAX),
        })
    }
}

impl Monitoring {
    /// What a document says is to be measured.
    pub fn of(document: &Document) -> Self {
        let wanted = |part: &str, list: &str| match document.list(&format!("monitoring.{part}.{list}")) {
            _ if !document.is(&format!("monitoring.{part}.enabled")) => Measured::Nothing,
            Some(names) => Measured::These(names),
            None => Measured::Everything,
        };
        let top = document.number("agent.top").unwrap_or_default() as usize;
        Self {
            selection: Selection {
                cpu: document.is("monitoring.cpu.enabled"),
                memory: document.is("monitoring.ram.enabled"),
                mounts: wanted("disk", "paths"),
                interfaces: wanted("network", "interfaces"),
                services: wanted("services", "list"),
                top,
            },
            ssh: match document.text("monitoring.ssh.log_path") {
                _ if !document.is("monitoring.ssh.enabled") => SignInLog::Nowhere,
                Some(path) => SignInLog::At(path.into()),
                None => SignInLog::Usual,
            },
        }
    }
}

#[cfg(test)]
mod tests;
