//! What every native HTTP endpoint answers when it cannot do what was asked: RFC 9457 problem
//! details, and the request id that ties such an answer to a log line.
//!
//! A problem says what the client can act on and never carries the text of an internal error.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

pub use axum::http::StatusCode;
use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};

/// Media type of a problem.
pub const CONTENT_TYPE: &str = "application/problem+json";
/// Header that carries the request id, both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Start of every problem's `type`; its `code` follows.
pub const TYPE_PREFIX: &str = "urn:problem-type:log-sentinel:";
/// Longest request id taken from a client, in bytes.
const REQUEST_ID_BYTES_MAX: usize = 128;

tokio::task_local! {
    static CURRENT: RequestId;
}

/// The id of the request being answered: the client's `x-request-id` when it is printable ASCII
/// of at most 128 bytes, else 16 hexadecimal digits. Also among the request's extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

impl RequestId {
    /// The id of the request that the current task answers; None outside [`request_id_layer`].
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    fn of(request: &Request) -> Self {
        let given = request.headers().get(&REQUEST_ID).and_then(|value| value.to_str().ok());
        match given {
            Some(id) if !id.is_empty() && id.len() <= REQUEST_ID_BYTES_MAX => Self(id.to_owned()),
            _ => Self::fresh(),
        }
    }

    fn fresh() -> Self {
        static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        static COUNT: AtomicU64 = AtomicU64::new(0);
        Self(format!("{:016x}", KEY.hash_one(COUNT.fetch_add(1, Ordering::Relaxed))))
    }
}

/// Middleware for `axum::middleware::from_fn`: gives each request a [`RequestId`], which problems
/// carry as `request_id` and every answer as `x-request-id`. A second layer around the same
/// request changes nothing.
pub async fn request_id_layer(mut request: Request, next: Next) -> Response {
    if CURRENT.try_with(|_| ()).is_ok() {
        return next.run(request).await;
    }
    let id = RequestId::of(&request);
    request.extensions_mut().insert(id.clone());
    let header = HeaderValue::from_str(&id.0);
    let mut response = CURRENT.scope(id, next.run(request)).await;
    if let Ok(value) = header {
        response.headers_mut().entry(REQUEST_ID).or_insert(value);
    }
    response
}

/// Why a request was not done, as RFC 9457 problem details.
///
/// ```
/// use problem::{Problem, StatusCode};
/// let problem = Problem::new(StatusCode::BAD_REQUEST, "invalid_query", "The query is not valid", "')' is missing")
///     .field("q");
/// assert_eq!(problem.to_json()["code"], "invalid_query");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// HTTP status of the answer.
    pub status: StatusCode,
    /// Stable name of this kind of problem, for programs: `body_too_large`.
    pub code: &'static str,
    /// Short summary of the kind of problem, the same each time.
    pub title: &'static str,
    /// What is wrong this time and what to do about it.
    pub detail: String,
    retry_after: Option<Duration>,
    members: Vec<(String, Value)>,
}

impl Problem {
    /// A problem with nothing but its required members.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self { status, code, title, detail: detail.into(), retry_after: None, members: Vec::new() }
    }

    /// The answer to a failure that is ours. Its cause goes to the log, never into the answer.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Internal error",
            "the request could not be answered; the server's log says why, under this request id",
        )
    }

    /// Adds `line`: the line or element of the body that is wrong, from 1.
    #[must_use]
    pub fn line(self, line: u64) -> Self {
        self.member("line", line)
    }

    /// Adds `field`: the parameter, header or field that is wrong.
    #[must_use]
    pub fn field(self, field: impl Into<String>) -> Self {
        self.member("field", field.into())
    }

    /// Adds `instance`: the URI reference of this very occurrence.
    #[must_use]
    pub fn instance(self, uri: impl Into<String>) -> Self {
        self.member("instance", uri.into())
    }

    /// Adds the `Retry-After` header and `retry_after_s`, in whole seconds, rounded up, at least 1.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        let seconds = self.retry_after_s();
        self.member("retry_after_s", seconds)
    }

    /// Adds a further member. Members that are there already are not replaced.
    #[must_use]
    pub fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.push((name.to_owned(), value.into()));
        self
    }

    /// The body, with `request_id` when the current task answers a request.
    pub fn to_json(&self) -> Value {
        let mut body = Map::new();
        body.insert("type".into(), format!("{TYPE_PREFIX}{}", self.code).into());
        body.insert("title".into(), self.title.into());
        body.insert("status".into(), self.status.as_u16().into());
        body.insert("detail".into(), self.detail.clone().into());
        body.insert("code".into(), self.code.into());
        if let Some(id) = RequestId::current() {
            body.insert("request_id".into(), id.0.into());
        }
        for (name, value) in &self.members {
            body.entry(name.clone()).or_insert_with(|| value.clone());
        }
        Value::Object(body)
    }

    fn retry_after_s(&self) -> Option<u64> {
        let after = self.retry_after?;
        Some((after.as_secs() + u64::from(after.subsec_nanos() > 0)).max(1))
    }
}

/// Writes a refusal as the clients of another protocol expect it.
pub type Form = fn(&Problem) -> Response;

/// Writes a response anew in `form` when it is a [`Problem`]. The headers that say when to come back, how to
/// authenticate and which methods there are stay, unless `form` sets them itself.
pub fn in_form(form: Form, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let Some(problem) = parts.extensions.get::<Problem>() else {
        return Response::from_parts(parts, body);
    };
    let mut formed = form(problem);
    for name in [header::RETRY_AFTER, header::WWW_AUTHENTICATE, header::ALLOW] {
        if let Some(value) = parts.headers.get(&name) {
            formed.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
    }
    formed
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = self.to_json().to_string();
        let mut response = (self.status, [(header::CONTENT_TYPE, CONTENT_TYPE)], body).into_response();
        if let Some(seconds) = self.retry_after_s() {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, middleware, routing};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn ask(id: Option<&str>) -> (Response<()>, Value) {
        async fn refuse() -> Problem {
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "busy", "Too busy", "later")
                .retry_after(Duration::from_millis(1500))
                .line(3)
                .field("q")
                .member("code", "never replaced")
        }
        let router =
            Router::new().route("/", routing::get(refuse)).layer(middleware::from_fn(request_id_layer));
        let router = router.layer(middleware::from_fn(request_id_layer));
        let mut request = Request::get("/");
        if let Some(id) = id {
            request = request.header(REQUEST_ID, id);
        }
        let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (Response::from_parts(parts, ()), serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_problem_is_a_rfc_9457_answer_with_the_request_id() {
        let (response, body) = ask(Some("abc-1")).await;
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["content-type"], CONTENT_TYPE);
        assert_eq!(response.headers()["retry-after"], "2");
        assert_eq!(response.headers()["x-request-id"], "abc-1");
        let expected = serde_json::json!({
            "type": "urn:problem-type:log-sentinel:busy", "title": "Too busy", "status": 429, "detail": "later",
            "code": "busy", "request_id": "abc-1", "retry_after_s": 2, "line": 3, "field": "q",
        });
        assert_eq!(body, expected);
    }

    #[tokio::test]
    async fn unusable_request_ids_are_replaced_by_fresh_ones() {
        let long = "x".repeat(REQUEST_ID_BYTES_MAX + 1);
        let mut seen = Vec::new();
        for given in [None, Some(""), Some(long.as_str())] {
            let (response, body) = ask(given).await;
            let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
            assert_eq!(body["request_id"], *id);
            assert_eq!(id.len(), 16, "{id}");
            assert!(!seen.contains(&id), "{id}");
            seen.push(id);
        }
    }
}
