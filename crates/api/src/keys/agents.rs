//! `/api/v1/agents`, and `POST /api/v1/enrol`, which makes a token into a key and a certificate.

use access::{Agent, NewAgent};
use audit::{Action, Outcome};
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
    state::{From, Shared, problem, unstored},
};
use crate::{
    clock::now,
    decision::{By, Decision},
};

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
    by: By,
    from: From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let asked: Add = shared.read(&headers, body, r#"{"name": "web-1", "organization": …}"#).await?;
    let token_life = shared.token_life;
    let new = NewAgent { name: asked.name, organization: asked.organization, token_life };
    let decision = adds(by.decides(Action::AgentAdded), &new);
    let added = shared.decide(
        by,
        decision,
        move |keys, _| keys.add_agent(&new, now()),
        |(token, _), decision| decision.with("token", token.id.as_str()),
    );
    let (token, secret) = added.await?;
    let scheme = if from.is_secured() { "https" } else { "http" };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost:8080");
    let mut json = agent_json(&Agent::Waiting(token), now());
    json["token"] = secret.reveal().into();
    let shows_own = from.is_secured() && shared.shows_own;
    json["command"] = enrol_command(&format!("{scheme}://{host}"), secret.reveal(), shows_own).into();
    if let Some(authority) = shared.authority.as_ref().filter(|_| shows_own) {
        json["authority"] = authority.certificate().into();
    }
    Ok(unstored(StatusCode::CREATED, json))
}

/// What is on record of an agent that is to be added.
pub fn adds(decision: Decision, new: &NewAgent) -> Decision {
    decision.about(&new.name).with_some("organization", new.organization.as_deref())
}

/// What is typed on the agent's machine, for the service at `url`; with a copy of this installation's authority beside
/// it where the service shows a certificate of that. The token goes through a pipe: everybody on a machine sees the
/// arguments of its programs, and `printf` is none.
pub fn enrol_command(url: &str, token: &str, shows_own: bool) -> String {
    let trust = if shows_own { "--cacert authority.pem " } else { "" };
    format!(
        "printf '%s' '{{\"token\":\"{token}\"}}' | curl {trust}{url}/api/v1/enrol -H 'Content-Type: application/json' -d @-"
    )
}

pub(super) async fn revoke(
    State(shared): State<Shared>,
    by: By,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let answer = json!({"name": name, "state": "revoked"});
    let decision = by.decides(Action::AgentRevoked).about(&name);
    let work = move |keys: &access::Keys, _: &Shared| keys.revoke_agent(&name, now());
    shared.decide(by, decision, work, |(), decision| decision).await?;
    Ok(unstored(StatusCode::OK, answer))
}

pub(super) async fn enrol(
    State(shared): State<Shared>,
    by: By,
    from: From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    shared.unhurried(&from)?;
    let asked: Enrol = shared.read(&headers, body, r#"{"token": "lse_…"}"#).await?;
    let enrolled = shared.with_keys(move |keys, shared| enrolled(keys, shared, &by, &asked.token));
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

/// Makes a token into a key. Only who has a good one gets onto the record: everybody may ask.
fn enrolled(
    keys: &access::Keys,
    shared: &Shared,
    by: &By,
    token: &str,
) -> Result<(access::Enrolled, Option<tls::Issued>), Problem> {
    let (mut issued, mut on_record) = (None, None);
    let enrolled = keys.enrol(token, now(), |key| {
        let rotates = keys.agents().iter().any(|agent| {
            matches!(agent, Agent::Enrolled(earlier) if earlier.name == key.name && earlier.revoked.is_none())
        });
        let action = if rotates { Action::AgentRotated } else { Action::AgentEnrolled };
        let decision = by.decides(action).about(&key.name).with("key", &*key.id);
        on_record = Some(by.decisions.ask(decision));
        if let Some(Err(error)) = &on_record {
            return Err(error.clone().into());
        }
        let Some(authority) = &shared.authority else { return Ok(None) };
        let certificate = authority.agent(&key.name, &key.id, now())?;
        let digest = certificate.digest;
        issued = Some(certificate);
        Ok(Some(digest))
    });
    let asked = on_record.transpose()?;
    match (&enrolled, asked) {
        (Ok(_), Some(asked)) => asked.end(Outcome::Done, |decision| decision)?,
        (Err(_), Some(asked)) => drop(asked.end(Outcome::Failed, |decision| decision)),
        (_, None) => {}
    }
    Ok((enrolled.map_err(|error| problem(&error))?, issued))
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
