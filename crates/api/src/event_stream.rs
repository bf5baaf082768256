//! Server-sent events: how a stream of them begins, lasts and is taken up again.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use problem::Problem;
use telemetry::task::Stop;

use crate::{
    outlet::{Gone, Outlet},
    params::Params,
    standing::Standing,
};

/// How often a quiet stream says that it lives.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(15);
/// What a browser sends when it connects again.
const LAST_EVENT_ID: &str = "last-event-id";

/// What a client saw last, as `read` reads it: a browser that connects again names it, whatever its address (`after`) says.
///
/// # Errors
/// Those of `read`.
pub(crate) fn seen<T>(
    headers: &HeaderMap,
    params: &Params,
    read: impl Fn(&'static str, &str) -> Result<T, Problem>,
) -> Result<Option<T>, Problem> {
    match headers.get(LAST_EVENT_ID).filter(|id| !id.is_empty()) {
        Some(id) => read("Last-Event-ID", id.to_str().unwrap_or_default()).map(Some),
        None => params.text("after").map(|id| read("after", id)).transpose(),
    }
}

/// Answers with what `feed` sends, until it ends, its client is gone or may ask no more, or the program stops.
pub(crate) fn answer<F>(
    name: &'static str,
    (outlet, body): (Outlet, Body),
    (stop, standing): (Stop, Standing),
    feed: impl FnOnce(Arc<Outlet>) -> F,
) -> Response
where
    F: Future<Output = Result<(), Gone>> + Send + 'static,
{
    let outlet = Arc::new(outlet);
    let running = feed(Arc::clone(&outlet));
    // It ends with its client, or when that takes nothing any more.
    drop(telemetry::task::spawn(name, async move {
        let ended = tokio::select! {
            () = stop.cancelled() => true,
            () = outlet.gone() => false,
            () = standing.ended() => true,
            ended = running => ended.is_ok(),
        };
        // The feed has let go of it.
        if let Some(outlet) = Arc::into_inner(outlet).filter(|_| ended) {
            outlet.end().await;
        }
    }));
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // Proxies that gather answers would hold events back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
