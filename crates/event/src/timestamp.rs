//! Points in time, in nanoseconds.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Nanoseconds since 1970-01-01T00:00:00Z: 1970 to 2262.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// A text or number that is no time stamp between 1970 and 2262.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is no RFC 3339 time stamp between 1970 and 2262, such as 2024-06-01T12:00:00Z")]
pub struct InvalidTimestamp {
    /// What was given.
    pub text: String,
}

impl Timestamp {
    /// The earliest: 1970-01-01T00:00:00Z.
    pub const MIN: Self = Self(0);
    /// The latest: 2262-04-11T23:47:16.854775807Z.
    pub const MAX: Self = Self(i64::MAX);

    /// From nanoseconds since 1970; None before that.
    pub const fn from_nanos(nanos: i64) -> Option<Self> {
        if nanos < 0 { None } else { Some(Self(nanos)) }
    }

    /// From nanoseconds since 1970, brought into the range.
    pub fn saturating_from_nanos(nanos: i128) -> Self {
        Self(nanos.clamp(0, i128::from(i64::MAX)) as i64)
    }

    /// Nanoseconds since 1970, never negative.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// From a number that may be seconds, milliseconds, microseconds or nanoseconds since 1970,
    /// told apart by magnitude: below 10^11 seconds, 10^14 milliseconds, 10^17 microseconds.
    /// None for what is negative, not finite or past 2262.
    pub fn from_number(number: f64) -> Option<Self> {
        if !number.is_finite() || number < 0.0 {
            return None;
        }
        let scale = match number {
            n if n < 1e11 => 1e9,
            n if n < 1e14 => 1e6,
            n if n < 1e17 => 1e3,
            _ => 1.0,
        };
        let nanos = number * scale;
        (nanos < i64::MAX as f64).then_some(Self(nanos as i64))
    }

    /// As [`Timestamp::from_number`], without rounding.
    pub fn from_integer(number: i64) -> Option<Self> {
        let scale = match number {
            n if n < 0 => return None,
            n if n < 100_000_000_000 => 1_000_000_000,
            n if n < 100_000_000_000_000 => 1_000_000,
            n if n < 100_000_000_000_000_000 => 1_000,
            _ => 1,
        };
        number.checked_mul(scale).map(Self)
    }

    /// From a date (year, month, day) and a time of day (hour, minute, second, nanosecond) so many seconds before UTC. None
    /// for what is no date or time of the Gregorian calendar, or outside 1970 to 2262.
    ///
    /// Days from civil: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    pub fn from_civil(date: [i64; 3], clock: [i64; 4], offset_s: i64) -> Option<Self> {
        let ([year, month, day], [hour, minute, second, nanos]) = (date, clock);
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days_in_month = match month {
            2 => 28 + i64::from(is_leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        // An offset may lead out of a year, and into one.
        let is_date = (1969..=2262).contains(&year) && (1..=days_in_month).contains(&day);
        let is_clock = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
        if !is_date || !is_clock || !(0..1_000_000_000).contains(&nanos) {
            return None;
        }
        let shifted_year = if month <= 2 { year - 1 } else { year };
        let era = shifted_year / 400;
        let year_of_era = shifted_year % 400;
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = era * 146_097 + day_of_era - 719_468;
        let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second - offset_s;
        seconds.checked_mul(1_000_000_000)?.checked_add(nanos).and_then(Self::from_nanos)
    }

    /// The year that it lies in, in UTC.
    ///
    /// Civil from days: H. Hinnant, as for [`Timestamp::from_civil`].
    pub const fn year(self) -> i16 {
        const DAY_NANOS: i64 = 86_400_000_000_000;
        let days = self.0 / DAY_NANOS + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // Years begin in March here.
        let is_next = (5 * day_of_year + 2) / 153 >= 10;
        (year_of_era + era * 400 + is_next as i64) as i16
    }

    /// From RFC 3339 text; a blank instead of `T` and a missing zone (then UTC) are accepted.
    ///
    /// # Errors
    /// When the text is of another form or outside 1970 to 2262.
    pub fn parse(text: &str) -> Result<Self, InvalidTimestamp> {
        let invalid = || InvalidTimestamp { text: text.chars().take(64).collect() };
        if let Some(timestamp) = parse_utc(text.as_bytes()) {
            return Ok(timestamp);
        }
        let parsed = text.parse::<jiff::Timestamp>().or_else(|_| {
            text.parse::<jiff::civil::DateTime>()
                .and_then(|civil| civil.to_zoned(jiff::tz::TimeZone::UTC))
                .map(|zoned| zoned.timestamp())
        });
        let nanos = parsed.map_err(|_| invalid())?.as_nanosecond();
        i64::try_from(nanos).ok().and_then(Self::from_nanos).ok_or_else(invalid)
    }

    /// The same instant as jiff's type.
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// From jiff's type; None outside 1970 to 2262.
    pub fn from_jiff(timestamp: jiff::Timestamp) -> Option<Self> {
        i64::try_from(timestamp.as_nanosecond()).ok().and_then(Self::from_nanos)
    }

    /// Later by so many nanoseconds, within the range.
    pub const fn saturating_add(self, nanos: i64) -> Self {
        let sum = self.0.saturating_add(nanos);
        if sum < 0 { Self::MIN } else { Self(sum) }
    }

    /// So long before, at the earliest [`Timestamp::MIN`].
    pub fn saturating_sub(self, age: std::time::Duration) -> Self {
        self.saturating_add(-i64::try_from(age.as_nanos()).unwrap_or(i64::MAX))
    }
}

/// The common form `2024-06-01T12:00:00[.fraction]Z`, by hand because it is on the hot path.
fn parse_utc(text: &[u8]) -> Option<Timestamp> {
    let (head, tail) = text.split_at_checked(19)?;
    let number = |from: usize, to: usize| {
        head[from..to]
            .iter()
            .try_fold(0i64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
    };
    if head[4] != b'-' || head[7] != b'-' || head[10] != b'T' || head[13] != b':' || head[16] != b':' {
        return None;
    }
    let fraction = match tail {
        b"Z" => 0,
        [b'.', digits @ .., b'Z'] if (1..=9).contains(&digits.len()) => {
            let value = digits.iter().try_fold(0i64, |sum, byte| {
                byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0'))
            })?;
            value * 10i64.pow(9 - digits.len() as u32)
        }
        _ => return None,
    };
    let date = [number(0, 4)?, number(5, 7)?, number(8, 10)?];
    Timestamp::from_civil(date, [number(11, 13)?, number(14, 16)?, number(17, 19)?, fraction], 0)
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with as many digits of the second as are needed.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_jiff().fmt(formatter)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_told_apart_by_magnitude() {
        let expected = Timestamp::parse("2024-06-01T12:00:00Z").unwrap();
        for number in [1_717_243_200, 1_717_243_200_000, 1_717_243_200_000_000, 1_717_243_200_000_000_000] {
            assert_eq!(Timestamp::from_integer(number), Some(expected), "{number}");
        }
        assert_eq!(Timestamp::from_number(1_717_243_200.5), Some(expected.saturating_add(500_000_000)));
        assert_eq!(Timestamp::from_integer(-1), None);
        assert_eq!(Timestamp::from_number(f64::NAN), None);
        assert_eq!(Timestamp::from_number(1e30), None);
    }

    #[test]
    fn forms_of_rfc_3339() {
        let expected = Timestamp::parse("2024-06-01T12:00:00Z").unwrap();
        for text in [
            "2024-06-01T14:00:00+02:00",
            "2024-06-01 12:00:00",
            "2024-06-01T12:00:00",
            "2024-06-01T12:00:00.000Z",
        ] {
            assert_eq!(Timestamp::parse(text), Ok(expected), "{text}");
        }
        for text in ["", "yesterday", "1969-12-31T23:59:59Z", "2300-01-01T00:00:00Z", "2024-02-30T00:00:00Z"]
        {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn dates_that_are_none() {
        let noon = [12, 0, 0, 0];
        assert_eq!(Timestamp::from_civil([1970, 1, 1], [2, 0, 0, 0], 7200), Some(Timestamp::MIN));
        assert_eq!(Timestamp::from_civil([1969, 12, 31], [23, 0, 0, 0], -3600), Some(Timestamp::MIN));
        for (date, clock) in [
            ([1969, 12, 31], noon),
            ([2263, 1, 1], noon),
            ([2262, 4, 12], noon),
            ([2023, 2, 29], noon),
            ([2024, 0, 1], noon),
            ([2024, 13, 1], noon),
            ([2024, 1, 0], noon),
            ([2024, 4, 31], noon),
            ([2024, 1, 1], [24, 0, 0, 0]),
            ([2024, 1, 1], [0, 60, 0, 0]),
            ([2024, 1, 1], [0, 0, 60, 0]),
        ] {
            assert_eq!(Timestamp::from_civil(date, clock, 0), None, "{date:?} {clock:?}");
        }
    }

    proptest! {
        #[test]
        fn civil_times_are_those_of_jiff(
            year in 1960i16..2270,
            month in 1i8..=12,
            day in 1i8..=31,
            second in 0i32..86_400,
            offset_s in -57_600i32..57_600,
        ) {
            let [hour, minute, second] = [second / 3600, second / 60 % 60, second % 60];
            let expected = jiff::civil::DateTime::new(year, month, day, hour as i8, minute as i8, second as i8, 7)
                .ok()
                .and_then(|civil| jiff::tz::Offset::from_seconds(offset_s).unwrap().to_timestamp(civil).ok())
                .and_then(Timestamp::from_jiff);
            let clock = [hour, minute, second, 7].map(i64::from);
            let found = Timestamp::from_civil([year.into(), month.into(), day.into()], clock, offset_s.into());
            prop_assert_eq!(found, expected);
            if let Some(found) = found {
                prop_assert_eq!(found.year(), found.to_jiff().to_zoned(jiff::tz::TimeZone::UTC).year());
            }
        }

        #[test]
        fn text_round_trips(nanos in 0..i64::MAX) {
            let timestamp = Timestamp::from_nanos(nanos).unwrap();
            prop_assert_eq!(Timestamp::parse(&timestamp.to_string()), Ok(timestamp));
        }
    }
}
