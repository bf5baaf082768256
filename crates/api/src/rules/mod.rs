//! Rules over HTTP: what they are and what they do, tried on what is past, and one's own files of them written.

mod dry_run;
mod files;
mod in_sql;
mod list;
mod state;

use axum::{Router, extract::DefaultBodyLimit};

use crate::route::{self, ADMIN, READ_ALL, Route, Row, delete, get, post, put};
use state::Shared;

pub use state::RulesState;

/// The routes of rules. Merge them into the collector's.
pub fn rules(state: RulesState) -> Router {
    route::router(table(), Shared::new(state)).layer(DefaultBodyLimit::disable())
}

/// Every route of [`rules`].
pub fn rules_routes() -> Vec<Row> {
    route::rows(&table())
}

fn table() -> Vec<Route<Shared>> {
    vec![
        get(READ_ALL, "/api/v1/rules", list::list),
        get(READ_ALL, "/api/v1/rules/{id}", list::one),
        post(ADMIN, "/api/v1/rules/reload", list::reload),
        post(READ_ALL, "/api/v1/rules/check", files::check),
        post(READ_ALL, "/api/v1/rules/dry-run", dry_run::dry_run),
        get(READ_ALL, "/api/v1/rule-files", files::list),
        get(READ_ALL, "/api/v1/rule-files/{file}", files::read),
        put(ADMIN, "/api/v1/rule-files/{file}", files::write),
        delete(ADMIN, "/api/v1/rule-files/{file}", files::remove),
        post(ADMIN, "/api/v1/rule-files/{file}/roll-back", files::roll_back),
    ]
}
