//! `/api/v1/agents`, and `POST /api/v1/enrol`, which makes a token into a key and a certificate.

use access::{Agent, NewAgent};
use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, header},
    response::Response,
};
use event::Timestamp;
use problem::{Problem, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    made::key_json,
    state::{From, Shared, unstored},
};
use crate::clock::now;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Add {
    name: String,
    organization: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Enrol {
    token: String,
}

pub(super) async fn list(State(shared): State<Shared>) -> Result<Response, Problem> {
    let agents = shared.with_keys(|keys, _| Ok(keys.agents())).await?;
    let agents: Vec<_> = agents.iter().map(|agent| agent_json(agent, now())).collect();
    Ok(unstored(StatusCode::OK, json!({"agents": agents})))
}

pub(super) async fn add(
    State(shared): State<Shared>,
    from: From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let asked: Add = shared.read(&headers, body, r#"{"name": "web-1", "organization": …}"#).await?;
    let token_life = shared.token_life;
    let new = NewAgent { name: asked.name, organization: asked.organization, token_life };
    let (token, secret) = shared.with_keys(move |keys, _| keys.add_agent(&new, now())).await?;
    let scheme = if from.is_secured() { "https" } else { "http" };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost:8080");
    let mut json = agent_json(&Agent::Waiting(token), now());
    json["token"] = secret.reveal().into();
    json["command"] = enrol_command(&format!("{scheme}://{host}"), secret.reveal()).into();
    Ok(unstored(StatusCode::CREATED, json))
}

/// What is typed on the agent's machine, for the service at `url`.
pub fn enrol_command(url: &str, token: &str) -> String {
    format!("curl {url}/api/v1/enrol -H 'Content-Type: application/json' -d '{{\"token\":\"{token}\"}}'")
}

pub(super) async fn revoke(
    State(shared): State<Shared>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let answer = json!({"name": name, "state": "revoked"});
    shared.with_keys(move |keys, _| keys.revoke_agent(&name, now())).await?;
    Ok(unstored(StatusCode::OK, answer))
}

pub(super) async fn enrol(
    State(shared): State<Shared>,
    from: From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    shared.unhurried(&from)?;
    let asked: Enrol = shared.read(&headers, body, r#"{"token": "lse_…"}"#).await?;
    let enrolled = shared.with_keys(move |keys, shared| {
        let mut issued = None;
        let enrolled = keys.enrol(&asked.token, now(), |key| {
            let Some(authority) = &shared.authority else { return Ok(None) };
            let certificate = authority.agent(&key.name, &key.id, now())?;
            let digest = certificate.digest;
            issued = Some(certificate);
            Ok(Some(digest))
        })?;
        Ok((enrolled, issued))
    });
    let (enrolled, issued) = enrolled.await.inspect_err(|problem| {
        if problem.status == StatusCode::UNAUTHORIZED {
            shared.access.failed(from.address(), now());
        }
    })?;
    let mut json = key_json(&enrolled.key, now());
    json["key"] = enrolled.secret.reveal().into();
    if let (Some(issued), Some(authority)) = (issued, &shared.authority) {
        json["certificate"] = issued.certificate.into();
        json["private_key"] = issued.private_key.into();
        json["authority"] = authority.certificate().into();
    }
    Ok(unstored(StatusCode::CREATED, json))
}

/// An agent as it is told.
pub fn agent_json(agent: &Agent, now: Timestamp) -> Value {
    let state = agent.state(now);
    let mut json = match agent {
        Agent::Enrolled(key) => key_json(key, now),
        Agent::Waiting(token) => json!({
            "name": token.agent,
            "organization": token.organization,
            "created": token.created,
            "expires": token.expires,
        }),
    };
    json["state"] = state.into();
    json
}
