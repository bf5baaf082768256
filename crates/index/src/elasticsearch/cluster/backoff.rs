//! How long to wait before the next attempt: exponential with full jitter, as in
//! M. Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).

use std::time::Duration;

/// The bound doubles with each attempt, up to a maximum; the wait is uniform below it.
#[derive(Debug, Clone)]
pub(in crate::elasticsearch) struct Backoff {
    first: Duration,
    max: Duration,
    attempt: u32,
}

impl Backoff {
    pub(in crate::elasticsearch) fn new(first: Duration, max: Duration) -> Self {
        Self { first, max, attempt: 0 }
    }

    /// The wait before the next attempt.
    pub(in crate::elasticsearch) fn wait(&mut self) -> Duration {
        let bound = self.bound();
        self.attempt = self.attempt.saturating_add(1);
        bound.mul_f64(rand::random::<f64>())
    }

    /// The longest that the next wait can be.
    fn bound(&self) -> Duration {
        self.first.saturating_mul(1_u32.checked_shl(self.attempt).unwrap_or(u32::MAX)).min(self.max)
    }

    /// After a success the next wait is a short one again.
    pub(in crate::elasticsearch) fn reset(&mut self) {
        self.attempt = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_below_their_bound_and_start_anew() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        for bound_ms in [100, 200, 400, 800, 1000, 1000] {
            assert_eq!(backoff.bound(), Duration::from_millis(bound_ms));
            assert!(backoff.wait() <= Duration::from_millis(bound_ms));
        }
        backoff.attempt = u32::MAX;
        assert_eq!(backoff.bound(), Duration::from_secs(1), "no overflow");
        backoff.reset();
        assert_eq!(backoff.bound(), Duration::from_millis(100));
    }
}
