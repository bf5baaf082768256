//! `POST /api/v1/sql`: one question.

use std::time::Duration;

use access::Caller;
use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Uri, header},
    response::{IntoResponse, Response},
};
use inquiry::{Answered, AskError, Scope};
use metrics::counter;
use problem::{Problem, StatusCode};
use serde::Deserialize;
use serde_json::json;
use sql::{Budget, Plan, Refusal};
use telemetry::metric;

use super::{state::Shared, told};
use crate::{
    clock::now,
    params::{Params, bad_parameter, parse_time},
    questions::off_reactor,
    unanswered::unanswered,
};

/// Rows of an answer, unless more are asked for.
const LIMIT: usize = 1_000;
const FORM: &str = r#"{"sql": …}, with "at", "from", "to", "limit" and "explain" where they are wanted"#;
const PARTIAL: HeaderName = HeaderName::from_static("x-partial");
const MORE: HeaderName = HeaderName::from_static("x-more");

/// What is asked.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    sql: Option<String>,
    at: Option<String>,
    from: Option<String>,
    to: Option<String>,
    limit: Option<usize>,
    /// Whether it is only to be said how it would be answered.
    #[serde(default)]
    explain: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Csv,
}

impl Form {
    fn of(uri: &Uri, headers: &HeaderMap) -> Result<Self, Problem> {
        let params = Params::of(uri, &["format"])?;
        if params.text("format").is_some() {
            return params.one_of("format", &[("json", Self::Json), ("csv", Self::Csv)]);
        }
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let first = accept.split(',').next().unwrap_or_default().split(';').next().unwrap_or_default();
        Ok(if first.trim().eq_ignore_ascii_case("text/csv") { Self::Csv } else { Self::Json })
    }
}

pub(super) async fn ask(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let form = Form::of(&uri, &headers)?;
    let asked: Asked = shared.bodies.json_or_default(&headers, body, FORM).await?;
    let scope = scope(&asked, &caller)?;
    let most = shared.budget.rows;
    let rows = asked.limit.unwrap_or(LIMIT);
    if rows > most {
        return Err(bad_parameter("limit", format!("'limit' must be a whole number from 0 to {most}")));
    }
    let budget = Budget { rows, ..shared.budget.clone() };
    let text = asked.sql.unwrap_or_default();
    let place = shared.gate.enter().await?;
    let check = move || inquiry::check(&text).map_err(|refusal| refused(&refusal, &text));
    let question = off_reactor("sql", "a question in SQL", check).await??;
    let plan = question.plan().clone();
    if asked.explain {
        let tables: Vec<_> = question.tables().iter().map(|table| table.name).collect();
        let told = json!({"plan": plan.steps, "hints": plan.hints, "tables": tables});
        return Ok(Json(told).into_response());
    }
    // Its place is free once it has ended, whoever waits for it.
    let work = telemetry::task::spawn("sql", async move {
        let answered = shared.sources.ask(question, &scope, &budget).await;
        drop(place);
        answered
    });
    let answered = work.await.map_err(|_| Problem::internal())?.map_err(problem)?;
    let outcome = if answered.cuts.is_empty() { "answered" } else { "cut" };
    counter!(metric::SQL_QUESTIONS, "outcome" => outcome).increment(1);
    off_reactor("sql", "an answer in SQL", move || response(form, &answered, &plan)).await
}

fn scope(asked: &Asked, caller: &Caller) -> Result<Scope, Problem> {
    let now = now();
    let time = |name, text: &Option<String>| {
        text.as_deref().filter(|text| !text.is_empty()).map(|text| parse_time(name, text, now)).transpose()
    };
    let at = time("at", &asked.at)?;
    let (from, to) = (time("from", &asked.from)?, time("to", &asked.to)?.or(at));
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        return Err(bad_parameter("from", format!("'from' ({from}) is later than 'to' ({to})")));
    }
    let organization = caller.organization.as_deref().map(str::to_owned);
    Ok(Scope { organization, at: at.unwrap_or(now), from, to, changes: None })
}

fn response(form: Form, answered: &Answered, plan: &Plan) -> Response {
    match form {
        Form::Json => Json(told::json(answered, plan)).into_response(),
        Form::Csv => {
            let mut response = Body::from(told::csv(answered)).into_response();
            let headers = response.headers_mut();
            let media = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
            headers.insert(header::CONTENT_TYPE, media);
            let name = HeaderValue::from_static("attachment; filename=\"answer.csv\"");
            headers.insert(header::CONTENT_DISPOSITION, name);
            let partial = told::partial(answered).and_then(|why| HeaderValue::from_str(&why).ok());
            headers.extend(partial.map(|why| (PARTIAL, why)));
            if answered.answer.cut {
                headers.insert(MORE, HeaderValue::from_static("true"));
            }
            response
        }
    }
}

/// Of a text that is not asked.
fn refused(refusal: &Refusal, text: &str) -> Problem {
    counter!(metric::SQL_QUESTIONS, "outcome" => "refused").increment(1);
    let place = refusal.place(text);
    let detail = match (refusal, place) {
        (Refusal::Wrong { .. } | Refusal::Second(_), _) | (_, None) => refusal.to_string(),
        (_, Some(place)) => format!("{place}: {refusal}"),
    };
    let problem =
        Problem::new(StatusCode::BAD_REQUEST, "bad_sql", "The question is refused", detail).field("sql");
    match place {
        Some(place) => problem.line(place.line as u64).member("column", place.column),
        None => problem,
    }
}

fn problem(error: AskError) -> Problem {
    let outcome = match &error {
        AskError::Refused(refusal) => return refused(refusal, ""),
        AskError::Failed(_) => "stopped",
        _ => "failed",
    };
    counter!(metric::SQL_QUESTIONS, "outcome" => outcome).increment(1);
    match error {
        AskError::Failed(failure) => {
            let detail = failure.to_string();
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "sql_stopped", "The question was stopped", detail)
                .field("sql")
        }
        AskError::Search(error) => unanswered(error),
        error => {
            tracing::error!(error = &error as &dyn std::error::Error, "a question in SQL failed");
            let detail = "what it asks for cannot be read at present; the log says why";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "storage_unavailable", "Not at present", detail)
                .retry_after(Duration::from_secs(5))
        }
    }
}
