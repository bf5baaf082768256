//! From counters to rates.

use std::time::Duration;

/// How much a counter grew in a second; None when it went back (a device that came anew, a wrap), or no time passed.
pub(crate) fn per_second(before: u64, now: u64, elapsed: Duration) -> Option<f64> {
    let grown = now.checked_sub(before)?;
    let seconds = elapsed.as_secs_f64();
    (seconds > 0.0).then(|| grown as f64 / seconds)
}

/// A share of a whole in percent; None of nothing.
pub(crate) fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 100.0).min(100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_that_went_back_has_no_rate() {
        let second = Duration::from_secs(2);
        assert_eq!(per_second(10, 30, second), Some(10.0));
        assert_eq!(per_second(30, 10, second), None);
        assert_eq!(per_second(10, 30, Duration::ZERO), None);
        assert_eq!(percent(0, 0), None);
    }
}
