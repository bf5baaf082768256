//! How a separate anomaly service is reached.

use std::{path::PathBuf, time::Duration};

use retry::BreakerConfig;
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

/// How a separate anomaly service is reached.
#[derive(Clone)]
pub struct Config {
    /// Its gRPC address, `http://host:50051` or `https://…`.
    pub url: String,
    /// One of its keys, where it has keys.
    pub api_key: Option<String>,
    /// PEM file of the authority that signed its certificate; without it the public ones count.
    pub ca_file: Option<PathBuf>,
    /// PEM files of the certificate that is shown to it, and of its key, where it asks for one.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// How long a connection or the answer to a batch may take.
    pub deadline: Duration,
    /// Events of one batch.
    pub batch_events_max: usize,
    /// Bytes of one message; not more than the service takes. At least 16 KiB.
    pub message_bytes_max: usize,
    /// Batches sent before the first of them is answered.
    pub batches_in_flight: usize,
    /// When to stop asking for a while.
    pub breaker: BreakerConfig,
}

impl Config {
    /// The defaults for this address.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            api_key: None,
            ca_file: None,
            identity: None,
            deadline: Duration::from_secs(2),
            batch_events_max: 4096,
            message_bytes_max: 4 << 20,
            batches_in_flight: 4,
            breaker: BreakerConfig::default(),
        }
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Config")
            .field("url", &self.url)
            .field("api_key", &self.api_key.as_ref().map(|_| "(set)"))
            .field("ca_file", &self.ca_file)
            .field("identity", &self.identity)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// A setting that names no service.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No URL, or of another scheme.
    #[error(
        "LOG_SENTINEL_ANOMALY_URL: '{url}' is no address of the form http://host:50051 or https://host:50051"
    )]
    Url {
        /// What was given.
        url: String,
    },
    /// A key with characters that no header can hold.
    #[error("API_KEYS: the first key cannot be sent to the anomaly service; use printable ASCII characters")]
    Key,
    /// The file of the authority.
    #[error("LOG_SENTINEL_ANOMALY_CA_FILE: cannot read {path}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file of the certificate that is shown.
    #[error("LOG_SENTINEL_ANOMALY_SHOWN_CERT_FILE, LOG_SENTINEL_ANOMALY_SHOWN_KEY_FILE: cannot read {path}")]
    Identity {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A certificate that nobody would see.
    #[error(
        "LOG_SENTINEL_ANOMALY_SHOWN_CERT_FILE is set, but a certificate is shown over TLS only: LOG_SENTINEL_ANOMALY_URL \
         must begin with https://"
    )]
    NotShown,
    /// What TLS does not accept.
    #[error(
        "cannot set up TLS to the anomaly service; LOG_SENTINEL_ANOMALY_CA_FILE must hold PEM certificates, \
         LOG_SENTINEL_ANOMALY_SHOWN_CERT_FILE and _KEY_FILE a certificate and its key"
    )]
    Tls(#[from] tonic::transport::Error),
}

/// What a connection to it trusts.
pub(super) fn tls(config: &Config) -> Result<ClientTlsConfig, ConfigError> {
    let tls = match &config.identity {
        None => ClientTlsConfig::new(),
        Some((cert, key)) => {
            let read = |path: &PathBuf| {
                let failed = |source| ConfigError::Identity { path: path.clone(), source };
                std::fs::read(path).map_err(failed)
            };
            ClientTlsConfig::new().identity(Identity::from_pem(read(cert)?, read(key)?))
        }
    };
    let Some(path) = &config.ca_file else { return Ok(tls.with_webpki_roots()) };
    let pem = std::fs::read(path).map_err(|source| ConfigError::CaFile { path: path.clone(), source })?;
    Ok(tls.ca_certificate(Certificate::from_pem(pem)))
}
