//! Points in time as people write them.

use event::Timestamp;

/// A text that names no point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is no time; write 2024-06-01T12:00:00Z, 2024-06-01, now or now-15m (units s, m, h, d, w)")]
pub struct InvalidTime {
    /// What was given, at most 64 characters of it.
    pub text: String,
}

const SECOND: i64 = 1_000_000_000;

/// Reads a point in time: RFC 3339 (UTC when it names no zone), a year, month, day, hour or minute
/// of it (its beginning), nine digits or more since 1970 in s, ms, µs or ns by magnitude, or `now`
/// with any number of `+2h` and `-15m` behind it (units s, m, h, d, w).
///
/// # Errors
/// When the text is none of these, or is outside 1970 to 2262.
pub fn time(text: &str, now: Timestamp) -> Result<Timestamp, InvalidTime> {
    Ok(span(text, now)?.0)
}

/// The beginning of what a text names, and where it ends (exclusive) when that is more than an instant.
pub(super) fn span(text: &str, now: Timestamp) -> Result<(Timestamp, Option<Timestamp>), InvalidTime> {
    let text = text.trim();
    coarse(text)
        .or_else(|| relative(text, now).map(|instant| (instant, None)))
        .or_else(|| {
            let digits = text.len() >= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = digits.then(|| text.parse().ok()).flatten()?;
            Some((Timestamp::from_integer(number)?, None))
        })
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

/// A year, month, day, hour or minute.
fn coarse(text: &str) -> Option<(Timestamp, Option<Timestamp>)> {
    let shaped = text.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        10 => byte == b'T' || byte == b' ',
        13 => byte == b':',
        _ => byte.is_ascii_digit(),
    });
    if !shaped {
        return None;
    }
    let padded = |text: &str| {
        let text = text.replace(' ', "T");
        Timestamp::parse(&format!("{text}{}", "0000-01-01T00:00:00Z".get(text.len()..)?)).ok()
    };
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let start = padded(text)?;
    let end = match text.len() {
        4 => padded(&format!("{:04}", number(0..4)? + 1)),
        7 if number(5..7)? == 12 => padded(&format!("{:04}", number(0..4)? + 1)),
        7 => padded(&format!("{}-{:02}", &text[..4], number(5..7)? + 1)),
        10 => Some(start.saturating_add(86_400 * SECOND)),
        13 => Some(start.saturating_add(3_600 * SECOND)),
        16 => Some(start.saturating_add(60 * SECOND)),
        _ => return None,
    };
    Some((start, Some(end.unwrap_or(Timestamp::MAX))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn times_as_people_write_them() {
        let now = at("2024-06-01T12:00:00Z");
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
            assert_eq!(time(text, now), Ok(at(expected)), "{text}");
        }
        for text in
            ["", "now-", "now-15", "now-15y", "now 15m", "nowish", "2024-13", "12", "yesterday", "now-é"]
        {
            assert!(time(text, now).is_err(), "{text}");
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
            assert_eq!(span(text, Timestamp::MIN), Ok((at(start), Some(at(end)))), "{text}");
        }
    }
}
