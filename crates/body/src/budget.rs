//! How much of all bodies may be held at a time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use metrics::gauge;
use problem::{Problem, StatusCode};
use telemetry::metric;
use tokio::sync::Notify;

/// What is held beyond what is needed, so that not every event asks for its own bytes.
const STEP_BYTES: usize = 64 * 1024;

/// The bytes of all bodies, or of all the batches made of them, that are held until they are answered for.
#[derive(Debug)]
pub struct Budget {
    used: AtomicUsize,
    max: usize,
    refused: Notify,
}

impl Budget {
    /// Of so many bytes (`LOG_SENTINEL_IN_FLIGHT_BYTES_MAX`).
    pub fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), max, refused: Notify::new() })
    }

    /// Waits until something found no room.
    pub(crate) async fn refused(&self) {
        self.refused.notified().await;
    }

    fn full(&self) -> Problem {
        self.refused.notify_waiters();
        telemetry::refused("in_flight_bytes");
        let max = self.max;
        let detail = format!(
            "The bodies of requests in progress would exceed {max} bytes (LOG_SENTINEL_IN_FLIGHT_BYTES_MAX). \
             Nothing of this request was stored; send it again."
        );
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "overloaded", "Too much at a time", detail)
            .member("limit", "in_flight_bytes")
            .member("setting", "LOG_SENTINEL_IN_FLIGHT_BYTES_MAX")
            .retry_after(Duration::from_secs(1))
            .member("limit_bytes", max as u64)
    }
}

/// One body's share of a [`Budget`]; dropping it gives it back.
#[derive(Debug)]
pub struct Held {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Held {
    /// Nothing yet.
    pub fn none(budget: &Arc<Budget>) -> Self {
        Self { budget: budget.clone(), bytes: 0 }
    }

    /// What is shared.
    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// How much all may hold together.
    pub fn limit(&self) -> usize {
        self.budget.max
    }

    /// Refuses what cannot fit beside what others hold now, without holding anything for it: what is
    /// announced may never come.
    ///
    /// # Errors
    /// 429 when it cannot fit.
    pub fn expect(&self, bytes: usize) -> Result<(), Problem> {
        let used = self.budget.used.load(Ordering::Relaxed);
        if used.saturating_add(bytes) > self.budget.max { Err(self.budget.full()) } else { Ok(()) }
    }

    /// Holds at least so many bytes from now on.
    ///
    /// # Errors
    /// 429 when there is no room.
    pub fn at_least(&mut self, bytes: usize) -> Result<(), Problem> {
        if bytes <= self.bytes || self.take(bytes.saturating_add(STEP_BYTES)) || self.take(bytes) {
            return Ok(());
        }
        Err(self.budget.full())
    }

    fn take(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let max = self.budget.max;
        let fits = |used: usize| used.checked_add(more).filter(|sum| *sum <= max);
        if self.budget.used.try_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_err() {
            return false;
        }
        self.bytes += more;
        gauge!(metric::HTTP_IN_FLIGHT_BYTES).increment(more as f64);
        true
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
        gauge!(metric::HTTP_IN_FLIGHT_BYTES).decrement(self.bytes as f64);
    }
}
