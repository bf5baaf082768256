//! From strangeness to a p-value, by the training sessions themselves.

use disk::sealed::{Reader, SealedError, Writer};

/// More steps than any training gives.
const STEPS_MAX: usize = 1 << 24;
/// Beyond what training has seen, ten times the strangeness is a hundredth of the probability.
const TAIL_POWER: i32 = -2;

/// Strangeness of the normal training sessions, each judged by the others.
#[derive(Debug, Clone, Default)]
pub(super) struct Calibration {
    /// Falling strangeness, and how many sessions have at least this one.
    steps: Vec<(f64, u64)>,
    sessions: u64,
}

/// A score in 0 to 1 from a p-value: 0.5 is one session in a thousand.
pub(crate) fn score(p_value: f64) -> f32 {
    (-p_value.log10() / 6.0).clamp(0.0, 1.0) as f32
}

impl Calibration {
    /// By what the counts say of all normal sessions, and what the orders say of some of them. The two
    /// shares are added, as they are when no session is strange in both ways.
    pub(super) fn new(
        counted: impl Iterator<Item = (f64, u64)>,
        ordered: impl Iterator<Item = (f64, u64)>,
    ) -> Self {
        let mut sessions = 0;
        let mut steps: Vec<(f64, u64)> = counted.inspect(|(_, support)| sessions += support).collect();
        steps.extend(ordered.filter(|(strangeness, _)| *strangeness > 0.0));
        steps.sort_unstable_by(|left, right| right.0.total_cmp(&left.0));
        steps.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 += if same { next.1 } else { 0 };
            same
        });
        let mut above = 0;
        for (_, support) in &mut steps {
            above += *support;
            *support = above;
        }
        Self { steps, sessions }
    }

    /// u64 sessions; u32 steps, for each f64 strangeness, falling, and u64 sessions with at least that.
    pub(super) fn write(&self, out: &mut Writer) {
        out.u64(self.sessions);
        out.u32(self.steps.len() as u32);
        for (strangeness, sessions) in &self.steps {
            out.f64(*strangeness);
            out.u64(*sessions);
        }
    }

    pub(super) fn read(input: &mut Reader<'_>) -> Result<Self, SealedError> {
        let sessions = input.u64()?;
        let count = input.count(16, STEPS_MAX)?;
        let mut steps: Vec<(f64, u64)> = Vec::with_capacity(count);
        for _ in 0..count {
            let step = (input.f64()?, input.u64()?);
            if steps.last().is_some_and(|last| last.0 < step.0 || last.1 > step.1) {
                return Err(input.damaged());
            }
            steps.push(step);
        }
        Ok(Self { steps, sessions })
    }

    /// Estimated share of ordinary sessions that are at least this strange. Falls as strangeness rises.
    pub(super) fn p_value(&self, strangeness: f64) -> f64 {
        if strangeness <= 1.0 {
            let place = self.steps.partition_point(|(step, _)| *step >= strangeness);
            return self.share(place);
        }
        let place = self.steps.partition_point(|(step, _)| *step > 1.0);
        self.share(place) * strangeness.powi(TAIL_POWER)
    }

    /// The share of the first steps, the session that is asked about included.
    fn share(&self, steps: usize) -> f64 {
        let above = steps.checked_sub(1).map_or(0, |last| self.steps[last].1);
        ((above + 1) as f64 / (self.sessions + 1) as f64).min(1.0)
    }
}
