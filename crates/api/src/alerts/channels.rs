//! `/api/v1/channels`: the ways by which people are told. Secrets come in and never go out.

use access::Caller;
use alert::{OutboxError, channel::ChannelConfig};
use audit::{Action, Outcome};
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
    decision::{By, Ending},
    params::{Params, bad_parameter},
};

const FORM: &str =
    r#"{"name": …, "type": …} and what a channel of this type needs, as in the file of routes"#;

pub(super) async fn list(State(shared): State<Shared>, uri: Uri) -> Result<Response, Problem> {
    Params::of(&uri, &[])?;
    let all = shared
        .work(|shared| {
            let failed = |error| problem(&error);
            let (made, standing) =
                (shared.outbox.made_channels().map_err(failed)?, shared.outbox.channels().map_err(failed)?);
            let routes = shared.outbox.routes();
            let of = |channel: &ChannelConfig| {
                let mut told = channel.told();
                let by = made.iter().find(|made| made.name == channel.name && shared.outbox.is_made(&made.name));
                told.insert("made_by".to_owned(), json!(by.map(|made| &made.by)));
                told.insert("made_at".to_owned(), json!(by.map(|made| made.at)));
                let standing = standing.iter().find(|standing| standing.channel == channel.name);
                if let Some(standing) = standing {
                    told.insert("failing_since".to_owned(), json!(standing.failing_since));
                    told.insert("waiting".to_owned(), standing.waiting.into());
                    told.insert("given_up".to_owned(), standing.given_up.into());
                }
                Value::Object(told)
            };
            let mut all: Vec<Value> = routes.channels().map(of).collect();
            // Those whose name the file has taken since.
            let hidden = made.iter().filter(|made| !shared.outbox.is_made(&made.name));
            all.extend(hidden.map(|made| {
                json!({"name": made.name, "made_by": made.by, "made_at": made.at,
                       "without_effect": "the file of routes or the environment has a channel of this name, or it cannot be used"})
            }));
            Ok(all)
        })
        .await?;
    Ok(Json(json!({"channels": all})).into_response())
}

pub(super) async fn make(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    by: By,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let mut members: Map<String, Value> = shared.read(&headers, body, FORM).await?;
    let name = match members.remove("name") {
        Some(Value::String(name)) if !name.is_empty() => name,
        _ => return Err(bad_parameter("name", "'name' must be a text: what the channel is called")),
    };
    let decision = by.decides(Action::ChannelMade).about(&name).with_some("type", type_of(&members));
    let who = caller.name_or("somebody").to_owned();
    shared
        .work(move |shared| {
            let work = || {
                let made = shared.outbox.make_channel(&name, members, &who, now());
                made.map_err(|error| problem(&error))
            };
            by.carry_out(decision, work, |_, decision| decision)
        })
        .await
        .map(|made| (StatusCode::CREATED, Json(Value::Object(made.told()))).into_response())
}

pub(super) async fn change(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    by: By,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let mut members: Map<String, Value> = shared.read(&headers, body, FORM).await?;
    if members.remove("name").is_some_and(|named| named != name.as_str()) {
        return Err(bad_parameter(
            "name",
            "'name' differs from that in the address; a channel keeps its name",
        ));
    }
    let decision = by.decides(Action::ChannelChanged).about(&name).with_some("type", type_of(&members));
    let who = caller.name_or("somebody").to_owned();
    shared
        .work(move |shared| {
            let work = || {
                let changed = shared.outbox.change_channel(&name, members, &who, now());
                changed.map_err(|error| problem(&error))
            };
            by.carry_out(decision, work, |_, decision| decision)
        })
        .await
        .map(|changed| Json(Value::Object(changed.told())).into_response())
}

pub(super) async fn remove(
    State(shared): State<Shared>,
    by: By,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let decision = by.decides(Action::ChannelRemoved).about(&name);
    shared
        .work(move |shared| {
            let work = || shared.outbox.remove_channel(&name).map_err(|error| problem(&error)).map(|()| name);
            by.carry_out(decision, work, |_, decision| decision)
        })
        .await
        .map(|name| Json(json!({"name": name, "state": "removed"})).into_response())
}

pub(super) async fn test(
    State(shared): State<Shared>,
    by: By,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let decision = by.decides(Action::ChannelTested).about(&name);
    let routes = shared.outbox.routes();
    let decisions = by.decisions.clone();
    let asked = shared.work(move |_| decisions.ask(decision).map_err(Problem::from)).await?;
    let sent = match routes.channel(&name) {
        None => Err(problem(&OutboxError::NoChannel { name: name.clone() })),
        Some(_) => routes.send_test_in(&name, shared.outbox.voice(), now()).await.map_err(|error| {
            let (title, detail) = ("The test was not delivered", error.to_string());
            Problem::new(StatusCode::BAD_GATEWAY, "not_delivered", title, detail)
        }),
    };
    let outcome = sent.as_ref().map_or_else(Ending::outcome, |_| Outcome::Done);
    shared.work(move |_| asked.end(outcome, |decision| decision).map_err(Problem::from)).await?;
    sent.map(|receipt| {
        Json(json!({"channel": name, "delivered": true, "answer": receipt.answer})).into_response()
    })
}

fn type_of(members: &Map<String, Value>) -> Option<String> {
    members.get("type").and_then(Value::as_str).map(str::to_owned)
}
