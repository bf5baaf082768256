//! `/api/v1/host-groups`: thresholds of groups of hosts, by the labels that these carry.

use audit::Action;
use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, Uri},
};
use fleet::Group;
use problem::Problem;
use serde_json::{Value, json};

use super::{
    config,
    state::{Shared, problem},
};
use crate::{clock::now, decision::By, params::Params};

pub(super) async fn list(State(shared): State<Shared>, uri: Uri) -> Result<Json<Value>, Problem> {
    Params::of(&uri, &[])?;
    let groups = shared.work(|shared| shared.fleet.groups().map_err(|error| problem(&error))).await?;
    Ok(Json(json!({"groups": groups})))
}

pub(super) async fn set(
    State(shared): State<Shared>,
    by: By,
    Path(group): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Group>, Problem> {
    let said = config::said(shared.bytes(&headers, body, config::FORM).await?)?;
    let decision = by.decides(Action::HostGroupConfigured).about(&group);
    let decision = decision.with("sections", config::sections(&said));
    shared
        .work(move |shared| {
            let work = || {
                let set = shared.fleet.set_group(&config::selector("group", &group)?, &said, now());
                set.map_err(|error| problem(&error))?.map_err(|unfit| config::unfit(&unfit))
            };
            by.carry_out(decision, work, |group, decision| {
                decision.about(&group.group.to_string()).with("version", group.version)
            })
        })
        .await
        .map(Json)
}

pub(super) async fn remove(
    State(shared): State<Shared>,
    by: By,
    Path(group): Path<String>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    Params::of(&uri, &[])?;
    let decision = by.decides(Action::HostGroupRemoved).about(&group);
    shared
        .work(move |shared| {
            let work = || {
                let group = config::selector("group", &group)?;
                let removed = shared.fleet.remove_group(&group);
                removed.map(|()| group).map_err(|error| problem(&error))
            };
            by.carry_out(decision, work, |group, decision| decision.about(&group.to_string()))
        })
        .await?;
    Ok(Json(json!({"status": "success"})))
}
