//! The index in an Elasticsearch or OpenSearch cluster: one data stream, one document an event.
//!
//! [`Cluster`] sends requests to a list of nodes. Batches are written as bulks of `create` actions
//! with the event id as `_id`, so that a replay changes nothing; questions are translated into the
//! server's query language. What the server has acknowledged is durable there, and becomes visible
//! with its next refresh, which is asked for before a question is put.
//!
//! It must never report an event as written before the server or the dead letters have it.

mod cluster;
mod config;
mod document;
mod error;
mod fit;
mod label_numbers;
mod search;
pub mod setup;
mod view;
mod writer;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use event::{Batch, EventId, JournalId, Position, Timestamp, Verdict};
use telemetry::{health::Component, task::Tasks};
use tokio::sync::watch;

pub use self::{
    cluster::{Answer, Body, Cluster, Flavor, Method, Request, Server},
    config::{Auth, Config, Rollover},
    error::ClusterError,
};
use self::{
    view::View,
    writer::{Writer, amend, existing, retention},
};
use crate::{
    DeadLetters, FieldInfo, FieldValues, FieldValuesRequest, FollowRequest, Followed, Histogram,
    HistogramRequest, Index, IndexError, IndexStats, Limits, Patterns, PatternsRequest, SearchRequest,
    SearchResult,
};

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

    fn answers_later(&self) -> bool {
        true
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
        let amended = amend::amend(&self.cluster, &view, verdicts).await;
        self.writer.change();
        match amended {
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
