//! How wide the buckets of a histogram are, when nobody said it: found while counting, in one pass.
//!
//! A width is chosen from a few, so that there are at most [`BUCKETS_CHOSEN`]. Which one is known only
//! once all events are: until then they are counted by the widest that divides all those that it may
//! still become.

use event::Timestamp;

/// Buckets that a histogram has at most when it chooses its width itself.
pub const BUCKETS_CHOSEN: i64 = 100;
/// Buckets that counting may take before a width is settled, those of the future not among them.
pub(crate) const CHOSEN_BUCKETS_MAX: usize = 1000;
/// The widths to choose from, in seconds.
const WIDTHS_S: [i64; 17] = [
    1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 604_800, 2_592_000,
    31_536_000,
];
pub(crate) const SECOND: i64 = 1_000_000_000;

/// How wide the buckets of a histogram are. They start at multiples of it since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// So many nanoseconds, at least 1.
    Fixed(i64),
    /// As the events up to an instant have it; see [`Histogram::settle`](crate::Histogram::settle).
    Chosen {
        /// Later ones are counted, and have no say in it.
        until: Timestamp,
    },
}

impl Interval {
    /// The width for a range of time of this length.
    pub fn for_span(nanos: i64) -> Self {
        let fits = |width: &i64| nanos / width <= BUCKETS_CHOSEN;
        Self::Fixed(widths().find(fits).unwrap_or(31_536_000 * SECOND))
    }

    /// Where counting begins.
    pub(crate) fn first(self) -> i64 {
        match self {
            Self::Fixed(nanos) => nanos.max(1),
            Self::Chosen { .. } => SECOND,
        }
    }
}

fn widths() -> impl Iterator<Item = i64> {
    WIDTHS_S.into_iter().map(|seconds| seconds * SECOND)
}

/// The width for events from the first to the last of these instants.
pub(crate) fn width_for(first: i64, last: i64) -> i64 {
    let fits = |width: &i64| last.div_euclid(*width) - first.div_euclid(*width) < BUCKETS_CHOSEN;
    widths().find(fits).unwrap_or(31_536_000 * SECOND)
}

/// The width to count such events by, as long as there may be earlier and later ones.
pub(crate) fn counting_width(first: i64, last: i64) -> i64 {
    let width = width_for(first, last);
    widths().filter(|wider| *wider >= width).fold(0, gcd)
}

const fn gcd(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_interval_gives_at_most_a_hundred_buckets_and_not_few() {
        for (span, expected) in [
            (0, 1),
            (90, 1),
            (3600, 60),
            (86_400, 900),
            (7 * 86_400, 10_800),
            (30 * 86_400, 43_200),
            (292 * 365 * 86_400, 31_536_000),
        ] {
            assert_eq!(Interval::for_span(span * SECOND), Interval::Fixed(expected * SECOND), "{span} s");
        }
        assert_eq!((width_for(0, 99 * SECOND), width_for(0, 100 * SECOND)), (SECOND, 5 * SECOND));
    }

    #[test]
    fn what_counts_are_kept_by_divides_whatever_may_be_chosen() {
        for width in widths() {
            let counting = counting_width(0, (BUCKETS_CHOSEN - 1) * width);
            for wider in widths().filter(|wider| *wider >= width) {
                assert_eq!(wider % counting, 0, "{counting} of {wider}");
                let later = counting_width(0, (BUCKETS_CHOSEN - 1) * wider);
                assert_eq!(later % counting, 0, "{counting} of {later}");
            }
            assert!(width / counting <= 7, "{width} by {counting}");
        }
    }
}
