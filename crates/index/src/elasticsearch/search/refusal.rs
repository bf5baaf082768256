//! Refusals that say that a question is too large, by the limit that it met.

use bytes::Bytes;

use crate::IndexError;

/// What the server says, and the limit that is meant.
const LIMITS: &[(&[&str], &str)] = &[
    (
        &["maxClauseCount", "too_many_clauses", "too_many_nested_clauses", "expanded to too many terms"],
        "the server's indices.query.bool.max_clause_count allows (a wildcard within a phrase counts once for \
         each word that fits it)",
    ),
    (
        &["max_nested_depth", "nested depth of the query"],
        "the server's indices.query.bool.max_nested_depth allows",
    ),
    (&["too_many_buckets_exception"], "the server's search.max_buckets allows"),
    (&["Determinizing automaton", "too_complex_to_determinize"], "the server allows a single wildcard"),
    (&["max_regex_length"], "the server's index.max_regex_length allows a wildcard on a label"),
    (&["max_terms_count"], "the server's index.max_terms_count allows a wildcard on a label"),
    (&["[request] Data too large"], "the memory that the server's indices.breaker.request.limit allows"),
];

/// The limit that a refused question met, if it is one of size.
pub(super) fn too_large(body: &Bytes) -> Option<IndexError> {
    let text = String::from_utf8_lossy(body);
    let met = |(marks, _): &&(&[&str], &str)| marks.iter().any(|mark| text.contains(mark));
    let (_, limit) = LIMITS.iter().find(met)?;
    Some(IndexError::QueryTooLarge { limit: (*limit).to_owned() })
}
