//! The collector's read side and operations: what is asked on port 8080.

mod counts;
mod event;
mod form;
mod hinted;
mod hits;
mod letters;
mod live;
mod picked;
mod state;
mod width;

use axum::{
    Router,
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};

use problem::{Problem, StatusCode};

use crate::{
    docs, health,
    route::{self, ADMIN, OPEN, READ, READ_ALL, Route, Row, get, post},
};
use state::Shared;

pub use state::{CollectorConfig, CollectorState};

/// The collector's routes (port 8080) but for intake's. Merge them, then wrap both with
/// [`crate::guarded`].
pub fn collector(state: CollectorState) -> Router {
    route::router(table(), Shared::new(state))
}

/// Every route of [`collector`].
pub fn collector_routes() -> Vec<Row> {
    route::rows(&table())
}

fn table() -> Vec<Route<Shared>> {
    vec![
        get(OPEN, "/", async |headers: HeaderMap| docs::root(&headers)),
        get(OPEN, dashboard::FILES_PATH, file),
        get(READ, "/api/v1/search", hits::search),
        get(READ, "/api/v1/events/{id}", event::event),
        get(READ, "/api/v1/histogram", counts::histogram),
        get(READ, "/api/v1/fields", counts::fields),
        get(READ, "/api/v1/patterns", counts::patterns),
        get(READ, "/api/v1/tail", live::tail),
        get(READ_ALL, "/api/v1/dead-letters", letters::list),
        post(ADMIN, "/api/v1/dead-letters/replay", letters::replay),
        post(ADMIN, "/api/v1/dead-letters/discard", letters::discard),
        get(OPEN, "/livez", async || health::live()),
        get(OPEN, "/healthz", async || health::live()),
        get(OPEN, "/readyz", ready),
        get(OPEN, "/ready", ready),
        get(OPEN, "/health", ready),
        get(READ_ALL, "/metrics", async |State(shared): State<Shared>| {
            health::metrics(&shared.state.metrics)
        }),
        get(OPEN, "/openapi.json", async || docs::openapi(docs::COLLECTOR)),
        get(OPEN, "/docs", async || docs::page()),
    ]
}

async fn ready(State(shared): State<Shared>) -> Response {
    let journal = health::journal_report(&shared.state.searcher.journal().status());
    health::ready(&health::merge(shared.state.health.reports(), journal))
}

async fn file(
    Path((version, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let detail = "there is no such file in this version of the dashboard; load the page anew";
    let gone = || Problem::new(StatusCode::NOT_FOUND, "not_found", "Not found", detail);
    dashboard::file(&version, &path, &headers).ok_or_else(gone)
}
