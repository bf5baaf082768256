//! Time stamps as logs write them.
//!
//! - A zone that a stamp names counts; else it is that of the [`Context`].
//! - Abbreviations such as `CEST` mean what they mean in the zone of the context, where it has them, else what the
//!   table in `zone.rs` says.
//! - A stamp without a year is of the latest year in which it is not more than a day after [`Context::near`].
//! - Of three numbers with slashes the month comes first, unless that is no date, lies in the future, or the other
//!   way round lies within a day of [`Context::near`]; with points or dashes the day does.
//! - Numbers are seconds, milliseconds, microseconds or nanoseconds since 1970, by their magnitude.

mod civil;
mod clock;
mod forms;
mod scan;
mod zone;

pub(crate) use clock::{clock, clock_in_utc};
use event::{FUTURE_AFTER, Timestamp};
pub(crate) use forms::Form;

use self::{forms::read, scan::Scan};
use crate::{Context, cut};

/// A time stamp at the start of a line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp<'a> {
    /// The instant; None for what is no date or lies outside 1970 to 2262.
    pub(crate) at: Option<Timestamp>,
    pub(crate) form: Form,
    /// The stamp itself, without brackets.
    pub(crate) text: &'a str,
    /// What follows it, and the bracket that closes right behind it.
    pub(crate) rest: &'a str,
    /// A bracket opens before it and has not closed in front of `rest`.
    pub(crate) is_open: bool,
    pub(crate) names_zone: bool,
}

impl Stamp<'_> {
    /// Whether it names its distance to UTC in digits, as rsyslog and systemd write it.
    pub(crate) fn has_offset(&self) -> bool {
        let tail = self.text.as_bytes().get(19..).unwrap_or_default();
        tail.iter().any(|byte| matches!(byte, b'+' | b'-'))
    }
}

/// A time stamp that fills the whole text, in any form; also alone in brackets.
pub(crate) fn parse(text: &str, context: &Context<'_>) -> Option<Timestamp> {
    let text = cut::trim(text);
    // The hot form, which needs no zone.
    if text.ends_with('Z')
        && let Ok(timestamp) = Timestamp::parse(text)
    {
        return Some(timestamp);
    }
    if let Some(timestamp) = number(text) {
        return Some(timestamp);
    }
    let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    // Go adds its monotonic clock.
    let text = text.split_once(" m=").map_or(text, |(text, _)| text);
    let (civil, length, _) = read(text.as_bytes())?;
    if length == text.len() { civil.at(context) } else { None }
}

/// Decimal seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by magnitude. Digits below a
/// nanosecond are dropped.
pub(crate) fn number(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    if whole.len() > 19 {
        // Picoseconds: 19 digits are nanoseconds until 2262.
        return if whole.len() <= 22 { number(&whole[..19]) } else { None };
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

/// Whether a date and a time stand at the start of a text, in whatever form.
pub(crate) fn begins(text: &[u8]) -> bool {
    forms::begins(text)
}

/// The time stamp at the start of a text, in brackets or not, in whatever form. What follows it must not go on like
/// a word.
pub(crate) fn stamp<'a>(text: &'a str, context: &Context<'_>) -> Option<Stamp<'a>> {
    let (inner, is_bracketed) = match text.as_bytes().first()? {
        b'[' => (&text[1..], true),
        _ => (text, false),
    };
    let bytes = inner.as_bytes();
    let (at, length, form, names_zone) = match read(bytes) {
        Some((civil, length, form)) => (civil.at(context), length, form, civil.names_zone()),
        None => {
            let (at, length) = epoch(bytes, is_bracketed, context).or_else(|| tai64n(bytes))?;
            (Some(at), length, Form::Other, true)
        }
    };
    let (stamp, rest) = inner.split_at_checked(length)?;
    let closed = is_bracketed.then(|| rest.trim_start_matches(' ').strip_prefix(']')).flatten();
    let follows = matches!(
        rest.as_bytes().first(),
        None | Some(b' ' | b'\t' | b'|' | b',' | b':' | b']' | b'[' | b'-' | b';' | b')' | b'"')
    );
    if closed.is_none() && !follows {
        return None;
    }
    let is_open = is_bracketed && closed.is_none();
    Some(Stamp { at, form, text: stamp, rest: closed.unwrap_or(rest), is_open, names_zone })
}

/// Seconds since 1970 with a fraction of three, six or nine digits, or milliseconds: `1792706341.123`,
/// `1792706341123`; whole seconds only where they are recent, or alone in brackets. Times before 2000 and after 2100
/// are other numbers.
fn epoch(bytes: &[u8], is_bracketed: bool, context: &Context<'_>) -> Option<(Timestamp, usize)> {
    const CENTURY_NANOS: std::ops::Range<i64> = 946_684_800_000_000_000..4_102_444_800_000_000_000;
    const RECENT: std::time::Duration = std::time::Duration::from_secs(400 * 86_400);
    let scan = Scan::new(bytes);
    let whole = scan.run();
    let fraction = match bytes.get(whole) {
        Some(b'.') => Scan { bytes, at: whole + 1 }.run(),
        _ => 0,
    };
    let length = match (whole, fraction) {
        (10 | 13, 0) => whole,
        (10, 3 | 6 | 9) => whole + 1 + fraction,
        _ => return None,
    };
    let at = number(std::str::from_utf8(&bytes[..length]).ok()?)?;
    let latest = context.near.saturating_add(FUTURE_AFTER.as_nanos() as i64);
    let is_recent = at <= latest && at >= context.near.saturating_sub(RECENT);
    let is_alone = is_bracketed && bytes.get(length) == Some(&b']');
    let is_time = CENTURY_NANOS.contains(&at.as_nanos()) && (length > 10 || is_recent || is_alone);
    is_time.then_some((at, length))
}

/// `@400000004c91b044077a9e94` of multilog: TAI, reckoned as the machine's seconds since 1970 and ten.
fn tai64n(bytes: &[u8]) -> Option<(Timestamp, usize)> {
    const LENGTH: usize = 25;
    /// Seconds before 1970 are below this.
    const EPOCH: u64 = 1 << 62;
    let digits = bytes.strip_prefix(b"@")?.get(..LENGTH - 1).filter(|digits| digits.is_ascii())?;
    let digits = std::str::from_utf8(digits).ok()?;
    let seconds = u64::from_str_radix(&digits[..16], 16).ok()?.checked_sub(EPOCH + 10)?;
    let nanos = i64::from_str_radix(&digits[16..], 16).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    let at = i64::try_from(seconds).ok()?.checked_mul(1_000_000_000)?.checked_add(nanos)?;
    Timestamp::from_nanos(at).map(|at| (at, LENGTH))
}

/// `1117838570 2005.06.03` as the first or second word: seconds since 1970, and after them the day
/// that they lie in, in whatever zone, which tells them from any other number. And what follows them.
pub(crate) fn epoch_and_date(line: &str) -> Option<(Timestamp, &str)> {
    const HOUR_S: i64 = 3600;
    let is_epoch = |word: &str| word.len() == 10 && word.bytes().all(|byte| byte.is_ascii_digit());
    let (first, rest) = line.split_once(' ')?;
    let (epoch, rest) = if is_epoch(first) { (first, rest) } else { rest.split_once(' ')? };
    if !is_epoch(epoch) {
        return None;
    }
    let (date, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let mut scan = Scan::new(date.as_bytes());
    let year = scan.digits(4)?;
    let separator = scan.byte(|byte| matches!(byte, b'-' | b'/' | b'.'))?;
    let month = scan.two()?;
    scan.is(separator)?;
    let day = scan.two()?;
    if scan.peek().is_some_and(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let midnight = jiff::civil::Date::new(year, month, day).ok()?.at(0, 0, 0, 0);
    let midnight = jiff::tz::TimeZone::UTC.to_ambiguous_timestamp(midnight).compatible().ok()?.as_second();
    let seconds: i64 = epoch.parse().ok()?;
    // Zones lie from 12 hours behind UTC to 14 before it.
    let is_that_day = (midnight - 14 * HOUR_S..midnight + 36 * HOUR_S).contains(&seconds);
    let timestamp = is_that_day.then(|| Timestamp::from_integer(seconds)).flatten()?;
    Some((timestamp, rest))
}

#[cfg(test)]
mod tests;
