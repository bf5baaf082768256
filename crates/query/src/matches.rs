//! Evaluating a query: naive and correct, the reference for every index.

use std::{borrow::Cow, collections::BTreeMap, net::IpAddr, ops::Bound};

use event::{Event, EventId, Template, Timestamp, Value, Verdict, field};
use serde_json::Value as Json;

use super::{Query, Test, text};

impl Query {
    /// Whether an event, with its template and verdict, is what the query describes.
    pub fn matches(
        &self,
        id: EventId,
        event: &Event<'_>,
        template: Option<&Template>,
        verdict: &Verdict,
    ) -> bool {
        match self {
            Self::All => true,
            Self::Message(phrase) => phrase.matches(&event.message),
            Self::Field { path, test } if path == field::ID => test.matches_text(&id.to_string()),
            Self::Field { path, test } => {
                value_at(event, template, verdict, path).is_some_and(|value| test.matches(&value))
            }
            Self::And(parts) => parts.iter().all(|part| part.matches(id, event, template, verdict)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(id, event, template, verdict)),
            Self::Not(part) => !part.matches(id, event, template, verdict),
        }
    }
}

/// The value at a dotted path of an event's document, as [`event::fields_of`] gives it.
pub fn value_at<'e>(
    event: &'e Event<'_>,
    template: Option<&'e Template>,
    verdict: &'e Verdict,
    path: &str,
) -> Option<Value<'e>> {
    let borrowed = |text: &'e str| Value::String(Cow::Borrowed(text));
    match path {
        field::LEVEL => Some(borrowed(event.severity.as_str())),
        field::MESSAGE => Some(borrowed(&event.message)),
        field::SERVICE_NAME => event.source.as_deref().map(borrowed),
        field::HOST_NAME => event.host.as_deref().map(borrowed),
        field::ORIGINAL => event.original.as_deref().map(borrowed),
        _ => {
            if let Some(further) = event.fields.iter().find(|further| further.path == path) {
                return Some(further.value.clone());
            }
            if path.starts_with(field::LABELS) {
                let mut further = event.fields.iter();
                return further.find_map(|further| below(&further.value, rest(path, &further.path)?));
            }
            if path != field::TIMESTAMP && path != field::CREATED && !path.starts_with("sentinel.") {
                return None;
            }
            let mut found = None;
            event::fields_of(event, template, verdict, &mut |visited, value| {
                if visited == path {
                    found = Some(value);
                }
            });
            found
        }
    }
}

/// What of a path is behind that of a list which may hold it: `id` of `labels.items.id` and `labels.items`.
pub fn rest<'p>(path: &'p str, list: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(list)?.strip_prefix('.')?;
    (list.len() > field::LABELS.len()).then_some(rest)
}

/// The values that the objects of a list have at a path, as a list; None without any.
pub fn below(value: &Value<'_>, path: &str) -> Option<Value<'static>> {
    let Value::Json(text) = value else { return None };
    if !text.starts_with('[') || !text.contains('{') {
        return None;
    }
    let mut found = Vec::new();
    collect(serde_json::from_str(text).ok()?, path, &mut found);
    (!found.is_empty()).then(|| Value::Json(Json::Array(found).to_string().into()))
}

fn collect(json: Json, path: &str, found: &mut Vec<Json>) {
    match json {
        Json::Array(elements) => elements.into_iter().for_each(|element| collect(element, path, found)),
        Json::Object(mut object) => {
            for (dot, _) in path.match_indices('.') {
                if let Some(inner @ (Json::Array(_) | Json::Object(_))) = object.get_mut(&path[..dot]) {
                    collect(inner.take(), &path[dot + 1..], found);
                }
            }
            match object.remove(path) {
                Some(Json::Null | Json::Object(_)) | None => {}
                Some(value) => found.push(value),
            }
        }
        _ => {}
    }
}

/// The paths at which objects in a list have values, and these; none for anything else.
pub fn members(value: &Value<'_>) -> BTreeMap<String, Value<'static>> {
    let Value::Json(text) = value else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    if text.starts_with('[') && text.contains('{') {
        gather(serde_json::from_str(text).unwrap_or_default(), "", &mut found);
    }
    found
        .into_iter()
        .map(|(path, values)| (path, Value::Json(Json::Array(values).to_string().into())))
        .collect()
}

fn gather(json: Json, path: &str, found: &mut BTreeMap<String, Vec<Json>>) {
    match json {
        Json::Null => {}
        Json::Array(elements) => elements.into_iter().for_each(|element| gather(element, path, found)),
        Json::Object(object) => {
            for (name, value) in object {
                let path = if path.is_empty() { name } else { format!("{path}.{name}") };
                gather(value, &path, found);
            }
        }
        _ if path.is_empty() => {}
        value => found.entry(path.to_owned()).or_default().push(value),
    }
}

/// Above it a float holds several whole numbers, and the digits decide which are equal.
pub const EXACT_MAX: u64 = 1 << f64::MANTISSA_DIGITS;

/// A searchable leaf of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar<'a> {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A number that neither of them holds exactly: the nearest, and its digits.
    Large(f64, Cow<'a, str>),
    /// Text.
    Text(Cow<'a, str>),
}

impl Scalar<'_> {
    /// As text: of numbers and booleans their JSON.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Bool(true) => "true".into(),
            Self::Bool(false) => "false".into(),
            Self::Int(number) => number.to_string().into(),
            Self::Float(number) => Json::from(*number).to_string().into(),
            Self::Large(_, text) | Self::Text(text) => text.as_ref().into(),
        }
    }
}

/// The searchable leaves of a value: of a list its elements (lists within lists too); nulls and
/// objects have none.
pub fn scalars<'v>(value: &'v Value<'_>) -> Vec<Scalar<'v>> {
    match value {
        Value::Null => Vec::new(),
        Value::Bool(value) => vec![Scalar::Bool(*value)],
        Value::Int(value) => vec![Scalar::Int(*value)],
        Value::Float(value) => vec![Scalar::Float(*value)],
        Value::String(text) => vec![Scalar::Text(Cow::Borrowed(text))],
        Value::Json(text) => {
            let mut found = Vec::new();
            match serde_json::from_str(text) {
                Ok(Json::Number(_)) => {
                    found.push(Scalar::Large(text.parse().unwrap_or(f64::MAX), Cow::Borrowed(text)));
                }
                Ok(json) => leaves(json, &mut found),
                Err(_) => found.push(Scalar::Text(Cow::Borrowed(text))),
            }
            found
        }
    }
}

fn leaves(json: Json, found: &mut Vec<Scalar<'_>>) {
    match json {
        Json::Null | Json::Object(_) => {}
        Json::Bool(value) => found.push(Scalar::Bool(value)),
        Json::String(text) => found.push(Scalar::Text(Cow::Owned(text))),
        Json::Array(elements) => elements.into_iter().for_each(|element| leaves(element, found)),
        Json::Number(number) => found.push(match (number.as_i64(), number.is_f64(), number.as_f64()) {
            (Some(int), _, _) => Scalar::Int(int),
            (None, true, Some(float)) => Scalar::Float(float),
            (None, _, float) => Scalar::Large(float.unwrap_or(f64::MAX), Cow::Owned(number.to_string())),
        }),
    }
}

impl Test {
    /// Whether a value passes: of a list, whether any element does. Nulls and objects never do.
    pub fn matches(&self, value: &Value<'_>) -> bool {
        match value {
            Value::Null => false,
            Value::String(text) => self.matches_text(text),
            Value::Bool(value) => self.matches_scalar(&Scalar::Bool(*value)),
            Value::Int(value) => self.matches_scalar(&Scalar::Int(*value)),
            Value::Float(value) => self.matches_scalar(&Scalar::Float(*value)),
            Value::Json(_) => scalars(value).iter().any(|scalar| self.matches_scalar(scalar)),
        }
    }

    /// Whether one leaf passes.
    pub fn matches_scalar(&self, scalar: &Scalar<'_>) -> bool {
        match (self, scalar) {
            (_, Scalar::Text(text)) => self.matches_text(text),
            (Self::Exists, _) => true,
            (Self::Number { number, text }, Scalar::Int(int)) => {
                *int as f64 == *number
                    && text.parse().map_or(int.unsigned_abs() <= EXACT_MAX, |whole: i64| whole == *int)
            }
            (Self::Number { number, .. }, Scalar::Float(float)) => float == number,
            (Self::Number { number, text }, Scalar::Large(float, digits)) => {
                float == number && text == digits
            }
            (Self::Number { .. }, Scalar::Bool(_)) => false,
            (Self::Bool(expected), Scalar::Bool(value)) => expected == value,
            (Self::Bool(_), _) => false,
            (Self::NumberRange(from, to), Scalar::Int(int)) => within(&(*int as f64), from, to),
            (Self::NumberRange(from, to), Scalar::Float(float) | Scalar::Large(float, _)) => {
                within(float, from, to)
            }
            (Self::NumberRange(..), Scalar::Bool(_)) => false,
            (Self::TimeRange(from, to), Scalar::Int(int)) => {
                Timestamp::from_integer(*int).is_some_and(|timestamp| within(&timestamp, from, to))
            }
            (Self::TimeRange(from, to), Scalar::Float(float)) => {
                Timestamp::from_number(*float).is_some_and(|timestamp| within(&timestamp, from, to))
            }
            (Self::TimeRange(..) | Self::Network { .. }, _) => false,
            (
                Self::Equals { .. }
                | Self::OneOf(_)
                | Self::Matches(_)
                | Self::Finds(_)
                | Self::TextRange(..),
                _,
            ) => self.matches_text(&scalar.text()),
        }
    }

    /// Whether a leaf that is text, or is compared by its text, passes.
    #[inline]
    pub fn matches_text(&self, value: &str) -> bool {
        match self {
            Self::Exists => true,
            Self::Equals { text, ignore_case: false } | Self::Number { text, .. } => text == value,
            Self::Equals { text, ignore_case: true } => text::equals_lowered(value, text),
            Self::OneOf(texts) => texts.contains(value),
            Self::Bool(expected) => value == if *expected { "true" } else { "false" },
            Self::Matches(wildcard) => wildcard.matches(value),
            Self::Finds(expression) => expression.is_in(value),
            Self::Network { first, last } => value
                .parse::<IpAddr>()
                .is_ok_and(|address| (*first..=*last).contains(&address_number(address))),
            Self::NumberRange(..) => false,
            Self::TimeRange(from, to) => {
                Timestamp::parse(value).is_ok_and(|timestamp| within(&timestamp, from, to))
            }
            Self::TextRange(from, to) => within(value, from, to),
        }
    }
}

/// An address as a 128-bit number, IPv4 mapped into IPv6 (RFC 4291, section 2.5.5.2).
pub fn address_number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn within<T, B>(value: &T, from: &Bound<B>, to: &Bound<B>) -> bool
where
    T: PartialOrd + ?Sized,
    B: std::borrow::Borrow<T>,
{
    let above = match from {
        Bound::Included(from) => value >= from.borrow(),
        Bound::Excluded(from) => value > from.borrow(),
        Bound::Unbounded => true,
    };
    above
        && match to {
            Bound::Included(to) => value <= to.borrow(),
            Bound::Excluded(to) => value < to.borrow(),
            Bound::Unbounded => true,
        }
}
