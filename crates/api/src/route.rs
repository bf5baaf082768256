//! Routers as tables, so that the description of the API can be compared with them.

use axum::{
    Router,
    handler::Handler,
    routing::{MethodFilter, MethodRouter, on},
};

/// One row: method, path template, handler.
pub(crate) struct Route<S> {
    method: &'static str,
    path: &'static str,
    handler: MethodRouter<S>,
}

pub(crate) fn get<H, T, S>(path: &'static str, handler: H) -> Route<S>
where
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    Route { method: "GET", path, handler: on(MethodFilter::GET, handler) }
}

pub(crate) fn post<H, T, S>(path: &'static str, handler: H) -> Route<S>
where
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    Route { method: "POST", path, handler: on(MethodFilter::POST, handler) }
}

pub(crate) fn delete<H, T, S>(path: &'static str, handler: H) -> Route<S>
where
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    Route { method: "DELETE", path, handler: on(MethodFilter::DELETE, handler) }
}

pub(crate) fn router<S: Clone + Send + Sync + 'static>(table: Vec<Route<S>>, state: S) -> Router {
    table.into_iter().fold(Router::new(), |router, row| router.route(row.path, row.handler)).with_state(state)
}

pub(crate) fn rows<S>(table: &[Route<S>]) -> Vec<(&'static str, &'static str)> {
    table.iter().map(|row| (row.method, row.path)).collect()
}
