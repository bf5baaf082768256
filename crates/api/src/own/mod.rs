//! The service itself: its settings with where each comes from, and its room with how long that lasts.

mod forecast;
mod room;
mod state;

use axum::{
    Json, Router,
    extract::State,
    http::Uri,
    response::{IntoResponse, Response},
};
use problem::Problem;
use serde_json::json;
use state::Shared;

pub use state::{OwnSetting, OwnState};

use crate::{
    params::Params,
    route::{self, ADMIN, READ_ALL, Route, Row, get},
};

/// The routes about the service itself. Merge them into the collector's.
pub fn own(state: OwnState) -> Router {
    route::router(table(), Shared::new(state))
}

/// Every route of [`own`].
pub fn own_routes() -> Vec<Row> {
    route::rows(&table())
}

fn table() -> Vec<Route<Shared>> {
    vec![get(ADMIN, "/api/v1/settings", settings), get(READ_ALL, "/api/v1/storage", room::storage)]
}

async fn settings(State(shared): State<Shared>, uri: Uri) -> Result<Response, Problem> {
    Params::of(&uri, &[])?;
    Ok(Json(json!({"settings": shared.state.settings})).into_response())
}
