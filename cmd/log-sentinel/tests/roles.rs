//! Collector and anomaly service as processes of their own: each is killed, hung and restarted under
//! the other, and every event is there once and scored once.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value as Json;
use testkit::{Server, eventually};

const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");

fn anomaly(data: &Path, grpc_addr: &str) -> Server {
    Server::start_role(Path::new(BINARY), "anomaly", data, &[("LOG_SENTINEL_ANOMALY_GRPC_ADDR", grpc_addr)])
        .unwrap()
}

fn collector(data: &Path, anomaly_url: &str) -> Server {
    let settings = [("LOG_SENTINEL_ANOMALY_URL", anomaly_url), ("LOG_SENTINEL_ANOMALY_TIMEOUT", "500ms")];
    Server::start_role(Path::new(BINARY), "collector", data, &settings).unwrap()
}

/// Posts a few events and waits until they are in the index itself: the journal's tail has no verdicts yet.
async fn post(collector: &Server, phase: &str, count: usize) {
    let body: String =
        (0..count).map(|n| format!("{{\"message\":\"{phase} step {n}\",\"source\":\"roles\"}}\n")).collect();
    let request = collector.http.post(format!("{}/logs?wait=indexed&timeout=60s", collector.url));
    let response = request.header("content-type", "application/x-ndjson").body(body).send().await.unwrap();
    let answer: Json = response.json().await.unwrap();
    assert_eq!(
        (&answer["accepted"], &answer["indexed"]),
        (&Json::from(count), &Json::from(true)),
        "{answer}"
    );
    assert_eq!(collector.count(phase).await.unwrap(), count as u64);
}

async fn with_state(collector: &Server, phase: &str, state: &str) -> u64 {
    collector.count(&format!("{phase} sentinel.anomaly.state:{state}")).await.unwrap()
}

/// Waits until the service has learned so many events, and makes sure that it stays so.
async fn learned(service: &Server, expected: u64) {
    let model = format!("{}/model", service.anomaly_url);
    eventually("everything is learned", async || {
        let answer: Json = service.http.get(&model).send().await.ok()?.json().await.ok()?;
        let events = answer["events"].as_u64()?;
        assert!(events <= expected, "{events} events were learned, but {expected} were posted");
        (events == expected).then_some(())
    })
    .await;
}

async fn degraded(collector: &Server) -> bool {
    let ready = collector.get("/readyz", &[]).await.unwrap();
    ready.to_string().contains("events are stored without verdicts")
}

fn signal(server: &Server, signal: Signal) {
    kill_process(Pid::from_raw(server.pid() as i32).unwrap(), signal).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn either_side_may_die_hang_and_come_back() {
    let (data, models) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let service = anomaly(models.path(), "127.0.0.1:0");
    let grpc_addr = service.grpc_url.trim_start_matches("http://").to_owned();
    let server = collector(data.path(), &service.grpc_url);
    assert!(server.anomaly_url.is_empty() && service.url.is_empty(), "each has its own ports only");

    post(&server, "together", 50).await;
    assert_eq!(with_state(&server, "together", "warming-up").await, 50);
    learned(&service, 50).await;

    // It hangs: what comes meanwhile is there at once, unscored, and scored when it goes on.
    signal(&service, Signal::STOP);
    post(&server, "hanging", 40).await;
    assert_eq!(with_state(&server, "hanging", "unscored").await, 40);
    assert!(degraded(&server).await);
    signal(&service, Signal::CONT);
    learned(&service, 90).await;
    eventually("late verdicts are in the index", async || {
        (with_state(&server, "hanging", "warming-up").await == 40).then_some(())
    })
    .await;
    assert_eq!(with_state(&server, "hanging", "unscored").await, 0);
    eventually("scores come with the events again", async || (!degraded(&server).await).then_some(())).await;
    post(&server, "after", 10).await;
    assert_eq!(with_state(&server, "after", "warming-up").await, 10);

    // It is stopped in order and comes back at the same address, with what it knew.
    assert!(service.terminate().unwrap().success());
    post(&server, "stopped", 30).await;
    assert_eq!(with_state(&server, "stopped", "unscored").await, 30);
    let service = anomaly(models.path(), &grpc_addr);
    learned(&service, 130).await;

    // The collector is killed while events wait for their verdicts.
    assert!(service.terminate().unwrap().success());
    post(&server, "waiting", 20).await;
    server.kill().unwrap();
    let service = anomaly(models.path(), &grpc_addr);
    let server = collector(data.path(), &format!("http://{grpc_addr}"));
    learned(&service, 150).await;
    post(&server, "last", 5).await;
    assert_eq!(server.count("source:roles").await.unwrap(), 155);
    learned(&service, 155).await;
    eventually("no event is left without a verdict", async || {
        (server.count("source:roles sentinel.anomaly.state:unscored").await.unwrap() == 0).then_some(())
    })
    .await;
    assert!(server.terminate().unwrap().success());
    assert!(service.terminate().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_named_and_logs_go_on_being_taken_in() {
    let (data, models) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let service = Server::start_role(
        Path::new(BINARY),
        "anomaly",
        models.path(),
        &[("API_KEYS", "the-key-of-the-service")],
    )
    .unwrap();
    let server = collector(data.path(), &service.grpc_url);
    post(&server, "keyless", 3).await;
    assert_eq!(with_state(&server, "keyless", "unscored").await, 3);
    eventually("the reason is told", async || {
        let ready = server.get("/readyz", &[]).await.unwrap().to_string();
        (ready.contains("API_KEYS") && !ready.contains("the-key-of-the-service")).then_some(())
    })
    .await;
}
