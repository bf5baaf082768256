//! The circuit breaker: after some failures in a row nobody is asked for a while, so that an absent service
//! costs microseconds and not deadlines. When the while is over, one attempt shows how things are.
//!
//! The while is drawn evenly from nothing to a bound that doubles with each failure ("full jitter", M. Brooker,
//! "Exponential Backoff And Jitter"), so that many collectors do not come back together.

use std::time::{Duration, Instant};

/// When to stop asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerConfig {
    /// Failures in a row after which nobody is asked.
    pub failures_max: u32,
    /// Bound of the first pause; it doubles with each failure.
    pub pause_min: Duration,
    /// The bound's bound.
    pub pause_max: Duration,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self { failures_max: 3, pause_min: Duration::from_millis(200), pause_max: Duration::from_secs(10) }
    }
}

#[derive(Debug)]
pub(super) struct Breaker {
    config: BreakerConfig,
    /// In a row.
    failures: u32,
    /// Until when nobody is asked, and why.
    open: Option<(Instant, String)>,
}

impl Breaker {
    pub(super) fn new(config: BreakerConfig) -> Self {
        Self { config, failures: 0, open: None }
    }

    /// Whether the service may be asked; else why not.
    pub(super) fn admit(&self, now: Instant) -> Result<(), String> {
        match &self.open {
            Some((until, reason)) if now < *until => Err(reason.clone()),
            _ => Ok(()),
        }
    }

    pub(super) fn pause(&self, now: Instant) -> Duration {
        self.open.as_ref().map_or(Duration::ZERO, |(until, _)| until.saturating_duration_since(now))
    }

    pub(super) fn succeeded(&mut self) {
        (self.failures, self.open) = (0, None);
    }

    /// `draw` is any of all numbers, evenly.
    pub(super) fn failed(&mut self, now: Instant, reason: &str, draw: u64) {
        self.failures = self.failures.saturating_add(1);
        let Some(beyond) = self.failures.checked_sub(self.config.failures_max) else { return };
        let bound = self.config.pause_min.saturating_mul(1 << beyond.min(20)).min(self.config.pause_max);
        let pause = bound.mul_f64(draw as f64 / u64::MAX as f64);
        self.open = Some((now + pause, reason.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn it_opens_after_failures_in_a_row_tries_once_and_closes() {
        let config = BreakerConfig { failures_max: 2, pause_min: 100 * MS, pause_max: 350 * MS };
        let mut breaker = Breaker::new(config);
        let start = Instant::now();
        breaker.failed(start, "first", u64::MAX);
        breaker.succeeded();
        breaker.failed(start, "second", u64::MAX);
        assert_eq!(breaker.admit(start), Ok(()), "two, but not in a row");
        // Each failure of the one attempt doubles the pause, up to the bound.
        let mut now = start;
        for expected in [100, 200, 350, 350] {
            breaker.failed(now, "away", u64::MAX);
            assert_eq!(breaker.pause(now), expected * MS);
            assert_eq!(breaker.admit(now + (expected - 1) * MS), Err("away".to_owned()));
            now += expected * MS;
            assert_eq!(breaker.admit(now), Ok(()));
        }
        breaker.succeeded();
        assert_eq!((breaker.admit(start), breaker.pause(start)), (Ok(()), Duration::ZERO));
    }

    #[test]
    fn the_pause_is_drawn_from_all_of_its_range() {
        for (draw, expected) in [(0, 0), (u64::MAX / 2, 50), (u64::MAX, 100)] {
            let mut breaker =
                Breaker::new(BreakerConfig { failures_max: 1, pause_min: 100 * MS, pause_max: 100 * MS });
            let now = Instant::now();
            breaker.failed(now, "away", draw);
            assert_eq!(breaker.pause(now).as_millis(), expected);
        }
    }
}
