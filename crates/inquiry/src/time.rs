//! Times between tables and what they are filled from.

use event::Timestamp;
use sql::{Comparison, Condition, Literal, Moment, Value};

const MICROS: i64 = 1_000;
const SECOND_NANOS: i64 = 1_000_000_000;

/// As tables have it.
pub(crate) fn moment(time: Timestamp) -> Moment {
    Moment(time.as_nanos().div_euclid(MICROS))
}

/// As tables have it.
pub(crate) fn value(time: Timestamp) -> Value {
    Value::Text(moment(time).text())
}

/// The times that the conditions of a column leave, as far as they can be understood: the beginning, and the end, exclusive. Both are
/// a second wide of the text, for that is ordered as text.
pub(crate) fn period(
    conditions: &[Condition],
    column: &str,
    now: Timestamp,
) -> (Option<Timestamp>, Option<Timestamp>) {
    let (mut from, mut to) = (None, None);
    for condition in conditions.iter().filter(|condition| condition.column == column) {
        match &condition.is {
            Comparison::AtLeast(literal) => from = from.max(time(literal, now).map(earlier)),
            Comparison::AtMost(literal) => {
                let end = time(literal, now).map(later);
                to = if to.is_none() { end } else { to.min(end.or(to)) };
            }
            Comparison::OneOf(_) => {}
        }
    }
    (from, to)
}

fn earlier(time: Timestamp) -> Timestamp {
    time.saturating_add(-SECOND_NANOS)
}

fn later(time: Timestamp) -> Timestamp {
    time.saturating_add(2 * SECOND_NANOS)
}

/// A whole time, or the day of a date; None of what has another form, for which text decides alone.
fn time(literal: &Literal, now: Timestamp) -> Option<Timestamp> {
    match literal {
        Literal::Ago(text) => sql::length(text).ok().map(|age| now.saturating_sub(age)),
        Literal::Text(text) if text.len() == 10 => Timestamp::parse(&format!("{text}T00:00:00Z")).ok(),
        // Another zone is not ordered as its text is.
        Literal::Text(text) if text.as_bytes().get(10) == Some(&b'T') && text.ends_with('Z') => {
            Timestamp::parse(text).ok()
        }
        Literal::Text(_) => None,
    }
}

/// The texts that a column must be one of; None where it may be any.
pub(crate) fn one_of(conditions: &[Condition], column: &str) -> Option<Vec<String>> {
    conditions.iter().find_map(|condition| match &condition.is {
        Comparison::OneOf(literals) if condition.column == column => literals
            .iter()
            .map(|literal| match literal {
                Literal::Text(text) => Some(text.clone()),
                Literal::Ago(_) => None,
            })
            .collect(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_no_narrower_than_the_text() {
        let now = Timestamp::parse("2026-03-01T12:00:00Z").unwrap();
        let told = |sql: &str| {
            let question = sql::Question::check(sql, crate::TABLES).unwrap();
            let (from, to) = period(&question.conditions("logs"), "timestamp", now);
            (from.map(|time| time.to_string()), to.map(|time| time.to_string()))
        };
        let some = |text: &str| Some(text.to_owned());
        for (sql, expected) in [
            ("timestamp >= '2026-02-03T04:05:06Z'", (some("2026-02-03T04:05:05Z"), None)),
            ("timestamp < '2026-02-03' AND timestamp < '2026-02-04'", (None, some("2026-02-03T00:00:02Z"))),
            ("timestamp > ago('1h') AND timestamp > ago('2h')", (some("2026-03-01T10:59:59Z"), None)),
            ("timestamp > '2026-02-03T04:05:06+02:00' AND timestamp < 'tomorrow'", (None, None)),
            ("timestamp > '2026-02-03 04:05:06'", (None, None)),
            ("timestamp < 'x' AND timestamp < '2026-02-03'", (None, some("2026-02-03T00:00:02Z"))),
        ] {
            assert_eq!(told(&format!("SELECT 1 FROM logs WHERE {sql}")), expected, "{sql}");
        }
    }
}
