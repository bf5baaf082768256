//! The value of a field.

use std::borrow::Cow;

/// A typed leaf value. Nested objects are flattened to dotted paths before they get here.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// JSON null.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number that fits 64 bits with a sign.
    Int(i64),
    /// Any other finite number.
    Float(f64),
    /// Text.
    String(Cow<'a, str>),
    /// Compact JSON kept as it is: lists, empty objects, and numbers that no type above holds exactly.
    Json(Cow<'a, str>),
}

impl<'a> Value<'a> {
    /// The text of a string value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The same value with its text owned.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Float(value) => Value::Float(value),
            Self::String(text) => Value::String(Cow::Owned(text.into_owned())),
            Self::Json(text) => Value::Json(Cow::Owned(text.into_owned())),
        }
    }

    /// The same value as JSON. `Json` text that does not parse comes back as a string.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            Self::Float(value) => (*value).into(),
            Self::String(text) => text.as_ref().into(),
            Self::Json(text) => serde_json::from_str(text).unwrap_or_else(|_| text.as_ref().into()),
        }
    }

    /// The leaf for a JSON value; lists and objects stay JSON text.
    pub fn from_json(value: &serde_json::Value) -> Value<'static> {
        use serde_json::Value as Json;
        match value {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::String(text) => Value::String(Cow::Owned(text.clone())),
            Json::Number(number) => match (number.as_i64(), number.is_f64(), number.as_f64()) {
                (Some(int), _, _) => Value::Int(int),
                (None, true, Some(float)) => Value::Float(float),
                _ => Value::Json(Cow::Owned(number.to_string())),
            },
            Json::Array(_) | Json::Object(_) => Value::Json(Cow::Owned(value.to_string())),
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::String(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::String(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Value<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::String(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
