//! `GET /api/v1/events/{id}`: one event, and what stood around it.

use std::time::Instant;

use access::Caller;
use axum::{
    Extension,
    extract::{Path, State},
    http::Uri,
    response::Response,
};
use event::{Document, EventId, Position, field, member};
use index::{Cursor, Hit, Limits, Order, SearchRequest, Selection, SortKey};
use problem::{Problem, StatusCode};
use query::{Query, Test};
use search::{Answer, Searcher};
use serde_json::{Map, Value, json};

use super::{form::hit_json, picked::Picked, state::Shared};
use crate::{
    params::{Params, bad_parameter},
    unanswered::unanswered,
};

/// Neighbours on each side, in number and in bytes.
const NEIGHBOURS_MAX: usize = 1000;
const NEIGHBOURS_BYTES: usize = 4 << 20;
/// ECS fields that are the id of a session, the one that says most first.
const SESSIONS: [&str; 4] = ["trace.id", "transaction.id", "session.id", "http.request.id"];

pub(super) async fn event(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::of(&uri, &["before", "after", "fields"])?.within(&caller);
    let id: EventId = id.parse().map_err(|error| bad_parameter("id", format!("this is {error}")))?;
    let picked = Picked::of(&params)?;
    let before = params.number("before", 0, NEIGHBOURS_MAX)?;
    let after = params.number("after", 0, NEIGHBOURS_MAX)?;
    let searcher = shared.state.searcher.clone();
    shared
        .query(async move |limits: Limits| {
            let begun = Instant::now();
            let end = searcher.begin(&limits).await;
            let mut around = Around { searcher, params, picked, end, limits, partial: None };
            let hit = around.find(id).await?;
            let place = Place::of(&hit.document);
            let mut json =
                json!({"neighbours": {"by": place.by, "in": place.fields, "query": place.query.to_string()}});
            let earlier = around.beside(&place, hit.key, Order::NewestFirst, before).await?;
            let later = around.beside(&place, hit.key, Order::OldestFirst, after).await?;
            json["before"] = earlier.hits.into_iter().rev().collect();
            json["after"] = later.hits.into();
            json["earlier"] = earlier.next.into();
            json["later"] = later.next.into();
            json["event"] = around.json(hit);
            json["took_ms"] = (begun.elapsed().as_millis() as u64).into();
            if let Some(reason) = around.partial {
                json["partial"] = true.into();
                json["reason"] = reason.into();
            }
            Ok(json)
        })
        .await
}

/// Where an event's neighbours are looked for.
struct Place {
    /// `file`, `session`, `host` or `all`.
    by: &'static str,
    /// What they have in common with it.
    fields: Map<String, Value>,
    /// That as a query.
    query: Query,
}

impl Place {
    /// The file that it stood in, else its session, else its host. A path is that of one host where that is known.
    fn of(document: &Document) -> Self {
        let has = |path: &&str| text_at(document, path).is_some();
        let session = SESSIONS.iter().copied().find(|path| has(path));
        let (by, paths) = match session {
            _ if has(&field::FILE_PATH) => ("file", vec![field::FILE_PATH, field::HOST_NAME]),
            Some(id) => ("session", vec![id]),
            None if has(&field::HOST_NAME) => ("host", vec![field::HOST_NAME]),
            None => ("all", vec![]),
        };
        let (mut fields, mut parts) = (Map::new(), Vec::new());
        for path in paths {
            if let Some(text) = text_at(document, path) {
                let test = Test::Equals { text: text.to_owned(), ignore_case: false };
                parts.push(Query::Field { path: path.to_owned(), test });
                fields.insert(path.to_owned(), text.into());
            }
        }
        Self { by, fields, query: Query::and(parts) }
    }
}

fn text_at<'d>(document: &'d Document, path: &str) -> Option<&'d str> {
    member(document, path)?.as_str()
}

/// Some neighbours, in their order, and where they go on.
#[derive(Default)]
struct Beside {
    hits: Vec<Value>,
    next: Option<String>,
}

/// What one answer is made with.
struct Around {
    searcher: Searcher,
    params: Params,
    picked: Picked,
    end: Position,
    limits: Limits,
    partial: Option<String>,
}

impl Around {
    async fn find(&mut self, id: EventId) -> Result<Hit, Problem> {
        let test = Test::Equals { text: id.to_string(), ignore_case: false };
        let query = self.params.own(Query::Field { path: field::ID.to_owned(), test });
        let selection = Selection { query, ..Selection::all() };
        let request = SearchRequest { counted: false, ..SearchRequest::new(selection, 1) };
        let answer = self.ask(request).await?;
        if let Some(hit) = answer.result.hits.into_iter().next() {
            return Ok(hit);
        }
        if let Some(reason) = answer.partial {
            let detail = format!("the event was not found where it could be looked for: {reason}");
            return Err(Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Not everything answers",
                detail,
            ));
        }
        let detail = format!("there is no event {id}; it may have been removed as too old");
        Err(Problem::new(StatusCode::NOT_FOUND, "event_not_found", "No such event", detail))
    }

    async fn beside(
        &mut self,
        place: &Place,
        key: SortKey,
        order: Order,
        limit: usize,
    ) -> Result<Beside, Problem> {
        if limit == 0 {
            return Ok(Beside::default());
        }
        let (from, to) = match order {
            Order::NewestFirst => (None, Some(key.timestamp.saturating_add(1))),
            Order::OldestFirst => (Some(key.timestamp), None),
        };
        let selection = Selection { query: self.params.own(place.query.clone()), from, to };
        let request = SearchRequest {
            order,
            after: Some(key),
            bytes_max: NEIGHBOURS_BYTES,
            counted: false,
            ..SearchRequest::new(selection, limit)
        };
        let answer = self.ask(request).await?;
        self.partial = self.partial.take().or(answer.partial);
        let next = answer.result.next.map(|key| Cursor { key, order }.to_string());
        let hits = answer.result.hits.into_iter().map(|hit| self.json(hit)).collect();
        Ok(Beside { hits, next })
    }

    async fn ask(&self, request: SearchRequest) -> Result<Answer<index::SearchResult>, Problem> {
        self.searcher.search_until(request, self.end, &self.limits).await.map_err(unanswered)
    }

    fn json(&self, hit: Hit) -> Value {
        Value::Object(hit_json(hit.key.id, self.picked.of_document(hit.document)))
    }
}
