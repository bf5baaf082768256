//! Keys, agents and sign-ins over HTTP: who may, told and changed.

mod agents;
mod made;
mod session;
mod state;

use access::Needs;
use axum::{Router, extract::DefaultBodyLimit};

use crate::route::{self, ADMIN, OPEN, Route, Row, delete, get, post};
use state::Shared;

pub use agents::{adds, agent_json, enrol_command};
pub use made::{creates, key_json, told_id};
pub use state::KeysState;

/// The routes of keys, agents and sign-ins. Merge them into the collector's.
pub fn keys(state: KeysState) -> Router {
    route::router(table(), Shared::new(state)).layer(DefaultBodyLimit::disable())
}

/// Every route of [`keys`].
pub fn keys_routes() -> Vec<Row> {
    route::rows(&table())
}

fn table() -> Vec<Route<Shared>> {
    vec![
        post(OPEN, "/api/v1/session", session::begin),
        get(Needs::Key, "/api/v1/session", session::tell),
        delete(OPEN, "/api/v1/session", session::end),
        get(ADMIN, "/api/v1/keys", made::list),
        post(ADMIN, "/api/v1/keys", made::create),
        delete(ADMIN, "/api/v1/keys/{id}", made::revoke),
        get(ADMIN, "/api/v1/agents", agents::list),
        post(ADMIN, "/api/v1/agents", agents::add),
        delete(ADMIN, "/api/v1/agents/{name}", agents::revoke),
        post(OPEN, "/api/v1/enrol", agents::enrol),
    ]
}
