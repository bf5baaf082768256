//! Parts of a time.

use std::ops::Range;

use jiff::{Timestamp, civil, tz::TimeZone};

use crate::Value;

/// A part of a time that a rule can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimePart {
    Minute,
    Hour,
    Day,
    /// The week of the year by ISO 8601.
    Week,
    Month,
    Year,
}

impl TimePart {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "minute" => Self::Minute,
            "hour" => Self::Hour,
            "day" => Self::Day,
            "week" => Self::Week,
            "month" => Self::Month,
            "year" => Self::Year,
            _ => return None,
        })
    }

    /// The part of a value's time, as it is written: zones are not converted, as the specification says. Numbers are
    /// seconds or milliseconds since 1970, in UTC.
    pub(crate) fn of(self, value: Value<'_>) -> Option<i64> {
        let time = match value {
            Value::Text(text) => written(text)?,
            Value::Integer(integer) => {
                let millis =
                    if integer.abs() < 100_000_000_000 { integer.checked_mul(1000)? } else { integer };
                Timestamp::from_millisecond(millis).ok()?.to_zoned(TimeZone::UTC).datetime()
            }
            _ => return None,
        };
        Some(match self {
            Self::Minute => time.minute().into(),
            Self::Hour => time.hour().into(),
            Self::Day => time.day().into(),
            Self::Week => time.date().iso_week_date().week().into(),
            Self::Month => time.month().into(),
            Self::Year => time.year().into(),
        })
    }
}

/// Reads `YYYY-MM-DD`, alone or with `hh:mm` behind a `T` or a blank; `/` does for `-`.
fn written(text: &str) -> Option<civil::DateTime> {
    let text = text.trim_start();
    let number = |range: Range<usize>| text.get(range)?.parse::<i16>().ok();
    let small = |range: Range<usize>| text.get(range)?.parse::<i8>().ok();
    let is = |at: usize, any: &[u8]| text.as_bytes().get(at).is_some_and(|byte| any.contains(byte));
    if !is(4, b"-/") || !is(7, b"-/") {
        return None;
    }
    let date = civil::Date::new(number(0..4)?, small(5..7)?, small(8..10)?).ok()?;
    if !is(10, b"Tt ") {
        return (text.len() == 10).then(|| date.at(0, 0, 0, 0));
    }
    let time = civil::Time::new(small(11..13)?, small(14..16)?, 0, 0).ok()?;
    is(13, b":").then(|| date.to_datetime(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_as_written() {
        let parts = [
            TimePart::Year,
            TimePart::Month,
            TimePart::Week,
            TimePart::Day,
            TimePart::Hour,
            TimePart::Minute,
        ];
        for (value, expected) in [
            (Value::Text("2026-01-13T23:05:00Z"), Some([2026, 1, 3, 13, 23, 5])),
            (Value::Text("2026-01-13 23:05:59.123+02:00"), Some([2026, 1, 3, 13, 23, 5])),
            (Value::Text("2024/12/30"), Some([2024, 12, 1, 30, 0, 0])),
            (Value::Integer(1_768_345_500), Some([2026, 1, 3, 13, 23, 5])),
            (Value::Integer(1_768_345_500_000), Some([2026, 1, 3, 13, 23, 5])),
            (Value::Text("2026-13-01T00:00:00"), None),
            (Value::Text("yesterday"), None),
            (Value::Text("2026-01-1é"), None),
            (Value::Null, None),
        ] {
            let read: Option<Vec<i64>> = parts.iter().map(|part| part.of(value)).collect();
            assert_eq!(read, expected.map(Vec::from), "{value:?}");
        }
    }
}
