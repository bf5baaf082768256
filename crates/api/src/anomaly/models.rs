//! The models: listed, compared, exchanged, carried elsewhere.

use std::sync::Arc;

use anomaly::{Comparison, Disagreement, Drift, ModelError, ModelInfo, Side};
use audit::Action;
use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{Uri, header},
    response::{IntoResponse, Response},
};
use event::VerdictState;
use problem::{Problem, StatusCode};
use serde_json::{Value, json};

use super::state::{Shared, blocking, model_state};
use crate::{
    decision::{By, Decision},
    params::bad_parameter,
};

/// Larger files are no models: one of ours has about half a megabyte, and some more with a long history.
pub(super) const IMPORT_BYTES_MAX: usize = 32 << 20;

pub(super) async fn serving(State(shared): State<Shared>) -> Result<Response, Problem> {
    let service = Arc::clone(&shared.state.service);
    let model = blocking(move || service.model()).await?;
    Ok(Json(card_json(&model)).into_response())
}

pub(super) async fn list(State(shared): State<Shared>) -> Result<Response, Problem> {
    let models = blocking(move || shared.state.service.models()).await?;
    Ok(Json(json!({"models": models.iter().map(card_json).collect::<Vec<_>>()})).into_response())
}

pub(super) async fn one(
    State(shared): State<Shared>,
    Path(version): Path<String>,
) -> Result<Response, Problem> {
    let model = blocking(move || shared.state.service.model_of(&version)).await?;
    Ok(Json(card_json(&model.map_err(|error| refusal(&error))?)).into_response())
}

pub(super) async fn activate(
    State(shared): State<Shared>,
    by: By,
    Path(version): Path<String>,
) -> Result<Response, Problem> {
    let decision = by.decides(Action::ModelActivated).about(&version);
    exchanged(shared, by, decision, move |service| service.activate(&version)).await
}

pub(super) async fn roll_back(State(shared): State<Shared>, by: By) -> Result<Response, Problem> {
    let decision = by.decides(Action::ModelRolledBack);
    exchanged(shared, by, decision, anomaly::Service::roll_back).await
}

async fn exchanged(
    shared: Shared,
    by: By,
    decision: Decision,
    exchange: impl FnOnce(&anomaly::Service) -> Result<ModelInfo, ModelError> + Send + 'static,
) -> Result<Response, Problem> {
    let work = move || exchange(&shared.state.service).map_err(|error| refusal(&error));
    let model = blocking(move || by.carry_out(decision, work, about_model)).await??;
    Ok(Json(card_json(&model)).into_response())
}

/// Which model it was, where that is known afterwards only.
pub(super) fn about_model(model: &ModelInfo, decision: Decision) -> Decision {
    decision.about(&model.version)
}

pub(super) async fn export(
    State(shared): State<Shared>,
    Path(version): Path<String>,
) -> Result<Response, Problem> {
    let wanted = version.clone();
    let exported = blocking(move || shared.state.service.export(&wanted)).await?;
    let bytes = exported.map_err(|error| refusal(&error))?;
    let name = format!("attachment; filename=\"{version}.model\"");
    let headers = [(header::CONTENT_TYPE, "application/octet-stream"), (header::CONTENT_DISPOSITION, &name)];
    Ok((headers, bytes).into_response())
}

pub(super) async fn import(State(shared): State<Shared>, by: By, body: Body) -> Result<Response, Problem> {
    let file = shared.bodies.file(body, IMPORT_BYTES_MAX, "model").await?;
    let decision = by.decides(Action::ModelImported);
    let refused = |error| match error {
        ModelError::Sealed(_) => {
            let detail = format!("{error}; nothing changed. Give a file that was exported");
            Problem::new(StatusCode::BAD_REQUEST, "model_refused", "The model was refused", detail)
        }
        error => refusal(&error),
    };
    let work = move || shared.state.service.import(&file.bytes).map_err(refused);
    let model = blocking(move || by.carry_out(decision, work, about_model)).await??;
    Ok(Json(card_json(&model)).into_response())
}

pub(super) async fn compare(State(shared): State<Shared>, uri: Uri) -> Result<Response, Problem> {
    let query = uri.query().unwrap_or_default();
    let version = |name: &str| {
        let found = query.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name));
        found
            .map(|(_, version)| version.to_owned())
            .ok_or_else(|| bad_parameter(name, "two versions are compared: ?a=VERSION&b=VERSION".to_owned()))
    };
    let (a, b) = (version("a")?, version("b")?);
    let compared = blocking(move || shared.state.service.compare(&a, &b)).await?;
    Ok(Json(comparison_json(&compared.map_err(|error| refusal(&error))?)).into_response())
}

pub(super) async fn rules(State(shared): State<Shared>) -> Result<Response, Problem> {
    let found = blocking(move || shared.state.service.conditions()).await?;
    let rule = |condition: &anomaly::Condition| {
        json!({
            "rule": condition.text,
            "anomalies": condition.anomalies,
            "share_of_ordinary": decimals(condition.ordinary_share),
        })
    };
    let rules: Vec<Value> = found.conditions.iter().map(rule).collect();
    Ok(Json(json!({"anomalies": found.anomalies, "ordinary": found.ordinary, "rules": rules}))
        .into_response())
}

pub(super) fn refusal(error: &ModelError) -> Problem {
    match error {
        ModelError::Unknown { .. } => {
            let detail = "there is no model of this version; GET /models lists those there are";
            Problem::new(StatusCode::NOT_FOUND, "model_not_found", "No such model", detail)
        }
        ModelError::NothingBefore => {
            Problem::new(StatusCode::CONFLICT, "nothing_before", "No model before", error.to_string())
        }
        ModelError::Sealed(_) => {
            tracing::warn!(error = error as &dyn std::error::Error, "a model was refused");
            let detail =
                "this model cannot be read, and the one before goes on serving; the server's log says why";
            Problem::new(StatusCode::CONFLICT, "model_refused", "The model was refused", detail)
        }
        _ => {
            tracing::error!(error = error as &dyn std::error::Error, "the models' folder cannot be used");
            Problem::internal()
        }
    }
}

pub(super) fn card_json(model: &ModelInfo) -> Value {
    let mut json = json!({
        "version": model.version,
        "state": model_state(model.state),
        "active": model.active,
        "trained_at": model.trained_at,
        "events": model.events,
        "templates": model.templates,
        "threshold": decimals(model.threshold.into()),
        "false_positive_rate": model.false_positive_rate,
        "from": model.from,
        "to": model.to,
    });
    if !model.version.is_empty() {
        json["standing"] = model.standing.as_str().into();
    }
    if model.needed > 0 {
        json["needed"] = model.needed.into();
    }
    if !model.why.is_empty() {
        json["why"] = model.why.as_str().into();
    }
    if !model.problem.is_empty() {
        json["problem"] = model.problem.as_str().into();
    }
    if model.state != VerdictState::Scored {
        return json;
    }
    json["trained_for"] = model.origin.map(anomaly::Origin::as_str).into();
    json["sample"] = model.rows.into();
    let features = model.features.iter().map(|feature| {
        json!({
            "name": feature.name,
            "weight": decimals(feature.weight.into()),
            "share_of_splits": decimals(feature.splits.into()),
            "share_of_events": decimals(feature.surprised),
        })
    });
    json["features"] = features.collect();
    if let Some(drift) = &model.drift {
        json["drift"] = drift_json(drift);
    }
    json
}

fn drift_json(drift: &Drift) -> Value {
    json!({
        "state": if drift.drifting { "drifting" } else { "stable" },
        "since": drift.since,
        "features": drift.moved,
        "events": drift.events,
        "flagged": drift.flagged,
    })
}

fn comparison_json(compared: &Comparison) -> Value {
    let events = compared.events.max(1) as f64;
    let side = |side: &Side| {
        json!({
            "version": side.version,
            "threshold": decimals(side.threshold.into()),
            "flagged": side.flagged,
            "share_flagged": decimals(side.flagged as f64 / events),
        })
    };
    let disagreement = |one: &Disagreement| {
        let features = one
            .features
            .iter()
            .map(|(name, evidence)| json!({"name": name, "evidence": decimals((*evidence).into())}));
        json!({
            "a": decimals(one.a.into()),
            "b": decimals(one.b.into()),
            "features": features.collect::<Vec<_>>(),
        })
    };
    json!({
        "a": side(&compared.a),
        "b": side(&compared.b),
        "events": compared.events,
        "rank_correlation": decimals(compared.rank_correlation),
        "flags_differ": compared.differ,
        "share_flags_differ": decimals(compared.differ as f64 / events),
        "disagreements": compared.disagreements.iter().map(disagreement).collect::<Vec<_>>(),
    })
}

fn decimals(number: f64) -> f64 {
    (number * 10_000.0).round() / 10_000.0
}
