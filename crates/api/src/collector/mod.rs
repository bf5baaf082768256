//! The collector's read side and operations.

mod letters;
mod live;
mod search;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use dead_letter::DeadLetterStream;
use event::Analyzed;
use problem::{Problem, StatusCode};
use serde::Serialize;
use tokio::sync::broadcast;

use crate::{
    Searcher, docs,
    gate::Gate,
    health,
    observe::internal,
    route::{self, Route, get, post},
};

/// What live tails are fed with: every analysed event, one message each, so that a slow client can
/// be told how many it missed. Nobody needs to send while [`broadcast::Sender::receiver_count`] is 0.
pub type LiveEvents = broadcast::Sender<Arc<Analyzed<'static>>>;

/// Bounds of the collector's read side.
#[derive(Debug, Clone)]
pub struct CollectorConfig {
    /// The largest `limit` of a search.
    pub hits_max: usize,
    /// The largest `limit` of field values and patterns.
    pub values_max: usize,
    /// Buckets that a histogram may have.
    pub buckets_max: usize,
    /// Queries worked on at once.
    pub queries_max: usize,
    /// How long a query may take.
    pub query_timeout: Duration,
    /// Live tails at once.
    pub tails_max: usize,
}

impl Default for CollectorConfig {
    fn default() -> Self {
        Self {
            hits_max: 10_000,
            values_max: 10_000,
            buckets_max: 10_000,
            queries_max: 8,
            query_timeout: Duration::from_secs(30),
            tails_max: 64,
        }
    }
}

/// What the collector's router needs.
#[derive(Clone)]
pub struct CollectorState {
    /// Answers queries.
    pub searcher: Searcher,
    /// Feeds live tails.
    pub live: LiveEvents,
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

#[derive(Clone)]
struct Shared {
    state: Arc<CollectorState>,
    queries: Gate,
    tails: Gate,
}

/// The collector's routes (port 8080) but for intake's. Merge them, then wrap both with
/// [`crate::guarded`].
pub fn collector(state: CollectorState) -> Router {
    let shared = Shared {
        queries: Gate::new(state.config.queries_max),
        tails: Gate::new(state.config.tails_max),
        state: Arc::new(state),
    };
    route::router(table(), shared)
}

/// Method and path of every route of [`collector`].
pub fn collector_routes() -> Vec<(&'static str, &'static str)> {
    route::rows(&table())
}

fn table() -> Vec<Route<Shared>> {
    vec![
        get("/", async |headers: HeaderMap| docs::root(&headers)),
        get("/api/v1/search", search::search),
        get("/api/v1/histogram", search::histogram),
        get("/api/v1/fields", search::fields),
        get("/api/v1/patterns", search::patterns),
        get("/api/v1/tail", live::tail),
        get("/api/v1/dead-letters", letters::list),
        post("/api/v1/dead-letters/replay", letters::replay),
        post("/api/v1/dead-letters/discard", letters::discard),
        get("/livez", async || health::live()),
        get("/healthz", async || health::live()),
        get("/readyz", ready),
        get("/ready", ready),
        get("/health", ready),
        get("/metrics", async |State(shared): State<Shared>| health::metrics(&shared.state.metrics)),
        get("/openapi.json", async || docs::openapi(docs::COLLECTOR)),
        get("/docs", async || docs::page()),
    ]
}

async fn ready(State(shared): State<Shared>) -> Response {
    let journal = health::journal_report(&shared.state.searcher.journal().status());
    health::ready(&health::merge(shared.state.health.reports(), journal))
}

impl Shared {
    /// Runs a query within its bounds and writes its answer. The place at the gate is given back
    /// when the work ends, even when nobody waits for it any more.
    async fn query<T: Serialize + Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<Response, Problem> {
        let place = self.queries.enter().await?;
        let work = telemetry::task::spawn("query", async move {
            let answer = work.await?;
            // Writing ten thousand documents takes longer than the reactor may be held.
            let body = tokio::task::spawn_blocking(move || serde_json::to_vec(&answer)).await;
            drop(place);
            match body {
                Ok(Ok(body)) => Ok(body),
                _ => Err(internal()),
            }
        });
        match tokio::time::timeout(self.state.config.query_timeout, work).await {
            Ok(Ok(body)) => {
                let json = axum::http::HeaderValue::from_static("application/json");
                Ok(([(axum::http::header::CONTENT_TYPE, json)], body?).into_response())
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "a query ended early");
                Err(internal())
            }
            Err(_) => Err(Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "query_timeout",
                "The query took too long",
                format!(
                    "no answer within {} s; narrow the time range or the query",
                    self.state.config.query_timeout.as_secs_f64()
                ),
            )
            .retry_after(Duration::from_secs(1))),
        }
    }
}
