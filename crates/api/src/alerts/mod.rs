//! Alerts over HTTP: who was told of which signal, over which way, and that somebody has it.

mod channels;
mod list;
mod routes;
mod silences;
mod state;

use axum::{Router, extract::DefaultBodyLimit};

use crate::route::{self, ADMIN, READ_ALL, Route, Row, delete, get, post, put};
use state::Shared;

pub use state::AlertsState;

/// The routes of alerts. Merge them into the collector's, and into those of the anomaly service where that is in the same
/// process.
pub fn alerts(state: AlertsState) -> Router {
    route::router(table(), Shared::new(state)).layer(DefaultBodyLimit::disable())
}

/// Every route of [`alerts`].
pub fn alerts_routes() -> Vec<Row> {
    route::rows(&table())
}

fn table() -> Vec<Route<Shared>> {
    vec![
        get(READ_ALL, "/alerts", list::list),
        post(ADMIN, "/alerts/{id}/acknowledge", list::acknowledge),
        get(READ_ALL, "/api/v1/alerts/{id}", list::explain),
        get(READ_ALL, "/api/v1/deliveries", list::deliveries),
        get(READ_ALL, "/api/v1/routes", routes::list),
        post(READ_ALL, "/api/v1/routes/test", routes::test),
        get(READ_ALL, "/api/v1/channels", channels::list),
        post(ADMIN, "/api/v1/channels", channels::make),
        put(ADMIN, "/api/v1/channels/{name}", channels::change),
        delete(ADMIN, "/api/v1/channels/{name}", channels::remove),
        post(ADMIN, "/api/v1/channels/{name}/test", channels::test),
        get(READ_ALL, "/api/v1/silences", silences::list),
        post(ADMIN, "/api/v1/silences", silences::make),
        post(READ_ALL, "/api/v1/silences/preview", silences::preview),
        delete(ADMIN, "/api/v1/silences/{number}", silences::end),
    ]
}
