//! The circuit breaker of a node: it says whether requests go there.

use std::time::Duration;

use tokio::time::Instant;

use super::backoff::Backoff;

/// Consecutive faults that take a node out.
const FAULTS_MAX: u32 = 3;

/// Closed while requests go through; open once faults followed one another. An open one lets a
/// probe pass from time to time, and closes on half trust: the next fault opens it again.
#[derive(Debug)]
pub(super) struct Breaker {
    faults: u32,
    backoff: Backoff,
    /// When the next probe may pass, while open.
    probe_at: Option<Instant>,
}

impl Breaker {
    pub(super) fn new(first: Duration, max: Duration) -> Self {
        Self { faults: 0, backoff: Backoff::new(first, max), probe_at: None }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.probe_at.is_none()
    }

    /// How long until a probe may pass; None when closed.
    pub(super) fn probe_in(&self, now: Instant) -> Option<Duration> {
        self.probe_at.map(|at| at.saturating_duration_since(now))
    }

    /// Whether the caller is to probe now. Nobody else is told so for `lease`, which outlives a
    /// probe that is given up half-way.
    pub(super) fn take_probe(&mut self, now: Instant, lease: Duration) -> bool {
        match self.probe_at {
            Some(at) if at <= now => {
                self.probe_at = Some(now + lease);
                true
            }
            _ => false,
        }
    }

    /// A probe came through.
    pub(super) fn probed(&mut self) {
        if self.probe_at.take().is_some() {
            self.faults = FAULTS_MAX - 1;
        }
    }

    /// A request came through.
    pub(super) fn success(&mut self) {
        self.faults = 0;
        self.probe_at = None;
        self.backoff.reset();
    }

    /// A request or probe did not; true when this took the node out.
    pub(super) fn fault(&mut self, now: Instant) -> bool {
        self.faults = self.faults.saturating_add(1);
        if self.faults < FAULTS_MAX {
            return false;
        }
        let was_closed = self.is_closed();
        self.probe_at = Some(now + self.backoff.wait());
        was_closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(5);

    fn breaker() -> (Breaker, Instant) {
        (Breaker::new(Duration::from_millis(100), Duration::from_secs(10)), Instant::now())
    }

    #[test]
    fn only_consecutive_faults_open_it() {
        let (mut breaker, now) = breaker();
        for _ in 0..5 {
            assert!(!breaker.fault(now) && !breaker.fault(now));
            breaker.success();
        }
        assert!(breaker.is_closed());
        assert!(!breaker.fault(now) && !breaker.fault(now) && breaker.fault(now));
        assert!(!breaker.is_closed());
        assert!(!breaker.fault(now), "it was open already");
    }

    #[test]
    fn one_probe_at_a_time_passes_once_the_wait_is_over() {
        let (mut breaker, now) = breaker();
        assert!(!breaker.take_probe(now, LEASE), "closed: no probe is needed");
        for _ in 0..3 {
            breaker.fault(now);
        }
        let later = now + breaker.probe_in(now).unwrap();
        assert!(breaker.take_probe(later, LEASE));
        assert!(!breaker.take_probe(later, LEASE), "another one is at it");
        assert!(breaker.take_probe(later + LEASE, LEASE), "that one was given up");
    }

    #[test]
    fn a_probe_restores_half_trust_and_a_request_all_of_it() {
        let (mut breaker, now) = breaker();
        for _ in 0..3 {
            breaker.fault(now);
        }
        breaker.probed();
        assert!(breaker.is_closed());
        assert!(breaker.fault(now), "the next fault opens it again");
        breaker.probed();
        breaker.success();
        assert!(!breaker.fault(now) && !breaker.fault(now) && breaker.is_closed());
    }
}
