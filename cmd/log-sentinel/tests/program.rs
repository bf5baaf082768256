//! The whole program through its real ports: what it answers, and what it must never do.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{fs, net::Ipv4Addr, path::Path};

use serde_json::{Value as Json, json};
use testkit::{Server, eventually};

const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");

fn start(data: &Path, settings: &[(&str, &str)]) -> Server {
    Server::start(Path::new(BINARY), data, settings).unwrap()
}

#[tokio::test]
async fn bad_input_gets_a_clear_answer_and_takes_nothing_good_down() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), &[]);
    let long = format!("{}\n", "x".repeat(10 << 20));
    for (content_type, body, status, pointer, expected) in [
        ("application/json", "{\"message\":".to_owned(), 400, "/detail", "column"),
        (
            "application/x-ndjson",
            "{\"message\":\"a\"}\nnonsense\n{\"message\":\"b\"}\n".to_owned(),
            200,
            "/rejected/0/line",
            "2",
        ),
        ("application/json", "[{\"message\":\"c\"},7]".to_owned(), 200, "/rejected/0/line", "2"),
        ("application/xml", "<a/>".to_owned(), 415, "/code", "unsupported_media_type"),
        ("application/json", String::new(), 400, "/code", "empty"),
        ("text/plain", long, 200, "/accepted", "1"),
    ] {
        let (found, answer) = server.post_logs(content_type, body).await.unwrap();
        assert_eq!(found, status, "{content_type}: {answer}");
        let value = answer.pointer(pointer).map(|value| value.to_string()).unwrap_or_default();
        assert!(value.contains(expected), "{content_type}: {pointer} is {value} in {answer}");
    }
    eventually("everything good is there", async || (server.count("*").await.unwrap() == 4).then_some(()))
        .await;
    assert_eq!(server.count("log.flags:truncated").await.unwrap(), 1);
    let response = server.http.get(format!("{}/api/v1/search?q=level:(", server.url)).send().await.unwrap();
    let (status, kind) =
        (response.status().as_u16(), response.headers()["content-type"].to_str().unwrap().to_owned());
    let problem: Json = response.json().await.unwrap();
    assert_eq!(
        (status, kind.as_str(), problem["field"].as_str()),
        (400, "application/problem+json", Some("q"))
    );
}

/// The value of a metric, summed over its labels.
fn metric(text: &str, name: &str) -> f64 {
    let values = text.lines().filter(|line| line.split(['{', ' ']).next() == Some(name));
    values.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

#[tokio::test]
async fn the_ledger_balances_across_a_restart() {
    let data = tempfile::tempdir().unwrap();
    for round in 1..=2u64 {
        let server = start(data.path(), &[]);
        let body: String =
            (0..1000).map(|n| format!("{{\"message\":\"round {round} event {n}\"}}\n")).collect();
        let (status, _) = server.post_logs("application/x-ndjson", body).await.unwrap();
        assert_eq!(status, 200);
        eventually("everything is stored", async || {
            let text = server
                .http
                .get(format!("{}/metrics", server.url))
                .send()
                .await
                .unwrap()
                .text()
                .await
                .unwrap();
            let of = |name: &str| metric(&text, &format!("log_sentinel_{name}"));
            let (received, stored) = (of("received_events_total"), of("stored_events_total"));
            let gone = of("dead_letter_events_total") + of("dropped_events_total");
            assert_eq!(received, stored + of("queued_events") + gone, "{text}");
            (stored >= 1000.0 && of("queued_events") == 0.0).then_some(())
        })
        .await;
        assert_eq!(server.count("*").await.unwrap(), 1000 * round);
        // The first one dies before its index is durable: its events are received anew by the second.
        server.kill().unwrap();
    }
}

#[tokio::test]
async fn keys_are_asked_for_on_every_port_but_for_probes() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), &[("API_KEYS", "first-long-key,second-long-key")]);
    for (url, status) in [
        (format!("{}/api/v1/search", server.url), 401),
        (format!("{}/model", server.anomaly_url), 401),
        (format!("{}/livez", server.url), 200),
        (format!("{}/readyz", server.anomaly_url), 200),
    ] {
        assert_eq!(server.http.get(&url).send().await.unwrap().status().as_u16(), status, "{url}");
        let with_key = server.http.get(&url).bearer_auth("second-long-key").send().await.unwrap();
        assert_eq!(with_key.status().as_u16(), 200, "{url}");
    }
    let foreign =
        server.http.get(format!("{}/livez", server.url)).header("host", "evil.example").send().await.unwrap();
    assert!(foreign.status().is_client_error(), "{}", foreign.status());
}

#[tokio::test]
async fn training_and_prediction_follow_the_documentation() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), &[]);
    let post = async |path: &str, body: Json| -> (u16, Json) {
        let response =
            server.http.post(format!("{}{path}", server.anomaly_url)).json(&body).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    };
    let login =
        json!({"timestamp":"2024-06-01T12:00:00Z","level":"INFO","message":"User login","source":"auth"});
    let brute = json!({"timestamp":"2024-06-01T12:01:00Z","level":"ERROR","message":"Brute force detected","source":"auth"});
    let (status, answer) = post("/train", json!([login, brute])).await;
    assert_eq!((status, answer["state"].as_str()), (200, Some("warming-up")), "{answer}");
    assert!(answer["needed"].as_u64().unwrap() > 0, "{answer}");
    let (status, answer) = post("/predict", brute.clone()).await;
    assert_eq!(status, 200, "{answer}");
    let score = answer["anomaly_score"].as_f64().unwrap();
    assert!(
        (0.0..=1.0).contains(&score) && answer["is_anomaly"].is_boolean() && answer["reasons"].is_array(),
        "{answer}"
    );
    let (status, answer) = post("/train", json!([1, 2])).await;
    assert_eq!(status, 422, "{answer}");

    let logs: Vec<Json> = (0..3000)
        .map(|n| json!({"timestamp": 1_717_243_200 + n * 7, "level":"INFO","message": format!("GET /item/{n} took {} ms", 20 + n % 9),"source":"web"}))
        .collect();
    let (status, answer) = post("/train", Json::Array(logs)).await;
    assert_eq!((status, answer["state"].as_str()), (200, Some("trained")), "{answer}");
    let strange = json!({"timestamp": 1_717_264_200, "level":"FATAL","message":"kernel panic: out of memory in worker","source":"web"});
    let usual = json!({"timestamp": 1_717_264_200, "level":"INFO","message":"GET /item/17 took 24 ms","source":"web"});
    let (_, answers) = post("/predict", json!([strange, usual])).await;
    let (strange, usual) = (&answers[0], &answers[1]);
    assert!(strange["anomaly_score"].as_f64() > usual["anomaly_score"].as_f64(), "{answers}");
    assert!(strange["is_anomaly"] == true && usual["is_anomaly"] == false, "{answers}");
    assert!(!strange["reasons"].as_array().unwrap().is_empty(), "{answers}");
    let model: Json =
        server.http.get(format!("{}/model", server.anomaly_url)).send().await.unwrap().json().await.unwrap();
    assert_eq!(model["version"], usual["model"], "{model}");
}

#[tokio::test]
async fn live_tails_show_what_comes_in() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), &[]);
    let mut stream =
        server.http.get(format!("{}/api/v1/tail?q=level:error", server.url)).send().await.unwrap();
    let body =
        "{\"level\":\"info\",\"message\":\"not this\"}\n{\"level\":\"error\",\"message\":\"but this\"}\n";
    server.post_logs("application/x-ndjson", body).await.unwrap();
    let mut seen = String::new();
    while !seen.contains("\n\n") || !seen.contains("but this") {
        seen.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap()));
    }
    assert!(!seen.contains("not this"), "{seen}");
}

/// Every address that a socket of the process is connected to, from the kernel's tables.
fn peers(pid: u32) -> Vec<Ipv4Addr> {
    let links = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let sockets: Vec<String> = links
        .filter_map(|link| {
            fs::read_link(link.path())
                .ok()?
                .to_str()?
                .strip_prefix("socket:[")?
                .strip_suffix(']')
                .map(str::to_owned)
        })
        .collect();
    let mut peers = vec![];
    for table in ["tcp", "udp"] {
        for line in fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap().lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if sockets.iter().any(|inode| inode == fields[9]) {
                peers.push(Ipv4Addr::from(u32::from_str_radix(&fields[2][..8], 16).unwrap().to_be()));
            }
        }
    }
    for table in ["tcp6", "udp6"] {
        let Ok(text) = fs::read_to_string(format!("/proc/{pid}/net/{table}")) else { continue };
        for line in text.lines().skip(1) {
            let inode = line.split_whitespace().nth(9).unwrap();
            assert!(!sockets.iter().any(|socket| socket == inode), "a socket of IPv6: {line}");
        }
    }
    peers
}

#[tokio::test]
async fn it_opens_no_connection_of_its_own() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), &[]);
    server.post_logs("text/plain", "one\ntwo\n").await.unwrap();
    eventually("both are stored", async || (server.count("*").await.unwrap() == 2).then_some(())).await;
    let peers = peers(server.pid());
    assert!(peers.len() >= 2, "its two listeners at least: {peers:?}");
    assert!(peers.iter().all(|peer| peer.is_loopback() || peer.is_unspecified()), "{peers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stamp_of_the_far_future_leads_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), &[]);
    let event = |at: &str, message: &str| {
        format!("{{\"timestamp\":\"{at}\",\"message\":\"{message}\",\"source\":\"app\"}}\n")
    };
    let mut body = event("2099-01-01T00:00:00Z", "of a wrong clock");
    for day in 1..=3 {
        for hour in 0..24 {
            body.push_str(&event(&format!("2024-06-0{day}T{hour:02}:00:00Z"), "ordinary"));
        }
    }
    let posted = server.http.post(format!("{}/logs?wait=indexed", server.url));
    let posted = posted.header("content-type", "application/x-ndjson").body(body).send().await.unwrap();
    assert_eq!(posted.status(), 200);
    let histogram = server.get("/api/v1/histogram", &[]).await.unwrap();
    let buckets = histogram["buckets"].as_array().unwrap();
    let sum: u64 = buckets.iter().map(|bucket| bucket["count"].as_u64().unwrap()).sum();
    assert_eq!(
        (sum, &histogram["interval"]),
        (73, &"1h".into()),
        "nothing is hidden, and the interval fits the rest"
    );
    assert_eq!(server.count("log.flags:future").await.unwrap(), 1);
    let mut messages = vec![];
    let mut cursor = String::new();
    loop {
        let page = server.get("/api/v1/search", &[("limit", "30"), ("cursor", &cursor)]).await.unwrap();
        assert_eq!(page["total"], 73);
        messages.extend(page["hits"].as_array().unwrap().iter().map(|hit| hit["message"].clone()));
        match page["next"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(messages.len(), 73);
    assert_eq!(messages.iter().position(|message| message == "of a wrong clock"), Some(72), "it comes last");
    let asked =
        server.get("/api/v1/search", &[("limit", "1"), ("to", "2100-01-01T00:00:00Z")]).await.unwrap();
    assert_eq!(asked["hits"][0]["message"], "of a wrong clock", "a range that is asked for is in order");
}

#[tokio::test]
async fn formats_of_ones_own_are_read_at_the_door_and_by_the_anomaly_service() {
    let data = tempfile::tempdir().unwrap();
    let formats = data.path().join("formats.yaml");
    let pattern = r"^(?<time>\S+) \{(?<level>\w+)\} (?<user.name>\w+) took=(?<took_ms>\d+): (?<message>.*)";
    fs::write(
        &formats,
        format!("formats:\n  - {{ name: payroll, pattern: '{pattern}', levels: {{ GRAVE: error }} }}\n"),
    )
    .unwrap();
    let server = start(data.path(), &[("LOG_SENTINEL_FORMATS_FILE", formats.to_str().unwrap())]);
    let line = "2024-06-01T12:00:00Z {GRAVE} ann took=70: no money";
    let (status, answer) = server.post_logs("text/plain", format!("{line}\nhello\n")).await.unwrap();
    assert_eq!((status, &answer["accepted"]), (200, &json!(2)));
    eventually("it is found by what it holds", async || {
        let found =
            server.count("user.name:ann level:error message:\"no money\" @timestamp:2024-06-01").await;
        (found.unwrap() == 1).then_some(())
    })
    .await;
    let anomaly = &server.anomaly_url;
    let body = server.http.post(format!("{anomaly}/predict")).header("content-type", "text/plain").body(line);
    let judged: Json = body.send().await.unwrap().json().await.unwrap();
    assert!(judged.to_string().contains("no money"), "{judged}");
    assert!(!judged.to_string().contains("GRAVE"), "{judged}");
}
