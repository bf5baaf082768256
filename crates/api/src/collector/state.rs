//! What the routes of the collector share: what they answer from, and the bounds within which they do.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use dead_letter::DeadLetterStream;
use index::{Lanes, LanesConfig, Limits, live::Live};
use problem::Problem;
use search::{SearchError, Searcher};
use serde::Serialize;

use crate::{
    gate::{Gate, busy},
    outlet::{self, Outlets},
    unanswered::unanswered,
};

/// Bounds of the collector's read side.
#[derive(Debug, Clone)]
pub struct CollectorConfig {
    /// The largest `limit` of a search.
    pub hits_max: usize,
    /// The largest `limit` of field values and patterns.
    pub values_max: usize,
    /// Buckets that a histogram may have.
    pub buckets_max: usize,
    /// Queries worked on at once, but for slow ones.
    pub queries_max: usize,
    /// Queries at once that take longer than others.
    pub slow_queries_max: usize,
    /// How much work a query may be: rows read and tests made on them.
    pub query_work_max: u64,
    /// How long a query may take.
    pub query_timeout: Duration,
    /// Live tails at once.
    pub tails_max: usize,
    /// Bytes of hits after which an answer ends and says where to go on.
    pub answer_bytes_max: usize,
    /// Bytes that all answers hold together until their clients take them.
    pub answers_bytes_max: usize,
    /// Bytes on their way to live tails, over all of them.
    pub tails_bytes_max: usize,
    /// How long a client may take nothing.
    pub write_timeout: Duration,
}

impl Default for CollectorConfig {
    fn default() -> Self {
        Self {
            hits_max: 10_000,
            values_max: 10_000,
            buckets_max: 10_000,
            queries_max: 8,
            slow_queries_max: 8,
            query_work_max: 2_000_000_000,
            query_timeout: Duration::from_secs(30),
            tails_max: 64,
            answer_bytes_max: 512 << 20,
            answers_bytes_max: 64 << 20,
            tails_bytes_max: 32 << 20,
            write_timeout: Duration::from_secs(30),
        }
    }
}

/// What the collector's router needs.
#[derive(Clone)]
pub struct CollectorState {
    /// Takes dead letters in again.
    pub door: intake::Door,
    /// Answers queries.
    pub searcher: Searcher,
    /// Feeds live tails.
    pub live: Live,
    /// What the index refused; None where an index refuses nothing.
    pub dead_letters: Option<Arc<DeadLetterStream>>,
    /// Ends live tails when the program stops.
    pub stop: telemetry::task::Stop,
    /// For `/readyz`.
    pub health: telemetry::health::Health,
    /// For `/metrics`.
    pub metrics: telemetry::metric::Metrics,
    /// Bounds.
    pub config: CollectorConfig,
}

/// How long an answer waits for its share of what all may hold.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub(super) struct Shared {
    pub(super) state: Arc<CollectorState>,
    queries: Gate,
    lanes: Lanes,
    pub(super) places: Gate,
    pub(super) answers: Outlets,
    pub(super) tails: Outlets,
}

impl Shared {
    /// With nothing asked yet.
    pub(super) fn new(state: CollectorState) -> Self {
        Self {
            queries: Gate::new(state.config.queries_max),
            lanes: Lanes::new(
                &LanesConfig { slow_max: state.config.slow_queries_max, ..LanesConfig::default() },
                state.stop.clone(),
            ),
            places: Gate::new(state.config.tails_max),
            answers: Outlets::new(state.config.answers_bytes_max, state.config.write_timeout),
            tails: Outlets::new(state.config.tails_bytes_max, state.config.write_timeout),
            state: Arc::new(state),
        }
    }

    /// Runs a query within its bounds and writes its answer.
    pub(super) async fn query<T, F>(&self, work: impl FnOnce(Limits) -> F) -> Result<Response, Problem>
    where
        T: Serialize + Send + 'static,
        F: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        let body = self.run(|limits| {
            let answer = work(limits);
            async move {
                let answer = answer.await?;
                // Writing ten thousand values takes longer than the reactor may be held.
                match telemetry::task::blocking("answer", move || serde_json::to_vec(&answer)).await {
                    Ok(Ok(body)) => Ok(body),
                    _ => Err(Problem::internal()),
                }
            }
        });
        let body = body.await?;
        let share = self.share(body.len()).await?;
        Ok(json_response(outlet::whole(body, share)))
    }

    /// A share of what all answers may hold.
    pub(super) async fn share(&self, bytes: usize) -> Result<outlet::Share, Problem> {
        let share = tokio::time::timeout(PATIENCE, self.answers.share(bytes)).await;
        share.ok().flatten().ok_or_else(|| {
            telemetry::refused("answers_bytes");
            busy("the answers that other clients have not taken yet use up their budget; ask again later")
        })
    }

    /// Runs a query within its bounds. The work ends soon after nobody waits for it any more, and its
    /// place is free once it has.
    pub(super) async fn run<T, F>(&self, work: impl FnOnce(Limits) -> F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        let config = &self.state.config;
        let place = self.lanes.place(self.queries.enter().await?);
        let deadline = Instant::now() + config.query_timeout;
        let limits = Limits::in_lanes(deadline, config.query_work_max, place);
        let guard = limits.cancel_on_drop();
        let work = work(limits.clone());
        let work = telemetry::task::spawn("query", async move {
            let answer = work.await;
            drop(limits);
            answer
        });
        match tokio::time::timeout_at(deadline.into(), work).await {
            Ok(Ok(answer)) => {
                guard.disarm();
                answer
            }
            Ok(Err(error)) => {
                tracing::error!("a query ended early: {}", telemetry::task::ending(&error));
                Err(Problem::internal())
            }
            Err(_) => Err(unanswered(SearchError::TimedOut)),
        }
    }
}

fn json_response(body: Body) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}
