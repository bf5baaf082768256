//! `/api/v1/suppressions`: signals that nobody is to be told of for a while, why, and what that would have hidden.

use access::Caller;
use audit::Action;
use axum::{
    Extension,
    body::Body,
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use event::Timestamp;
use problem::Problem;
use serde::Deserialize;
use serde_json::json;
use signal::{Matching, NewSuppression, narrative::Reader};

use super::{
    state::{Shared, answer, problem},
    told::signal_json,
};
use crate::{clock::now, decision::By, params::bad_parameter};

/// What is to be suppressed.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    matching: Matching,
    #[serde(default)]
    reason: String,
    by: Option<String>,
    #[serde(default)]
    expires_at: String,
}

const FORM: &str = r#"{"matching": {"kind": …, "rule": …, "entity": …, "organization": …}, "reason": …, "expires_at": "2030-01-01T00:00:00Z"}"#;

pub(super) async fn list(State(shared): State<Shared>) -> Result<Response, Problem> {
    let all = shared.work(|shared| shared.store.suppressions().map_err(|error| problem(&error))).await?;
    Ok(answer(json!({"suppressions": all})))
}

pub(super) async fn preview(
    State(shared): State<Shared>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let wanted: Wanted = shared.read(&headers, body, FORM).await?;
    let preview = move |shared: &Shared| {
        let preview = shared.store.preview(&wanted.matching, now()).map_err(|error| problem(&error))?;
        let newest: Vec<_> =
            preview.newest.iter().map(|signal| signal_json(signal, &Reader::default())).collect();
        Ok(json!({"signals": preview.signals, "sorts": preview.sorts, "newest": newest}))
    };
    shared.work(preview).await.map(answer)
}

pub(super) async fn make(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    by: By,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let wanted: Wanted = shared.read(&headers, body, FORM).await?;
    let who =
        wanted.by.filter(|by| !by.trim().is_empty()).unwrap_or_else(|| caller.name_or("somebody").to_owned());
    let decision = by.decides(Action::SignalsSuppressed).with("reason", wanted.reason.as_str());
    let decision = decision.with("matching", serde_json::to_value(&wanted.matching).unwrap_or_default());
    shared
        .work(move |shared| {
            let work = || {
                let expires_at = Timestamp::parse(&wanted.expires_at).map_err(|_| {
                    bad_parameter("expires_at", "'expires_at' must be a time such as 2030-01-01T00:00:00Z")
                })?;
                let new =
                    NewSuppression { matching: wanted.matching, reason: wanted.reason, by: who, expires_at };
                let beside = &shared.beside;
                let made =
                    shared.store.suppress(&new, now(), |transaction, changes| beside(transaction, changes));
                made.map_err(|error| problem(&error))
            };
            by.carry_out(decision, work, |made, decision| decision.about(&made.number.to_string()))
        })
        .await
        .map(|made| answer(json!(made)))
}

pub(super) async fn remove(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    by: By,
    Path(number): Path<String>,
) -> Result<Response, Problem> {
    let who = caller.name_or("somebody").to_owned();
    let decision = by.decides(Action::SuppressionRemoved).about(&number);
    shared
        .work(move |shared| {
            let work = || {
                let number =
                    number.parse().map_err(|_| bad_parameter("number", "'number' must be a whole number"))?;
                let beside = &shared.beside;
                let removed = shared
                    .store
                    .unsuppress(number, &who, now(), |transaction, changes| beside(transaction, changes));
                removed.map_err(|error| problem(&error))?;
                Ok::<_, Problem>(number)
            };
            by.carry_out(decision, work, |_, decision| decision)
        })
        .await
        .map(|number| answer(json!({"number": number, "state": "removed"})))
}
