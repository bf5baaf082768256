//! How large bulks are and how many are under way: grown while the cluster takes more without
//! getting slower, cut when it does not (additive increase, multiplicative decrease: D.-M. Chiu and
//! R. Jain, "Analysis of the Increase and Decrease Algorithms for Congestion Avoidance", 1989).

use std::time::Duration;

use tokio::time::Instant;

const BULK_BYTES_MIN: usize = 64 << 10;
/// Every bulk costs the server an fsync, so small ones are no caution.
const BULK_BYTES_START: usize = 4 << 20;
/// A full bulk without trouble adds so much.
const BULK_BYTES_STEP: usize = 256 << 10;
const CONCURRENCY_START: usize = 2;
/// So many bulks for each one under way, all without trouble, add one.
const GROW_AFTER: usize = 8;
/// Time for a document within this factor of the quickest is flat.
const FLAT: f64 = 2.0;
/// Beyond this one it has risen.
const RISEN: f64 = 4.0;
/// A bulk that takes less is no sign of trouble, whatever others took: one lucky bulk, or a merge on
/// the server, must not slow everything down.
const BULK_FAST: Duration = Duration::from_secs(2);
/// Fewer leave the server idle between a bulk and the next, which mends no slowness.
const CONCURRENCY_SLOW: usize = 2;
/// Weight of the newest bulk in the mean.
const NEWEST: f64 = 0.2;
/// How fast the quickest is forgotten, a bulk.
const FORGET: f64 = 1.01;

#[derive(Debug)]
pub(super) struct Pace {
    bulk_bytes: usize,
    bulk_bytes_max: usize,
    concurrency: usize,
    concurrency_max: usize,
    /// Mean time for a document in seconds, and the least of late.
    mean_s: Option<f64>,
    quickest_s: f64,
    /// Bulks without trouble since concurrency grew.
    calm: usize,
    /// No further cut for what was sent before this.
    cut_at: Option<Instant>,
}

impl Pace {
    pub(super) fn new(bulk_bytes_max: usize, concurrency_max: usize) -> Self {
        let (bulk_bytes_max, concurrency_max) = (bulk_bytes_max.max(1), concurrency_max.max(1));
        Self {
            bulk_bytes: BULK_BYTES_START.min(bulk_bytes_max),
            bulk_bytes_max,
            concurrency: CONCURRENCY_START.min(concurrency_max),
            concurrency_max,
            mean_s: None,
            quickest_s: f64::INFINITY,
            calm: 0,
            cut_at: None,
        }
    }

    /// Bytes that a bulk is filled up to.
    pub(super) fn bulk_bytes(&self) -> usize {
        self.bulk_bytes
    }

    /// Bulks that may be under way.
    pub(super) fn concurrency(&self) -> usize {
        self.concurrency
    }

    /// Mean time for a document.
    pub(super) fn document_latency(&self) -> Duration {
        Duration::from_secs_f64(self.mean_s.unwrap_or_default())
    }

    /// A bulk was answered without a word of overload.
    pub(super) fn answered(&mut self, sent_at: Instant, now: Instant, documents: usize, bytes: usize) {
        // What a small bulk takes is mostly the way there and back.
        if documents == 0 || bytes < self.bulk_bytes / 2 {
            return;
        }
        let took = now.duration_since(sent_at);
        let each_s = took.as_secs_f64() / documents as f64;
        let mean = self.mean_s.map_or(each_s, |mean| mean + NEWEST * (each_s - mean));
        self.mean_s = Some(mean);
        self.quickest_s = (self.quickest_s * FORGET).min(each_s);
        if mean > RISEN * self.quickest_s && took > BULK_FAST {
            let concurrency = self.concurrency;
            self.cut(sent_at, now);
            self.concurrency = self.concurrency.max(CONCURRENCY_SLOW.min(concurrency));
        } else if mean <= FLAT * self.quickest_s {
            self.grow();
        }
    }

    fn grow(&mut self) {
        self.bulk_bytes = (self.bulk_bytes + BULK_BYTES_STEP).min(self.bulk_bytes_max);
        self.calm += 1;
        if self.calm >= GROW_AFTER * self.concurrency {
            self.calm = 0;
            self.concurrency = (self.concurrency + 1).min(self.concurrency_max);
        }
    }

    /// The cluster said that it is overloaded, did not answer in time, or has become slow. One cut
    /// answers for all bulks that were under way then.
    pub(super) fn cut(&mut self, sent_at: Instant, now: Instant) {
        if self.cut_at.is_some_and(|cut| sent_at < cut) {
            return;
        }
        self.cut_at = Some(now);
        self.calm = 0;
        self.bulk_bytes = (self.bulk_bytes / 2).max(BULK_BYTES_MIN.min(self.bulk_bytes_max));
        self.concurrency = (self.concurrency / 2).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    /// Sends full bulks one after another; `ms` is the time for one document of 1 KiB.
    fn send(pace: &mut Pace, now: &mut Instant, bulks: usize, ms: f64) {
        for _ in 0..bulks {
            let bytes = pace.bulk_bytes();
            let sent_at = *now;
            *now += Duration::from_secs_f64(ms / 1000.0 * (bytes / 1024) as f64);
            pace.answered(sent_at, *now, bytes / 1024, bytes);
        }
    }

    #[test]
    fn it_grows_to_its_bounds_while_latency_is_flat() {
        let (mut pace, mut now) = (Pace::new(8 * MIB, 4), Instant::now());
        assert_eq!((pace.bulk_bytes(), pace.concurrency()), (4 * MIB, 2));
        send(&mut pace, &mut now, 4, 0.1);
        assert_eq!(pace.bulk_bytes(), 5 * MIB, "a quarter each");
        send(&mut pace, &mut now, 200, 0.1);
        assert_eq!((pace.bulk_bytes(), pace.concurrency()), (8 * MIB, 4));
    }

    #[test]
    fn it_stands_still_while_latency_is_higher_and_is_cut_when_it_has_risen() {
        let (mut pace, mut now) = (Pace::new(64 * MIB, 8), Instant::now());
        send(&mut pace, &mut now, 20, 0.1);
        let before = pace.bulk_bytes();
        send(&mut pace, &mut now, 30, 0.3);
        let still = pace.bulk_bytes();
        assert!(still >= before && still < before + 10 * BULK_BYTES_STEP, "{before} {still}");
        send(&mut pace, &mut now, 12, 2.0);
        assert!(pace.bulk_bytes() < still / 2, "{still} {}", pace.bulk_bytes());
    }

    #[test]
    fn one_cut_answers_for_all_that_was_under_way() {
        let (mut pace, now) = (Pace::new(8 * MIB, 8), Instant::now());
        let later = now + Duration::from_secs(1);
        pace.cut(now, later);
        pace.cut(now, later);
        assert_eq!((pace.bulk_bytes(), pace.concurrency()), (2 * MIB, 1));
        for _ in 0..20 {
            pace.cut(later, later);
        }
        assert_eq!((pace.bulk_bytes(), pace.concurrency()), (BULK_BYTES_MIN, 1), "never below");
    }

    #[test]
    fn small_bulks_teach_nothing() {
        let (mut pace, now) = (Pace::new(8 * MIB, 8), Instant::now());
        for _ in 0..100 {
            pace.answered(now, now + Duration::from_millis(1), 1, 300);
        }
        assert_eq!((pace.bulk_bytes(), pace.concurrency()), (4 * MIB, 2));
    }

    #[test]
    fn bounds_below_the_start_hold() {
        let pace = Pace::new(1000, 1);
        assert_eq!((pace.bulk_bytes(), pace.concurrency()), (1000, 1));
    }
}
