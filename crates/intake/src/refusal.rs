//! Why a delivery is not stored, and how that is answered over HTTP.

use std::time::Duration;

use journal::AppendError;
use problem::{Problem, StatusCode};

/// Why a delivery is not stored, as a whole.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refused {
    /// It holds more than may be held, alone or together with others.
    #[error("the events take {bytes} bytes, and {max} may be held at once; send them in parts, or later")]
    Held {
        /// What its events take.
        bytes: usize,
        /// What all deliveries may hold.
        max: usize,
        /// The answer when it would have fitted alone.
        problem: Box<Problem>,
    },
    /// The journal did not take it.
    #[error("{source}")]
    Journal {
        /// What it takes in the journal.
        bytes: usize,
        /// Why not.
        source: AppendError,
    },
}

/// 429 when trying again can help, 413 when the delivery can never fit, else 503.
impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Held { bytes, max, .. } if bytes > max => Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "The body holds too much",
                format!(
                    "These lines take {bytes} bytes as events, and {max} may be held at once \
                     (LOG_SENTINEL_IN_FLIGHT_BYTES_MAX). Nothing of the body was stored; send it in parts."
                ),
            )
            .member("limit_bytes", max as u64)
            .member("setting", "LOG_SENTINEL_IN_FLIGHT_BYTES_MAX"),
            Refused::Held { problem, .. } => *problem,
            Refused::Journal { bytes, source } => not_appended(&source, bytes),
        }
    }
}

fn not_appended(error: &AppendError, bytes: usize) -> Problem {
    match error {
        AppendError::Full { budget, .. } if bytes as u64 > *budget => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "The body is too large",
            format!(
                "The journal may use {budget} bytes (LOG_SENTINEL_JOURNAL_BYTES_MAX), which cannot hold this body \
                 at once. Nothing of it was stored; send it in parts."
            ),
        )
        .member("limit_bytes", *budget),
        AppendError::Full { used, budget } => overloaded(
            Limit { name: "journal_bytes", setting: "LOG_SENTINEL_JOURNAL_BYTES_MAX", bytes: Some(*budget) },
            format!(
                "The journal uses {used} of its {budget} bytes (LOG_SENTINEL_JOURNAL_BYTES_MAX); the index has to \
                 catch up. Nothing of this request was stored; send it again."
            ),
            Duration::from_secs(10),
        ),
        AppendError::DiskFull => overloaded(
            Limit { name: "journal_disk", setting: "LOG_SENTINEL_DATA", bytes: None },
            "The disk that holds the journal (LOG_SENTINEL_DATA) is full. Nothing of this request was stored; \
             send it again."
                .to_owned(),
            Duration::from_secs(30),
        ),
        AppendError::Reserve { free, reserve } => overloaded(
            Limit { name: "disk_reserve", setting: "LOG_SENTINEL_DISK_RESERVE", bytes: Some(*reserve) },
            format!(
                "The disk that holds the journal has {free} bytes free, of which {reserve} are kept in reserve \
                 (LOG_SENTINEL_DISK_RESERVE). Nothing of this request was stored; send it again."
            ),
            Duration::from_secs(30),
        ),
        error if error.is_retryable() => overloaded(
            Limit { name: "journal_queue", setting: "LOG_SENTINEL_JOURNAL_QUEUE_BYTES", bytes: None },
            format!("{error}. Nothing of this request was stored; send it again."),
            Duration::from_secs(1),
        ),
        error => {
            tracing::warn!("a request could not be stored: {error}");
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "not_ready",
                "Nothing can be accepted now",
                "The journal accepts nothing; /readyz says why. Nothing of this request was acknowledged.",
            )
        }
    }
}

/// A limit that was reached, by its name in the metric and in the answer.
struct Limit {
    name: &'static str,
    setting: &'static str,
    bytes: Option<u64>,
}

fn overloaded(limit: Limit, detail: String, retry_after: Duration) -> Problem {
    telemetry::refused(limit.name);
    let title = "Too much at a time";
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "overloaded", title, detail)
        .member("limit", limit.name)
        .member("setting", limit.setting)
        .retry_after(retry_after);
    match limit.bytes {
        Some(bytes) => problem.member("limit_bytes", bytes),
        None => problem,
    }
}
