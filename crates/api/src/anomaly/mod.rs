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

use std::{collections::BTreeMap, sync::LazyLock};

use audit::Action;
use axum::{
    Json, Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use problem::{Problem, StatusCode};

use crate::{
    decision::By,
    docs, elsewhere, health, jobs,
    route::{self, ADMIN, OPEN, READ_ALL, Route, Row, delete, get, post},
};
use state::Shared;

pub use grpc::{AnomalyGrpc, GrpcConfig, GrpcError};
pub use state::{AnomalyConfig, AnomalyState};

/// Where the routes stand at the collector's port: who has one address needs no other.
const BELOW: &str = "/api/v1/anomaly";
/// What the collector answers for the whole process.
const OWN: &str = "/metrics";

/// Each path of the service, and where it stands at the collector's port.
static PATHS: LazyLock<BTreeMap<&'static str, String>> = LazyLock::new(|| {
    let all = table().into_iter().filter(|route| !route.is_open() && route.path() != OWN);
    all.map(|route| (route.path(), format!("{BELOW}{}", route.path()))).collect()
});

/// The routes of the anomaly service (port 8000). Wrap it with [`crate::guarded`].
pub fn anomaly(state: AnomalyState) -> Router {
    route::router(table(), Shared::new(state)).layer(axum::extract::DefaultBodyLimit::disable())
}

/// Every route of [`anomaly`].
pub fn anomaly_routes() -> Vec<Row> {
    route::rows(&table())
}

fn moved() -> Vec<Route<Shared>> {
    let all = table().into_iter();
    all.filter_map(|route| PATHS.get(route.path()).map(|path| route.at(path))).collect()
}

/// The routes of the service below `/api/v1/anomaly`. Merge them into the collector's.
pub fn anomaly_below(state: AnomalyState) -> Router {
    route::router(moved(), Shared::new(state)).layer(axum::extract::DefaultBodyLimit::disable())
}

/// Every route of [`anomaly_below`].
pub fn anomaly_below_routes() -> Vec<Row> {
    route::rows(&moved())
}

/// The same where the service is a process of its own: each says where to ask.
pub fn anomaly_not_here() -> Router {
    let detail = "the anomaly service is a process of its own here; send this to it, by default at port 8000";
    elsewhere::answering(&anomaly_below_routes(), "The anomaly service answers this", detail)
}

fn table() -> Vec<Route<Shared>> {
    vec![
        post(ADMIN, "/train", train::train),
        get(READ_ALL, "/jobs/{id}", job),
        delete(ADMIN, "/jobs/{id}", cancel_job),
        post(READ_ALL, "/predict", predict::predict),
        get(READ_ALL, "/model", models::serving),
        get(READ_ALL, "/model/rules", models::rules),
        get(READ_ALL, "/models", models::list),
        get(READ_ALL, "/models/compare", models::compare),
        post(ADMIN, "/models/rollback", models::roll_back),
        post(ADMIN, "/models/import", models::import),
        get(READ_ALL, "/models/{version}", models::one),
        get(READ_ALL, "/models/{version}/export", models::export),
        post(ADMIN, "/models/{version}/activate", models::activate),
        get(READ_ALL, "/starters", starters::list),
        post(ADMIN, "/starters", starters::start),
        get(READ_ALL, "/sessions", sessions::list),
        post(ADMIN, "/feedback", feedback::give),
        get(READ_ALL, "/feedback", feedback::list),
        delete(ADMIN, "/feedback/{id}", feedback::take_back),
        get(READ_ALL, "/templates", templates::list),
        get(READ_ALL, "/templates/operations", templates::operations),
        delete(ADMIN, "/templates/operations/{id}", templates::undo),
        post(ADMIN, "/templates/merge", templates::merge),
        get(READ_ALL, "/templates/{id}", templates::one),
        post(ADMIN, "/templates/{id}/name", templates::name),
        post(ADMIN, "/templates/{id}/pin", templates::pin),
        post(ADMIN, "/templates/{id}/split", templates::split),
        get(OPEN, "/livez", async || health::live()),
        get(OPEN, "/readyz", ready),
        get(OPEN, "/ready", ready),
        get(OPEN, "/health", ready),
        get(OPEN, "/healthz", async || health::live()),
        get(READ_ALL, "/metrics", async |State(shared): State<Shared>| {
            health::metrics(&shared.state.metrics)
        }),
        get(OPEN, "/openapi.json", async || docs::openapi(docs::ANOMALY)),
        get(OPEN, "/docs", async || docs::page()),
    ]
}

async fn ready(State(shared): State<Shared>) -> Response {
    health::ready(&shared.state.health.reports())
}

async fn job(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Response, Problem> {
    Ok(Json(shared.jobs.get(&id).ok_or_else(unknown_job)?).into_response())
}

/// Answers at once; the job says when it has ended.
async fn cancel_job(
    State(shared): State<Shared>,
    by: By,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let decision = by.decides(Action::TrainingCancelled).about(&id);
    let work = move || {
        let job = shared.jobs.cancel(&id).ok_or_else(unknown_job)?;
        if job.state != jobs::State::Running {
            let detail = "the job has ended, and there is nothing to cancel; GET it to see how it ended";
            return Err(Problem::new(StatusCode::CONFLICT, "job_ended", "The job has ended", detail));
        }
        Ok(job)
    };
    let job = state::blocking(move || by.carry_out(decision, work, |_, decision| decision)).await??;
    Ok((StatusCode::ACCEPTED, Json(job)).into_response())
}

fn unknown_job() -> Problem {
    let detail = "there is no such job; the latest few are remembered until a restart";
    Problem::new(StatusCode::NOT_FOUND, "job_not_found", "No such job", detail)
}
