//! The circuit breaker: after some failures in a row nobody is asked for a while, so that an absent service costs
//! microseconds and not deadlines.

use std::time::{Duration, Instant};

use crate::Backoff;

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

/// Closed while requests go through; open once failures followed one another. When the pause of an open one is
/// over, an attempt shows how things are: it closes the breaker, or begins a longer pause.
#[derive(Debug)]
pub struct Breaker {
    failures_max: u32,
    /// In a row.
    failures: u32,
    backoff: Backoff,
    /// When the next attempt may be made, while open.
    probe_at: Option<Instant>,
}

impl Breaker {
    /// A closed one.
    pub fn new(config: &BreakerConfig) -> Self {
        let backoff = Backoff::new(config.pause_min, config.pause_max);
        Self { failures_max: config.failures_max.max(1), failures: 0, backoff, probe_at: None }
    }

    /// Whether requests go through.
    pub fn is_closed(&self) -> bool {
        self.probe_at.is_none()
    }

    /// Whether it is closed, or may be tried now.
    pub fn admits(&self, now: Instant) -> bool {
        self.probe_at.is_none_or(|at| at <= now)
    }

    /// How long until it may be tried; None when closed.
    pub fn probe_in(&self, now: Instant) -> Option<Duration> {
        self.probe_at.map(|at| at.saturating_duration_since(now))
    }

    /// Whether the caller is to try it now. Nobody else is told so for `lease`, which outlives an attempt that
    /// is given up half-way.
    pub fn take_probe(&mut self, now: Instant, lease: Duration) -> bool {
        match self.probe_at {
            Some(at) if at <= now => {
                self.probe_at = Some(now + lease);
                true
            }
            _ => false,
        }
    }

    /// An attempt that asked for little came through: it closes on half trust, and the next failure opens it
    /// again.
    pub fn probed(&mut self) {
        if self.probe_at.take().is_some() {
            self.failures = self.failures_max - 1;
        }
    }

    /// A request came through.
    pub fn succeeded(&mut self) {
        self.failures = 0;
        self.probe_at = None;
        self.backoff.reset();
    }

    /// A request or an attempt did not; true when this opened it.
    pub fn failed(&mut self, now: Instant) -> bool {
        self.failures = self.failures.saturating_add(1);
        if self.failures < self.failures_max {
            return false;
        }
        let was_closed = self.is_closed();
        self.probe_at = Some(now + self.backoff.pause());
        was_closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const LEASE: Duration = Duration::from_secs(5);

    fn breaker() -> (Breaker, Instant) {
        let config = BreakerConfig { failures_max: 3, pause_min: 100 * MS, pause_max: 350 * MS };
        (Breaker::new(&config), Instant::now())
    }

    /// An open one, and when it may be tried.
    fn open() -> (Breaker, Instant) {
        let (mut breaker, now) = breaker();
        assert!(!breaker.failed(now) && !breaker.failed(now) && breaker.failed(now));
        let later = now + breaker.probe_in(now).unwrap();
        (breaker, later)
    }

    #[test]
    fn only_failures_in_a_row_open_it() {
        let (mut breaker, now) = breaker();
        for _ in 0..5 {
            assert!(!breaker.failed(now) && !breaker.failed(now));
            breaker.succeeded();
        }
        assert!(breaker.is_closed() && breaker.admits(now));
        let (mut breaker, later) = open();
        assert!(!breaker.is_closed());
        assert!(!breaker.failed(later), "it was open already");
    }

    #[test]
    fn each_failure_of_an_attempt_doubles_the_bound_of_the_pause() {
        let (mut breaker, mut now) = breaker();
        assert!(!breaker.failed(now) && !breaker.failed(now));
        for bound in [100, 200, 350, 350] {
            assert_eq!(breaker.backoff.bound(), bound * MS);
            breaker.failed(now);
            let pause = breaker.probe_in(now).unwrap();
            assert!(pause <= bound * MS, "{pause:?}");
            assert!(pause == Duration::ZERO || !breaker.admits(now + pause - pause / 2));
            now += pause;
            assert!(breaker.admits(now));
        }
        breaker.succeeded();
        assert_eq!((breaker.probe_in(now), breaker.backoff.bound()), (None, 100 * MS));
    }

    #[test]
    fn one_attempt_at_a_time_once_the_pause_is_over() {
        let (mut closed, now) = breaker();
        assert!(!closed.take_probe(now, LEASE), "closed: nothing need be tried");
        let (mut breaker, later) = open();
        assert!(breaker.take_probe(later, LEASE));
        assert!(!breaker.take_probe(later, LEASE) && !breaker.admits(later), "another one is at it");
        assert!(breaker.take_probe(later + LEASE, LEASE), "that one was given up");
    }

    #[test]
    fn an_attempt_restores_half_trust_and_a_request_all_of_it() {
        let (mut breaker, now) = open();
        breaker.probed();
        assert!(breaker.is_closed());
        assert!(breaker.failed(now), "the next failure opens it again");
        breaker.probed();
        breaker.succeeded();
        assert!(!breaker.failed(now) && !breaker.failed(now) && breaker.is_closed());
    }
}
