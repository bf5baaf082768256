//! What a time means that does not say it by itself.

use event::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// What `now` is, and the zone of times that name none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// The present.
    pub now: Timestamp,
    /// The zone.
    pub zone: TimeZone,
}

impl From<Timestamp> for Clock {
    /// In UTC.
    fn from(now: Timestamp) -> Self {
        Self { now, zone: TimeZone::UTC }
    }
}

/// A text that names no zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is no time zone; give a name such as Europe/Berlin, or an offset such as +02:00")]
pub struct InvalidZone {
    /// What was given, at most 64 characters of it.
    pub text: String,
}

/// A zone by its name in the IANA database, or an offset from UTC of at most 18 hours: `+02:00`, `-0330`, `+5`. A blank
/// instead of `+` is taken, which is what an unescaped one becomes in a URL.
///
/// # Errors
/// When it is neither.
pub fn zone(text: &str) -> Result<TimeZone, InvalidZone> {
    let found = match text {
        "Z" | "z" => Some(TimeZone::UTC),
        _ => offset(text).map(TimeZone::fixed).or_else(|| TimeZone::get(text).ok()),
    };
    found.ok_or_else(|| InvalidZone { text: text.chars().take(64).collect() })
}

fn offset(text: &str) -> Option<Offset> {
    let sign = match text.chars().next()? {
        '+' | ' ' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits: String = text[1..].replacen(':', "", 1);
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = digits.split_at(if digits.len() > 2 { digits.len() - 2 } else { digits.len() });
    let minutes: i32 =
        if minutes.is_empty() { 0 } else { minutes.parse().ok().filter(|minutes| *minutes < 60)? };
    let seconds = hours.parse::<i32>().ok()? * 3600 + minutes * 60;
    (seconds <= 18 * 3600).then(|| Offset::from_seconds(sign * seconds).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_by_name_and_offset() {
        for (text, seconds) in
            [("+02:00", 7200), (" 02:00", 7200), ("-0330", -12_600), ("+5", 18_000), ("Z", 0)]
        {
            let fixed = zone(text).unwrap().to_fixed_offset().unwrap();
            assert_eq!(fixed.seconds(), seconds, "{text}");
        }
        assert_eq!(zone("Europe/Berlin").unwrap().iana_name(), Some("Europe/Berlin"));
        for text in ["", "Mars/Olympus", "+", "+25", "+02:75", "+2:3:4", "+02:00x", "+00100", "é"] {
            assert!(zone(text).is_err(), "{text}");
        }
    }
}
