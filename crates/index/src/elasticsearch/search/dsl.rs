//! From the query's tree to the server's query language. Pure: what it needs to know of the server
//! is handed in.

use std::{net::Ipv6Addr, ops::Bound};

use event::{FieldKind, Timestamp, field};
use query::{EXACT_MAX, Phrase, Query, Test, TokenPattern, Wildcard, WildcardPart};
use serde_json::{Map, Value as Json, json};

use super::wildcards::Expanded;
use crate::elasticsearch::{
    document::{ID, LABEL_NAMES, TOKENS},
    label_numbers,
};

/// The query, to be used where no scores are asked for.
pub(super) fn translate(query: &Query, expanded: &Expanded) -> Json {
    match query {
        Query::All => json!({"match_all": {}}),
        Query::Message(phrase) => message(phrase),
        Query::Field { path, test } if path == field::ID => field(ID, test, expanded),
        Query::Field { path, test } => field(path, test, expanded),
        Query::And(parts) => Clauses::of(parts, expanded).into_json(),
        Query::Or(_) | Query::Not(_) => Clauses::of(std::slice::from_ref(query), expanded).into_json(),
    }
}

/// The parts of one `bool`. A disjunction among the parts and the negations share it, so that a
/// query of the greatest depth stays within what servers nest.
#[derive(Default)]
struct Clauses {
    filter: Vec<Json>,
    should: Vec<Json>,
    must_not: Vec<Json>,
}

impl Clauses {
    fn of(parts: &[Query], expanded: &Expanded) -> Self {
        let mut clauses = Self::default();
        parts.iter().for_each(|part| clauses.add(part, expanded));
        clauses
    }

    fn add(&mut self, part: &Query, expanded: &Expanded) {
        match part {
            Query::All => {}
            Query::And(parts) => parts.iter().for_each(|part| self.add(part, expanded)),
            Query::Or(parts) if self.should.is_empty() && !parts.is_empty() => {
                self.should = parts.iter().map(|part| translate(part, expanded)).collect();
            }
            Query::Or(parts) if parts.is_empty() => self.filter.push(none()),
            Query::Not(inner) => match &**inner {
                Query::Not(part) => self.add(part, expanded),
                Query::Or(parts) => {
                    self.must_not.extend(parts.iter().map(|part| translate(part, expanded)));
                }
                part => self.must_not.push(translate(part, expanded)),
            },
            // A second disjunction needs a `bool` of its own.
            Query::Or(_) | Query::Message(_) | Query::Field { .. } => {
                self.filter.push(match part {
                    Query::Or(parts) => any(parts.iter().map(|part| translate(part, expanded)).collect()),
                    _ => translate(part, expanded),
                });
            }
        }
    }

    fn into_json(self) -> Json {
        let mut parts = Map::new();
        for (name, clauses) in [("filter", self.filter), ("should", self.should), ("must_not", self.must_not)]
        {
            if name == "should" && !clauses.is_empty() {
                parts.insert("minimum_should_match".to_owned(), 1.into());
            }
            if !clauses.is_empty() {
                parts.insert(name.to_owned(), clauses.into());
            }
        }
        if parts.is_empty() { json!({"match_all": {}}) } else { json!({"bool": parts}) }
    }
}

/// Nothing.
fn none() -> Json {
    json!({"match_none": {}})
}

fn any(clauses: Vec<Json>) -> Json {
    json!({"bool": {"should": clauses, "minimum_should_match": 1}})
}

fn all(clauses: impl Into<Vec<Json>>) -> Json {
    json!({"bool": {"filter": clauses.into()}})
}

fn message(phrase: &Phrase) -> Json {
    let exact: Option<Vec<&str>> = phrase
        .0
        .iter()
        .map(|token| match token {
            TokenPattern::Exact(token) => Some(token.as_str()),
            TokenPattern::Wildcard(_) => None,
        })
        .collect();
    if let Some(tokens) = exact {
        return json!({"match_phrase": {TOKENS: tokens.join(" ")}});
    }
    if let [TokenPattern::Wildcard(wildcard)] = phrase.0.as_slice() {
        return json!({"wildcard": {TOKENS: {"value": token_pattern(wildcard)}}});
    }
    let span = |token: &TokenPattern| match token {
        TokenPattern::Exact(token) => json!({"span_term": {TOKENS: {"value": token}}}),
        TokenPattern::Wildcard(wildcard) => {
            let inner = json!({"wildcard": {TOKENS: {"value": token_pattern(wildcard)}}});
            json!({"span_multi": {"match": inner}})
        }
    };
    let clauses: Vec<_> = phrase.0.iter().map(span).collect();
    json!({"span_near": {"clauses": clauses, "slop": 0, "in_order": true}})
}

/// A bare `*` may be taken for a test of the field's existence, which also has texts without tokens.
fn token_pattern(wildcard: &Wildcard) -> String {
    if wildcard.is_any() { "?*".to_owned() } else { pattern(wildcard) }
}

/// A wildcard as the server writes it.
fn pattern(wildcard: &Wildcard) -> String {
    let mut text = String::new();
    for part in &wildcard.parts {
        match part {
            WildcardPart::Literal(literal) => {
                for character in literal.chars() {
                    if matches!(character, '*' | '?' | '\\') {
                        text.push('\\');
                    }
                    text.push(character);
                }
            }
            WildcardPart::One => text.push('?'),
            WildcardPart::Many => text.push('*'),
        }
    }
    text
}

/// Events that have a value there. A value that the server could not index is one, too.
pub(super) fn exists(path: &str) -> Json {
    match path.strip_prefix(field::LABELS) {
        Some(name) => json!({"term": {LABEL_NAMES: name}}),
        // There is no such field, and the server would take it for a pattern of names.
        None if path.contains('*') => none(),
        None => any(vec![json!({"exists": {"field": path}}), json!({"term": {"_ignored": path}})]),
    }
}

fn field(path: &str, test: &Test, expanded: &Expanded) -> Json {
    let kind = FieldKind::of(path);
    if let Some(name) = path.strip_prefix(field::LABELS) {
        match test {
            Test::Number { number, text } => return label_number(path, name, *number, text),
            Test::NumberRange(from, to) => return label_numbers::range(name, *from, *to),
            _ => {}
        }
    }
    let value = match test {
        Test::Exists => return exists(path),
        Test::Matches(wildcard) if wildcard.is_any() => return exists(path),
        Test::Matches(wildcard) if kind == FieldKind::Label => label_wildcard(path, wildcard, expanded),
        Test::Matches(wildcard) => json!({"wildcard": {path: {"value": pattern(wildcard)}}}),
        // Refused before.
        Test::Finds(_) => none(),
        Test::Equals { text, .. } => json!({"term": {path: text}}),
        Test::OneOf(texts) => json!({"terms": {path: texts.iter().collect::<Vec<_>>()}}),
        Test::Number { number, text } => match kind {
            FieldKind::Long => long(path, *number, text),
            FieldKind::Double => double_range(path, Bound::Included(*number), Bound::Included(*number)),
            _ => json!({"term": {path: text}}),
        },
        Test::Bool(value) => json!({"term": {path: value}}),
        Test::Network { first, last } => {
            let address = |number: &u128| Ipv6Addr::from_bits(*number).to_string();
            json!({"range": {path: {"gte": address(first), "lte": address(last)}}})
        }
        Test::NumberRange(from, to) if kind == FieldKind::Long => long_range(path, *from, *to),
        Test::NumberRange(from, to) => double_range(path, *from, *to),
        Test::TimeRange(from, to) => time_range(path, *from, *to).unwrap_or_else(|| exists(path)),
        Test::TextRange(from, to) => range(path, ends(from, to, |text| json!(text))),
    };
    // A list of objects has paths below it that are no labels of the event.
    if kind == FieldKind::Label { all([exists(path), value]) } else { value }
}

/// Labels that are this number, or text as it is written.
fn label_number(path: &str, name: &str, number: f64, text: &str) -> Json {
    let digits = text.parse::<i64>().ok().filter(|whole| whole.unsigned_abs() > EXACT_MAX);
    let digits = digits.map(|whole| whole.to_string()).filter(|digits| digits != text);
    let texts: Vec<_> = std::iter::once(text.to_owned()).chain(digits).collect();
    any(vec![
        all([exists(path), json!({"terms": {path: texts}})]),
        json!({"term": {label_numbers::LABEL_NUMBERS: label_numbers::exact(name, number)}}),
    ])
}

fn label_wildcard(path: &str, wildcard: &Wildcard, expanded: &Expanded) -> Json {
    match expanded.values(path, wildcard) {
        Some(values) => json!({"terms": {path: values}}),
        None if wildcard.is_prefix() => json!({"prefix": {path: wildcard.prefix()}}),
        None => json!({"wildcard": {path: {"value": pattern(wildcard)}}}),
    }
}

fn range(path: &str, ends: Map<String, Json>) -> Json {
    json!({"range": {path: ends}})
}

fn ends<T>(from: &Bound<T>, to: &Bound<T>, value: impl Fn(&T) -> Json) -> Map<String, Json> {
    let mut ends = Map::new();
    let mut put = |name: &str, end: &T| ends.insert(name.to_owned(), value(end));
    match from {
        Bound::Included(from) => put("gte", from),
        Bound::Excluded(from) => put("gt", from),
        Bound::Unbounded => None,
    };
    match to {
        Bound::Included(to) => put("lte", to),
        Bound::Excluded(to) => put("lt", to),
        Bound::Unbounded => None,
    };
    ends
}

/// Times within a range, to the nanosecond; None for all times.
pub(super) fn time_range(path: &str, from: Bound<Timestamp>, to: Bound<Timestamp>) -> Option<Json> {
    let from = match from {
        // The server would count one further, past the last instant there is.
        Bound::Excluded(Timestamp::MAX) => return Some(none()),
        Bound::Excluded(from) => Bound::Included(from.saturating_add(1)),
        other => other,
    };
    let ends = ends(&from, &to, |timestamp| json!(timestamp.to_string()));
    (!ends.is_empty()).then(|| range(path, ends))
}

/// Whole numbers equal to a number. Above 2^53 a float holds several of them: the digits decide.
fn long(path: &str, number: f64, text: &str) -> Json {
    let as_float = (number.fract() == 0.0 && number.abs() <= EXACT_MAX as f64).then_some(number as i64);
    let as_digits = text.parse::<i64>().ok().filter(|whole| *whole as f64 == number);
    match (as_float, as_digits.filter(|whole| Some(*whole) != as_float)) {
        (None, None) => none(),
        (Some(whole), None) | (None, Some(whole)) => json!({"term": {path: whole}}),
        (Some(one), Some(other)) => json!({"terms": {path: [one, other]}}),
    }
}

/// Whole numbers that lie within a range once they are floats.
fn long_range(path: &str, from: Bound<f64>, to: Bound<f64>) -> Json {
    let first = match from {
        Bound::Included(from) => first_long(|float| float >= from),
        Bound::Excluded(from) => first_long(|float| float > from),
        Bound::Unbounded => Some(i64::MIN),
    };
    let behind = match to {
        Bound::Included(to) => first_long(|float| float > to),
        Bound::Excluded(to) => first_long(|float| float >= to),
        Bound::Unbounded => None,
    };
    let Some(first) = first else { return none() };
    match behind {
        Some(behind) if behind <= first => none(),
        Some(behind) => json!({"range": {path: {"gte": first, "lt": behind}}}),
        None => json!({"range": {path: {"gte": first}}}),
    }
}

/// The least whole number whose float passes a test that all greater ones pass, too.
fn first_long(passes: impl Fn(f64) -> bool) -> Option<i64> {
    if !passes(i64::MAX as f64) {
        return None;
    }
    let (mut low, mut high) = (i128::from(i64::MIN), i128::from(i64::MAX));
    while low < high {
        let middle = (low + high).div_euclid(2);
        if passes(middle as f64) { high = middle } else { low = middle + 1 }
    }
    i64::try_from(low).ok()
}

/// The server holds the two zeros apart: each end is the one with which both are in or out.
fn double_range(path: &str, from: Bound<f64>, to: Bound<f64>) -> Json {
    let zero = |bound: Bound<f64>, included: f64, excluded: f64| match bound {
        Bound::Included(0.0) => Bound::Included(included),
        Bound::Excluded(0.0) => Bound::Excluded(excluded),
        other => other,
    };
    range(path, ends(&zero(from, -0.0, 0.0), &zero(to, 0.0, -0.0), |float| json!(float)))
}
