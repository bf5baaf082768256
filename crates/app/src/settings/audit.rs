//! The group of settings of the audit record: whether and how it is kept, and who else keeps its checkpoints.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{secret::Secret, value::Reader};

/// How the audit record is kept.
#[derive(Debug, Clone)]
pub(crate) struct AuditSettings {
    /// None where none is kept.
    pub record: Option<audit::Config>,
    /// How often it is recorded that a key sends something.
    pub uses_interval: Duration,
    pub witness: Option<Witness>,
    pub syslog: Option<Syslog>,
}

/// Another Log Sentinel that keeps checkpoints.
#[derive(Debug, Clone)]
pub(crate) struct Witness {
    pub url: String,
    pub key: Option<Secret>,
    pub ca_file: Option<PathBuf>,
}

/// A syslog server that keeps checkpoints.
#[derive(Debug, Clone)]
pub(crate) struct Syslog {
    pub is_tcp: bool,
    /// Host and port.
    pub addr: String,
}

impl AuditSettings {
    pub(super) fn read(reader: &mut Reader<'_>, data: &Path, ca_file: Option<&PathBuf>) -> Self {
        let key = reader.string("LOG_SENTINEL_AUDIT_WITNESS_KEY");
        let url = reader.url("LOG_SENTINEL_AUDIT_WITNESS_URL");
        if url.is_none() && !key.is_empty() {
            reader.problem("LOG_SENTINEL_AUDIT_WITNESS_KEY needs LOG_SENTINEL_AUDIT_WITNESS_URL".to_owned());
        }
        let config = audit::Config {
            key_file: reader.optional_path("LOG_SENTINEL_AUDIT_KEY_FILE"),
            file_bytes: reader.size("LOG_SENTINEL_AUDIT_FILE_BYTES", 4 << 10, 1 << 30) as u64,
            checkpoint_records: reader.count("LOG_SENTINEL_AUDIT_CHECKPOINT_RECORDS", 1, 1_000_000) as u64,
            checkpoint_interval: reader.duration("LOG_SENTINEL_AUDIT_CHECKPOINT_INTERVAL"),
            ..audit::Config::new(data.join("audit"))
        };
        Self {
            record: reader.flag("LOG_SENTINEL_AUDIT").then_some(config),
            uses_interval: reader.duration("LOG_SENTINEL_AUDIT_USES_INTERVAL"),
            witness: url.map(|url| Witness {
                url,
                key: (!key.is_empty()).then_some(Secret(key)),
                ca_file: ca_file.cloned(),
            }),
            syslog: reader
                .syslog("LOG_SENTINEL_AUDIT_SYSLOG_ADDR")
                .map(|(is_tcp, addr)| Syslog { is_tcp, addr }),
        }
    }
}
