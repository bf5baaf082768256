//! The agents that are known, what they are to watch, and their removal.

use std::collections::HashMap;

use access::Caller;
use audit::Action;
use axum::{
    Extension, Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, Uri},
    response::{IntoResponse, Response},
};
use finding::EntityType;
use fleet::Monitoring;
use problem::{Problem, StatusCode};
use serde_json::{Map, Value, json};
use signal::{Filter, State as SignalState};

use super::state::{Shared, problem};
use crate::{clock::now, decision::By, params::Params};

/// Open signals that are counted by host.
const COUNTED_MAX: usize = 1_000;

pub(super) async fn list(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    Params::of(&uri, &[])?;
    shared.work(move |shared| agents(shared, caller.organization.as_deref())).await
}

fn agents(shared: &Shared, organization: Option<&str>) -> Result<Response, Problem> {
    let agents = shared.fleet.agents(organization, now()).map_err(|error| problem(&error))?;
    let open = open_signals(shared, organization)?;
    let mut known: Vec<Value> = Vec::with_capacity(agents.len());
    for agent in &agents {
        let mut told = serde_json::to_value(agent).map_err(|_| Problem::internal())?;
        told["open_signals"] = open.get(&agent.name).copied().unwrap_or_default().into();
        known.push(told);
    }
    for (name, of) in shared.announced() {
        let is_seen = organization.is_none() || of.as_deref() == organization;
        if is_seen && !agents.iter().any(|agent| agent.name == name) {
            known.push(json!({
                "name": name, "state": "never", "last_seen": null, "first_seen": null, "version": null, "os": null,
                "interval": null, "expected": "always", "metrics": {}, "config_version": 0, "config_taken": null,
                "config_problem": null, "monitoring": Monitoring::default(), "conditions": [], "open_signals": 0,
            }));
        }
    }
    known.sort_by(|one, other| one["name"].as_str().cmp(&other["name"].as_str()));
    Ok(Json(known).into_response())
}

/// How many signals are open, by host.
fn open_signals(shared: &Shared, organization: Option<&str>) -> Result<HashMap<String, u64>, Problem> {
    use SignalState::{Acknowledged, Escalating, New, Ongoing, Reopened};
    let filter = Filter {
        states: vec![New, Ongoing, Escalating, Acknowledged, Reopened],
        organization: organization.map(str::to_owned),
        limit: COUNTED_MAX,
        ..Filter::default()
    };
    let page = shared.signals.list(&filter).map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "signals cannot be counted by host");
        Problem::internal()
    })?;
    let mut open = HashMap::new();
    for entity in page.signals.iter().flat_map(|signal| &signal.entities) {
        if entity.r#type == EntityType::Host {
            *open.entry(entity.value.clone()).or_default() += 1;
        }
    }
    Ok(open)
}

pub(super) async fn configure(
    State(shared): State<Shared>,
    by: By,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    const FORM: &str =
        r#"the `monitoring` object of an agent or a part of it, such as {"cpu": {"threshold": 90}}"#;
    let bytes = shared.bytes(&headers, body, FORM).await?;
    let said: Map<String, Value> = serde_json::from_slice(&bytes).map_err(|error| {
        let detail = format!("the body must be {FORM}: {error}");
        Problem::new(StatusCode::BAD_REQUEST, "bad_body", "The body cannot be read", detail)
    })?;
    let said = inner(said);
    let sections = said.keys().map(String::as_str).collect::<Vec<_>>().join(" ");
    let decision = by.decides(Action::HostConfigured).about(&name).with("sections", sections);
    shared
        .work(move |shared| {
            let work = || {
                let announced = shared.announced().into_iter().find(|(announced, _)| *announced == name);
                let organization = announced.as_ref().and_then(|(_, organization)| organization.clone());
                let is_new = announced.is_some() && shared.fleet.series(&name, None).is_err();
                let organization = organization.filter(|_| is_new);
                let configured = shared
                    .fleet
                    .configure(&name, organization.as_deref(), announced.is_some(), &said, now())
                    .map_err(|error| problem(&error))?;
                configured.map_err(|unfit| {
                    let told: Vec<String> = unfit.iter().map(ToString::to_string).collect();
                    let status = StatusCode::UNPROCESSABLE_ENTITY;
                    let field = unfit.first().map(|one| one.field.clone()).unwrap_or_default();
                    Problem::new(status, "bad_config", "The configuration does not fit", told.join("; "))
                        .field(field)
                        .member("unfit", json!(unfit))
                })
            };
            by.carry_out(decision, work, |configured, decision| decision.with("version", configured.version))
        })
        .await
        .map(|configured| Json(configured).into_response())
}

/// The object itself, also where it is given as the file of an agent has it: below `monitoring`.
fn inner(mut said: Map<String, Value>) -> Map<String, Value> {
    match said.remove("monitoring") {
        Some(Value::Object(inner)) if said.is_empty() => inner,
        Some(other) => {
            said.insert("monitoring".to_owned(), other);
            said
        }
        None => said,
    }
}

pub(super) async fn remove(
    State(shared): State<Shared>,
    by: By,
    Path(name): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    Params::of(&uri, &[])?;
    let decision = by.decides(Action::HostRemoved).about(&name);
    shared
        .work(move |shared| {
            let work = || shared.fleet.remove(&name, None).map_err(|error| problem(&error));
            by.carry_out(decision, work, |(), decision| decision)
        })
        .await?;
    Ok(Json(json!({"status": "success"})).into_response())
}
