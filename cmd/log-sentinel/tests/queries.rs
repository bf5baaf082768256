//! Queries that cost much, through the real port: what they must leave to everyone else.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::path::Path;

use serde_json::json;
use testkit::{Server, eventually};
use tokio::task::JoinHandle;

const EVENTS: usize = 20_000;
const HEAVY: usize = 4;
const SLOW: &str = "log_sentinel_slow_queries_total";

/// A server with less room for queries than there will be heavy ones, and events that make them heavy.
async fn start(data: &Path) -> Server {
    let settings = [
        ("LOG_SENTINEL_QUERIES_MAX", "2"),
        ("LOG_SENTINEL_QUERY_TIMEOUT", "1h"),
        ("LOG_SENTINEL_SHUTDOWN_GRACE", "4s"),
    ];
    let server = Server::start(Path::new(env!("CARGO_BIN_EXE_log-sentinel")), data, &settings).unwrap();
    for chunk in 0..EVENTS / 2000 {
        let event = |at: usize| {
            json!({"message": format!("m{}", at % 7), "word": format!("word{at}of{}", at * 7919)}).to_string()
        };
        let lines: Vec<String> = (chunk * 2000..(chunk + 1) * 2000).map(event).collect();
        let (status, answer) = server.post_logs("application/x-ndjson", lines.join("\n")).await.unwrap();
        assert_eq!(status, 200, "{answer}");
    }
    eventually("all are there", async || (server.count("*").await.ok()? == EVENTS as u64).then_some(()))
        .await;
    server
}

/// Five hundred wildcards that nothing matches.
fn heavy(server: &Server) -> JoinHandle<Option<u16>> {
    let words: Vec<String> = (0..500).map(|at| format!("*a{at}?*z{at}*")).collect();
    let query = format!("word:({})", words.join(" OR "));
    let asked = server.http.get(format!("{}/api/v1/search", server.url)).query(&[("q", query)]).send();
    #[expect(clippy::disallowed_methods, reason = "a client, whom nobody names")]
    tokio::spawn(async move { asked.await.ok().map(|answer| answer.status().as_u16()) })
}

async fn metric(server: &Server, name: &str) -> u64 {
    let text = server.http.get(format!("{}/metrics", server.url)).send().await.unwrap().text().await.unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or(" 0");
    line.trim().parse().unwrap()
}

async fn all_slow(server: &Server) -> Vec<JoinHandle<Option<u16>>> {
    // What was asked while events came in may have been slow as well.
    let before = metric(server, SLOW).await;
    let asked: Vec<_> = (0..HEAVY).map(|_| heavy(server)).collect();
    eventually("all of them are slow", async || {
        (metric(server, SLOW).await >= before + HEAVY as u64).then_some(())
    })
    .await;
    asked
}

#[tokio::test]
async fn heavy_queries_leave_room_to_others_and_do_not_hold_up_a_stop() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path()).await;
    let asked = all_slow(&server).await;
    for number in 0..7 {
        let found = server.count(&format!("m{number}")).await.unwrap();
        assert!(found >= EVENTS as u64 / 7, "{found}");
    }
    let (status, answer) =
        server.post_logs("application/json", "{\"message\":\"beside\"}".to_owned()).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    assert!(asked.iter().any(|asked| !asked.is_finished()), "they were not heavy enough to tell anything");
    // It would go on for as long as they do, were they not ended.
    let stopped = tokio::task::spawn_blocking(move || server.terminate()).await.unwrap().unwrap();
    assert!(stopped.success(), "{stopped}");
    for asked in asked {
        let answer = asked.await.unwrap();
        assert!(answer.is_none_or(|status| [200, 503].contains(&status)), "{answer:?}");
    }
}

#[tokio::test]
async fn work_on_a_query_ends_when_its_client_has_left() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path()).await;
    let asked = all_slow(&server).await;
    for asked in asked {
        asked.abort();
    }
    eventually("all of them have ended", async || {
        let ended = metric(&server, "log_sentinel_ended_queries_total{limit=\"asker\"}").await;
        (ended >= HEAVY as u64).then_some(())
    })
    .await;
}
