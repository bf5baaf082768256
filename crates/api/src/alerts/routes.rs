//! `/api/v1/routes`: who is told of what, and who would be told of a signal.

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, Uri},
    response::{IntoResponse, Response},
};
use event::Timestamp;
use finding::{Entity, EntityType, Facts, FindingKind, Level};
use problem::Problem;
use serde::Deserialize;
use serde_json::json;
use signal::{Signal, SignalId, Standing, State as Stage};

use super::state::{Shared, problem};
use crate::{
    clock::now,
    params::{Params, bad_parameter},
};

/// A signal that is thought of.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    severity: Option<String>,
    kind: Option<String>,
    host: Option<String>,
    source: Option<String>,
    address: Option<String>,
    user: Option<String>,
    rule: Option<String>,
    organization: Option<String>,
    at: Option<String>,
}

const FORM: &str = r#"{"severity": …, "kind": …, "host": …, "source": …, "address": …, "user": …, "rule": …, "organization": …, "at": …}, each of which may be left out"#;

pub(super) async fn list(State(shared): State<Shared>, uri: Uri) -> Result<Response, Problem> {
    Params::of(&uri, &[])?;
    let routes = shared.outbox.routes();
    Ok(Json(json!({"routes": routes.told(), "silences": routes.silences_told()})).into_response())
}

pub(super) async fn test(
    State(shared): State<Shared>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let asked: Asked = shared.read(&headers, body, FORM).await?;
    let (signal, at) = thought_of(asked)?;
    let decision = shared
        .work(move |shared| shared.outbox.preview(&signal, at).map_err(|error| problem(&error)))
        .await?;
    let planned: Vec<_> = decision
        .planned
        .iter()
        .map(|planned| json!({"channel": planned.channel, "route": planned.route, "due": planned.due}))
        .collect();
    Ok(Json(json!({"planned": planned, "reasons": decision.reasons})).into_response())
}

/// A signal such as is asked about, and when it is raised.
fn thought_of(asked: Asked) -> Result<(Signal, Timestamp), Problem> {
    let at = match asked.at.as_deref() {
        None => now(),
        Some(text) => Timestamp::parse(text)
            .map_err(|_| bad_parameter("at", "'at' must be a time such as 2030-01-01T00:00:00Z"))?,
    };
    let severity: Level =
        asked.severity.as_deref().unwrap_or("medium").parse().map_err(|_| {
            bad_parameter("severity", "'severity' is one of info, low, medium, high, critical")
        })?;
    let kind: FindingKind = asked
        .kind
        .as_deref()
        .unwrap_or("ssh_brute_force")
        .parse()
        .map_err(|_| bad_parameter("kind", "'kind' is a kind of signal, such as ssh_brute_force"))?;
    let entities = [
        (EntityType::SourceIp, asked.address),
        (EntityType::User, asked.user),
        (EntityType::Host, asked.host),
        (EntityType::Service, asked.source),
    ];
    let entities = entities.into_iter().filter_map(|(of, value)| Some(Entity::new(of, value?))).collect();
    let signal = Signal {
        id: SignalId(0),
        kind,
        severity,
        confidence: 0.9,
        state: Stage::New,
        first: at,
        last: at,
        received: at,
        count: 1,
        entities,
        rule: asked.rule.unwrap_or_else(|| kind.as_str().to_owned()),
        techniques: vec![],
        facts: Facts::new(),
        incident: None,
        organization: asked.organization,
        evidence: vec![],
        standing: Standing::default(),
    };
    Ok((signal, at))
}
