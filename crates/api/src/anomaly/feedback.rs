//! `POST /feedback`, `GET /feedback`, `DELETE /feedback/{id}`.

use std::sync::Arc;

use anomaly::{FEEDBACK_MAX, Feedback, FeedbackError, Label};
use audit::Action;
use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use parse::Format;
use problem::{Problem, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::state::{Shared, blocking};
use crate::{
    clock::now,
    decision::{By, Decision},
    params::bad_parameter,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request<'a> {
    #[serde(borrow)]
    event: &'a RawValue,
    label: String,
    note: Option<String>,
}

pub(super) async fn give(
    State(shared): State<Shared>,
    by: By,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let payload = shared.bodies.read(&headers, body).await?;
    let decision = by.decides(Action::FeedbackGiven);
    let work = move || take_in(&shared, &payload.bytes);
    let given = blocking(move || by.carry_out(decision, work, about_feedback)).await??;
    Ok(Json(feedback_json(&given)).into_response())
}

pub(super) async fn list(State(shared): State<Shared>) -> Response {
    let service = &shared.state.service;
    let all: Vec<Value> = service.feedback().iter().map(feedback_json).collect();
    let mut json = json!({"feedback": all, "most": FEEDBACK_MAX});
    if let Some(problem) = service.feedback_problem() {
        json["problem"] = problem.into();
    }
    Json(json).into_response()
}

pub(super) async fn take_back(
    State(shared): State<Shared>,
    by: By,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let unknown = || {
        let detail = "there is no such feedback; GET /feedback lists what there is";
        Problem::new(StatusCode::NOT_FOUND, "feedback_not_found", "No such feedback", detail)
    };
    let id: u64 = id.parse().map_err(|_| unknown())?;
    let service = Arc::clone(&shared.state.service);
    let decision = by.decides(Action::FeedbackWithdrawn).about(&id.to_string());
    let work = move || {
        service.take_back_feedback(id).map_err(|error| match error {
            FeedbackError::Unknown { .. } => unknown(),
            error => refusal(&error),
        })
    };
    let taken = blocking(move || by.carry_out(decision, work, about_feedback)).await??;
    Ok(Json(feedback_json(&taken)).into_response())
}

/// Which feedback it was. Nothing of the event: logs are no part of the record.
pub(super) fn about_feedback(given: &Feedback, decision: Decision) -> Decision {
    decision
        .about(&given.id.to_string())
        .with("label", given.label.as_str())
        .with("template", given.template.id.to_string())
}

fn take_in(shared: &Shared, bytes: &[u8]) -> Result<Feedback, Problem> {
    let request: Request<'_> = serde_json::from_slice(bytes).map_err(|error| {
        let detail = format!(
            "{error}; feedback is {{\"event\": a log, \"label\": \"normal\" or \"bad\", \"note\": why, if you like}}"
        );
        Problem::new(StatusCode::BAD_REQUEST, "bad_body", "The feedback cannot be read", detail)
    })?;
    let label = match request.label.as_str() {
        "normal" => Label::Normal,
        "bad" => Label::Bad,
        _ => return Err(bad_parameter("label", "'label' is \"normal\" or \"bad\"".to_owned())),
    };
    let given_at = now();
    let (mut given, mut refused) = (None, None);
    let event = request.event.get().as_bytes();
    parse::body(Format::Json, event, &shared.context(given_at), |record| match record {
        Ok(event) if given.is_none() => {
            let note = request.note.as_deref().unwrap_or_default();
            given = Some(shared.state.service.give_feedback(&event, label, note, given_at));
        }
        Ok(_) => {}
        Err(problem) => refused = Some(problem.reason),
    });
    match given {
        Some(given) => given.map_err(|error| refusal(&error)),
        None => {
            let why = refused.unwrap_or_else(|| "it holds no log".to_owned());
            Err(bad_parameter("event", format!("'event' cannot be read: {why}")))
        }
    }
}

pub(super) fn refusal(error: &FeedbackError) -> Problem {
    match error {
        FeedbackError::Full => {
            Problem::new(StatusCode::CONFLICT, "feedback_full", "Too much feedback", error.to_string())
        }
        FeedbackError::Follows { .. } => Problem::new(
            StatusCode::CONFLICT,
            "feedback_follows",
            "It follows from a signal",
            error.to_string(),
        ),
        FeedbackError::Note => bad_parameter("note", error.to_string()),
        FeedbackError::Source => bad_parameter("event", error.to_string()),
        _ => {
            tracing::error!(error = error as &dyn std::error::Error, "feedback could not be stored");
            let detail = "the feedback could not be stored, and nothing changed; the server's log says why";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "not_stored", "Not stored", detail)
        }
    }
}

fn feedback_json(given: &Feedback) -> Value {
    let mut json = json!({
        "id": given.id,
        "label": given.label.as_str(),
        "note": given.note,
        "given_at": given.given_at,
        "holds_for": if given.general { "template" } else { "similar events" },
        "event": {"timestamp": given.event_at, "message": given.message, "source": given.source},
        "template": {"id": given.template.id.to_string(), "text": given.template.text},
    });
    if let Some(origin) = given.origin {
        json["signal"] = format!("{origin:032x}").into();
    }
    json
}
