//! Routes of the collector at the port of a process that is only the anomaly service: who asks there is told where to ask.

use axum::{Router, routing::any};
use problem::{Problem, StatusCode};

use crate::route::Row;

/// Answers every request for one of these routes with 421, naming the collector.
pub fn elsewhere(rows: &[Row]) -> Router {
    let detail =
        "this process is only the anomaly service; send this to the collector, by default at port 8080";
    answering(rows, "The collector answers this", detail)
}

/// Answers every request for one of these routes with 421 and these words.
pub(crate) fn answering(rows: &[Row], title: &'static str, detail: &'static str) -> Router {
    let mut paths: Vec<&'static str> = rows.iter().map(|(_, path, _)| *path).collect();
    paths.sort_unstable();
    paths.dedup();
    let answer = async move || Problem::new(StatusCode::MISDIRECTED_REQUEST, "not_here", title, detail);
    paths.into_iter().fold(Router::new(), |router, path| router.route(path, any(answer)))
}
