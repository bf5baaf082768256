//! What is usual for something measured at an hour of the week: a threshold that is learned from the weeks before.
//!
//! Of each earlier week it looks at the same hour of the same day (UTC) and the hours beside it, so that a job that begins
//! a little earlier, or by another time of the year, is still usual. The *most* of a week is the greatest value of these
//! hours; what is usual at most is the median of the weeks, and how much it varies is their median absolute deviation
//! ([`median_and_deviation`]). Neither moves by a single odd week.

use std::collections::BTreeMap;

use arithmetic::{median, median_and_deviation};

/// Fewer earlier weeks say nothing.
pub(crate) const WEEKS_MIN: usize = 3;
/// Nanoseconds.
pub(crate) const HOUR: i64 = 3_600_000_000_000;

/// What is usual at an hour of the week.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Usual {
    /// The least.
    pub(crate) least: f64,
    /// The most.
    pub(crate) most: f64,
    /// How much the most varies from week to week: a standard deviation.
    pub(crate) spread: f64,
    /// Weeks that say so.
    pub(crate) weeks: usize,
}

/// The number of the hour that a moment is in.
pub(crate) fn hour(nanos: i64) -> i64 {
    nanos.div_euclid(HOUR)
}

/// What these weeks say; None when they are fewer than [`WEEKS_MIN`].
pub(crate) fn of_weeks(least: &mut [f64], most: &mut [f64]) -> Option<Usual> {
    let weeks = most.len();
    if weeks < WEEKS_MIN {
        return None;
    }
    let (most, spread) = median_and_deviation(most)?;
    Some(Usual { least: median(least)?, most, spread, weeks })
}

/// What was looked up, by series: each once an hour.
pub(crate) type Known = BTreeMap<String, (i64, Option<Usual>)>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_odd_week_moves_nothing() {
        let of = |most: &[f64]| of_weeks(&mut vec![5.0; most.len()], &mut most.to_vec());
        let calm = of(&[30.0, 32.0, 31.0, 29.0, 30.0]).unwrap();
        assert_eq!((calm.least, calm.most, calm.weeks), (5.0, 30.0, 5));
        assert!((calm.spread - 1.4826).abs() < 1e-9);
        let odd = of(&[30.0, 32.0, 99.0, 29.0, 30.0]).unwrap();
        assert_eq!((odd.most, odd.spread), (30.0, 1.4826));
        assert_eq!(of(&[30.0, 30.0]), None, "two weeks are too few");
        assert_eq!(of(&[10.0, 20.0, 30.0, 40.0]).unwrap().most, 25.0);
    }
}
