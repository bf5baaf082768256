//! `GET /api/v1/signals/stream`: changes of signals as they happen, as server-sent events.
//!
//! Each change comes once and in order; who was away goes on behind the number that it names, or is told that what
//! followed it is no longer there.

use std::sync::Arc;

use access::Caller;
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, Uri},
    response::Response,
};
use problem::Problem;
use serde_json::json;
use signal::{Change, Filter, narrative::Reader};
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::{
    asked,
    state::{Shared, may_see, problem},
    told::{reader, signal_json},
};
use crate::{
    clock::now,
    event_stream::{self, HEARTBEAT},
    gate::busy,
    outlet::{Gone, Outlet},
    params::{Params, bad_parameter},
    standing::Standing,
};

/// Changes read at a time.
const PAGE: u32 = 256;

pub(super) async fn stream(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    standing: Standing,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::of(
        &uri,
        &["state", "kind", "severity", "rule", "entity", "zone", "lang", "after", "organization"],
    )?;
    let filter = asked::filter(&params, &caller, now())?;
    let seen = event_stream::seen(&headers, &params, number)?;
    let place = shared
        .places
        .try_enter()
        .ok_or_else(|| busy("as many streams of signals are open as may be; close one or ask again later"))?;
    let newest = shared.work(|shared| shared.store.newest_change().map_err(|error| problem(&error))).await?;
    let (streams, until) = (shared.streams.clone(), (shared.stop.clone(), standing));
    let feed = Feed {
        newest: shared.newest.clone(),
        shared,
        caller,
        filter,
        reader: reader(&params)?,
        after: seen.unwrap_or(newest),
        is_resumed: seen.is_some(),
        _place: place,
    };
    let run = |outlet: Arc<Outlet>| async move { feed.run(&outlet).await };
    Ok(event_stream::answer("signal-stream", streams.open(), until, run))
}

fn number(name: &'static str, text: &str) -> Result<u64, Problem> {
    text.parse().map_err(|_| bad_parameter(name, format!("'{name}' must be the number of a change")))
}

struct Feed {
    shared: Shared,
    newest: watch::Receiver<u64>,
    caller: Caller,
    filter: Filter,
    reader: Reader,
    /// The last change that it has seen.
    after: u64,
    /// Whether the client was here before, and names what it saw.
    is_resumed: bool,
    _place: OwnedSemaphorePermit,
}

impl Feed {
    async fn run(mut self, outlet: &Outlet) -> Result<(), Gone> {
        self.beat(outlet).await?;
        loop {
            let after = self.after;
            let read =
                move |shared: &Shared| shared.store.changes(after, PAGE).map_err(|error| problem(&error));
            let Ok(changes) = self.shared.work(read).await else {
                tokio::time::sleep(HEARTBEAT).await;
                continue;
            };
            let is_all = changes.len() < PAGE as usize;
            for change in changes {
                if self.is_resumed && change.number > self.after + 1 {
                    let missed = json!({"missed": change.number - self.after - 1, "after": self.after});
                    self.send(format!("event: lagged\ndata: {missed}\n\n"), outlet).await?;
                }
                self.is_resumed = true;
                self.after = change.number;
                if self.wants(&change) {
                    self.send(message(&change, &self.reader), outlet).await?;
                }
            }
            if is_all {
                self.wait(outlet).await?;
            }
        }
    }

    fn wants(&self, change: &Change) -> bool {
        let (signal, filter) = (&change.signal, &self.filter);
        may_see(&self.caller, signal.organization.as_deref())
            && (filter.states.is_empty() || filter.states.contains(&signal.state))
            && (filter.kinds.is_empty() || filter.kinds.contains(&signal.kind))
            && (filter.severities.is_empty() || filter.severities.contains(&signal.severity))
            && filter.rule.as_deref().is_none_or(|rule| signal.rule == rule)
            && filter.organization.as_deref().is_none_or(|name| signal.organization.as_deref() == Some(name))
            && filter
                .entity
                .as_deref()
                .is_none_or(|wanted| signal.entities.iter().any(|entity| entity.is(wanted)))
            && (!signal.standing.hidden || change.what == signal::Happening::Hidden)
    }

    /// Waits until there is more.
    async fn wait(&mut self, outlet: &Outlet) -> Result<(), Gone> {
        loop {
            let after = self.after;
            let more = tokio::time::timeout(HEARTBEAT, self.newest.wait_for(|newest| *newest > after)).await;
            match more.map(|more| more.is_ok()) {
                Ok(true) => return Ok(()),
                Ok(false) => std::future::pending().await,
                Err(_) => self.beat(outlet).await?,
            }
        }
    }

    /// Says that the stream lives, and how far it has looked: an id alone is no message.
    async fn beat(&self, outlet: &Outlet) -> Result<(), Gone> {
        self.send(format!("id: {}\n\n", self.after), outlet).await
    }

    async fn send(&self, message: String, outlet: &Outlet) -> Result<(), Gone> {
        let share = self.shared.streams.share(message.len()).await.ok_or(Gone)?;
        outlet.send(message.into_bytes(), share).await
    }
}

fn message(change: &Change, reader: &Reader) -> String {
    let data = json!({
        "what": change.what,
        "at": change.at,
        "by": change.by,
        "signal": signal_json(&change.signal, reader),
    });
    format!("id: {}\nevent: signal\ndata: {data}\n\n", change.number)
}
