//! `GET /api/v1/storage`: what is stored, what room there is, and how long it lasts.

use std::time::{Duration, Instant};

use axum::{
    Json,
    extract::State,
    http::Uri,
    response::{IntoResponse, Response},
};
use event::Timestamp;
use index::{Limits, SearchRequest, Selection};
use problem::Problem;
use serde_json::json;

use super::{
    forecast::{DAY, Room, forecast},
    state::Shared,
};
use crate::{clock::now, params::Params, unanswered::unanswered};

/// How long counting may take.
const TIME_MAX: Duration = Duration::from_secs(10);
/// Rows that may be read for it.
const WORK_MAX: u64 = 2_000_000_000;

pub(super) async fn storage(State(shared): State<Shared>, uri: Uri) -> Result<Response, Problem> {
    Params::of(&uri, &[])?;
    let place = shared.places.enter().await?;
    let state = shared.state;
    let now = now();
    let count = async |days: u32| -> Result<u64, Problem> {
        let limits = Limits::new(Instant::now() + TIME_MAX, WORK_MAX);
        let selection =
            Selection { from: Some(now.saturating_sub(DAY * days)), to: Some(now), ..Selection::all() };
        let found = state.searcher.search(SearchRequest::new(selection, 0), &limits).await;
        found.map(|answer| answer.result.total).map_err(unanswered)
    };
    let (events_of_day, events_of_week) = (count(1).await?, count(7).await?);
    drop(place);
    let (journal, index) = (state.searcher.journal().status(), state.index.stats());
    let free = journal.free_bytes;
    let room = Room {
        usable_bytes: free.unwrap_or(0).saturating_sub(journal.reserve_bytes),
        index_bytes: index.bytes,
        // What is not on disk yet takes nothing there.
        index_events: index.events.saturating_sub(index.open_events),
        events_of_day,
        events_of_week,
        retention: state.retention,
    };
    // The disks of a cluster are not ours, and a disk that does not say how full it is tells nothing.
    let told = forecast(&room).filter(|_| !state.is_elsewhere && free.is_some());
    let full_at = told.and_then(|told| told.full_in).and_then(|time| after(now, time));
    Ok(Json(json!({
        "index": {"events": index.events, "bytes": index.bytes, "elsewhere": state.is_elsewhere},
        "journal": {"bytes": journal.bytes, "budget_bytes": journal.budget_bytes},
        "disk": {"free_bytes": free, "reserve_bytes": journal.reserve_bytes},
        "retention_s": state.retention.map(|retention| retention.as_secs()),
        "events_of_day": events_of_day,
        "events_of_week": events_of_week,
        "forecast": told.map(|told| json!({
            "events_a_day": told.events_a_day,
            "bytes_a_day": told.bytes_a_day,
            "bytes_at_retention": told.bytes_at_retention,
            "full_in_s": told.full_in.map(|time| time.as_secs()),
            "full_at": full_at,
        })),
    }))
    .into_response())
}

/// A moment so much later; None beyond what a time can be.
fn after(now: Timestamp, time: Duration) -> Option<Timestamp> {
    let nanos = i64::try_from(time.as_nanos()).ok()?;
    Timestamp::from_nanos(now.as_nanos().checked_add(nanos)?)
}
