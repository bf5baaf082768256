//! A date and time as written, and the instant it means.

use event::{FUTURE_AFTER, Timestamp};
use jiff::{civil, tz::TimeZone};

use super::{scan::Clock, zone::Zone};
use crate::Context;

/// A day as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Day {
    /// Year, month, day.
    Full(i16, i8, i8),
    /// Year, and the day of it from 1.
    OfYear(i16, i16),
    /// Month and day: of the latest year in which it is not more than a day after `Context::near`.
    Yearless(i8, i8),
    /// Three numbers with the same sign between them. A last one of four digits is the year.
    Numbers(i16, i16, i16),
}

/// A date and time as written, with its zone when it names one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(super) day: Day,
    pub(super) clock: Clock,
    pub(super) zone: Option<Zone>,
}

/// How many years back a 29 February is looked for.
const YEARS_BACK: i16 = 8;

impl Civil {
    pub(super) const fn names_zone(&self) -> bool {
        self.zone.is_some()
    }

    /// The instant. None for what is no date or lies outside 1970 to 2262.
    pub(crate) fn at(&self, context: &Context<'_>) -> Option<Timestamp> {
        let latest = || context.near.saturating_add(FUTURE_AFTER.as_nanos() as i64);
        match self.day {
            Day::Full(year, month, day) => self.on(year, month, day, context.zone),
            Day::OfYear(year, day) => {
                let date = civil::Date::new(year, 1, 1).ok()?.with().day_of_year(day).build().ok()?;
                self.on(year, date.month(), date.day(), context.zone)
            }
            Day::Yearless(month, day) => {
                let latest = latest();
                let year = match is_utc(context.zone) {
                    true => latest.year(),
                    false => latest.to_jiff().to_zoned(context.zone.clone()).year(),
                };
                // A zone that the stamp names may be in the next year already.
                let first = year + i16::from(self.zone.is_some());
                (0..=YEARS_BACK)
                    .filter_map(|back| self.on(first - back, month, day, context.zone))
                    .find(|at| *at <= latest)
            }
            Day::Numbers(first, second, third) => self.numbers([first, second, third], latest(), context),
        }
    }

    /// Of the ways in which three numbers can be read: the one that lies within a day of `near`; else the latest
    /// year that is not in the future; of one year month first, then day first, then year first.
    fn numbers(&self, numbers: [i16; 3], latest: Timestamp, context: &Context<'_>) -> Option<Timestamp> {
        let [a, b, c] = numbers;
        let short = |year: i16| if year < 100 { 2000 + year } else { year };
        let readings = [(short(c), a, b), (short(c), b, a), (short(a), b, c)];
        let day = FUTURE_AFTER.as_nanos() as u64;
        readings
            .into_iter()
            .take(if c >= 100 { 2 } else { 3 })
            .filter_map(|(year, month, day)| {
                let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
                Some((year, self.on(year, month, day, context.zone)?))
            })
            .enumerate()
            .max_by_key(|(order, (year, at))| {
                let is_near = at.as_nanos().abs_diff(context.near.as_nanos()) <= day;
                (is_near, *at <= latest, *year, std::cmp::Reverse(*order))
            })
            .map(|(_, (_, at))| at)
    }

    fn on(&self, year: i16, month: i8, day: i8, zone: &TimeZone) -> Option<Timestamp> {
        let Clock { hour, minute, second, nanos } = self.clock;
        // A leap second is counted as the last of its minute.
        let second = if second == 60 { 59 } else { second };
        let at = |offset_s: i32| {
            let clock = [hour.into(), minute.into(), second.into(), nanos.into()];
            Timestamp::from_civil([year.into(), month.into(), day.into()], clock, offset_s.into())
        };
        let written = || civil::DateTime::new(year, month, day, hour, minute, second, nanos).ok();
        let instant = match &self.zone {
            Some(Zone::Offset(offset_s)) => return at(*offset_s),
            None if is_utc(zone) => return at(0),
            Some(Zone::Abbreviation(name, offset_s)) => match as_in(zone, name, written()?) {
                Some(instant) => instant,
                None => return at(*offset_s),
            },
            Some(Zone::Named(named)) => named.to_ambiguous_timestamp(written()?).compatible().ok()?,
            None => zone.to_ambiguous_timestamp(written()?).compatible().ok()?,
        };
        Timestamp::from_jiff(instant)
    }
}

/// Most machines' zone, which is reckoned with at less cost.
fn is_utc(zone: &TimeZone) -> bool {
    *zone == TimeZone::UTC
}

/// The instant in a zone that itself uses this abbreviation then. It also says which of two equal hours is meant.
fn as_in(zone: &TimeZone, abbreviation: &str, written: civil::DateTime) -> Option<jiff::Timestamp> {
    let ambiguous = || zone.to_ambiguous_timestamp(written);
    [ambiguous().earlier(), ambiguous().later()]
        .into_iter()
        .flatten()
        .find(|instant| zone.to_offset_info(*instant).abbreviation() == abbreviation)
}
