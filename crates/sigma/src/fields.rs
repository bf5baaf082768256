//! What an event has to offer to be asked.

use crate::number::Number;

/// One value of an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(&'a str),
}

impl Value<'_> {
    /// The number that the value is, or that its text is.
    pub(crate) fn number(self) -> Option<Number> {
        match self {
            Self::Integer(integer) => Some(Number::Integer(integer)),
            Self::Float(float) => Some(Number::Float(float)),
            Self::Text(text) => Number::of_text(text),
            Self::Null | Self::Bool(_) => None,
        }
    }

    /// Shows the value as text, unless it is null.
    pub(crate) fn with_text<T>(self, show: impl FnOnce(&str) -> T) -> Option<T> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(true) => show("true"),
            Self::Bool(false) => show("false"),
            Self::Integer(integer) => show(&integer.to_string()),
            Self::Float(float) => show(&float.to_string()),
            Self::Text(text) => show(text),
        })
    }
}

/// An event that can be asked for its fields. Names are those of the rules, or what the mapping of
/// [`Options`](crate::Options) made of them.
pub trait Fields {
    /// Shows the values of a field, one by one where it is a list, until `test` says true, and gives what it said
    /// last. `None` where the event does not have the field; an empty list has no values.
    fn any(&self, name: &str, test: &mut dyn FnMut(Value<'_>) -> bool) -> Option<bool>;

    /// Shows every text of the event until `test` says true, and gives what it said last.
    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool;
}
