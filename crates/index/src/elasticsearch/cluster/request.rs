//! What is asked of a cluster.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
pub use elasticsearch::http::Method;
use serde_json::Value as Json;

/// The body of a request.
#[derive(Debug, Clone)]
pub enum Body {
    /// None.
    None,
    /// One JSON value.
    Json(Json),
    /// Lines of JSON, the last one ended, too.
    Ndjson(Bytes),
}

/// What is asked of a cluster.
#[derive(Debug, Clone)]
pub struct Request<'r> {
    /// HTTP method.
    pub method: Method,
    /// Path without query, its parts percent-encoded where that is needed.
    pub path: Cow<'r, str>,
    /// Parameters, not yet encoded.
    pub query: Vec<(&'r str, Cow<'r, str>)>,
    /// Body.
    pub body: Body,
    /// From the first attempt to connect to the last byte of the answer.
    pub timeout: Duration,
    /// What it is for, to be read behind "cannot".
    pub action: &'static str,
}

impl Request<'_> {
    /// Whether carrying it out twice is the same as once.
    pub(super) fn is_repeatable(&self) -> bool {
        let reads = ["_search", "_msearch", "_count", "_field_caps", "_refresh", "_mget", "_pit"];
        match self.method {
            Method::Get | Method::Head | Method::Put | Method::Delete => true,
            Method::Post => self.path.rsplit('/').next().is_some_and(|last| reads.contains(&last)),
        }
    }
}
