//! One value of a rule, ready to be held against values of events.

use regex::Regex;

use crate::{
    Fields, Value,
    network::Network,
    number::{Comparison, Number},
    pattern::{Part, Pattern, Placement},
    time_part::TimePart,
};

/// A test of one value.
#[derive(Debug, Clone)]
pub(crate) enum Matcher {
    Text(Pattern),
    /// A number, also where an event has it as text.
    Number(Number, String),
    Bool(bool),
    /// Null; also a field that is not there.
    Null,
    Expression(Regex),
    Network(Network),
    Compare(Comparison, Number),
    Time(TimePart, Comparison, Number),
    Field {
        name: String,
        placement: Placement,
        cased: bool,
    },
}

impl Matcher {
    pub(crate) fn matches(&self, value: Value<'_>, event: &dyn Fields) -> bool {
        match self {
            Self::Text(pattern) => value.with_text(|text| pattern.matches(text)).unwrap_or(false),
            Self::Number(number, written) => match value {
                Value::Text(text) => text == written,
                Value::Integer(_) | Value::Float(_) => {
                    value.number().is_some_and(|value| Comparison::Equal.holds(value, *number))
                }
                Value::Bool(_) | Value::Null => false,
            },
            Self::Bool(expected) => match value {
                Value::Bool(bool) => bool == *expected,
                Value::Text(text) => text.eq_ignore_ascii_case(if *expected { "true" } else { "false" }),
                _ => false,
            },
            Self::Null => value == Value::Null,
            Self::Expression(expression) => {
                value.with_text(|text| expression.is_match(text)).unwrap_or(false)
            }
            Self::Network(network) => match value {
                Value::Text(text) => network.contains(text),
                _ => false,
            },
            Self::Compare(comparison, number) => {
                value.number().is_some_and(|value| comparison.holds(value, *number))
            }
            Self::Time(part, comparison, number) => {
                part.of(value).is_some_and(|value| comparison.holds(Number::Integer(value), *number))
            }
            Self::Field { name, placement, cased } => {
                let mut same = |other: Value<'_>| is_same(value, other, *placement, *cased);
                event.any(name, &mut same).unwrap_or(false)
            }
        }
    }

    /// Whether the test wants a text that it can be indexed by.
    pub(crate) fn literal(&self) -> Option<&str> {
        match self {
            Self::Text(pattern) => pattern.literal(),
            _ => None,
        }
    }
}

/// Whether a value is another one, or has it in its place.
fn is_same(value: Value<'_>, other: Value<'_>, placement: Placement, cased: bool) -> bool {
    if let (Value::Integer(_) | Value::Float(_), Value::Integer(_) | Value::Float(_), Placement::Whole) =
        (value, other, placement)
    {
        let (Some(a), Some(b)) = (value.number(), other.number()) else { return false };
        return Comparison::Equal.holds(a, b);
    }
    if (value, other) == (Value::Null, Value::Null) {
        return placement == Placement::Whole;
    }
    let fits = |text: &str, other: &str| {
        Pattern::new(vec![Part::Text(other.to_owned())], placement, cased).matches(text)
    };
    let fits = value.with_text(|text| other.with_text(|other| fits(text, other)));
    fits.flatten().unwrap_or(false)
}
