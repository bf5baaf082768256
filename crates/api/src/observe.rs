//! What every listener does around its routes.

use std::any::Any;

use axum::{
    Router,
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method, Uri, header},
    middleware::{Next, from_fn, from_fn_with_state, map_response},
    response::{IntoResponse, Response},
};
use problem::{Form, Problem, StatusCode};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    access::{Access, Guard, access_layer},
    route::Row,
};

/// Wraps a finished router, whatever it was merged from: answers for unknown paths and methods,
/// access, metrics, panics, request ids, what tells browsers to be careful. `rows` say what its routes ask of their
/// callers; whatever is not among them needs a key. Call it last: it holds for the routes already there.
pub fn guarded(router: Router, access: Access, rows: &[Row]) -> Router {
    let router = router.method_not_allowed_fallback(method_not_allowed).fallback(not_found);
    observed(admitted(router, Guard::new(access, rows)))
}

/// As [`guarded`], around the routes of a protocol's face: whatever is refused there, by the face itself or by the
/// access rules, is written in the form that its clients know. Merge it into a guarded router.
pub fn guarded_face(router: Router, access: Access, rows: &[Row], form: Form) -> Router {
    let router = router.method_not_allowed_fallback(method_not_allowed);
    let formed = map_response(move |response| std::future::ready(problem::in_form(form, response)));
    observed(admitted(router, Guard::new(access, rows)).layer(formed))
}

fn admitted(router: Router, guard: Guard) -> Router {
    router.layer(CatchPanicLayer::custom(panicked)).layer(from_fn_with_state(guard, access_layer))
}

fn observed(router: Router) -> Router {
    router
        .layer(map_response(async |response| careful(response)))
        .layer(from_fn(metrics_layer))
        .layer(from_fn(problem::request_id_layer))
}

/// Has browsers take an answer for what it says it is, in no frame and on no page of others.
fn careful(mut response: Response) -> Response {
    const HEADERS: [(HeaderName, &str); 5] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Middleware that counts requests by route template and status; never by a path that a client
/// made up.
pub async fn metrics_layer(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("(none)", MatchedPath::as_str).to_owned();
    let status = response.status().as_str().to_owned();
    metrics::counter!(telemetry::metric::HTTP_REQUESTS, "route" => route, "status" => status).increment(1);
    response
}

fn known_method(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
    KNOWN.into_iter().find(|known| method.as_str() == *known).unwrap_or("other")
}

async fn not_found(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(200).collect();
    Problem::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "No such resource",
        format!("there is nothing at '{path}'; /docs lists what there is"),
    )
}

async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(200).collect();
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "Method not allowed",
        format!(
            "'{path}' cannot be asked with {}; the Allow header names what it takes",
            known_method(&method)
        ),
    )
}

/// The hook for panics has said where; the text may quote a log and is not repeated.
fn panicked(_panic: Box<dyn Any + Send>) -> Response {
    tracing::error!("a request handler panicked");
    Problem::internal().into_response()
}
