//! Questions in SQL through the real port and the command line: what they read, what they are refused and how they are stopped.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../../crates/sql/tests/texts/mod.rs"]
mod texts;

use std::{
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

use serde_json::{Value as Json, json};
use testkit::{Server, eventually};

const WHOLE: &str = "a-key-of-the-settings-0123456789";
const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");

fn start(data: &Path, settings: &[(&str, &str)]) -> Server {
    Server::start(Path::new(BINARY), data, settings).unwrap()
}

async fn sent(server: &Server, path: &str, key: &str, body: &Json) -> (u16, Json) {
    let request = server.http.post(format!("{}{path}", server.url)).body(body.to_string());
    let response = request.header("x-api-key", key).send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or(Json::Null))
}

async fn ask(server: &Server, sql: &str) -> Json {
    let (status, answer) = sent(server, "/api/v1/sql", "", &json!({"sql": sql})).await;
    assert_eq!(status, 200, "{sql}: {answer}");
    answer
}

async fn refused(server: &Server, sql: &str) -> Json {
    let (status, answer) = sent(server, "/api/v1/sql", "", &json!({"sql": sql})).await;
    assert_eq!((status, answer["code"].as_str()), (400, Some("bad_sql")), "{sql}: {answer}");
    answer
}

/// Runs the program under a name.
async fn run(name: &str, server: &Server, arguments: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command.arg0(name).args(arguments).args(["--url", &server.url]).env_clear();
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn printed(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    (text(&output.stdout), text(&output.stderr))
}

fn lines(count: usize) -> String {
    let line = |number: usize| {
        let level = if number.is_multiple_of(10) { "error" } else { "info" };
        let (minute, second) = (number / 60 % 60, number % 60);
        json!({
            "timestamp": format!("2026-03-01T12:{minute:02}:{second:02}Z"), "level": level,
            "service": format!("svc-{}", number % 3), "host": "web-1", "message": format!("request {number} took long"),
        })
    };
    (0..count).map(|number| format!("{}\n", line(number))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_is_asked_in_sql() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), &[]);
    let (status, answer) = server.post_logs("application/x-ndjson", lines(300)).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    let sample = json!({"agent_name": "web-1", "seq": 1, "interval": 10, "labels": {"role": "web"}, "metrics": {
        "cpu": 20, "ram": {"percent": 40}, "services": {"nginx": "failed"}}});
    assert_eq!(sent(&server, "/data", "", &sample).await.0, 200);

    let answer = ask(&server, "SELECT service, count(*) AS n, min(timestamp) FROM logs WHERE level = 'error' GROUP BY service ORDER BY service").await;
    assert_eq!(answer["columns"], json!(["service", "n", "min(timestamp)"]));
    assert_eq!(answer["rows"][0], json!(["svc-0", 10, "2026-03-01T12:00:00.000000Z"]), "{answer}");
    assert_eq!(
        (&answer["rows_read"], &answer["partial"]),
        (&json!(30), &json!(false)),
        "the index is asked for errors alone"
    );
    let answer = ask(&server, "SELECT count(*) FROM logs WHERE timestamp >= '2026-03-01T12:01:00Z' AND timestamp < '2026-03-01T12:02:00Z'").await;
    assert_eq!(answer["rows"], json!([[60]]));
    assert!(answer["rows_read"].as_u64().unwrap() < 70, "{answer}");
    let joined = ask(&server, "SELECT h.host, h.state, s.service, s.state, l.n FROM hosts h JOIN services s USING (host) JOIN (SELECT host, count(*) AS n FROM logs GROUP BY host) l USING (host)").await;
    assert_eq!(joined["rows"], json!([["web-1", "online", "nginx", "failed", 300]]), "{joined}");
    let labelled = ask(&server, "SELECT host FROM hosts WHERE json_extract(labels, '$.role') = 'web'").await;
    assert_eq!(labelled["rows"], json!([["web-1"]]), "{labelled}");
    let metric = ask(
        &server,
        "SELECT metric, value, unit FROM metrics WHERE host = 'web-1' AND metric = 'cpu.percent'",
    )
    .await;
    assert_eq!(metric["rows"], json!([["cpu.percent", 20.0, "%"]]), "{metric}");
    let signals = ask(&server, "SELECT count(*) FROM signals WHERE kind = 'nothing'").await;
    assert_eq!(signals["rows"], json!([[0]]));

    let problem = refused(&server, "SELECT *\nFROM logs\nWHERE levl = 'x'").await;
    assert_eq!((&problem["line"], &problem["column"]), (&json!(3), &json!(7)), "{problem}");
    for (body, field) in [
        (json!({"sql": "SELECT 1", "from": "later"}), "from"),
        (json!({"sql": "SELECT 1", "limit": 20000}), "limit"),
    ] {
        let (status, problem) = sent(&server, "/api/v1/sql", "", &body).await;
        assert_eq!((status, problem["field"].as_str()), (400, Some(field)), "{problem}");
    }
    let (_, answer) =
        sent(&server, "/api/v1/sql", "", &json!({"sql": "SELECT id FROM logs", "limit": 5})).await;
    assert_eq!((answer["rows"].as_array().unwrap().len(), &answer["more"]), (5, &json!(true)));
    let (_, then) = sent(
        &server,
        "/api/v1/sql",
        "",
        &json!({"sql": "SELECT ago('1h'), count(*) FROM logs", "at": "2026-03-01T12:02:00Z"}),
    )
    .await;
    assert_eq!(then["rows"], json!([["2026-03-01T11:02:00.000000Z", 120]]), "{then}");
    let (_, plan) =
        sent(&server, "/api/v1/sql", "", &json!({"sql": "SELECT 1 FROM logs a, logs b", "explain": true}))
            .await;
    assert!(
        plan["hints"].as_array().unwrap().iter().any(|hint| hint.as_str().unwrap().contains("cross join")),
        "{plan}"
    );
    assert!(server.terminate().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_asks_under_every_name() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), &[]);
    let (status, answer) = server.post_logs("application/x-ndjson", lines(30)).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    let sql = "SELECT service, count(*) AS n FROM logs GROUP BY service ORDER BY 1";
    for name in ["log-sentinel", "sentinelcli", "sentinelagent"] {
        let (told, said) = printed(&run(name, &server, &["query", "--sql", sql, "-o", "table"]).await);
        assert_eq!(told, "service  n\nsvc-0    10\nsvc-1    10\nsvc-2    10\n");
        assert!(said.contains("3 rows; 30 rows read"), "{said}");
    }
    let (told, _) = printed(&run("sentinelcli", &server, &["query", "--sql", sql, "-o", "csv"]).await);
    assert_eq!(told, "service,n\r\nsvc-0,10\r\nsvc-1,10\r\nsvc-2,10\r\n");
    let (told, _) = printed(&run("sentinelcli", &server, &["query", "--sql", sql, "-o", "json"]).await);
    assert_eq!(serde_json::from_str::<Json>(&told).unwrap()["rows"][2], json!(["svc-2", 10]));
    let (told, _) = printed(&run("sentinelcli", &server, &["query", "--tables"]).await);
    assert!(
        ["logs: ", "signals: ", "hosts: ", "services: ", "metrics: "].iter().all(|name| told.contains(name)),
        "{told}"
    );
    let wrong = run("sentinelcli", &server, &["query", "--sql", "SELECT nothing FROM logs"]).await;
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(
        !wrong.status.success() && said.contains("line 1, column 8") && said.contains("nothing"),
        "{said}"
    );
    assert!(server.terminate().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_an_organization_reads_its_rows_alone() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), &[("API_KEYS", WHOLE)]);
    let mut keys = Vec::new();
    for name in ["acme", "globex"] {
        let wanted = json!({"scopes": ["read", "ingest"], "organization": name});
        let (status, made) = sent(&server, "/api/v1/keys", WHOLE, &wanted).await;
        assert!(status < 300, "{made}");
        keys.push(made["key"].as_str().unwrap().to_owned());
    }
    for (key, count) in keys.iter().zip([2, 3]) {
        for number in 0..count {
            let (status, _) =
                sent(&server, "/logs", key, &json!({"message": format!("line {number}")})).await;
            assert_eq!(status, 200);
        }
        let sample = json!({"agent_name": format!("web-{count}"), "seq": 1, "metrics": {"cpu": 20}});
        assert_eq!(sent(&server, "/data", key, &sample).await.0, 200);
    }
    let asked = json!({"sql": "SELECT (SELECT count(*) FROM logs WHERE message LIKE 'line%'), (SELECT group_concat(host) FROM hosts)"});
    for (key, expected) in [
        (keys[0].as_str(), json!([[2, "web-2"]])),
        (&keys[1], json!([[3, "web-3"]])),
        (WHOLE, json!([[5, "web-2,web-3"]])),
    ] {
        let (status, answer) = sent(&server, "/api/v1/sql", key, &asked).await;
        assert_eq!((status, &answer["rows"]), (200, &expected), "{answer}");
    }
    let (status, _) = sent(&server, "/api/v1/sql", "another", &asked).await;
    assert_eq!(status, 401);
    assert!(server.terminate().unwrap().success());
}

fn process(pid: u32, name: &str, ports: &[u16]) -> Json {
    json!({"pid": pid, "started_at": "2026-03-01T12:00:00Z", "ppid": 1, "name": name, "command": format!("{name} --all"),
           "executable": format!("/usr/bin/{name}"), "executable_deleted": false, "user": "root", "uid": 0, "gid": 0,
           "capabilities": [], "cpu_seconds": 0.5, "rss_bytes": 4096, "open_ports": ports, "real_uid": 0,
           "kernel_thread": false, "set_uid": false, "namespaces": [], "listening": []})
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_are_asked_as_of_now_and_as_of_then() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), &[]);
    let times = ask(&server, "SELECT ago('60m'), ago('50m'), ago('40m'), ago('35m'), ago('30m')").await;
    let ago = |minutes: usize| {
        let place = [60, 50, 40, 35, 30].iter().position(|known| *known == minutes).unwrap();
        times["rows"][0][place].clone()
    };
    let change = |kind: &str, minutes: usize, process: Json| json!({"kind": kind, "at": ago(minutes), "process": process});
    let report = json!({
        "boot_id": "b", "source": "procmond", "told_by_kernel": true, "begins": true, "complete": true, "changes": [
            change("present", 60, process(1, "init", &[])), change("started", 50, process(7, "nginx", &[80, 443])),
            change("started", 40, process(9, "sh", &[])), change("ended", 30, process(9, "sh", &[])),
    ]});
    let sample = json!({"agent_name": "web-1", "seq": 1, "metrics": {"cpu": 1}, "processes": report});
    let (status, answer) = sent(&server, "/data", "", &sample).await;
    assert_eq!(status, 200, "{answer}");
    let answer = ask(
        &server,
        "SELECT p.name, l.port FROM processes p JOIN listening_ports l USING (host, pid) ORDER BY port",
    )
    .await;
    assert_eq!(answer["rows"], json!([["nginx", 80], ["nginx", 443]]), "{answer}");
    let then = json!({"sql": "SELECT group_concat(name) FROM processes", "at": ago(35)});
    let (_, answer) = sent(&server, "/api/v1/sql", "", &then).await;
    assert_eq!(answer["rows"], json!([["init,nginx,sh"]]), "{answer}");
    let answer = ask(
        &server,
        "SELECT event, command FROM process_events WHERE timestamp > ago('45m') ORDER BY timestamp",
    )
    .await;
    assert_eq!(answer["rows"], json!([["started", "sh --all"], ["ended", "sh --all"]]), "{answer}");
    assert!(server.terminate().unwrap().success());
}

/// A hundred texts that are refused, and those that would never end: none changes or reads what it should not, and each is stopped within
/// twice its budget, while others are answered.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_questions_are_refused_or_stopped_within_twice_their_budget() {
    let data = tempfile::tempdir().unwrap();
    let server =
        start(data.path(), &[("LOG_SENTINEL_SQL_TIME_MAX", "1s"), ("LOG_SENTINEL_SQL_MEMORY_MAX", "64MiB")]);
    assert!(texts::REFUSED.len() >= 100);
    for text in texts::REFUSED {
        let problem = refused(&server, text).await;
        let has_place = problem["line"].is_u64() && problem["column"].is_u64();
        let is_empty = problem["detail"].as_str().unwrap().contains("no question in it");
        assert!(has_place || is_empty, "{text}: {problem}");
    }
    for text in texts::ENDLESS {
        let began = Instant::now();
        let (status, problem) = sent(&server, "/api/v1/sql", "", &json!({"sql": text})).await;
        let took = began.elapsed();
        assert_eq!((status, problem["code"].as_str()), (422, Some("sql_stopped")), "{text}: {problem}");
        assert!(took < Duration::from_secs(2), "{text}: {took:?}");
    }
    let answer = ask(&server, "SELECT 1").await;
    assert_eq!(answer["rows"], json!([[1]]));
    let counted = eventually("they are counted", async || {
        let text =
            server.http.get(format!("{}/metrics", server.url)).send().await.unwrap().text().await.unwrap();
        text.lines()
            .find(|line| line.contains("sql_questions_total{") && line.contains("\"stopped\""))
            .map(str::to_owned)
    })
    .await;
    assert!(counted.ends_with(&texts::ENDLESS.len().to_string()), "{counted}");
    assert!(server.terminate().unwrap().success());
}
