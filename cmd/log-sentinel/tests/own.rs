//! What the service tells of itself over its real port: its settings with where each comes from, and its room.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{fs, process::Command};

use serde_json::{Value as Json, json};
use testkit::{Server, eventually};

const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");
const KEY: &str = "hunter2-is-a-key-of-the-settings";

async fn asked(server: &Server, path: &str) -> Json {
    let request = server.http.get(format!("{}{path}", server.url)).bearer_auth(KEY);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    response.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_told_with_their_origin_and_without_their_secrets() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("own.yaml");
    fs::write(&file, "live_bytes_max: 32MiB\n").unwrap();
    let settings = [
        ("API_KEYS", KEY),
        ("LOG_SENTINEL_RETENTION", "30d"),
        ("LOG_SENTINEL_AUDIT_WITNESS_URL", "http://127.0.0.1:9?token=hunter2"),
    ];
    let mut command = Command::new(BINARY);
    command.arg("run").arg("--config").arg(&file);
    let server = Server::start_with(command, data.path(), &settings).unwrap();
    let told = asked(&server, "/api/v1/settings").await;
    assert!(!told.to_string().contains("hunter2"), "a secret is told");
    let of = |name: &str| {
        let all = told["settings"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name} is not told")).clone()
    };
    let brief = |name: &str| {
        let one = of(name);
        json!([one["value"], one["origin"], one["secret"]])
    };
    assert_eq!(brief("API_KEYS"), json!(["********", "environment", true]));
    assert_eq!(brief("LOG_SENTINEL_RETENTION"), json!(["30d", "environment", false]));
    assert_eq!(of("LOG_SENTINEL_RETENTION")["default"], "never");
    assert_eq!(brief("LOG_SENTINEL_LIVE_BYTES_MAX"), json!(["32MiB", "file", false]));
    assert_eq!(of("LOG_SENTINEL_LIVE_BYTES_MAX")["file"], file.display().to_string());
    assert_eq!(brief("LOG_SENTINEL_SQL_TIME_MAX"), json!(["5s", "default", false]));
    assert_eq!(brief("ELASTIC_ADDR")[1], "default");
    assert!(server.terminate().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_room_lasts_as_long_as_the_pace_of_the_last_day_says() {
    let data = tempfile::tempdir().unwrap();
    let settings = [("API_KEYS", KEY), ("LOG_SENTINEL_RETENTION", "365d")];
    let server = Server::start(BINARY.as_ref(), data.path(), &settings).unwrap();
    let told = asked(&server, "/api/v1/storage").await;
    assert_eq!(told["forecast"], Json::Null, "nothing is stored yet: {told}");
    let lines: String =
        (0..2_000).map(|n| format!("{{\"message\":\"order {n} placed\",\"source\":\"shop\"}}\n")).collect();
    let request = server.http.post(format!("{}/logs?wait=indexed", server.url)).bearer_auth(KEY);
    let sent = request.header("content-type", "application/x-ndjson").body(lines).send().await.unwrap();
    assert_eq!(sent.status(), 200);
    let told = eventually("events are on disk", async || {
        let told = asked(&server, "/api/v1/storage").await;
        (told["forecast"] != Json::Null).then_some(told)
    })
    .await;
    let forecast = &told["forecast"];
    let number = |value: &Json| value.as_u64().unwrap_or_else(|| panic!("{value} in {told}"));
    assert_eq!((number(&told["events_of_day"]), number(&told["events_of_week"])), (2_000, 2_000));
    assert_eq!((number(&told["index"]["events"]), number(&forecast["events_a_day"])), (2_000, 2_000));
    let bytes = number(&told["index"]["bytes"]);
    assert_eq!(number(&forecast["bytes_a_day"]), bytes, "all of it came within a day");
    assert_eq!(number(&forecast["bytes_at_retention"]), bytes * 365);
    assert_eq!(number(&told["retention_s"]), 365 * 86_400);
    assert_eq!(forecast["full_at"], Json::Null, "a year of this is less than the disk has: {told}");
    assert!(server.terminate().unwrap().success());
}
