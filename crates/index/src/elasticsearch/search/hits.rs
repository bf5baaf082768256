//! Hits, in the order asked for.

use event::{EventId, Position, Timestamp, field};
use serde_json::{Value as Json, json};

use super::{Question, aggregate::taken, unexpected};
use crate::{
    FollowRequest, Followed, Hit, IndexError, Order, SearchRequest, SearchResult, Selection, SortKey,
    elasticsearch::{
        Cluster, View,
        document::{ID, LABEL_NAMES, TOKENS},
        label_numbers::LABEL_NUMBERS,
    },
    page::Room,
};

/// How many hits are fetched at once: what servers allow by default (`index.max_result_window`).
const PAGE_MAX: usize = 10_000;
/// How many are fetched before it is known how large they are, by how much more at the next time, and
/// how many at once where bytes are bounded: an answer cannot be read in parts.
const FIRST: usize = 8;
const GROWTH: usize = 4;
const BOUNDED_MAX: usize = 512;

/// As [`Index::search`](crate::Index::search).
pub(in crate::elasticsearch) async fn search(
    cluster: &Cluster,
    view: &View,
    request: SearchRequest,
) -> Result<SearchResult, IndexError> {
    let question = Question::new(cluster, view, &request.selection).await?;
    // One hit more than wanted tells whether there is a further page.
    let wanted = if request.limit == 0 { 0 } else { request.limit.saturating_add(1) };
    let (mut hits, mut total, mut after) = (Vec::new(), (!request.counted).then_some(0), request.after);
    let (mut room, mut is_full) = (Room::new(request.bytes_max), false);
    let mut at_once = if request.bytes_max == usize::MAX { PAGE_MAX } else { FIRST };
    loop {
        let size = at_once.min(wanted - hits.len());
        let mut answer = question.ask(page(size, (request.order, after), total.is_none())).await?;
        if total.is_none() {
            let value = answer["hits"]["total"]["value"].as_u64();
            total = Some(value.ok_or_else(|| unexpected("the answer has no total"))?);
        }
        let was = hits.len();
        for hit in taken(&mut answer["hits"]["hits"]) {
            let hit = read(hit).ok_or_else(|| unexpected("a hit is no event of Log Sentinel"))?;
            is_full |= !room.take(&hit.document);
            if is_full {
                break;
            }
            hits.push(hit);
        }
        after = hits.last().map(|hit: &Hit| hit.key);
        if is_full || hits.len() >= wanted || hits.len() - was < size {
            break;
        }
        if at_once < PAGE_MAX {
            at_once = (at_once * GROWTH).min(room.fits(hits.len())).clamp(1, BOUNDED_MAX);
        }
    }
    let more = is_full || hits.len() > request.limit;
    hits.truncate(request.limit);
    let next = hits.last().map(|hit| hit.key).filter(|_| more);
    Ok(SearchResult { total: total.unwrap_or_default(), hits, next, covered: view.covered })
}

/// As [`Index::follow`](crate::Index::follow).
pub(in crate::elasticsearch) async fn follow(
    cluster: &Cluster,
    view: &View,
    request: FollowRequest,
) -> Result<Followed, IndexError> {
    let FollowRequest { query, journal, from, bytes_max } = request;
    let selection = Selection { query, ..Selection::all() };
    let mut question = Question::new(cluster, view, &selection).await?;
    let id = |position| EventId { journal, position }.to_string();
    let last = Position { segment: u32::MAX, record: u32::MAX };
    let range = json!({"range": {ID: {"gte": id(from), "lte": id(last)}}});
    if let Some(filter) = question.query["bool"]["filter"].as_array_mut() {
        filter.push(range);
    }
    let (mut hits, mut room, mut at_once) = (Vec::new(), Room::new(bytes_max), FIRST);
    loop {
        let mut body = json!({"size": at_once, "track_total_hits": false, "sort": [{ID: {"order": "asc", "unmapped_type": "keyword"}}]});
        if let Some(hit) = hits.last().map(|hit: &Hit| hit.key) {
            body["search_after"] = json!([hit.id.to_string()]);
        }
        let mut answer = question.ask(body).await?;
        let found = taken(&mut answer["hits"]["hits"]);
        let is_last = found.len() < at_once;
        for hit in found {
            let hit = read(hit).ok_or_else(|| unexpected("a hit is no event of Log Sentinel"))?;
            if !room.take(&hit.document) {
                return Ok(Followed { hits, end: hit.key.id.position });
            }
            hits.push(hit);
        }
        if is_last {
            return Ok(Followed { hits, end: from.max(view.covered) });
        }
        at_once = (at_once * GROWTH).min(room.fits(hits.len())).clamp(1, BOUNDED_MAX);
    }
}

fn page(size: usize, (order, after): (Order, Option<SortKey>), counted: bool) -> Json {
    let mut body = json!({"size": size, "track_total_hits": counted});
    if size > 0 {
        let direction = match order {
            Order::NewestFirst => "desc",
            Order::OldestFirst => "asc",
        };
        body["sort"] = json!([
            {field::TIMESTAMP: {"order": direction, "unmapped_type": "date_nanos"}},
            {ID: {"order": direction, "unmapped_type": "keyword"}},
        ]);
        if let Some(SortKey { timestamp, id }) = after {
            body["search_after"] = json!([timestamp.as_nanos(), id.to_string()]);
        }
    }
    body
}

/// A hit without what the index added to its document.
fn read(mut hit: Json) -> Option<Hit> {
    let id = hit["_id"].as_str()?.parse().ok()?;
    let Json::Object(mut document) = hit["_source"].take() else { return None };
    let timestamp = Timestamp::parse(document.get(field::TIMESTAMP)?.as_str()?).ok()?;
    if let Some(Json::Object(sentinel)) = document.get_mut("sentinel") {
        for added in [ID, LABEL_NAMES, LABEL_NUMBERS, TOKENS] {
            sentinel.shift_remove(added.strip_prefix("sentinel.").unwrap_or(added));
        }
    }
    Some(Hit { key: SortKey { timestamp, id }, document })
}
