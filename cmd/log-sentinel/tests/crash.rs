//! `kill -9` at any moment: every acknowledged event is found exactly once after the restart.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    collections::HashMap,
    fs::OpenOptions,
    io::Write,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::Value as Json;
use testkit::{Server, eventually};

const ROUNDS: u64 = 20;
const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");

/// Every value of `labels.n` in the store, with how often it occurs.
async fn stored(server: &Server, query: &str) -> HashMap<String, u64> {
    let (mut found, mut cursor) = (HashMap::new(), String::new());
    loop {
        let mut parameters = vec![("q", query), ("limit", "10000")];
        if !cursor.is_empty() {
            parameters.push(("cursor", &cursor));
        }
        let answer = server.get("/api/v1/search", &parameters).await.unwrap();
        for hit in answer["hits"].as_array().unwrap() {
            *found.entry(hit["message"].as_str().unwrap().to_owned()).or_insert(0) += 1;
        }
        match answer["next"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return found,
        }
    }
}

/// Posts events until told to stop or the server is gone; gives back the messages acknowledged.
async fn post_until(server: &Server, round: u64, stop: Arc<AtomicBool>, sent: Arc<AtomicU64>) -> Vec<String> {
    let mut acknowledged = vec![];
    for request in 0u64.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let messages: Vec<String> = (0..1 + request % 50)
            .map(|line| format!("round {round} request {request} line {line}"))
            .collect();
        let body: String = messages
            .iter()
            .map(|message| format!("{{\"message\":\"{message}\",\"source\":\"http\"}}\n"))
            .collect();
        match server.post_logs("application/x-ndjson", body).await {
            Ok((200, answer)) => {
                assert_eq!(answer["accepted"], messages.len(), "{answer}");
                acknowledged.extend(messages);
                sent.fetch_add(1, Ordering::Relaxed);
            }
            Ok((status, answer)) => panic!("{status}: {answer}"),
            Err(_) => break,
        }
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_requests_survive_exactly_once() {
    let data = tempfile::tempdir().unwrap();
    let mut random = StdRng::seed_from_u64(11);
    let mut expected = vec![];
    for round in 0..ROUNDS {
        let server = Arc::new(Server::start(Path::new(BINARY), data.path(), &[]).unwrap());
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let poster = {
            let (server, stop, sent) = (Arc::clone(&server), Arc::clone(&stop), Arc::clone(&sent));
            tokio::task::spawn_blocking(move || {
                tokio::runtime::Handle::current().block_on(post_until(&server, round, stop, sent))
            })
        };
        // The moment is random in terms of progress, so that a slow machine dies at the same places.
        let enough = random.random_range(1..40);
        eventually("some requests acknowledged", async || {
            (sent.load(Ordering::Relaxed) >= enough).then_some(())
        })
        .await;
        tokio::time::sleep(Duration::from_micros(random.random_range(0..3000))).await;
        signal_kill(server.pid());
        stop.store(true, Ordering::Relaxed);
        expected.extend(poster.await.unwrap());
    }
    let server = Server::start(Path::new(BINARY), data.path(), &[]).unwrap();
    let found = stored(&server, "source:http").await;
    assert!(expected.len() > ROUNDS as usize);
    let missing: Vec<_> = expected.iter().filter(|message| !found.contains_key(*message)).collect();
    assert!(missing.is_empty(), "{} of {} are missing: {:?}", missing.len(), expected.len(), missing.first());
    let twice: Vec<_> = found.iter().filter(|(_, count)| **count != 1).collect();
    assert!(twice.is_empty(), "{} are there more than once: {:?}", twice.len(), twice.first());
    assert_eq!(server.count("source:http").await.unwrap(), found.len() as u64);
    assert!(server.terminate().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn tailed_lines_survive_exactly_once() {
    let data = tempfile::tempdir().unwrap();
    let watched = data.path().join("logs");
    std::fs::create_dir(&watched).unwrap();
    let settings = [("LOG_SENTINEL_DIR", watched.to_str().unwrap()), ("LOG_SENTINEL_SCAN_INTERVAL", "50ms")];
    let mut random = StdRng::seed_from_u64(12);
    let mut written = 0u64;
    for round in 0..ROUNDS {
        let server = Server::start(Path::new(BINARY), &data.path().join("state"), &settings).unwrap();
        let before = written;
        let file = watched.join(format!("app-{}.log", round % 3));
        let mut file = OpenOptions::new().create(true).append(true).open(file).unwrap();
        for _ in 0..random.random_range(1..2000) {
            writeln!(file, "line number {written} of the watched file").unwrap();
            written += 1;
        }
        // Some rounds die before anything was read, most while it is, some after.
        let wanted = before + random.random_range(0..=(written - before));
        eventually("some lines taken in", async || {
            (server.count("*").await.unwrap_or_default() >= wanted).then_some(())
        })
        .await;
        server.kill().unwrap();
    }
    let server = Server::start(Path::new(BINARY), &data.path().join("state"), &settings).unwrap();
    eventually("all lines taken in", async || (server.count("*").await.unwrap() >= written).then_some(()))
        .await;
    let found = stored(&server, "*").await;
    assert_eq!(found.len() as u64, written);
    for number in 0..written {
        let line = format!("line number {number} of the watched file");
        assert_eq!(found.get(&line), Some(&1), "{line}");
    }
    assert_eq!(server.count("*").await.unwrap(), written);
}

fn signal_kill(pid: u32) {
    let status = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    assert!(status.success());
}

#[tokio::test]
async fn a_term_signal_loses_nothing_and_leaves_a_small_journal() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(Path::new(BINARY), data.path(), &[]).unwrap();
    let body: String = (0..5000).map(|n| format!("{{\"message\":\"event {n}\"}}\n")).collect();
    let (status, answer) = server.post_logs("application/x-ndjson", body).await.unwrap();
    assert_eq!((status, answer["accepted"].as_u64()), (200, Some(5000)));
    assert!(server.terminate().unwrap().success());
    let server = Server::start(Path::new(BINARY), data.path(), &[]).unwrap();
    assert_eq!(server.count("*").await.unwrap(), 5000);
    let answer: Json = server.get("/api/v1/search", &[("limit", "1")]).await.unwrap();
    assert!(answer["hits"][0]["sentinel"]["anomaly"]["score"].is_number(), "{answer}");
    let journal = data.path().join("journal");
    eventually("the journal holds nothing that is indexed", async || {
        (testkit::process::bytes_below(&journal).unwrap() < 64 << 10).then_some(())
    })
    .await;
}
