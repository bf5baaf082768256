//! How wide the buckets of a histogram are, when nobody said it: found while counting, in one pass.
//!
//! A width is chosen from a few, so that there are at most [`BUCKETS_CHOSEN`]. Which one is known only
//! once all events are: until then they are counted by the widest that divides all those that it may
//! still become.

use event::Timestamp;
use jiff::tz::TimeZone;

use crate::width::{DAY, SECOND, Unit, Width};

/// Buckets that a histogram has at most when it chooses its width itself.
pub const BUCKETS_CHOSEN: i64 = 100;
/// Buckets that counting may take before a width is settled, those of the future not among them.
pub(crate) const CHOSEN_BUCKETS_MAX: usize = 6000;
/// The widths to choose from: within a day in seconds, else stretches of the calendar.
const WIDTHS_S: [i64; 13] = [1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600, 10_800, 21_600, 43_200];
const UNITS: [Unit; 4] = [Unit::Day, Unit::Week, Unit::Month, Unit::Year];
/// Days of all zones begin at multiples of it.
const QUARTER_HOUR: i64 = 900 * SECOND;

/// How wide the buckets of a histogram are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interval {
    /// So many nanoseconds, at least 1, counted from 1970 on in UTC.
    Fixed(i64),
    /// A stretch of the calendar in a zone.
    Calendar(Unit, TimeZone),
    /// As the events up to an instant have it; see [`Histogram::settle`](crate::Histogram::settle).
    Chosen {
        /// Later ones are counted, and have no say in it.
        until: Timestamp,
        /// Whose days, weeks, months and years they are.
        zone: TimeZone,
    },
}

impl Interval {
    /// The width for a range of time of this length.
    pub fn for_span(nanos: i64, zone: &TimeZone) -> Self {
        let fits = |width: &Width| nanos / width.about() <= BUCKETS_CHOSEN;
        match widths(zone).find(fits).unwrap_or_else(|| widest(zone)) {
            Width::Fixed(nanos) => Self::Fixed(nanos),
            Width::Calendar(unit, zone) => Self::Calendar(unit, zone),
        }
    }

    /// How wide the buckets are at first.
    pub(crate) fn first(&self) -> Width {
        match self {
            Self::Fixed(nanos) => Width::Fixed((*nanos).max(1)),
            Self::Calendar(unit, zone) => Width::Calendar(*unit, zone.clone()),
            Self::Chosen { .. } => Width::Fixed(SECOND),
        }
    }
}

fn widths(zone: &TimeZone) -> impl Iterator<Item = Width> {
    let within_day = WIDTHS_S.into_iter().map(|seconds| Width::Fixed(seconds * SECOND));
    within_day.chain(UNITS.into_iter().map(|unit| Width::Calendar(unit, zone.clone())))
}

fn widest(zone: &TimeZone) -> Width {
    Width::Calendar(Unit::Year, zone.clone())
}

/// The width for events from the first to the last of these instants.
pub(crate) fn width_for(first: i64, last: i64, zone: &TimeZone) -> Width {
    let fits = |width: &Width| match width {
        Width::Fixed(nanos) => last / nanos - first / nanos < BUCKETS_CHOSEN,
        Width::Calendar(unit, _) => {
            // Stretches differ in length by less than the half of one, over a hundred of them.
            let length = width.span(last).0 - width.span(first).0;
            (length + unit.about() / 2) / unit.about() < BUCKETS_CHOSEN
        }
    };
    // Far too narrow ones need not be tried.
    let mut likely = widths(zone).skip_while(|width| (last - first) / width.about() > BUCKETS_CHOSEN);
    likely.find(fits).unwrap_or_else(|| widest(zone))
}

/// The width to count such events by, as long as there may be earlier and later ones.
pub(crate) fn counting_width(first: i64, last: i64, zone: &TimeZone) -> Width {
    match width_for(first, last, zone) {
        Width::Fixed(width) => {
            // Days of other zones begin at other hours.
            let days = if *zone == TimeZone::UTC { DAY } else { QUARTER_HOUR };
            let wider = WIDTHS_S.into_iter().map(|seconds| seconds * SECOND).filter(|wider| *wider >= width);
            Width::Fixed(wider.fold(days, gcd))
        }
        // Weeks do not divide months.
        Width::Calendar(Unit::Week, zone) => Width::Calendar(Unit::Day, zone),
        calendar => calendar,
    }
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
        let utc = TimeZone::UTC;
        for (span, expected) in [
            (0, Interval::Fixed(SECOND)),
            (90, Interval::Fixed(SECOND)),
            (3600, Interval::Fixed(60 * SECOND)),
            (86_400, Interval::Fixed(900 * SECOND)),
            (7 * 86_400, Interval::Fixed(10_800 * SECOND)),
            (30 * 86_400, Interval::Fixed(43_200 * SECOND)),
            (60 * 86_400, Interval::Calendar(Unit::Day, utc.clone())),
            (292 * 365 * 86_400, Interval::Calendar(Unit::Year, utc.clone())),
        ] {
            assert_eq!(Interval::for_span(span * SECOND, &utc), expected, "{span} s");
        }
        let fixed = |seconds| Width::Fixed(seconds * SECOND);
        assert_eq!((width_for(0, 99 * SECOND, &utc), width_for(0, 100 * SECOND, &utc)), (fixed(1), fixed(5)));
    }

    #[test]
    fn what_counts_are_kept_by_divides_whatever_may_be_chosen() {
        let begin = 1_717_243_200 * SECOND;
        for name in ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"] {
            let zone = TimeZone::get(name).unwrap();
            for width in widths(&zone) {
                let last = begin + (BUCKETS_CHOSEN - 2) * width.about();
                let counting = counting_width(begin, last, &zone);
                assert!(
                    last / counting.about() - begin / counting.about() < CHOSEN_BUCKETS_MAX as i64,
                    "{width:?}"
                );
                for wider in
                    widths(&zone).filter(|wider| wider.about() >= width_for(begin, last, &zone).about())
                {
                    // All instants of a bucket are of one of the wider ones.
                    for step in 0..200 {
                        let (start, end) = counting.span(begin + step * counting.about());
                        assert_eq!(
                            wider.span(start),
                            wider.span(end - 1),
                            "{name}: {counting:?} of {wider:?}"
                        );
                    }
                }
            }
        }
    }
}
