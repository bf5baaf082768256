//! Levels of structured records: each name has its own scale of numbers.

use event::{Severity, Value};

use crate::{level, names};

/// The level that a value says under a name, and whether it says no more than the level's own name.
pub(crate) fn level(path: &str, value: &Value<'_>) -> Option<(Severity, bool)> {
    if let Some(number) = number(value)
        && let Some(scale) = names::folded(path, scale_of)
    {
        return scale(number).map(|severity| (severity, false));
    }
    if let Some(known) = level::of_value(value) {
        return Some(known);
    }
    if let Some(number) = number(value) {
        return wide(number).map(|severity| (severity, false));
    }
    let text = value.as_str()?.trim().trim_matches(['[', ']', '<', '>']);
    // Go's `ERROR+2`, MongoDB's `D1`, `W`.
    let word = text.trim_end_matches(|character: char| character.is_ascii_digit());
    let word = word.trim_end_matches(['+', '-']);
    let letter = |word: &str| match word.to_ascii_uppercase().as_str() {
        "C" | "F" => Some(Severity::Fatal),
        "E" => Some(Severity::Error),
        "W" => Some(Severity::Warn),
        "I" | "N" => Some(Severity::Info),
        "D" => Some(Severity::Debug),
        "T" | "V" => Some(Severity::Trace),
        _ => None,
    };
    let severity = Severity::from_name(word).or_else(|| letter(word)).or_else(|| level::of_token(word))?;
    Some((severity, false))
}

fn number(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Float(number) if number.fract() == 0.0 => Some(*number as i64),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn scale_of(name: &str) -> Option<fn(i64) -> Option<Severity>> {
    match name {
        "levelno" => Some(python),
        "levelvalue" => Some(logback),
        "severitynumber" => Some(open_telemetry),
        "priority" => {
            Some(|number| u8::try_from(number).ok().filter(|number| *number < 8).map(Severity::from_syslog))
        }
        "event.system.level" | "system.level" => Some(windows),
        _ => None,
    }
}

/// Monolog (100 to 600) and java.util.logging (300 to 1000), where they do not contradict each other.
fn wide(number: i64) -> Option<Severity> {
    match number {
        100 => Some(Severity::Debug),
        200 | 250 => Some(Severity::Info),
        300 => Some(Severity::Warn),
        400 => Some(Severity::Error),
        500 | 550 | 600 => Some(Severity::Fatal),
        700 | 800 => Some(Severity::Info),
        900 => Some(Severity::Warn),
        1000 => Some(Severity::Error),
        _ => logback(number),
    }
}

fn python(number: i64) -> Option<Severity> {
    match number {
        1..10 => Some(Severity::Trace),
        10..20 => Some(Severity::Debug),
        20..30 => Some(Severity::Info),
        30..40 => Some(Severity::Warn),
        40..50 => Some(Severity::Error),
        50..100 => Some(Severity::Fatal),
        _ => None,
    }
}

fn logback(number: i64) -> Option<Severity> {
    match number {
        5000 => Some(Severity::Trace),
        10_000 => Some(Severity::Debug),
        20_000 => Some(Severity::Info),
        30_000 => Some(Severity::Warn),
        40_000 => Some(Severity::Error),
        50_000 => Some(Severity::Fatal),
        _ => None,
    }
}

/// The numbers of OpenTelemetry's data model: four of each level.
pub(crate) fn open_telemetry(number: i64) -> Option<Severity> {
    match number {
        1..=4 => Some(Severity::Trace),
        5..=8 => Some(Severity::Debug),
        9..=12 => Some(Severity::Info),
        13..=16 => Some(Severity::Warn),
        17..=20 => Some(Severity::Error),
        21..=24 => Some(Severity::Fatal),
        _ => None,
    }
}

/// Levels of Nextcloud and ownCloud.
pub(crate) fn cloud(number: i64) -> Option<Severity> {
    match number {
        0 => Some(Severity::Debug),
        1 => Some(Severity::Info),
        2 => Some(Severity::Warn),
        3 => Some(Severity::Error),
        4 => Some(Severity::Fatal),
        _ => None,
    }
}

/// Levels of Windows events; 0 is what is always logged.
pub(crate) fn windows(number: i64) -> Option<Severity> {
    match number {
        1 => Some(Severity::Fatal),
        2 => Some(Severity::Error),
        3 => Some(Severity::Warn),
        0 | 4 => Some(Severity::Info),
        5 => Some(Severity::Debug),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_its_scale() {
        for (path, value, expected) in [
            ("level", Value::Int(40), Some(Severity::Warn)),
            ("levelno", Value::Int(40), Some(Severity::Error)),
            ("level", Value::Int(3), Some(Severity::Error)),
            ("System.Level", Value::Int(3), Some(Severity::Warn)),
            ("SeverityNumber", Value::from("17"), Some(Severity::Error)),
            ("PRIORITY", Value::from("4"), Some(Severity::Warn)),
            ("priority", Value::Int(9), None),
            ("level_value", Value::Int(30_000), Some(Severity::Warn)),
            ("level", Value::Int(250), Some(Severity::Info)),
            ("level", Value::from("ERROR+2"), Some(Severity::Error)),
            ("s", Value::from("D2"), Some(Severity::Debug)),
            ("s", Value::from("W"), Some(Severity::Warn)),
            ("level", Value::from("Metadata"), None),
            ("priority", Value::from("high"), None),
        ] {
            assert_eq!(level(path, &value).map(|(severity, _)| severity), expected, "{path} {value:?}");
        }
    }
}
