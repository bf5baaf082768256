//! Whether events are on the server already. An `_id` is unique within one backing index only: an
//! event that was written before a rollover could be created once more behind it.

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use event::{EventId, JournalId, Position};
use serde_json::{Value as Json, json};

use super::collision::{Stamps, stamps_of};
use crate::elasticsearch::{Body, Cluster, ClusterError, Method, Request};

const ACTION: &str = "look up events that may be there already";
/// Ids asked for at once. Each may be found in more than one index, and 10,000 hits is what an
/// index gives by default.
const IDS_MAX: usize = 2_000;
const HITS_MAX: usize = 10_000;

fn request<'r>(method: Method, path: String, body: Body, timeout: Duration) -> Request<'r> {
    Request { method, path: path.into(), query: Vec::new(), body, timeout, action: ACTION }
}

/// Names of the backing indices in order; none when there is no data stream yet.
pub(in crate::elasticsearch) async fn indices(
    cluster: &Cluster,
    data_stream: &str,
    timeout: Duration,
) -> Result<Vec<String>, ClusterError> {
    let request = request(Method::Get, format!("{data_stream}/_settings/index.uuid"), Body::None, timeout);
    let answer = match cluster.send(request).await?.require_success() {
        Ok(answer) => answer.json()?,
        Err(ClusterError::Missing { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names: Vec<String> =
        answer.as_object().into_iter().flat_map(|indices| indices.keys().cloned()).collect();
    names.sort_by_key(|name| (generation(name), name.clone()));
    Ok(names)
}

/// The number at the end of a backing index' name, which rises with each rollover.
pub(in crate::elasticsearch) fn generation(name: &str) -> u64 {
    name.rsplit('-').next().and_then(|digits| digits.parse().ok()).unwrap_or_default()
}

/// Where a document is, and its times, if it has any.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    pub(super) index: String,
    pub(super) stamps: Option<Stamps>,
}

/// The fields that [`stamps_of`] looks at.
const STAMPS: [&str; 2] = ["@timestamp", "event.created"];

/// Where documents with these ids are. What is to be found must be visible.
pub(super) async fn places(
    cluster: &Cluster,
    data_stream: &str,
    ids: &[EventId],
    timeout: Duration,
) -> Result<HashMap<EventId, Vec<Place>>, ClusterError> {
    let mut places: HashMap<EventId, Vec<Place>> = HashMap::new();
    for ids in ids.chunks(IDS_MAX) {
        let values: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let body = json!({
            "size": HITS_MAX,
            "_source": STAMPS,
            "track_total_hits": true,
            "query": {"ids": {"values": values}},
            "sort": ["_doc"],
        });
        let mut request = request(Method::Post, format!("{data_stream}/_search"), Body::Json(body), timeout);
        request.query.push(("allow_partial_search_results", "false".into()));
        let answer = cluster.send(request).await?.require_success()?;
        let json = answer.json()?;
        let hits = json["hits"]["hits"].as_array().filter(|_| json["timed_out"] == false);
        let hits = hits.ok_or_else(|| answer.garbled("the answer is not that to a search"))?;
        if json["hits"]["total"]["value"].as_u64() != Some(hits.len() as u64) {
            return Err(answer.garbled("the answer does not hold all that was found"));
        }
        for hit in hits {
            if let (Some(Ok(id)), Some(index)) = (hit["_id"].as_str().map(str::parse), hit["_index"].as_str())
            {
                let place = Place { index: index.to_owned(), stamps: stamps_of(&hit["_source"]) };
                places.entry(id).or_default().push(place);
            }
        }
    }
    Ok(places)
}

/// The times of the documents with these ids in these indices, None where there is none or it has none.
/// What was just written is found, too.
pub(super) async fn stamps(
    cluster: &Cluster,
    wanted: &[(EventId, String)],
    timeout: Duration,
) -> Result<Vec<Option<Stamps>>, ClusterError> {
    let mut stamps = Vec::with_capacity(wanted.len());
    for wanted in wanted.chunks(IDS_MAX) {
        let docs: Vec<Json> =
            wanted.iter().map(|(id, index)| json!({"_index": index, "_id": id.to_string()})).collect();
        let mut request =
            request(Method::Post, "_mget".to_owned(), Body::Json(json!({"docs": docs})), timeout);
        request.query.push(("_source_includes", STAMPS.join(",").into()));
        let answer = cluster.send(request).await?.require_success()?;
        let json = answer.json()?;
        let docs = json["docs"].as_array().filter(|docs| docs.len() == wanted.len());
        let docs = docs.ok_or_else(|| answer.garbled("the answer is not that to a multi-get"))?;
        for (document, (id, _)) in docs.iter().zip(wanted) {
            if document["_id"].as_str().map(str::parse) != Some(Ok(*id)) || !document["error"].is_null() {
                return Err(answer.garbled("a document could not be looked at"));
            }
            stamps.push(stamps_of(&document["_source"]));
        }
    }
    Ok(stamps)
}

/// Behind the furthest event of a journal that the data stream has.
pub(in crate::elasticsearch) async fn reached(
    cluster: &Cluster,
    data_stream: &str,
    journal: JournalId,
    timeout: Duration,
) -> Result<Position, ClusterError> {
    let refresh = request(Method::Post, format!("{data_stream}/_refresh"), Body::None, timeout);
    match cluster.send(refresh).await?.require_success() {
        Ok(_) => {}
        Err(ClusterError::Missing { .. }) => return Ok(Position::default()),
        Err(error) => return Err(error),
    }
    let id = |segment, record| EventId { journal, position: Position { segment, record } }.to_string();
    let body = json!({
        "size": 1,
        "_source": false,
        "track_total_hits": false,
        "query": {"range": {"sentinel.id": {"gte": id(0, 0), "lte": id(u32::MAX, u32::MAX)}}},
        "sort": [{"sentinel.id": {"order": "desc", "unmapped_type": "keyword"}}],
    });
    let mut request = request(Method::Post, format!("{data_stream}/_search"), Body::Json(body), timeout);
    request.query.push(("allow_partial_search_results", "false".into()));
    let json = cluster.send(request).await?.require_success()?.json()?;
    let last = json["hits"]["hits"][0]["sort"][0].as_str().and_then(|id| id.parse::<EventId>().ok());
    Ok(last.map(|id| id.position.next()).unwrap_or_default())
}

/// Removes what stands in more than one index from all but the first of them; gives how many
/// documents that were. A document of other times is another event and stays.
pub(super) async fn remove_copies(
    cluster: &Cluster,
    places: HashMap<EventId, Vec<Place>>,
    timeout: Duration,
) -> Result<u64, ClusterError> {
    let mut lines = String::new();
    let mut copies = 0;
    for (id, mut indices) in places {
        indices.sort_by_key(|place| (generation(&place.index), place.index.clone()));
        let first = indices.first().and_then(|place| place.stamps);
        for place in indices.iter().skip(1).filter(|place| place.stamps == first) {
            let action = json!({"delete": {"_index": place.index, "_id": id.to_string()}});
            lines.push_str(&action.to_string());
            lines.push('\n');
            copies += 1;
        }
    }
    if copies == 0 {
        return Ok(0);
    }
    let body = Body::Ndjson(Bytes::from(lines));
    let answer =
        cluster.send(request(Method::Post, "_bulk".to_owned(), body, timeout)).await?.require_success()?;
    let json = answer.json()?;
    let statuses =
        json["items"].as_array().into_iter().flatten().map(|item| item["delete"]["status"].as_u64());
    let statuses: Vec<_> = statuses.collect();
    if statuses.contains(&Some(403)) {
        tracing::error!(copies, "events are in two indices, and the right to delete the copies is missing");
        return Ok(0);
    }
    if statuses.len() as u64 == copies && statuses.iter().all(|status| matches!(status, Some(200 | 404))) {
        return Ok(copies);
    }
    Err(answer.garbled("copies of events could not be removed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_order_backing_indices() {
        let mut names = [".ds-logs-sentinel-000010", ".ds-logs-sentinel-2026.11.21-000009", "foreign"];
        names.sort_by_key(|name| generation(name));
        assert_eq!(names, ["foreign", ".ds-logs-sentinel-2026.11.21-000009", ".ds-logs-sentinel-000010"]);
    }
}
