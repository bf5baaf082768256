//! `GET /api/v1/signals`, `/api/v1/incidents` and one of them.

use access::Caller;
use axum::{
    Extension,
    extract::{Path, State},
    http::Uri,
    response::Response,
};
use problem::Problem;
use serde_json::json;
use signal::narrative::Reader;

use super::{
    asked::{self, NAMES},
    state::{Shared, answer, problem},
    told::{reader, signal_json},
};
use crate::{clock::now, params::Params};

pub(super) async fn list(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::of(&uri, &NAMES)?;
    let (filter, reader) = (asked::filter(&params, &caller, now())?, reader(&params)?);
    let settled = match asked::wait(&params)? {
        Some(within) => Some((shared.settled)(within).await),
        None => None,
    };
    shared
        .work(move |shared| {
            let page = shared.store.list(&filter).map_err(|error| problem(&error))?;
            let signals: Vec<_> = page.signals.iter().map(|signal| signal_json(signal, &reader)).collect();
            let mut json = json!({"total": page.total, "signals": signals, "next": page.next});
            if let Some(settled) = settled {
                json["detected"] = settled.into();
            }
            Ok(json)
        })
        .await
        .map(answer)
}

pub(super) async fn one(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::of(&uri, &["zone", "lang"])?;
    let (id, reader) = (asked::id(&id)?, reader(&params)?);
    shared
        .work(move |shared| {
            let signal = shared.seen(id, &caller)?;
            let history = shared.store.history(&signal).map_err(|error| problem(&error))?;
            let mut json = signal_json(&signal, &Reader { history: Some(history), ..reader });
            let timeline = shared.store.timeline(id).map_err(|error| problem(&error))?;
            json["timeline"] = serde_json::to_value(timeline).map_err(|_| Problem::internal())?;
            Ok(json)
        })
        .await
        .map(answer)
}
