//! How much one question may take.

use std::{
    sync::atomic::{AtomicU8, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use crate::failure::Failure;

/// What one question may take. Each bound ends it by name.
#[derive(Debug, Clone)]
pub struct Budget {
    /// Steps of the virtual machine, in thousands of which it is counted.
    pub steps: u64,
    /// Time that it runs.
    pub time: Duration,
    /// Bytes by which the process may grow meanwhile through the run itself; four times as many end it whoever makes the process grow. Where
    /// the system does not say how large it is, this bound is not held.
    pub memory_bytes: u64,
    /// Rows of the answer; what is past it is cut, and the answer says so.
    pub rows: usize,
    /// Bytes of the answer; likewise.
    pub answer_bytes: usize,
    /// Rows that are taken in for it, over all tables.
    pub rows_read: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            steps: 200_000_000,
            time: Duration::from_secs(5),
            memory_bytes: 256 << 20,
            rows: 10_000,
            answer_bytes: 16 << 20,
            rows_read: 1_000_000,
        }
    }
}

/// Steps between two looks at what was taken. One step works on at most one value, and those are bounded.
pub(crate) const STEPS_PER_LOOK: u16 = 100;
/// Asking the system for the size of the process costs more than a hundred steps do.
const MEMORY_LOOK: Duration = Duration::from_micros(200);

/// Measures a run, beside it.
#[derive(Debug)]
pub(crate) struct Meter {
    budget: Budget,
    began: Instant,
    resident: Option<u64>,
    touched: Option<u64>,
    looks: AtomicU64,
    /// When memory was looked at last, in microseconds since the beginning.
    looked_us: AtomicU64,
    over: AtomicU8,
}

const STEPS: u8 = 1;
const TIME: u8 = 2;
const MEMORY: u8 = 3;

impl Meter {
    pub(crate) fn start(budget: Budget) -> Self {
        Self {
            budget,
            began: Instant::now(),
            resident: resident_bytes(),
            touched: touched_bytes(),
            looks: AtomicU64::new(0),
            looked_us: AtomicU64::new(0),
            over: AtomicU8::new(0),
        }
    }

    /// Whether the run must end.
    pub(crate) fn look(&self) -> bool {
        let looks = self.looks.fetch_add(1, Ordering::Relaxed) + 1;
        let passed = self.began.elapsed();
        let over = if looks.saturating_mul(STEPS_PER_LOOK.into()) > self.budget.steps {
            STEPS
        } else if passed > self.budget.time {
            TIME
        } else if self.grew_too_much(passed) {
            MEMORY
        } else {
            return false;
        };
        self.over.store(over, Ordering::Relaxed);
        true
    }

    fn grew_too_much(&self, passed: Duration) -> bool {
        let now = u64::try_from(passed.as_micros()).unwrap_or(u64::MAX);
        if now.saturating_sub(self.looked_us.load(Ordering::Relaxed)) < MEMORY_LOOK.as_micros() as u64 {
            return false;
        }
        self.looked_us.store(now, Ordering::Relaxed);
        let grew = |before: Option<u64>, now: Option<u64>| {
            before.zip(now).map(|(before, now)| now.saturating_sub(before))
        };
        let bound = self.budget.memory_bytes;
        let Some(process) = grew(self.resident, resident_bytes()).filter(|grew| *grew > bound) else {
            return false;
        };
        // The others of a busy process are not to be held against it. Half of the bound is taken for all of it, since memory that was free
        // in the process is not touched anew; large pages are counted as small ones, so that much growth ends it in any case.
        let own = grew(self.touched, touched_bytes()).unwrap_or(u64::MAX);
        own > bound / 2 || process > bound.saturating_mul(4)
    }

    /// Why it ended, where it ended over a bound.
    pub(crate) fn failure(&self) -> Option<Failure> {
        match self.over.load(Ordering::Relaxed) {
            STEPS => Some(Failure::Steps(self.budget.steps)),
            TIME => Some(Failure::Time(self.budget.time)),
            MEMORY => Some(Failure::Memory(self.budget.memory_bytes)),
            _ => None,
        }
    }

    pub(crate) fn steps(&self) -> u64 {
        self.looks.load(Ordering::Relaxed).saturating_mul(STEPS_PER_LOOK.into())
    }

    pub(crate) fn took(&self) -> Duration {
        self.began.elapsed()
    }
}

/// Memory that this thread has touched for the first time since it began: its minor page faults, the tenth number of `/proc/thread-self/stat`
/// (proc_pid_stat(5)), each for a page of the smallest size. A run stays on one thread.
fn touched_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/stat").ok()?;
    // The name stands in brackets and may hold anything.
    let (_, behind) = text.rsplit_once(')')?;
    let faults: u64 = behind.split_ascii_whitespace().nth(7)?.parse().ok()?;
    faults.checked_mul(4096)
}

/// Memory that the process has resident: the second number of `/proc/self/statm`, in pages, of which the kernel says no size there; the
/// smallest one in use is taken, so that larger pages are held to less.
fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(4096)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn growth_of_others_is_not_held_against_a_run_and_its_own_is() {
        let budget =
            Budget { memory_bytes: 32 * MIB as u64, time: Duration::from_secs(3_600), ..Budget::default() };
        let meter = Meter::start(budget);
        let other = std::thread::Builder::new().name("other".to_owned());
        let other = other.spawn(|| vec![1_u8; 64 * MIB]).unwrap().join().unwrap();
        meter.looked_us.store(0, Ordering::Relaxed);
        assert!(!meter.grew_too_much(MEMORY_LOOK), "another's {}", other.len());
        let own = vec![1_u8; 80 * MIB];
        meter.looked_us.store(0, Ordering::Relaxed);
        assert!(meter.grew_too_much(MEMORY_LOOK), "its own {}", own.len());
    }
}
