//! What is answered when a question has no answer.

use std::time::Duration;

use problem::{Problem, StatusCode};
use search::SearchError;

/// Why a question has no answer, as a client is told.
pub(crate) fn unanswered(error: SearchError) -> Problem {
    match error {
        SearchError::TooLarge { .. } => Problem::new(
            StatusCode::BAD_REQUEST,
            "query_too_large",
            "The query needs too much",
            error.to_string(),
        ),
        SearchError::Unsupported { .. } => Problem::new(
            StatusCode::BAD_REQUEST,
            "query_unsupported",
            "The index cannot answer this",
            error.to_string(),
        ),
        SearchError::TimedOut => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "query_timeout",
            "The query took too long",
            error.to_string(),
        )
        .retry_after(Duration::from_secs(1)),
        SearchError::Cancelled => {
            let detail = "the service is stopping, and the query was not answered; ask again later";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "Stopping", detail)
        }
        SearchError::Tail(_) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a query failed");
            Problem::internal()
        }
    }
}
