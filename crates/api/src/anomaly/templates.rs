//! The templates: listed, named, pinned, split, merged; what was done to them, and taking it back.

use std::sync::Arc;

use anomaly::{Action, Described, Operation, OperationError, Split, TemplateError, TemplateOperation};
use audit::Action as Recorded;
use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, Uri},
    response::{IntoResponse, Response},
};
use event::TemplateId;
use problem::{Problem, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::state::{Shared, blocking};
use crate::{
    clock::now,
    decision::{By, Decision},
    params::{Params, bad_parameter},
};

/// The largest `limit`.
pub(super) const LISTED_MAX: usize = 1_000;
/// Of more aliases only so many are listed; a template by itself has all.
pub(super) const ALIASES_LISTED: usize = 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NameRequest {
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SplitRequest {
    variable: Option<usize>,
    example: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MergeRequest {
    templates: Vec<String>,
}

pub(super) async fn list(State(shared): State<Shared>, uri: Uri) -> Result<Response, Problem> {
    let params = Params::of(&uri, &["q", "limit"])?;
    let (holding, limit) =
        (params.text("q").unwrap_or_default().to_owned(), params.number("limit", 100, LISTED_MAX)?);
    let found = blocking(move || shared.state.service.templates(&holding, limit)).await?;
    let templates: Vec<Value> =
        found.templates.iter().map(|template| described_json(template, ALIASES_LISTED)).collect();
    Ok(Json(json!({"templates": templates, "total": found.total})).into_response())
}

pub(super) async fn one(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Response, Problem> {
    let id = path_id(&id)?;
    let found = blocking(move || shared.state.service.template(id)).await?;
    Ok(Json(described_json(&found.ok_or_else(unknown)?, usize::MAX)).into_response())
}

pub(super) async fn name(
    State(shared): State<Shared>,
    by: By,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let id = path_id(&id)?;
    let request: NameRequest = read(&shared, &headers, body, r#"{"name": "…"}"#).await?;
    decide(shared, by, vec![id], Action::Name(request.name)).await
}

pub(super) async fn pin(
    State(shared): State<Shared>,
    by: By,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    decide(shared, by, vec![path_id(&id)?], Action::Pin).await
}

pub(super) async fn split(
    State(shared): State<Shared>,
    by: By,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    const FORM: &str = r#"{"variable": its number from 1} or {"example": a line}"#;
    let id = path_id(&id)?;
    let request: SplitRequest = read(&shared, &headers, body, FORM).await?;
    let split = match (request.variable, request.example) {
        (Some(number), None) => Split::Variable(number),
        (None, Some(line)) => Split::Example(line),
        _ => return Err(bad_parameter("variable", format!("the body is {FORM}, one of them"))),
    };
    decide(shared, by, vec![id], Action::Split(split)).await
}

pub(super) async fn merge(
    State(shared): State<Shared>,
    by: By,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let request: MergeRequest = read(&shared, &headers, body, r#"{"templates": ["id", "id", …]}"#).await?;
    let id = |text: &String| {
        let refused = || bad_parameter("templates", format!("'{}' is no template's id", text.escape_debug()));
        text.parse().map_err(|_| refused())
    };
    let ids = request.templates.iter().map(id).collect::<Result<Vec<TemplateId>, _>>()?;
    decide(shared, by, ids, Action::Merge).await
}

pub(super) async fn operations(State(shared): State<Shared>) -> Result<Response, Problem> {
    let service = Arc::clone(&shared.state.service);
    let (operations, refused) =
        blocking(move || (service.template_operations(), service.template_problem())).await?;
    let all: Vec<Value> = operations.iter().map(said_json).collect();
    let mut json = json!({"operations": all, "most": anomaly::OPERATIONS_MAX});
    if let Some(problem) = refused {
        json["problem"] = problem.into();
    }
    Ok(Json(json).into_response())
}

pub(super) async fn undo(
    State(shared): State<Shared>,
    by: By,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id: u64 = id.parse().map_err(|_| unknown_operation())?;
    let decision = undoes(&by, id);
    let work = move || shared.state.service.undo_template_operation(id).map_err(|error| refusal(&error));
    let undone = blocking(move || by.carry_out(decision, work, about_operation)).await??;
    Ok(Json(operation_json(&undone)).into_response())
}

/// That an operation is to be taken back.
pub(super) fn undoes(by: &By, id: u64) -> Decision {
    by.decides(Recorded::TemplateChanged).about(&id.to_string()).with("operation", "undo")
}

/// What is to be done to templates.
pub(super) fn changes(by: &By, templates: &[TemplateId], action: &Action) -> Decision {
    /// Of more only so many are named.
    const NAMED_MAX: usize = 16;
    let ids: Vec<String> = templates.iter().take(NAMED_MAX).map(TemplateId::to_string).collect();
    let name = if let Action::Name(name) = action { Some(name.as_str()) } else { None };
    by.decides(Recorded::TemplateChanged)
        .about(&ids.join(","))
        .with("operation", action.as_str())
        .with_some("name", name)
}

/// Which operation it was, by which it can be taken back.
pub(super) fn about_operation(operation: &Operation, decision: Decision) -> Decision {
    let result = operation.result.as_ref().map(|template| template.id.to_string());
    decision.with("id", operation.id).with_some("result", result)
}

async fn read<T: DeserializeOwned>(
    shared: &Shared,
    headers: &HeaderMap,
    body: Body,
    form: &str,
) -> Result<T, Problem> {
    let payload = shared.bodies.read(headers, body).await?;
    serde_json::from_slice(&payload.bytes).map_err(|error| {
        let detail = format!("{error}; the body is {form}");
        Problem::new(StatusCode::BAD_REQUEST, "bad_body", "The body cannot be read", detail)
    })
}

async fn decide(
    shared: Shared,
    by: By,
    templates: Vec<TemplateId>,
    action: Action,
) -> Result<Response, Problem> {
    let decision = changes(&by, &templates, &action);
    let work =
        move || shared.state.service.decide(&templates, action, now()).map_err(|error| refusal(&error));
    let said = |said: &TemplateOperation, decision| about_operation(&said.operation, decision);
    let done = blocking(move || by.carry_out(decision, work, said)).await??;
    Ok(Json(said_json(&done)).into_response())
}

fn path_id(text: &str) -> Result<TemplateId, Problem> {
    text.parse().map_err(|_| unknown())
}

fn unknown() -> Problem {
    let detail = "there is no template of this id; GET /templates lists those there are";
    Problem::new(StatusCode::NOT_FOUND, "template_not_found", "No such template", detail)
}

fn unknown_operation() -> Problem {
    let detail = "there is no such operation; GET /templates/operations lists those there are";
    Problem::new(StatusCode::NOT_FOUND, "operation_not_found", "No such operation", detail)
}

pub(super) fn refusal(error: &TemplateError) -> Problem {
    let operation = match error {
        TemplateError::Operation(operation) => operation,
        TemplateError::Store(_) => {
            tracing::error!(error = error as &dyn std::error::Error, "an operation could not be stored");
            let detail = "the operation could not be stored, and nothing changed; the server's log says why";
            return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "not_stored", "Not stored", detail);
        }
    };
    let conflict = |code, title| Problem::new(StatusCode::CONFLICT, code, title, error.to_string());
    match operation {
        OperationError::UnknownTemplate(_) => unknown(),
        OperationError::UnknownOperation(_) => unknown_operation(),
        OperationError::Full(_) => conflict("operations_full", "Too many operations"),
        OperationError::Pinned(_) | OperationError::SplitAlready(_) => {
            conflict("already_so", "It is so already")
        }
        OperationError::Part(_) | OperationError::IsSplit(_) => {
            conflict("template_split", "The template is split")
        }
        OperationError::Name => bad_parameter("name", error.to_string()),
        OperationError::Variable { .. } => bad_parameter("variable", error.to_string()),
        OperationError::Example(_) => bad_parameter("example", error.to_string()),
        OperationError::Count | OperationError::Shape(..) | OperationError::NothingInCommon => {
            bad_parameter("templates", error.to_string())
        }
    }
}

fn described_json(described: &Described, aliases_max: usize) -> Value {
    let aliases = described.aliases.iter().take(aliases_max).map(TemplateId::to_string);
    let mut json = json!({
        "id": described.template.id.to_string(),
        "text": described.template.text,
        "variables": described.variables,
        "pinned": described.pinned,
        "split": described.split,
        "aliases": aliases.collect::<Vec<_>>(),
    });
    if described.aliases.len() > aliases_max {
        json["aliases_total"] = described.aliases.len().into();
    }
    if let Some(name) = &described.name {
        json["name"] = name.as_str().into();
    }
    if let Some(part_of) = described.part_of {
        json["part_of"] = part_of.to_string().into();
    }
    json
}

fn said_json(said: &TemplateOperation) -> Value {
    let mut json = operation_json(&said.operation);
    json["in_effect"] = said.in_effect.into();
    json
}

fn operation_json(operation: &Operation) -> Value {
    let template = |template: &event::Template| json!({"id": template.id.to_string(), "text": template.text});
    let mut json = json!({
        "id": operation.id,
        "given_at": operation.given_at,
        "operation": operation.action.as_str(),
        "templates": operation.templates.iter().map(template).collect::<Vec<_>>(),
    });
    match &operation.action {
        Action::Name(name) => json["name"] = name.as_str().into(),
        Action::Split(Split::Variable(number)) => json["variable"] = (*number).into(),
        Action::Split(Split::Example(line)) => json["example"] = line.as_str().into(),
        Action::Pin | Action::Merge => {}
    }
    if let Some(result) = &operation.result {
        json["result"] = template(result);
    }
    json
}
