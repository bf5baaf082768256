//! `/api/v1/keys`.

use access::{Key, NewKey, Scope, Scopes};
use audit::Action;
use axum::{
    body::Body,
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use event::Timestamp;
use problem::{Problem, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::state::{Shared, unstored};
use crate::{
    clock::now,
    decision::{By, Decision},
    params::bad_parameter,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    #[serde(default)]
    name: String,
    scopes: Vec<String>,
    organization: Option<String>,
    expires: Option<String>,
}

pub(super) async fn list(State(shared): State<Shared>) -> Result<Response, Problem> {
    let keys = shared.with_keys(|keys, _| Ok(keys.list())).await?;
    let keys: Vec<_> = keys.iter().map(|key| key_json(key, now())).collect();
    Ok(unstored(StatusCode::OK, json!({"keys": keys})))
}

pub(super) async fn create(
    State(shared): State<Shared>,
    by: By,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let form = r#"{"scopes": ["ingest", "read", "admin"], "name": …, "organization": …, "expires": "2030-01-01T00:00:00Z"}, of which only scopes must be there"#;
    let asked: Create = shared.read(&headers, body, form).await?;
    let scopes: Result<Scopes, _> = asked.scopes.iter().map(|scope| scope.parse::<Scope>()).collect();
    let expires = asked.expires.as_deref().map(Timestamp::parse).transpose();
    let new = NewKey {
        name: asked.name,
        scopes: scopes.map_err(|error| bad_parameter("scopes", error.to_string()))?,
        organization: asked.organization,
        expires: expires
            .map_err(|_| bad_parameter("expires", "'expires' must be a time such as 2030-01-01T00:00:00Z"))?,
    };
    let decision = creates(by.decides(Action::KeyCreated), &new);
    let made = shared.decide(
        by,
        decision,
        move |keys, _| keys.create(&new, now()),
        |(key, _), decision| decision.about(&key.id),
    );
    let (key, secret) = made.await?;
    let mut json = key_json(&key, now());
    json["key"] = secret.reveal().into();
    Ok(unstored(StatusCode::CREATED, json))
}

pub(super) async fn revoke(
    State(shared): State<Shared>,
    by: By,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let decision = by.decides(Action::KeyRevoked).about(told_id(&id));
    let revoked = shared.decide(
        by,
        decision,
        move |keys, _| keys.revoke(&id, now()),
        |key, decision| decision.with("name", &*key.name),
    );
    let key = revoked.await?;
    Ok(unstored(StatusCode::OK, key_json(&key, now())))
}

/// What is on record of a key that is to be made.
pub fn creates(decision: Decision, new: &NewKey) -> Decision {
    decision
        .with("name", new.name.as_str())
        .with("scopes", new.scopes.to_string())
        .with_some("organization", new.organization.as_deref())
        .with_some("expires", new.expires.map(|expires| expires.to_string()))
}

/// What was given as the id of a key, which may be the key itself.
pub fn told_id(id: &str) -> &str {
    let is_id = id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id { id } else { "(no id)" }
}

/// A key as it is told: everything but the key itself.
pub fn key_json(key: &Key, now: Timestamp) -> Value {
    json!({
        "id": &*key.id,
        "name": &*key.name,
        "scopes": key.scopes.iter().map(Scope::as_str).collect::<Vec<_>>(),
        "organization": key.organization.as_deref(),
        "state": key.state(now).as_str(),
        "created": key.created,
        "expires": key.expires,
        "revoked": key.revoked,
        "last_used": key.last_used,
        "agent": key.is_agent,
    })
}
