//! `GET /api/v1/incidents`, and one of them: signals that are one story, told as one.

use access::Caller;
use axum::{
    Extension,
    extract::{Path, State},
    http::Uri,
    response::Response,
};
use problem::{Problem, StatusCode};
use serde_json::{Value as Json, json};
use signal::{
    Incident, IncidentFilter,
    narrative::{self, Narrative, Reader},
};

use super::{
    asked,
    state::{Shared, answer, may_see, problem},
    told::{reader, signal_json},
};
use crate::{clock::now, params::Params};

/// Incidents that one answer holds at most.
const LIMIT_MAX: usize = 100;

pub(super) async fn list(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::of(&uri, &["from", "to", "limit", "cursor", "zone", "lang", "organization"])?;
    let (from, to) = params.period(("from", "to"), now())?;
    let filter = IncidentFilter {
        organization: asked::organization(&params, &caller),
        from,
        to,
        limit: params.number("limit", 20, LIMIT_MAX)?,
        cursor: params.text("cursor").map(str::to_owned),
    };
    let reader = reader(&params)?;
    shared
        .work(move |shared| {
            let page = shared.store.incidents(&filter).map_err(|error| problem(&error))?;
            let incidents: Vec<_> =
                page.incidents.iter().map(|one| incident_json(one, &reader, false)).collect();
            Ok(json!({"total": page.total, "incidents": incidents, "next": page.next}))
        })
        .await
        .map(answer)
}

pub(super) async fn one(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::of(&uri, &["zone", "lang"])?;
    let (id, reader) = (asked::id(&id)?, reader(&params)?);
    shared
        .work(move |shared| {
            let found = shared.store.incident(id).map_err(|error| problem(&error))?;
            let incident =
                found.filter(|found| may_see(&caller, found.organization.as_deref())).ok_or_else(|| {
                    let detail =
                        "there is no incident of this id; signals may have been older than they are kept";
                    Problem::new(StatusCode::NOT_FOUND, "not_found", "Not found", detail)
                })?;
            Ok(incident_json(&incident, &reader, true))
        })
        .await
        .map(answer)
}

/// An incident with its words; whole with its signals, else with their ids.
fn incident_json(incident: &Incident, reader: &Reader, is_whole: bool) -> Json {
    let words = narrative::incident(&incident.signals, reader);
    let of = |part: fn(&Narrative) -> &str| words.as_ref().map_or("", part);
    let signals: Vec<Json> = match is_whole {
        true => incident.signals.iter().map(|signal| signal_json(signal, reader)).collect(),
        false => incident.signals.iter().map(|signal| json!(signal.id)).collect(),
    };
    json!({
        "id": incident.id,
        "title": of(|words| &words.title),
        "severity": incident.severity,
        "state": incident.state,
        "first": incident.first,
        "last": incident.last,
        "count": incident.count,
        "entities": incident.entities,
        "what": of(|words| &words.what),
        "why": of(|words| &words.why),
        "next": words.as_ref().map_or(&[][..], |words| &words.next),
        "organization": incident.organization,
        "signals": signals,
    })
}
