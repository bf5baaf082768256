//! The life of a model through the real ports: trained, overtaken by the world, replaced, compared, taken
//! back; feedback given and taken back; all of it still so after a restart. The same from the command line.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value as Json, json};
use testkit::{Server, eventually};

const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");
const PART: u64 = 512;

fn start(data: &Path) -> Server {
    Server::start(Path::new(BINARY), data, &[]).unwrap()
}

async fn ask(server: &Server, method: &str, path: &str, body: impl Into<String>) -> (u16, Json) {
    let body: String = body.into();
    let media = if body.starts_with('{') && body.contains('\n') {
        "application/x-ndjson"
    } else {
        "application/json"
    };
    let url = format!("{}{path}", server.anomaly_url);
    let request = server.http.request(method.parse().unwrap(), url).header("content-type", media);
    let response = request.body(body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn get(server: &Server, path: &str) -> Json {
    let (status, json) = ask(server, "GET", path, "").await;
    assert_eq!(status, 200, "{path}: {json}");
    json
}

/// Logs of a shop, one every two seconds; after its release every other one is a warning of another kind.
fn shop(from: u64, count: u64, released: bool) -> String {
    let one = |n: u64| {
        let (level, message) = match n * 7919 % 10 {
            _ if released && n.is_multiple_of(2) => {
                ("warn", format!("cache miss for key-{} in region {}", n * 48_271 % 65_537, n % 5))
            }
            0..5 => ("info", format!("GET /items/{} took {} ms", n % 90, 5 + n * 13 % 40)),
            5..8 => ("info", format!("POST /cart took {} ms", 8 + n * 17 % 60)),
            _ => ("info", format!("served {} bytes to 10.0.0.{}", 1_000 + n * 7919 % 250_000, n % 7 + 1)),
        };
        let time = 1_700_000_000 + n * 2;
        json!({"timestamp": time, "level": level, "message": message, "source": "shop"}).to_string() + "\n"
    };
    (from..from + count).map(one).collect()
}

/// Sends logs to the collector and waits until they are scored and in the index.
async fn post(server: &Server, logs: String) {
    let request = server.http.post(format!("{}/logs?wait=indexed&timeout=60s", server.url));
    let response = request.header("content-type", "application/x-ndjson").body(logs).send().await.unwrap();
    let answer: Json = response.json().await.unwrap();
    assert_eq!(answer["indexed"], true, "{answer}");
}

/// Sends what the shop logs after its release until `done` says so of the serving model.
async fn release(server: &Server, next: &mut u64, what: &str, done: impl Fn(&Json) -> bool) -> Json {
    for _ in 0..60 {
        let model = get(server, "/model").await;
        if done(&model) {
            return model;
        }
        post(server, shop(*next, PART, true)).await;
        *next += PART;
    }
    panic!("waited in vain for: {what}; {}", get(server, "/model").await);
}

/// The program as a person uses it, against the anomaly service.
fn command(server: &Server, arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(arguments).args(["--url", &server.anomaly_url]).env_clear();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What it printed, given this on standard input; the error where it was refused.
fn tell(server: &Server, arguments: &[&str], input: &str) -> Result<String, String> {
    let mut child = command(server, arguments).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let [said, error] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    if output.status.success() { Ok(said) } else { Err(error) }
}

fn told(server: &Server, arguments: &[&str]) -> String {
    tell(server, arguments, "").unwrap_or_else(|error| panic!("{arguments:?}: {error}"))
}

#[track_caller]
fn refused(server: &Server, arguments: &[&str], expected: &str) {
    let error = tell(server, arguments, "").unwrap_err();
    assert!(error.contains(expected), "{expected:?} in {error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_managed_from_the_command_line() {
    let data = tempfile::tempdir().unwrap();
    let server = start(&data.path().join("one"));
    let file = |name: &str| data.path().join(name).to_str().unwrap().to_owned();
    assert!(told(&server, &["models"]).starts_with("no model is kept yet"));
    let none = told(&server, &["models", "show"]);
    assert!(none.starts_with("no model serves yet (warming-up): 2,000 more events are needed"), "{none}");
    refused(&server, &["models", "show", "00000009-00000000"], "there is no model of this version");

    let trained = tell(&server, &["train", "-"], &shop(0, 12_000, false)).unwrap();
    let version =
        |trained: &str| serde_json::from_str::<Json>(trained).unwrap()["model"].as_str().unwrap().to_owned();
    let first = version(&trained);
    refused(&server, &["models", "rollback"], "no model that is still kept served before this one");
    // So many that it goes on by itself, and is followed.
    fs::write(file("long.ndjson"), shop(0, 50_500, false)).unwrap();
    let output = command(&server, &["train", &file("long.ndjson")]).output().unwrap();
    let (trained, fared) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success() && fared.starts_with("training: "), "{fared}");
    let second = version(&trained);

    let listed = told(&server, &["models"]);
    let standing = |version: &str| {
        let line = listed.lines().find(|line| line.starts_with(version)).unwrap();
        line.split_ascii_whitespace().nth(1).unwrap().to_owned()
    };
    assert_eq!((standing(&first), standing(&second)), ("kept".to_owned(), "serving".to_owned()), "{listed}");
    let json: Json = serde_json::from_str(&told(&server, &["models", "-o", "json"])).unwrap();
    assert_eq!(json, get(&server, "/models").await);
    assert_eq!(told(&server, &["models", "list", "-o", "ndjson"]).lines().count(), 2);
    let card = told(&server, &["models", "show"]);
    for expected in [
        &*format!("model {second}: serving\n"),
        "because it was asked for",
        "50,500 events of 3 templates",
        "0.02 % of what is ordinary",
        "FEATURE",
    ] {
        assert!(card.contains(expected), "{expected:?} in:\n{card}");
    }
    post(&server, shop(50_500, 1_500, false)).await;
    let compared = told(&server, &["models", "compare", &first, &second]);
    assert!(
        compared.contains(&format!("a  {first}  flags")) && compared.contains("rank correlation"),
        "{compared}"
    );

    assert_eq!(told(&server, &["models", "rollback"]), format!("{first} serves now\n"));
    assert_eq!(told(&server, &["models", "activate", &second]), format!("{second} serves now\n"));
    assert_eq!(get(&server, "/model").await["version"], json!(second));
    let exported = told(&server, &["models", "export", &first, &file("first.model")]);
    assert!(exported.contains("bytes in"), "{exported}");
    let other = start(&data.path().join("other"));
    let imported = told(&other, &["models", "import", &file("first.model")]);
    assert!(imported.contains("was taken in; let it serve"), "{imported}");
    let there = imported.split_ascii_whitespace().next().unwrap();
    assert_eq!(told(&other, &["models", "activate", there]), format!("{there} serves now\n"));
    let bytes = fs::read(file("first.model")).unwrap();
    fs::write(file("cut.model"), &bytes[..9_999]).unwrap();
    refused(&other, &["models", "import", &file("cut.model")], "nothing changed");
    refused(&other, &["models", "import", &file("none.model")], "none.model");
    refused(&other, &["models", "show", "../livez"], "letters, digits and hyphens only");
}

#[tokio::test(flavor = "multi_thread")]
async fn feedback_rules_and_templates_from_the_command_line() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    let (status, trained) = ask(&server, "POST", "/train", shop(0, 12_000, false)).await;
    assert_eq!(status, 200, "{trained}");
    assert!(told(&server, &["models", "rules"]).starts_with("no anomaly was found"));
    let crash = |code: u64| {
        json!({"timestamp": 1_700_024_010, "level": "fatal", "message": format!("payment worker died with code {code}"), "source": "shop"}).to_string()
    };
    let is_anomaly =
        async |code: u64| ask(&server, "POST", "/predict", crash(code)).await.1["is_anomaly"].clone();
    post(&server, shop(12_000, 64, false) + &crash(7) + "\n").await;
    let rules = told(&server, &["models", "rules"]);
    assert!(rules.contains("1 recent anomaly"), "{rules}");

    // An event as the store gives it back, a plain line, a JSON log.
    let query = ["query", "-o", "ndjson", "payment", "--url", &server.url];
    let hit = Command::new(BINARY).args(query).env_clear().output().unwrap();
    let hit = String::from_utf8(hit.stdout).unwrap();
    assert_eq!((hit.lines().count(), is_anomaly(8).await), (1, json!(true)), "{hit}");
    let given =
        tell(&server, &["feedback", "give", "--label", "normal", "--note", "a drill", "-"], &hit).unwrap();
    assert!(given.starts_with("\"payment worker died with code 7\" of shop is normal"), "{given}");
    assert_eq!(is_anomaly(8).await, false);
    let line = "Jun  1 12:00:00 web-1 sshd[42]: Accepted password for root from 192.0.2.7 port 22 ssh2";
    told(&server, &["feedback", "give", "--label", "bad", "--line", line]);
    told(
        &server,
        &["feedback", "give", "--label", "bad", "--line", "link of eth0 lost", "--source", "kernel"],
    );
    let listed = told(&server, &["feedback", "list"]);
    for expected in ["code 7  [a drill]", "sshd    Accepted password for root", "kernel  link of eth0 lost"] {
        assert!(listed.contains(expected), "{expected:?} in:\n{listed}");
    }
    let undone = told(&server, &["feedback", "undo", "1"]);
    assert!(undone.starts_with("taken back: \"payment worker died"), "{undone}");
    assert_eq!(is_anomaly(8).await, true);
    refused(&server, &["feedback", "undo", "1"], "there is no such feedback");
    refused(&server, &["feedback", "give", "--label", "bad", "--line", "a\nb"], "here are 2");
    refused(&server, &["feedback", "give", "--label", "fine", "--line", "a"], "possible values: normal, bad");

    let listed = told(&server, &["templates", "list", "took"]);
    let id = |text: &str| {
        let line =
            listed.lines().find(|line| line.contains(text)).unwrap_or_else(|| panic!("{text} in:\n{listed}"));
        line.split_ascii_whitespace().next().unwrap().to_owned()
    };
    let (read, write) = (id("GET"), id("POST"));
    let named = told(&server, &["templates", "name", &read, "item read"]);
    assert!(named.contains("is called \"item read\"") && named.contains("templates undo 1"), "{named}");
    told(&server, &["templates", "pin", &write]);
    refused(&server, &["templates", "pin", &write], "pinned");
    told(&server, &["templates", "split", &read, "--variable", "1"]);
    refused(&server, &["templates", "merge", &read], "2");
    refused(&server, &["templates", "merge", &read, "0000000000000000"], "template");
    let listed = told(&server, &["templates", "list", "item read"]);
    assert!(listed.contains("split") && listed.contains("item read"), "{listed}");
    let operations = told(&server, &["templates", "operations"]);
    assert_eq!(operations.lines().count(), 4, "{operations}");
    let undone = told(&server, &["templates", "undo", "1"]);
    assert!(undone.starts_with("taken back: ") && undone.contains("item read"), "{undone}");
    refused(&server, &["templates", "undo", "1"], "there is no such operation");
    let queues = "{\"message\":\"queue alpha full\"}\n{\"message\":\"queue beta full\"}\n";
    tell(&server, &["train", "-"], queues).unwrap();
    let listed = told(&server, &["templates", "list", "queue", "-o", "ndjson"]);
    let ids: Vec<Json> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [alpha, beta] = [0, 1].map(|at: usize| ids[at]["id"].as_str().unwrap().to_owned());
    let merged = told(&server, &["templates", "merge", &alpha, &beta]);
    assert!(merged.contains("are merged into"), "{merged}");
}

/// Requests of four steps that only their id ties together; the last one misses a step.
fn requests(from: u64, count: u64) -> String {
    let mut logs = String::new();
    for n in from..from + count {
        let id = format!("{:016x}", (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let steps = [
            format!("request {id} accepted"),
            format!("checked the rights of request {id}"),
            format!("stored request {id} in {} ms", 5 + n % 20),
            format!("answered request {id}"),
        ];
        for (second, message) in (0..).zip(steps) {
            if n + 1 == from + count && second == 2 {
                continue;
            }
            let time = 1_700_000_000 + n * 20 + second;
            logs.push_str(
                &(json!({"timestamp": time, "message": message, "source": "orders"}).to_string() + "\n"),
            );
        }
    }
    logs
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_and_starters_from_the_command_line() {
    let data = tempfile::tempdir().unwrap();
    let server = start(&data.path().join("state"));
    let listed = told(&server, &["starters", "list"]);
    for name in ["sshd-auth", "web-access"] {
        let line = listed.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(line.ends_with("comes along"), "{listed}");
    }
    let card = told(&server, &["starters", "add", "sshd-auth"]);
    assert!(card.contains("on what the starters tell"), "{card}");
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/web-access.starter");
    told(&server, &["starters", "add", shipped]);
    let listed = told(&server, &["starters", "list"]);
    assert!(listed.lines().skip(1).all(|line| line.contains("taken in")), "{listed}");
    refused(&server, &["starters", "add", "sshd"], "these do: sshd-auth, web-access");
    let wrong = data.path().join("wrong.starter");
    fs::write(&wrong, "no starter").unwrap();
    refused(&server, &["starters", "add", wrong.to_str().unwrap()], "nothing changed");

    assert!(told(&server, &["sessions"]).starts_with("0 sessions found strange"));
    let mut next = 0;
    let sessions = loop {
        post(&server, requests(next, 100)).await;
        next += 100;
        let said = told(&server, &["sessions", "-n", "1"]);
        if !said.starts_with("0 sessions") {
            break said;
        }
        assert!(next < 8_000, "it was never found: {said}");
    };
    for expected in ["  3 events, ", "\n  - ", "stored request", "the nearest ordinary one:", "     1 x "] {
        assert!(sessions.contains(expected), "{expected:?} in:\n{sessions}");
    }
    let json: Json = serde_json::from_str(&told(&server, &["sessions", "-n", "1", "-o", "json"])).unwrap();
    assert_eq!(json["sessions"].as_array().unwrap().len(), 1, "{json}");
    refused(&server, &["sessions", "-n", "1000000"], "limit");

    // Ctrl-C ends the training, not only the command.
    let before = get(&server, "/model").await["version"].clone();
    let long = data.path().join("long.ndjson");
    fs::write(&long, shop(0, 300_000, false)).unwrap();
    let mut child = command(&server, &["train", long.to_str().unwrap()]).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    assert!(line.starts_with("training: "), "{line}");
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert!(!child.wait().unwrap().success(), "{rest:?}");
    assert!(rest.last().unwrap().contains("the training was cancelled"), "{rest:?}");
    assert_eq!(get(&server, "/jobs/1").await["state"], "cancelled");
    assert_eq!(get(&server, "/model").await["version"], before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_trained_overtaken_replaced_taken_back_and_told_better() {
    let data = tempfile::tempdir().unwrap();
    // What this shop says anew is odd, not outrageous.
    let rate = [("LOG_SENTINEL_FALSE_POSITIVE_RATE", "0.001")];
    let server = Server::start(Path::new(BINARY), data.path(), &rate).unwrap();
    let (status, trained) = ask(&server, "POST", "/train", shop(0, 12_000, false)).await;
    assert_eq!((status, &trained["state"]), (200, &json!("trained")), "{trained}");
    let first = trained["model"].as_str().unwrap().to_owned();
    post(&server, shop(12_000, 2_000, false)).await;
    let model = get(&server, "/model").await;
    assert_eq!((&model["version"], &model["drift"]["state"]), (&json!(first), &json!("stable")), "{model}");

    // The world moves: an alarm, then a model trained on what is new, by itself.
    let mut next = 14_000;
    let model = release(&server, &mut next, "the alarm", |model| model["drift"]["state"] == "drifting").await;
    assert!(model["drift"]["since"].is_string() && model["drift"]["features"][0].is_string(), "{model}");
    let metrics = server.http.get(format!("{}/metrics", server.anomaly_url)).send().await.unwrap();
    assert!(metrics.text().await.unwrap().contains("log_sentinel_model_drifting 1"));
    let model = release(&server, &mut next, "a new model", |model| model["trained_for"] == "drift").await;
    let second = model["version"].as_str().unwrap().to_owned();
    let compared = get(&server, &format!("/models/compare?a={first}&b={second}")).await;
    let flagged = |side: &str| compared[side]["flagged"].as_u64().unwrap();
    assert!(flagged("a") > flagged("b"), "{compared}");
    assert!(compared["flags_differ"].as_u64().unwrap() > 0 && compared["events"].as_u64().unwrap() >= 1_024);

    // Taken back, it is not replaced at once.
    let (status, back) = ask(&server, "POST", "/models/rollback", "").await;
    assert_eq!((status, &back["version"]), (200, &json!(first)), "{back}");
    for _ in 0..4 {
        post(&server, shop(next, PART, true)).await;
        next += PART;
    }
    assert_eq!(get(&server, "/model").await["version"], json!(first));
    let rules = get(&server, "/model/rules").await;
    assert!(rules["anomalies"].as_u64().unwrap() > 0, "{rules}");

    // Feedback changes what is said of similar events, here and in the stream; taken back, it does not.
    let crash = |n: u64, code: u64| json!({"timestamp": 1_700_000_000 + n * 2, "level": "fatal", "message": format!("payment worker died with code {code}"), "source": "shop"});
    let predict = async |code: u64| ask(&server, "POST", "/predict", crash(next, code).to_string()).await.1;
    assert_eq!(predict(7).await["is_anomaly"], true);
    let said = json!({"event": crash(next, 7), "label": "normal", "note": "a drill"}).to_string();
    let (status, given) = ask(&server, "POST", "/feedback", said).await;
    assert_eq!(status, 200, "{given}");
    let prediction = predict(8).await;
    assert_eq!(prediction["is_anomaly"], false, "{prediction}");
    assert!(prediction["anomaly_score"].as_f64().unwrap() < 0.5, "{prediction}");
    post(&server, crash(next, 9).to_string() + "\n").await;
    assert_eq!(server.count("payment sentinel.anomaly.is_anomaly:false").await.unwrap(), 1);

    let exported =
        server.http.get(format!("{}/models/{second}/export", server.anomaly_url)).send().await.unwrap();
    let exported = exported.bytes().await.unwrap();
    assert!(server.terminate().unwrap().success());
    let server = start(data.path());
    let model = eventually("the model serves again", async || {
        let model = get(&server, "/model").await;
        (model["state"] == "trained").then_some(model)
    })
    .await;
    assert_eq!(model["version"], json!(first));
    assert_eq!(get(&server, &format!("/models/{second}")).await["standing"], "rolled-back");
    let listed = get(&server, "/feedback").await;
    assert_eq!(listed["feedback"][0]["note"], "a drill", "{listed}");
    let predict = async |code: u64| ask(&server, "POST", "/predict", crash(next, code).to_string()).await.1;
    assert_eq!(predict(8).await["is_anomaly"], false);
    let (status, _) = ask(&server, "DELETE", &format!("/feedback/{}", given["id"]), "").await;
    assert_eq!(status, 200);
    assert_eq!(get(&server, "/feedback").await["feedback"], json!([]));

    // Carried elsewhere, it serves there.
    let elsewhere = tempfile::tempdir().unwrap();
    let other = start(elsewhere.path());
    let import = other.http.post(format!("{}/models/import", other.anomaly_url)).body(exported.clone());
    let imported: Json = import.send().await.unwrap().json().await.unwrap();
    assert_eq!(imported["standing"], "imported", "{imported}");
    let path = format!("/models/{}/activate", imported["version"].as_str().unwrap());
    let (status, active) = ask(&other, "POST", &path, "").await;
    assert_eq!((status, &active["active"]), (200, &json!(true)), "{active}");
    let cut = other.http.post(format!("{}/models/import", other.anomaly_url)).body(exported.slice(..9_999));
    assert_eq!(cut.send().await.unwrap().status(), 400);
    assert!(server.terminate().unwrap().success() && other.terminate().unwrap().success());
}

/// Orders of a shop, each of three events that only the number ties together; some are refunded, too.
fn orders(from: u64, count: u64, refunded: Option<u64>) -> String {
    let mut logs = String::new();
    for n in from..from + count {
        let mut say = |second: u64, message: &str| {
            let time = 1_700_000_000 + n * 20 + second;
            let log = json!({"timestamp": time, "message": message, "source": "shop", "order": n});
            logs.push_str(&(log.to_string() + "\n"));
        };
        say(0, "order placed");
        say(1, "payment taken");
        if refunded == Some(n) {
            say(2, "payment refunded");
        }
        say(3, "parcel on its way");
    }
    logs
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strange_order_is_listed_counted_and_found_in_the_store() {
    let data = tempfile::tempdir().unwrap();
    let settings = [("LOG_SENTINEL_SESSION_KEYS", "order"), ("LOG_SENTINEL_SESSIONS_MAX", "64")];
    let start = || Server::start(Path::new(BINARY), data.path(), &settings).unwrap();
    let server = start();
    assert_eq!(get(&server, "/sessions").await["sessions"], json!([]));
    post(&server, orders(0, 400, None)).await;
    // What orders are like is learned beside the stream; from then on one that is refunded is strange.
    let mut next = 400;
    let found = loop {
        post(&server, orders(next, 50, Some(next + 20))).await;
        next += 50;
        let all = get(&server, "/sessions").await;
        if all["found"] != 0 {
            break all;
        }
        assert!(next < 4_000, "it was never found: {all}");
    };
    let session = &found["sessions"][0];
    let order: u64 = session["key"].as_str().unwrap().parse().unwrap();
    assert_eq!((order % 50, &session["kind"]), (20, &json!("labels.order")), "{session}");
    assert!(session["reasons"][0].as_str().unwrap().contains("payment refunded"), "{session}");
    assert_eq!(session["nearest"].as_array().unwrap().len(), 3, "{session}");
    let search = format!("{}/api/v1/search?q=order:{order}", server.url);
    let stored: Json = server.http.get(search).send().await.unwrap().json().await.unwrap();
    assert_eq!(stored["total"], 4, "{stored}");
    assert_eq!(session["first"], stored["hits"][3]["_id"], "the oldest hit");
    assert!(stored["hits"].as_array().unwrap().iter().any(|hit| hit["_id"] == session["last"]));

    let value = async |name: &str| {
        let text = server.http.get(format!("{}/metrics", server.anomaly_url)).send().await.unwrap();
        let text = text.text().await.unwrap();
        let name = format!("log_sentinel_{name} ");
        text.lines().find_map(|line| line.strip_prefix(&name)?.parse::<f64>().ok()).unwrap()
    };
    eventually("the sessions are counted", async || {
        let counted = (value("strange_sessions_total").await, value("ended_sessions_total").await);
        (counted.0 >= 1.0 && counted.1 >= 400.0).then_some(())
    })
    .await;
    let open = value("open_sessions").await;
    assert!((1.0..=64.0).contains(&open), "{open}");
    value("evicted_sessions_total").await;
    assert!(server.terminate().unwrap().success());
    let again = get(&start(), "/sessions").await;
    assert_eq!(again["sessions"].as_array().unwrap().last().unwrap()["key"], session["key"], "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn long_trainings_end_when_they_are_cancelled_and_with_the_process() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    let begin = async || {
        let (status, begun) = ask(&server, "POST", "/train", shop(0, 120_000, false)).await;
        assert_eq!((status, &begun["state"]), (202, &json!("running")), "{begun}");
        begun["location"].as_str().unwrap().to_owned()
    };
    let location = begin().await;
    let (status, job) = ask(&server, "DELETE", &location, "").await;
    assert_eq!((status, &job["total"]), (202, &json!(120_000)), "{job}");
    let job = eventually("the job ends", async || {
        let job = get(&server, &location).await;
        (job["state"] != "running").then_some(job)
    })
    .await;
    assert_eq!(job["state"], "cancelled", "{job}");
    assert!(job["events"].as_u64().unwrap() < 120_000, "{job}");
    begin().await;
    assert!(server.terminate().unwrap().success());
    let server = start(data.path());
    assert_eq!(get(&server, "/models").await["models"], json!([]), "neither has made a model");

    let starter = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/web-access.starter");
    let import = server.http.post(format!("{}/starters", server.anomaly_url));
    let started = import.body(std::fs::read(starter).unwrap()).send().await.unwrap();
    let started: Json = started.json().await.unwrap();
    assert_eq!((&started["trained_for"], &started["active"]), (&json!("starter"), &json!(true)), "{started}");
    assert_eq!(get(&server, "/starters").await["starters"][0]["name"], "web-access");
}
