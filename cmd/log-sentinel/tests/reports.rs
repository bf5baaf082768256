//! Reports through the real ports and by command.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path, process::Command};

use serde_json::{Value as Json, json};
use testkit::{Server, eventually};

const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");

fn start(data: &Path) -> Server {
    Server::start(Path::new(BINARY), data, &[]).unwrap()
}

/// Failed logins of an address, seconds of an hour on a day of May 2024.
fn failures(address: &str, day: u32, seconds: std::ops::Range<u32>) -> String {
    let line = |second: u32| {
        format!(
            "2024-05-{day:02}T10:{:02}:{:02}Z gate sshd[{}]: Failed password for root from {address} port 40022 ssh2\n",
            second / 60,
            second % 60,
            1_000 + second
        )
    };
    seconds.map(line).collect()
}

async fn post(server: &Server, lines: String) {
    let (status, answer) = server.post_logs("text/plain", lines).await.unwrap();
    assert_eq!(status, 200, "{answer}");
}

/// The signals, once there are so many and one goes on after a pause.
async fn signals(server: &Server, count: usize) -> Vec<Json> {
    eventually("all are signals", async || {
        let answer = server.get("/api/v1/signals", &[("kind", "ssh_brute_force")]).await.unwrap();
        let found = answer["signals"].as_array().unwrap().clone();
        let goes_on = found.iter().any(|signal| signal["state"] == "reopened");
        (found.len() == count && goes_on).then_some(found)
    })
    .await
}

fn told(server: &Server, arguments: &[&str]) -> String {
    let output =
        Command::new(BINARY).args(arguments).args(["--url", &server.url]).env_clear().output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_is_told_as_the_signals_say() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    // Two addresses in the week before, of which one goes on, and two new ones.
    for (address, day) in
        [("203.0.113.1", 1), ("203.0.113.2", 2), ("203.0.113.1", 9), ("203.0.113.3", 10), ("203.0.113.4", 11)]
    {
        post(&server, failures(address, day, 0..7)).await;
    }
    post(&server, "nothing that any program would know of\n".repeat(3)).await;
    let found = signals(&server, 4).await;
    let week = |signal: &&Json| signal["first"].as_str().unwrap() > "2024-05-07";
    let now: Vec<_> = found.iter().filter(week).collect();
    let url = format!("{}/api/v1/signals/{}/acknowledge", server.url, now[0]["id"].as_str().unwrap());
    assert_eq!(server.http.post(url).json(&json!({"by": "ann"})).send().await.unwrap().status(), 200);

    let times = [("from", "2024-05-07T12:00:00Z"), ("to", "2024-05-14T12:00:00Z")];
    let report = server.get("/api/v1/report", &times).await.unwrap();
    assert_eq!(report["before"]["from"], "2024-04-30T12:00:00Z");
    let listed = server.get("/api/v1/signals", &times).await.unwrap();
    let before = [("from", "2024-04-30T12:00:00Z"), ("to", "2024-05-07T12:00:00Z")];
    let listed_before = server.get("/api/v1/signals", &before).await.unwrap();
    assert_eq!(report["signals"]["total"], json!({"now": listed["total"], "before": listed_before["total"]}));
    let of = |severity: &str, signals: &Json| {
        signals["signals"].as_array().unwrap().iter().filter(|signal| signal["severity"] == severity).count()
    };
    for one in report["signals"]["by_severity"].as_array().unwrap() {
        let severity = one["severity"].as_str().unwrap();
        let expected = json!({"now": of(severity, &listed), "before": of(severity, &listed_before)});
        assert_eq!(one["signals"], expected, "{severity}");
    }
    let brute =
        &report["kinds"].as_array().unwrap().iter().find(|of| of["kind"] == "ssh_brute_force").unwrap();
    assert_eq!(brute["signals"], json!({"now": 3, "before": 2}));
    let about = report["entities"].as_array().unwrap();
    let again = about.iter().find(|about| about["value"] == "203.0.113.1").unwrap();
    assert_eq!((&again["type"], &again["signals"]["before"]), (&json!("source.ip"), &json!(1)));
    let all = report["response"].as_array().unwrap().last().unwrap();
    assert_eq!((&all["severity"], &all["acknowledged"]), (&Json::Null, &json!(1)));
    assert_eq!(report["unseen"]["total"].as_u64(), listed["total"].as_u64().map(|total| total - 1));
    let sources = report["coverage"]["sources"].as_array().unwrap();
    assert_eq!((&sources[0]["name"], &sources[0]["events"]), (&json!("sshd"), &json!(21)), "{sources:?}");
    assert_eq!(report["coverage"]["problem"], Json::Null);

    // The same as a page, as text and as data, by command.
    let from_to = ["report", "--from", times[0].1, "--to", times[1].1];
    let page = data.path().join("week.html");
    told(&server, &[&from_to[..], &["-o", page.to_str().unwrap(), "--lang", "pt"]].concat());
    let html = fs::read_to_string(&page).unwrap();
    assert!(html.contains("Relatório de segurança") && html.contains("<svg") && html.contains("203.0.113.4"));
    assert!(!html.contains("<script"));
    let text = told(&server, &from_to);
    assert!(text.starts_with("# Security report") && text.contains("| all |"), "{text}");
    let data = told(&server, &[&from_to[..], &["-f", "json"]].concat());
    let data: Json = serde_json::from_str(&data).unwrap();
    assert_eq!(data["signals"], report["signals"]);
    assert!(told(&server, &["report", "--day"]).contains("No signals"));

    let served = server.http.get(format!("{}/api/v1/report?format=html", server.url)).send().await.unwrap();
    let policy = served.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("script"), "{policy}");
    for (asked, part) in [
        ("period=month", "week, day"),
        ("period=day&from=now-1d", "'period'"),
        ("to=now", "'from'"),
        ("from=now-1d&to=now-2d", "later"),
        ("format=pdf", "json, html, markdown"),
        ("colour=red", "colour"),
    ] {
        let response = server.http.get(format!("{}/api/v1/report?{asked}", server.url)).send().await.unwrap();
        assert_eq!(response.status(), 400, "{asked}");
        let problem: Json = response.json().await.unwrap();
        assert!(problem["detail"].as_str().unwrap().contains(part), "{asked}: {problem}");
    }
    assert!(server.terminate().unwrap().success());
}
