//! Query strings: known names, typed values, and refusals that name what is wrong.

use std::sync::Arc;

use access::Caller;
use axum::{extract::Query as QueryString, http::Uri};
use event::{Timestamp, field};
use index::{Cursor, Order, Selection, SortKey};
use jiff::tz::TimeZone;
use problem::{Problem, StatusCode};
use query::{Clock, Query, Test, resolve};

/// A beginning, inclusive, and an end, exclusive.
pub(crate) type Period = (Option<Timestamp>, Option<Timestamp>);

/// A request's query string, checked against the names that its resource knows.
#[derive(Debug)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
    /// Whose events alone are asked for.
    organization: Option<Arc<str>>,
}

impl Params {
    /// # Errors
    /// 400 for an unknown or repeated name.
    pub(crate) fn of(uri: &Uri, known: &[&str]) -> Result<Self, Problem> {
        let QueryString(pairs) = QueryString::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| bad_parameter("query", "the query string cannot be read"))?;
        for (at, (name, _)) in pairs.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                return Err(unknown(name, known));
            }
            if pairs[..at].iter().any(|(earlier, _)| earlier == name) {
                return Err(bad_parameter(name, format!("'{name}' is given more than once")));
            }
        }
        Ok(Self { pairs, organization: None })
    }

    /// From now on no query reaches beyond what this caller may read.
    #[must_use]
    pub(crate) fn within(self, caller: &Caller) -> Self {
        Self { organization: caller.organization.clone(), ..self }
    }

    /// The value of a parameter, when it is given and not empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(known, value)| known == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// A whole number from 0 to `max`.
    pub(crate) fn number(&self, name: &str, default: usize, max: usize) -> Result<usize, Problem> {
        let Some(text) = self.text(name) else { return Ok(default.min(max)) };
        match text.parse() {
            Ok(number) if number <= max => Ok(number),
            _ => Err(bad_parameter(name, format!("'{name}' must be a whole number from 0 to {max}"))),
        }
    }

    /// `q`, parsed; everything when it is absent, empty or `*`.
    pub(crate) fn query(&self, now: Timestamp) -> Result<Query, Problem> {
        Ok(self.own(parse_query("q", self.text("q").unwrap_or_default(), self.clock(now)?)?))
    }

    /// `zone`: that of times which name none, and of days and longer stretches; UTC unless it is given.
    pub(crate) fn zone(&self) -> Result<TimeZone, Problem> {
        let zone = self.text("zone").map(query::zone).transpose();
        let zone = zone.map_err(|error| bad_parameter("zone", format!("'zone': {error}")))?;
        Ok(zone.unwrap_or(TimeZone::UTC))
    }

    fn clock(&self, now: Timestamp) -> Result<Clock, Problem> {
        Ok(Clock { now, zone: self.zone()? })
    }

    /// A query that does not reach beyond what the caller may read.
    pub(crate) fn own(&self, asked: Query) -> Query {
        let Some(organization) = &self.organization else { return asked };
        let test = Test::Equals { text: organization.to_string(), ignore_case: false };
        let own = Query::Field { path: field::ORGANIZATION.to_owned(), test };
        match asked {
            Query::All => own,
            asked => Query::and(vec![own, asked]),
        }
    }

    /// `q`, `from` and `to`.
    pub(crate) fn selection(&self, now: Timestamp) -> Result<Selection, Problem> {
        let (from, to) = self.period(("from", "to"), now)?;
        Ok(Selection { query: self.query(now)?, from, to })
    }

    /// A beginning and an end, as far as they are given.
    pub(crate) fn period(&self, (begins, ends): (&str, &str), now: Timestamp) -> Result<Period, Problem> {
        let clock = self.clock(now)?;
        let time = |name| self.text(name).map(|text| parse_time(name, text, clock.clone())).transpose();
        let (from, to) = (time(begins)?, time(ends)?);
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            return Err(bad_parameter(begins, format!("'{begins}' ({from}) is later than '{ends}' ({to})")));
        }
        Ok((from, to))
    }

    /// One of some words; the first of them unless another is given.
    pub(crate) fn one_of<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<T, Problem> {
        let given = self.text(name).unwrap_or_else(|| words[0].0);
        words.iter().find(|(word, _)| *word == given).map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            bad_parameter(name, format!("'{name}' is one of {}", words.join(", ")))
        })
    }

    /// `order`: `desc`, newest first, unless `asc` is given.
    pub(crate) fn order(&self) -> Result<Order, Problem> {
        self.one_of("order", &[("desc", Order::NewestFirst), ("asc", Order::OldestFirst)])
    }

    /// `cursor`, as an earlier answer's `next` gave it, of an answer in the same order.
    pub(crate) fn cursor(&self, order: Order) -> Result<Option<SortKey>, Problem> {
        let Some(text) = self.text("cursor") else { return Ok(None) };
        match text.parse::<Cursor>() {
            Ok(cursor) if cursor.order == order => Ok(Some(cursor.key)),
            Ok(_) => {
                Err(bad_parameter("cursor", "'cursor' is of an answer in the other 'order'; keep to that"))
            }
            Err(_) => Err(bad_parameter(
                "cursor",
                "'cursor' must be the 'next' of an earlier answer to the same search",
            )),
        }
    }

    /// A field that is to be counted by, by its full name.
    pub(crate) fn counted(&self, name: &str) -> Result<Option<String>, Problem> {
        let path = self.text(name).map(|field| resolve(field).into_owned());
        match path.as_deref() {
            Some(field::ID) => {
                Err(bad_parameter(name, "every event has an _id of its own; count another field"))
            }
            _ => Ok(path),
        }
    }
}

/// A query text; 400 `bad_query` with the column for what is none.
pub(crate) fn parse_query(name: &str, text: &str, clock: impl Into<Clock>) -> Result<Query, Problem> {
    Query::parse(text, clock).map_err(|error| {
        let detail = format!("column {}: {}", error.column, error.reason);
        Problem::new(StatusCode::BAD_REQUEST, "bad_query", "The query is not valid", detail)
            .field(name)
            .member("column", error.column)
    })
}

/// RFC 3339 or `now-15m`.
pub(crate) fn parse_time(name: &str, text: &str, clock: impl Into<Clock>) -> Result<Timestamp, Problem> {
    query::time(text, clock).map_err(|error| bad_parameter(name, format!("'{name}': {error}")))
}

/// 400 for a parameter.
pub(crate) fn bad_parameter(name: &str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad_parameter", "A parameter is not valid", detail).field(name)
}

fn unknown(name: &str, known: &[&str]) -> Problem {
    let name: String = name.chars().take(64).collect();
    let near = known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(&name, candidate), *candidate))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let advice = match (near, known) {
        (Some((_, candidate)), _) => format!("did you mean '{candidate}'?"),
        (None, []) => "it takes none".to_owned(),
        (None, known) => format!("it takes {}", known.join(", ")),
    };
    Problem::new(
        StatusCode::BAD_REQUEST,
        "unknown_parameter",
        "Unknown parameter",
        format!("'{name}' is no parameter of this resource; {advice}"),
    )
    .field(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_get_a_suggestion() {
        let known = ["q", "from", "to", "limit", "cursor"];
        for (query, part) in [
            ("limt=5", "did you mean 'limit'?"),
            ("cursr=5", "did you mean 'cursor'?"),
            ("xyzzy=1", "it takes q, from, to, limit, cursor"),
            ("limit=1&limit=2", "more than once"),
        ] {
            let uri: Uri = format!("/api/v1/search?{query}").parse().unwrap();
            let problem = Params::of(&uri, &known).unwrap_err();
            assert_eq!(problem.status, StatusCode::BAD_REQUEST);
            assert!(problem.detail.contains(part), "{query}: {}", problem.detail);
        }
    }
}
