//! The collector's read side and operations: what is asked on port 8080.

mod counts;
mod hits;
mod letters;
mod live;
mod outlet;
mod state;

use axum::{Router, extract::State, http::HeaderMap, response::Response};

use crate::{
    docs, health,
    route::{self, Route, get, post},
};
use state::Shared;

pub use state::{CollectorConfig, CollectorState};

/// The collector's routes (port 8080) but for intake's. Merge them, then wrap both with
/// [`crate::guarded`].
pub fn collector(state: CollectorState) -> Router {
    route::router(table(), Shared::new(state))
}

/// Method and path of every route of [`collector`].
pub fn collector_routes() -> Vec<(&'static str, &'static str)> {
    route::rows(&table())
}

fn table() -> Vec<Route<Shared>> {
    vec![
        get("/", async |headers: HeaderMap| docs::root(&headers)),
        get("/api/v1/search", hits::search),
        get("/api/v1/histogram", counts::histogram),
        get("/api/v1/fields", counts::fields),
        get("/api/v1/patterns", counts::patterns),
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
