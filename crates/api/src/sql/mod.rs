//! Questions in SQL over HTTP, and the tables that can be asked.

mod ask;
mod state;
mod told;

use axum::{
    Json, Router,
    extract::DefaultBodyLimit,
    http::Uri,
    response::{IntoResponse, Response},
};
use problem::Problem;
use state::Shared;

pub use state::SqlState;

use crate::{
    params::Params,
    route::{self, READ, Route, Row, get, post},
};

/// The routes of questions in SQL. Merge them into the collector's.
pub fn sql(state: SqlState) -> Router {
    route::router(table(), Shared::new(state)).layer(DefaultBodyLimit::disable())
}

/// Every route of [`sql`].
pub fn sql_routes() -> Vec<Row> {
    route::rows(&table())
}

fn table() -> Vec<Route<Shared>> {
    vec![post(READ, "/api/v1/sql", ask::ask), get(READ, "/api/v1/sql/tables", tables)]
}

async fn tables(uri: Uri) -> Result<Response, Problem> {
    Params::of(&uri, &[])?;
    Ok(Json(told::tables()).into_response())
}
