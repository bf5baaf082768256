//! How long sessions of a kind may be silent before they have ended, in event time.

use disk::sealed::{Reader, SealedError, Writer};

const SECOND: i64 = 1_000_000_000;
/// Until something is known.
const FIRST: i64 = 600 * SECOND;
/// Bounds of the answer.
const BOUNDS: (i64, i64) = (30 * SECOND, 6 * 3_600 * SECOND);
/// Sessions from which something is known.
const KNOWN: u32 = 20;
/// Longest gaps of this share of the sessions, so many times, are no end.
const SHARE: f64 = 0.98;
const TIMES: i64 = 4;
/// Sessions after which the older half counts half.
const FADES_AT: u32 = 4_096;
const STEPS: usize = 48;

/// The longest gaps of sessions, counted by the logarithm of their milliseconds.
#[derive(Debug, Clone)]
pub(super) struct Idle {
    counts: [u32; STEPS],
    total: u32,
}

impl Default for Idle {
    fn default() -> Self {
        Self { counts: [0; STEPS], total: 0 }
    }
}

impl Idle {
    /// Takes in the longest gap of a session, nanoseconds.
    pub(super) fn learn(&mut self, gap: i64) {
        let step = (gap.max(0) as u64 / 1_000_000 + 1).ilog2() as usize;
        self.counts[step.min(STEPS - 1)] += 1;
        self.total += 1;
        if self.total >= FADES_AT {
            self.counts.iter_mut().for_each(|count| *count /= 2);
            self.total = self.counts.iter().sum();
        }
    }

    /// What a session may be silent for, without the lower bound: past it nothing more is to be expected.
    pub(super) fn usual(&self) -> i64 {
        if self.total < KNOWN {
            return FIRST;
        }
        let mut below = 0;
        let enough = |count: &u32| {
            below += count;
            f64::from(below) >= SHARE * f64::from(self.total)
        };
        let step = self.counts.iter().position(enough).unwrap_or(STEPS - 1);
        (TIMES * 1_000_000).saturating_mul(2_i64.saturating_pow(step as u32 + 1))
    }

    /// Nanoseconds after which a silent session has ended.
    pub(super) fn limit(&self) -> i64 {
        self.usual().clamp(BOUNDS.0, BOUNDS.1)
    }

    pub(super) fn write(&self, out: &mut Writer) {
        self.counts.iter().for_each(|count| out.u32(*count));
    }

    pub(super) fn read(input: &mut Reader<'_>) -> Result<Self, SealedError> {
        let mut counts = [0_u32; STEPS];
        for count in &mut counts {
            *count = input.u32()?.min(FADES_AT);
        }
        Ok(Self { counts, total: counts.iter().sum() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_follows_the_gaps_and_is_bounded() {
        let mut idle = Idle::default();
        assert_eq!(idle.limit(), FIRST);
        (0..100).for_each(|_| idle.learn(1_000_000));
        assert_eq!(idle.limit(), BOUNDS.0);
        (0..10).for_each(|_| idle.learn(300 * SECOND));
        let limit = idle.limit();
        assert!((1_200 * SECOND..=2_400 * SECOND).contains(&limit), "{limit}");
        (0..FADES_AT).for_each(|_| idle.learn(i64::MAX));
        assert_eq!(idle.limit(), BOUNDS.1);
        (0..8 * FADES_AT).for_each(|_| idle.learn(SECOND));
        assert_eq!(idle.limit(), BOUNDS.0, "what was long ago fades");
    }
}
