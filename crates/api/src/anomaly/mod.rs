//! The anomaly service over REST (port 8000): training, prediction, models, starters, feedback, templates,
//! sessions. Over gRPC: `grpc`.

mod feedback;
mod grpc;
mod models;
mod predict;
mod sessions;
mod starters;
mod state;
mod templates;
mod train;

use axum::{
    Json, Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use problem::{Problem, StatusCode};

use crate::{
    docs, health, jobs,
    route::{self, Route, delete, get, post},
};
use state::Shared;

pub use grpc::{AnomalyGrpc, GrpcConfig, GrpcError, TlsFiles};
pub use state::{AnomalyConfig, AnomalyState};

/// The routes of the anomaly service (port 8000). Wrap it with [`crate::guarded`].
pub fn anomaly(state: AnomalyState) -> Router {
    route::router(table(), Shared::new(state)).layer(axum::extract::DefaultBodyLimit::disable())
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
