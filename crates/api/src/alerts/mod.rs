//! Alerts over HTTP: who was told of which signal, over which way, and that somebody has it.

mod list;
mod state;

use axum::{Router, extract::DefaultBodyLimit};

use crate::route::{self, ADMIN, READ_ALL, Route, Row, get, post};
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
    ]
}
