//! What a question may cost, and whose turn it is.
//!
//! [`Limits`] travel with a question: until when it may be worked on, how much work it may be, whether
//! anybody still waits for it. Whoever works on it counts with a [`Meter`], which says when to end.
//!
//! Nobody knows beforehand what a question costs. So each starts at once, and one that has been worked
//! on for longer than the others need altogether leaves its place to them and goes on in [`Lanes`] that
//! few work in at a time, in turns, those first that had least: what is quick stays quick beside any number of slow ones.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use telemetry::{metric, task::Stop};
use tokio::sync::OwnedSemaphorePermit;

use crate::IndexError;

/// Work between two looks at the clock.
const CHECK_EVERY: u64 = 1024;
/// How often one who waits for a turn looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(20);

/// What a question may cost. Clones are of the same question.
#[derive(Debug, Clone)]
pub struct Limits(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    deadline: Option<Instant>,
    work_max: u64,
    work: AtomicU64,
    /// Nanoseconds that it was worked on.
    worked: AtomicU64,
    cancelled: Stop,
    place: Option<Place>,
}

impl Limits {
    /// None at all.
    pub fn none() -> Self {
        Self::of(None, u64::MAX, None)
    }

    /// An end in time, and how much work it may be: rows read and tests made on them.
    pub fn new(deadline: Instant, work_max: u64) -> Self {
        Self::of(Some(deadline), work_max, None)
    }

    /// The same for a question that works in lanes.
    pub fn in_lanes(deadline: Instant, work_max: u64, place: Place) -> Self {
        Self::of(Some(deadline), work_max, Some(place))
    }

    fn of(deadline: Option<Instant>, work_max: u64, place: Option<Place>) -> Self {
        let (work, worked) = (AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(Shared { deadline, work_max, work, worked, cancelled: Stop::new(), place }))
    }

    /// When its time is up.
    pub fn deadline(&self) -> Option<Instant> {
        self.0.deadline
    }

    /// How much of this duration is left to it.
    pub fn within(&self, most: Duration) -> Duration {
        let left = self.0.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        left.map_or(most, |left| left.min(most))
    }

    /// Nobody waits for the answer any more: whoever works on it ends soon.
    pub fn cancel(&self) {
        self.0.cancelled.cancel();
    }

    /// Completes once it is cancelled.
    pub async fn cancelled(&self) {
        self.0.cancelled.cancelled().await;
    }

    /// Cancels the question when it is dropped, unless it is disarmed before: hold it where the answer
    /// is waited for.
    #[must_use = "dropping it cancels the question"]
    pub fn cancel_on_drop(&self) -> CancelOnDrop {
        CancelOnDrop(Some(self.clone()))
    }

    /// Begins a piece of work.
    pub fn meter(&self) -> Meter<'_> {
        Meter { limits: self, pending: 0, since: Instant::now(), turn: None }
    }

    /// Whether it may go on.
    ///
    /// # Errors
    /// When it is cancelled or its time is up.
    pub fn check(&self) -> Result<(), IndexError> {
        if self.0.cancelled.is_cancelled() || self.0.place.as_ref().is_some_and(Place::is_stopped) {
            return Err(IndexError::Cancelled);
        }
        match self.0.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(IndexError::TimedOut),
            _ => Ok(()),
        }
    }
}

/// See [`Limits::cancel_on_drop`].
#[derive(Debug)]
pub struct CancelOnDrop(Option<Limits>);

impl CancelOnDrop {
    /// The answer is there.
    pub fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let Some(limits) = self.0.take() {
            limits.cancel();
        }
    }
}

/// Counts one thread's work on a question. It may wait for a turn, so it is asked where no lock is held.
#[derive(Debug)]
pub struct Meter<'l> {
    limits: &'l Limits,
    pending: u64,
    /// Since when work was not added to the question's.
    since: Instant,
    turn: Option<Turn<'l>>,
}

impl Meter<'_> {
    /// Adds work, and looks at the limits every so often.
    ///
    /// # Errors
    /// When the question must end: it costs too much, is late, or nobody waits for it.
    #[inline]
    pub fn spend(&mut self, work: u64) -> Result<(), IndexError> {
        self.pending = self.pending.saturating_add(work);
        if self.pending < CHECK_EVERY { Ok(()) } else { self.check() }
    }

    /// Looks at the limits now.
    ///
    /// # Errors
    /// As [`Meter::spend`].
    pub fn check(&mut self) -> Result<(), IndexError> {
        let shared = &self.limits.0;
        let pending = std::mem::take(&mut self.pending);
        let work = shared.work.fetch_add(pending, Ordering::Relaxed).saturating_add(pending);
        if work > shared.work_max {
            return Err(IndexError::QueryTooLarge {
                limit: format!("{} rows read and tests made on them", shared.work_max),
            });
        }
        self.limits.check()?;
        let Some(place) = &shared.place else { return Ok(()) };
        let worked = self.stretch();
        match &mut self.turn {
            None if worked < place.lanes.0.quick_time => {}
            None => {
                place.slow_down();
                self.turn = Some(place.turn(self.limits)?);
                self.since = Instant::now();
            }
            Some(turn) if turn.is_over(worked) => {
                place.slow_down();
                self.turn = None;
                self.turn = Some(place.turn(self.limits)?);
                self.since = Instant::now();
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Adds the time since the last look; gives all.
    fn stretch(&mut self) -> Duration {
        let now = Instant::now();
        let stretch = now.saturating_duration_since(self.since).as_nanos() as u64;
        self.since = now;
        let before = self.limits.0.worked.fetch_add(stretch, Ordering::Relaxed);
        Duration::from_nanos(before.saturating_add(stretch))
    }
}

impl Drop for Meter<'_> {
    fn drop(&mut self) {
        self.limits.0.work.fetch_add(self.pending, Ordering::Relaxed);
        self.stretch();
    }
}

/// How questions that take long share the machine with those that do not.
#[derive(Debug, Clone)]
pub struct LanesConfig {
    /// How long a question is worked on before it counts as slow.
    pub quick_time: Duration,
    /// Slow questions that leave the place in which they were admitted; further ones keep it.
    pub slow_max: usize,
    /// Slow questions worked on at the same time.
    pub slow_at_once: usize,
}

impl Default for LanesConfig {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { quick_time: Duration::from_millis(50), slow_max: 8, slow_at_once: (cores / 2).max(1) }
    }
}

/// The lanes of a process. Clones share them.
#[derive(Debug, Clone)]
pub struct Lanes(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    quick_time: Duration,
    slow_max: usize,
    slow_at_once: usize,
    stop: Stop,
    slow: Mutex<Slow>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Slow {
    members: usize,
    running: usize,
    /// Those that wait for a turn: the nanoseconds that each was worked on, and its number.
    queue: BTreeSet<(u64, u64)>,
    next: u64,
}

impl Lanes {
    /// Empty ones. Once `stop` is cancelled, slow questions end.
    pub fn new(config: &LanesConfig, stop: Stop) -> Self {
        Self(Arc::new(Inner {
            quick_time: config.quick_time,
            slow_max: config.slow_max.max(1),
            slow_at_once: config.slow_at_once.max(1),
            stop,
            slow: Mutex::default(),
            changed: Condvar::new(),
        }))
    }

    /// A question's place, which holds what admitted it for as long as it is quick.
    pub fn place(&self, admitted: OwnedSemaphorePermit) -> Place {
        Place {
            lanes: self.clone(),
            admitted: Mutex::new(Some(admitted)),
            is_slow: AtomicBool::new(false),
            is_member: AtomicBool::new(false),
        }
    }

    /// Slow questions there are at present.
    pub fn slow(&self) -> usize {
        self.lock().members
    }

    fn lock(&self) -> MutexGuard<'_, Slow> {
        self.0.slow.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question's place in the lanes.
#[derive(Debug)]
pub struct Place {
    lanes: Lanes,
    admitted: Mutex<Option<OwnedSemaphorePermit>>,
    is_slow: AtomicBool,
    /// Whether it is among the slow ones that left their place.
    is_member: AtomicBool,
}

impl Place {
    fn is_stopped(&self) -> bool {
        self.is_slow.load(Ordering::Relaxed) && self.lanes.0.stop.is_cancelled()
    }

    /// Leaves the place among the quick ones to another question, if there is room among the slow ones.
    fn slow_down(&self) {
        if !self.is_slow.swap(true, Ordering::Relaxed) {
            metrics::counter!(metric::SLOW_QUERIES).increment(1);
        }
        if self.is_member.load(Ordering::Relaxed) {
            return;
        }
        {
            let mut slow = self.lanes.lock();
            if slow.members >= self.lanes.0.slow_max {
                return;
            }
            slow.members += 1;
        }
        self.is_member.store(true, Ordering::Relaxed);
        drop(self.admitted.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Waits for a turn.
    fn turn(&self, limits: &Limits) -> Result<Turn<'_>, IndexError> {
        let worked = limits.0.worked.load(Ordering::Relaxed);
        let mut slow = self.lanes.lock();
        let ticket = (worked, slow.next);
        slow.next += 1;
        slow.queue.insert(ticket);
        loop {
            if slow.running < self.lanes.0.slow_at_once && slow.queue.first() == Some(&ticket) {
                slow.queue.remove(&ticket);
                slow.running += 1;
                break;
            }
            if let Err(error) = limits.check() {
                slow.queue.remove(&ticket);
                drop(slow);
                self.lanes.0.changed.notify_all();
                return Err(error);
            }
            let waited = self.lanes.0.changed.wait_timeout(slow, LOOK);
            slow = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(slow);
        // There may be room for the next one, too.
        self.lanes.0.changed.notify_all();
        Ok(Turn { lanes: &self.lanes, since: Instant::now() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_member.load(Ordering::Relaxed) {
            self.lanes.lock().members -= 1;
        }
    }
}

/// A turn among the slow questions.
#[derive(Debug)]
struct Turn<'l> {
    lanes: &'l Lanes,
    since: Instant,
}

impl Turn<'_> {
    /// Whether another one waits that had less, when this one was worked on for so long.
    fn is_over(&self, worked: Duration) -> bool {
        let least = || self.lanes.lock().queue.first().map(|(least, _)| Duration::from_nanos(*least));
        self.since.elapsed() >= self.lanes.0.quick_time && least().is_some_and(|least| least < worked)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.lanes.lock().running -= 1;
        self.lanes.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    fn lanes(slow_max: usize, stop: Stop) -> Lanes {
        Lanes::new(&LanesConfig { quick_time: Duration::ZERO, slow_max, slow_at_once: 1 }, stop)
    }

    fn question(lanes: &Lanes, gate: &Arc<Semaphore>) -> Limits {
        let admitted = Arc::clone(gate).try_acquire_owned().unwrap();
        Limits::in_lanes(Instant::now() + LONG, u64::MAX, lanes.place(admitted))
    }

    #[test]
    fn work_time_and_the_asker_end_a_question() {
        let limits = Limits::new(Instant::now() + LONG, 5000);
        let mut meter = limits.meter();
        meter.spend(4000).unwrap();
        assert!(matches!(meter.spend(2000), Err(IndexError::QueryTooLarge { .. })));
        let limits = Limits::new(Instant::now(), u64::MAX);
        assert!(matches!(limits.meter().spend(CHECK_EVERY), Err(IndexError::TimedOut)));
        let limits = Limits::none();
        limits.meter().spend(u64::MAX).unwrap();
        limits.cancel_on_drop().disarm();
        limits.check().unwrap();
        drop(limits.cancel_on_drop());
        assert!(matches!(limits.check(), Err(IndexError::Cancelled)));
    }

    #[test]
    fn small_pieces_of_work_add_up() {
        let limits = Limits::new(Instant::now() + LONG, 10_000);
        for _ in 0..100 {
            limits.meter().spend(100).unwrap();
        }
        assert!(matches!(limits.meter().spend(CHECK_EVERY), Err(IndexError::QueryTooLarge { .. })));
    }

    #[test]
    fn slow_questions_leave_their_place_while_there_is_room_and_work_one_at_a_time() {
        let (gate, lanes) = (Arc::new(Semaphore::new(1)), lanes(1, Stop::new()));
        let first = question(&lanes, &gate);
        assert_eq!(gate.available_permits(), 0);
        let mut meter = first.meter();
        meter.check().unwrap();
        assert_eq!((gate.available_permits(), lanes.slow()), (1, 1));
        let second = question(&lanes, &gate);
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| second.meter().check());
            // It waits until the first one gives its turn away, which has had more.
            while lanes.lock().queue.is_empty() {
                std::thread::yield_now();
            }
            assert_eq!(gate.available_permits(), 0);
            meter.check().unwrap();
            drop(meter);
            waits.join().unwrap().unwrap();
        });
        drop(first);
        second.meter().check().unwrap();
        assert_eq!((gate.available_permits(), lanes.slow()), (1, 1));
        drop(second);
        assert_eq!(lanes.slow(), 0);
    }

    #[test]
    fn who_waits_for_a_turn_ends_with_its_asker_and_with_the_program() {
        let stop = Stop::new();
        let (gate, lanes) = (Arc::new(Semaphore::new(3)), lanes(3, stop.clone()));
        let [first, second, third] = [(); 3].map(|()| question(&lanes, &gate));
        let mut meter = first.meter();
        meter.check().unwrap();
        std::thread::scope(|scope| {
            let (second, third) = (&second, &third);
            let cancelled = scope.spawn(|| second.meter().check());
            second.cancel();
            assert!(matches!(cancelled.join().unwrap(), Err(IndexError::Cancelled)));
            let stopped = scope.spawn(|| third.meter().check());
            stop.cancel();
            assert!(matches!(stopped.join().unwrap(), Err(IndexError::Cancelled)));
        });
        assert!(lanes.lock().queue.is_empty());
        assert!(matches!(meter.check(), Err(IndexError::Cancelled)));
    }
}
