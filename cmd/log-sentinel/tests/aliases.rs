//! Templates that have become one, through the real ports: every id that stands for the template finds all of its
//! events, and patterns have one row.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{collections::BTreeSet, path::Path};

use serde_json::{Value as Json, json};
use testkit::Server;

const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");
const WORKERS: [&str; 9] = ["anna", "bruno", "clara", "dario", "elena", "fabio", "greta", "hanno", "irena"];

async fn post(server: &Server, messages: &[String]) {
    let body: String =
        messages.iter().map(|message| json!({"message": message}).to_string() + "\n").collect();
    let request = server.http.post(format!("{}/logs?wait=indexed&timeout=60s", server.url));
    let response = request.header("content-type", "application/x-ndjson").body(body).send().await.unwrap();
    let answer: Json = response.json().await.unwrap();
    assert_eq!(answer["indexed"], true, "{answer}");
}

/// Sends nine messages that differ in one word: the first ones have templates of their own, until these become one.
async fn post_workers(server: &Server) {
    post(server, &WORKERS.map(|worker| format!("worker {worker} was let go by its supervisor"))).await;
}

/// The ids with which the events that match are stored.
async fn stored_ids(server: &Server, query: &str) -> BTreeSet<String> {
    let found = server.get("/api/v1/search", &[("q", query)]).await.unwrap();
    let hits = found["hits"].as_array().unwrap().iter();
    hits.map(|hit| hit["sentinel"]["template"]["id"].as_str().unwrap().to_owned()).collect()
}

async fn patterns(server: &Server, query: &str) -> Vec<Json> {
    let found = server.get("/api/v1/patterns", &[("q", query)]).await.unwrap();
    let patterns = found["patterns"].as_array().unwrap().clone();
    assert_eq!(found["distinct"], patterns.len(), "{found}");
    patterns
}

/// Every id finds as many events, by search, histogram and patterns.
async fn each_finds(server: &Server, ids: &BTreeSet<String>, count: u64) {
    let all = server.count("*").await.unwrap();
    for id in ids {
        let query = format!("sentinel.template.id:{id}");
        assert_eq!(server.count(&query).await.unwrap(), count, "{id}");
        assert_eq!(server.count(&format!("NOT {query}")).await.unwrap(), all - count, "{id}");
        let histogram = server.get("/api/v1/histogram", &[("q", &query), ("interval", "1d")]).await.unwrap();
        let buckets = histogram["buckets"].as_array().unwrap();
        let counted: u64 = buckets.iter().map(|bucket| bucket["count"].as_u64().unwrap()).sum();
        assert_eq!(counted, count, "{histogram}");
        let rows = patterns(server, &query).await;
        assert_eq!((rows.len(), &rows[0]["count"]), (1, &json!(count)), "{rows:?}");
    }
}

/// Nine events of one template, which were stored with several ids.
async fn nine_are_one(server: &Server) -> BTreeSet<String> {
    post_workers(server).await;
    let ids = stored_ids(server, "supervisor").await;
    assert!(ids.len() > 2, "they became one too soon to tell anything: {ids:?}");
    let rows = patterns(server, "supervisor").await;
    assert_eq!((rows.len(), &rows[0]["count"]), (1, &json!(9)), "{rows:?}");
    assert!(rows[0]["text"].as_str().unwrap().contains("<*>"), "{rows:?}");
    each_finds(server, &ids, 9).await;
    ids
}

async fn ask(server: &Server, method: &str, path: &str, body: Json) -> Json {
    let request = server.http.request(method.parse().unwrap(), format!("{}{path}", server.anomaly_url));
    let response = request.json(&body).send().await.unwrap();
    assert!(response.status().is_success(), "{path}: {}", response.status());
    response.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_id_of_a_template_finds_all_its_events() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(Path::new(BINARY), data.path(), &[]).unwrap();
    post(&server, &["something else".to_owned()]).await;
    let ids = nine_are_one(&server).await;

    // Who watches by an old id sees what comes with the new one.
    let old = ids.iter().next().unwrap();
    let tail = server.http.get(format!("{}/api/v1/tail", server.url));
    let mut tail = tail.query(&[("q", format!("sentinel.template.id:{old}"))]).send().await.unwrap();
    post(&server, &["worker zora was let go by its supervisor".to_owned()]).await;
    let mut seen = String::new();
    while !seen.contains("zora") {
        seen.push_str(&String::from_utf8_lossy(&tail.chunk().await.unwrap().unwrap()));
    }
    assert!(!seen.contains("something"), "{seen}");
    drop(tail);
    each_finds(&server, &ids, 10).await;

    // The same of templates that somebody merges, until that is taken back.
    post(&server, &["queue alpha is full", "queue beta is full", "queue beta is full"].map(str::to_owned))
        .await;
    let queues = stored_ids(&server, "queue").await;
    assert_eq!((queues.len(), patterns(&server, "queue").await.len()), (2, 2));
    let merged = ask(&server, "POST", "/templates/merge", json!({"templates": queues})).await;
    each_finds(&server, &queues, 3).await;
    assert_eq!(patterns(&server, "queue").await.len(), 1);
    let undo = format!("/templates/operations/{}", merged["id"]);
    ask(&server, "DELETE", &undo, json!({})).await;
    assert_eq!(patterns(&server, "queue").await.len(), 2);

    assert!(server.terminate().unwrap().success());
    let server = Server::start(Path::new(BINARY), data.path(), &[]).unwrap();
    each_finds(&server, &ids, 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_beside_its_anomaly_service_follows_them_too() {
    let (data, models) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let service = Server::start_role(Path::new(BINARY), "anomaly", models.path(), &[]).unwrap();
    let settings = [("LOG_SENTINEL_ANOMALY_URL", service.grpc_url.as_str())];
    let server = Server::start_role(Path::new(BINARY), "collector", data.path(), &settings).unwrap();
    nine_are_one(&server).await;
}
