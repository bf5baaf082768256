//! How wide one bucket of a histogram is: so many nanoseconds, or a day, week, month, quarter or year of a zone.

use event::Timestamp;
use jiff::{
    ToSpan,
    civil::{Date, Weekday},
    tz::TimeZone,
};

pub(crate) const SECOND: i64 = 1_000_000_000;
pub(crate) const DAY: i64 = 86_400 * SECOND;

/// A stretch of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// From midnight to midnight, of 23 or 25 hours where clocks change.
    Day,
    /// From Monday on.
    Week,
    /// From the first on.
    Month,
    /// From January, April, July or October on.
    Quarter,
    /// From January on.
    Year,
}

impl Unit {
    /// About so many nanoseconds.
    pub(crate) const fn about(self) -> i64 {
        DAY * match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
            Self::Quarter => 91,
            Self::Year => 365,
        }
    }

    /// The first day of the stretch that a day lies in.
    fn first(self, day: Date) -> Option<Date> {
        let months_back = match self {
            Self::Day => return Some(day),
            Self::Week => {
                return day.checked_sub(i64::from(day.weekday().since(Weekday::Monday)).days()).ok();
            }
            Self::Month => 0,
            Self::Quarter => (day.month() - 1) % 3,
            Self::Year => day.month() - 1,
        };
        Date::new(day.year(), day.month() - months_back, 1).ok()
    }

    /// The first day of the next stretch.
    fn next(self, first: Date) -> Option<Date> {
        let length = match self {
            Self::Day => 1.day(),
            Self::Week => 1.week(),
            Self::Month => 1.month(),
            Self::Quarter => 3.months(),
            Self::Year => 1.year(),
        };
        first.checked_add(length).ok()
    }
}

/// How wide a bucket is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Width {
    /// So many nanoseconds, at least 1, counted from 1970 on in UTC.
    Fixed(i64),
    /// A stretch of the calendar in a zone.
    Calendar(Unit, TimeZone),
}

impl Width {
    /// About so many nanoseconds.
    pub fn about(&self) -> i64 {
        match self {
            Self::Fixed(nanos) => *nanos,
            Self::Calendar(unit, _) => unit.about(),
        }
    }

    /// The bucket of an instant: where it starts, and where the next one does.
    pub(crate) fn span(&self, nanos: i64) -> (i64, i64) {
        match self {
            Self::Fixed(width) => {
                let start = nanos / width * width;
                (start, start.saturating_add(*width))
            }
            Self::Calendar(unit, zone) => calendar(*unit, zone, nanos).unwrap_or((0, i64::MAX)),
        }
    }

    /// Where the bucket of an instant starts.
    pub fn start(&self, at: Timestamp) -> Timestamp {
        Timestamp::saturating_from_nanos(self.span(at.as_nanos()).0.into())
    }

    /// Where the bucket behind that of an instant starts; the last instant there is, behind the last.
    pub fn next(&self, at: Timestamp) -> Timestamp {
        Timestamp::saturating_from_nanos(self.span(at.as_nanos()).1.into())
    }
}

fn calendar(unit: Unit, zone: &TimeZone, nanos: i64) -> Option<(i64, i64)> {
    let day = zone.to_datetime(jiff::Timestamp::from_nanosecond(nanos.into()).ok()?).date();
    let midnight = |day: Date| {
        let nanos =
            zone.to_zoned(day.to_datetime(jiff::civil::Time::midnight())).ok()?.timestamp().as_nanosecond();
        Some(nanos.clamp(0, i128::from(i64::MAX)) as i64)
    };
    let first = unit.first(day)?;
    Some((midnight(first)?, unit.next(first).and_then(midnight).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn stretches_of_the_calendar_are_those_of_the_zone() {
        let zone = |name: &str| TimeZone::get(name).unwrap();
        let (berlin, utc) = (zone("Europe/Berlin"), TimeZone::UTC);
        for (unit, zone, instant, start, next) in [
            (
                Unit::Day,
                &utc,
                "2024-06-01T23:59:59.999999999Z",
                "2024-06-01T00:00:00Z",
                "2024-06-02T00:00:00Z",
            ),
            (Unit::Day, &berlin, "2024-03-31T12:00:00Z", "2024-03-30T23:00:00Z", "2024-03-31T22:00:00Z"),
            (Unit::Day, &berlin, "2024-10-27T12:00:00Z", "2024-10-26T22:00:00Z", "2024-10-27T23:00:00Z"),
            // A day without a midnight.
            (
                Unit::Day,
                &zone("America/Sao_Paulo"),
                "2018-11-04T12:00:00Z",
                "2018-11-04T03:00:00Z",
                "2018-11-05T02:00:00Z",
            ),
            (Unit::Week, &utc, "2024-06-02T23:00:00Z", "2024-05-27T00:00:00Z", "2024-06-03T00:00:00Z"),
            (Unit::Week, &berlin, "2024-06-02T23:00:00Z", "2024-06-02T22:00:00Z", "2024-06-09T22:00:00Z"),
            (Unit::Month, &berlin, "2024-02-29T23:00:00Z", "2024-02-29T23:00:00Z", "2024-03-31T22:00:00Z"),
            (Unit::Quarter, &utc, "2024-06-30T23:00:00Z", "2024-04-01T00:00:00Z", "2024-07-01T00:00:00Z"),
            (Unit::Year, &berlin, "2024-12-31T23:00:00Z", "2024-12-31T23:00:00Z", "2025-12-31T23:00:00Z"),
            (Unit::Year, &berlin, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1970-12-31T23:00:00Z"),
        ] {
            let width = Width::Calendar(unit, zone.clone());
            assert_eq!(
                (width.start(at(instant)), width.next(at(instant))),
                (at(start), at(next)),
                "{unit:?} {instant}"
            );
            assert_eq!(width.start(at(start)), at(start), "{unit:?} {start}");
        }
        assert_eq!(Width::Calendar(Unit::Year, utc).next(Timestamp::MAX), Timestamp::MAX);
    }
}
