//! Times as text, as tables have them.

use std::time::{Duration, SystemTime};

/// A moment, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub i64);

impl Moment {
    /// By the clock of the machine.
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    /// As texts of tables have it: RFC 3339 in UTC with six digits of the second, always, so that texts sort as times do.
    #[must_use]
    pub fn text(self) -> String {
        let time = jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
    }

    /// So long before.
    #[must_use]
    pub fn before(self, age: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(age.as_micros()).unwrap_or(i64::MAX)))
    }
}

/// A length of time such as `90s`, `15m`, `1h`, `7d` or `2w`.
///
/// # Errors
/// What it must be, for another text.
pub fn length(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("'{}' is no length of time; write such as 90s, 15m, 1h, 7d or 2w", text.escape_debug());
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return Err(wrong()),
    };
    let number = text.strip_suffix(unit).unwrap_or_default();
    if number.is_empty() || number.len() > 9 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let number: u64 = number.parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(number * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_sort_as_their_texts_do() {
        let moment = Moment(1_700_000_000_000_000);
        assert_eq!(moment.text(), "2023-11-14T22:13:20.000000Z");
        assert_eq!(moment.before(length("1h").unwrap()).text(), "2023-11-14T21:13:20.000000Z");
        assert!(moment.text() < Moment(moment.0 + 1).text());
        for wrong in ["", "h", "1", "1y", "-1h", "1.5h", "9999999999s", "1é"] {
            assert!(length(wrong).is_err(), "{wrong}");
        }
    }
}
