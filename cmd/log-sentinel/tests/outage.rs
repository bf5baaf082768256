//! The program with a cluster that was never there: everything but the cluster goes on.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use serde_json::{Value as Json, json};
use testkit::{Server, eventually};

const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");

/// Nothing listens there.
const AWAY: (&str, &str) = ("ELASTIC_ADDR", "http://127.0.0.1:9");

fn lines(numbers: std::ops::Range<u32>) -> String {
    let line = |number| json!({"message": format!("user {number} logged in"), "source": "sshd"}).to_string();
    numbers.map(|number| line(number) + "\n").collect()
}

async fn post(server: &Server, numbers: std::ops::Range<u32>) {
    let (status, answer) = server.post_logs("application/x-ndjson", lines(numbers)).await.unwrap();
    assert_eq!(status, 200, "{answer}");
}

/// The hits of a search once all of them have been judged.
async fn judged(server: &Server, count: u64) -> Vec<Json> {
    eventually("all are judged", async || {
        let query = [("q", "NOT sentinel.anomaly.state:unscored"), ("limit", "1000")];
        let answer = server.get("/api/v1/search", &query).await.ok()?;
        (answer["total"] == count).then(|| answer["hits"].as_array().unwrap().clone())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_verdicts_and_live_tails_go_on_and_outlive_kills() {
    let dir = tempfile::tempdir().unwrap();
    let start = || Server::start(Path::new(BINARY), &dir.path().join("state"), &[AWAY]).unwrap();
    let server = start();
    let mut live = server.http.get(format!("{}/api/v1/tail", server.url)).send().await.unwrap();
    assert_eq!(live.status(), 200);
    post(&server, 0..100).await;
    let mut shown = String::new();
    while shown.matches("logged in").count() < 100 {
        shown.push_str(&String::from_utf8_lossy(&live.chunk().await.unwrap().unwrap()));
    }
    assert!(shown.contains("warming-up") && !shown.contains("unscored"), "{shown}");
    let hits = judged(&server, 100).await;
    let patterns = server.get("/api/v1/patterns", &[("limit", "10")]).await.unwrap();
    assert_eq!(patterns["patterns"][0]["text"], "user <int> logged in", "{patterns}");
    assert_eq!(patterns["patterns"][0]["count"], 100, "{patterns}");
    drop(live);
    // What was said before is found again as it was, and what comes is judged as well.
    assert!(server.terminate().unwrap().success());
    for life in 1..4 {
        let server = start();
        post(&server, life * 100..(life + 1) * 100).await;
        let now = judged(&server, u64::from(life + 1) * 100).await;
        for before in &hits {
            let same = now.iter().find(|hit| hit["_id"] == before["_id"]).unwrap();
            assert_eq!(same["sentinel"], before["sentinel"]);
        }
        server.kill().unwrap();
    }
}
