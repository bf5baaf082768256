//! Whether the process lives and whether it can do its work.

use axum::{
    Json,
    http::header,
    response::{IntoResponse, Response},
};
use problem::StatusCode;
use serde_json::{Value, json};
use telemetry::{
    health::{Report, State},
    metric::Metrics,
};

/// The journal as a component: failed when it accepts nothing.
pub(crate) fn journal_report(status: &journal::Status) -> Report {
    let failed = |reason: String| Report { component: "journal", state: State::Failed, reason };
    if status.gone {
        return failed(
            "its files were deleted or moved while the service ran; nothing is accepted until it is restarted. \
             Put the data folder (LOG_SENTINEL_DATA) back first, or begin with an empty one"
                .to_owned(),
        );
    }
    if status.poisoned {
        return failed(
            "a write could not be made durable; nothing is accepted until the service is restarted on a sound disk"
                .to_owned(),
        );
    }
    if let Some(free) = status.free_bytes.filter(|free| *free < status.reserve_bytes) {
        return failed(format!(
            "the disk has {free} bytes free, fewer than the {} kept in reserve (LOG_SENTINEL_DISK_RESERVE); \
             make room, and it goes on by itself",
            status.reserve_bytes
        ));
    }
    if status.budget_bytes > 0 && (status.bytes >= status.budget_bytes || status.refusing) {
        return failed(format!(
            "the disk budget is used up: {} of {} bytes",
            status.bytes, status.budget_bytes
        ));
    }
    Report { component: "journal", state: State::Ok, reason: String::new() }
}

/// The reports of both, of a component named by both the worse one.
pub(crate) fn merge(mut reports: Vec<Report>, further: Report) -> Vec<Report> {
    match reports.iter_mut().find(|report| report.component == further.component) {
        Some(report) if report.state < further.state => *report = further,
        Some(_) => {}
        None => reports.push(further),
    }
    reports
}

pub(crate) fn live() -> Response {
    uncached(Json(json!({"status": "live"})))
}

/// 503 when a component has failed; degraded ones are listed only.
pub(crate) fn ready(reports: &[Report]) -> Response {
    let (status, word) = match reports.iter().map(|report| report.state).max() {
        Some(State::Failed) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        Some(State::Degraded) => (StatusCode::OK, "degraded"),
        Some(State::Ok) | None => (StatusCode::OK, "ready"),
    };
    let named = |state| -> Vec<&str> {
        reports.iter().filter(|report| report.state == state).map(|report| report.component).collect()
    };
    let components: serde_json::Map<String, Value> = reports
        .iter()
        .map(|report| {
            let mut json = json!({"status": report.state.as_str()});
            if !report.reason.is_empty() {
                json["reason"] = report.reason.as_str().into();
            }
            (report.component.to_owned(), json)
        })
        .collect();
    let body = json!({
        "status": word,
        "degraded": named(State::Degraded),
        "failed": named(State::Failed),
        "components": components,
    });
    (status, uncached(Json(body))).into_response()
}

pub(crate) fn metrics(metrics: &Metrics) -> Response {
    let body = uncached(metrics.render());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], body).into_response()
}

fn uncached(body: impl IntoResponse) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_that_accepts_nothing_has_failed() {
        let status =
            |bytes, poisoned| journal::Status { bytes, budget_bytes: 10, poisoned, ..Default::default() };
        for (status, expected) in [
            (status(0, false), State::Ok),
            (status(9, false), State::Ok),
            (status(10, false), State::Failed),
            (status(0, true), State::Failed),
        ] {
            assert_eq!(journal_report(&status).state, expected, "{status:?}");
        }
    }

    #[test]
    fn readiness_follows_the_worst_component() {
        use State::{Degraded, Failed, Ok};
        for (states, expected) in
            [(vec![], 200), (vec![Ok], 200), (vec![Ok, Degraded], 200), (vec![Failed, Degraded, Ok], 503)]
        {
            let reports: Vec<Report> = states
                .iter()
                .zip(["a", "b", "c"])
                .map(|(state, component)| Report { component, state: *state, reason: String::new() })
                .collect();
            assert_eq!(ready(&reports).status(), expected, "{states:?}");
        }
    }

    #[test]
    fn of_two_reports_the_worse_one_counts() {
        let report = |state| Report { component: "journal", state, reason: String::new() };
        for (a, b) in [(State::Ok, State::Failed), (State::Failed, State::Ok)] {
            assert_eq!(merge(vec![report(a)], report(b)), [report(State::Failed)]);
        }
        assert_eq!(merge(vec![], report(State::Ok)).len(), 1);
    }
}
