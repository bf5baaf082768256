//! `GET /starters`, `POST /starters`.

use anomaly::{ModelError, STARTER_BYTES_MAX, STARTERS_MAX, StarterInfo, TrainError};
use audit::Action;
use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use problem::{Problem, StatusCode};
use serde_json::{Value, json};

use super::{
    models::{about_model, card_json},
    state::{Shared, blocking},
};
use crate::decision::By;

pub(super) async fn list(State(shared): State<Shared>) -> Result<Response, Problem> {
    let (starters, problems) = blocking(move || {
        let service = &shared.state.service;
        (service.starters(), service.starter_problems())
    })
    .await?;
    let starter = |starter: &StarterInfo| json!({"name": starter.name, "events": starter.events, "templates": starter.templates});
    let starters: Vec<Value> = starters.iter().map(starter).collect();
    let mut json = json!({"starters": starters, "most": STARTERS_MAX});
    if !problems.is_empty() {
        json["problems"] = problems.into();
    }
    Ok(Json(json).into_response())
}

pub(super) async fn start(State(shared): State<Shared>, by: By, body: Body) -> Result<Response, Problem> {
    let file = shared.bodies.file(body, STARTER_BYTES_MAX, "starter").await?;
    let decision = by.decides(Action::StarterTaken);
    let work = move || shared.state.service.start_from(&file.bytes).map_err(|error| refusal(&error));
    let started = blocking(move || by.carry_out(decision, work, about_model)).await??;
    Ok(Json(card_json(&started)).into_response())
}

pub(super) fn refusal(error: &TrainError) -> Problem {
    match error {
        TrainError::Store(refused @ (ModelError::Sealed(_) | ModelError::Templates(_))) => {
            let detail = format!("{refused}; nothing changed. Give a file that was made as a starter");
            Problem::new(StatusCode::BAD_REQUEST, "starter_refused", "The starter was refused", detail)
        }
        TrainError::Starters => {
            Problem::new(StatusCode::CONFLICT, "starters_full", "Too many starters", error.to_string())
        }
        _ => {
            tracing::error!(error = error as &dyn std::error::Error, "a starter could not be taken in");
            let detail = "the starter could not be stored or no model made of it; the one that served before \
                          serves on, and the server's log says why";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "not_stored", "Not stored", detail)
        }
    }
}
