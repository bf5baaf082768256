//! What lies on disk is destroyed, deleted, or used by another process: it is told.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value as Json;
use testkit::{Server, eventually};

const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");

fn body(count: usize) -> String {
    (0..count).map(|n| format!("{{\"message\":\"event {n}\",\"source\":\"stores\"}}\n")).collect()
}

async fn post(server: &Server, count: usize) {
    let (status, answer) = server.post_logs("application/x-ndjson", body(count)).await.unwrap();
    assert_eq!((status, &answer["accepted"]), (200, &Json::from(count)), "{answer}");
}

async fn metric(server: &Server, name: &str) -> u64 {
    let text = server.http.get(format!("{}/metrics", server.url)).send().await.unwrap().text().await.unwrap();
    let line = text.lines().find(|line| line.starts_with(&format!("log_sentinel_{name} ")));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_default()
}

async fn ready(server: &Server) -> Json {
    server.http.get(format!("{}/readyz", server.url)).send().await.unwrap().json().await.unwrap()
}

fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    paths.sort();
    paths
}

fn command(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    for name in ["LOG_SENTINEL_ADDR", "LOG_SENTINEL_ANOMALY_ADDR", "LOG_SENTINEL_ANOMALY_GRPC_ADDR"] {
        command.env(name, "127.0.0.1:0");
    }
    command.env("LOG_SENTINEL_DATA", data).args(arguments).output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn destroyed_journal_data_is_told_and_the_ledger_balances() {
    let data = tempfile::tempdir().unwrap();
    // A cluster that is away: nothing is indexed.
    let settings = [("ELASTIC_ADDR", "http://127.0.0.1:9")];
    let server = Server::start(Path::new(BINARY), data.path(), &settings).unwrap();
    post(&server, 1000).await;
    server.kill().unwrap();
    let newest = files(&data.path().join("journal"), "segment").pop().unwrap();
    fs::write(&newest, vec![0; fs::metadata(&newest).unwrap().len() as usize]).unwrap();
    let checked = command(data.path(), &["journal", "verify"]);
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(!checked.status.success() && said.contains("1000 events cannot be read"), "{said}");
    let server = Server::start(Path::new(BINARY), data.path(), &[]).unwrap();
    eventually("the loss is counted", async || {
        (metric(&server, "journal_damaged_records_total").await == 1000).then_some(())
    })
    .await;
    let answer = eventually("the loss is told", async || {
        let answer = ready(&server).await;
        (answer["components"]["journal_files"]["status"] == "degraded").then_some(answer)
    })
    .await;
    let reason = answer["components"]["journal_files"]["reason"].as_str().unwrap();
    assert!(reason.contains(newest.to_str().unwrap()) && reason.contains("1000"), "{reason}");
    assert_eq!(metric(&server, "received_events_total").await, 1000);
    assert_eq!(metric(&server, "dropped_events_total{reason=\"damaged\"}").await, 1000);
    assert!(!files(&data.path().join("journal/quarantine"), "bytes").is_empty());
    post(&server, 10).await;
    eventually("new events are stored", async || (server.count("").await.unwrap() == 10).then_some(())).await;
    assert!(server.terminate().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_a_folder_whatever_its_role() {
    let data = tempfile::tempdir().unwrap();
    let first = Server::start(Path::new(BINARY), data.path(), &[]).unwrap();
    for role in ["run", "collector", "anomaly"] {
        let second = command(data.path(), &[role]);
        let said = String::from_utf8_lossy(&second.stderr).into_owned();
        assert!(!second.status.success(), "{role}: {said}");
        let expected = [data.path().to_str().unwrap(), &first.pid().to_string(), "folder of its own"];
        assert!(expected.iter().all(|part| said.contains(part)), "{role}: {said}");
    }
    assert!(command(data.path(), &["journal", "verify"]).status.success(), "looking needs no lock");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_index_file_is_told_by_readiness_and_answers() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(Path::new(BINARY), data.path(), &[]).unwrap();
    post(&server, 3000).await;
    eventually("all are stored", async || (metric(&server, "index_events").await == 3000).then_some(()))
        .await;
    assert!(server.terminate().unwrap().success());
    files(&data.path().join("index"), "segment").iter().for_each(|path| fs::remove_file(path).unwrap());
    let server = Server::start(Path::new(BINARY), data.path(), &[]).unwrap();
    let lost = eventually("the loss is told or made good", async || {
        let lost = metric(&server, "index_lost_events").await;
        (server.count("").await.ok()? + lost == 3000).then_some(lost)
    })
    .await;
    let search = server.get("/api/v1/search", &[("limit", "0")]).await.unwrap();
    assert_eq!(search["partial"].as_bool().unwrap_or_default(), lost > 0, "{search}");
    let status = if lost > 0 { "degraded" } else { "ok" };
    eventually("readiness tells it", async || {
        (ready(&server).await["components"]["index_files"]["status"] == status).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_of_a_backup_beside_a_newer_index_loses_nothing() {
    let data = tempfile::tempdir().unwrap();
    let (journal, backup) = (data.path().join("journal"), data.path().join("backup"));
    // Starts, takes so many events in, finds as many as there are then, and stops.
    let run = async |taken: usize, total: u64| {
        let server = Server::start(Path::new(BINARY), data.path(), &[]).unwrap();
        post(&server, taken).await;
        eventually("all are indexed", async || {
            (metric(&server, "index_events").await == total).then_some(())
        })
        .await;
        let found = server.get("/api/v1/search", &[("limit", "1000")]).await.unwrap();
        let ids: BTreeSet<_> =
            found["hits"].as_array().unwrap().iter().map(|hit| hit["_id"].as_str()).collect();
        assert_eq!((&found["total"], ids.len() as u64), (&Json::from(total), total));
        assert!(server.terminate().unwrap().success());
    };
    run(100, 100).await;
    fs::create_dir(&backup).unwrap();
    for entry in fs::read_dir(&journal).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), backup.join(entry.file_name())).unwrap();
    }
    run(150, 250).await;
    fs::remove_dir_all(&journal).unwrap();
    fs::rename(&backup, &journal).unwrap();
    run(200, 450).await;
    run(50, 500).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_deleted_beneath_it_end_readiness() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(Path::new(BINARY), data.path(), &[]).unwrap();
    post(&server, 100).await;
    fs::remove_dir_all(data.path()).unwrap();
    eventually("it is noticed", async || {
        let answer = ready(&server).await;
        (answer["components"]["journal"]["status"] == "failed").then_some(())
    })
    .await;
    let (status, answer) = server.post_logs("application/x-ndjson", body(1)).await.unwrap();
    assert_eq!(status, 503, "{answer}");
    fs::create_dir_all(data.path()).unwrap();
}
