//! The time that a report is about, and the one that it is compared with.

use event::Timestamp;
use jiff::{Unit as Round, Zoned, ZonedRound, tz::TimeZone};
use serde::Serialize;

const HOUR: i64 = 3_600_000_000_000;
const WEEK: i64 = 7 * 24 * HOUR;
/// Longer periods are told day by day, shorter ones hour by hour.
const BY_HOUR_MAX: i64 = 50 * HOUR;
/// Bars that a period has at most; beyond it each stands for a week, and then for more.
const BARS_MAX: usize = 120;

/// A time from its beginning up to, and without, its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Period {
    /// When it begins.
    pub from: Timestamp,
    /// When it is over.
    pub to: Timestamp,
}

/// What a bar of a chart over time stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// An hour.
    Hour,
    /// A day in the reader's zone.
    Day,
    /// Several days, of a long period.
    Days,
}

impl Period {
    /// The hours before a moment.
    pub fn before(to: Timestamp, hours: u32) -> Self {
        Self {
            from: Timestamp::saturating_from_nanos(
                i128::from(to.as_nanos()) - i128::from(hours) * i128::from(HOUR),
            ),
            to,
        }
    }

    /// The same time so many whole weeks earlier that the two do not overlap: of a day or a week, the week before.
    pub fn earlier(self) -> Self {
        let length = (self.to.as_nanos() - self.from.as_nanos()).max(0);
        let weeks = i128::from(length / WEEK + i64::from(length % WEEK > 0)).max(1);
        let back = |at: Timestamp| {
            Timestamp::saturating_from_nanos(i128::from(at.as_nanos()) - weeks * i128::from(WEEK))
        };
        Self { from: back(self.from), to: back(self.to) }
    }

    /// Whether something that lasted from then to then was there in this time.
    pub fn saw(self, first: Timestamp, last: Timestamp) -> bool {
        last >= self.from && first < self.to
    }

    /// Whether a moment lies in it.
    pub fn holds(self, at: Timestamp) -> bool {
        at >= self.from && at < self.to
    }

    /// Where its bars begin, and what each stands for: whole hours or days of a zone. At most 120.
    pub fn bars(self, zone: &TimeZone) -> (Unit, Vec<Timestamp>) {
        let length = self.to.as_nanos() - self.from.as_nanos();
        if length <= 0 {
            return (Unit::Hour, vec![self.from]);
        }
        let (unit, round) =
            if length <= BY_HOUR_MAX { (Unit::Hour, Round::Hour) } else { (Unit::Day, Round::Day) };
        let step = if unit == Unit::Hour { HOUR } else { 24 * HOUR };
        let each = (length / step).max(1) as usize / BARS_MAX + 1;
        let mut bars = vec![self.from];
        let mut next = begins(self.from, round, zone);
        for n in 0.. {
            let after = match unit {
                Unit::Hour => next.checked_add(jiff::Span::new().hours(1)),
                _ => next.checked_add(jiff::Span::new().days(1)),
            };
            let Ok(after) = after else { break };
            next = after;
            let at = Timestamp::saturating_from_nanos(next.timestamp().as_nanosecond());
            if at >= self.to {
                break;
            }
            if (n + 1) % each == 0 {
                bars.push(at);
            }
        }
        (if each > 1 && unit == Unit::Day { Unit::Days } else { unit }, bars)
    }
}

/// The hour or the day that a moment lies in.
fn begins(at: Timestamp, round: Round, zone: &TimeZone) -> Zoned {
    let zoned = at.to_jiff().to_zoned(zone.clone());
    let down = ZonedRound::new().smallest(round).mode(jiff::RoundMode::Floor);
    zoned.round(down).unwrap_or(zoned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_period_is_compared_with_whole_weeks_before() {
        let day = Period::before(at("2026-03-10T07:00:00Z"), 24);
        assert_eq!(day.earlier(), Period::before(at("2026-03-03T07:00:00Z"), 24));
        let week = Period::before(at("2026-03-10T07:00:00Z"), 7 * 24);
        assert_eq!(week.earlier().to, week.from);
        let longer = Period::before(at("2026-03-10T07:00:00Z"), 8 * 24);
        assert_eq!(longer.earlier().to, at("2026-02-24T07:00:00Z"));
    }

    #[test]
    fn bars_are_whole_hours_and_days_of_the_zone() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let (unit, bars) = Period::before(at("2026-03-10T07:20:00Z"), 24).bars(&zone);
        assert_eq!(
            (unit, bars.len(), bars[0], bars[1]),
            (Unit::Hour, 25, at("2026-03-09T07:20:00Z"), at("2026-03-09T08:00:00Z"))
        );
        // The clocks go forward on the 29th: that day has 23 hours.
        let (unit, bars) =
            Period { from: at("2026-03-27T23:00:00Z"), to: at("2026-03-31T22:00:00Z") }.bars(&zone);
        assert_eq!(unit, Unit::Day);
        let expected =
            ["2026-03-27T23:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", "2026-03-30T22:00:00Z"];
        assert_eq!(bars, expected.map(at));
        let (unit, bars) =
            Period { from: at("2000-01-01T00:00:00Z"), to: at("2026-01-01T00:00:00Z") }.bars(&zone);
        assert!(unit == Unit::Days && bars.len() <= BARS_MAX + 1, "{}", bars.len());
        assert_eq!(
            Period { from: at("2026-01-01T00:00:00Z"), to: at("2026-01-01T00:00:00Z") }.bars(&zone).1.len(),
            1
        );
    }
}
