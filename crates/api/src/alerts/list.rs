//! `GET /alerts`, one of them, what was sent, and that somebody has it.

use access::Caller;
use alert::{AlertFilter, AlertId, DeliveryFilter, DeliveryState};
use audit::Action;
use axum::{
    Extension, Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, Uri},
    response::{IntoResponse, Response},
};
use problem::{Problem, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::state::{Shared, problem};
use crate::{
    clock::now,
    decision::By,
    params::{Params, bad_parameter},
};

/// Alerts and deliveries that one answer holds at most.
const LIMIT_MAX: usize = alert::LISTED_MAX as usize;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    by: Option<String>,
    note: Option<String>,
}

pub(super) async fn list(State(shared): State<Shared>, uri: Uri) -> Result<Response, Problem> {
    let params = Params::of(&uri, &["acknowledged", "limit"])?;
    let acknowledged =
        params.one_of("acknowledged", &[("", None), ("true", Some(true)), ("false", Some(false))])?;
    let limit = limit(&params)?;
    let filter = AlertFilter { acknowledged, limit };
    shared
        .work(move |shared| shared.outbox.alerts(&filter).map_err(|error| problem(&error)))
        .await
        .map(answer)
}

pub(super) async fn explain(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    Params::of(&uri, &[])?;
    let id = known(&id)?;
    shared.work(move |shared| shared.outbox.explain(id).map_err(|error| problem(&error))).await.map(answer)
}

pub(super) async fn deliveries(State(shared): State<Shared>, uri: Uri) -> Result<Response, Problem> {
    let params = Params::of(&uri, &["channel", "state", "limit"])?;
    let state =
        match params.text("state") {
            None => None,
            Some(word) => {
                let states = ["queued", "failed", "delivered", "dead"];
                let place = states.iter().position(|state| *state == word);
                let state = place.and_then(|place| DeliveryState::ALL.get(place).copied());
                Some(state.ok_or_else(|| {
                    bad_parameter("state", format!("'state' is one of {}", states.join(", ")))
                })?)
            }
        };
    let filter =
        DeliveryFilter { channel: params.text("channel").map(str::to_owned), state, limit: limit(&params)? };
    let sent =
        shared.work(move |shared| shared.outbox.deliveries(&filter).map_err(|error| problem(&error))).await?;
    Ok(answer(json!({"deliveries": sent})))
}

pub(super) async fn acknowledge(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    by: By,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let form = r#"{"by": …, "note": …}, both of which may be left out"#;
    let said: Said = shared.read(&headers, body, form).await?;
    let who =
        said.by.filter(|by| !by.trim().is_empty()).unwrap_or_else(|| caller.name_or("somebody").to_owned());
    let decision = by.decides(Action::AlertAcknowledged).about(&id).with("said_by", who.as_str());
    shared
        .work(move |shared| {
            let work = || {
                let alert = shared.outbox.acknowledge(&shared.signals, known(&id)?, &who, said.note, now());
                alert.map_err(|error| problem(&error))
            };
            by.carry_out(decision, work, |_, decision| decision)
        })
        .await
        .map(answer)
}

fn limit(params: &Params) -> Result<Option<u32>, Problem> {
    Ok(u32::try_from(params.number("limit", LIMIT_MAX, LIMIT_MAX)?).ok())
}

/// The id in a path; a text that names none is of no alert.
fn known(text: &str) -> Result<AlertId, Problem> {
    text.parse().map_err(|_| {
        let detail = "there is no alert of this id: it is 32 hexadecimal digits".to_owned();
        Problem::new(StatusCode::NOT_FOUND, "not_found", "Not found", detail)
    })
}

fn answer(value: impl Serialize) -> Response {
    Json(value).into_response()
}
