//! How long to wait before the next attempt.

use std::time::Duration;

/// Pauses between attempts.
///
/// ```
/// # use std::time::Duration;
/// let mut backoff = retry::Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
/// assert!(backoff.pause() <= Duration::from_millis(100));
/// assert!(backoff.pause() <= Duration::from_millis(200));
/// backoff.reset();
/// assert!(backoff.is_fresh());
/// ```
#[derive(Debug, Clone)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    /// The bound of a pause is `min` at first, and never more than `max`.
    pub fn new(min: Duration, max: Duration) -> Self {
        Self { min, max, failures: 0 }
    }

    /// The pause after another failure.
    pub fn pause(&mut self) -> Duration {
        let bound = self.bound();
        self.failures = self.failures.saturating_add(1);
        // Without randomness the longest pause is the safest.
        let draw = getrandom::u64().unwrap_or(u64::MAX);
        bound.mul_f64(draw as f64 / u64::MAX as f64)
    }

    /// The longest that the next pause can be.
    pub fn bound(&self) -> Duration {
        self.min.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX)).min(self.max)
    }

    /// Whether nothing failed since it was made or reset.
    pub fn is_fresh(&self) -> bool {
        self.failures == 0
    }

    /// After a success the next pause is a short one again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_below_their_bound_and_start_anew() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        for bound_ms in [100, 200, 400, 800, 1000, 1000] {
            assert_eq!(backoff.bound(), Duration::from_millis(bound_ms));
            assert!(backoff.pause() <= Duration::from_millis(bound_ms));
        }
        backoff.failures = u32::MAX;
        assert_eq!(backoff.bound(), Duration::from_secs(1), "no overflow");
        assert!(backoff.pause() <= Duration::from_secs(1));
        backoff.reset();
        assert_eq!((backoff.bound(), backoff.is_fresh()), (Duration::from_millis(100), true));
    }

    #[test]
    fn pauses_are_drawn_from_all_of_their_range() {
        let mut quarters = [0; 4];
        for _ in 0..400 {
            let pause = Backoff::new(Duration::from_secs(4), Duration::from_secs(4)).pause();
            quarters[(pause.as_secs() as usize).min(3)] += 1;
        }
        // Of 400 evenly drawn, fewer than 40 in one quarter happens once in 10¹³ times.
        assert!(quarters.iter().all(|drawn| *drawn >= 40), "{quarters:?}");
    }
}
