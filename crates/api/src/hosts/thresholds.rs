//! `GET /history/{agent_name}/thresholds`: what the thresholds of a host would have told of what is kept.

use access::Caller;
use axum::{
    Extension, Json,
    extract::{Path, State},
    http::Uri,
};
use event::Timestamp;
use fleet::Backtest;
use problem::Problem;

use super::state::{Shared, problem};
use crate::{clock::now, params::Params};

/// What is looked at without `from`, and the most that is.
const WEEK_NANOS: i128 = 7 * 24 * 3600 * 1_000_000_000;
const MOST_NANOS: i128 = 2 * WEEK_NANOS;

pub(super) async fn backtest(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    uri: Uri,
) -> Result<Json<Backtest>, Problem> {
    let params = Params::of(&uri, &["from", "to", "zone"])?;
    let now = now();
    let (from, to) = params.period(("from", "to"), now)?;
    let to = to.unwrap_or(now);
    let before = |by: i128| Timestamp::saturating_from_nanos(i128::from(to.as_nanos()).saturating_sub(by));
    let from = from.unwrap_or_else(|| before(WEEK_NANOS)).max(before(MOST_NANOS));
    let organization = caller.organization.as_deref().map(str::to_owned);
    shared
        .work(move |shared| {
            let trials = shared.fleet.backtest(&name, organization.as_deref(), (from, to), now);
            trials.map_err(|error| problem(&error))
        })
        .await
        .map(Json)
}
