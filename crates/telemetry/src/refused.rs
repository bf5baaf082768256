//! Whole requests that are refused because of load: counted each, and said in the log from time to time.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use metrics::counter;

use crate::metric;

/// How often the log says of a limit that requests meet it.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// Counts a request that met this limit, and says so in the log: the first time, and once a minute while it goes on.
pub fn refused(limit: &'static str) {
    static TOLD: Mutex<BTreeMap<&str, Told>> = Mutex::new(BTreeMap::new());
    counter!(metric::ADMISSION_REFUSED, "limit" => limit).increment(1);
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    let due = told.entry(limit).or_default().count(Instant::now());
    drop(told);
    if let Some(requests) = due {
        tracing::warn!(
            limit,
            requests,
            "requests are refused because a limit is reached; their senders are told to come again. docs/operations.md \
             says of each limit what to do"
        );
    }
}

#[derive(Debug, Default)]
struct Told {
    at: Option<Instant>,
    untold: u64,
}

impl Told {
    /// One more; how many there were since the last time when it is time to say so again.
    fn count(&mut self, now: Instant) -> Option<u64> {
        self.untold += 1;
        if self.at.is_some_and(|at| now.saturating_duration_since(at) < TOLD_EVERY) {
            return None;
        }
        self.at = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_and_then_a_sum_a_minute() {
        let (start, mut told) = (Instant::now(), Told::default());
        let at = |seconds| start + Duration::from_secs(seconds);
        let said: Vec<_> = [0, 1, 59, 60, 61, 200].map(|seconds| told.count(at(seconds))).to_vec();
        assert_eq!(said, [Some(1), None, None, Some(3), None, Some(2)]);
    }
}
