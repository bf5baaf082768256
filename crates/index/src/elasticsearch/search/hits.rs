//! Hits, newest first.

use event::{Timestamp, field};
use serde_json::{Value as Json, json};

use super::{ID, LABEL_NAMES, Question, TOKENS, aggregate::taken, unexpected};
use crate::{
    Cursor, Hit, IndexError, SearchRequest, SearchResult,
    elasticsearch::{Cluster, View},
};

/// How many hits are fetched at once: what servers allow by default (`index.max_result_window`).
const PAGE_MAX: usize = 10_000;

/// As [`Index::search`](crate::Index::search).
pub(in crate::elasticsearch) async fn search(
    cluster: &Cluster,
    view: &View,
    request: SearchRequest,
) -> Result<SearchResult, IndexError> {
    let question = Question::new(cluster, view, &request.selection).await?;
    // One hit more than wanted tells whether there is a further page.
    let wanted = if request.limit == 0 { 0 } else { request.limit.saturating_add(1) };
    let (mut hits, mut total, mut after) = (Vec::new(), None, request.after);
    loop {
        let size = PAGE_MAX.min(wanted - hits.len());
        let mut answer = question.ask(page(size, after, total.is_none())).await?;
        if total.is_none() {
            let value = answer["hits"]["total"]["value"].as_u64();
            total = Some(value.ok_or_else(|| unexpected("the answer has no total"))?);
        }
        let was = hits.len();
        for hit in taken(&mut answer["hits"]["hits"]) {
            hits.push(read(hit).ok_or_else(|| unexpected("a hit is no event of Log Sentinel"))?);
        }
        after = hits.last().map(|hit: &Hit| hit.cursor);
        if hits.len() >= wanted || hits.len() - was < size {
            break;
        }
    }
    let more = hits.len() > request.limit;
    hits.truncate(request.limit);
    let next = hits.last().map(|hit| hit.cursor).filter(|_| more);
    Ok(SearchResult { total: total.unwrap_or_default(), hits, next, covered: view.covered })
}

fn page(size: usize, after: Option<Cursor>, counted: bool) -> Json {
    let mut body = json!({"size": size, "track_total_hits": counted});
    if size > 0 {
        body["sort"] = json!([
            {field::TIMESTAMP: {"order": "desc", "unmapped_type": "date_nanos"}},
            {ID: {"order": "desc", "unmapped_type": "keyword"}},
        ]);
        if let Some(Cursor { timestamp, id }) = after {
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
        for added in [ID, LABEL_NAMES, TOKENS] {
            sentinel.shift_remove(added.strip_prefix("sentinel.").unwrap_or(added));
        }
    }
    Some(Hit { cursor: Cursor { timestamp, id }, document })
}
