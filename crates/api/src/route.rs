//! Routers as tables: what each route asks of its caller stands beside it, and the description of the API can be
//! compared with them.

use access::{Needs, Scope};
use axum::{
    Router,
    handler::Handler,
    routing::{MethodFilter, MethodRouter, on},
};

/// Open: probes, static files, signing in.
pub(crate) const OPEN: Needs = Needs::Nothing;
/// Searches, which keep to the caller's organization.
pub(crate) const READ: Needs = Needs::Scope(Scope::Read);
/// Sending something in.
pub(crate) const INGEST: Needs = Needs::Scope(Scope::Ingest);
/// What is of all organizations.
pub(crate) const READ_ALL: Needs = Needs::Whole(Scope::Read);
/// Changes of what the service is and does.
pub(crate) const ADMIN: Needs = Needs::Whole(Scope::Admin);

/// A route as its router has it: method, path template, what it asks of its caller.
pub type Row = (&'static str, &'static str, Needs);

/// One row: what it asks of its caller, method, path template, handler.
pub(crate) struct Route<S> {
    needs: Needs,
    method: &'static str,
    path: &'static str,
    handler: MethodRouter<S>,
}

impl<S> Route<S> {
    pub(crate) fn path(&self) -> &'static str {
        self.path
    }

    /// Whether anybody may ask.
    pub(crate) fn is_open(&self) -> bool {
        self.needs == OPEN
    }

    /// The same at another path.
    pub(crate) fn at(self, path: &'static str) -> Self {
        Self { path, ..self }
    }
}

pub(crate) fn get<H, T, S>(needs: Needs, path: &'static str, handler: H) -> Route<S>
where
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    Route { needs, method: "GET", path, handler: on(MethodFilter::GET, handler) }
}

pub(crate) fn post<H, T, S>(needs: Needs, path: &'static str, handler: H) -> Route<S>
where
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    Route { needs, method: "POST", path, handler: on(MethodFilter::POST, handler) }
}

pub(crate) fn put<H, T, S>(needs: Needs, path: &'static str, handler: H) -> Route<S>
where
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    Route { needs, method: "PUT", path, handler: on(MethodFilter::PUT, handler) }
}

pub(crate) fn delete<H, T, S>(needs: Needs, path: &'static str, handler: H) -> Route<S>
where
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    Route { needs, method: "DELETE", path, handler: on(MethodFilter::DELETE, handler) }
}

pub(crate) fn router<S: Clone + Send + Sync + 'static>(table: Vec<Route<S>>, state: S) -> Router {
    table.into_iter().fold(Router::new(), |router, row| router.route(row.path, row.handler)).with_state(state)
}

pub(crate) fn rows<S>(table: &[Route<S>]) -> Vec<Row> {
    table.iter().map(|row| (row.method, row.path, row.needs)).collect()
}
