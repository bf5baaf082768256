//! What a request is answered when at least one of its records was stored.

use std::borrow::Cow;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use problem::{Problem, StatusCode};
use serde::{Deserialize, Serialize};

use crate::{Config, Counts, Delivery};

/// The body of a 200.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// Records stored.
    pub(crate) accepted: u64,
    /// The first of those refused.
    pub(crate) rejected: Vec<Rejected>,
    /// How many were refused.
    pub(crate) rejected_total: u64,
    /// What of those stored was cut, when any was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) truncated: Option<Truncated>,
    /// What of those stored is too old to stay, when anything is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expired: Option<Expired>,
    /// Whether the index has them; only for `?wait=indexed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) indexed: Option<bool>,
}

/// A record that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rejected {
    line: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    column: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    reason: String,
}

impl From<parse::Problem> for Rejected {
    fn from(parse::Problem { line, column, field, reason }: parse::Problem) -> Self {
        Self { line, column, field, reason }
    }
}

/// Records whose text was longer than the limit: cut there, marked, and stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Truncated {
    records: u64,
    limit_bytes: usize,
    setting: Cow<'static, str>,
}

/// Records older than the retention when they came: stored, and deleted when retention next runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Expired {
    records: u64,
    retention_s: u64,
    setting: Cow<'static, str>,
}

impl Answer {
    /// The answer once the delivery is durable.
    pub(crate) fn of(delivery: &Delivery, config: &Config) -> Self {
        let Counts { accepted, refused, truncated, expired, .. } = delivery.counts();
        Self {
            accepted,
            rejected: delivery.refused().iter().cloned().map(Rejected::from).collect(),
            rejected_total: refused,
            truncated: (truncated > 0).then(|| Truncated {
                records: truncated,
                limit_bytes: config.line_bytes_max,
                setting: "LOG_SENTINEL_LINE_BYTES_MAX".into(),
            }),
            expired: config.retention.filter(|_| expired > 0).map(|retention| Expired {
                records: expired,
                retention_s: retention.as_secs(),
                setting: "LOG_SENTINEL_RETENTION".into(),
            }),
            indexed: None,
        }
    }

    /// The refusal of a body in which no record is acceptable.
    pub(crate) fn refusal(&self) -> Problem {
        let Some(first) = self.rejected.first() else { return empty() };
        let column = first.column.map(|column| format!(", column {column}")).unwrap_or_default();
        let mut problem = Problem::new(
            StatusCode::BAD_REQUEST,
            "nothing_acceptable",
            "No record of the body can be stored",
            match first.reason.strip_prefix("element ") {
                Some(place) => format!("Element {place}"),
                None => format!("Line {}{column}: {}", first.line, first.reason),
            },
        )
        .line(first.line);
        if let Some(column) = first.column {
            problem = problem.member("column", column);
        }
        if let Some(field) = &first.field {
            problem = problem.field(field.clone());
        }
        problem
            .member("accepted", 0)
            .member("rejected", serde_json::to_value(&self.rejected).unwrap_or_default())
            .member("rejected_total", self.rejected_total)
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

/// What is wrong behind the last line of a body whose packed data has something else behind it.
pub(crate) fn rubbish(body: &[u8]) -> parse::Problem {
    let lines = body.iter().filter(|byte| **byte == b'\n').count() + usize::from(!body.ends_with(b"\n"));
    let reason = "what stands behind the gzip data is no gzip; it was not read".to_owned();
    parse::Problem { line: lines as u64 + 1, column: None, field: None, reason }
}

/// The refusal of a body of lines that holds none.
pub(crate) fn no_text() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "no_text",
        "The body holds no text",
        "Send lines of text, JSON, or objects one a line; what is no text can go as Base64 in a field of an event.",
    )
}

/// The refusal of a body without any record.
pub(crate) fn empty() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "empty_body",
        "The body holds no record",
        "Send at least one event: a JSON object, an array of them, one object a line, or plain lines.",
    )
}
