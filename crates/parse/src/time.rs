//! Time stamps as logs write them.

use event::Timestamp;
use jiff::{civil, tz::TimeZone};

/// A date and time as written, and its offset when it names one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    year: i16,
    month: i8,
    day: i8,
    hour: i8,
    minute: i8,
    second: i8,
    nanos: i32,
    offset_s: Option<i32>,
}

impl Civil {
    /// The instant; `zone` serves where no offset is written. None for what is no date or lies
    /// outside 1970 to 2262.
    pub(crate) fn at(&self, zone: &TimeZone) -> Option<Timestamp> {
        // A leap second is counted as the last of its minute.
        let second = if self.second == 60 { 59 } else { self.second };
        let written =
            civil::DateTime::new(self.year, self.month, self.day, self.hour, self.minute, second, self.nanos)
                .ok()?;
        let instant = match self.offset_s {
            Some(offset_s) => jiff::tz::Offset::from_seconds(offset_s).ok()?.to_timestamp(written).ok()?,
            None => zone.to_ambiguous_timestamp(written).compatible().ok()?,
        };
        Timestamp::from_jiff(instant)
    }
}

/// A time stamp that fills the whole text: RFC 3339 and its variants, numbers by magnitude, and
/// what web servers and mail write.
pub(crate) fn parse(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    // The hot form, which needs no zone.
    if text.ends_with('Z')
        && let Ok(timestamp) = Timestamp::parse(text)
    {
        return Some(timestamp);
    }
    if let Some(timestamp) = number(text) {
        return Some(timestamp);
    }
    let bytes = text.as_bytes();
    let (civil, length) =
        iso(bytes).or_else(|| clf(bytes)).or_else(|| ctime(bytes)).or_else(|| mail(bytes))?;
    if length == bytes.len() { civil.at(zone) } else { None }
}

/// Decimal seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by magnitude.
pub(crate) fn number(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let base = Timestamp::from_integer(whole)?;
    let unit_nanos: i64 = match whole {
        n if n < 100_000_000_000 => 1_000_000_000,
        n if n < 100_000_000_000_000 => 1_000_000,
        n if n < 100_000_000_000_000_000 => 1_000,
        _ => 1,
    };
    let (mut nanos, mut unit) = (0, unit_nanos);
    for byte in fraction.bytes() {
        unit /= 10;
        nanos += i64::from(byte - b'0') * unit;
    }
    base.as_nanos().checked_add(nanos).and_then(Timestamp::from_nanos)
}

/// `1117838570 2005.06.03` as the first or second word: seconds since 1970, and after them the day
/// that they lie in, in whatever zone, which tells them from any other number.
pub(crate) fn epoch_and_date(line: &str) -> Option<Timestamp> {
    const HOUR_S: i64 = 3600;
    let mut words = line.split_ascii_whitespace().take(3).peekable();
    let is_epoch = |word: &str| word.len() == 10 && word.bytes().all(|byte| byte.is_ascii_digit());
    let epoch =
        words.next().filter(|word| is_epoch(word)).or_else(|| words.next().filter(|word| is_epoch(word)))?;
    let mut scan = Scan { bytes: words.next()?.as_bytes(), at: 0 };
    let year = scan.digits(4)?;
    let separator = scan.byte(|byte| matches!(byte, b'-' | b'/' | b'.'))?;
    let month = scan.two()?;
    scan.is(separator)?;
    let day = scan.two()?;
    if scan.peek().is_some_and(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let midnight = civil::Date::new(year, month, day).ok()?.at(0, 0, 0, 0);
    let midnight = TimeZone::UTC.to_ambiguous_timestamp(midnight).compatible().ok()?.as_second();
    let seconds: i64 = epoch.parse().ok()?;
    // Zones lie from 12 hours behind UTC to 14 before it.
    let is_that_day = (midnight - 14 * HOUR_S..midnight + 36 * HOUR_S).contains(&seconds);
    is_that_day.then(|| Timestamp::from_integer(seconds)).flatten()
}

/// A cursor over bytes; each method moves on only when it succeeds.
struct Scan<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn byte(&mut self, wanted: impl Fn(u8) -> bool) -> Option<u8> {
        let byte = self.peek().filter(|byte| wanted(*byte))?;
        self.at += 1;
        Some(byte)
    }

    fn is(&mut self, wanted: u8) -> Option<()> {
        self.byte(|byte| byte == wanted).map(|_| ())
    }

    /// A number of exactly so many digits.
    fn digits(&mut self, count: usize) -> Option<i16> {
        let digits = self.bytes.get(self.at..self.at + count)?;
        let value = digits.iter().try_fold(0i16, |sum, byte| {
            byte.is_ascii_digit().then(|| sum.wrapping_mul(10).wrapping_add(i16::from(byte - b'0')))
        })?;
        self.at += count;
        Some(value)
    }

    fn two(&mut self) -> Option<i8> {
        self.digits(2).map(|value| value as i8)
    }

    /// A day or hour of one or two digits, the first of which may be a blank.
    fn one_or_two(&mut self) -> Option<i8> {
        let padded = self.is(b' ').is_some();
        if !padded && let Some(value) = self.two() {
            return Some(value);
        }
        self.digits(1).map(|value| value as i8)
    }

    fn month(&mut self) -> Option<i8> {
        const NAMES: [&[u8; 3]; 12] =
            [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
        let word = self.bytes.get(self.at..self.at + 3)?;
        let index = NAMES.iter().position(|name| name.eq_ignore_ascii_case(word))?;
        self.at += 3;
        Some(index as i8 + 1)
    }

    fn weekday(&mut self) -> Option<()> {
        const NAMES: [&[u8; 3]; 7] = [b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun"];
        let word = self.bytes.get(self.at..self.at + 3)?;
        NAMES.iter().find(|name| name.eq_ignore_ascii_case(word))?;
        self.at += 3;
        Some(())
    }

    /// `12:00:00` and a fraction after a point or comma.
    fn clock(&mut self) -> Option<(i8, i8, i8, i32)> {
        let hour = self.one_or_two()?;
        let separator = self.byte(|byte| byte == b':' || byte == b'.')?;
        let minute = self.two()?;
        self.is(separator)?;
        let second = self.two()?;
        Some((hour, minute, second, self.fraction()))
    }

    fn fraction(&mut self) -> i32 {
        let start = self.at;
        if self.byte(|byte| byte == b'.' || byte == b',').is_none() {
            return 0;
        }
        let (mut nanos, mut unit) = (0, 100_000_000);
        while let Some(digit) = self.byte(|byte| byte.is_ascii_digit()) {
            nanos += i32::from(digit - b'0') * unit;
            unit /= 10;
        }
        if self.at == start + 1 {
            self.at = start;
        }
        nanos
    }

    /// `Z`, `+02:00`, `+0200`, `+02`, or after a blank `+0200`, `UTC`, `GMT`.
    fn offset(&mut self) -> Option<i32> {
        let start = self.at;
        let found = self.offset_here();
        let ends = self.peek().is_none_or(|byte| !byte.is_ascii_alphanumeric());
        if found.is_none() || !ends {
            self.at = start;
            return None;
        }
        found
    }

    fn offset_here(&mut self) -> Option<i32> {
        if self.byte(|byte| byte == b'Z' || byte == b'z').is_some() {
            return Some(0);
        }
        let blank = self.is(b' ').is_some();
        for name in [b"UTC", b"GMT"] {
            if self.bytes[self.at..].starts_with(name) {
                self.at += 3;
                return Some(0);
            }
        }
        let sign = match self.byte(|byte| byte == b'+' || byte == b'-')? {
            b'-' => -1,
            _ => 1,
        };
        let hours = i32::from(self.two()?);
        let colon = self.is(b':').is_some();
        let minutes = match self.two() {
            Some(minutes) => i32::from(minutes),
            None if colon || blank => return None,
            None => 0,
        };
        (hours <= 15 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
    }
}

/// `2024-06-01T12:00:00.5+02:00` at the start, also with a blank for `T`, `/` or `.` for `-`, a
/// comma before the fraction, and without an offset. Also gives its length.
pub(crate) fn iso(bytes: &[u8]) -> Option<(Civil, usize)> {
    let mut scan = Scan { bytes, at: 0 };
    let year = scan.digits(4)?;
    let separator = scan.byte(|byte| matches!(byte, b'-' | b'/' | b'.'))?;
    let month = scan.two()?;
    scan.is(separator)?;
    let day = scan.two()?;
    scan.byte(|byte| matches!(byte, b'T' | b't' | b' ' | b'-'))?;
    let (hour, minute, second, nanos) = scan.clock()?;
    let offset_s = scan.offset();
    Some((Civil { year, month, day, hour, minute, second, nanos, offset_s }, scan.at))
}

/// `17/May/2015:10:05:03 +0000`, as access logs write it; the offset may be absent.
pub(crate) fn clf(bytes: &[u8]) -> Option<(Civil, usize)> {
    let mut scan = Scan { bytes, at: 0 };
    let day = scan.two()?;
    let separator = scan.byte(|byte| matches!(byte, b'/' | b'-'))?;
    let month = scan.month()?;
    scan.is(separator)?;
    let year = scan.digits(4)?;
    scan.byte(|byte| matches!(byte, b':' | b' '))?;
    let (hour, minute, second, nanos) = scan.clock()?;
    let offset_s = scan.offset();
    Some((Civil { year, month, day, hour, minute, second, nanos, offset_s }, scan.at))
}

/// `Sun Dec 04 04:47:44.123456 2005`.
pub(crate) fn ctime(bytes: &[u8]) -> Option<(Civil, usize)> {
    let mut scan = Scan { bytes, at: 0 };
    scan.weekday()?;
    scan.is(b' ')?;
    let month = scan.month()?;
    scan.is(b' ')?;
    let day = scan.one_or_two()?;
    scan.is(b' ')?;
    let (hour, minute, second, nanos) = scan.clock()?;
    scan.is(b' ')?;
    let year = scan.digits(4)?;
    Some((Civil { year, month, day, hour, minute, second, nanos, offset_s: None }, scan.at))
}

/// `Wed, 17 May 2015 10:05:03 +0000`, RFC 5322 section 3.3.
fn mail(bytes: &[u8]) -> Option<(Civil, usize)> {
    let mut scan = Scan { bytes, at: 0 };
    if scan.weekday().is_some() {
        scan.is(b',')?;
        scan.is(b' ')?;
    }
    let day = scan.one_or_two()?;
    scan.is(b' ')?;
    let month = scan.month()?;
    scan.is(b' ')?;
    let year = scan.digits(4)?;
    scan.is(b' ')?;
    let (hour, minute, second, nanos) = scan.clock()?;
    let offset_s = scan.offset();
    Some((Civil { year, month, day, hour, minute, second, nanos, offset_s }, scan.at))
}

/// `081109 203518`, year first.
pub(crate) fn compact(bytes: &[u8]) -> Option<(Civil, usize)> {
    let mut scan = Scan { bytes, at: 0 };
    let year = 2000 + scan.digits(2)?;
    let (month, day) = (scan.two()?, scan.two()?);
    scan.is(b' ')?;
    let (hour, minute, second) = (scan.two()?, scan.two()?, scan.two()?);
    scan.peek().is_none_or(|byte| byte == b' ').then_some(())?;
    Some((Civil { year, month, day, hour, minute, second, nanos: 0, offset_s: None }, scan.at))
}

/// `Jun 14 15:16:01` of RFC 3164 section 4.1.2, its day padded with a blank or not, and the length.
/// The year is the one that puts it nearest to `received`, unless it is written after the day.
pub(crate) fn rfc3164(bytes: &[u8], received: Timestamp, zone: &TimeZone) -> Option<(Timestamp, usize)> {
    let mut scan = Scan { bytes, at: 0 };
    let month = scan.month()?;
    scan.is(b' ')?;
    let day = scan.one_or_two()?;
    scan.is(b' ')?;
    let start = scan.at;
    let year = scan.digits(4).filter(|_| scan.is(b' ').is_some());
    if year.is_none() {
        scan.at = start;
    }
    let (hour, minute, second, nanos) = scan.clock()?;
    let civil = Civil { year: 0, month, day, hour, minute, second, nanos, offset_s: None };
    let timestamp = match year {
        Some(year) => Civil { year, ..civil }.at(zone)?,
        None => nearest(civil, received, zone)?,
    };
    Some((timestamp, scan.at))
}

/// `03-17 16:13:38.811` and, in the same way, the length.
pub(crate) fn month_day(bytes: &[u8], received: Timestamp, zone: &TimeZone) -> Option<(Timestamp, usize)> {
    let mut scan = Scan { bytes, at: 0 };
    let month = scan.two()?;
    scan.is(b'-')?;
    let day = scan.two()?;
    scan.is(b' ')?;
    let (hour, minute, second, nanos) = scan.clock()?;
    let civil = Civil { year: 0, month, day, hour, minute, second, nanos, offset_s: None };
    Some((nearest(civil, received, zone)?, scan.at))
}

/// In the year that puts it nearest to `received`. Four years each way find a 29 February.
fn nearest(civil: Civil, received: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let now = received.to_jiff().to_zoned(zone.clone()).year();
    let distance = |timestamp: &Timestamp| timestamp.as_nanos().abs_diff(received.as_nanos());
    let in_years = |reach: i16| {
        (now - reach..=now + reach).filter_map(|year| Civil { year, ..civil }.at(zone)).min_by_key(distance)
    };
    in_years(1).or_else(|| in_years(8))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn forms() {
        let expected = Some(at("2024-06-01T12:00:00.5Z"));
        for text in [
            "2024-06-01T12:00:00.5Z",
            "2024-06-01T14:00:00.5+02:00",
            "2024-06-01T14:00:00,500+0200",
            "2024-06-01 14:00:00.500 +0200",
            "2024-06-01 12:00:00.5",
            "2024/06/01 12:00:00.5",
            "2024-06-01 12:00:00.5 UTC",
            "2024-06-01T14:00:00.5+02",
            "Sat Jun 01 12:00:00.5 2024",
            "01/Jun/2024:14:00:00.5 +0200",
            "Sat, 01 Jun 2024 12:00:00.5 GMT",
            "1717243200.5",
            "1717243200500",
            "1717243200500000",
            " 1717243200500000000 ",
        ] {
            assert_eq!(parse(text, &TimeZone::UTC), expected, "{text}");
        }
        for text in
            ["", "now", "2024-13-01T12:00:00Z", "2024-06-01T12:00:00 yes", "-5", "1969-01-01T00:00:00Z"]
        {
            assert_eq!(parse(text, &TimeZone::UTC), None, "{text}");
        }
    }

    #[test]
    fn a_missing_zone_is_the_given_one() {
        let zone = TimeZone::get("Europe/Zurich").unwrap();
        assert_eq!(parse("2024-06-01 14:00:00", &zone), Some(at("2024-06-01T12:00:00Z")));
        assert_eq!(parse("2024-06-01T14:00:00", &zone), Some(at("2024-06-01T12:00:00Z")));
        assert_eq!(parse("2024-06-01T14:00:00Z", &zone), Some(at("2024-06-01T14:00:00Z")));
    }

    #[test]
    fn the_year_is_the_nearest() {
        for (text, received, expected) in [
            ("Jun  1 12:00:00", "2024-06-01T12:00:05Z", "2024-06-01T12:00:00Z"),
            ("Jun 1 12:00:00", "2024-06-01T12:00:05Z", "2024-06-01T12:00:00Z"),
            ("Dec 31 23:59:59", "2024-01-01T00:00:01Z", "2023-12-31T23:59:59Z"),
            ("Jan  1 00:00:01", "2023-12-31T23:59:59Z", "2024-01-01T00:00:01Z"),
            ("Feb 29 10:00:00", "2024-03-01T00:00:00Z", "2024-02-29T10:00:00Z"),
            ("Feb 29 10:00:00", "2025-01-10T00:00:00Z", "2024-02-29T10:00:00Z"),
            ("Feb 29 10:00:00", "2026-01-10T00:00:00Z", "2024-02-29T10:00:00Z"),
            ("Oct 27 2015 09:24:46", "2024-06-01T00:00:00Z", "2015-10-27T09:24:46Z"),
            ("Jun  1 12:00:00.25", "2024-06-01T12:00:05Z", "2024-06-01T12:00:00.25Z"),
        ] {
            let parsed = rfc3164(text.as_bytes(), at(received), &TimeZone::UTC);
            assert_eq!(parsed, Some((at(expected), text.len())), "{text} at {received}");
        }
    }
}
