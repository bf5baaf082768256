//! Values as their field holds them.

use std::net::IpAddr;

use event::{FieldKind, Timestamp, Value};

/// The value in the field's type, when it fits without loss; else the value back.
pub(crate) fn fit<'a>(kind: FieldKind, value: Value<'a>) -> Result<Value<'a>, Value<'a>> {
    let fits = match (kind, value) {
        (_, Value::Null) => Value::Null,
        (_, Value::Json(text)) => return fit_json(kind, text),
        (kind, Value::Bool(value)) if kind.holds_text() => value.to_string().into(),
        (kind, Value::Int(value)) if kind.holds_text() => value.to_string().into(),
        (kind, Value::Float(value)) if kind.holds_text() => value.to_string().into(),
        (kind, value @ Value::String(_)) if kind.holds_text() => value,
        (FieldKind::Long, value @ Value::Int(_)) => value,
        (FieldKind::Long, Value::Float(value)) if value.fract() == 0.0 && value.abs() < 9e15 => {
            Value::Int(value as i64)
        }
        (FieldKind::Double, value @ Value::Float(_)) => value,
        (FieldKind::Double, Value::Int(value)) if value.unsigned_abs() < 1 << 53 => {
            Value::Float(value as f64)
        }
        (FieldKind::Boolean, value @ Value::Bool(_)) => value,
        (FieldKind::Date, Value::Int(value)) => match Timestamp::from_integer(value) {
            Some(timestamp) => timestamp.to_string().into(),
            None => return Err(Value::Int(value)),
        },
        (kind, Value::String(text)) => match fit_text(kind, &text) {
            Some(Some(converted)) => converted,
            Some(None) => Value::String(text),
            None => return Err(Value::String(text)),
        },
        (_, value) => return Err(value),
    };
    Ok(fits)
}

/// None: does not fit. Some(None): fits as it is. Some(Some): fits when converted.
fn fit_text(kind: FieldKind, text: &str) -> Option<Option<Value<'static>>> {
    match kind {
        FieldKind::Long => {
            let int = text.parse::<i64>().ok()?;
            (int.to_string() == text).then_some(Some(Value::Int(int)))
        }
        FieldKind::Double => {
            let float = text.parse::<f64>().ok().filter(|float| float.is_finite())?;
            (float.to_string() == text).then_some(Some(Value::Float(float)))
        }
        FieldKind::Boolean => match text {
            "true" => Some(Some(Value::Bool(true))),
            "false" => Some(Some(Value::Bool(false))),
            _ => None,
        },
        FieldKind::Ip => text.parse::<IpAddr>().is_ok().then_some(None),
        FieldKind::Date => {
            let timestamp = Timestamp::parse(text).ok()?;
            // A blank between date and time is read here, but not by every index.
            let strict = text.as_bytes().get(10) == Some(&b'T');
            Some((!strict).then(|| timestamp.to_string().into()))
        }
        FieldKind::Text | FieldKind::Keyword | FieldKind::Enumeration | FieldKind::Label => Some(None),
    }
}

/// A list fits when each of its elements is a scalar that fits as it is; a number too large for the
/// other types fits as text only.
fn fit_json<'a>(kind: FieldKind, text: std::borrow::Cow<'a, str>) -> Result<Value<'a>, Value<'a>> {
    use serde_json::Value as Json;

    let scalar = |element: &Json| match (kind, element) {
        (_, Json::Null) | (FieldKind::Boolean, Json::Bool(_)) => true,
        (kind, Json::String(_) | Json::Number(_) | Json::Bool(_)) if kind.holds_text() => true,
        (FieldKind::Long, Json::Number(number)) => number.is_i64(),
        (FieldKind::Double, Json::Number(_)) => true,
        (FieldKind::Ip | FieldKind::Date, Json::String(text)) => matches!(fit_text(kind, text), Some(None)),
        _ => false,
    };
    match serde_json::from_str(&text) {
        Ok(Json::Array(elements)) if elements.iter().all(scalar) => Ok(Value::Json(text)),
        Ok(Json::Number(_)) if kind.holds_text() => Ok(Value::String(text)),
        _ => Err(Value::Json(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fit_or_come_back() {
        let list = |text: &'static str| Value::Json(text.into());
        for (kind, value, expected) in [
            (FieldKind::Long, Value::from("443"), Ok(Value::Int(443))),
            (FieldKind::Long, Value::from("0443"), Err(Value::from("0443"))),
            (FieldKind::Long, Value::Float(4.0), Ok(Value::Int(4))),
            (FieldKind::Long, Value::Float(4.5), Err(Value::Float(4.5))),
            (FieldKind::Long, Value::Bool(true), Err(Value::Bool(true))),
            (FieldKind::Keyword, Value::Int(7), Ok(Value::from("7"))),
            (FieldKind::Ip, Value::from("192.0.2.7"), Ok(Value::from("192.0.2.7"))),
            (FieldKind::Ip, Value::from("example.org"), Err(Value::from("example.org"))),
            (FieldKind::Ip, Value::Int(1), Err(Value::Int(1))),
            (FieldKind::Date, Value::from("2024-06-01 12:00:00Z"), Ok(Value::from("2024-06-01T12:00:00Z"))),
            (FieldKind::Date, Value::from("soon"), Err(Value::from("soon"))),
            (FieldKind::Boolean, Value::from("true"), Ok(Value::Bool(true))),
            (FieldKind::Keyword, list("[\"a\",\"b\"]"), Ok(list("[\"a\",\"b\"]"))),
            (FieldKind::Keyword, list("[{\"a\":1}]"), Err(list("[{\"a\":1}]"))),
            (FieldKind::Long, list("[1,\"2\"]"), Err(list("[1,\"2\"]"))),
        ] {
            assert_eq!(fit(kind, value.clone()), expected, "{kind:?} {value:?}");
        }
    }
}
