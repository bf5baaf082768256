//! The anomaly service over REST: training, prediction, models, starters, feedback, templates, sessions. Over
//! gRPC: `grpc`.

mod feedback;
mod grpc;
mod models;
mod predict;
mod sessions;
mod starters;
mod templates;
mod train;

use std::sync::Arc;

pub use grpc::{AnomalyGrpc, GrpcConfig, GrpcError, TlsFiles};

use axum::{
    Json, Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use event::{Timestamp, VerdictState};
use problem::{Problem, StatusCode};
use search::Searcher;
use serde_json::{Value, json};

use crate::{
    body::Bodies,
    docs,
    gate::Gate,
    health,
    jobs::{self, Jobs},
    route::{self, Route, delete, get, post},
    trainings::Trainings,
};

/// Bounds of the anomaly service.
#[derive(Debug, Clone)]
pub struct AnomalyConfig {
    /// Of bodies.
    pub body: body::Config,
    /// Up to so many events `/train` answers once the model serves; with more it answers 202.
    pub train_sync_events: usize,
    /// Events of one training; of the store's the newest, of a body not one more.
    pub train_events_max: usize,
    /// Events of one `/predict`.
    pub predict_events_max: usize,
    /// Predictions worked on at once.
    pub predictions_max: usize,
    /// Longest line, in bytes; what is longer is cut and marked.
    pub line_bytes_max: usize,
    /// Zone of time stamps that name none.
    pub zone: jiff::tz::TimeZone,
}

impl Default for AnomalyConfig {
    fn default() -> Self {
        Self {
            body: body::Config::default(),
            train_sync_events: 50_000,
            train_events_max: 500_000,
            predict_events_max: 50_000,
            predictions_max: 8,
            line_bytes_max: 1 << 20,
            zone: jiff::tz::TimeZone::UTC,
        }
    }
}

/// What the anomaly router needs.
#[derive(Clone)]
pub struct AnomalyState {
    /// The service itself.
    pub service: Arc<anomaly::Service>,
    /// What `{"source":"store"}` learns from; None where nothing is stored.
    pub searcher: Option<Searcher>,
    /// Whose turn it is to train; shared with [`AnomalyGrpc`].
    pub trainings: Trainings,
    /// Cancels trainings.
    pub stop: telemetry::task::Stop,
    /// For `/readyz`.
    pub health: telemetry::health::Health,
    /// For `/metrics`.
    pub metrics: telemetry::metric::Metrics,
    /// Bounds.
    pub config: AnomalyConfig,
}

#[derive(Clone)]
struct Shared {
    state: Arc<AnomalyState>,
    jobs: Jobs,
    bodies: Bodies,
    predictions: Gate,
}

/// The routes of the anomaly service (port 8000). Wrap it with [`crate::guarded`].
pub fn anomaly(state: AnomalyState) -> Router {
    let config = &state.config;
    let shared = Shared {
        jobs: Jobs::new(state.trainings.clone(), state.stop.clone()),
        bodies: Bodies::new(
            body::Reader::new(config.body.clone(), state.stop.clone()),
            config.body.bytes_max,
        ),
        predictions: Gate::new(config.predictions_max),
        state: Arc::new(state),
    };
    route::router(table(), shared).layer(axum::extract::DefaultBodyLimit::disable())
}

/// Method and path of every route of [`anomaly`].
pub fn anomaly_routes() -> Vec<(&'static str, &'static str)> {
    route::rows(&table())
}

fn table() -> Vec<Route<Shared>> {
    vec![
        post("/train", train::train),
        get("/jobs/{id}", job),
        delete("/jobs/{id}", cancel_job),
        post("/predict", predict::predict),
        get("/model", models::serving),
        get("/model/rules", models::rules),
        get("/models", models::list),
        get("/models/compare", models::compare),
        post("/models/rollback", models::roll_back),
        post("/models/import", models::import),
        get("/models/{version}", models::one),
        get("/models/{version}/export", models::export),
        post("/models/{version}/activate", models::activate),
        get("/starters", starters::list),
        post("/starters", starters::start),
        get("/sessions", sessions::list),
        post("/feedback", feedback::give),
        get("/feedback", feedback::list),
        delete("/feedback/{id}", feedback::take_back),
        get("/templates", templates::list),
        get("/templates/operations", templates::operations),
        delete("/templates/operations/{id}", templates::undo),
        post("/templates/merge", templates::merge),
        get("/templates/{id}", templates::one),
        post("/templates/{id}/name", templates::name),
        post("/templates/{id}/pin", templates::pin),
        post("/templates/{id}/split", templates::split),
        get("/livez", async || health::live()),
        get("/readyz", ready),
        get("/ready", ready),
        get("/health", ready),
        get("/healthz", async || health::live()),
        get("/metrics", async |State(shared): State<Shared>| health::metrics(&shared.state.metrics)),
        get("/openapi.json", async || docs::openapi(docs::ANOMALY)),
        get("/docs", async || docs::page()),
    ]
}

async fn ready(State(shared): State<Shared>) -> Response {
    health::ready(&shared.state.health.reports())
}

async fn job(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Response, Problem> {
    Ok(Json(shared.jobs.get(&id).ok_or_else(unknown_job)?).into_response())
}

/// Answers at once; the job says when it has ended.
async fn cancel_job(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Response, Problem> {
    let job = shared.jobs.cancel(&id).ok_or_else(unknown_job)?;
    if job.state != jobs::State::Running {
        let detail = "the job has ended, and there is nothing to cancel; GET it to see how it ended";
        return Err(Problem::new(StatusCode::CONFLICT, "job_ended", "The job has ended", detail));
    }
    Ok((StatusCode::ACCEPTED, Json(job)).into_response())
}

fn unknown_job() -> Problem {
    let detail = "there is no such job; the latest few are remembered until a restart";
    Problem::new(StatusCode::NOT_FOUND, "job_not_found", "No such job", detail)
}

fn stopping(detail: &'static str) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "Stopping", detail)
}

/// Runs what takes CPU or disk time off the reactor.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    telemetry::task::blocking("anomaly service", work).await.map_err(|error| {
        tracing::error!("work for a request ended early: {}", telemetry::task::ending(&error));
        Problem::internal()
    })
}

fn model_state(state: VerdictState) -> &'static str {
    match state {
        VerdictState::Scored => "trained",
        other => other.as_str(),
    }
}

impl Shared {
    fn context(&self, received: Timestamp) -> parse::Context<'_> {
        let config = &self.state.config;
        parse::Context::new(received, &config.zone, config.line_bytes_max)
    }
}

fn refused_json(problem: &parse::Problem) -> Value {
    let mut json = json!({"line": problem.line, "reason": problem.reason});
    if let Some(column) = problem.column {
        json["column"] = column.into();
    }
    if let Some(field) = &problem.field {
        json["field"] = field.as_str().into();
    }
    json
}
