//! Time stamps of structured records: numbers, texts, and the objects and lists that serialisers make of a time.

use std::borrow::Cow;

use event::{Timestamp, Value};
use jiff::{civil, tz::TimeZone};
use serde_json::Value as Json;

use crate::{Context, cut, names, time};

/// No object or list of a time is longer.
const STRUCTURE_BYTES_MAX: usize = 256;
/// 9 September 2001: from then on, seconds since 1970 have ten digits.
const TEN_DIGITS: i64 = 1_000_000_000;

/// The instant that a record's value says.
pub(crate) fn of(value: &Value<'_>, context: &Context<'_>) -> Option<Timestamp> {
    match value {
        Value::Int(number) => {
            digits(&number.to_string(), context).or_else(|| Timestamp::from_integer(*number))
        }
        Value::Float(number) => time::number(&number.to_string()),
        Value::String(text) => of_text(text, context),
        Value::Json(text) if text.starts_with(['{', '[']) => {
            let (text, zone) = structure(text)?;
            let zone = zone.and_then(|zone| TimeZone::get(&zone).ok());
            let context = Context { zone: zone.as_ref().unwrap_or(context.zone), ..context.clone() };
            of_text(&text, &context)
        }
        Value::Json(text) => of_number(text),
        Value::Null | Value::Bool(_) => None,
    }
}

/// Whether it is no number that counts something else, such as milliseconds since a start.
pub(crate) fn is_plausible(timestamp: Timestamp) -> bool {
    timestamp.as_nanos() / 1_000_000_000 >= TEN_DIGITS
}

/// A text; also in the forms that no log line begins with.
fn of_text(text: &str, context: &Context<'_>) -> Option<Timestamp> {
    let text = cut::trim(text);
    let text = cut::trim(text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text));
    let first = text.as_bytes().first()?;
    if first.is_ascii_digit()
        && let Some(timestamp) = digits(text, context)
    {
        return Some(timestamp);
    }
    time::parse(text, context)
        .or_else(|| of_number(text))
        .or_else(|| dot_net(text))
        .or_else(|| time::parse(&rewritten(text)?, context))
}

/// A number, of whatever length: what is finer than a nanosecond is left out.
fn of_number(text: &str) -> Option<Timestamp> {
    if text.len() > 19 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let nanos = text.get(..19)?;
        return (text.len() <= 28).then(|| time::number(nanos)).flatten();
    }
    time::number(text).or_else(|| {
        let is_exponent = text.bytes().any(|byte| matches!(byte, b'e' | b'E'));
        let number = text.parse::<f64>().ok().filter(|number| is_exponent && number.is_finite())?;
        Timestamp::from_number(number)
    })
}

/// `20261022215901` and, with milliseconds, `20261022215901123`.
fn digits(text: &str, context: &Context<'_>) -> Option<Timestamp> {
    if !matches!(text.len(), 14 | 17)
        || !text.starts_with("20")
        || !text.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let (date, clock) = text.split_at(8);
    let written = format!(
        "{}-{}-{}T{}:{}:{}.{:0<3}",
        &date[..4],
        &date[4..6],
        &date[6..],
        &clock[..2],
        &clock[2..4],
        &clock[4..6],
        &clock[6..]
    );
    time::parse(&written, context)
}

/// `/Date(1792706341123+0200)/`: milliseconds; the offset says where it was written only.
fn dot_net(text: &str) -> Option<Timestamp> {
    let inner = text.trim_matches(['/', '\\']).strip_prefix("Date(")?.strip_suffix(')')?;
    let millis = inner.split_once(['+', '-']).map_or(inner, |(millis, _)| millis);
    let nanos = millis.parse::<i64>().ok()?.checked_mul(1_000_000)?;
    Timestamp::from_nanos(nanos)
}

/// Day of the year, day of the week and RFC 850 as forms that are read elsewhere.
fn rewritten(text: &str) -> Option<String> {
    if let Some((_, rest)) = text.split_once(", ")
        && let [day, month, year_and_clock] = rest.splitn(3, '-').collect::<Vec<_>>()[..]
    {
        // `Thursday, 22-Oct-26 21:59:01 GMT`.
        let (year, clock) = year_and_clock.split_once(' ')?;
        let century = if year.len() == 2 { "20" } else { "" };
        return Some(format!("{day} {month} {century}{year} {clock}"));
    }
    let (date, clock) = text.split_once(['T', ' '])?;
    let (year, rest) = date.split_once('-')?;
    let first = civil::Date::new(year.parse().ok()?, 1, 1).ok()?;
    let date = if let Some(week) = rest.strip_prefix('W') {
        // `2026-W43-4T21:59:01Z`.
        let (week, day) = week.split_once('-')?;
        let weekday = civil::Weekday::from_monday_one_offset(day.parse().ok()?).ok()?;
        civil::ISOWeekDate::new(first.year(), week.parse().ok()?, weekday).ok()?.date()
    } else if rest.len() == 3 {
        // `2026-295T21:59:01Z`.
        let day: i64 = rest.parse().ok().filter(|day| (1..=366).contains(day))?;
        first.checked_add(jiff::Span::new().days(day - 1)).ok()?
    } else {
        return None;
    };
    Some(format!("{date}T{clock}"))
}

/// Whether an object or a list is a time.
pub(crate) fn is_structure(json: &str) -> bool {
    structure(json).is_some()
}

/// The text, and the zone, of `{"$date": …}`, `{"seconds": …, "nanos": …}`, `{"date": …, "timezone": …}`,
/// `[2026, 10, 22, 21, 59, 1, …]` and `[seconds, nanos]`.
fn structure(json: &str) -> Option<(String, Option<String>)> {
    if json.len() > STRUCTURE_BYTES_MAX {
        return None;
    }
    match serde_json::from_str(json).ok()? {
        Json::Object(members) => {
            let find = |names: &[&str]| {
                let is_one =
                    |name: &str| names::folded(name, |name| names.contains(&name).then_some(())).is_some();
                members.iter().find(|(name, _)| is_one(name)).map(|(_, value)| value)
            };
            if let Some(date) = find(&["$date", "$numberlong"]) {
                return match date {
                    Json::Object(_) => structure(&date.to_string()),
                    date => Some((scalar(date)?.into_owned(), None)),
                };
            }
            if let Some(seconds) = find(&["seconds", "epochsecond", "sec", "tvsec", "second"]) {
                let nanos = find(&["nanos", "nanoofsecond", "nsec", "tvnsec", "nanoseconds", "nano"]);
                let nanos = nanos.and_then(Json::as_u64).unwrap_or_default();
                return Some((format!("{}.{nanos:09}", scalar(seconds)?), None));
            }
            let date = find(&["date"]).and_then(Json::as_str)?;
            let zone = find(&["timezone"]).and_then(Json::as_str)?;
            // An offset is part of the stamp, a name is looked up.
            Some(if zone.starts_with(['+', '-']) {
                (format!("{date}{zone}"), None)
            } else {
                (date.to_owned(), Some(zone.to_owned()))
            })
        }
        Json::Array(parts) => {
            let parts: Vec<i64> = parts.iter().map(Json::as_i64).collect::<Option<_>>()?;
            match parts[..] {
                [year @ 1970..=2262, month, day, hour, minute, ref rest @ ..] if rest.len() <= 2 => {
                    let (second, nanos) = (rest.first().unwrap_or(&0), rest.get(1).unwrap_or(&0));
                    Some((
                        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}"),
                        None,
                    ))
                }
                [seconds, nanos @ 0..TEN_DIGITS] if seconds >= TEN_DIGITS => {
                    Some((format!("{seconds}.{nanos:09}"), None))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn scalar(value: &Json) -> Option<Cow<'_, str>> {
    match value {
        Json::String(text) => Some(Cow::Borrowed(text)),
        Json::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_times() {
        let received = Timestamp::parse("2026-11-29T12:00:00Z").unwrap();
        let zone = TimeZone::UTC;
        let context = Context::new(received, &zone, 1 << 20);
        let json = |text: &'static str| Value::Json(text.into());
        let at = "2026-10-22T21:59:01Z";
        for (value, expected) in [
            (Value::Int(1_792_706_341), at),
            (Value::Int(20_261_022_215_901), at),
            (Value::from("20261022215901123"), "2026-10-22T21:59:01.123Z"),
            (Value::Float(1_792_706_341.5), "2026-10-22T21:59:01.5Z"),
            (json("1792706341123456789012"), "2026-10-22T21:59:01.123456789Z"),
            (Value::from("1792706341123456789012"), "2026-10-22T21:59:01.123456789Z"),
            (Value::from("1.792706341E9"), at),
            (Value::from("[22/Oct/2026:21:59:01 +0000]"), at),
            (Value::from("Oct 22 21:59:01"), at),
            (Value::from("Thursday, 22-Oct-26 21:59:01 GMT"), at),
            (Value::from("2026-295T21:59:01Z"), at),
            (Value::from("2026-W43-4T21:59:01Z"), at),
            (Value::from("/Date(1792706341123+0200)/"), "2026-10-22T21:59:01.123Z"),
            (json("{\"$date\":\"2026-10-22T21:59:01.000+00:00\"}"), at),
            (json("{\"$date\":{\"$numberLong\":\"1792706341000\"}}"), at),
            (json("{\"seconds\":\"1792706341\",\"nanos\":5}"), "2026-10-22T21:59:01.000000005Z"),
            (json("{\"epochSecond\":1792706341,\"nanoOfSecond\":123000000}"), "2026-10-22T21:59:01.123Z"),
            (
                json(
                    "{\"date\":\"2026-10-22 23:59:01.000000\",\"timezone_type\":3,\"timezone\":\"Europe/Berlin\"}",
                ),
                at,
            ),
            (json("[2026,10,22,21,59,1,123000000]"), "2026-10-22T21:59:01.123Z"),
            (json("[2026,10,22,21,59]"), "2026-10-22T21:59:00Z"),
            (json("[1792706341,7]"), "2026-10-22T21:59:01.000000007Z"),
        ] {
            let expected = Timestamp::parse(expected).unwrap();
            assert_eq!(of(&value, &context), Some(expected), "{value:?}");
        }
        for value in ["{}", "{\"a\":1}", "[]", "[1]", "[1,2]", "{\"date\":\"2026\"}"] {
            assert!(!is_structure(value), "{value}");
        }
        for text in [
            "",
            "[]",
            "soon",
            "2026-400T00:00:00Z",
            "2026-W60-1T00:00:00Z",
            "/Date()/",
            "99999999999999999999999999999999",
        ] {
            assert_eq!(of(&Value::from(text), &context), None, "{text}");
        }
    }
}
