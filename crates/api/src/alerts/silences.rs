//! `/api/v1/silences`: alerts that nobody is told of for a while, why, and what that would have hidden.

use access::Caller;
use audit::Action;
use axum::{
    Extension, Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, Uri},
    response::{IntoResponse, Response},
};
use problem::{Problem, StatusCode};
use serde_json::{Map, Value, json};

use super::state::{Shared, problem};
use crate::{
    clock::now,
    decision::By,
    params::{Params, bad_parameter},
};

const FORM: &str = r#"{"match": {"severity": …, "kind": …, "source": …, "entity": …, "host": …, "organization": …}, "until": "2030-01-01T00:00:00Z", "reason": …}"#;
/// When a silence ends of which only the match is looked at, and why there is one.
const NEVER_MADE: [(&str, &str); 2] = [("until", "2100-01-01T00:00:00Z"), ("reason", "preview")];

pub(super) async fn list(State(shared): State<Shared>, uri: Uri) -> Result<Response, Problem> {
    Params::of(&uri, &[])?;
    let all = shared.work(|shared| shared.outbox.silences(now()).map_err(|error| problem(&error))).await?;
    Ok(Json(json!({"silences": all, "of_file": shared.outbox.silences_of_file()})).into_response())
}

pub(super) async fn preview(
    State(shared): State<Shared>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let mut members: Map<String, Value> = shared.read(&headers, body, FORM).await?;
    for (name, text) in NEVER_MADE {
        members.insert(name.to_owned(), text.into());
    }
    shared
        .work(move |shared| shared.outbox.would_silence(&members, now()).map_err(|error| problem(&error)))
        .await
        .map(|hidden| Json(hidden).into_response())
}

pub(super) async fn make(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    by: By,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let members: Map<String, Value> = shared.read(&headers, body, FORM).await?;
    let said = |name: &str| members.get(name).map(Value::to_string);
    let decision = ["match", "until", "reason"]
        .into_iter()
        .fold(by.decides(Action::SilenceMade), |decision, name| decision.with_some(name, said(name)));
    let who = caller.name_or("somebody").to_owned();
    shared
        .work(move |shared| {
            let work = || shared.outbox.silence(members, &who, now()).map_err(|error| problem(&error));
            by.carry_out(decision, work, |made, decision| decision.about(&made.number.to_string()))
        })
        .await
        .map(|made| (StatusCode::CREATED, Json(made)).into_response())
}

pub(super) async fn end(
    State(shared): State<Shared>,
    by: By,
    Path(number): Path<String>,
) -> Result<Response, Problem> {
    let decision = by.decides(Action::SilenceEnded).about(&number);
    shared
        .work(move |shared| {
            let work = || {
                let number: i64 =
                    number.parse().map_err(|_| bad_parameter("number", "'number' must be a whole number"))?;
                shared.outbox.end_silence(number).map_err(|error| problem(&error)).map(|()| number)
            };
            by.carry_out(decision, work, |_, decision| decision)
        })
        .await
        .map(|number| Json(json!({"number": number, "state": "ended"})).into_response())
}
