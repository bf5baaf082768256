//! `GET /sessions`: the sessions found strange lately, and how many there are.

use anomaly::{STRANGE_MAX, StrangeSession};
use axum::{
    Json,
    extract::State,
    http::Uri,
    response::{IntoResponse, Response},
};
use problem::Problem;
use serde_json::{Value, json};

use super::state::{Shared, blocking};
use crate::params::Params;

pub(super) async fn list(State(shared): State<Shared>, uri: Uri) -> Result<Response, Problem> {
    let limit = Params::of(&uri, &["limit"])?.number("limit", 100, STRANGE_MAX)?;
    let (stats, strange) = blocking(move || {
        let service = &shared.state.service;
        (service.stats(), service.strange_sessions())
    })
    .await?;
    let sessions: Vec<Value> = strange.iter().take(limit).map(session_json).collect();
    let answer = json!({
        "sessions": sessions,
        "open": stats.open_sessions,
        "ended": stats.ended_sessions,
        "found": stats.strange_sessions,
        "evicted": stats.evicted_sessions,
    });
    Ok(Json(answer).into_response())
}

fn session_json(session: &StrangeSession) -> Value {
    let nearest = session.nearest.iter();
    let nearest = nearest.map(|normal| json!({"template": normal.template, "count": normal.count}));
    json!({
        "key": session.key,
        "kind": session.kind,
        "first": session.first,
        "last": session.last,
        "from": session.from,
        "to": session.to,
        "events": session.events,
        "score": (f64::from(session.score) * 1000.0).round() / 1000.0,
        "p_value": session.p_value,
        "end": session.end.as_str(),
        "reasons": session.reasons,
        "nearest": nearest.collect::<Vec<_>>(),
    })
}
