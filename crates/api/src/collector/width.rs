//! Widths of buckets as text: `30s`, `5m`, `1d`, `1M`.

use index::{Interval, Unit, Width};
use jiff::tz::TimeZone;

/// Stretches of the calendar. There is no more than one of them to a bucket.
const UNITS: [(&str, Unit); 5] =
    [("1d", Unit::Day), ("1w", Unit::Week), ("1M", Unit::Month), ("1q", Unit::Quarter), ("1y", Unit::Year)];
const MILLI: i64 = 1_000_000;
const FIXED: [(&str, i64); 5] = [
    ("d", 86_400_000 * MILLI),
    ("h", 3_600_000 * MILLI),
    ("m", 60_000 * MILLI),
    ("s", 1000 * MILLI),
    ("ms", MILLI),
];

/// A stretch of the calendar, or a width such as `500ms`, `30s`, `5m`, `12h` or `10d`.
pub(super) fn parse_interval(text: &str, zone: &TimeZone) -> Option<Interval> {
    if let Some((_, unit)) = UNITS.iter().find(|(name, _)| *name == text) {
        return Some(Interval::Calendar(*unit, zone.clone()));
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (_, unit) = FIXED.iter().find(|(name, _)| *name == &text[digits..])?;
    let nanos = text[..digits].parse::<i64>().ok()?.checked_mul(*unit).filter(|nanos| *nanos > 0)?;
    Some(Interval::Fixed(nanos))
}

/// The shortest text that [`parse_interval`] reads as this width.
pub(super) fn interval_text(width: &Width) -> String {
    match width {
        Width::Calendar(unit, _) => {
            UNITS.iter().find(|(_, known)| known == unit).map_or("", |(name, _)| name).to_owned()
        }
        Width::Fixed(nanos) => {
            let unit = FIXED.into_iter().find(|(_, unit)| nanos % unit == 0);
            let (name, unit) = unit.unwrap_or(("ms", MILLI));
            format!("{}{name}", nanos / unit)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals() {
        let zone = TimeZone::UTC;
        for (text, expected) in [
            ("30s", Some(Interval::Fixed(30_000_000_000))),
            ("5m", Some(Interval::Fixed(300_000_000_000))),
            ("1h", Some(Interval::Fixed(3_600_000_000_000))),
            ("2d", Some(Interval::Fixed(172_800_000_000_000))),
            ("250ms", Some(Interval::Fixed(250_000_000))),
            ("1d", Some(Interval::Calendar(Unit::Day, zone.clone()))),
            ("1w", Some(Interval::Calendar(Unit::Week, zone.clone()))),
            ("1M", Some(Interval::Calendar(Unit::Month, zone.clone()))),
            ("1m", Some(Interval::Fixed(60_000_000_000))),
            ("1y", Some(Interval::Calendar(Unit::Year, zone.clone()))),
            ("2w", None),
            ("2y", None),
            ("0s", None),
            ("h", None),
            ("", None),
            ("-1h", None),
            ("1H", None),
            ("99999999999999999d", None),
            ("ü", None),
        ] {
            assert_eq!(parse_interval(text, &zone), expected, "{text}");
            let width = match expected {
                Some(Interval::Fixed(nanos)) => Width::Fixed(nanos),
                Some(Interval::Calendar(unit, zone)) => Width::Calendar(unit, zone),
                _ => continue,
            };
            assert_eq!(interval_text(&width), text);
        }
    }
}
