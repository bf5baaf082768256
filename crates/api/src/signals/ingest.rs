//! `POST /ingest`: signals of agents, of programs that only know its form, and of another Log Sentinel.

use access::Caller;
use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use event::Timestamp;
use problem::{Problem, StatusCode};
use serde_json::{Value, json};
use signal::{ASSISTANT, Act, Deed, Filter, Observed, SignalId};

use super::{
    foreign::{Analysis, Foreign},
    state::{Shared, problem},
};
use crate::clock::now;

/// Elements of one body.
const ELEMENTS_MAX: usize = 1_000;
/// Elements whose reasons are listed.
const LISTED_MAX: usize = 100;

pub(super) async fn ingest(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let elements = elements(&shared, &headers, body).await?;
    let received = now();
    let (mut observed, mut analyses, mut rejected) = (vec![], vec![], vec![]);
    for (number, element) in (1u64..).zip(&elements) {
        match Foreign::read(element, caller.organization.as_deref(), received) {
            Ok(Foreign::Found(one)) => observed.push(*one),
            Ok(Foreign::Analysis(analysis)) => analyses.push(analysis),
            Err((field, reason)) => rejected.push((number, field, reason)),
        }
    }
    if observed.is_empty() && analyses.is_empty() {
        let (number, field, reason) =
            rejected.into_iter().next().unwrap_or((1, "", "it is empty".to_owned()));
        let problem =
            Problem::new(StatusCode::BAD_REQUEST, "bad_signal", "The signal cannot be read", reason);
        return Err(problem.line(number).field(field));
    }
    shared.work(move |shared| keep(shared, &caller, observed, &analyses, received)).await?;
    let mut answer = json!({"status": "success", "message": "Alert received"});
    if !rejected.is_empty() {
        answer["rejected_total"] = rejected.len().into();
        let listed = rejected.into_iter().take(LISTED_MAX);
        answer["rejected"] = listed
            .map(|(line, field, reason)| json!({"line": line, "field": field, "reason": reason}))
            .collect();
    }
    Ok(Json(answer).into_response())
}

/// The elements of a body: of an array all, else the one object.
async fn elements(shared: &Shared, headers: &HeaderMap, body: Body) -> Result<Vec<Value>, Problem> {
    let refused = |detail: String| {
        Problem::new(StatusCode::BAD_REQUEST, "not_json", "Request must be JSON", detail)
            .member("error", "Request must be JSON")
    };
    let named = headers
        .get(header::CONTENT_TYPE)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).to_lowercase());
    if let Some(named) = named.filter(|named| !named.contains("json")) {
        return Err(refused(format!("the body is declared as {}; send application/json", named.trim())));
    }
    let bytes = shared.bytes(headers, body).await.map_err(|problem| match problem.code {
        "empty_body" => refused("the body is empty".to_owned()),
        _ => problem,
    })?;
    match serde_json::from_slice(&bytes) {
        Ok(Value::Array(elements)) if elements.len() > ELEMENTS_MAX => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_many_signals",
            "Too many signals",
            format!("the array has {} elements; send at most {ELEMENTS_MAX} at once", elements.len()),
        )),
        Ok(Value::Array(elements)) => Ok(elements),
        Ok(one @ Value::Object(_)) => Ok(vec![one]),
        Ok(_) => Err(refused("the body must be an object, or an array of them".to_owned())),
        Err(error) => Err(refused(format!("the body cannot be read as JSON: {error}"))),
    }
}

/// Keeps signals, and adds what assistants say to those that they are about.
fn keep(
    shared: &Shared,
    caller: &Caller,
    observed: Vec<Observed>,
    analyses: &[Analysis],
    received: Timestamp,
) -> Result<(), Problem> {
    let beside = &shared.beside;
    let changes = shared
        .store
        .observe(observed, None, received, |transaction, changes| beside(transaction, changes))
        .map_err(|error| problem(&error))?;
    let sender = format!("{} {}", caller.id, caller.organization.as_deref().unwrap_or_default());
    if let Some(last) = changes.last() {
        shared.sent(sender.clone(), last.signal.id);
    }
    for analysis in analyses {
        let id = about(shared, caller, analysis, &sender)?;
        let act = Act { deed: Deed::Note, by: ASSISTANT.to_owned(), note: Some(analysis.text.clone()) };
        let noted = shared.store.act(id, &act, received, |transaction, changes| beside(transaction, changes));
        noted.map_err(|error| problem(&error))?;
    }
    Ok(())
}

/// The newest signal of a host, else the last of the sender.
fn about(shared: &Shared, caller: &Caller, analysis: &Analysis, sender: &str) -> Result<SignalId, Problem> {
    if let Some(host) = &analysis.host {
        let filter = Filter {
            entity: Some(format!("host:{host}")),
            organization: caller.organization.as_deref().map(str::to_owned),
            limit: 1,
            ..Filter::default()
        };
        let page = shared.store.list(&filter).map_err(|error| problem(&error))?;
        if let Some(signal) = page.signals.first() {
            return Ok(signal.id);
        }
    }
    let last = shared.last_sent(sender);
    last.ok_or_else(|| {
        let what = "there is no signal that the analysis could be added to: send the signal first".to_owned();
        Problem::new(StatusCode::NOT_FOUND, "not_found", "Not found", what)
    })
}
