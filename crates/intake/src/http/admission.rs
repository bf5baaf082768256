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
        "in_flight_bytes",
        format!(
            "The bodies of requests in progress would exceed {max} bytes (LOG_SENTINEL_IN_FLIGHT_BYTES_MAX). \
             Nothing of this request was stored; send it again."
        ),
        Duration::from_secs(1),
    )
}

/// The answer for what the journal did not take: 429 when trying again can help, else 503.
pub(crate) fn not_appended(error: &AppendError) -> Problem {
    match error {
        AppendError::Full { used, budget } => overloaded(
            "journal_bytes",
            format!(
                "The journal uses {used} of its {budget} bytes (LOG_SENTINEL_JOURNAL_BYTES_MAX); the index has to \
                 catch up. Nothing of this request was stored; send it again."
            ),
            Duration::from_secs(10),
        ),
        AppendError::DiskFull => overloaded(
            "journal_disk",
            "The disk that holds the journal (LOG_SENTINEL_DATA) is full. Nothing of this request was stored; \
             send it again."
                .to_owned(),
            Duration::from_secs(30),
        ),
        error if error.is_retryable() => overloaded(
            "journal_queue",
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

fn overloaded(limit: &'static str, detail: String, retry_after: Duration) -> Problem {
    counter!(metric::ADMISSION_REFUSED, "limit" => limit).increment(1);
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "overloaded", "Too much at a time", detail)
        .member("limit", limit)
        .retry_after(retry_after)
}
