//! A signal as it is told: what is kept of it, put into words for whoever asks.

use jiff::tz::TimeZone;
use problem::Problem;
use serde_json::{Value as Json, json};
use signal::{
    Signal,
    narrative::{self, Language, Reader},
};

use crate::params::Params;

/// For whom signals are told: `lang` and `zone`.
pub(super) fn reader(params: &Params) -> Result<Reader, Problem> {
    let languages = [("en", Language::English), ("pt", Language::Portuguese)];
    Ok(Reader { language: params.one_of("lang", &languages)?, zone: params.zone()?, ..Reader::default() })
}

/// The signal with its words.
pub(super) fn signal_json(signal: &Signal, reader: &Reader) -> Json {
    let words = narrative::of(signal, reader);
    let entities: Vec<_> = signal
        .entities
        .iter()
        .map(|entity| json!({"type": entity.r#type.as_str(), "value": entity.value}))
        .collect();
    let standing = &signal.standing;
    json!({
        "id": signal.id,
        "kind": signal.kind,
        "title": words.title,
        "severity": signal.severity,
        "confidence": signal.confidence,
        "state": signal.state,
        "first": signal.first,
        "last": signal.last,
        "received": signal.received,
        "count": signal.count,
        "entities": entities,
        "what": words.what,
        "why": words.why,
        "next": words.next,
        "incident": signal.incident,
        "organization": signal.organization,
        "rule": signal.rule,
        "technique": signal.techniques,
        "facts": signal.facts,
        "rank": standing.rank,
        "label": standing.label,
        "assignee": standing.assignee,
        "snoozed_until": standing.snoozed_until,
        "suppression": standing.suppression,
        "hidden": standing.hidden,
        "resolved_at": standing.resolved_at,
        "evidence": signal.evidence,
    })
}

/// The zone of a reader that asks for nothing special.
pub(super) fn plain_reader() -> Reader {
    Reader { zone: TimeZone::UTC, ..Reader::default() }
}
