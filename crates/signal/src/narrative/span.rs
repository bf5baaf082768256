//! Times and lengths of time in words.

use event::Timestamp;

use super::{
    reader::Language,
    telling::{Telling, say},
};

pub(super) const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

impl Telling<'_> {
    /// `on 2024-05-01 at 04:12:33 (UTC)`.
    pub(super) fn at(&self, time: Timestamp) -> String {
        let (date, clock, zone) = (self.date(time), self.clock(time), self.zone(time));
        say!(self, "on {date} at {clock} ({zone})", "em {date} às {clock} ({zone})")
    }

    /// When it happened: a point in time, or from when to when and how long that is.
    pub(super) fn when(&self) -> String {
        let (first, last) = (self.signal.first, self.signal.last.max(self.signal.first));
        let (from, to, zone) = (self.clock(first), self.clock(last), self.zone(first));
        if from == to && self.date(first) == self.date(last) {
            return self.at(first);
        }
        let length = self.length(last.as_nanos().abs_diff(first.as_nanos()));
        let (date, end) = (self.date(first), self.date(last));
        if date == end {
            return say!(
                self,
                "on {date} between {from} and {to} ({zone}), over {length}",
                "em {date}, entre {from} e {to} ({zone}), ao longo de {length}",
            );
        }
        say!(
            self,
            "from {date} at {from} to {end} at {to} ({zone}), over {length}",
            "de {date} às {from} até {end} às {to} ({zone}), ao longo de {length}",
        )
    }

    /// A length of time in words, to the minute where it is longer than one.
    pub(super) fn length(&self, nanos: u64) -> String {
        let seconds = nanos.saturating_add(SECOND / 2) / SECOND;
        let minutes = (seconds + MINUTE / 2) / MINUTE;
        let hours = minutes / 60;
        let of_seconds = |n| self.counted(n, ["second", "seconds"], ["segundo", "segundos"]);
        let of_minutes = |n| self.counted(n, ["minute", "minutes"], ["minuto", "minutos"]);
        let of_hours = |n| self.counted(n, ["hour", "hours"], ["hora", "horas"]);
        let of_days = |n| self.counted(n, ["day", "days"], ["dia", "dias"]);
        let (large, small) = match seconds {
            0 => return say!(self, "less than a second", "menos de um segundo"),
            _ if seconds < MINUTE => return of_seconds(seconds),
            _ if hours == 0 => return of_minutes(minutes),
            _ if minutes * MINUTE < DAY => {
                (of_hours(hours), Some(minutes % 60).filter(|n| *n > 0).map(of_minutes))
            }
            _ => {
                let hours = (seconds + HOUR / 2) / HOUR;
                (of_days(hours / 24), Some(hours % 24).filter(|n| *n > 0).map(of_hours))
            }
        };
        match small {
            Some(small) => say!(self, "{large} and {small}", "{large} e {small}"),
            None => large,
        }
    }

    /// The hour and minute of an hour of the day in UTC, on the day of the signal.
    pub(super) fn hour(&self, hour: u64, minute: u64) -> String {
        let day = self.signal.first.as_nanos().unsigned_abs() / (DAY * SECOND);
        let nanos = (day * DAY + hour * HOUR + minute * MINUTE) * SECOND;
        let time = Timestamp::saturating_from_nanos(nanos.into());
        self.in_zone(time).strftime("%H:%M").to_string()
    }

    /// A date as it is written where the language is spoken.
    pub(super) fn date(&self, time: Timestamp) -> String {
        let format = match self.reader.language {
            Language::English => "%Y-%m-%d",
            Language::Portuguese => "%d/%m/%Y",
        };
        self.in_zone(time).strftime(format).to_string()
    }

    pub(super) fn clock(&self, time: Timestamp) -> String {
        self.in_zone(time).strftime("%H:%M:%S").to_string()
    }

    /// The name of the zone, else how far it is from UTC.
    pub(super) fn zone(&self, time: Timestamp) -> String {
        match self.reader.zone.iana_name() {
            Some(name) => name.to_owned(),
            None => self.in_zone(time).strftime("UTC%:z").to_string(),
        }
    }

    fn in_zone(&self, time: Timestamp) -> jiff::Zoned {
        time.to_jiff().to_zoned(self.reader.zone.clone())
    }
}
