//! An isolation forest over what the other parts say of a session, its size and its times.
//!
//! The other parts each have a threshold of their own; the forest sees them together, so that a session
//! which is a little odd in several ways at once can be strange. What it says counts as at most the sum
//! of the others, and a little more: a forest grown on almost constant columns isolates whatever leaves
//! them by a hair.

use arithmetic::log2;
use disk::sealed::{Reader, SealedError, Writer};
use forest::{Forest, Params, Splits};
use linfa::ParamGuard;

/// Length, different events, distance, counts outside their range, broken relations, broken orders, unseen
/// transitions, duration, longest gap.
pub(super) const COLUMNS: usize = 9;
/// Rows to train on, and sessions for which a forest is grown.
const ROWS: (usize, usize) = (4_096, 50);
/// Past the strangest training session by this share of its distance from the middle one is strange.
const MARGIN: f32 = 0.25;
/// The most the forest says by itself, and at all.
const ALONE: f64 = 0.25;
const MOST: f64 = 1.5;

/// What the forest sees of a session.
pub(super) type Row = [f32; COLUMNS];

/// The grown forest and what it says of the training sessions.
#[derive(Debug, Clone)]
pub(super) struct Part {
    forest: Forest,
    middle: f32,
    limit: f32,
}

/// A count or a time that may be large.
pub(super) fn scaled(value: f64) -> f32 {
    log2(1.0 + value as f32)
}

impl Part {
    /// From rows of normal sessions, each judged by the others; their order changes nothing.
    pub(super) fn train(mut rows: Vec<Row>) -> Option<Self> {
        if rows.len() < ROWS.1 {
            return None;
        }
        rows.sort_unstable_by(|left, right| {
            let orders = left.iter().zip(right).map(|(left, right)| left.total_cmp(right));
            orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        });
        let every = rows.len().div_ceil(ROWS.0);
        let kept: Vec<Row> = rows.into_iter().step_by(every).collect();
        let mut values: Vec<f32> = kept.iter().flatten().copied().collect();
        let params = Params::new(0).splits(Splits::TwoColumns).check().ok()?;
        let forest = params.grow(&mut values, kept.len(), COLUMNS).ok()?;
        let mut scores = forest.score_rows(&mut values);
        scores.sort_unstable_by(f32::total_cmp);
        let (middle, most) = (*scores.get(scores.len() / 2)?, *scores.last()?);
        let limit = most + MARGIN * (most - middle).max(0.02);
        Some(Self { forest, middle, limit })
    }

    /// How strange a session is by its row, where the other parts together say `others`.
    pub(super) fn strangeness(&self, row: &Row, others: f64) -> f64 {
        let past = (self.forest.score_row(row) - self.middle) / (self.limit - self.middle);
        f64::from(past).clamp(0.0, MOST).min(ALONE + others)
    }

    /// f32 score of the middle training session, f32 score from which on a session is strange, the forest.
    pub(super) fn write(&self, out: &mut Writer) {
        out.f32(self.middle);
        out.f32(self.limit);
        out.bytes(&self.forest.to_bytes());
    }

    pub(super) fn read(input: &mut Reader<'_>) -> Result<Self, SealedError> {
        let (middle, limit) = (input.f32()?, input.f32()?);
        let forest = Forest::from_bytes(input.bytes()?)?;
        if limit <= middle || forest.columns() != COLUMNS {
            return Err(input.damaged());
        }
        Ok(Self { forest, middle, limit })
    }
}
