//! How much may be in flight, and how a refusal because of load reads.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use journal::AppendError;
use metrics::{counter, gauge};
use problem::{Problem, StatusCode};
use telemetry::metric;

/// The bytes of all bodies that are held between their arrival and their answer.
#[derive(Debug)]
pub(crate) struct Budget {
    used: AtomicUsize,
    max: usize,
}

impl Budget {
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), max })
    }
}

/// One body's share of a [`Budget`]; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Held {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Held {
    pub(crate) fn none(budget: &Arc<Budget>) -> Self {
        Self { budget: budget.clone(), bytes: 0 }
    }

    /// Holds at least so many bytes from now on.
    pub(crate) fn at_least(&mut self, bytes: usize) -> Result<(), Problem> {
        let more = bytes.saturating_sub(self.bytes);
        let max = self.budget.max;
        let fits = |used: usize| used.checked_add(more).filter(|sum| *sum <= max);
        if self.budget.used.try_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_err() {
            return Err(in_flight_full(max));
        }
        self.bytes += more;
        gauge!(metric::HTTP_IN_FLIGHT_BYTES).increment(more as f64);
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
        gauge!(metric::HTTP_IN_FLIGHT_BYTES).decrement(self.bytes as f64);
    }
}

fn in_flight_full(max: usize) -> Problem {
    overloaded(
        Limit {
            name: "in_flight_bytes",
            setting: "LOG_SENTINEL_IN_FLIGHT_BYTES_MAX",
            bytes: Some(max as u64),
        },
        format!(
            "The bodies of requests in progress would exceed {max} bytes (LOG_SENTINEL_IN_FLIGHT_BYTES_MAX). \
             Nothing of this request was stored; send it again."
        ),
        Duration::from_secs(1),
    )
}

/// The answer for a batch of so many bytes that the journal did not take: 429 when trying again can
/// help, 413 when the batch can never fit, else 503.
pub(crate) fn not_appended(error: &AppendError, bytes: usize) -> Problem {
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
    counter!(metric::ADMISSION_REFUSED, "limit" => limit.name).increment(1);
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
