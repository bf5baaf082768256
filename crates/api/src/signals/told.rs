//! A signal as it is told: what is kept of it, put into words for whoever asks.

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
    let mut told = signal.told([&words.title, &words.what, &words.why], &words.next);
    let standing = &signal.standing;
    for (name, value) in [
        ("received", json!(signal.received)),
        ("facts", json!(signal.facts)),
        ("rank", json!(standing.rank)),
        ("label", json!(standing.label)),
        ("assignee", json!(standing.assignee)),
        ("snoozed_until", json!(standing.snoozed_until)),
        ("suppression", json!(standing.suppression)),
        ("hidden", json!(standing.hidden)),
        ("resolved_at", json!(standing.resolved_at)),
    ] {
        told.insert(name.to_owned(), value);
    }
    Json::Object(told)
}
