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
mod config;
mod connection;
mod late;
mod scoring;
mod unavailable;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use event::{Event, EventId, Verdict};
use retry::Breaker;
use tonic::{
    metadata::{Ascii, MetadataValue},
    transport::Endpoint,
};

pub use analysis::RemoteAnalysis;
pub use config::{Config, ConfigError};
pub use retry::BreakerConfig;
pub use scoring::{CURSOR, LateScoring, LateVerdicts, Scoring, forget};
pub use unavailable::Unavailable;

use config::tls;
use connection::{Connection, Limits};
use unavailable::Failure;

/// How long a connection may be silent before it is asked whether it lives, so that one that died unnoticed
/// costs the next batch nothing.
const KEEPALIVE: Duration = Duration::from_secs(20);
/// What a service may have unanswered before it must answer: a few batches.
const WINDOW_BYTES: u32 = 8 << 20;

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
            (Some("http"), Some(_)) if config.identity.is_some() => return Err(ConfigError::NotShown),
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
