//! Signals through the real ports: made of what comes in, once each, over kills, restarts and a cluster that is away.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use serde_json::{Value as Json, json};
use testkit::{Server, eventually};

const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");

fn start(data: &Path, settings: &[(&str, &str)]) -> Server {
    Server::start(Path::new(BINARY), data, settings).unwrap()
}

/// Lines of sshd: so many failures of one address, from this second of an hour on.
fn failures(address: &str, seconds: std::ops::Range<u32>) -> String {
    let line = |second: u32| {
        format!(
            "2024-05-01T10:{:02}:{:02}Z gate sshd[{}]: Failed password for root from {address} port 40022 ssh2\n",
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

async fn signals(server: &Server, parameters: &[(&str, &str)]) -> Vec<Json> {
    let answer = server.get("/api/v1/signals", parameters).await.unwrap();
    answer["signals"].as_array().unwrap().clone()
}

/// The one signal about an address, once it is so.
async fn about(server: &Server, address: &str, is_so: impl Fn(&Json) -> bool) -> Json {
    eventually("the signal is as it should be", async || {
        let found = signals(server, &[("entity", address)]).await;
        assert!(found.len() <= 1, "{found:?}");
        found.into_iter().next().filter(|signal| is_so(signal))
    })
    .await
}

async fn change(server: &Server, signal: &Json, what: &str, body: Json) -> Json {
    let url = format!("{}/api/v1/signals/{}/{what}", server.url, signal["id"].as_str().unwrap());
    // As `curl -d` declares it.
    let form = "application/x-www-form-urlencoded";
    let request = server.http.post(url).header("content-type", form).body(body.to_string());
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200, "{what}");
    response.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_logins_are_one_signal_with_a_life_of_its_own() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), &[]);
    post(&server, failures("203.0.113.9", 0..4)).await;
    post(&server, failures("203.0.113.9", 4..37)).await;
    let signal = about(&server, "source.ip:203.0.113.9", |signal| signal["count"].as_u64() >= Some(30)).await;
    assert_eq!(signal["kind"], "ssh_brute_force");
    assert_eq!(signal["severity"], "medium");
    assert!(signal["title"].as_str().unwrap().contains("203.0.113.9"), "{signal}");
    for member in ["what", "why"] {
        assert!(signal[member].as_str().unwrap().len() > 20, "{signal}");
    }
    assert!(
        !signal["next"].as_array().unwrap().is_empty() && !signal["evidence"].as_array().unwrap().is_empty()
    );

    let acknowledged = change(&server, &signal, "acknowledge", json!({"by": "ann", "note": "on it"})).await;
    assert_eq!(acknowledged["state"], "acknowledged");
    assert_eq!(change(&server, &signal, "acknowledge", json!({"by": "ann"})).await["state"], "acknowledged");
    assert_eq!(change(&server, &signal, "resolve", json!({})).await["state"], "resolved");
    post(&server, failures("203.0.113.9", 60..100)).await;
    let again = about(&server, "203.0.113.9", |signal| signal["state"] == "reopened").await;
    assert_eq!(again["id"], signal["id"]);

    let id = signal["id"].as_str().unwrap();
    let whole =
        server.get(&format!("/api/v1/signals/{id}"), &[("lang", "pt"), ("zone", "America/Sao_Paulo")]).await;
    let whole = whole.unwrap();
    assert_ne!(whole["what"], again["what"], "told in Portuguese");
    let happened: Vec<_> = whole["timeline"].as_array().unwrap().iter().map(|entry| &entry["what"]).collect();
    assert!(
        happened.contains(&&json!("acknowledged")) && happened.contains(&&json!("reopened")),
        "{happened:?}"
    );
    assert!(server.terminate().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_make_no_signal_twice_and_lose_none_while_the_cluster_is_away() {
    let data = tempfile::tempdir().unwrap();
    // Nothing listens there.
    let away = [("ELASTIC_ADDR", "http://127.0.0.1:9")];
    let mut server = start(data.path(), &away);
    for round in 0..6u32 {
        let address = format!("203.0.113.{round}");
        post(&server, failures(&address, round * 100..round * 100 + 8)).await;
        if round % 2 == 0 {
            about(&server, &address, |_| true).await;
        }
        server.kill().unwrap();
        server = start(data.path(), &away);
    }
    for round in 0..6 {
        about(&server, &format!("203.0.113.{round}"), |signal| signal["count"].as_u64() >= Some(5)).await;
    }
    let found = signals(&server, &[("kind", "ssh_brute_force")]).await;
    assert_eq!(found.len(), 6, "{found:?}");
    assert!(found.iter().all(|signal| signal["count"].as_u64() <= Some(8)), "{found:?}");
    assert!(server.terminate().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_of_ones_own_are_taken_while_it_runs() {
    let data = tempfile::tempdir().unwrap();
    let rules = data.path().join("rules");
    fs::create_dir(&rules).unwrap();
    let server = start(&data.path().join("state"), &[("LOG_SENTINEL_RULES_DIR", rules.to_str().unwrap())]);
    let rule = "title: A heron at the gate\nid: 00000000-0000-4000-8000-000000000001\nlogsource: {product: linux}\n\
                detection:\n  words: [heron]\n  condition: words\nlevel: high\n";
    fs::write(rules.join("heron.yml"), rule).unwrap();
    let line = || "2024-05-01T10:00:00Z gate birds[7]: a heron came\n".to_owned();
    let found = eventually("the rule finds it", async || {
        post(&server, line()).await;
        signals(&server, &[("kind", "sigma")]).await.into_iter().next()
    })
    .await;
    assert_eq!(
        (found["severity"].as_str(), found["rule"].as_str()),
        (Some("high"), Some("00000000-0000-4000-8000-000000000001"))
    );
    let of_rule = signals(&server, &[("rule", found["rule"].as_str().unwrap())]).await;
    assert!(of_rule.iter().any(|signal| signal["id"] == found["id"]), "{of_rule:?}");
    assert_eq!(signals(&server, &[("rule", "another one")]).await, Vec::<Json>::new());
    fs::write(rules.join("wrong.yml"), rule.replace("words: [heron]", "words: {message|nearly: heron}"))
        .unwrap();
    eventually("what is wrong is told", async || {
        let ready = server.get("/readyz", &[]).await.unwrap();
        let reason = ready["components"]["rules"]["reason"].as_str()?.to_owned();
        (reason.contains("wrong.yml") && reason.contains("nearly")).then_some(())
    })
    .await;
    assert!(server.terminate().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_streamed_and_gone_on_with_behind_the_last_that_was_seen() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), &[]);
    let url = format!("{}/api/v1/signals/stream", server.url);
    let mut stream = server.http.get(&url).send().await.unwrap();
    post(&server, failures("203.0.113.9", 0..6)).await;
    let mut shown = String::new();
    while !shown.contains("event: signal") || !shown.ends_with("\n\n") {
        shown.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap()));
    }
    drop(stream);
    let data_line = shown.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    let change_seen: Json = serde_json::from_str(data_line).unwrap();
    assert_eq!((&change_seen["what"], &change_seen["signal"]["state"]), (&json!("new"), &json!("new")));
    let last = shown.lines().filter_map(|line| line.strip_prefix("id: ")).next_back().unwrap().to_owned();

    change(&server, &change_seen["signal"], "acknowledge", json!({"by": "ann"})).await;
    let mut stream = server.http.get(&url).header("last-event-id", last).send().await.unwrap();
    let mut shown = String::new();
    while !shown.contains("\"acknowledged\"") {
        shown.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap()));
    }
    assert!(!shown.contains("\"what\":\"new\""), "what was seen does not come again: {shown}");
    drop(stream);
    assert!(server.terminate().unwrap().success());
}

/// Twenty kills at random moments: what the file of a channel holds afterwards is each alert, under one key each.
#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_raised_with_its_signal_and_delivered_over_kills() {
    let data = tempfile::tempdir().unwrap();
    let (routes, out) = (data.path().join("alerts.yaml"), data.path().join("alerts.json"));
    let yaml = format!("channels:\n  out: {{type: file, path: '{}'}}\n", out.display());
    fs::write(&routes, yaml).unwrap();
    let settings = [("LOG_SENTINEL_ALERTS_FILE", routes.to_str().unwrap())];
    let state = data.path().join("state");
    let mut server = start(&state, &settings);
    for round in 0..20u8 {
        // Of now: of what is old nobody is told.
        let lines = (0..6).map(|n| {
            let message = format!("Failed password for root from {}.0.113.9 port 4002{n} ssh2", 190 + round);
            json!({"message": message, "source": "sshd", "host": "gate"}).to_string() + "\n"
        });
        let (status, answer) =
            server.post_logs("application/x-ndjson", lines.collect::<String>()).await.unwrap();
        assert_eq!(status, 200, "{answer}");
        let wait = u64::from(round) * 7 % 40;
        // A moment to kill in, not one to wait for.
        tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
        server.kill().unwrap();
        server = start(&state, &settings);
    }
    let is_out =
        |alert: &Json| alert["deliveries"].as_array().unwrap().iter().any(|one| one["state"] == "delivered");
    let alerts = eventually("all are raised and delivered", async || {
        let alerts = server.get("/alerts", &[]).await.unwrap().as_array().unwrap().clone();
        let of = |round: u8| format!("SSH logins from {}.0.113.9 ", 190 + round);
        let is_told = |round| alerts.iter().any(|one| one["message"].as_str().unwrap().contains(&of(round)));
        ((0..20).all(is_told) && alerts.iter().all(is_out)).then_some(alerts)
    })
    .await;
    let sent: Vec<Json> =
        fs::read_to_string(&out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for alert in &alerts {
        let raised: Vec<_> = sent
            .iter()
            .filter(|sent| sent["alert"] == alert["id"] && sent["occasion"] == "raised")
            .map(|sent| sent["key"].as_str().unwrap())
            .collect();
        assert!(!raised.is_empty(), "{alert} was not delivered");
        assert!(raised.iter().all(|key| *key == raised[0]), "one alert, one key: {raised:?}");
    }
    // Whoever has the signal has the alert, and the other way round.
    let first = &alerts[0];
    let url = format!("{}/alerts/{}/acknowledge", server.anomaly_url, first["id"].as_str().unwrap());
    let answer: Json =
        server.http.post(url).json(&json!({"by": "ann"})).send().await.unwrap().json().await.unwrap();
    assert_eq!((&answer["acknowledged"], &answer["acknowledged_by"]), (&json!(true), &json!("ann")));
    let id = first["signal"].as_str().unwrap();
    let signal = server.get(&format!("/api/v1/signals/{id}"), &[]).await.unwrap();
    assert_eq!(signal["state"], "acknowledged");
    let other =
        server.get(&format!("/api/v1/signals/{}", alerts[1]["signal"].as_str().unwrap()), &[]).await.unwrap();
    change(&server, &other, "acknowledge", json!({"by": "bob"})).await;
    let open = server.get("/alerts", &[("acknowledged", "false")]).await.unwrap();
    assert_eq!(open.as_array().unwrap().len(), alerts.len() - 2);
    let unknown = format!("{}/alerts/7/acknowledge", server.url);
    assert_eq!(server.http.post(unknown).send().await.unwrap().status(), 404);
    assert!(server.terminate().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_of_others_are_taken_on_both_ports() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), &[]);
    let alert = |minute: u32| {
        json!({
            "hostname": "web-1", "timestamp": format!("2024-05-01T10:{minute:02}:00Z"), "alert_type": "ssh_brute_force",
            "severity": "high", "description": "many failures",
            "raw_log": "sshd[7]: Failed password for root from 203.0.113.9 port 22 ssh2"
        })
    };
    let send = async |base: &str, body: String, kind: &str| {
        let request = server.http.post(format!("{base}/ingest")).header("content-type", kind).body(body);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json::<Json>().await.unwrap())
    };
    let received = json!({"status": "success", "message": "Alert received"});
    assert_eq!(send(&server.url, alert(0).to_string(), "application/json").await, (200, received.clone()));
    let both = json!([alert(1), alert(1), alert(0)]).to_string();
    assert_eq!(send(&server.anomaly_url, both, "application/json").await, (200, received.clone()));
    let found = signals(&server, &[("entity", "host:web-1")]).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (&found[0]["kind"], &found[0]["count"]),
        (&json!("ssh_brute_force"), &json!(2)),
        "each counts once"
    );
    let said = json!({"ai_analyst": "Looks like a scan.", "hostname": "web-1"}).to_string();
    assert_eq!(send(&server.url, said, "application/json").await, (200, received));
    let id = found[0]["id"].as_str().unwrap();
    let whole = server.get(&format!("/api/v1/signals/{id}"), &[]).await.unwrap();
    let noted = whole["timeline"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&noted["by"], &noted["note"]), (&json!("AI"), &json!("Looks like a scan.")));

    for (body, kind) in [
        ("plain text", "text/plain"),
        ("{", "application/json"),
        ("7", "application/json"),
        ("", "application/json"),
    ] {
        let (status, problem) = send(&server.url, body.to_owned(), kind).await;
        assert_eq!((status, &problem["error"]), (400, &json!("Request must be JSON")), "{body}: {problem}");
    }
    let (status, problem) = send(&server.url, json!([{"severity": 1}]).to_string(), "application/json").await;
    assert_eq!(
        (status, &problem["field"], &problem["line"]),
        (400, &json!("alert_type"), &json!(1)),
        "{problem}"
    );
    let (status, answer) = send(&server.url, json!([alert(2), 7]).to_string(), "application/json").await;
    assert_eq!((status, &answer["rejected"][0]["line"]), (200, &json!(2)), "good ones are taken");
    assert!(server.terminate().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_break_in_is_one_story_and_what_is_expected_is_hidden() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), &[]);
    let inside =
        "2024-05-01T10:02:00Z gate sshd[2000]: Accepted password for root from 203.0.113.9 port 40022 ssh2\n";
    let added = "2024-05-01T10:03:00Z gate useradd[2001]: new user: name=helper, UID=0, GID=0, home=/home/helper, shell=/bin/bash\n";
    post(&server, failures("203.0.113.9", 0..37) + inside + added).await;
    let incident = eventually("they are one incident", async || {
        let answer = server.get("/api/v1/incidents", &[]).await.unwrap();
        let incident = answer["incidents"].as_array().unwrap().first()?.clone();
        (incident["signals"].as_array().unwrap().len() >= 3).then_some(incident)
    })
    .await;
    let id = incident["id"].as_str().unwrap();
    let whole = server.get(&format!("/api/v1/incidents/{id}"), &[]).await.unwrap();
    let kinds: Vec<_> =
        whole["signals"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    for kind in ["ssh_brute_force", "login_after_failures", "account_changed"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    assert!(whole["what"].as_str().unwrap().contains("203.0.113.9"), "{whole}");

    let post_json = async |path: &str, body: Json| {
        let response = server.http.post(format!("{}{path}", server.url)).json(&body).send().await.unwrap();
        (response.status().as_u16(), response.json::<Json>().await.unwrap())
    };
    let scanner = json!({"matching": {"entity": "source.ip:203.0.113.9"}, "reason": "our own scanner", "expires_at": "2090-01-01T00:00:00Z"});
    let (status, preview) = post_json("/api/v1/suppressions/preview", scanner.clone()).await;
    assert_eq!(status, 200, "{preview}");
    let (status, problem) = post_json("/api/v1/suppressions", scanner).await;
    assert_eq!(status, 400, "a year is the longest: {problem}");
    let (status, problem) = post_json("/api/v1/suppressions", json!({"reason": "all"})).await;
    assert_eq!(status, 400, "{problem}");

    let guessing = signals(&server, &[("kind", "ssh_brute_force")]).await.remove(0);
    let labelled =
        change(&server, &guessing, "feedback", json!({"label": "expected", "similar": true})).await;
    assert_eq!(labelled["label"], "expected");
    assert!(labelled["rank"].as_f64() < guessing["rank"].as_f64(), "it ranks lower at once");
    let hidden = signals(&server, &[("kind", "ssh_brute_force"), ("hidden", "true")]).await;
    let shown = signals(&server, &[("kind", "ssh_brute_force")]).await;
    assert_eq!((hidden.len(), shown.len()), (1, 0));
    change(&server, &guessing, "feedback", json!({"label": "none", "similar": true})).await;
    assert_eq!(signals(&server, &[("kind", "ssh_brute_force")]).await.len(), 1, "until it is undone");
    assert!(server.terminate().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_questions_are_answered_with_what_would_be_right() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), &[]);
    for (path, status, expected) in [
        ("/api/v1/signals?state=old", 400, "new, ongoing"),
        ("/api/v1/signals?kind=bad_luck", 400, "ssh_brute_force"),
        ("/api/v1/signals?cursor=x", 400, "cursor"),
        ("/api/v1/signals?colour=red", 400, "colour"),
        ("/api/v1/signals/7", 400, "32 hexadecimal digits"),
        ("/api/v1/signals/00000000000000000000000000000000", 404, "there is no signal"),
        ("/api/v1/signals/stream?after=x", 400, "number of a change"),
    ] {
        let response = server.http.get(format!("{}{path}", server.url)).send().await.unwrap();
        let (found, problem) = (response.status().as_u16(), response.text().await.unwrap());
        assert!(found == status && problem.contains(expected), "{path}: {found} {problem}");
    }
    assert!(server.terminate().unwrap().success());
}

/// What a shop logs in three days, an event every 90 seconds.
fn ordinary(from: u64, count: u64) -> String {
    let one = |n: u64| {
        let message = match n * 7919 % 10 {
            0..5 => format!("GET /items/{} took {} ms", n % 90, 5 + n * 13 % 40),
            5..8 => format!("POST /cart took {} ms", 8 + n * 17 % 60),
            _ => format!("served {} bytes to 10.0.0.{}", 1_000 + n * 7919 % 250_000, n % 7 + 1),
        };
        json!({"timestamp": 1_700_000_000 + n * 90, "level": "info", "message": message, "source": "shop"})
            .to_string()
            + "\n"
    };
    (from..from + count).map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_of_an_anomaly_changes_scores_at_once_and_for_good() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), &[]);
    let ask = async |server: &Server, path: &str, body: String| -> Json {
        let request = server.http.post(format!("{}{path}", server.anomaly_url)).body(body);
        request.header("content-type", "application/json").send().await.unwrap().json().await.unwrap()
    };
    let odd = |code: u64| json!({"timestamp": 1_700_000_000 + 3_000 * 90 + code, "level": "warn", "message": format!("payment worker left with code {code}"), "source": "shop"});
    let is_anomaly = async |server: &Server, code: u64| {
        ask(server, "/predict", odd(code).to_string()).await["is_anomaly"].as_bool().unwrap()
    };
    let trained = ask(&server, "/train", ordinary(0, 3_000)).await;
    assert_eq!(trained["state"], "trained", "{trained}");
    post_json(&server, ordinary(0, 3_000)).await;
    assert!(is_anomaly(&server, 7).await);
    post_json(&server, odd(7).to_string() + "\n").await;
    let signal = eventually("the anomaly is a signal", async || {
        signals(&server, &[("kind", "anomaly"), ("q", "payment")]).await.into_iter().next()
    })
    .await;

    // As soon as it is answered, similar events score otherwise.
    let said = change(&server, &signal, "feedback", json!({"label": "expected", "by": "ann"})).await;
    assert_eq!(said["label"], "expected");
    assert!(!is_anomaly(&server, 8).await);
    let listed: Json = server
        .http
        .get(format!("{}/feedback", server.anomaly_url))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(listed["feedback"][0]["signal"], signal["id"], "{listed}");
    let taken = format!("{}/feedback/{}", server.anomaly_url, listed["feedback"][0]["id"]);
    assert_eq!(server.http.delete(taken).send().await.unwrap().status(), 409);

    // So it is after a training, and after a kill; and real, they are flagged for certain.
    assert_eq!(ask(&server, "/train", ordinary(500, 2_500)).await["state"], "trained");
    assert!(!is_anomaly(&server, 9).await);
    server.kill().unwrap();
    let server = start(data.path(), &[]);
    eventually("the model serves again", async || {
        let model = server.http.get(format!("{}/model", server.anomaly_url)).send().await.unwrap();
        (model.json::<Json>().await.unwrap()["state"] == "trained").then_some(())
    })
    .await;
    assert!(!is_anomaly(&server, 9).await);
    change(&server, &signal, "feedback", json!({"label": "real"})).await;
    let prediction = ask(&server, "/predict", odd(9).to_string()).await;
    assert_eq!(prediction["is_anomaly"], true);
    assert!(prediction["reasons"][0].as_str().unwrap().starts_with("marked as bad"), "{prediction}");

    // Taken back, nothing is left of it.
    change(&server, &signal, "feedback", json!({"label": "none"})).await;
    let prediction = ask(&server, "/predict", odd(9).to_string()).await;
    assert!(!prediction["reasons"][0].as_str().unwrap().starts_with("marked"), "{prediction}");
    assert!(server.terminate().unwrap().success());
}

async fn post_json(server: &Server, lines: String) {
    let (status, answer) = server.post_logs("application/x-ndjson", lines).await.unwrap();
    assert_eq!(status, 200, "{answer}");
}

/// A language model's service: what it was asked, in order.
async fn language_model(asked: Arc<Mutex<Vec<Json>>>) -> String {
    let answer = async move |axum::Json(body): axum::Json<Json>| {
        asked.lock().unwrap().push(body);
        let content = r#"{"assessment": "Guessing by address-1, without success.", "steps": [2]}"#;
        axum::Json(json!({"choices": [{"message": {"content": content}}]}))
    };
    let router = axum::Router::new().route("/v1/chat/completions", axum::routing::post(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(telemetry::task::spawn("model", async move { axum::serve(listener, router).await.unwrap() }));
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_language_model_adds_a_note_and_changes_nothing_else() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let url = language_model(Arc::clone(&asked)).await;
    let data = tempfile::tempdir().unwrap();
    let settings = [
        ("LOG_SENTINEL_BOTMODE", "active"),
        ("OPENAI_API_KEY", "sk-of-a-test"),
        ("OPENAI_BASE_URL", url.as_str()),
    ];
    let server = start(data.path(), &settings);
    post(&server, failures("203.0.113.9", 0..9)).await;
    let signal = about(&server, "source.ip:203.0.113.9", |_| true).await;
    let path = format!("/api/v1/signals/{}", signal["id"].as_str().unwrap());
    let noted = eventually("the signal has a note", async || {
        let whole = server.get(&path, &[]).await.unwrap();
        let note =
            whole["timeline"].as_array().unwrap().iter().find(|entry| entry["what"] == "noted").cloned();
        note.map(|note| (whole, note))
    });
    let (whole, note) = noted.await;
    assert_eq!(note["by"], "AI");
    let text = note["note"].as_str().unwrap();
    assert!(text.starts_with("Written by AI, which may be wrong: Guessing by 203.0.113.9"), "{text}");
    assert!(text.contains(whole["next"][1].as_str().unwrap()), "{text}");
    for member in ["severity", "kind", "title", "label"] {
        assert_eq!(whole[member], signal[member], "{member}");
    }
    assert_ne!(whole["state"], "acknowledged");
    let sent = Json::from(asked.lock().unwrap().clone()).to_string();
    assert!(!sent.contains("203.0.113.9") && sent.contains("address-1"), "{sent}");
    assert!(server.terminate().unwrap().success());

    // Without a key it does not start, and says what is missing.
    let output = std::process::Command::new(BINARY)
        .args(["check", "-botmode", "active"])
        .env_clear()
        .env("LOG_SENTINEL_DATA", data.path())
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("OPENAI_API_KEY is not set"), "{said}");
}

/// What a server that only takes JSON was sent at `/ingest`, in order.
async fn receiver(taken: Arc<Mutex<Vec<Json>>>) -> String {
    let take = async move |axum::Json(body): axum::Json<Json>| {
        taken.lock().unwrap().push(body);
        axum::Json(json!({"status": "success"}))
    };
    let router = axum::Router::new().route("/ingest", axum::routing::post(take));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/ingest", listener.local_addr().unwrap());
    drop(telemetry::task::spawn("receiver", async move { axum::serve(listener, router).await.unwrap() }));
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_language_model_says_on_a_host_is_sent_behind_the_signal() {
    let (asked, taken) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
    let (model, to) = (language_model(asked).await, receiver(Arc::clone(&taken)).await);
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("auth.log");
    // Of now: of what is old nobody is told.
    let line = |n: u32| {
        let message = format!("Failed password for root from 203.0.113.9 port 4002{n} ssh2");
        json!({"message": message, "source": "sshd", "host": "gate"}).to_string() + "\n"
    };
    fs::write(&log, (0..7).map(line).collect::<String>()).unwrap();
    let mut agent = std::process::Command::new(BINARY)
        .args(["agent", "-url", &to, "-botmode", "active"])
        .env_clear()
        .env("LOG_SENTINEL_DATA", folder.path().join("data"))
        .env("LOG_SENTINEL_SYSTEM", "false")
        .env("LOG_SENTINEL_FILES", &log)
        .env("OPENAI_API_KEY", "sk-of-a-test")
        .env("OPENAI_BASE_URL", &model)
        .spawn()
        .unwrap();
    let said = eventually("an assessment was sent", async || {
        let taken = taken.lock().unwrap().clone();
        taken.iter().position(|one| one.get("ai_analyst").is_some()).map(|at| (at, taken[at].clone(), taken))
    });
    let (at, said, taken) = said.await;
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert_eq!(said["hostname"], "gate");
    let text = said["ai_analyst"].as_str().unwrap();
    assert!(text.starts_with("Written by AI, which may be wrong: Guessing by 203.0.113.9"), "{text}");
    assert!(taken[..at].iter().any(|one| one["alert_type"] == "ssh_brute_force"), "{taken:?}");
}
