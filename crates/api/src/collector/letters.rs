//! The dead letters: looked at, taken in again, discarded.

use std::sync::Arc;

use audit::Action;
use axum::{extract::State, http::Uri, response::Response};
use dead_letter::{DeadLetterError, DeadLetterStream, Kept};
use event::{Event, Position, Verdict, document};
use index::Limits;
use problem::{Problem, StatusCode};
use serde_json::{Value, json};

use super::state::Shared;
use crate::{
    clock::now,
    decision::{By, Decision, Decisions},
    params::{Params, bad_parameter},
    questions::off_reactor,
};

/// What our log calls work on them.
const WORK: &str = "work on the dead letters";
/// Letters end early past so many bytes, and `next` goes on.
const LETTERS_BYTES_MAX: usize = 4 << 20;

/// `GET /api/v1/dead-letters`: those that match, in the order in which they came.
pub(super) async fn list(State(shared): State<Shared>, uri: Uri) -> Result<Response, Problem> {
    let params = Params::of(&uri, &["q", "limit", "cursor"])?;
    let query = params.query(now())?;
    let limit = params.number("limit", 100, shared.state.config.hits_max)?;
    let from = params.text("cursor").map(position).transpose()?.unwrap_or_default();
    let letters = shared.state.dead_letters.clone();
    let work = move |letters: Arc<DeadLetterStream>, limits: Limits| {
        let (mut total, mut shown, mut next) = (0u64, Vec::new(), None);
        let mut bytes = 0;
        let visit = |kept: Kept| {
            if query.matches(kept.letter.id, &kept.letter.event, None, &Verdict::unscored()) {
                total += 1;
                if kept.position >= from && shown.len() < limit && bytes < LETTERS_BYTES_MAX {
                    let json = letter_json(&kept);
                    bytes += json.to_string().len();
                    shown.push(json);
                } else if kept.position >= from && next.is_none() && limit > 0 {
                    next = Some(kept.position);
                }
            }
            // Who asked is gone or has been told that it took too long.
            limits.check().is_ok()
        };
        letters.each(Position::default(), visit).map_err(DeadLetterError::from)?;
        Ok(json!({"total": total, "letters": shown, "next": next.map(|position| position.to_string())}))
    };
    let none = || json!({"total": 0, "letters": [], "next": null});
    shared.query(|limits| blocking(letters, move |letters| work(letters, limits), none)).await
}

/// `POST /api/v1/dead-letters/replay`: all of them are taken in again, as new events.
pub(super) async fn replay(State(shared): State<Shared>, by: By, uri: Uri) -> Result<Response, Problem> {
    Params::of(&uri, &[])?;
    let decision = by.decides(Action::DeadLetterReplayed);
    let (letters, door) = (shared.state.dead_letters.clone(), shared.state.door.clone());
    let work = move |letters: Arc<DeadLetterStream>| {
        let take_in = |events: Vec<Event<'static>>, note| {
            let mut delivery = door.own_delivery();
            events.into_iter().for_each(|event| delivery.put(Ok(event)));
            delivery.note(note);
            door.append_blocking(delivery).map(drop)
        };
        letters.replay(take_in).map(|count| json!({"replayed": count}))
    };
    shared.query(|_| decided(letters, (by.decisions, decision), work, json!({"replayed": 0}))).await
}

/// `POST /api/v1/dead-letters/discard`: all of them are deleted.
pub(super) async fn discard(State(shared): State<Shared>, by: By, uri: Uri) -> Result<Response, Problem> {
    Params::of(&uri, &[])?;
    let decision = by.decides(Action::DeadLetterDropped);
    let letters = shared.state.dead_letters.clone();
    let work = |letters: Arc<DeadLetterStream>| letters.discard().map(|count| json!({"discarded": count}));
    shared.query(|_| decided(letters, (by.decisions, decision), work, json!({"discarded": 0}))).await
}

/// Does what somebody decides to be done with all of them; with `none` as its answer where there is no stream.
async fn decided(
    letters: Option<Arc<DeadLetterStream>>,
    (decisions, decision): (Decisions, Decision),
    work: impl FnOnce(Arc<DeadLetterStream>) -> Result<Value, DeadLetterError> + Send + 'static,
    none: Value,
) -> Result<Value, Problem> {
    let work = move || {
        let work = || letters.map_or(Ok(none), |letters| work(letters).map_err(|error| problem(&error)));
        decisions.carry_out(decision, work, |answer: &Value, decision| {
            let count = answer.as_object().and_then(|answer| answer.values().next());
            decision.with_some("letters", count.cloned())
        })
    };
    off_reactor("dead letters", WORK, work).await?
}

/// Runs work on the stream off the reactor; without a stream the answer is `none`.
async fn blocking(
    letters: Option<Arc<DeadLetterStream>>,
    work: impl FnOnce(Arc<DeadLetterStream>) -> Result<Value, DeadLetterError> + Send + 'static,
    none: impl FnOnce() -> Value,
) -> Result<Value, Problem> {
    let Some(letters) = letters else { return Ok(none()) };
    let answer = off_reactor("dead letters", WORK, move || work(letters)).await?;
    answer.map_err(|error| problem(&error))
}

fn problem(error: &DeadLetterError) -> Problem {
    if let DeadLetterError::Append { .. } = error {
        tracing::warn!(error = error as &dyn std::error::Error, "dead letters were not taken in");
        let detail = format!("{error}; ask again once the journal has room");
        return Problem::new(StatusCode::TOO_MANY_REQUESTS, "journal_full", "The journal is full", detail);
    }
    tracing::error!(error = error as &dyn std::error::Error, "the dead letters cannot be used");
    Problem::internal()
}

fn position(text: &str) -> Result<Position, Problem> {
    let parts = text.split_once(':').and_then(|(segment, record)| {
        Some(Position { segment: segment.parse().ok()?, record: record.parse().ok()? })
    });
    parts.ok_or_else(|| bad_parameter("cursor", "'cursor' must be the 'next' of an earlier answer"))
}

fn letter_json(kept: &Kept) -> Value {
    let letter = &kept.letter;
    let event = document(&letter.event, None, &Verdict::unscored());
    json!({"_id": letter.id.to_string(), "type": letter.kind, "reason": letter.reason, "event": event})
}
