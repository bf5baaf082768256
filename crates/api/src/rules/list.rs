//! `GET /api/v1/rules`, one of them with its source, and that files are to be read again.

use audit::Action;
use axum::{
    extract::{Path, State},
    http::Uri,
    response::Response,
};
use problem::{Problem, StatusCode};
use rulebook::{Entry, Origin, State as Standing};
use serde_json::{Value, json};

use super::{
    in_sql,
    state::{Shared, answer, fault_json, why},
};
use crate::{clock::now, decision::By, params::Params};

const DAY: f64 = 86_400.0 * 1e9;
/// Counts of less than an hour say nothing of a day.
const HOUR: f64 = 3_600.0 * 1e9;

pub(super) async fn list(State(shared): State<Shared>, uri: Uri) -> Result<Response, Problem> {
    Params::of(&uri, &[])?;
    shared
        .work(|shared| {
            let days = days(shared);
            let mut rules: Vec<_> =
                shared.book.entries().iter().map(|entry| entry_json(entry, days)).collect();
            rules.extend(shared.shelf.entries().iter().map(|entry| in_sql::entry_json(entry, days)));
            Ok(json!({
                "rules": rules,
                "since": shared.book.since(),
                "has_folder": shared.book.has_folder(),
                "kept_back": shared.book.kept_back(),
            }))
        })
        .await
        .map(answer)
}

pub(super) async fn one(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    Params::of(&uri, &[])?;
    shared
        .work(move |shared| {
            if let Some(json) = in_sql::one(&shared.shelf, &id, days(shared)) {
                return Ok(json);
            }
            let entries = shared.book.entries();
            let entry = entries.iter().find(|entry| entry.id.as_deref() == Some(id.as_str()));
            let entry =
                entry.ok_or_else(|| unknown("there is no rule of this id; GET /api/v1/rules lists them"))?;
            let mut json = entry_json(entry, days(shared));
            json["source"] = shared.book.source(entry).into();
            Ok(json)
        })
        .await
        .map(answer)
}

pub(super) async fn reload(State(shared): State<Shared>, by: By) -> Result<Response, Problem> {
    let decision = by.decides(Action::RulesReloaded);
    shared
        .work(move |shared| {
            let work = || {
                shared.shelf.look();
                Ok::<_, Problem>(shared.book.reload())
            };
            by.carry_out(decision, work, |reloaded, decision| {
                decision.with("rules", reloaded.rules).with("refused", reloaded.refused.len())
            })
        })
        .await
        .map(|reloaded| {
            answer(json!({
                "is_taken": reloaded.kept_back.is_none(),
                "kept_back": reloaded.kept_back,
                "rules": reloaded.rules,
                "refused": reloaded.refused.iter().map(fault_json).collect::<Vec<_>>(),
            }))
        })
}

pub(super) fn unknown(detail: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", "Not found", detail)
}

/// Days since counting began, an hour at least.
fn days(shared: &Shared) -> f64 {
    let span = i128::from(now().as_nanos()) - i128::from(shared.book.since().as_nanos());
    (span as f64).max(HOUR) / DAY
}

fn entry_json(entry: &Entry, days: f64) -> Value {
    let (state, reason, line) = match &entry.state {
        Standing::On => ("on", None, None),
        Standing::Off => ("off", Some("it is named in LOG_SENTINEL_RULES_OFF".to_owned()), None),
        Standing::Suspended(fault) => ("suspended", Some(why(fault)), Some(fault.line)),
        Standing::Broken(fault) => ("broken", Some(why(fault)), Some(fault.line)),
    };
    json!({
        "id": entry.id,
        "title": entry.title,
        "description": entry.description,
        "level": entry.level.map(|level| format!("{level:?}").to_lowercase()),
        "type": if entry.is_correlation { "correlation" } else { "rule" },
        "origin": if entry.origin == Origin::Shipped { "shipped" } else { "own" },
        "file": entry.file,
        "line": line.unwrap_or(entry.line),
        "technique": entry.techniques,
        "false_positives": entry.false_positives,
        "log_source": entry.log_source.as_ref().map(|source| json!({
            "category": source.category,
            "product": source.product,
            "service": source.service,
        })),
        "state": state,
        "reason": reason,
        "cost_ns": entry.cost,
        "is_held_against_all": entry.is_held_against_all,
        "matches": entry.matches,
        "findings": entry.findings,
        "findings_a_day": (entry.findings as f64 / days * 100.0).round() / 100.0,
    })
}
