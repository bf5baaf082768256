//! Times of day, in a zone, on some days of the week.

use std::time::Duration;

use event::Timestamp;
use jiff::{
    ToSpan,
    civil::{Time, Weekday},
    tz::TimeZone,
};

use super::{fields::Fields, problem::suggestion};

/// The days of the week, by the names that files and settings have for them.
pub const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

/// From one time of day to another, past midnight where the first is the later one; it belongs to the day on which
/// it begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hours {
    from: Time,
    /// Without this moment itself; the same as `from` for a whole day.
    to: Time,
    zone: TimeZone,
    /// Empty for every day.
    days: Vec<Weekday>,
}

impl Hours {
    /// `{from, to, zone, days}`.
    pub(crate) fn read(fields: &Fields<'_>) -> Self {
        let midnight = Time::midnight();
        let from = fields.one("from", time).unwrap_or(midnight);
        let to = fields.one("to", time).unwrap_or(midnight);
        Self { from, to, zone: zone(fields), days: fields.parsed("days", day) }
    }

    /// When the hours end that it is within, if it is.
    pub(crate) fn end(&self, at: Timestamp) -> Option<Timestamp> {
        let local = at.to_jiff().to_zoned(self.zone.clone());
        // It lies in hours that began today, or in ones that began yesterday and go past midnight.
        [0, 1].into_iter().find_map(|days_ago| {
            let day = local.date().checked_sub(days_ago.days()).ok()?;
            if !self.days.is_empty() && !self.days.contains(&day.weekday()) {
                return None;
            }
            let begin = day.to_datetime(self.from).to_zoned(self.zone.clone()).ok()?;
            let last = if self.to <= self.from { day.checked_add(1.days()).ok()? } else { day };
            let end = last.to_datetime(self.to).to_zoned(self.zone.clone()).ok()?;
            let is_within = begin.timestamp() <= local.timestamp() && local.timestamp() < end.timestamp();
            is_within.then(|| Timestamp::from_jiff(end.timestamp())).flatten()
        })
    }

    pub(crate) fn contain(&self, at: Timestamp) -> bool {
        self.end(at).is_some()
    }
}

/// When what is collected goes out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Digest {
    /// At a time of day.
    Daily {
        /// When.
        at: Time,
        /// Where.
        zone: TimeZone,
    },
    /// Whenever so much time has passed since 1970, so that the moments are the same after a restart.
    Every(Duration),
}

impl Digest {
    /// `{at, zone}` or `{every}`.
    pub(crate) fn read(fields: &Fields<'_>) -> Option<Self> {
        let (at, every, zone) = (fields.one("at", time), fields.duration("every"), zone(fields));
        match (at, every) {
            (Some(at), None) => Some(Self::Daily { at, zone }),
            (None, Some(every)) => Some(Self::Every(every)),
            _ => {
                fields.wrong("", "give either `at` (such as 08:00) or `every` (such as 1h)");
                None
            }
        }
    }

    /// The next moment after this one.
    pub(crate) fn next(&self, now: Timestamp) -> Timestamp {
        match self {
            Self::Every(every) => {
                let every = i64::try_from(every.as_nanos()).unwrap_or(i64::MAX).max(1);
                now.saturating_add(every - now.as_nanos() % every)
            }
            Self::Daily { at, zone } => {
                let local = now.to_jiff().to_zoned(zone.clone());
                let next = [0, 1].into_iter().find_map(|days| {
                    let day = local.date().checked_add(days.days()).ok()?;
                    let moment = day.to_datetime(*at).to_zoned(zone.clone()).ok()?.timestamp();
                    (moment > local.timestamp()).then(|| Timestamp::from_jiff(moment)).flatten()
                });
                next.unwrap_or(now)
            }
        }
    }
}

fn zone(fields: &Fields<'_>) -> TimeZone {
    let read = |name: &str| {
        TimeZone::get(name)
            .map_err(|_| format!("'{name}' is no time zone; write one such as Europe/Lisbon or UTC"))
    };
    fields.one("zone", read).unwrap_or(TimeZone::UTC)
}

fn time(text: &str) -> Result<Time, String> {
    let wrong = || format!("'{text}' is no time of day; write 22:00, in quotes");
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let numbers = (hour.parse().map_err(|_| wrong())?, minute.parse().map_err(|_| wrong())?);
    Time::new(numbers.0, numbers.1, 0, 0).map_err(|_| wrong())
}

fn day(text: &str) -> Result<Weekday, String> {
    let name = text.to_lowercase();
    let found = WEEKDAYS.iter().find(|(day, _)| name.len() >= 3 && day.starts_with(&name));
    let like = || suggestion(&name, WEEKDAYS.iter().map(|(day, _)| *day));
    found.map(|(_, day)| *day).ok_or_else(|| format!("'{text}' is no day of the week{}", like()))
}
