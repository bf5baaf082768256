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
use fleet::{Monitoring, Selector};
use problem::Problem;
use serde_json::{Value, json};
use signal::{Filter, State as SignalState};

use super::{
    config,
    state::{Shared, problem},
};
use crate::{clock::now, decision::By, params::Params};

/// Open signals that are counted by host.
const COUNTED_MAX: usize = 1_000;

pub(super) async fn list(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::of(&uri, &["labels"])?;
    let wanted = params.text("labels").map(|text| config::selector("labels", text)).transpose()?;
    shared.work(move |shared| agents(shared, caller.organization.as_deref(), wanted.as_ref())).await
}

fn agents(
    shared: &Shared,
    organization: Option<&str>,
    wanted: Option<&Selector>,
) -> Result<Response, Problem> {
    let agents = shared.fleet.agents(organization, now()).map_err(|error| problem(&error))?;
    let open = open_signals(shared, organization)?;
    let mut known: Vec<Value> = Vec::with_capacity(agents.len());
    let is_wanted = |labels| wanted.is_none_or(|wanted| wanted.matches(labels));
    for agent in agents.iter().filter(|agent| is_wanted(&agent.labels)) {
        let mut told = serde_json::to_value(agent).map_err(|_| Problem::internal())?;
        told["open_signals"] = open.get(&agent.name).copied().unwrap_or_default().into();
        known.push(told);
    }
    for (name, of) in shared.announced() {
        let is_seen = organization.is_none() || of.as_deref() == organization;
        if is_seen && wanted.is_none() && !agents.iter().any(|agent| agent.name == name) {
            known.push(json!({
                "name": name, "state": "never", "last_seen": null, "first_seen": null, "version": null, "os": null,
                "interval": null, "expected": "always", "labels": {}, "metrics": {}, "config_version": 0, "config_taken": null,
                "config_problem": null, "monitoring": Monitoring::default(), "threshold_origins": fleet::stock(), "conditions": [], "open_signals": 0,
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
    let said = config::said(shared.bytes(&headers, body, config::FORM).await?)?;
    let decision = by.decides(Action::HostConfigured).about(&name).with("sections", config::sections(&said));
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
                configured.map_err(|unfit| config::unfit(&unfit))
            };
            by.carry_out(decision, work, |configured, decision| decision.with("version", configured.version))
        })
        .await
        .map(|configured| Json(configured).into_response())
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
