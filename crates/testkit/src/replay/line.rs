//! Lines as the two logs have them.

use rand::Rng;
use rand_xoshiro::Xoshiro256PlusPlus;

pub(super) const SECOND_MS: u64 = 1_000;
pub(super) const MINUTE_MS: u64 = 60 * SECOND_MS;
pub(super) const HOUR_MS: u64 = 60 * MINUTE_MS;
pub(super) const DAY_MS: u64 = 24 * HOUR_MS;

/// The log that a line is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// Syslog lines of one host.
    Auth,
    /// Combined access log lines.
    Access,
}

impl Log {
    /// The file that its lines are said to be of.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Auth => "/var/log/auth.log",
            Self::Access => "/var/log/apache/access.log",
        }
    }
}

/// A line of the stream.
#[derive(Debug, Clone)]
pub struct Line {
    /// Milliseconds since 1970; the stamp in the text says the same in seconds.
    pub at_ms: u64,
    /// Which log it is of.
    pub log: Log,
    /// As it stands in the log.
    pub text: String,
    /// The episode it belongs to.
    pub episode: Option<u32>,
}

/// Day of the month, month (0 to 11), hours, minutes and seconds of a time in 2026.
fn civil(at_ms: u64) -> (u64, usize, u64, u64, u64) {
    const MONTHS: [u64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let seconds = at_ms / SECOND_MS;
    let mut day = seconds / 86_400 - 20_454;
    let mut month = 0;
    while day >= MONTHS[month % 12] {
        day -= MONTHS[month % 12];
        month += 1;
    }
    (day + 1, month % 12, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60)
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

pub(super) fn auth_line(at_ms: u64, rest: &str, episode: Option<u32>) -> Line {
    let (day, month, hour, minute, second) = civil(at_ms);
    let text = format!("{} {day:2} {hour:02}:{minute:02}:{second:02} ip-10-77-20-248 {rest}", MONTHS[month]);
    Line { at_ms, log: Log::Auth, text, episode }
}

pub(super) fn access_line(at_ms: u64, address: &str, rest: &str, episode: Option<u32>) -> Line {
    let (day, month, hour, minute, second) = civil(at_ms);
    let stamp = format!("{day:02}/{}/2026:{hour:02}:{minute:02}:{second:02} +0000", MONTHS[month]);
    Line { at_ms, log: Log::Access, text: format!("{address} - - [{stamp}] {rest}"), episode }
}

/// A public address.
pub(super) fn address(random: &mut Xoshiro256PlusPlus) -> String {
    let [a, b, c, d] =
        [random.random_range(23..224), random.random(), random.random(), random.random::<u8>()];
    let a: u8 = if matches!(a, 127 | 172 | 192) { 31 } else { a };
    format!("{a}.{b}.{c}.{d}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-05T00:00:00Z.
    const START_MS: u64 = 1_767_571_200_000;

    #[test]
    fn stamps_are_those_of_the_calendar() {
        assert_eq!(civil(START_MS), (5, 0, 0, 0, 0));
        assert_eq!(civil(START_MS + 27 * DAY_MS + HOUR_MS), (1, 1, 1, 0, 0));
        let line = auth_line(START_MS + 61_000, "su: x", None);
        assert_eq!(line.text, "Jan  5 00:01:01 ip-10-77-20-248 su: x");
    }
}
