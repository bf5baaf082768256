//! How rare a number is among those of the training, as minus the decimal logarithm of the share
//! of training numbers at least as large.

use disk::sealed::{Reader, SealedError, Writer};

const KNOTS_MAX: usize = 96;
/// One in so many training numbers may be strange itself.
const TRIMMED: usize = 256;
/// The largest answer: one in a hundred million.
pub(crate) const RARITY_MAX: f32 = 8.0;

/// The empirical tail of the training numbers at ranks that grow by a quarter. The largest 1/256 of
/// them may be what is sought, since nobody cleaned the training: past the rest the tail goes on as an
/// exponential, whose rate is the mean excess of the largest twentieth of the rest.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rarity {
    /// Value and rarity, both rising.
    knots: Vec<(f32, f32)>,
    slope: f32,
}

impl Rarity {
    /// The tail of these numbers, which are sorted in place. `slope_least` bounds from below, and
    /// `slope_most` from above, how fast rarity rises past the largest number.
    pub(crate) fn of(values: &mut [f32], slope_least: f32, slope_most: f32) -> Self {
        values.sort_unstable_by(|a, b| b.total_cmp(a));
        let n = values.len();
        let mut knots: Vec<(f32, f32)> = Vec::new();
        // Of few numbers each counts.
        let trimmed = n / TRIMMED;
        let mut rank = (2usize + trimmed).min(n.max(1));
        while rank <= n && knots.len() < KNOTS_MAX {
            let value = values[rank - 1];
            // With ties the rank of the last one counts: so many are at least as large.
            let at_least = values.partition_point(|other| *other >= value);
            knots.push((value, -((at_least as f32) / (n as f32 + 1.0)).log10()));
            rank = (at_least + 1).max(rank + rank / 4);
        }
        knots.reverse();
        let twentieth = (n / 20).max(1).min(n);
        let mean_excess = match values.get(trimmed..trimmed + twentieth) {
            Some(top @ [.., floor]) => top.iter().map(|value| value - floor).sum::<f32>() / twentieth as f32,
            _ => 1.0,
        };
        let slope = (1.0 / (mean_excess.max(1e-6) * std::f32::consts::LN_10)).clamp(slope_least, slope_most);
        Self { knots, slope }
    }

    pub(crate) fn rarity(&self, value: f32) -> f32 {
        let after = self.knots.partition_point(|(knot, _)| *knot < value);
        let rarity = match (after.checked_sub(1).map(|before| self.knots[before]), self.knots.get(after)) {
            (Some((low, from)), Some((high, to))) => from + (to - from) * (value - low) / (high - low),
            (Some((last, rarity)), None) => rarity + (value - last) * self.slope,
            (None, Some((first, rarity))) if value >= *first => *rarity,
            (None, _) => 0.0,
        };
        rarity.clamp(0.0, RARITY_MAX)
    }

    pub(crate) fn write(&self, out: &mut Writer) {
        out.f32(self.slope);
        out.u32(self.knots.len() as u32);
        for (value, rarity) in &self.knots {
            out.f32(*value);
            out.f32(*rarity);
        }
    }

    pub(crate) fn read(input: &mut Reader<'_>) -> Result<Self, SealedError> {
        let slope = input.f32()?;
        let count = input.count(8, KNOTS_MAX)?;
        let mut knots: Vec<(f32, f32)> = Vec::with_capacity(count);
        for _ in 0..count {
            let knot = (input.f32()?, input.f32()?);
            if knots.last().is_some_and(|last| last.0 >= knot.0 || last.1 > knot.1) {
                return Err(input.damaged());
            }
            knots.push(knot);
        }
        Ok(Self { knots, slope })
    }
}
