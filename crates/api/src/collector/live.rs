//! `GET /api/v1/tail`: matching events as they are analysed, as server-sent events.
//!
//! All of them come, in the order of the journal and each once: one who cannot keep up with what is
//! held in memory reads on in the index from where it stands, and one who was away goes on behind the
//! id that it names.

use std::{sync::Arc, time::Duration};

use access::Caller;
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, Uri},
    response::Response,
};
use event::{Document, EventId, Position};
use index::live::{Newest, Watcher};
use metrics::counter;
use problem::Problem;
use query::Query;
use search::Searcher;
use serde_json::{Value, json};
use telemetry::metric;
use tokio::sync::OwnedSemaphorePermit;

use super::{form::hit_json, picked::Picked, state::Shared};
use crate::{
    clock::now,
    event_stream::{self, HEARTBEAT},
    gate::busy,
    outlet::{Gone, Outlet, Outlets},
    params::{Params, bad_parameter},
    standing::Standing,
};

/// Bytes of events read at a time.
const READ_BYTES: usize = 256 << 10;
/// How long to wait for an index that does not answer.
const RETRY: Duration = Duration::from_secs(1);

pub(super) async fn tail(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    standing: Standing,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::of(&uri, &["q", "zone", "after", "fields"])?.within(&caller);
    let query = params.query(now())?;
    let seen = event_stream::seen(&headers, &params, event_id)?;
    let place = shared
        .places
        .try_enter()
        .ok_or_else(|| busy("as many live tails are open as may be; close one or ask again later"))?;
    let watcher = shared.state.live.watch();
    let identity = shared.state.searcher.journal().identity();
    let feed = Feed {
        last: before(watcher.start()).map(|position| identity.event(position)),
        position: watcher.start(),
        watcher,
        searcher: shared.state.searcher.clone(),
        query,
        picked: Picked::of(&params)?,
        outlets: shared.tails.clone(),
        _place: place,
    };
    let until = (shared.state.stop.clone(), standing);
    let run = |outlet: Arc<Outlet>| async move { feed.run(seen, &outlet).await };
    Ok(event_stream::answer("tail", shared.tails.open(), until, run))
}

fn event_id(name: &'static str, text: &str) -> Result<EventId, Problem> {
    text.parse().map_err(|_| bad_parameter(name, format!("'{name}' must be the id of an event")))
}

struct Feed {
    watcher: Watcher,
    searcher: Searcher,
    query: Query,
    picked: Picked,
    /// Everything before it was looked at.
    position: Position,
    /// The last event before it, as far as known: whoever connects again may name it.
    last: Option<EventId>,
    outlets: Outlets,
    _place: OwnedSemaphorePermit,
}

impl Feed {
    /// Sends events until nothing more will come.
    async fn run(mut self, seen: Option<EventId>, outlet: &Outlet) -> Result<(), Gone> {
        if let Some(seen) = seen {
            self.resume(seen, outlet).await?;
        } else {
            self.beat(outlet).await?;
        }
        loop {
            match self.watcher.read(self.position, READ_BYTES) {
                Newest::Events(events, end) => {
                    self.last = events.last().map_or(self.last, |event| Some(event.id));
                    // Templates may have become one since the last time.
                    let query = self.searcher.widened(self.query.clone());
                    for event in &events {
                        if query.matches(event.id, &event.event, event.template.as_deref(), &event.verdict) {
                            self.send(message(event.id, self.picked.of_document(event.document())), outlet)
                                .await?;
                        }
                    }
                    if self.position == end && !self.wait(outlet).await? {
                        return Ok(());
                    }
                    self.position = end;
                    tokio::task::yield_now().await;
                }
                Newest::Gone => self.catch_up(outlet).await?,
            }
        }
    }

    /// Waits for events; false once none will come.
    async fn wait(&mut self, outlet: &Outlet) -> Result<bool, Gone> {
        loop {
            match tokio::time::timeout(HEARTBEAT, self.watcher.wait_for(self.position)).await {
                Ok(more) => return Ok(more),
                Err(_) => self.beat(outlet).await?,
            }
        }
    }

    /// Says that the stream lives, and how far it has looked: an id alone is no message.
    async fn beat(&self, outlet: &Outlet) -> Result<(), Gone> {
        let beat = self.last.map_or_else(|| ":\n\n".to_owned(), |id| format!("id: {id}\n\n"));
        self.send(beat.into_bytes(), outlet).await
    }

    /// Reads on in the store.
    async fn catch_up(&mut self, outlet: &Outlet) -> Result<(), Gone> {
        let from = self.position;
        let followed = self.searcher.follow(self.query.clone(), from, READ_BYTES).await;
        let Some(followed) = followed.filter(|followed| followed.end > from) else {
            tokio::time::sleep(RETRY).await;
            return self.beat(outlet).await;
        };
        counter!(metric::LIVE_CAUGHT_UP).increment(followed.hits.len() as u64);
        for hit in followed.hits {
            self.last = Some(hit.key.id);
            self.send(message(hit.key.id, self.picked.of_document(hit.document)), outlet).await?;
        }
        self.position = followed.end;
        Ok(())
    }

    /// Goes on behind an event, or says that what followed it is gone.
    async fn resume(&mut self, seen: EventId, outlet: &Outlet) -> Result<(), Gone> {
        let journal = self.searcher.journal();
        let is_known = journal.identity().event(seen.position) == seen && seen.position < journal.end();
        if is_known && seen.position >= self.position {
            // After a crash, events are indexed again that it has seen.
            self.position = seen.position.next();
            return Ok(());
        }
        if is_known {
            let first = self.searcher.follow(Query::All, seen.position, 1).await;
            let first = first.and_then(|found| found.hits.into_iter().next());
            self.position = seen.position.next();
            if first.is_some_and(|hit| hit.key.id == seen) {
                return Ok(());
            }
        }
        let data = json!({"missed": null, "after": seen.to_string()});
        self.send(format!("event: lagged\ndata: {data}\n\n").into_bytes(), outlet).await
    }

    async fn send(&self, message: Vec<u8>, outlet: &Outlet) -> Result<(), Gone> {
        let share = self.outlets.share(message.len()).await.ok_or(Gone)?;
        outlet.send(message, share).await
    }
}

/// The record before a position, where it is in the same segment.
fn before(position: Position) -> Option<Position> {
    position.record.checked_sub(1).map(|record| Position { record, ..position })
}

fn message(id: EventId, document: Document) -> Vec<u8> {
    let json = Value::Object(hit_json(id, document));
    format!("id: {id}\ndata: {json}\n\n").into_bytes()
}
