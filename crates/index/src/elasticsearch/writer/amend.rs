//! Verdicts that come late, written to the documents that were stored without one.
//!
//! A data stream takes no updates, its backing indices do: where each document lies is asked first, then the verdict
//! is merged into it. What went to the dead letters or has been deleted meanwhile is not found and left out.

use std::collections::HashMap;

use event::{EventId, Verdict, VerdictState, field};
use serde_json::{Value as Json, json};

use super::bulk::joined_tokens;
use crate::elasticsearch::{
    Answer, Body, Cluster, ClusterError, Method, Request, View, cluster::refusal, document::TOKENS,
};

const ACTION: &str = "write late verdicts";
/// Documents looked for and updated at a time; servers give at most ten times as many hits.
const AT_ONCE: usize = 1_000;
/// Attempts at a document that somebody else changes at the same time.
const CONFLICTS: u32 = 3;

/// Merges the verdicts into their documents; says into how many.
pub(in crate::elasticsearch) async fn amend(
    cluster: &Cluster,
    view: &View,
    verdicts: &[(EventId, Verdict)],
) -> Result<u64, ClusterError> {
    // Where the tokens of a message were sent along, they are no part of what an update keeps.
    let with_tokens = !cluster.server().await?.has_tokenizer;
    let mut amended = 0;
    for verdicts in verdicts.chunks(AT_ONCE) {
        let places = find(cluster, view, verdicts, with_tokens).await?;
        if places.is_empty() {
            continue;
        }
        let mut body = Vec::new();
        for (id, verdict) in verdicts {
            let Some(Place { index, message }) = places.get(id) else { continue };
            let action = json!({"update": {
                "_index": index, "_id": id.to_string(), "retry_on_conflict": CONFLICTS,
            }});
            let mut document = document(verdict);
            if let Some(message) = message {
                document[TOKENS] = joined_tokens(message).into();
            }
            for line in [action, json!({"doc": document})] {
                body.extend_from_slice(line.to_string().as_bytes());
                body.push(b'\n');
            }
        }
        let query = vec![("filter_path", "items.*.status,items.*.error".into())];
        let answer = send(cluster, view, "_bulk".to_owned(), query, Body::Ndjson(body.into())).await?;
        amended += taken(&answer)?;
    }
    Ok(amended)
}

/// The verdict as it stands in a document, with the fields in which it may differ from none at all.
fn document(verdict: &Verdict) -> Json {
    let score = (f64::from(verdict.score) * 1_000.0).round() / 1_000.0;
    let mut anomaly = json!({
        "score": score,
        "is_anomaly": verdict.is_anomaly,
        "state": verdict.state.as_str(),
    });
    if !verdict.reasons.is_empty() {
        anomaly["reasons"] = verdict.reasons.as_slice().into();
    }
    json!({"sentinel": {"anomaly": anomaly}})
}

/// Where a document lies.
struct Place {
    /// The backing index.
    index: String,
    /// Its text, where it is needed.
    message: Option<String>,
}

/// Where each event lies that waits for a verdict.
async fn find(
    cluster: &Cluster,
    view: &View,
    verdicts: &[(EventId, Verdict)],
    with_messages: bool,
) -> Result<HashMap<EventId, Place>, ClusterError> {
    let ids: Vec<String> = verdicts.iter().map(|(id, _)| id.to_string()).collect();
    let body = json!({
        "size": ids.len(),
        "_source": if with_messages { json!([field::MESSAGE]) } else { json!(false) },
        "query": {"bool": {"filter": [
            {"ids": {"values": ids}},
            {"term": {field::ANOMALY_STATE: VerdictState::Unscored.as_str()}},
        ]}},
    });
    let path = format!("{}/_search", view.data_stream);
    let answer = match send(cluster, view, path, Vec::new(), Body::Json(body)).await {
        Err(ClusterError::Missing { .. }) => return Ok(HashMap::new()),
        answer => answer?,
    };
    let json = answer.json()?;
    if json["timed_out"] != false || json["_shards"]["failed"] != 0 {
        return Err(answer.garbled("not all of the data stream was looked at"));
    }
    let hits = json["hits"]["hits"].as_array();
    let hits = hits.ok_or_else(|| answer.garbled("the answer is not that to a search"))?;
    let place = |hit: &Json| {
        let message = hit["_source"][field::MESSAGE].as_str().map(str::to_owned);
        let place = Place { index: hit["_index"].as_str()?.to_owned(), message };
        Some((hit["_id"].as_str()?.parse().ok()?, place))
    };
    Ok(hits.iter().filter_map(place).collect())
}

/// How many documents took their verdict; the others are gone.
fn taken(answer: &Answer) -> Result<u64, ClusterError> {
    let json = answer.json()?;
    let items = json["items"].as_array();
    let items = items.ok_or_else(|| answer.garbled("the answer is not that to a bulk"))?;
    let mut taken = 0;
    for item in items.iter().map(|item| &item["update"]) {
        match item["status"].as_u64() {
            Some(200 | 201) => taken += 1,
            Some(404) => {}
            status => {
                let (kind, reason) = refusal(&item["error"]);
                let status = status.and_then(|status| u16::try_from(status).ok()).unwrap_or_default();
                return Err(answer.error(status, kind, reason));
            }
        }
    }
    Ok(taken)
}

async fn send(
    cluster: &Cluster,
    view: &View,
    path: String,
    query: Vec<(&str, std::borrow::Cow<'_, str>)>,
    body: Body,
) -> Result<Answer, ClusterError> {
    let (method, timeout) = (Method::Post, view.timeout);
    let request = Request { method, path: path.into(), query, body, timeout, action: ACTION };
    cluster.send(request).await?.require_success()
}
