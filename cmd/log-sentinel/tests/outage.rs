//! The program with a cluster that was never there: everything but the cluster goes on.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    path::Path,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::Duration,
};

use rand::{Rng, SeedableRng, rngs::StdRng};
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

const KILLS: u32 = 20;
/// When the service begins to learn by itself depends on the machine.
const NO_TRAINING: (&str, &str) = ("LOG_SENTINEL_MODEL_EVENTS_MIN", "10000000");

/// A line of one of a few kinds, a second after the one before.
fn line(number: u32) -> String {
    let message = match number % 5 {
        0 => format!("queue {} holds {number} jobs", number % 7),
        1 => format!(
            "{} strange {number} thing {:x}",
            ["one", "another"][number as usize / 5 % 2],
            number * 77
        ),
        _ => format!("user {} logged in from port {number}", ["ann", "bob", "cyd"][number as usize % 3]),
    };
    let time = format!("2026-11-20T{:02}:{:02}:{:02}Z", number / 3600, number / 60 % 60, number % 60);
    json!({"message": format!("{message} [{number}]"), "source": "app", "@timestamp": time}).to_string()
        + "\n"
}

/// Posts a few lines at a time from a number on, until the server is gone. `acknowledged` is behind the last that were;
/// gives what is behind the last that was sent.
async fn post_until_killed(server: &Server, from: u32, acknowledged: &AtomicU32) -> u32 {
    let mut next = from;
    loop {
        let end = next + 1 + next % 20;
        match server.post_logs("application/x-ndjson", (next..end).map(line).collect::<String>()).await {
            Ok((200, _)) => acknowledged.store(end, SeqCst),
            Ok((status, answer)) => panic!("{status}: {answer}"),
            Err(_) => return end,
        }
        next = end;
    }
}

/// By its number: what was said of each event, once so many are stored and judged.
async fn said(server: &Server, count: usize) -> BTreeMap<u32, Json> {
    let (mut said, hits) = (BTreeMap::new(), all_hits(server, count).await);
    for hit in &hits {
        let message = hit["message"].as_str().unwrap();
        let number = message.rsplit_once('[').unwrap().1.trim_end_matches(']').parse().unwrap();
        let told = json!([hit["sentinel"]["template"], hit["sentinel"]["anomaly"]]);
        assert!(said.insert(number, told).is_none(), "{message} is there twice");
    }
    said
}

async fn all_hits(server: &Server, count: usize) -> Vec<Json> {
    eventually("all are stored and judged", async || {
        let query = [("q", "NOT sentinel.anomaly.state:unscored"), ("limit", "10000")];
        let answer = server.get("/api/v1/search", &query).await.ok()?;
        (answer["total"] == count).then(|| answer["hits"].as_array().unwrap().clone())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_each_event_is_stored_once_with_the_verdict_of_a_quiet_run() {
    let dir = tempfile::tempdir().unwrap();
    let start = |settings: &[(&str, &str)]| {
        Server::start(Path::new(BINARY), &dir.path().join("state"), settings).unwrap()
    };
    let mut random = StdRng::seed_from_u64(20);
    let (mut next, mut acknowledged) = (0, vec![]);
    for _ in 0..KILLS {
        let (server, behind) = (start(&[AWAY, NO_TRAINING]), AtomicU32::new(next));
        let enough = next + random.random_range(1..60);
        let killing = async {
            // The moment is random in terms of progress, so that a slow machine dies at the same places.
            eventually("some are acknowledged", async || (behind.load(SeqCst) >= enough).then_some(())).await;
            tokio::time::sleep(Duration::from_micros(random.random_range(0..3000))).await;
            let killed = std::process::Command::new("kill").args(["-9", &server.pid().to_string()]).status();
            assert!(killed.unwrap().success());
        };
        let (sent, ()) = tokio::join!(post_until_killed(&server, next, &behind), killing);
        acknowledged.extend(next..behind.load(SeqCst));
        next = sent;
    }
    // An index in the process takes the place of the cluster that never came.
    let server = start(&[NO_TRAINING]);
    let stored = eventually("nothing waits", async || {
        let waits = server
            .get("/api/v1/search", &[("q", "sentinel.anomaly.state:unscored"), ("limit", "0")])
            .await
            .ok()?;
        let total = server.count("*").await.ok()?;
        (waits["total"] == 0 && total as usize >= acknowledged.len()).then_some(total as usize)
    })
    .await;
    let said_of_them = said(&server, stored).await;
    let missing: Vec<_> = acknowledged.iter().filter(|number| !said_of_them.contains_key(number)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(server.terminate().unwrap().success());
    let quiet = tempfile::tempdir().unwrap();
    let server = Server::start(Path::new(BINARY), quiet.path(), &[NO_TRAINING]).unwrap();
    let body: String = said_of_them.keys().map(|number| line(*number)).collect();
    assert_eq!(server.post_logs("application/x-ndjson", body).await.unwrap().0, 200);
    assert_eq!(said(&server, stored).await, said_of_them);
}
