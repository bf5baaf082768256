//! Zones as time stamps name them.

use jiff::tz::TimeZone;

use super::scan::Scan;

/// What a time stamp says of its zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Zone {
    /// Seconds before UTC.
    Offset(i32),
    /// An abbreviation, and what it means unless the zone of the reader knows it.
    Abbreviation(&'static str, i32),
    /// By its name in the zone database.
    Named(TimeZone),
}

/// Abbreviations and their minutes before UTC. Those that several zones share mean what most who write them
/// mean: CST, EST, MST and AST are North American, IST is India's, BST is British Summer Time. A reader whose own
/// zone uses the same abbreviation (Asia/Shanghai has CST) is taken at its word first.
const ABBREVIATIONS: [(&str, i32); 76] = [
    ("CEST", 120),
    ("CET", 60),
    ("EST", -300),
    ("EDT", -240),
    ("CST", -360),
    ("CDT", -300),
    ("MST", -420),
    ("MDT", -360),
    ("PST", -480),
    ("PDT", -420),
    ("BST", 60),
    ("IST", 330),
    ("EET", 120),
    ("EEST", 180),
    ("MSK", 180),
    ("JST", 540),
    ("KST", 540),
    ("WET", 0),
    ("WEST", 60),
    ("MET", 60),
    ("MEST", 120),
    ("MEZ", 60),
    ("MESZ", 120),
    ("AKST", -540),
    ("AKDT", -480),
    ("HST", -600),
    ("HDT", -540),
    ("AST", -240),
    ("ADT", -180),
    ("NST", -210),
    ("NDT", -150),
    ("BRT", -180),
    ("BRST", -120),
    ("CLT", -240),
    ("CLST", -180),
    ("COT", -300),
    ("PET", -300),
    ("VET", -240),
    ("UYT", -180),
    ("PYT", -180),
    ("ECT", -300),
    ("WAT", 60),
    ("CAT", 120),
    ("EAT", 180),
    ("SAST", 120),
    ("IDT", 180),
    ("TRT", 180),
    ("MSD", 240),
    ("SAMT", 240),
    ("GST", 240),
    ("PKT", 300),
    ("UZT", 300),
    ("YEKT", 300),
    ("NPT", 345),
    ("OMST", 360),
    ("NOVT", 420),
    ("KRAT", 420),
    ("ICT", 420),
    ("WIB", 420),
    ("WITA", 480),
    ("HKT", 480),
    ("SGT", 480),
    ("PHT", 480),
    ("MYT", 480),
    ("IRKT", 480),
    ("AWST", 480),
    ("YAKT", 540),
    ("VLAT", 600),
    ("AEST", 600),
    ("AEDT", 660),
    ("ACST", 570),
    ("ACDT", 630),
    ("NZST", 720),
    ("NZDT", 780),
    ("UT", 0),
    ("SST", -660),
];

/// The last letters of these.
const LAST_LETTERS: [bool; 256] = {
    let mut letters = [false; 256];
    let mut at = 0;
    while at < ABBREVIATIONS.len() {
        let name = ABBREVIATIONS[at].0.as_bytes();
        letters[name[name.len() - 1] as usize] = true;
        at += 1;
    }
    letters
};

/// The zone after a time of day: `Z`, `+02:00`, `+0200`, `+02`, `UTC`, `GMT+3`, `CEST`, `Europe/Berlin`, also in
/// brackets, a blank before it or not. Of an offset with a name, as Go and Java write it, the offset counts.
pub(super) fn zone(scan: &mut Scan<'_>) -> Option<Zone> {
    let blank = usize::from(scan.peek() == Some(b' '));
    // Nearly always none follows.
    match scan.rest().get(blank..)? {
        [b'A'..=b'Z' | b'z' | b'[', ..] | [b'+' | b'-', b'0'..=b'9', ..] => {}
        _ => return None,
    }
    scan.maybe(|scan| {
        let blank = scan.is(b' ').is_some();
        if let Some(offset) = scan.maybe(|scan| {
            let offset = offset(scan)?;
            scan.ends()?;
            Some(offset)
        }) {
            repeated(scan);
            return Some(Zone::Offset(offset));
        }
        if let Some(named) = scan.maybe(universal) {
            repeated(scan);
            return Some(Zone::Offset(named));
        }
        if let Some(named) = scan.maybe(bracketed).or_else(|| scan.maybe(database)) {
            return Some(Zone::Named(named));
        }
        let (name, minutes) = scan.maybe(abbreviation).filter(|_| blank)?;
        Some(Zone::Abbreviation(name, minutes * 60))
    })
}

/// A zone that stands before the date: `CEST Aug  6 10:14:52`.
pub(super) fn leading(scan: &mut Scan<'_>) -> Option<Zone> {
    let (name, minutes) = abbreviation(scan)?;
    Some(Zone::Abbreviation(name, minutes * 60))
}

/// `+02:00`, `+0200`, `+02`, `Z`: seconds before UTC.
fn offset(scan: &mut Scan<'_>) -> Option<i32> {
    if scan.byte(|byte| byte == b'Z' || byte == b'z').is_some() {
        return Some(0);
    }
    let sign = if scan.byte(|byte| byte == b'+' || byte == b'-')? == b'-' { -1 } else { 1 };
    let hours = i32::from(scan.two()?);
    let colon = scan.is(b':').is_some();
    let minutes = match scan.two() {
        Some(minutes) => i32::from(minutes),
        None if colon => return None,
        None => 0,
    };
    (hours <= 15 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// `UTC`, `GMT`, and what may follow it: `GMT+0300`, `UTC-5`.
fn universal(scan: &mut Scan<'_>) -> Option<i32> {
    scan.text(b"UTC").or_else(|| scan.text(b"GMT"))?;
    let further = scan.maybe(|scan| {
        let one_digit = scan.rest().get(1).is_some_and(u8::is_ascii_digit)
            && !scan.rest().get(2).is_some_and(u8::is_ascii_digit);
        if !one_digit {
            return offset(scan);
        }
        let sign = if scan.byte(|byte| byte == b'+' || byte == b'-')? == b'-' { -1 } else { 1 };
        scan.digits(1).map(|hours| sign * i32::from(hours) * 3600)
    });
    scan.ends()?;
    Some(further.unwrap_or_default())
}

/// A name after an offset: ` CEST`, ` UTC`, ` (Central European Summer Time)`, `[Europe/Berlin]`.
fn repeated(scan: &mut Scan<'_>) {
    let named = scan.maybe(|scan| {
        scan.is(b' ')?;
        if scan.text(b"UTC").is_some() || scan.text(b"GMT").is_some() || scan.maybe(abbreviation).is_some() {
            return scan.ends();
        }
        scan.is(b'(')?;
        let length = scan.rest().iter().take(48).position(|byte| *byte == b')')?;
        let name = &scan.rest()[..length];
        let is_name = name.iter().all(|byte| byte.is_ascii_alphabetic() || b" +-0123456789:".contains(byte));
        scan.at += length + 1;
        is_name.then_some(())
    });
    if named.is_none() {
        let _ = scan.maybe(bracketed);
    }
}

fn bracketed(scan: &mut Scan<'_>) -> Option<TimeZone> {
    scan.is(b'[')?;
    let zone = database(scan)?;
    scan.is(b']')?;
    Some(zone)
}

/// `Europe/Berlin`.
fn database(scan: &mut Scan<'_>) -> Option<TimeZone> {
    const NAME_BYTES_MAX: usize = 40;
    let name = scan.rest();
    if !name.first()?.is_ascii_uppercase() {
        return None;
    }
    // An area and a place.
    let mut word = name.iter().take(NAME_BYTES_MAX + 1).take_while(|byte| !matches!(byte, b' ' | b':'));
    if !word.any(|byte| *byte == b'/') {
        return None;
    }
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'+');
    let length = name.iter().take(NAME_BYTES_MAX + 1).take_while(|byte| is_part(byte)).count();
    let name = std::str::from_utf8(&name[..length]).ok()?;
    let (area, place) = name.split_once('/')?;
    if !(3..=10).contains(&area.len()) || place.len() < 3 || length > NAME_BYTES_MAX {
        return None;
    }
    let zone = TimeZone::get(name).ok()?;
    scan.at += length;
    Some(zone)
}

fn abbreviation(scan: &mut Scan<'_>) -> Option<(&'static str, i32)> {
    let length = scan.rest().iter().take(6).take_while(|byte| byte.is_ascii_uppercase()).count();
    let name = scan.rest().get(..length).filter(|name| (2..=5).contains(&name.len()))?;
    // Levels stand here more often, and nearly none ends so.
    if !name.last().is_some_and(|last| LAST_LETTERS[usize::from(*last)]) {
        return None;
    }
    let (name, minutes) = ABBREVIATIONS.iter().find(|(known, _)| known.as_bytes() == name)?;
    scan.at += length;
    scan.ends()?;
    // `EST-5`, `MET.log` and the like are names of other things.
    scan.peek().is_none_or(|byte| !matches!(byte, b'-' | b'.' | b'/' | b'=')).then_some((*name, *minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_abbreviation_is_read() {
        for (name, minutes) in ABBREVIATIONS {
            let text = format!(" {name} ");
            let mut scan = Scan::new(text.as_bytes());
            assert_eq!(zone(&mut scan), Some(Zone::Abbreviation(name, minutes * 60)), "{name}");
        }
    }
}
