//! `log-sentinel audit`, on a record of format version 1: what it prints, and its exit status. Then what the running
//! program records: every decision and who made it, over kills, and while nothing can be recorded.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value as Json, json};
use testkit::{Server, eventually};

const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");
const API_KEY: &str = "a-key-of-the-settings-0123456789";

fn fixture() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../crates/audit/tests/fixtures/v1"))
}

/// A data folder whose record is the fixture.
fn data() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    fs::create_dir(data.path().join("audit")).unwrap();
    for entry in fs::read_dir(fixture()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), data.path().join("audit").join(entry.file_name())).unwrap();
    }
    data
}

fn audit(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_log-sentinel"));
    command.current_dir(data).arg("audit").args(arguments).arg("--data").arg(data).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_exit_status_tells_a_sound_record_a_tampered_one_and_one_that_cannot_be_read() {
    let data = data();
    let path = |name: &str| fixture().join(name).to_str().unwrap().to_owned();
    let (key, kept) = (path("key.pub"), path("kept.log"));
    let (first, second) = (path("0000000000.ndjson"), path("0000000001.ndjson"));
    let check = |arguments: &[&str], status: i32, said: &str| {
        let output = audit(data.path(), arguments);
        let text = text(&output);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {text}");
        assert!(text.contains(said), "{arguments:?}: {text}");
    };
    check(&["verify"], 0, "8 records, 3 checkpoints");
    check(&["verify", "--key", &key, "--against", &kept], 0, "agree up to record 12");
    check(&["verify", fixture().to_str().unwrap()], 0, "as it was written");
    check(&["verify", "--from", &second, "--key", &key], 0, "lines 10 to 13 in 1 file");
    check(&["verify", "--from", &first, "--against", &kept], 1, "cut tail");
    check(&["verify", "--from", &key], 2, "no file of an audit record");
    check(&["verify", "--key", &kept], 2, "no public key");
    check(&["verify", "--against", &key], 2, "no checkpoint");
    check(&["verify", "nowhere"], 2, "no audit record");
    let file = data.path().join("audit/0000000000.ndjson");
    fs::write(&file, fs::read_to_string(&file).unwrap().replacen("refused", "done", 1)).unwrap();
    check(&["verify"], 1, "edit at");
    check(&["verify"], 1, "line 5, record 5");
}

#[test]
fn records_are_shown_chosen_and_exported() {
    let data = data();
    let printed = |arguments: &[&str]| {
        let output = audit(data.path(), arguments);
        assert!(output.status.success(), "{}", text(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let shown = printed(&["show", "-n", "2", "--action", "model"]);
    assert_eq!(shown.lines().count(), 3, "{shown}");
    assert!(shown.contains("key k1") && shown.contains("refused"), "{shown}");
    let shown = printed(&["show", "--actor", "::1"]);
    assert!(shown.contains(r"größer\u{202e}"), "{shown}");
    let lines = fs::read_to_string(fixture().join("0000000000.ndjson")).unwrap();
    let exported = printed(&["export", "--from", "2023-11-14T22:13:21Z", "--to", "2023-11-14T22:13:23Z"]);
    assert_eq!(exported.lines().collect::<Vec<_>>(), lines.lines().skip(3).take(2).collect::<Vec<_>>());
    let cef = printed(&["export", "--format", "cef"]);
    assert_eq!(cef.lines().filter(|line| line.starts_with("CEF:0|Log Sentinel|")).count(), 8, "{cef}");
}

/// The records of a data folder: (kind and id of the actor, action, target, outcome), and whole.
fn records(data: &Path) -> Vec<(String, String, String, String, Json)> {
    let output = audit(data, &["export"]);
    assert!(output.status.success(), "{}", text(&output));
    let lines = String::from_utf8(output.stdout).unwrap();
    let record = |line: &str| {
        let json: Json = serde_json::from_str(line).unwrap();
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let actor = format!("{} {}", text(&json["actor"]["kind"]), text(&json["actor"]["id"]));
        (actor, text(&json["action"]), text(&json["target"]), text(&json["outcome"]), json)
    };
    lines.lines().map(record).collect()
}

/// Nothing is wrong with the record of a data folder.
fn is_sound(data: &Path) {
    let output = audit(data, &["verify"]);
    assert!(output.status.success(), "{}", text(&output));
}

fn start(data: &Path, more: &[(&str, &str)]) -> Server {
    let settings = [&[("API_KEYS", API_KEY), ("LOG_SENTINEL_LOG_LEVEL", "error")], more].concat();
    Server::start(Path::new(BINARY), data, &settings).unwrap()
}

/// Sends JSON with a key; gives status and answer.
async fn send(server: &Server, method: &str, url: &str, key: &str, body: &Json) -> (u16, Json) {
    let mut request = server.http.request(method.parse().unwrap(), url).bearer_auth(key);
    if !body.is_null() {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or(Json::Null))
}

async fn make_key(server: &Server, body: Json) -> Json {
    let (status, key) = send(server, "POST", &format!("{}/api/v1/keys", server.url), API_KEY, &body).await;
    assert_eq!(status, 201, "{key}");
    key
}

fn word(json: &Json, member: &str) -> String {
    json[member].as_str().unwrap_or_default().to_owned()
}

/// The anomaly service's own path of one that stands below the collector's.
fn of_service(path: &str) -> &str {
    path.strip_prefix("/api/v1/anomaly").unwrap_or(path)
}

/// What each writing route must leave on record, and a body that it takes far enough for that.
fn writing(method: &str, path: &str) -> Option<(&'static str, Json)> {
    let template = json!("0000000000000000");
    Some(match (method, of_service(path)) {
        ("post", "/logs") => ("key.used", json!({"message": "a line"})),
        ("post", "/api/v1/dead-letters/replay") => ("dead_letter.replayed", Json::Null),
        ("post", "/api/v1/dead-letters/discard") => ("dead_letter.dropped", Json::Null),
        ("post", "/api/v1/session") => ("session.opened", Json::Null),
        ("post", "/api/v1/keys") => ("key.created", json!({"scopes": ["read"]})),
        ("delete", "/api/v1/keys/{id}") => ("key.revoked", Json::Null),
        ("post", "/api/v1/agents") => ("agent.added", json!({"name": "web-1"})),
        ("delete", "/api/v1/agents/{name}") => ("agent.revoked", Json::Null),
        ("post", "/api/v1/rules/reload") => ("rules.reloaded", Json::Null),
        ("put", "/api/v1/rule-files/{file}") => ("rule.written", json!({"text": "title: none"})),
        ("delete", "/api/v1/rule-files/{file}") => ("rule.removed", Json::Null),
        ("post", "/api/v1/rule-files/{file}/roll-back") => ("rule.rolled_back", Json::Null),
        ("post", "/alerts/{id}/acknowledge") => ("alert.acknowledged", json!({"by": "ann"})),
        ("post", "/api/v1/signals/{id}/acknowledge") => ("signal.acknowledged", json!({"by": "ann"})),
        ("post", "/api/v1/signals/{id}/resolve") => ("signal.resolved", Json::Null),
        ("post", "/api/v1/signals/{id}/reopen") => ("signal.reopened", Json::Null),
        ("post", "/api/v1/signals/{id}/snooze") => {
            ("signal.snoozed", json!({"until": "2030-01-01T00:00:00Z"}))
        }
        ("post", "/api/v1/signals/{id}/assign") => ("signal.assigned", json!({"to": "ann"})),
        ("post", "/api/v1/signals/{id}/feedback") => ("signal.labelled", json!({"label": "real"})),
        ("post", "/agent/{agent_name}/config") => ("host.configured", json!({"cpu": {"threshold": 90}})),
        ("post", "/api/v1/host-groups/{group}") => {
            ("host_group.configured", json!({"cpu": {"threshold": 90}}))
        }
        ("delete", "/api/v1/host-groups/{group}") => ("host_group.removed", Json::Null),
        ("delete", "/agents/{agent_name}") => ("host.removed", Json::Null),
        ("post", "/api/v1/suppressions") => (
            "signals.suppressed",
            json!({"matching": {"kind": "web_scan"}, "reason": "our own scanner", "expires_at": "2030-01-01T00:00:00Z"}),
        ),
        ("delete", "/api/v1/suppressions/{number}") => ("suppression.removed", Json::Null),
        ("post", "/api/v1/channels") => ("channel.made", json!({"name": "spoken", "type": "stderr"})),
        ("put", "/api/v1/channels/{name}") => ("channel.changed", json!({"type": "stderr"})),
        ("delete", "/api/v1/channels/{name}") => ("channel.removed", Json::Null),
        ("post", "/api/v1/channels/{name}/test") => ("channel.tested", Json::Null),
        ("post", "/api/v1/silences") => (
            "silence.made",
            json!({"match": {"host": "db-3"}, "reason": "disks", "until": "2100-01-01T00:00:00Z"}),
        ),
        ("delete", "/api/v1/silences/{number}") => ("silence.ended", Json::Null),
        ("post", "/api/v1/signals/{id}/note") => ("signal.noted", json!({"note": "seen"})),
        ("post", "/train") => ("model.trained", json!([{"message": "a line"}, {"message": "another line"}])),
        ("delete", "/jobs/{id}") => ("training.cancelled", Json::Null),
        ("post", "/models/rollback") => ("model.rolled_back", Json::Null),
        ("post", "/models/import") => ("model.imported", json!("no model")),
        ("post", "/models/{version}/activate") => ("model.activated", Json::Null),
        ("post", "/starters") => ("starter.taken", json!("no starter")),
        ("post", "/feedback") => ("feedback.given", json!({"event": {"message": "x"}, "label": "normal"})),
        ("delete", "/feedback/{id}") => ("feedback.withdrawn", Json::Null),
        ("delete", "/templates/operations/{id}") | ("post", "/templates/{id}/pin") => {
            ("template.changed", Json::Null)
        }
        ("post", "/templates/merge") => {
            ("template.changed", json!({"templates": [template, "0000000000000001"]}))
        }
        ("post", "/templates/{id}/name") => ("template.changed", json!({"name": "a name"})),
        ("post", "/templates/{id}/split") => ("template.changed", json!({"variable": 1})),
        _ => return None,
    })
}

/// A path whose variables name nothing that there is.
fn filled(path: &str) -> String {
    let of = |part: &str| {
        match part {
            "{id}" if of_service(path).starts_with("/templates/{id}") || path.contains("/keys/") => {
                "0000000000000000"
            }
            "{id}" if path.contains("/signals/") || path.starts_with("/alerts/") => {
                "00000000000000000000000000000000"
            }
            part if part.starts_with('{') => "0",
            _ => return part.to_owned(),
        }
        .to_owned()
    };
    path.split('/').map(of).collect::<Vec<_>>().join("/")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_writing_route_leaves_a_record_of_who_asked() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), &[]);
    // What changes nothing, what has a test of its own (signing out and enrolling, which show no key), and what is
    // another use of the key that sent to /logs.
    let others = [
        ("post", "/predict"),
        ("post", "/api/v1/suppressions/preview"),
        ("post", "/api/v1/rules/check"),
        ("post", "/api/v1/rules/dry-run"),
        ("post", "/api/v1/sql"),
        ("post", "/api/v1/routes/test"),
        ("post", "/api/v1/silences/preview"),
        ("delete", "/api/v1/session"),
        ("post", "/api/v1/enrol"),
        ("post", "/ingest"),
        ("post", "/data"),
    ];
    let mut asked = BTreeSet::new();
    for base in [&server.url, &server.anomaly_url] {
        let document: Json =
            server.http.get(format!("{base}/openapi.json")).send().await.unwrap().json().await.unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys().filter(|method| *method != "get") {
                if others.contains(&(method.as_str(), of_service(path))) {
                    continue;
                }
                let row = writing(method, path);
                let (action, body) = row.unwrap_or_else(|| panic!("{method} {path} leaves no record"));
                let before = records(data.path()).len();
                let url = format!("{base}{}", filled(path));
                let (status, answer) = send(&server, &method.to_uppercase(), &url, API_KEY, &body).await;
                assert!(status < 500 && status != 401 && status != 403, "{method} {path}: {status} {answer}");
                let new = eventually(&format!("{method} {path} is on record"), async || {
                    let new = records(data.path()).split_off(before);
                    new.iter()
                        .any(|(_, done, _, outcome, _)| done == action && outcome != "asked")
                        .then_some(new)
                })
                .await;
                for (actor, done, _, outcome, record) in new.iter().filter(|(_, done, ..)| done == action) {
                    let expected = if action == "session.opened" { "session" } else { "key" };
                    assert_eq!(*actor, format!("{expected} API_KEYS[1]"), "{record}");
                    if action != "key.used" {
                        assert_eq!(record["actor"]["address"], "127.0.0.1", "{record}");
                    }
                    let is_done = (200..300).contains(&status);
                    let expected = if is_done { "done" } else { "refused" };
                    assert!(outcome == "asked" || outcome == expected, "{done} {status}: {record}");
                }
                asked.insert(action);
            }
        }
    }
    assert!(asked.len() > 15, "{asked:?}");
    assert!(server.terminate().unwrap().success());
    is_sound(data.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_name_their_actor_and_hold_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("state");
    let key_file = folder.path().join("elsewhere.key");
    let on_folder = |arguments: &[&str]| {
        let output = Command::new(BINARY)
            .args(arguments)
            .args(["--data", data.to_str().unwrap(), "-o", "json"])
            .env("LOG_SENTINEL_AUDIT_KEY_FILE", &key_file)
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output));
        serde_json::from_slice::<Json>(&output.stdout).unwrap()
    };
    let first = on_folder(&["keys", "create", "--scopes", "ingest", "--name", "by hand"]);
    let agent = on_folder(&["agents", "add", "web-1"]);
    let settings = [
        ("LOG_SENTINEL_AUDIT_KEY_FILE", key_file.to_str().unwrap()),
        ("LOG_SENTINEL_AUDIT_FILE_BYTES", "4KiB"),
        ("LOG_SENTINEL_AUDIT_CHECKPOINT_RECORDS", "5"),
        ("LOG_SENTINEL_CERT_FILE", "own"),
    ];
    let mut server = start(&data, &settings);
    let root = reqwest::Certificate::from_pem(&fs::read(data.join("access/authority.pem")).unwrap()).unwrap();
    server.http = reqwest::Client::builder().add_root_certificate(root).build().unwrap();
    let url = |path: &str| format!("{}{path}", server.url);

    let admin = make_key(&server, json!({"scopes": ["admin"], "name": "operator"})).await;
    let (admin_id, admin_key) = (word(&admin, "id"), word(&admin, "key"));
    let acme = make_key(&server, json!({"scopes": ["ingest"], "organization": "ACME"})).await;
    for _ in 0..20 {
        let (status, _) =
            send(&server, "POST", &url("/logs"), &word(&acme, "key"), &json!({"message": "x"})).await;
        assert_eq!(status, 200);
    }
    let wrong = format!("ls_{}", "0123456789abcdef".repeat(4) + "01234567");
    assert_eq!(send(&server, "POST", &url("/logs"), &wrong, &json!({"message": "x"})).await.0, 401);
    let enrol = json!({"token": agent["token"]});
    let (status, enrolled) = send(&server, "POST", &url("/api/v1/enrol"), "", &enrol).await;
    assert_eq!(status, 201, "{enrolled}");
    // Somebody takes a key for its id.
    let path = url(&format!("/api/v1/keys/{}", word(&acme, "key")));
    assert_eq!(send(&server, "DELETE", &path, &admin_key, &Json::Null).await.0, 404);
    let path = url(&format!("/api/v1/keys/{}", word(&acme, "id")));
    assert_eq!(send(&server, "DELETE", &path, &admin_key, &Json::Null).await.0, 200);
    let request = server.http.post(url("/api/v1/session")).bearer_auth(&admin_key);
    let response = request.send().await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let token = word(&response.json().await.unwrap(), "csrf_token");
    let signed_in = |method: &str, path: &str| {
        let request = server.http.request(method.parse().unwrap(), url(path));
        request.header("cookie", &cookie).header("x-csrf-token", &token)
    };
    assert_eq!(signed_in("DELETE", "/api/v1/agents/web-1").send().await.unwrap().status(), 200);
    assert_eq!(signed_in("DELETE", "/api/v1/session").send().await.unwrap().status(), 204);
    let metrics = server.http.get(url("/metrics")).bearer_auth(API_KEY).send().await.unwrap().text().await;
    let metrics = metrics.unwrap();
    assert!(metrics.contains("log_sentinel_audit_unwritable 0"), "{metrics}");
    assert!(server.terminate().unwrap().success());

    let all = records(&data);
    let user = all.iter().find(|(_, action, ..)| action == "key.created").unwrap().0.clone();
    assert!(user.starts_with("command_line ") && user.len() > "command_line ".len(), "{user}");
    let (acme_id, key, session) =
        (word(&acme, "id"), format!("key {admin_id}"), format!("session {admin_id}"));
    for (actor, action, target, outcome) in [
        (user.as_str(), "key.created", word(&first, "id").as_str(), "done"),
        (&user, "agent.added", "web-1", "done"),
        ("system ", "settings.changed", "API_KEYS", "done"),
        ("key API_KEYS[1]", "key.created", &admin_id, "done"),
        (&format!("key {acme_id}"), "key.used", &acme_id, "done"),
        ("open ", "key.refused", "", "refused"),
        ("open ", "agent.enrolled", "web-1", "done"),
        (&key, "key.revoked", "(no id)", "refused"),
        (&key, "key.revoked", &acme_id, "done"),
        (&session, "session.opened", "", "done"),
        (&session, "agent.revoked", "web-1", "done"),
        (&session, "session.closed", "", "done"),
    ] {
        let row = (actor, action, target, outcome);
        let has = |one: &(String, String, String, String, Json)| {
            (one.0.as_str(), one.1.as_str(), one.2.as_str(), one.3.as_str()) == row
        };
        assert!(all.iter().any(has), "{row:?} is not on record: {all:#?}");
    }
    let uses: u64 = all
        .iter()
        .filter(|(actor, action, ..)| action == "key.used" && actor.ends_with(&acme_id))
        .map(|(.., record)| record["details"]["requests"].as_u64().unwrap())
        .sum();
    assert_eq!(uses, 20, "a few records tell of all requests");
    // Each that was asked for has an outcome that names it.
    let ended: BTreeSet<u64> =
        all.iter().filter_map(|(.., record)| record["details"]["asked"].as_u64()).collect();
    let asked: BTreeSet<u64> = all
        .iter()
        .filter(|(.., outcome, _)| outcome == "asked")
        .map(|(.., record)| record["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(asked, ended);
    assert!(data.join("audit/0000000001.ndjson").exists(), "a new file was begun");
    assert!(!data.join("audit/key").exists() && key_file.exists());
    is_sound(&data);

    let mut kept = String::new();
    let files = fs::read_dir(data.join("audit")).unwrap().map(|entry| entry.unwrap().path());
    for path in files.chain([data.join("settings")]).filter(|path| path.is_file()) {
        kept.push_str(&String::from_utf8_lossy(&fs::read(path).unwrap()));
    }
    let private: String = word(&enrolled, "private_key").lines().nth(1).unwrap().to_owned();
    for secret in [
        API_KEY.to_owned(),
        word(&first, "key"),
        word(&agent, "token"),
        admin_key,
        word(&acme, "key"),
        word(&enrolled, "key"),
        private,
        wrong,
        cookie.split('=').nth(1).unwrap().to_owned(),
        token,
    ] {
        assert!(secret.len() >= 24 && !kept.contains(&secret[..24]), "{secret} stands in the record");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "clients, which end with the server")]
async fn kills_never_break_the_chain_and_nothing_answered_is_lost() {
    let data = tempfile::tempdir().unwrap();
    let settings =
        [("LOG_SENTINEL_AUDIT_FILE_BYTES", "4KiB"), ("LOG_SENTINEL_AUDIT_CHECKPOINT_RECORDS", "7")];
    let mut made = vec![];
    for round in 0..6_usize {
        let server = start(data.path(), &settings);
        let (sender, mut answered) = tokio::sync::mpsc::channel(1000);
        let url = format!("{}/api/v1/keys", server.url);
        let askers = (0..3).map(|_| {
            let (http, url, sender) = (server.http.clone(), url.clone(), sender.clone());
            tokio::spawn(async move {
                loop {
                    let request = http.post(&url).bearer_auth(API_KEY).body(r#"{"scopes":["read"]}"#);
                    let request = request.header("content-type", "application/json");
                    let Ok(response) = request.send().await else { return };
                    let Ok(key) = response.json::<Json>().await else { return };
                    drop(sender.send(word(&key, "id")).await);
                }
            })
        });
        let askers: Vec<_> = askers.collect();
        drop(sender);
        for _ in 0..5 + round * 3 {
            made.push(answered.recv().await.unwrap());
        }
        server.kill().unwrap();
        for asker in askers {
            asker.await.unwrap();
        }
        while let Some(id) = answered.recv().await {
            made.push(id);
        }
        is_sound(data.path());
    }
    drop(start(data.path(), &settings).terminate());
    is_sound(data.path());
    let done: BTreeSet<String> = records(data.path())
        .into_iter()
        .filter(|(_, action, _, outcome, _)| action == "key.created" && outcome == "done")
        .map(|(_, _, target, ..)| target)
        .collect();
    for id in made.iter().filter(|id| !id.is_empty()) {
        assert!(done.contains(id), "key {id} was answered and is not on record");
    }
    assert!(made.len() > 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_recorded_is_refused_and_logs_are_taken_in() {
    let data = tempfile::tempdir().unwrap();
    let newest = data.path().join("audit/0000000000.ndjson");
    let refuses = async |server: &Server| {
        for (method, base, path, body) in [
            ("POST", &server.url, "/api/v1/keys", json!({"scopes": ["read"]})),
            ("POST", &server.anomaly_url, "/train", json!([{"message": "a line"}])),
            ("POST", &server.url, "/api/v1/session", Json::Null),
        ] {
            let (status, problem) = send(server, method, &format!("{base}{path}"), API_KEY, &body).await;
            assert_eq!((status, &problem["code"]), (503, &json!("audit_unavailable")), "{path}: {problem}");
        }
        let (_, keys) =
            send(server, "GET", &format!("{}/api/v1/keys", server.url), API_KEY, &Json::Null).await;
        assert_eq!(keys["keys"].as_array().unwrap().len(), 1, "none was made: {keys}");
        let (status, answer) =
            send(server, "POST", &format!("{}/logs", server.url), API_KEY, &json!({"message": "x"})).await;
        assert_eq!(status, 200, "{answer}");
        eventually("it is said", async || {
            let ready = server.get("/readyz", &[]).await.ok()?;
            (ready["components"]["audit"]["status"] == "degraded").then_some(())
        })
        .await;
    };
    let server = start(data.path(), &[]);
    make_key(&server, json!({"scopes": ["read"]})).await;
    fs::OpenOptions::new().write(true).open(&newest).unwrap().set_len(10).unwrap();
    refuses(&server).await;
    drop(server.terminate());

    // It starts all the same, and says why it refuses.
    let server = start(data.path(), &[]);
    refuses(&server).await;
    drop(server.terminate());
    assert_eq!(audit(data.path(), &["verify"]).status.code(), Some(1));
    let output = Command::new(BINARY)
        .args(["keys", "create", "--scopes", "read", "--data", data.path().to_str().unwrap()])
        .current_dir(data.path())
        .output()
        .unwrap();
    assert!(!output.status.success() && text(&output).contains("audit record"), "{}", text(&output));

    fs::rename(data.path().join("audit"), data.path().join("audit-kept")).unwrap();
    let server = start(data.path(), &[]);
    make_key(&server, json!({"scopes": ["read"]})).await;
    drop(server.terminate());
    is_sound(data.path());

    // Where none is wanted none is kept.
    fs::remove_dir_all(data.path().join("audit")).unwrap();
    let server = start(data.path(), &[("LOG_SENTINEL_AUDIT", "false")]);
    make_key(&server, json!({"scopes": ["read"]})).await;
    drop(server.terminate());
    assert!(!data.path().join("audit").exists());
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewrite_of_the_whole_record_shows_against_what_another_one_holds() {
    let (data, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = data.path().join("state");
    let other = start(kept.path(), &[]);
    let syslog = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let syslog_addr = format!("udp://{}", syslog.local_addr().unwrap());
    let witness = make_key(&other, json!({"scopes": ["ingest"]})).await;
    let witness_key = word(&witness, "key");
    let settings = [
        ("LOG_SENTINEL_AUDIT_WITNESS_URL", other.url.as_str()),
        ("LOG_SENTINEL_AUDIT_WITNESS_KEY", &witness_key),
        ("LOG_SENTINEL_AUDIT_SYSLOG_ADDR", &syslog_addr),
        ("LOG_SENTINEL_AUDIT_CHECKPOINT_RECORDS", "3"),
    ];
    drop(start(&folder, &settings).terminate());
    copy(&folder.join("audit"), &data.path().join("older"));
    let server = start(&folder, &settings);
    for name in ["one", "two", "three"] {
        make_key(&server, json!({"scopes": ["read"], "name": name})).await;
    }
    assert!(server.terminate().unwrap().success());
    is_sound(&folder);
    let last = fs::read_to_string(folder.join("audit/head")).unwrap();
    let hits = eventually("the last checkpoint arrived", async || {
        let request = other.http.get(format!("{}/api/v1/search?q=checkpoint&limit=1000", other.url));
        let text = request.bearer_auth(API_KEY).send().await.ok()?.text().await.ok()?;
        text.contains(last.trim()).then_some(text)
    })
    .await;
    let events = data.path().join("events.json");
    fs::write(&events, hits).unwrap();
    let mut lines = String::new();
    let mut buffer = [0; 2048];
    while !lines.contains(last.trim()) {
        let line = tokio::time::timeout(testkit::WAIT_MAX, syslog.recv(&mut buffer)).await.unwrap().unwrap();
        lines.push_str(&String::from_utf8_lossy(&buffer[..line]));
        lines.push('\n');
    }
    assert!(lines.starts_with("<110>1 "), "{lines}");
    let syslog_file = data.path().join("syslog");
    fs::write(&syslog_file, lines).unwrap();
    let against = |file: &PathBuf| audit(&folder, &["verify", "--against", file.to_str().unwrap()]);
    for file in [&events, &syslog_file] {
        assert!(text(&against(file)).contains("agree up to record"), "{}", text(&against(file)));
    }

    // Who has the key goes back to an older copy and has other things recorded from there on.
    fs::remove_dir_all(folder.join("audit")).unwrap();
    copy(&data.path().join("older"), &folder.join("audit"));
    let server = start(&folder, &[("LOG_SENTINEL_AUDIT_CHECKPOINT_RECORDS", "3")]);
    for _ in 0..6 {
        make_key(&server, json!({"scopes": ["read"], "name": "another"})).await;
    }
    assert!(server.terminate().unwrap().success());
    is_sound(&folder);
    for file in [&events, &syslog_file] {
        let found = against(file);
        assert!(found.status.code() == Some(1) && text(&found).contains("rewrite"), "{}", text(&found));
    }
}
