//! Rules in SQL through the real program: found once, over restarts; suspended over their budget, which is a signal; never silent over
//! what they could not read.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value as Json, json};
use testkit::{Server, eventually};

const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");
const FAILED: &str = "-- id: failed-service\n-- title: A watched service has failed\n-- severity: high\n-- version: 2\n\
                      -- tags: [attack.t1489]\n-- every: 5s\n-- key: [host, service]\n-- tests:\n--   - name: fires\n\
                      --     tables: {services: [{host: web-1, service: nginx, state: failed}, {host: web-1, service: cron, state: running}]}\n\
                      --     rows: 1\nSELECT host, service, state, restarts FROM services WHERE state = 'failed'\n";
const ENDLESS: &str = "-- id: endless\n-- title: A rule without an end\n-- severity: low\n-- every: 5s\n\
                       WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) AS n, 'web-1' AS host FROM n\n";

/// A rule of Sigma that is held against every event.
const COSTLY: &str = "title: A rule that takes long\nid: costly\nlogsource: {product: linux}\ndetection:\n  \
                      words: {message|re: '([a-z]+[0-9]?)+x'}\n  condition: words\nlevel: low\n";

fn start(dir: &Path) -> Server {
    start_with(dir, "500000")
}

/// The same where all rules of Sigma together may take so many nanoseconds an event.
fn start_with(dir: &Path, costs_max: &str) -> Server {
    let rules = dir.join("rules");
    let settings = [
        ("LOG_SENTINEL_RULES_COST_MAX", costs_max),
        ("LOG_SENTINEL_RULES_DIR", rules.to_str().unwrap()),
        ("LOG_SENTINEL_SQL_TIME_MAX", "500ms"),
        ("LOG_SENTINEL_HOSTS_THRESHOLDS", "false"),
    ];
    Server::start(Path::new(BINARY), &dir.join("data"), &settings).unwrap()
}

async fn sample(server: &Server, seq: u64, services: Json) {
    let sample = json!({"agent_name": "web-1", "seq": seq, "metrics": {"cpu": 1, "services": services}});
    let response =
        server.http.post(format!("{}/data", server.url)).body(sample.to_string()).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
}

async fn signals(server: &Server, kind: &str) -> Vec<Json> {
    let answer = server.get("/api/v1/signals", &[("kind", kind)]).await.unwrap();
    answer["signals"].as_array().unwrap().clone()
}

async fn rule(server: &Server, id: &str) -> Option<Json> {
    let answer = server.get("/api/v1/rules", &[]).await.unwrap();
    answer["rules"].as_array().unwrap().iter().find(|rule| rule["id"] == id).cloned()
}

/// Waits until a rule was asked once more than now; gives what came of it.
async fn next_run(server: &Server, id: &str) -> Json {
    let before = rule(server, id).await.map(|rule| rule["last_run"]["at"].clone());
    eventually("the rule is asked again", async || {
        let rule = rule(server, id).await?;
        (Some(&rule["last_run"]["at"]) != before.as_ref() && rule["last_run"].is_object()).then_some(rule)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_new_is_told_once_and_what_costs_too_much_is_suspended() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("rules")).unwrap();
    fs::write(dir.path().join("rules/failed.sql"), FAILED).unwrap();
    let server = start(dir.path());
    sample(&server, 1, json!({"nginx": "failed", "cron": "running"})).await;
    let told =
        eventually("the failed service is told", async || signals(&server, "sql_rule").await.pop()).await;
    assert_eq!(
        (&told["rule"], &told["severity"], &told["count"]),
        (&json!("failed-service"), &json!("high"), &json!(1)),
        "{told}"
    );
    assert_eq!(
        told["entities"],
        json!([{"type": "host", "value": "web-1"}, {"type": "service", "value": "nginx"}])
    );
    assert_eq!(told["technique"], json!(["T1489"]));
    let found = next_run(&server, "failed-service").await;
    let run = &found["last_run"];
    assert_eq!(
        (&run["outcome"], &run["rows"], &run["new_rows"], &run["rows_read"]),
        (&json!("matched"), &json!(1), &json!(0), &json!(2)),
        "{found}"
    );
    assert_eq!(
        (&found["version"], &found["type"], &found["state"]),
        (&json!(2), &json!("sql"), &json!("on"))
    );

    // Another is told, the first not again; over a restart neither.
    sample(&server, 2, json!({"nginx": "failed", "cron": "failed"})).await;
    eventually("the second is told", async || {
        (signals(&server, "sql_rule").await[0]["count"] == 2).then_some(())
    })
    .await;
    assert!(server.terminate().unwrap().success());
    let server = start(dir.path());
    assert_eq!(next_run(&server, "failed-service").await["last_run"]["new_rows"], 0);
    assert_eq!(signals(&server, "sql_rule").await[0]["count"], 2);

    // A rule without an end is suspended, the others run; mended, it runs and the signal is over.
    fs::write(dir.path().join("rules/endless.sql"), ENDLESS).unwrap();
    let suspended =
        eventually("that is a signal", async || signals(&server, "rule_suspended").await.pop()).await;
    assert_eq!((&suspended["rule"], &suspended["state"]), (&json!("endless"), &json!("new")), "{suspended}");
    let endless = rule(&server, "endless").await.unwrap();
    assert_eq!(
        (&endless["state"], &endless["last_run"]["outcome"]),
        (&json!("suspended"), &json!("suspended")),
        "{endless}"
    );
    assert!(
        endless["reason"].as_str().unwrap().contains("longer than 500ms")
            || endless["reason"].as_str().unwrap().contains("steps"),
        "{endless}"
    );
    next_run(&server, "failed-service").await;
    fs::write(
        dir.path().join("rules/endless.sql"),
        ENDLESS.replace("FROM n) SELECT", "FROM n LIMIT 3) SELECT"),
    )
    .unwrap();
    eventually("the signal is over", async || {
        (signals(&server, "rule_suspended").await[0]["state"] == "resolved").then_some(())
    })
    .await;

    // What breaks runs on as it was, and is named with its line.
    fs::write(dir.path().join("rules/failed.sql"), FAILED.replace("restarts FROM", "restrts FROM")).unwrap();
    let broken = eventually("the fault is told", async || {
        rule(&server, "failed-service").await.filter(|rule| rule["state"] == "broken")
    })
    .await;
    assert_eq!(broken["line"], 12, "{broken}");
    assert!(broken["reason"].as_str().unwrap().contains("restrts"), "{broken}");
    next_run(&server, "failed-service").await;
    assert!(server.terminate().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_sql_are_checked_written_tested_and_explained() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("rules")).unwrap();
    let server = start(dir.path());
    let send = async |method: &str, path: &str, body: Json| {
        let request = server.http.request(method.parse().unwrap(), format!("{}{path}", server.url));
        let response = request.body(body.to_string()).send().await.unwrap();
        (response.status().as_u16(), response.json::<Json>().await.unwrap())
    };
    let (_, checked) =
        send("POST", "/api/v1/rules/check", json!({"file": "failed.sql", "text": FAILED})).await;
    assert_eq!((&checked["faults"], &checked["tests"]["held"]), (&json!([]), &json!(1)), "{checked}");
    let wrong = FAILED.replace("state = 'failed'", "stat = 'failed'");
    let (status, refused) = send("PUT", "/api/v1/rule-files/failed.sql", json!({"text": wrong})).await;
    assert_eq!(
        (status, refused["code"].as_str(), &refused["line"]),
        (400, Some("bad_rule"), &json!(12)),
        "{refused}"
    );
    let (status, written) = send("PUT", "/api/v1/rule-files/failed.sql", json!({"text": FAILED})).await;
    assert_eq!(status, 200, "{written}");
    let one = server.get("/api/v1/rules/failed-service", &[]).await.unwrap();
    assert_eq!(one["source"], FAILED, "{one}");
    assert!(one["plan"].as_array().is_some_and(|plan| !plan.is_empty()));
    let files = server.get("/api/v1/rule-files", &[]).await.unwrap();
    assert_eq!(files["files"], json!(["failed.sql"]));

    let run = async |arguments: &[&str]| {
        let mut command = Command::new(BINARY);
        command.args(arguments).current_dir(dir.path()).env_clear().stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    };
    let (is_well, told, said) = run(&["rules", "test", "rules"]).await;
    assert!(is_well && told == "1 tests hold, 0 do not\n", "{told}{said}");
    fs::write(dir.path().join("cross.sql"), "-- id: cross\n-- title: Everything with everything\n-- severity: low\nSELECT a.host FROM logs a, logs b").unwrap();
    let (is_well, told, said) = run(&["rules", "explain", "everything", "cross.sql"]).await;
    assert!(
        is_well
            && told.contains("cross join")
            && told.contains("narrow it by timestamp")
            && told.contains("SCAN a"),
        "{told}{said}"
    );
    assert!(server.terminate().unwrap().success());
}

const SHELLS: &str = "-- id: shells\n-- title: A shell was started\n-- severity: low\n-- on: process_events\n-- key: [host, command]\n\
                      SELECT host, command, pid FROM process_events WHERE event = 'started' AND name = 'sh'\n";

/// Sends shells that were started, each with its number and command, and how many changes were lost beside them.
async fn started(server: &Server, seq: u64, shells: &[(u64, &str)], lost: u64) {
    let asked = server.http.post(format!("{}/api/v1/sql", server.url));
    let asked = asked.body(json!({"sql": "SELECT ago('1m') AS at"}).to_string()).send().await.unwrap();
    let at = asked.json::<Json>().await.unwrap()["rows"][0][0].clone();
    let change = |(pid, command): &(u64, &str)| {
        let process = json!({"pid": pid, "started_at": at, "ppid": 1, "name": "sh", "command": command,
               "executable": "/bin/sh", "executable_deleted": false, "user": "root", "uid": 0, "gid": 0,
               "capabilities": [], "cpu_seconds": 0.5, "rss_bytes": 4096, "open_ports": [], "real_uid": 0,
               "kernel_thread": false, "set_uid": false, "namespaces": [], "listening": []});
        json!({"kind": "started", "at": at, "process": process})
    };
    let changes: Vec<Json> = shells.iter().map(change).collect();
    let report = json!({"boot_id": "b", "source": "procmond", "told_by_kernel": true, "changes": changes, "lost": lost});
    let sample = json!({"agent_name": "web-1", "seq": seq, "metrics": {"cpu": 1}, "processes": report});
    let sent =
        server.http.post(format!("{}/data", server.url)).body(sample.to_string()).send().await.unwrap();
    assert_eq!(sent.status().as_u16(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_of_new_rows_is_asked_about_each_once_over_restarts() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("rules")).unwrap();
    fs::write(dir.path().join("rules/shells.sql"), SHELLS).unwrap();
    let server = start(dir.path());
    let mut number = 100;
    let told = eventually("a shell is told", async || {
        // It begins with what comes after it was first seen.
        number += 1;
        started(&server, number, &[(number, "sh -c one")], 0).await;
        signals(&server, "sql_rule").await.pop()
    })
    .await;
    assert_eq!((&told["rule"], &told["count"]), (&json!("shells"), &json!(1)), "{told}");
    started(&server, 1_001, &[(11, "sh -c one"), (12, "sh -c two")], 0).await;
    let count = async |server: &Server, count: u64| {
        eventually("more is told", async || {
            (signals(server, "sql_rule").await[0]["count"] == count).then_some(())
        })
        .await;
    };
    count(&server, 2).await;
    let shown = rule(&server, "shells").await.unwrap();
    assert_eq!((&shown["on"], &shown["every_s"]), (&json!("process_events"), &Json::Null), "{shown}");
    assert!(server.terminate().unwrap().success());

    // After a stop it goes on; what was lost beside a row is said, and the row is told.
    let server = start(dir.path());
    started(&server, 1_002, &[(13, "sh -c two"), (14, "sh -c three")], 5).await;
    count(&server, 3).await;
    // No row from before is asked about again.
    let run = eventually("what came of it", async || {
        let run = rule(&server, "shells").await.unwrap()["last_run"].clone();
        (run["outcome"] == "could_not_evaluate").then_some(run)
    })
    .await;
    assert_eq!((&run["new_rows"], &run["rows_read"]), (&json!(1), &json!(2)), "{run}");
    assert!(run["reason"].as_str().unwrap().contains("5 changes were lost"), "{run}");
    assert!(server.terminate().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_of_sigma_that_is_suspended_is_a_signal_until_it_runs_again() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("rules")).unwrap();
    fs::write(dir.path().join("rules/costly.yml"), COSTLY).unwrap();
    let server = start_with(dir.path(), "1000");
    let told = eventually("that is a signal", async || signals(&server, "rule_suspended").await.pop()).await;
    assert_eq!(
        (&told["rule"], &told["state"], &told["severity"]),
        (&json!("costly"), &json!("new"), &json!("medium")),
        "{told}"
    );
    let reason = told["facts"]["reasons"][0].as_str().unwrap();
    assert!(reason.contains("LOG_SENTINEL_RULES_COST_MAX"), "{told}");
    assert_eq!(told["facts"]["rule.title"], "A rule that takes long", "{told}");
    let costly = rule(&server, "costly").await.unwrap();
    assert_eq!(costly["state"], "suspended", "{costly}");

    // It is told once, over a restart too; with more time it runs, and the signal is over.
    assert!(server.terminate().unwrap().success());
    let server = start_with(dir.path(), "1000");
    eventually("it is suspended again", async || {
        rule(&server, "costly").await.filter(|rule| rule["state"] == "suspended")
    })
    .await;
    let again = signals(&server, "rule_suspended").await;
    assert_eq!((again.len(), &again[0]["count"]), (1, &json!(1)), "{again:?}");
    assert!(server.terminate().unwrap().success());
    let server = start(dir.path());
    eventually("the signal is over", async || {
        (signals(&server, "rule_suspended").await[0]["state"] == "resolved").then_some(())
    })
    .await;
    assert_eq!(rule(&server, "costly").await.unwrap()["state"], "on");
}
