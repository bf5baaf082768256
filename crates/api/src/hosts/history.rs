//! `GET /history/{agent_name}`: one metric over time, or the newest samples as they came.

use access::Caller;
use axum::{
    Extension, Json,
    extract::{Path, State},
    http::Uri,
    response::{IntoResponse, Response},
};
use event::Timestamp;
use fleet::{POINTS_MAX, Question, RECENT_MAX};
use problem::Problem;

use super::state::{Shared, problem};
use crate::{
    clock::now,
    params::{Params, bad_parameter},
};

const POINTS: usize = 300;
const LIMIT: usize = 100;
/// What is shown without `from`.
const DAY_NANOS: i128 = 24 * 3600 * 1_000_000_000;
/// A sample may be a little ahead of the server's clock.
const AHEAD_NANOS: i128 = 600 * 1_000_000_000;

pub(super) async fn history(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::of(&uri, &["metric", "from", "to", "points", "limit", "zone"])?;
    let now = now();
    let (from, to) = params.period(("from", "to"), now)?;
    let points = params.number("points", POINTS, POINTS_MAX)?;
    let limit = params.number("limit", LIMIT, RECENT_MAX as usize)?;
    let organization = caller.organization.as_deref().map(str::to_owned);
    let metric = params.text("metric").map(str::to_owned);
    let shifted = |at: Timestamp, by: i128| Timestamp::saturating_from_nanos(i128::from(at.as_nanos()) + by);
    let to = to.unwrap_or_else(|| shifted(now, AHEAD_NANOS));
    let Some(metric) = metric else {
        let from = from.unwrap_or(Timestamp::MIN);
        let limit = u32::try_from(limit).unwrap_or(RECENT_MAX);
        return shared
            .work(move |shared| {
                let newest = shared.fleet.newest(&name, organization.as_deref(), (from, to), limit);
                newest.map_err(|error| problem(&error))
            })
            .await
            .map(|newest| Json(newest).into_response());
    };
    if points == 0 {
        return Err(bad_parameter(
            "points",
            format!("'points' must be a whole number from 1 to {POINTS_MAX}"),
        ));
    }
    let from = from.unwrap_or_else(|| shifted(to.min(now), -DAY_NANOS));
    shared
        .work(move |shared| {
            let organization = organization.as_deref();
            let question = Question { metric, from, to, points };
            let chart =
                shared.fleet.chart(&name, organization, &question, now).map_err(|error| problem(&error))?;
            if chart.points.is_empty() {
                known(shared, &name, organization, &question.metric)?;
            }
            Ok(chart)
        })
        .await
        .map(|chart| Json(chart).into_response())
}

/// 400 with what is near, for a metric that this agent never had.
fn known(shared: &Shared, name: &str, organization: Option<&str>, metric: &str) -> Result<(), Problem> {
    let names = shared.fleet.series(name, organization).map_err(|error| problem(&error))?;
    if sample::unit(metric).is_some() || names.iter().any(|known| known == metric) {
        return Ok(());
    }
    let metric: String = metric.chars().take(100).collect();
    let mut near: Vec<(f64, &String)> =
        names.iter().map(|known| (strsim::jaro_winkler(&metric, known), known)).collect();
    near.sort_by(|one, other| other.0.total_cmp(&one.0));
    let near: Vec<&str> = near.into_iter().take(5).map(|(_, known)| known.as_str()).collect();
    let detail = match near.as_slice() {
        [] => format!("'{metric}' is no metric; nothing was measured on '{name}' yet"),
        near => format!("'{metric}' is no metric of '{name}'; near are {}", near.join(", ")),
    };
    Err(bad_parameter("metric", detail))
}
