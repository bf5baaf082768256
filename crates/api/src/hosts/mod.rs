//! Hosts over HTTP: samples in, agents and what was measured on them out, what is to be watched. Agents' keys and
//! certificates are another matter: `keys`.

mod agents;
mod config;
mod data;
mod groups;
mod history;
mod state;
mod thresholds;

use axum::{Router, extract::DefaultBodyLimit};

use crate::route::{self, ADMIN, INGEST, READ, READ_ALL, Route, Row, delete, get, post};
use state::Shared;

pub use state::HostsState;

/// The routes of hosts. Merge them into the collector's, and into those of the anomaly service where that is in the same
/// process.
pub fn hosts(state: HostsState) -> Router {
    route::router(table(), Shared::new(state)).layer(DefaultBodyLimit::disable())
}

/// Every route of [`hosts`].
pub fn hosts_routes() -> Vec<Row> {
    route::rows(&table())
}

fn table() -> Vec<Route<Shared>> {
    vec![
        post(INGEST, "/data", data::take),
        get(READ, "/agents", agents::list),
        get(READ, "/history/{agent_name}", history::history),
        get(READ, "/history/{agent_name}/thresholds", thresholds::backtest),
        post(ADMIN, "/agent/{agent_name}/config", agents::configure),
        delete(ADMIN, "/agents/{agent_name}", agents::remove),
        get(READ_ALL, "/api/v1/host-groups", groups::list),
        post(ADMIN, "/api/v1/host-groups/{group}", groups::set),
        delete(ADMIN, "/api/v1/host-groups/{group}", groups::remove),
    ]
}
