//! Points in time as people write them.

use event::Timestamp;
use jiff::{civil, tz::TimeZone};

use crate::Clock;

/// A text that names no point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is no time; write 2024-06-01T12:00:00Z, 2024-06-01, now or now-15m (units s, m, h, d, w)")]
pub struct InvalidTime {
    /// What was given, at most 64 characters of it.
    pub text: String,
}

const SECOND: i64 = 1_000_000_000;

/// Reads a point in time: RFC 3339 (in the clock's zone when it names none), a year, month, day, hour or minute
/// of it (its beginning), nine digits or more since 1970 in s, ms, µs or ns by magnitude, or `now`
/// with any number of `+2h` and `-15m` behind it (units s, m, h, d, w).
///
/// # Errors
/// When the text is none of these, or is outside 1970 to 2262.
pub fn time(text: &str, clock: impl Into<Clock>) -> Result<Timestamp, InvalidTime> {
    Ok(span(text, &clock.into())?.0)
}

/// The beginning of what a text names, and where it ends (exclusive) when that is more than an instant.
pub(super) fn span(text: &str, clock: &Clock) -> Result<(Timestamp, Option<Timestamp>), InvalidTime> {
    let text = text.trim();
    coarse(text, &clock.zone)
        .or_else(|| relative(text, clock.now).map(|instant| (instant, None)))
        .or_else(|| {
            let digits = text.len() >= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = digits.then(|| text.parse().ok()).flatten()?;
            Some((Timestamp::from_integer(number)?, None))
        })
        .or_else(|| local(text, &clock.zone).map(|instant| (instant, None)))
        .or_else(|| Timestamp::parse(text).ok().map(|instant| (instant, None)))
        .ok_or_else(|| InvalidTime { text: text.chars().take(64).collect() })
}

fn relative(text: &str, now: Timestamp) -> Option<Timestamp> {
    let mut rest = text.strip_prefix("now")?;
    let mut instant = i128::from(now.as_nanos());
    while let Some(sign) = rest.chars().next() {
        let sign = match sign {
            '+' => 1,
            '-' => -1,
            _ => return None,
        };
        let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
        let amount: u32 = rest[1..=digits].parse().ok()?;
        let unit = match rest.as_bytes().get(1 + digits)? {
            b's' => SECOND,
            b'm' => 60 * SECOND,
            b'h' => 3_600 * SECOND,
            b'd' => 86_400 * SECOND,
            b'w' => 604_800 * SECOND,
            _ => return None,
        };
        instant += sign * i128::from(amount) * i128::from(unit);
        rest = &rest[digits + 2..];
    }
    Some(Timestamp::saturating_from_nanos(instant))
}

/// A stamp without a zone, where that is not UTC.
fn local(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let time = text.get(10..)?;
    let names_zone = time.contains(['Z', 'z', '+', '-', '[']);
    if *zone == TimeZone::UTC || names_zone {
        return None;
    }
    at(text.parse().ok()?, zone)
}

/// The instant at which clocks of a zone show this; where they skip it, what they show then.
fn at(civil: civil::DateTime, zone: &TimeZone) -> Option<Timestamp> {
    Timestamp::from_jiff(zone.to_zoned(civil).ok()?.timestamp())
}

/// A year, month, day, hour or minute.
fn coarse(text: &str, zone: &TimeZone) -> Option<(Timestamp, Option<Timestamp>)> {
    let shaped = text.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        10 => byte == b'T' || byte == b' ',
        13 => byte == b':',
        _ => byte.is_ascii_digit(),
    });
    if !shaped {
        return None;
    }
    let number =
        |range: std::ops::Range<usize>| text.get(range).map_or(Some(1), |digits| digits.parse().ok());
    let part = |range| text.get(range).map_or(Some(0), |digits: &str| digits.parse().ok());
    if ![4, 7, 10, 13, 16].contains(&text.len()) {
        return None;
    }
    let year: i16 = text.get(..4)?.parse().ok()?;
    let date = civil::Date::new(year, number(5..7)?, number(8..10)?).ok()?;
    let begins = date.to_datetime(civil::Time::new(part(11..13)?, part(14..16)?, 0, 0).ok()?);
    let length = match text.len() {
        4 => jiff::Span::new().years(1),
        7 => jiff::Span::new().months(1),
        10 => jiff::Span::new().days(1),
        // An hour is one whatever clocks do meanwhile.
        13 => return Some(lasting(at(begins, zone)?, 3_600)),
        _ => return Some(lasting(at(begins, zone)?, 60)),
    };
    let end = begins.checked_add(length).ok().and_then(|end| at(end, zone));
    Some((at(begins, zone)?, Some(end.unwrap_or(Timestamp::MAX))))
}

fn lasting(start: Timestamp, seconds: i64) -> (Timestamp, Option<Timestamp>) {
    (start, Some(start.saturating_add(seconds * SECOND)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn times_as_people_write_them() {
        let now = utc("2024-06-01T12:00:00Z");
        for (text, expected) in [
            ("now", "2024-06-01T12:00:00Z"),
            ("now-15m", "2024-06-01T11:45:00Z"),
            ("now-1d+2h", "2024-05-31T14:00:00Z"),
            ("now-2w", "2024-05-18T12:00:00Z"),
            ("now-30s", "2024-06-01T11:59:30Z"),
            ("now-4000w", "1970-01-01T00:00:00Z"),
            ("2024-06-01T14:00:00+02:00", "2024-06-01T12:00:00Z"),
            ("2024", "2024-01-01T00:00:00Z"),
            ("2024-06", "2024-06-01T00:00:00Z"),
            ("2024-06-01", "2024-06-01T00:00:00Z"),
            ("2024-06-01T13", "2024-06-01T13:00:00Z"),
            ("2024-06-01 13:14", "2024-06-01T13:14:00Z"),
            ("1717243200", "2024-06-01T12:00:00Z"),
            ("1717243200000", "2024-06-01T12:00:00Z"),
        ] {
            assert_eq!(time(text, now), Ok(utc(expected)), "{text}");
        }
        for text in
            ["", "now-", "now-15", "now-15y", "now 15m", "nowish", "2024-13", "12", "yesterday", "now-é"]
        {
            assert!(time(text, now).is_err(), "{text}");
        }
    }

    #[test]
    fn times_without_a_zone_are_those_of_the_clock() {
        let clock = Clock { now: utc("2024-06-01T12:00:00Z"), zone: crate::zone("Europe/Berlin").unwrap() };
        for (text, start, end) in [
            ("2024-06-01", "2024-05-31T22:00:00Z", Some("2024-06-01T22:00:00Z")),
            ("2024-03-31", "2024-03-30T23:00:00Z", Some("2024-03-31T22:00:00Z")),
            ("2024-10", "2024-09-30T22:00:00Z", Some("2024-10-31T23:00:00Z")),
            ("2024", "2023-12-31T23:00:00Z", Some("2024-12-31T23:00:00Z")),
            ("2024-06-01T12", "2024-06-01T10:00:00Z", Some("2024-06-01T11:00:00Z")),
            // Clocks skip this hour, and show another one twice.
            ("2024-03-31 02:30", "2024-03-31T01:30:00Z", Some("2024-03-31T01:31:00Z")),
            ("2024-10-27T02", "2024-10-27T00:00:00Z", Some("2024-10-27T01:00:00Z")),
            ("2024-06-01T12:00:30.5", "2024-06-01T10:00:30.5Z", None),
            ("2024-06-01 12:00:30", "2024-06-01T10:00:30Z", None),
            ("2024-06-01T12:00:30Z", "2024-06-01T12:00:30Z", None),
            ("2024-06-01T12:00:30-01:00", "2024-06-01T13:00:30Z", None),
            ("now-1d", "2024-05-31T12:00:00Z", None),
        ] {
            assert_eq!(span(text, &clock), Ok((utc(start), end.map(utc))), "{text}");
        }
    }

    #[test]
    fn a_day_is_a_span() {
        for (text, start, end) in [
            ("2024", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
            ("2024-02", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
            ("2024-12", "2024-12-01T00:00:00Z", "2025-01-01T00:00:00Z"),
            ("2024-02-28", "2024-02-28T00:00:00Z", "2024-02-29T00:00:00Z"),
        ] {
            assert_eq!(span(text, &Timestamp::MIN.into()), Ok((utc(start), Some(utc(end)))), "{text}");
        }
    }
}
