//! The index in an Elasticsearch or OpenSearch cluster: one data stream, one document an event.
//!
//! [`Cluster`] sends requests to a list of nodes. Batches are written as bulks of `create` actions
//! with the event id as `_id`, so that a replay changes nothing; questions are translated into the
//! server's query language. What the server has acknowledged is durable there, and becomes visible
//! with its next refresh, which is asked for before a question is put.
//!
//! It must never report an event as written before the server or the dead letters have it.

mod cluster;
mod document;
mod error;
mod fit;
mod search;
pub mod setup;
mod writer;

use std::{
    fmt,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use event::{Batch, EventId, JournalId, Position, Timestamp, Verdict};
use telemetry::{health::Component, task::Tasks};
use tokio::sync::watch;

pub use self::writer::retention::Rollover;
use self::writer::{Writer, amend, existing, retention};
pub use self::{
    cluster::{Answer, Body, Cluster, Flavor, Method, Request, Server},
    error::ClusterError,
};
use crate::{
    DeadLetters, FieldInfo, FieldValues, FieldValuesRequest, FollowRequest, Followed, Histogram,
    HistogramRequest, Index, IndexError, IndexStats, Limits, Patterns, PatternsRequest, SearchRequest,
    SearchResult,
};

/// How a cluster is reached and written to.
#[derive(Clone)]
pub struct Config {
    /// Addresses of nodes, `http` or `https` URLs.
    pub nodes: Vec<String>,
    /// Name of the data stream.
    pub data_stream: String,
    /// How to authenticate.
    pub auth: Auth,
    /// PEM file with the certificate of the authority that signed the nodes' certificates.
    pub ca_file: Option<PathBuf>,
    /// Whether `event.original` is stored.
    pub keep_original: bool,
    /// Whether request bodies are packed; None packs them except to loopback addresses.
    pub gzip: Option<bool>,
    /// Largest bulk, in bytes before packing. A single larger document makes a bulk of its own.
    pub bulk_bytes_max: usize,
    /// Serialised bulks that wait or are under way, in bytes.
    pub in_flight_bytes_max: usize,
    /// Bulks under way at the same time, at most.
    pub concurrency_max: usize,
    /// How long a bulk or question may take before it counts as failed.
    pub request_timeout: Duration,
    /// Bound of the first wait before a new attempt; it doubles from there.
    pub retry_min: Duration,
    /// Bound of the longest wait before a new attempt.
    pub retry_max: Duration,
    /// How long a write waits for room before it is refused.
    pub write_wait: Duration,
    /// How often nodes that were taken out are looked after; figures are fetched every tenth time.
    pub upkeep_interval: Duration,
    /// When the index that is written to gives way to a new one, on servers without a lifecycle.
    pub rollover: Rollover,
    /// How long a question may take, refresh included, before the cluster counts as not answering.
    pub query_timeout: Duration,
    /// A node whose bulks take longer than this is called slow, and so is one that takes a tenth of
    /// it and four times what the quickest node takes.
    pub slow_after: Duration,
}

impl Config {
    /// Everything as by default, for these addresses.
    pub fn new(nodes: Vec<String>) -> Self {
        Self {
            nodes,
            data_stream: "logs-sentinel".to_owned(),
            auth: Auth::None,
            ca_file: None,
            keep_original: true,
            gzip: None,
            bulk_bytes_max: 8 << 20,
            in_flight_bytes_max: 64 << 20,
            concurrency_max: 8,
            request_timeout: Duration::from_secs(60),
            retry_min: Duration::from_millis(100),
            retry_max: Duration::from_secs(30),
            write_wait: Duration::from_secs(5),
            upkeep_interval: Duration::from_secs(1),
            rollover: Rollover::default(),
            query_timeout: Duration::from_secs(8),
            slow_after: Duration::from_secs(10),
        }
    }
}

impl fmt::Debug for Config {
    /// Without addresses and credentials: either may hold a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Config")
            .field("nodes", &self.nodes.len())
            .field("data_stream", &self.data_stream)
            .field("auth", &self.auth)
            .field("ca_file", &self.ca_file)
            .finish_non_exhaustive()
    }
}

/// How to authenticate with a cluster.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// As a user.
    Basic {
        /// Its name.
        username: String,
        /// Its password.
        password: String,
    },
    /// With an API key: its encoded form, or `id:secret`.
    ApiKey(String),
}

impl fmt::Debug for Auth {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "None",
            Self::Basic { .. } => "Basic(***)",
            Self::ApiKey(_) => "ApiKey(***)",
        })
    }
}

/// What a question may assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    /// Name of the data stream.
    pub(crate) data_stream: String,
    /// The journal whose position `covered` is.
    pub(crate) journal: JournalId,
    /// Everything before it is visible.
    pub(crate) covered: Position,
    /// Until when the answer to a question is waited for.
    pub(crate) deadline: Instant,
    /// How long any other request may take.
    pub(crate) timeout: Duration,
}

/// The index in a cluster. Its tasks end when it is dropped.
pub struct Elasticsearch {
    cluster: Cluster,
    data_stream: String,
    request_timeout: Duration,
    query_timeout: Duration,
    rollover: Rollover,
    writer: Writer,
    tasks: Tasks,
}

impl fmt::Debug for Elasticsearch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Elasticsearch")
            .field("cluster", &self.cluster)
            .field("data_stream", &self.data_stream)
            .finish_non_exhaustive()
    }
}

impl Drop for Elasticsearch {
    fn drop(&mut self) {
        self.tasks.stop().cancel();
    }
}

impl Elasticsearch {
    /// Prepares the transports and starts the tasks that write; called within a Tokio runtime. The
    /// cluster need not be up: what is written waits for it.
    ///
    /// # Errors
    /// When a setting cannot be used.
    pub fn open(
        config: Config,
        dead_letters: Arc<dyn DeadLetters>,
        health: Component,
    ) -> Result<Self, IndexError> {
        const ACTION: &str = "be opened";
        tokio::runtime::Handle::try_current()
            .map_err(|error| IndexError::Remote { action: ACTION, source: error.into() })?;
        let cluster = Cluster::new(&config).map_err(|error| error.during(ACTION))?;
        let tasks = Tasks::new();
        let writer = Writer::start(&config, cluster.clone(), dead_letters, health, &tasks);
        let Config { data_stream, request_timeout, query_timeout, rollover, .. } = config;
        Ok(Self { cluster, data_stream, request_timeout, query_timeout, rollover, writer, tasks })
    }

    /// The cluster it is in.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Makes what is acknowledged visible, and says what a question may assume then.
    async fn view(&self, action: &'static str, limits: &Limits) -> Result<View, IndexError> {
        let covered = self.writer.cover().await.map_err(|error| error.during(action))?;
        Ok(View {
            data_stream: self.data_stream.clone(),
            journal: self.writer.journal(),
            covered,
            deadline: Instant::now() + limits.within(self.query_timeout),
            timeout: self.query_timeout,
        })
    }
}

/// Ends a question with its time and its asker. A request that is given up closes its connection, by which
/// the server knows that the search may end.
async fn within<T>(
    limits: &Limits,
    answer: impl Future<Output = Result<T, IndexError>>,
) -> Result<T, IndexError> {
    let time_is_up = async {
        match limits.deadline() {
            Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        answer = answer => answer,
        () = limits.cancelled() => Err(IndexError::Cancelled),
        () = time_is_up => Err(IndexError::TimedOut),
    }
}

#[async_trait]
impl Index for Elasticsearch {
    fn attach(&self, journal: JournalId, cursor: Position, end: Position) -> Position {
        self.writer.attach(journal, cursor, end)
    }

    async fn write(&self, batch: &Batch<'_>) -> Result<(), IndexError> {
        self.writer.write(batch).await
    }

    async fn reached(&self, journal: JournalId) -> Result<Position, IndexError> {
        let reached = existing::reached(&self.cluster, &self.data_stream, journal, self.request_timeout);
        reached.await.map_err(|error| error.during("find the journal's last event"))
    }

    fn collided(&self) -> Option<JournalId> {
        self.writer.collided()
    }

    async fn commit(&self) -> Result<Position, IndexError> {
        Ok(self.writer.acknowledged())
    }

    fn written(&self) -> watch::Receiver<Position> {
        self.writer.watch()
    }

    async fn refresh(&self) -> Result<(), IndexError> {
        self.view("be refreshed", &Limits::none()).await.map(drop)
    }

    async fn search(&self, request: SearchRequest, limits: &Limits) -> Result<SearchResult, IndexError> {
        let answer =
            async { search::search(&self.cluster, &self.view("search", limits).await?, request).await };
        within(limits, answer).await
    }

    async fn follow(&self, request: FollowRequest, limits: &Limits) -> Result<Followed, IndexError> {
        let answer =
            async { search::follow(&self.cluster, &self.view("follow", limits).await?, request).await };
        within(limits, answer).await
    }

    async fn histogram(&self, request: HistogramRequest, limits: &Limits) -> Result<Histogram, IndexError> {
        let answer = async {
            search::histogram(&self.cluster, &self.view("count over time", limits).await?, request).await
        };
        within(limits, answer).await
    }

    async fn field_values(
        &self,
        request: FieldValuesRequest,
        limits: &Limits,
    ) -> Result<FieldValues, IndexError> {
        let answer = async {
            search::field_values(&self.cluster, &self.view("count values", limits).await?, request).await
        };
        within(limits, answer).await
    }

    async fn fields(&self, limits: &Limits) -> Result<Vec<FieldInfo>, IndexError> {
        let answer = async { search::fields(&self.cluster, &self.view("list fields", limits).await?).await };
        within(limits, answer).await
    }

    async fn patterns(&self, request: PatternsRequest, limits: &Limits) -> Result<Patterns, IndexError> {
        let answer = async {
            search::patterns(&self.cluster, &self.view("count templates", limits).await?, request).await
        };
        within(limits, answer).await
    }

    async fn amend(&self, verdicts: &[(EventId, Verdict)]) -> Result<u64, IndexError> {
        const ACTION: &str = "take late verdicts";
        let view = self.view(ACTION, &Limits::none()).await?;
        match amend::amend(&self.cluster, &view, verdicts).await {
            Err(error @ (ClusterError::Forbidden { .. } | ClusterError::Refused { .. })) => {
                // It would be refused each time, and the journal kept for it.
                let events = verdicts.len();
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    events,
                    "late verdicts are given up; the account needs the right 'index' on the data stream"
                );
                Ok(0)
            }
            amended => amended.map_err(|error| error.during(ACTION)),
        }
    }

    async fn roll_over(&self) -> Result<bool, IndexError> {
        let Self { cluster, data_stream, rollover, request_timeout, .. } = self;
        let rolled = retention::roll_over(cluster, data_stream, *rollover, *request_timeout);
        rolled.await.map_err(|error| error.during("begin a new index"))
    }

    async fn expire(&self, before: Timestamp) -> Result<u64, IndexError> {
        let expired = retention::expire(&self.cluster, &self.data_stream, before, self.request_timeout);
        expired.await.map_err(|error| error.during("remove old events"))
    }

    fn stats(&self) -> IndexStats {
        self.writer.stats()
    }
}
