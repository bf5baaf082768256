//! `GET /api/v1/tail`: matching events as they are analysed, as server-sent events.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{HeaderValue, Uri, header},
    response::{
        IntoResponse, Response,
        sse::{Event as Message, KeepAlive, Sse},
    },
};
use event::Analyzed;
use futures_util::stream;
use index::query::Query;
use problem::Problem;
use tokio::sync::{OwnedSemaphorePermit, broadcast};

use super::{Shared, search::hit_json};
use crate::{clock::now, gate::busy, params::Params};

/// How often a quiet stream says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events looked at before other tasks get their turn.
const TURN: usize = 256;

pub(super) async fn tail(State(shared): State<Shared>, uri: Uri) -> Result<Response, Problem> {
    let query = Params::of(&uri, &["q"])?.query(now())?;
    let place = shared
        .tails
        .try_enter()
        .ok_or_else(|| busy("as many live tails are open as may be; close one or ask again later"))?;
    let feed = Feed { events: shared.state.live.subscribe(), query, _place: place };
    let stop = shared.state.stop.clone();
    let messages = stream::unfold((feed, stop), async |(mut feed, stop)| {
        let message = tokio::select! {
            () = stop.cancelled() => None,
            message = feed.next() => message,
        };
        message.map(|message| (Ok::<_, Infallible>(message), (feed, stop)))
    });
    let mut response =
        Sse::new(Box::pin(messages)).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response();
    // Proxies that gather answers would hold events back.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

struct Feed {
    events: broadcast::Receiver<Arc<Analyzed<'static>>>,
    query: Query,
    _place: OwnedSemaphorePermit,
}

impl Feed {
    /// The next message; None once nothing more will come.
    async fn next(&mut self) -> Option<Message> {
        let mut looked_at = 0;
        loop {
            match self.events.recv().await {
                Ok(event) => {
                    if self.query.matches(&event.event, event.template.as_deref(), &event.verdict) {
                        return Some(message(&event));
                    }
                }
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    return Some(Message::default().event("lagged").data(format!("{{\"missed\":{missed}}}")));
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
            looked_at += 1;
            if looked_at % TURN == 0 {
                tokio::task::yield_now().await;
            }
        }
    }
}

fn message(event: &Analyzed<'_>) -> Message {
    let json = serde_json::Value::Object(hit_json(event.id, event.document()));
    Message::default().id(event.id.to_string()).data(json.to_string())
}
