//! Rollover and retention of our own, for servers without a lifecycle: an index that is old or large
//! enough gives way to a new one, and whole indices go once all in them is too old.

use std::time::Duration;

use event::Timestamp;
use serde_json::json;

use super::existing::{generation, indices};
use crate::elasticsearch::{Answer, Body, Cluster, ClusterError, Method, Request, Rollover};

const ACTION: &str = "remove old events";
/// More backing indices than that are looked at another time.
const INDICES_MAX: usize = 10_000;

/// A backing index that holds events.
#[derive(Debug)]
struct Backing {
    name: String,
    events: u64,
    /// Its youngest event, in milliseconds since 1970, rounded down. Of an event of the future it is
    /// the receipt that counts: a wrong clock must not keep an index for ever.
    newest_ms: f64,
}

/// Begins a new index where the present one holds something and has reached a bound; true when it did.
pub(in crate::elasticsearch) async fn roll_over(
    cluster: &Cluster,
    data_stream: &str,
    rollover: Rollover,
    timeout: Duration,
) -> Result<bool, ClusterError> {
    let Some(written) = indices(cluster, data_stream, timeout).await?.pop() else {
        return Ok(false);
    };
    let figures = send(cluster, Method::Get, format!("{written}/_stats/docs"), Body::None, timeout).await?;
    if figures.json()?["_all"]["primaries"]["docs"]["count"].as_u64() == Some(0) {
        return Ok(false);
    }
    let conditions = json!({"conditions": {
        "max_age": format!("{}s", rollover.age.as_secs().max(1)),
        "max_docs": rollover.documents,
        "max_size": format!("{}b", rollover.bytes),
    }});
    let path = format!("{data_stream}/_rollover");
    let json = send(cluster, Method::Post, path, Body::Json(conditions), timeout).await?.json()?;
    if json["rolled_over"] != true {
        return Ok(false);
    }
    let met = json["conditions"].as_object().into_iter().flatten();
    let met: Vec<&str> = met.filter(|(_, met)| **met == true).map(|(name, _)| name.as_str()).collect();
    tracing::info!(
        from = written,
        to = json["new_index"].as_str().unwrap_or_default(),
        because = met.join(", "),
        "the data stream goes on in a new index"
    );
    Ok(true)
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
    let names = indices(cluster, data_stream, timeout).await?;
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
            Ok(_) => {
                removed += backing.events;
                let (index, events) = (backing.name, backing.events);
                tracing::info!(
                    index,
                    events,
                    "removed an index whose youngest event is older than the retention"
                );
            }
            // Somebody else was faster.
            Err(ClusterError::Missing { .. }) => {}
            Err(error) => return Err(error),
        }
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
            "aggs": {
                "past": {
                    "filter": {"range": {"@timestamp": {"lte": "now"}}},
                    "aggs": {"newest": {"max": {"field": "@timestamp"}}},
                },
                "future": {
                    "filter": {"range": {"@timestamp": {"gt": "now"}}},
                    "aggs": {"newest": {"max": {"field": "event.created"}}},
                },
            },
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
        let newest = |of: &str| match bucket[of]["doc_count"].as_u64()? {
            0 => Some(f64::NEG_INFINITY),
            // A document that says no time is no reason to delete its index.
            _ => Some(bucket[of]["newest"]["value"].as_f64().unwrap_or(f64::INFINITY)),
        };
        Some(Backing {
            name: bucket["key"].as_str()?.to_owned(),
            events: bucket["doc_count"].as_u64()?,
            newest_ms: newest("past")?.max(newest("future")?),
        })
    };
    Ok(buckets.iter().filter_map(backing).collect())
}
