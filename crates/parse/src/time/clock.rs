//! Times of day without a date: the day is that of the lines before, of the file's name, or the latest that fits.

use event::Timestamp;
use jiff::{
    civil::{Date, Time},
    tz::TimeZone,
};

use super::{
    Form, Stamp,
    scan::{Clock, Scan},
};
use crate::{Context, before::Before};

/// A clock may be ahead of ours by so much.
const AHEAD_NANOS: i64 = 3_600_000_000_000;

/// A time of day with seconds at the start of a text, in brackets or not: `21:59:01.123`, `[9:59:01 PM]`.
pub(crate) fn clock<'a>(text: &'a str, context: &Context<'_>) -> Option<Stamp<'a>> {
    let (inner, is_bracketed) = match text.as_bytes().first()? {
        b'[' => (&text[1..], true),
        _ => (text, false),
    };
    let (clock, length) = read(inner)?;
    let (stamp, rest) = inner.split_at_checked(length)?;
    let rest = match is_bracketed {
        true => rest.strip_prefix(']')?,
        false => Some(rest).filter(|rest| rest.is_empty() || rest.starts_with([' ', '\t', ',', '|']))?,
    };
    let at = on_its_day(clock, context.zone, context)?;
    Some(Stamp { at: Some(at), form: Form::Other, text: stamp, rest, is_open: false, names_zone: false })
}

/// A time of day in UTC that fills the whole text.
pub(crate) fn clock_in_utc(text: &str, context: &Context<'_>) -> Option<Timestamp> {
    let (clock, length) = read(text)?;
    if length == text.len() { on_its_day(clock, &TimeZone::UTC, context) } else { None }
}

fn read(text: &str) -> Option<(Clock, usize)> {
    let mut scan = Scan::new(text.as_bytes());
    let clock = scan.clock()?;
    let colons = text.as_bytes()[..scan.at].iter().filter(|byte| **byte == b':').count();
    (colons >= 2).then_some((clock, scan.at))
}

fn on_its_day(clock: Clock, zone: &TimeZone, context: &Context<'_>) -> Option<Timestamp> {
    let Clock { hour, minute, second, nanos } = clock;
    let time = Time::new(hour, minute, second.min(59), nanos).ok()?;
    let on = |day: Date| {
        let at = zone.to_ambiguous_timestamp(day.to_datetime(time)).compatible().ok()?;
        Timestamp::from_jiff(at)
    };
    let around = |near: Timestamp| {
        let day = near.to_jiff().to_zoned(zone.clone()).date();
        [day.yesterday(), Ok(day), day.tomorrow()].into_iter().flatten().filter_map(on)
    };
    if let Some(before) = context.before.and_then(|before: &Before| before.time(context.received)) {
        return around(before).min_by_key(|at| at.as_nanos().abs_diff(before.as_nanos()));
    }
    if let Some(day) = context.file.and_then(day_of_name) {
        return on(day);
    }
    around(context.near).filter(|at| *at <= context.near.saturating_add(AHEAD_NANOS)).max()
}

/// The day in the name of a file: `app-2026-10-22.log`, `app.20261022`.
fn day_of_name(path: &str) -> Option<Date> {
    let name = path.rsplit(['/', '\\']).next()?.as_bytes();
    (0..name.len()).filter(|at| *at == 0 || !name[at - 1].is_ascii_digit()).find_map(|at| {
        let mut scan = Scan { bytes: name, at };
        let year = scan.digits(4).filter(|year| (1990..2100).contains(year))?;
        let separator = scan.byte(|byte| matches!(byte, b'-' | b'_' | b'.'));
        let month = scan.two()?;
        if let Some(separator) = separator {
            scan.is(separator)?;
        }
        let day = scan.two()?;
        let goes_on = scan.peek().is_some_and(|byte| byte.is_ascii_digit());
        if goes_on { None } else { Date::new(year, month, day).ok() }
    })
}
