//! Our own retention, for servers without a lifecycle: whole backing indices go.

use std::time::Duration;

use event::Timestamp;
use serde_json::json;

use super::existing::generation;
use crate::elasticsearch::{Answer, Body, Cluster, ClusterError, Method, Request};

const ACTION: &str = "remove old events";
/// More backing indices than that are looked at another time.
const INDICES_MAX: usize = 10_000;

/// A backing index that holds events.
#[derive(Debug)]
struct Backing {
    name: String,
    events: u64,
    /// Its youngest event, in milliseconds since 1970, rounded down.
    newest_ms: f64,
}

/// Deletes the backing indices whose youngest event is older; gives the number of events in them.
/// The index that is written to is rolled over first, if it is one of them.
pub(in crate::elasticsearch) async fn expire(
    cluster: &Cluster,
    data_stream: &str,
    before: Timestamp,
    timeout: Duration,
) -> Result<u64, ClusterError> {
    let before_ms = before.as_nanos() as f64 / 1e6;
    let is_old = |backing: &Backing| backing.newest_ms + 1.0 <= before_ms;
    let mut backings = look(cluster, data_stream, timeout).await?;
    let names = super::existing::indices(cluster, data_stream, timeout).await?;
    let Some(mut written) = names.last().cloned() else { return Ok(0) };
    if backings.iter().any(|backing| backing.name == written && is_old(backing)) {
        let rollover = format!("{data_stream}/_rollover");
        let answer = send(cluster, Method::Post, rollover, Body::None, timeout).await?;
        written = answer.json()?["new_index"].as_str().unwrap_or(&written).to_owned();
        // What came meanwhile may be younger.
        backings = look(cluster, data_stream, timeout).await?;
    }
    let mut removed = 0;
    for backing in backings.into_iter().filter(is_old) {
        if backing.name == written || generation(&backing.name) >= generation(&written) {
            continue;
        }
        match send(cluster, Method::Delete, backing.name.clone(), Body::None, timeout).await {
            Ok(_) => removed += backing.events,
            // Somebody else was faster.
            Err(ClusterError::Missing { .. }) => {}
            Err(error) => return Err(error),
        }
        tracing::info!(index = backing.name, events = backing.events, "removed an index of old events");
    }
    Ok(removed)
}

async fn send(
    cluster: &Cluster,
    method: Method,
    path: String,
    body: Body,
    timeout: Duration,
) -> Result<Answer, ClusterError> {
    let request = Request { method, path: path.into(), query: Vec::new(), body, timeout, action: ACTION };
    cluster.send(request).await?.require_success()
}

async fn look(cluster: &Cluster, data_stream: &str, timeout: Duration) -> Result<Vec<Backing>, ClusterError> {
    let body = json!({
        "size": 0,
        "aggs": {"index": {
            "terms": {"field": "_index", "size": INDICES_MAX},
            "aggs": {"newest": {"max": {"field": "@timestamp"}}},
        }},
    });
    let answer = async {
        send(cluster, Method::Post, format!("{data_stream}/_refresh"), Body::None, timeout).await?;
        send(cluster, Method::Post, format!("{data_stream}/_search"), Body::Json(body), timeout).await
    };
    let answer = match answer.await {
        Ok(answer) => answer,
        Err(ClusterError::Missing { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let json = answer.json()?;
    if json["timed_out"] != false || json["_shards"]["failed"] != 0 {
        return Err(answer.garbled("not all of the data stream was looked at"));
    }
    let buckets = json["aggregations"]["index"]["buckets"].as_array();
    let buckets = buckets.ok_or_else(|| answer.garbled("the answer is not that to a search"))?;
    let backing = |bucket: &serde_json::Value| {
        Some(Backing {
            name: bucket["key"].as_str()?.to_owned(),
            events: bucket["doc_count"].as_u64()?,
            newest_ms: bucket["newest"]["value"].as_f64()?,
        })
    };
    Ok(buckets.iter().filter_map(backing).collect())
}
