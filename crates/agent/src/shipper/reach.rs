//! What is said of a collector, once, and how long is waited after it did not take something.

use std::time::Duration;

use retry::Backoff;
use telemetry::health::Component;
use tracing::{info, warn};

/// A server may ask for a longer pause, but not for a longer one than this.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(600);

/// Whether a collector takes something.
pub(crate) struct Reach {
    health: Component,
    what: &'static str,
    backoff: Backoff,
    is_told: bool,
}

impl Reach {
    pub(crate) fn new(health: Component, what: &'static str, backoff: Backoff) -> Self {
        Self { health, what, backoff, is_told: false }
    }

    pub(super) fn works(&mut self) {
        if std::mem::take(&mut self.is_told) {
            info!(what = self.what, "the collector takes them again");
        }
        self.backoff.reset();
        self.health.ok();
    }

    /// How long to wait.
    pub(super) fn fails(&mut self, reason: &str, after: Option<Duration>) -> Duration {
        if !std::mem::replace(&mut self.is_told, true) {
            warn!(what = self.what, reason, "the collector does not take them; they are kept and sent later");
        }
        self.health.degraded(format!("the collector does not take {}: {reason}", self.what));
        self.backoff.pause().max(after.unwrap_or_default().min(RETRY_AFTER_MAX))
    }
}
