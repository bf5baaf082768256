//! Signals over HTTP: what was found, told in words, and what people decide of it.

mod asked;
mod change;
mod foreign;
mod incidents;
mod ingest;
mod list;
mod state;
mod stream;
mod suppressions;
mod told;

use axum::{Router, extract::DefaultBodyLimit};

use crate::route::{self, ADMIN, INGEST, READ, READ_ALL, Route, Row, delete, get, post};
use state::Shared;

pub use state::{Learn, Settled, SignalsState};

/// The routes of signals. Merge them into the collector's.
pub fn signals(state: SignalsState) -> Router {
    route::router(table(), Shared::new(state)).layer(DefaultBodyLimit::disable())
}

/// Every route of [`signals`].
pub fn signals_routes() -> Vec<Row> {
    route::rows(&table())
}

/// The route by which others send signals. Merge it into the collector's, and into those of the anomaly service where that
/// is in the same process.
pub fn ingest(state: SignalsState) -> Router {
    route::router(received(), Shared::new(state)).layer(DefaultBodyLimit::disable())
}

/// Every route of [`ingest`].
pub fn ingest_routes() -> Vec<Row> {
    route::rows(&received())
}

fn received() -> Vec<Route<Shared>> {
    vec![post(INGEST, "/ingest", ingest::ingest)]
}

fn table() -> Vec<Route<Shared>> {
    vec![
        get(READ, "/api/v1/signals", list::list),
        get(READ, "/api/v1/signals/stream", stream::stream),
        get(READ, "/api/v1/signals/{id}", list::one),
        post(ADMIN, "/api/v1/signals/{id}/acknowledge", change::acknowledge),
        post(ADMIN, "/api/v1/signals/{id}/resolve", change::resolve),
        post(ADMIN, "/api/v1/signals/{id}/reopen", change::reopen),
        post(ADMIN, "/api/v1/signals/{id}/snooze", change::snooze),
        post(ADMIN, "/api/v1/signals/{id}/assign", change::assign),
        post(ADMIN, "/api/v1/signals/{id}/note", change::note),
        post(ADMIN, "/api/v1/signals/{id}/feedback", change::feedback),
        get(READ, "/api/v1/incidents", incidents::list),
        get(READ, "/api/v1/incidents/{id}", incidents::one),
        get(READ_ALL, "/api/v1/suppressions", suppressions::list),
        post(ADMIN, "/api/v1/suppressions", suppressions::make),
        post(READ_ALL, "/api/v1/suppressions/preview", suppressions::preview),
        delete(ADMIN, "/api/v1/suppressions/{number}", suppressions::remove),
    ]
}
