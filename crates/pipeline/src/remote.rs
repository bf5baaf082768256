//! The anomaly service on another machine, asked over gRPC (`proto/log_sentinel/v1`).
//!
//! ```text
//! records ─┬─► Miner (here): templates                      attached: verdicts come back with the batch
//!          └─► Scoring ─► Remote ─► breaker ─► one stream   detached: the batch goes on `unscored`, and
//!                                                           LateScoring re-reads the journal for it later
//! ```
//! Templates are mined here, so that an absent service changes nothing but verdicts. [`Remote`] is the
//! client; [`Scoring`] and [`LateScoring`] see to it that every event is scored, once and in order.

mod analysis;
mod connection;
mod late;
mod scoring;
mod unavailable;

use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use event::{Event, EventId, Verdict};
use retry::Breaker;
use tonic::{
    metadata::{Ascii, MetadataValue},
    transport::{Certificate, ClientTlsConfig, Endpoint},
};

pub use analysis::RemoteAnalysis;
pub use retry::BreakerConfig;
pub use scoring::{CURSOR, LateScoring, LateVerdicts, Scoring, forget};
pub use unavailable::Unavailable;

use connection::{Connection, Limits};
use unavailable::Failure;

/// How long a connection may be silent before it is asked whether it lives, so that one that died unnoticed
/// costs the next batch nothing.
const KEEPALIVE: Duration = Duration::from_secs(20);
/// What a service may have unanswered before it must answer: a few batches.
const WINDOW_BYTES: u32 = 8 << 20;

/// How a separate anomaly service is reached.
#[derive(Clone)]
pub struct Config {
    /// Its gRPC address, `http://host:50051` or `https://…`.
    pub url: String,
    /// One of its keys, where it has keys.
    pub api_key: Option<String>,
    /// PEM file of the authority that signed its certificate; without it the public ones count.
    pub ca_file: Option<PathBuf>,
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
    /// What TLS does not accept.
    #[error(
        "cannot set up TLS to the anomaly service; LOG_SENTINEL_ANOMALY_CA_FILE must hold PEM certificates"
    )]
    Tls(#[from] tonic::transport::Error),
}

/// Whether the service is to be asked, and how the latest failure read.
#[derive(Debug)]
struct Away {
    breaker: Breaker,
    reason: String,
}

/// The client: one stream of batches, opened when there is something to score and again when it broke.
#[derive(Debug)]
pub struct Remote {
    config: Config,
    endpoint: Endpoint,
    authorization: Option<MetadataValue<Ascii>>,
    away: Mutex<Away>,
    limits: Mutex<Limits>,
    connection: tokio::sync::Mutex<Option<Connection>>,
}

impl Remote {
    /// Checks the settings; connects to nothing.
    ///
    /// # Errors
    /// When a setting cannot be used.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        let bad_url = || ConfigError::Url { url: config.url.clone() };
        let mut endpoint = Endpoint::from_shared(config.url.clone()).map_err(|_| bad_url())?;
        let uri = endpoint.uri().clone();
        match (uri.scheme_str(), uri.host()) {
            (Some("http"), Some(_)) => {}
            (Some("https"), Some(_)) => endpoint = endpoint.tls_config(tls(&config)?)?,
            _ => return Err(bad_url()),
        }
        endpoint = endpoint
            .connect_timeout(config.deadline)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES);
        let key = config.api_key.as_ref().map(|key| format!("Bearer {key}").parse::<MetadataValue<Ascii>>());
        let mut authorization = key.transpose().map_err(|_| ConfigError::Key)?;
        if let Some(value) = &mut authorization {
            value.set_sensitive(true);
        }
        Ok(Self {
            away: Mutex::new(Away { breaker: Breaker::new(&config.breaker), reason: String::new() }),
            limits: Mutex::new(Limits::new(config.batch_events_max, config.message_bytes_max)),
            connection: tokio::sync::Mutex::new(None),
            authorization,
            endpoint,
            config,
        })
    }

    /// Scores events in stream order; they are learned from once, also when they are sent again. One
    /// verdict for each event.
    ///
    /// # Errors
    /// When the service is away; at once while the breaker is open. Some of the events may have been
    /// learned already: send all of them again.
    pub async fn score(&self, events: &[(EventId, Event<'_>)]) -> Result<Vec<Verdict>, Unavailable> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        self.admitted()?;
        let mut slot = self.connection.lock().await;
        self.admitted()?;
        match self.attempt(&mut slot, events).await {
            Ok(verdicts) => {
                self.away().breaker.succeeded();
                Ok(verdicts)
            }
            Err(failure) => {
                let reason = failure.describe(&self.config);
                let mut away = self.away();
                away.breaker.failed(Instant::now());
                away.reason.clone_from(&reason);
                Err(Unavailable { reason })
            }
        }
    }

    /// How long the service will not be asked; zero when it may be.
    pub fn pause(&self) -> Duration {
        self.away().breaker.probe_in(Instant::now()).unwrap_or_default()
    }

    fn admitted(&self) -> Result<(), Unavailable> {
        let away = self.away();
        match away.breaker.admits(Instant::now()) {
            true => Ok(()),
            false => Err(Unavailable { reason: away.reason.clone() }),
        }
    }

    /// One exchange, and another where that can mend it: on a new connection when an old one turned out
    /// to be broken, in smaller batches when they were too large.
    async fn attempt(
        &self,
        slot: &mut Option<Connection>,
        events: &[(EventId, Event<'_>)],
    ) -> Result<Vec<Verdict>, Failure> {
        loop {
            // Taken out, so that a stream with answers to come is not used again when this ends early.
            let kept = slot.take();
            let was_kept = kept.is_some();
            let mut connection = match kept {
                Some(connection) => connection,
                None => Connection::open(&self.endpoint, self.authorization.as_ref(), &self.config).await?,
            };
            let limits = *self.limits();
            match connection.exchange(events, limits, &self.config).await {
                Ok(verdicts) => {
                    *slot = Some(connection);
                    return Ok(verdicts);
                }
                Err(failure) if failure.is_too_large() && self.limits().shrink() => {}
                Err(failure) if was_kept && failure.is_broken() => {}
                Err(failure) => return Err(failure),
            }
        }
    }

    fn away(&self) -> MutexGuard<'_, Away> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tls(config: &Config) -> Result<ClientTlsConfig, ConfigError> {
    let tls = ClientTlsConfig::new();
    let Some(path) = &config.ca_file else { return Ok(tls.with_webpki_roots()) };
    let pem = std::fs::read(path).map_err(|source| ConfigError::CaFile { path: path.clone(), source })?;
    Ok(tls.ca_certificate(Certificate::from_pem(pem)))
}
