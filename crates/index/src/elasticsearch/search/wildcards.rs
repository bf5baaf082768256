//! Wildcards on labels. Elasticsearch compares labels as a whole or by how they begin; for other
//! patterns it is asked which values there are that fit, and these are searched for.

use std::{collections::HashMap, fmt::Write as _};

use event::field;
use query::{Query, Test, Wildcard, WildcardPart};
use serde_json::{Map, Value as Json, json};

use super::{unanswerable, unexpected};
use crate::{IndexError, elasticsearch::document::LABEL_NAMES};

/// How many values of one label may fit a wildcard.
pub(super) const VALUES_MAX: usize = 10_000;

/// A path below `labels.` and what its values must fit.
pub(super) type Pattern<'q> = (&'q str, &'q Wildcard);

/// The values that fit, or that the server compares by itself.
#[derive(Debug)]
pub(super) enum Expanded {
    /// It takes the patterns as they are.
    ByServer,
    /// By path and text of the pattern.
    Values(HashMap<(String, String), Vec<String>>),
}

impl Default for Expanded {
    fn default() -> Self {
        Self::Values(HashMap::new())
    }
}

/// The patterns on labels that have to be expanded.
pub(super) fn in_labels(query: &Query) -> Vec<Pattern<'_>> {
    let mut found = Vec::new();
    collect(query, &mut found);
    found
}

fn collect<'q>(query: &'q Query, found: &mut Vec<Pattern<'q>>) {
    match query {
        Query::Field { path, test: Test::Matches(wildcard) } => {
            let known = wildcard.is_any() || wildcard.is_prefix();
            if path.starts_with(field::LABELS) && !known && !found.contains(&(path, wildcard)) {
                found.push((path, wildcard));
            }
        }
        Query::And(parts) | Query::Or(parts) => parts.iter().for_each(|part| collect(part, found)),
        Query::Not(part) => collect(part, found),
        Query::All | Query::Message(_) | Query::Field { .. } => {}
    }
}

/// What to ask for: the values of each pattern's label that fit it, under the pattern's number.
pub(super) fn aggregations(patterns: &[Pattern<'_>]) -> Json {
    let mut aggregations = Map::new();
    for (number, (path, wildcard)) in patterns.iter().enumerate() {
        let values = json!({"terms": {
            "field": path,
            "include": expression(wildcard),
            "size": VALUES_MAX + 1,
            "shard_size": VALUES_MAX + 1,
        }});
        let name = path.strip_prefix(field::LABELS).unwrap_or(path);
        let label = json!({"filter": {"term": {LABEL_NAMES: name}}, "aggs": {"values": values}});
        aggregations.insert(number.to_string(), label);
    }
    aggregations.into()
}

/// The pattern as a regular expression of Lucene, which always covers the whole value.
fn expression(wildcard: &Wildcard) -> String {
    let mut text = String::new();
    for part in &wildcard.parts {
        match part {
            WildcardPart::Literal(literal) => {
                for character in literal.chars() {
                    if character.is_ascii_punctuation() {
                        text.push('\\');
                    }
                    text.push(character);
                }
            }
            WildcardPart::One => text.push('.'),
            WildcardPart::Many => text.push_str(".*"),
        }
    }
    text
}

impl Expanded {
    /// From the answer to [`aggregations`]; nothing is missing from it when there is no index yet.
    pub(super) fn of(patterns: &[Pattern<'_>], answer: &Json) -> Result<Self, IndexError> {
        let mut expanded = HashMap::new();
        for (number, (path, wildcard)) in patterns.iter().enumerate() {
            let buckets = &answer[number.to_string()]["values"]["buckets"];
            let values = match buckets.as_array() {
                Some(buckets) if buckets.len() > VALUES_MAX => {
                    let mut limit = format!("{VALUES_MAX} values of {path} that fit ");
                    // Writing to a text does not fail.
                    let _written = write!(limit, "'{}'", wildcard.text);
                    return Err(unanswerable(limit));
                }
                Some(buckets) => buckets
                    .iter()
                    .map(|bucket| bucket["key"].as_str().map(str::to_owned))
                    .collect::<Option<Vec<_>>>()
                    .ok_or_else(|| unexpected("a label's value in the answer is no text"))?,
                None => Vec::new(),
            };
            expanded.insert(((*path).to_owned(), wildcard.text.clone()), values);
        }
        Ok(Self::Values(expanded))
    }

    /// The values for a pattern; None where the server is to compare.
    pub(super) fn values(&self, path: &str, wildcard: &Wildcard) -> Option<&[String]> {
        match self {
            Self::ByServer => None,
            Self::Values(values) => values.get(&(path.to_owned(), wildcard.text.clone())).map(Vec::as_slice),
        }
    }
}
