//! When a report is due: at a time of every day, or of one day of the week, by the calendar of a zone.

use event::Timestamp;
use jiff::{
    ToSpan,
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};

use crate::period::Period;

/// How often a report is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// Every day.
    Day,
    /// On this day of every week.
    Week(Weekday),
}

/// When a report is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// How often.
    pub every: Every,
    /// At which time of the day.
    pub time: Time,
    /// By whose calendar.
    pub zone: TimeZone,
}

impl Schedule {
    /// The time of the report that was due last as of a moment: from when the one before it was due to when it was.
    pub fn latest(&self, now: Timestamp) -> Option<Period> {
        let today = now.to_jiff().to_zoned(self.zone.clone()).date();
        // Today's may not be due yet.
        let days = (0..=7_i64).filter_map(|back| today.checked_sub(back.days()).ok());
        let mut due = days.filter(|day| self.is_on(*day)).filter_map(|day| Some((day, self.due(day)?)));
        let (day, to) = due.find(|(_, at)| *at <= now)?;
        let length = match self.every {
            Every::Day => 1,
            Every::Week(_) => 7,
        };
        let from = self.due(day.checked_sub(length.days()).ok()?)?;
        Some(Period { from, to })
    }

    /// What the report of a time is known by: the same each time it is asked for.
    pub fn name(&self, period: Period) -> String {
        let every = match self.every {
            Every::Day => "day",
            Every::Week(_) => "week",
        };
        format!("report of the {every} until {}", period.to)
    }

    fn is_on(&self, day: Date) -> bool {
        match self.every {
            Every::Day => true,
            Every::Week(weekday) => day.weekday() == weekday,
        }
    }

    /// When it is due on a day. A time that the clocks leave out is as much later; of one that they have twice, the first counts.
    fn due(&self, day: Date) -> Option<Timestamp> {
        let zoned = day.to_datetime(self.time).to_zoned(self.zone.clone()).ok()?;
        Some(Timestamp::saturating_from_nanos(zoned.timestamp().as_nanosecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn latest(every: Every, time: &str, zone: &str, now: &str) -> (String, String) {
        let schedule = Schedule { every, time: time.parse().unwrap(), zone: TimeZone::get(zone).unwrap() };
        let period = schedule.latest(at(now)).unwrap();
        (period.from.to_string(), period.to.to_string())
    }

    #[test]
    fn a_report_is_due_by_the_calendar_of_its_zone() {
        let week = Every::Week(Weekday::Monday);
        for (every, time, zone, now, from, to) in [
            (
                Every::Day,
                "07:00",
                "UTC",
                "2026-03-10T07:00:00Z",
                "2026-03-09T07:00:00Z",
                "2026-03-10T07:00:00Z",
            ),
            (
                Every::Day,
                "07:00",
                "UTC",
                "2026-03-10T06:59:59Z",
                "2026-03-08T07:00:00Z",
                "2026-03-09T07:00:00Z",
            ),
            (
                Every::Day,
                "07:00",
                "America/Sao_Paulo",
                "2026-03-10T10:30:00Z",
                "2026-03-09T10:00:00Z",
                "2026-03-10T10:00:00Z",
            ),
            // A Tuesday; and a Monday before the time.
            (week, "07:00", "UTC", "2026-03-10T00:00:00Z", "2026-03-02T07:00:00Z", "2026-03-09T07:00:00Z"),
            (week, "07:00", "UTC", "2026-03-09T06:00:00Z", "2026-02-23T07:00:00Z", "2026-03-02T07:00:00Z"),
            // The clocks go forward from two to three on the 29th, so that day's report is of 23 hours.
            (
                Every::Day,
                "02:30",
                "Europe/Berlin",
                "2026-03-29T12:00:00Z",
                "2026-03-28T01:30:00Z",
                "2026-03-29T01:30:00Z",
            ),
            (
                Every::Day,
                "07:00",
                "Europe/Berlin",
                "2026-03-29T12:00:00Z",
                "2026-03-28T06:00:00Z",
                "2026-03-29T05:00:00Z",
            ),
        ] {
            let expected = (at(from).to_string(), at(to).to_string());
            assert_eq!(latest(every, time, zone, now), expected, "{every:?} {time} {zone} as of {now}");
        }
    }

    #[test]
    fn a_report_has_one_name() {
        let schedule = Schedule { every: Every::Day, time: "07:00".parse().unwrap(), zone: TimeZone::UTC };
        let names: std::collections::BTreeSet<String> = (0..48)
            .map(|hour| schedule.latest(at("2026-03-10T00:00:00Z").saturating_add(hour * 3_600_000_000_000)))
            .map(|period| schedule.name(period.unwrap()))
            .collect();
        assert_eq!(names.len(), 3);
    }
}
