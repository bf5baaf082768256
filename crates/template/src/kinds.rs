//! Recognisers of typed values at a place in a text. Each returns the end of what it recognised.

/// What a byte can be part of; see [`CLASS`].
pub(crate) const DIGIT: u8 = 1;
pub(crate) const LOWER: u8 = 2;
pub(crate) const UPPER: u8 = 4;
/// A letter a-f or A-F.
pub(crate) const HEX: u8 = 8;
/// A byte of a multi-byte character.
pub(crate) const WIDE: u8 = 16;
/// `.`, `/`, `@` and `\`, which names, paths and addresses are joined by.
pub(crate) const JOINT: u8 = 32;
/// Other bytes that may stand inside a word.
pub(crate) const MARK: u8 = 64;

pub(crate) const ALPHA: u8 = LOWER | UPPER;
pub(crate) const ALNUM: u8 = DIGIT | LOWER | UPPER;
/// A letter or digit of any script.
pub(crate) const WORD: u8 = ALNUM | WIDE;
/// A hexadecimal digit.
pub(crate) const HEXDIGIT: u8 = DIGIT | HEX;

/// The class of every byte; 0 separates words.
pub(crate) const CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'f' => LOWER | HEX,
            b'g'..=b'z' => LOWER,
            b'A'..=b'F' => UPPER | HEX,
            b'G'..=b'Z' => UPPER,
            b'.' | b'/' | b'@' | b'\\' => JOINT,
            b'_' | b'-' | b'+' | b'$' | b'%' | b'~' | b'&' | b'!' | b'?' | b'^' | b'*' | b'#' | b'`' => MARK,
            0x80.. => WIDE,
            _ => 0,
        };
        byte += 1;
    }
    table
};

#[inline]
pub(crate) fn class(text: &[u8], at: usize) -> u8 {
    match text.get(at) {
        Some(&byte) => CLASS[byte as usize],
        None => 0,
    }
}

#[inline]
fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(0)
}

/// The end of a run of bytes of some class.
#[inline]
pub(crate) fn run(text: &[u8], start: usize, mask: u8) -> usize {
    let mut end = start;
    while class(text, end) & mask != 0 {
        end += 1;
    }
    end
}

fn digits(text: &[u8], start: usize, at_least: usize, at_most: usize) -> Option<usize> {
    let end = run(text, start, DIGIT);
    (at_least..=at_most).contains(&(end - start)).then_some(end)
}

/// 8-4-4-4-12 hexadecimal digits.
pub(crate) fn uuid(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    for (group, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if group > 0 {
            if byte(text, at) != b'-' {
                return None;
            }
            at += 1;
        }
        let end = run(text, at, HEXDIGIT);
        if end - at != length {
            return None;
        }
        at = end;
    }
    (class(text, at) & ALNUM == 0).then_some(at)
}

/// Four decimal numbers up to 255.
pub(crate) fn ipv4(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    for group in 0..4 {
        if group > 0 {
            if byte(text, at) != b'.' {
                return None;
            }
            at += 1;
        }
        let end = digits(text, at, 1, 3)?;
        if end - at == 3 && &text[at..end] > b"255" {
            return None;
        }
        at = end;
    }
    let more = byte(text, at) == b'.' && class(text, at + 1) & ALNUM != 0;
    (class(text, at) & WORD == 0 && !matches!(byte(text, at), b'_' | b'-') && !more).then_some(at)
}

/// Eight groups of hexadecimal digits between colons, or fewer with one `::`; at least two colons.
pub(crate) fn ipv6(text: &[u8], start: usize) -> Option<usize> {
    let (mut at, mut groups, mut gap) = (start, 0, false);
    if byte(text, at) == b':' {
        if byte(text, at + 1) != b':' {
            return None;
        }
        gap = true;
        at += 2;
    }
    loop {
        let end = run(text, at, HEXDIGIT);
        if end == at || end - at > 4 || class(text, end) & WORD != 0 {
            break;
        }
        if (gap || groups == 6)
            && let Some(end) = ipv4(text, at)
        {
            groups += 2;
            at = end;
            break;
        }
        groups += 1;
        at = end;
        if groups == 8 || byte(text, at) != b':' {
            break;
        }
        if byte(text, at + 1) == b':' {
            if gap {
                break;
            }
            gap = true;
            at += 2;
        } else if class(text, at + 1) & HEXDIGIT != 0 {
            at += 1;
        } else {
            break;
        }
    }
    let more = matches!(byte(text, at), b':' | b'.') && class(text, at + 1) & ALNUM != 0;
    let closed = class(text, at) & WORD == 0 && !more;
    (closed && (groups == 8 || gap && (1..8).contains(&groups)) && byte(text, at.wrapping_sub(1)) != b':')
        .then_some(at)
}

/// Six pairs of hexadecimal digits between colons or dashes.
pub(crate) fn mac(text: &[u8], start: usize) -> Option<usize> {
    let mark = byte(text, start + 2);
    if !matches!(mark, b':' | b'-') {
        return None;
    }
    for group in 0..6 {
        let at = start + group * 3;
        if run(text, at, HEXDIGIT) != at + 2 || group < 5 && byte(text, at + 2) != mark {
            return None;
        }
    }
    let end = start + 17;
    (class(text, end) & ALNUM == 0 && byte(text, end) != mark).then_some(end)
}

/// `12:34`, `12:34:56`, with a fraction, `Z` or an offset.
pub(crate) fn clock(text: &[u8], start: usize) -> Option<usize> {
    let hour = digits(text, start, 1, 2)?;
    if byte(text, hour) != b':' {
        return None;
    }
    let mut end = digits(text, hour + 1, 2, 2)?;
    if byte(text, hour + 1) > b'5' {
        return None;
    }
    if byte(text, end) == b':'
        && let Some(second) = digits(text, end + 1, 2, 2)
    {
        if byte(text, end + 1) > b'6' {
            return None;
        }
        end = second;
        if matches!(byte(text, end), b'.' | b',')
            && let Some(fraction) = digits(text, end + 1, 1, 9)
        {
            end = fraction;
        }
    }
    if byte(text, end) == b'Z' {
        end += 1;
    } else if matches!(byte(text, end), b'+' | b'-')
        && let Some(offset) = digits(text, end + 1, 2, 4)
    {
        end = offset;
        if byte(text, end) == b':' {
            end = digits(text, end + 1, 2, 2).unwrap_or(end);
        }
    }
    let open = byte(text, end) == b':' && class(text, end + 1) & WORD != 0;
    (class(text, end) & WORD == 0 && !open).then_some(end)
}

fn month(text: &[u8], at: usize) -> bool {
    let Some(name) = text.get(at..at + 3) else { return false };
    const NAMES: [&[u8; 3]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    NAMES.iter().any(|known| *known == name)
}

fn weekday(text: &[u8], at: usize) -> bool {
    let Some(name) = text.get(at..at + 3) else { return false };
    const NAMES: [&[u8; 3]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
    NAMES.iter().any(|known| *known == name)
}

fn spaces(text: &[u8], start: usize) -> Option<usize> {
    let mut end = start;
    while byte(text, end) == b' ' && end - start < 2 {
        end += 1;
    }
    (end > start).then_some(end)
}

/// A date in digits (`2015-07-29`, `2005.11.09`, `29/07/2015`), with a time of day behind it if there
/// is one; or a time of day alone; or `29/Jul/2015:17:41:44 +0000`.
pub(crate) fn digit_time(text: &[u8], start: usize) -> Option<usize> {
    if let Some(end) = clock(text, start) {
        return Some(end);
    }
    let first = run(text, start, DIGIT);
    let mark = byte(text, first);
    if !matches!(mark, b'-' | b'/' | b'.' | b' ') {
        return None;
    }
    let end = if matches!(mark, b'/' | b'-' | b' ') && first - start <= 2 && month(text, first + 1) {
        if byte(text, first + 4) != mark {
            return None;
        }
        let end = digits(text, first + 5, 2, 4)?;
        // The access log's form joins date and time with a colon.
        if byte(text, end) == b':'
            && let Some(time) = clock(text, end + 1)
        {
            return Some(zone(text, time));
        }
        end
    } else {
        if mark == b' ' {
            return None;
        }
        let second = digits(text, first + 1, 1, 2)?;
        if (first - start, second - first) == (2, 3) && byte(text, second) != mark {
            // `03-17` counts as a date only in front of a time of day.
            return clock(text, spaces(text, second)?);
        }
        if byte(text, second) != mark {
            return None;
        }
        match first - start {
            4 => digits(text, second + 1, 1, 2)?,
            1 | 2 if mark != b'.' || second - first == 3 => digits(text, second + 1, 4, 4)?,
            _ => return None,
        }
    };
    if matches!(byte(text, end), b'T' | b't' | b' ' | b'-' | b'_')
        && let Some(time) = clock(text, end + 1)
    {
        return Some(zone(text, time));
    }
    (class(text, end) & WORD == 0 && !(byte(text, end) == b'.' && class(text, end + 1) & ALNUM != 0))
        .then_some(end)
}

/// An offset or `UTC` behind a time.
fn zone(text: &[u8], end: usize) -> usize {
    if byte(text, end) == b' '
        && matches!(byte(text, end + 1), b'+' | b'-')
        && let Some(offset) = digits(text, end + 2, 4, 4)
        && class(text, offset) & (ALNUM | MARK) == 0
    {
        return offset;
    }
    end
}

/// `Jun 14 15:16:01`, `Sat Jun 18 02:23:10 2005`: a date that begins with a name.
pub(crate) fn name_time(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    if weekday(text, at) {
        at += 3;
        if byte(text, at) == b',' {
            at += 1;
        }
        at = spaces(text, at)?;
        if class(text, at) & DIGIT != 0 {
            return digit_time(text, at);
        }
    }
    if !month(text, at) {
        return None;
    }
    let day = digits(text, spaces(text, at + 3)?, 1, 2)?;
    let year = |end: usize| {
        let Some(year) = spaces(text, end).and_then(|at| digits(text, at, 4, 4)) else { return end };
        let plausible =
            matches!(&text[year - 4..year - 2], b"19" | b"20") && class(text, year) & (ALNUM | MARK) == 0;
        if plausible { year } else { end }
    };
    let Some(mut end) = spaces(text, day).and_then(|at| clock(text, at)) else {
        let dated = year(day);
        return (dated > day).then_some(dated);
    };
    // `EST` and the like between the time and the year.
    if let Some(zone) = spaces(text, end) {
        let behind = run(text, zone, UPPER);
        if (3..=4).contains(&(behind - zone)) && year(behind) > behind {
            end = behind;
        }
    }
    Some(year(end))
}

/// A path or URL: up to white space, quotes, brackets or a separator.
pub(crate) fn path_end(text: &[u8], start: usize, url: bool) -> usize {
    let mut end = start;
    let mut query = false;
    while let Some(&byte) = text.get(end) {
        match byte {
            b'?' => query = true,
            b'=' | b';' if query => {}
            b':' if url => {}
            b',' if query => {}
            _ if CLASS[byte as usize] == 0 => break,
            _ => {}
        }
        end += 1;
    }
    while end > start + 1 && matches!(text[end - 1], b'.' | b':' | b'!' | b',' | b'?') {
        end -= 1;
    }
    end
}

const TOP: [&[u8]; 30] = [
    b"com",
    b"net",
    b"org",
    b"edu",
    b"gov",
    b"mil",
    b"int",
    b"info",
    b"biz",
    b"io",
    b"dev",
    b"app",
    b"arpa",
    b"local",
    b"localdomain",
    b"lan",
    b"internal",
    b"cn",
    b"de",
    b"uk",
    b"jp",
    b"fr",
    b"ru",
    b"nl",
    b"tw",
    b"br",
    b"in",
    b"us",
    b"eu",
    b"hk",
];

/// Whether a word of letters, digits, dots and dashes names a host: two dots at least and lower case
/// throughout, or one and a well-known ending; no empty label.
pub(crate) fn host(word: &[u8]) -> bool {
    let (mut labels, mut length, mut last) = (1, 0, 0);
    for (at, &byte) in word.iter().enumerate() {
        match byte {
            b'.' => {
                if length == 0 {
                    return false;
                }
                labels += 1;
                length = 0;
                last = at + 1;
            }
            b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' => length += 1,
            _ => return false,
        }
    }
    let ending = &word[last..];
    if labels < 2 || length < 2 || !ending.iter().all(u8::is_ascii_lowercase) {
        return false;
    }
    TOP.contains(&ending)
        || labels > 2 && length <= 3 && !matches!(ending, b"so" | b"log" | b"txt" | b"gz" | b"xml")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much of a text each kind takes from its beginning, if it stands there: as a text of its own, and further on
    /// in another.
    fn check(kind: impl Fn(&[u8], usize) -> Option<usize>, cases: &[(&str, Option<&str>)]) {
        for (text, expected) in cases {
            for before in ["", "It is 12: "] {
                let whole = format!("{before}{text}");
                let found = kind(whole.as_bytes(), before.len()).and_then(|end| whole.get(before.len()..end));
                assert_eq!(found, *expected, "{whole}");
            }
        }
    }

    /// That each text is one of a kind as a whole, and what follows it is no part of it.
    fn check_whole(kind: impl Fn(&[u8], usize) -> Option<usize>, texts: &[&str]) {
        for text in texts {
            check(
                &kind,
                &[(text, Some(text)), (&format!("{text} x"), Some(text)), (&format!("{text})"), Some(text))],
            );
        }
    }

    /// That no kind stands at the beginning of each.
    fn check_none(kind: impl Fn(&[u8], usize) -> Option<usize>, texts: &[&str]) {
        for text in texts {
            check(&kind, &[(text, None), (&format!("{text} x"), None)]);
        }
    }

    #[test]
    fn hardware_addresses_end_where_they_must() {
        check(
            mac,
            &[
                ("00:1a:2B:3c:4d:5e", Some("00:1a:2B:3c:4d:5e")),
                ("00-1a-2b-3c-4d-5e.", Some("00-1a-2b-3c-4d-5e")),
                ("00:1a:2b:3c:4d:5e-", Some("00:1a:2b:3c:4d:5e")),
                ("00:1a:2b:3c:4d:5e:6f", None),
                ("00-1a-2b-3c-4d-5e-6f", None),
                ("00:1a:2b:3c:4d:5ef", None),
                ("00:1a:2b:3c:4d:5ex", None),
                ("00:1a-2b:3c:4d:5e", None),
                ("00:1a:2b:3c:4d", None),
                ("00:1a:2b:3c:4g:5e", None),
                ("0:1a:2b:3c:4d:5e", None),
                ("00.1a.2b.3c.4d.5e", None),
            ],
        );
    }

    #[test]
    fn uuids_end_where_they_must() {
        const UUID: &str = "123e4567-e89b-12d3-A456-426614174000";
        check_whole(uuid, &[UUID]);
        check(
            uuid,
            &[("123e4567-e89b-12d3-a456-426614174000.", Some("123e4567-e89b-12d3-a456-426614174000"))],
        );
        for at in 0..UUID.len() {
            // One sign less, one more, and another one.
            let (before, behind) = (&UUID[..at], &UUID[at + 1..]);
            for changed in [
                format!("{before}{behind}"),
                format!("{before}0{}", &UUID[at..]),
                format!("{before}g{behind}"),
            ] {
                check_none(uuid, &[&changed]);
            }
        }
        check_none(uuid, &["123e4567-e89b-12d3-a456-426614174000g", "123e4567_e89b_12d3_a456_426614174000"]);
    }

    #[test]
    fn addresses_of_four_numbers_end_where_they_must() {
        check_whole(ipv4, &["10.0.0.1", "255.255.255.255", "0.0.0.0", "99.199.200.249"]);
        check(
            ipv4,
            &[
                ("1.2.3.4.", Some("1.2.3.4")),
                ("1.2.3.4. Then", Some("1.2.3.4")),
                ("1.2.3.4:80", Some("1.2.3.4")),
                ("1.2.3.4/24", Some("1.2.3.4")),
            ],
        );
        check_none(
            ipv4,
            &[
                "256.0.0.1",
                "1.2.3.256",
                "1.300.3.4",
                "1.2.3",
                "1.2.3.",
                "1.2..3",
                "1.2.3.4.5",
                "1.2.3.4.x",
                "1,2,3,4",
                "0001.2.3.4",
                "1.2.3.4x",
                "1.2.3.4é",
                "1.2.3.4_a",
                "1.2.3.4-5",
                "x.2.3.4",
                "",
            ],
        );
    }

    #[test]
    fn addresses_of_eight_groups_end_where_they_must() {
        check_whole(
            ipv6,
            &[
                "::1",
                "fe80::1",
                "2001:DB8:0:0:0:0:0:1",
                "1:2:3:4:5:6:7:8",
                "1::8",
                "::2:3:4:5:6:7:8",
                "1::3:4:5:6:7:8",
                "1:2:3:4:5:6::8",
                "::ffff:10.0.0.1",
                "::10.0.0.1",
                "64:ff9b::10.0.0.1",
                "1:2:3:4:5:6:10.0.0.1",
                "abcd::ef01",
            ],
        );
        check(
            ipv6,
            &[
                ("fe80::1%eth0", Some("fe80::1")),
                ("fe80::1/64", Some("fe80::1")),
                ("::1:", Some("::1")),
                ("::1: up", Some("::1")),
                ("fe80::1.", Some("fe80::1")),
                ("::1. Then", Some("::1")),
                ("::ffff:10.0.0.1.", Some("::ffff:10.0.0.1")),
            ],
        );
        check_none(
            ipv6,
            &[
                "",
                ":",
                "::",
                ":1",
                "1",
                "a:b",
                "fe80:",
                "fe80::",
                "a::x",
                "::1:g",
                "::1g",
                "::1é",
                "12345::1",
                "::12345",
                "1:2:3:4:5:6:7",
                "1:2:3:4:5:6:7:8:9",
                "1:2:3:4:5:10.0.0.1",
                "1:2:3:4:5:6:7:8x",
                "1:2:3:4:5:6:10.0.0.256",
                "fe80::1.5",
                "::1.5",
            ],
        );
    }

    #[test]
    fn times_of_day_end_where_they_must() {
        check_whole(
            clock,
            &[
                "12:34",
                "2:34",
                "00:00",
                "12:59:60",
                "2:34:56.789Z",
                "12:34Z",
                "12:34:56,7",
                "12:34:56.123456789",
                "12:34:56+02",
                "12:34:56+0200",
                "12:34:56,789-02:00",
                "12:34-03:30",
                "12:34:56.789+02:00",
            ],
        );
        check(
            clock,
            &[
                ("12:34:", Some("12:34")),
                ("12:34: up", Some("12:34")),
                ("12:34.5", Some("12:34")),
                ("12:34:56.", Some("12:34:56")),
                ("12:34:56.1234567890", Some("12:34:56")),
                ("12:34-5", Some("12:34")),
                ("12:34+02000", Some("12:34")),
                ("12:34+02:", Some("12:34+02")),
            ],
        );
        check_none(
            clock,
            &[
                "",
                "12",
                "12:",
                "12:3",
                "12:345",
                "12:60",
                "12:74",
                "12:34:71",
                "12:34:5",
                "12:34:567",
                "123:45",
                "12.34",
                "x2:34",
                "12:34x",
                "12:34Zx",
                "12:34é",
                "12:34:x",
                "12:34:é",
                "12:34+02:0",
            ],
        );
    }

    #[test]
    fn dates_end_where_they_must() {
        check_whole(
            digit_time,
            &[
                "12:34:56",
                "2024-05-01",
                "2024-5-1",
                "2015/07/29",
                "2005.11.09",
                "29/07/2015",
                "29-07-2015",
                "1/5/2024",
                "01.05.2024",
                "1.05.2024",
                "2024-05-01T12:34:56Z",
                "2024-05-01t12:34",
                "2024-05-01 12:34:56,789",
                "2024-05-01-12:34",
                "2024-05-01_12:34:56",
                "2024-05-01 12:34:56 +0000",
                "2024-05-01 12:34:56 -0330",
                "01/May/2024",
                "1/May/24",
                "01/May/2024:12:34:56",
                "01/May/2024:12:34:56 +0200",
                "01-May-2024 12:34:56",
                "01 May 2024",
                "5 May 2024 12:34",
                "03-17 12:34:56.789",
                "03/17  12:34",
            ],
        );
        check(
            digit_time,
            &[
                ("2024-05-01. Then", Some("2024-05-01")),
                ("2024-05-01 +0000", Some("2024-05-01")),
                ("2024-05-01 12:34:56 +000", Some("2024-05-01 12:34:56")),
                ("2024-05-01 12:34:56 +00000", Some("2024-05-01 12:34:56")),
                ("2024-05-01 12:34:56 +0000x", Some("2024-05-01 12:34:56")),
                ("2024-05-01 12:34:56 +0000_", Some("2024-05-01 12:34:56")),
                ("2024-05-01 12:34:56 0000", Some("2024-05-01 12:34:56")),
                ("2024-05-01 12:34:56  +0000", Some("2024-05-01 12:34:56")),
                ("01/May/2024: up", Some("01/May/2024")),
            ],
        );
        check_none(
            digit_time,
            &[
                "",
                "5",
                "5 apples",
                "5 Mai 2024",
                "2024-05-01.log",
                "2024-05-01x",
                "2024-05-01é",
                "2024-05-01x12:34",
                "2024-05-001",
                "2024-005-01",
                "12345-05-01",
                "215-05-01",
                "15-05-24",
                "15-05-20244",
                "1.5.2024",
                "2024-05/01",
                "29-07/2015",
                "01/May-2024",
                "01/May/5",
                "01/May/20244",
                "101/May/2024",
                "01/MAY/2024",
                "03-17",
                "03-17x",
                "03-17 x",
                "03-17   12:34",
                "3-17 12:34",
                "03-7 12:34",
                "2024,05,01",
                "2024-05",
            ],
        );
    }

    #[test]
    fn dates_that_begin_with_a_name_end_where_they_must() {
        check_whole(
            name_time,
            &[
                "Jun 14 15:16:01",
                "Jun  4 15:16:01",
                "Jun 14 15:16:01 2005",
                "Jun 14 2005",
                "Jun 4 1999",
                "Jun 14 15:16:01 EST 2005",
                "Jun 14 15:16:01 CEST 2005",
                "Sat Jun 18 02:23:10 2005",
                "Sat  Jun 18 02:23",
                "Sat, Jun 18 02:23",
                "Sat, 18 Jun 2005 02:23:10",
                "Sat, 18 Jun 2005 02:23:10 +0000",
                "Sat 2005-06-18",
            ],
        );
        check(
            name_time,
            &[
                ("Jun 14 15:16:01 EST", Some("Jun 14 15:16:01")),
                ("Jun 14 15:16:01 ES 2005", Some("Jun 14 15:16:01")),
                ("Jun 14 15:16:01 ABCDE 2005", Some("Jun 14 15:16:01")),
                ("Jun 14 15:16:01 2005x", Some("Jun 14 15:16:01")),
                ("Jun 14 15:16:01 2005-", Some("Jun 14 15:16:01")),
                ("Jun 14 15:16:01 1850", Some("Jun 14 15:16:01")),
                ("Jun 14 15:16:01 20055", Some("Jun 14 15:16:01")),
                ("Jun 14 2005 15:16:01", Some("Jun 14 2005")),
            ],
        );
        check_none(
            name_time,
            &[
                "",
                "Jun",
                "Jun 14",
                "Jun 14 1850",
                "Jun 14 2105",
                "Jun 14 20051",
                "Jun 14x",
                "Jun 114 15:16",
                "Jun   4 15:16",
                "Jun14 15:16",
                "Foo 14 15:16",
                "JUN 14 15:16",
                "Sat",
                "Sat 14",
                "SatJun 14 15:16",
                "Sat;Jun 14 15:16",
                "Sat, up",
            ],
        );
        for month in ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] {
            check_whole(name_time, &[&format!("{month} 1 00:00")]);
            check_whole(digit_time, &[&format!("1/{month}/2024")]);
        }
        for day in ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] {
            check_whole(name_time, &[&format!("{day} Jan 1 00:00")]);
        }
    }

    #[test]
    fn paths_end_where_they_must() {
        check(
            |text, start| Some(path_end(text, start, false)),
            &[
                ("/var/log/x.log, then", Some("/var/log/x.log")),
                ("/a.", Some("/a")),
                ("/a?!", Some("/a")),
                ("/a...", Some("/a")),
                ("/a?b=c;d,e f", Some("/a?b=c;d,e")),
                ("/a?b=c, then", Some("/a?b=c")),
                ("/a=b", Some("/a")),
                ("/a;b", Some("/a")),
                ("/a,b", Some("/a")),
                ("/a:b", Some("/a")),
                ("/a(b", Some("/a")),
                ("/", Some("/")),
                (".", Some(".")),
            ],
        );
        check(
            |text, start| Some(path_end(text, start, true)),
            &[
                ("http://h:80/x) then", Some("http://h:80/x")),
                ("http://h:80/x: then", Some("http://h:80/x")),
                ("http://h/x?a=b:c", Some("http://h/x?a=b:c")),
            ],
        );
    }

    #[test]
    fn names_of_hosts_are_told_from_other_words() {
        for name in [
            "example.com",
            "a.example.com",
            "db1.local",
            "my-host.dev",
            "x_y.org",
            "a.b.cz",
            "a.b.edu",
            "a.b.info",
            "1.example.com",
            "a.b.c.xyz",
        ] {
            assert!(host(name.as_bytes()), "{name}");
        }
        for word in [
            "",
            "com",
            "example",
            ".com",
            "a..com",
            "example.com.",
            "Example.com",
            "example.Com",
            "foo.bar",
            "foo.cz",
            "a.b.name",
            "a.b.x1",
            "a.b.c",
            "a.b.so",
            "a.b.log",
            "a.b.txt",
            "a.b.gz",
            "a.b.xml",
            "10.0.0.1",
            "a b.com",
            "a.co-m",
        ] {
            assert!(!host(word.as_bytes()), "{word}");
        }
    }
}
