//! What the routes of rules share.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use inquiry::rules::Shelf;
use problem::{Problem, StatusCode};
use rulebook::{Fault, OwnError, RuleBook};
use search::Searcher;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{body::Bodies, gate::Gate, questions::Questions};

/// A file of rules is at most 1 MiB, and quotes and newlines take more in JSON.
const BODY_BYTES_MAX: usize = 4 << 20;
/// Questions that are worked on at once, and trials over what is past.
const QUESTIONS_MAX: usize = 4;
const TRIALS_MAX: usize = 1;

/// What the routes of [`crate::rules()`] need.
#[derive(Clone)]
pub struct RulesState {
    /// The rules.
    pub book: Arc<RuleBook>,
    /// Those in SQL.
    pub shelf: Arc<Shelf>,
    /// What detectors go by.
    pub engine: detect::Config,
    /// Where what is past is read from.
    pub searcher: Searcher,
    /// Bounds of bodies.
    pub body: body::Config,
    /// Ends what is half done.
    pub stop: telemetry::task::Stop,
}

#[derive(Clone)]
pub(super) struct Shared {
    pub(super) book: Arc<RuleBook>,
    pub(super) shelf: Arc<Shelf>,
    pub(super) engine: detect::Config,
    pub(super) searcher: Searcher,
    pub(super) trials: Gate,
    pub(super) stop: telemetry::task::Stop,
    questions: Questions,
    bodies: Bodies,
}

impl Shared {
    pub(super) fn new(state: RulesState) -> Self {
        let bounds = body::Config { bytes_max: BODY_BYTES_MAX, ..state.body };
        Self {
            book: state.book,
            shelf: state.shelf,
            engine: state.engine,
            searcher: state.searcher,
            trials: Gate::new(TRIALS_MAX),
            questions: Questions::new("rules", "a question about rules", QUESTIONS_MAX),
            bodies: Bodies::new(body::Reader::new(bounds, state.stop.clone()), BODY_BYTES_MAX),
            stop: state.stop,
        }
    }

    /// Works on the rules off the reactor.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.questions.work(self, work).await
    }

    /// The members of a body; those of an empty one are all absent.
    pub(super) async fn read<T: DeserializeOwned + Default>(
        &self,
        headers: &HeaderMap,
        body: Body,
        form: &str,
    ) -> Result<T, Problem> {
        self.bodies.json_or_default(headers, body, form).await
    }
}

pub(super) fn answer(json: Value) -> Response {
    Json(json).into_response()
}

pub(super) fn fault_json(fault: &Fault) -> Value {
    json!({
        "file": fault.file,
        "line": fault.line,
        "rule": fault.rule,
        "field": fault.field,
        "reason": fault.reason,
    })
}

/// What is wrong, in words.
pub(super) fn why(fault: &Fault) -> String {
    let field = if fault.field.is_empty() { String::new() } else { format!("{}: ", fault.field) };
    format!("{field}{}", fault.reason)
}

/// Of a text that holds a rule which is refused: every fault, the first of them in words.
pub(super) fn refused(faults: &[Fault]) -> Problem {
    let first =
        faults.first().map_or_else(String::new, |fault| format!("line {}: {}", fault.line, why(fault)));
    let problem = Problem::new(StatusCode::BAD_REQUEST, "bad_rule", "A rule is refused", first);
    let problem = match faults.first() {
        Some(fault) => problem.line(fault.line as u64).field(&fault.field),
        None => problem,
    };
    problem.member("faults", faults.iter().map(fault_json).collect::<Vec<_>>())
}

pub(super) fn problem(error: &OwnError) -> Problem {
    let of = |status, code, title| Problem::new(status, code, title, error.to_string());
    match error {
        OwnError::NoFolder => of(StatusCode::CONFLICT, "no_rules_folder", "There is no folder of rules"),
        OwnError::Name => of(StatusCode::BAD_REQUEST, "bad_rule_file", "This is no name of a file of rules"),
        OwnError::Missing => of(StatusCode::NOT_FOUND, "not_found", "Not found"),
        OwnError::Large => of(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The file is too large"),
        OwnError::Disk(failure) => {
            tracing::error!(
                error = failure as &dyn std::error::Error,
                "a file of rules cannot be read or written"
            );
            Problem::internal()
        }
    }
}
