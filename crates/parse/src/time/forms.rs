//! The forms of time stamps, told apart by their first bytes.

use super::{
    civil::{Civil, Day},
    scan::{Clock, Scan},
    zone,
};

/// What a form is used by, where that tells what may follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `2026-10-22T21:59:01`, with a `T`.
    Iso,
    /// `Oct 22 21:59:01`, of syslog.
    Syslog,
    /// Every other.
    Other,
}

/// The time stamp at the start of the bytes, its length and its form.
pub(super) fn read(bytes: &[u8]) -> Option<(Civil, usize, Form)> {
    let mut scan = Scan::new(bytes);
    let found = match bytes.first()? {
        b'0'..=b'9' => digits(&mut scan),
        byte if byte.is_ascii_alphabetic() => letters(&mut scan),
        _ => None,
    };
    let (civil, form) = found?;
    Some((civil, scan.at, form))
}

fn digits(scan: &mut Scan<'_>) -> Option<(Civil, Form)> {
    match scan.run() {
        4 => plain(scan).or_else(|| scan.maybe(year_first)).or_else(|| scan.maybe(year_and_name)),
        8 => scan.maybe(basic),
        6 => scan.maybe(two_numbers).or_else(|| scan.maybe(short_year)),
        1 | 2 => {
            scan.maybe(numbers).or_else(|| scan.maybe(day_and_name)).or_else(|| scan.maybe(month_and_day))
        }
        _ => None,
    }
}

/// Whether a date and a time stand at the start, in whatever form.
pub(super) fn begins(bytes: &[u8]) -> bool {
    plain_head(bytes).is_some() || read(bytes).is_some()
}

/// `2026-10-22T21:59:01` or `2026-10-22 21:59:01`, with which most stamps begin.
fn plain_head(bytes: &[u8]) -> Option<&[u8; 19]> {
    const FORM: [u8; 19] = *b"0000-00-00 00:00:00";
    let head = bytes.first_chunk()?;
    // All bytes at once cost less than a branch for each.
    let is_wrong = FORM.iter().zip(head).fold(false, |is_wrong, (form, byte)| {
        is_wrong
            | match form {
                b'0' => !byte.is_ascii_digit(),
                b' ' => !matches!(byte, b'T' | b't' | b' '),
                mark => byte != mark,
            }
    });
    (!is_wrong).then_some(head)
}

/// What [`year_first`] reads of a plain head.
fn plain(scan: &mut Scan<'_>) -> Option<(Civil, Form)> {
    let head = plain_head(scan.rest())?;
    let two = |at: usize| ((head[at] - b'0') * 10 + (head[at + 1] - b'0')) as i8;
    let year = i16::from(two(0)) * 100 + i16::from(two(2));
    let (day, mark) = (Day::Full(year, two(5), two(8)), head[10]);
    scan.at += head.len();
    let (nanos, hour) = (scan.fraction(), scan.half_of_day(two(11)));
    let clock = Clock { hour, minute: two(14), second: two(17), nanos };
    let form = if mark == b' ' { Form::Other } else { Form::Iso };
    Some((Civil { day, clock, zone: zone::zone(scan) }, form))
}

fn other(day: Day, clock: Clock, scan: &mut Scan<'_>) -> Option<(Civil, Form)> {
    Some((Civil { day, clock, zone: zone::zone(scan) }, Form::Other))
}

/// What stands between a date and a time of day: `T`, blanks, a tab, a comma, an underline, a dash or a colon.
fn between(scan: &mut Scan<'_>) -> Option<u8> {
    let byte = scan.byte(|byte| matches!(byte, b'T' | b't' | b' ' | b'\t' | b',' | b'_' | b'-' | b':'))?;
    if byte == b',' || byte == b' ' {
        let _ = scan.is(b' ');
    }
    if byte == b' ' {
        // `2022/02/07 - 10:49:33`.
        let _ = scan.text(b"- ");
    }
    Some(byte)
}

/// `2026-10-22T21:59:01.5+02:00`, also with a blank for `T`, other signs for `-`, and without an offset;
/// `2026-295T21:59:01Z`, the day of the year; `2026-Oct-22 21:59:01`.
fn year_first(scan: &mut Scan<'_>) -> Option<(Civil, Form)> {
    let year = scan.digits(4)?;
    let separator = scan.byte(|byte| matches!(byte, b'-' | b'/' | b'.' | b':'))?;
    let day = match scan.run() {
        3 if separator == b'-' => Day::OfYear(year, scan.digits(3)?),
        1 | 2 => {
            let month = scan.one_or_two()?;
            scan.is(separator)?;
            Day::Full(year, month, scan.one_or_two()?)
        }
        0 => {
            let month = scan.month()?;
            scan.is(separator)?;
            Day::Full(year, month, scan.one_or_two()?)
        }
        _ => return None,
    };
    let mark = between(scan)?;
    let clock = match scan.run() {
        6 if mark == b'T' => scan.compact_clock()?,
        _ => scan.clock()?,
    };
    let zone = zone::zone(scan);
    let form = if matches!(mark, b'T' | b't') { Form::Iso } else { Form::Other };
    Some((Civil { day, clock, zone }, form))
}

/// `2026 Oct 22 21:59:01`.
fn year_and_name(scan: &mut Scan<'_>) -> Option<(Civil, Form)> {
    let year = scan.digits(4)?;
    scan.is(b' ')?;
    let month = scan.month()?;
    scan.is(b' ')?;
    let day = scan.one_or_two()?;
    scan.is(b' ')?;
    let clock = scan.clock()?;
    other(Day::Full(year, month, day), clock, scan)
}

/// `20261022T215901Z`, `20261022 21:59:01`, `20261022-21:59:01:123`.
fn basic(scan: &mut Scan<'_>) -> Option<(Civil, Form)> {
    let day = Day::Full(scan.digits(4)?, scan.two()?, scan.two()?);
    let mark = between(scan)?;
    let clock = match scan.run() {
        4 | 6 if matches!(mark, b'T' | b't') => scan.compact_clock()?,
        6 => scan.compact_clock()?,
        _ => scan.clock()?,
    };
    other(day, clock, scan)
}

/// `261022 21:59:01`, as MySQL wrote it.
fn short_year(scan: &mut Scan<'_>) -> Option<(Civil, Form)> {
    let day = Day::Full(2000 + scan.digits(2)?, scan.two()?, scan.two()?);
    scan.is(b' ')?;
    let clock = scan.clock()?;
    other(day, clock, scan)
}

/// `081109 203518`, year first.
fn two_numbers(scan: &mut Scan<'_>) -> Option<(Civil, Form)> {
    let day = Day::Full(2000 + scan.digits(2)?, scan.two()?, scan.two()?);
    scan.is(b' ')?;
    let (hour, minute, second) = (scan.two()?, scan.two()?, scan.two()?);
    scan.peek().is_none_or(|byte| byte == b' ').then_some(())?;
    Some((Civil { day, clock: Clock { hour, minute, second, nanos: 0 }, zone: None }, Form::Other))
}

/// `10/22/2026 9:59:01 PM`, `22.10.2026 21:59:01`, `26/10/22 21:59:01`, `22/Oct/2026:21:59:01 +0000`,
/// `22-Oct-2026 21:59:01`. With points the day comes first, with dashes too unless it cannot.
fn numbers(scan: &mut Scan<'_>) -> Option<(Civil, Form)> {
    let first = i16::from(scan.one_or_two()?);
    let separator = scan.byte(|byte| matches!(byte, b'/' | b'.' | b'-'))?;
    if scan.peek().is_some_and(|byte| byte.is_ascii_alphabetic()) {
        let month = scan.month()?;
        scan.is(separator)?;
        let year = year(scan)?;
        let mark = between(scan)?;
        let _ = (mark == b',').then(|| scan.is(b' '));
        let clock = scan.clock()?;
        return other(Day::Full(year, month, first as i8), clock, scan);
    }
    let second = i16::from(scan.one_or_two()?);
    scan.is(separator)?;
    let third = match scan.run() {
        4 => scan.digits(4)?,
        2 => scan.digits(2)?,
        _ => return None,
    };
    between(scan)?;
    let clock = scan.clock()?;
    let long = if third < 100 { 2000 + third } else { third };
    let day = match separator {
        b'.' => Day::Full(long, second as i8, first as i8),
        b'-' if third >= 100 && second <= 12 => Day::Full(long, second as i8, first as i8),
        _ => Day::Numbers(first, second, third),
    };
    other(day, clock, scan)
}

fn year(scan: &mut Scan<'_>) -> Option<i16> {
    match scan.run() {
        4 => scan.digits(4),
        2 => scan.digits(2).map(|year| 2000 + year),
        _ => None,
    }
}

/// `22 Oct 2026 21:59:01`, `22 Oct 21:59:01`.
fn day_and_name(scan: &mut Scan<'_>) -> Option<(Civil, Form)> {
    let day = scan.one_or_two()?;
    scan.is(b' ')?;
    let month = scan.month()?;
    let _ = scan.is(b',');
    scan.is(b' ')?;
    let year = scan.maybe(|scan| {
        let year = year(scan)?;
        between(scan).filter(|mark| *mark != b':')?;
        Some(year)
    });
    let clock = scan.clock()?;
    other(year.map_or(Day::Yearless(month, day), |year| Day::Full(year, month, day)), clock, scan)
}

/// `10-22 21:59:01.123` of Android, `10.22 21:59:01`, `10/22 21:59:01`: month first.
fn month_and_day(scan: &mut Scan<'_>) -> Option<(Civil, Form)> {
    let month = scan.two()?;
    scan.byte(|byte| matches!(byte, b'-' | b'.' | b'/'))?;
    let day = scan.two()?;
    scan.is(b' ')?;
    let clock = scan.clock()?;
    other(Day::Yearless(month, day), clock, scan)
}

fn letters(scan: &mut Scan<'_>) -> Option<(Civil, Form)> {
    if scan.maybe(Scan::weekday).is_none() {
        return scan.maybe(name_first).or_else(|| scan.maybe(zone_first));
    }
    let _ = scan.is(b',');
    scan.is(b' ')?;
    if scan.peek()?.is_ascii_digit() {
        // `Thu 2026-10-22 21:59:01 UTC`, `Thu, 22 Oct 2026 21:59:01 GMT`, `Thursday, 22-Oct-26 21:59:01 GMT`.
        return digits(scan);
    }
    scan.maybe(name_first).map(|(civil, _)| (civil, Form::Other))
}

/// `Oct 22 21:59:01`, its day padded or not, of RFC 3164; a year may stand before or after the time of day, and so
/// may a zone: `Oct 22 21:59:01 UTC 2026`, `Oct 22 2026 21:59:01 GMT+0200`, `October 22, 2026 9:59:01 PM`.
fn name_first(scan: &mut Scan<'_>) -> Option<(Civil, Form)> {
    let month = scan.month()?;
    scan.is(b' ')?;
    let day = scan.one_or_two()?;
    let comma = scan.is(b',').is_some();
    scan.is(b' ')?;
    let early_year = scan.maybe(|scan| {
        let year = (scan.run() == 4).then(|| scan.digits(4))??;
        let comma = scan.is(b',').is_some();
        let _ = scan.text(b" at");
        scan.is(b' ').or(comma.then_some(()))?;
        Some(year)
    });
    let clock = scan.clock()?;
    let mut zone = zone::zone(scan);
    let late_year = early_year.is_none().then(|| {
        scan.maybe(|scan| {
            scan.is(b' ')?;
            let year = (scan.run() == 4).then(|| scan.digits(4))??;
            let follows = scan
                .peek()
                .is_none_or(|byte| matches!(byte, b' ' | b']' | b':' | b'\t' | b'|' | b',' | b')'));
            // `2001:db8::7` is an address.
            let is_address = scan.peek() == Some(b':')
                && scan.rest().get(1).is_some_and(|next| next.is_ascii_hexdigit() || *next == b':');
            (follows && !is_address && (1970..2262).contains(&year)).then_some(year)
        })
    });
    let year = early_year.or(late_year.flatten());
    if zone.is_none() && late_year.flatten().is_some() {
        zone = zone::zone(scan);
    }
    let form = if comma { Form::Other } else { Form::Syslog };
    let day = year.map_or(Day::Yearless(month, day), |year| Day::Full(year, month, day));
    Some((Civil { day, clock, zone }, form))
}

/// `CEST Aug  6 10:14:52`.
fn zone_first(scan: &mut Scan<'_>) -> Option<(Civil, Form)> {
    let named = scan.maybe(zone::leading)?;
    scan.is(b' ')?;
    let (civil, _) = name_first(scan)?;
    Some((Civil { zone: Some(named), ..civil }, Form::Other))
}
