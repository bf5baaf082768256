//! How much batches may take, and how a refusal because of load reads.

use std::{sync::Arc, time::Duration};

use body::{Budget, Held};
use journal::{AppendError, Batch};
use metrics::counter;
use problem::{Problem, StatusCode};
use telemetry::metric;

/// What the journal adds to each record: its length and its checksum.
const RECORD_OVERHEAD: usize = 8;

/// A batch that grows while its body is parsed, within the budget of all batches. What passes it is
/// no longer kept, only counted.
pub(crate) struct Growing {
    batch: Batch,
    held: Held,
    refused: Option<Problem>,
    /// Bytes of the events, and one event that is counted and not kept.
    bytes: usize,
    scratch: Vec<u8>,
}

impl Growing {
    pub(crate) fn new(budget: &Arc<Budget>) -> Self {
        let held = Held::none(budget);
        Self { batch: Batch::new(), held, refused: None, bytes: 0, scratch: Vec::new() }
    }

    pub(crate) fn push(&mut self, event: &event::Event<'_>) {
        if self.refused.is_some() {
            self.scratch.clear();
            event::codec::encode(event, &mut self.scratch);
            self.bytes += self.scratch.len() + RECORD_OVERHEAD;
            return;
        }
        self.batch.push_with(|out| event::codec::encode(event, out));
        self.bytes = self.batch.bytes();
        if let Err(problem) = self.held.at_least(self.bytes) {
            (self.batch, self.refused) = (Batch::new(), Some(problem));
            self.held = Held::none(self.held.budget());
        }
    }

    /// The batch and what is held for it.
    ///
    /// # Errors
    /// 413 when it passes the budget alone, 429 when it does so together with others.
    pub(crate) fn finish(self) -> Result<(Batch, Held), Problem> {
        let (bytes, max) = (self.bytes, self.held.limit());
        match self.refused {
            None => Ok((self.batch, self.held)),
            Some(_) if bytes > max => Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "The body holds too much",
                format!(
                    "These lines take {bytes} bytes as events, and {max} may be held at once \
                     (LOG_SENTINEL_IN_FLIGHT_BYTES_MAX). Nothing of the body was stored; send it in parts."
                ),
            )
            .member("limit_bytes", max as u64)
            .member("setting", "LOG_SENTINEL_IN_FLIGHT_BYTES_MAX")),
            Some(problem) => Err(problem),
        }
    }
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
