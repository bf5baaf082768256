//! Hosts through the real ports: samples in, charts and agents out, thresholds told, over kills and revoked keys.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{path::Path, process::Command};

use serde_json::{Value as Json, json};
use testkit::{Server, eventually};

const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");

fn start(data: &Path, settings: &[(&str, &str)]) -> Server {
    Server::start(Path::new(BINARY), data, settings).unwrap()
}

async fn ask(server: &Server, method: &str, url: &str, key: &str, body: &Json) -> (u16, Json) {
    let mut request = server.http.request(method.parse().unwrap(), url);
    if !key.is_empty() {
        request = request.header("x-api-key", key);
    }
    if !body.is_null() {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or(Json::Null))
}

/// Posts one sample; gives the answer to it.
async fn post(server: &Server, sample: Json) -> Json {
    let (status, answer) = ask(server, "POST", &format!("{}/data", server.url), "", &sample).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_seen_configured_told_of_and_removed() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), &[]);
    let answer = post(
        &server,
        json!({"agent_name": "web-1", "seq": 1, "interval": 10, "metrics": {"cpu": 20, "disk": {"/": 50}}}),
    )
    .await;
    assert_eq!((answer["status"].as_str(), answer["accepted"].as_u64()), (Some("success"), Some(1)));
    assert_eq!(
        (answer["config"]["version"].as_u64(), &answer["config"]["monitoring"]["disk"]["threshold"]),
        (Some(0), &json!(90))
    );
    // The old port answers as well.
    let old = format!("{}/data", server.anomaly_url);
    let body =
        json!([{"hostname": "web-1", "seq": 2, "metrics": {"memory": 40, "cpu": "much"}}, {"metrics": {}}]);
    let (status, answer) = ask(&server, "POST", &old, "", &body).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        (answer["rejected"][0]["line"].as_u64(), answer["problems"][0]["field"].as_str()),
        (Some(2), Some("metrics.cpu"))
    );
    let (status, answer) = ask(&server, "POST", &old, "", &json!({"metrics": {}})).await;
    assert_eq!((status, answer["field"].as_str()), (400, Some("agent_name")), "{answer}");
    assert_eq!(
        post(&server, json!({"agent_name": "web-1", "seq": 2, "metrics": {"cpu": 99}})).await["duplicates"],
        1
    );

    for url in [&server.url, &server.anomaly_url] {
        let (status, agents) = ask(&server, "GET", &format!("{url}/agents"), "", &Json::Null).await;
        assert_eq!((status, agents.as_array().unwrap().len()), (200, 1));
        assert_eq!(
            (agents[0]["state"].as_str(), agents[0]["metrics"]["ram"]["percent"].as_u64()),
            (Some("online"), Some(40))
        );
        let (status, chart) =
            ask(&server, "GET", &format!("{url}/history/web-1?metric=cpu.percent"), "", &Json::Null).await;
        assert_eq!(
            (status, chart["unit"].as_str(), chart["points"][0]["mean"].as_f64()),
            (200, Some("%"), Some(20.0)),
            "{chart}"
        );
        let (_, newest) = ask(&server, "GET", &format!("{url}/history/web-1?limit=1"), "", &Json::Null).await;
        assert_eq!((newest.as_array().unwrap().len(), newest[0]["seq"].as_u64()), (1, Some(2)));
    }
    for (path, status) in [
        ("/history/nobody?metric=cpu.percent", 404),
        ("/history/nobody/thresholds", 404),
        ("/history/web-1?metric=cpu.percnt", 400),
        ("/history/web-1?points=x&metric=cpu.percent", 400),
    ] {
        assert_eq!(
            ask(&server, "GET", &format!("{}{path}", server.url), "", &Json::Null).await.0,
            status,
            "{path}"
        );
    }
    let config = format!("{}/agent/web-1/config", server.url);
    let (status, answer) = ask(&server, "POST", &config, "", &json!({"disk": {"treshold": 5}})).await;
    assert_eq!((status, answer["field"].as_str()), (422, Some("disk.treshold")), "{answer}");
    let (status, answer) = ask(&server, "POST", &config, "", &json!({"disk": {"threshold": 60}})).await;
    assert_eq!(
        (status, answer["version"].as_u64(), &answer["monitoring"]["cpu"]["threshold"]),
        (200, Some(1), &json!(80))
    );
    let answer = post(&server, json!({"agent_name": "web-1", "seq": 3, "metrics": {"disk": {"/": 75}, "services": {"nginx": "failed"}}})).await;
    assert_eq!(answer["config"]["version"], 1);

    let alerts = eventually("both are told", async || {
        let (_, alerts) =
            ask(&server, "GET", &format!("{}/alerts?acknowledged=false", server.url), "", &Json::Null).await;
        (alerts.as_array().unwrap().len() == 2).then_some(alerts)
    })
    .await;
    let of =
        |kind: &str| alerts.as_array().unwrap().iter().find(|alert| alert["type"] == kind).unwrap().clone();
    assert_eq!(
        (of("host_disk")["value"].as_f64(), of("host_disk")["threshold"].as_f64()),
        (Some(75.0), Some(60.0))
    );
    assert_eq!(of("service_down")["agent_name"], "web-1");
    let (_, agents) = ask(&server, "GET", &format!("{}/agents", server.url), "", &Json::Null).await;
    assert_eq!(agents[0]["open_signals"], 2);
    let listed =
        Command::new(BINARY).args(["hosts", "--url", &server.url]).current_dir(data.path()).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let tried = Command::new(BINARY).args(["rules", "backtest", "--url", &server.url]).output().unwrap();
    let tried = String::from_utf8(tried.stdout).unwrap();
    for part in ["host_disk      1 time, at 1 place", "host_cpu       0 times", "web-1  service_down nginx"] {
        assert!(tried.contains(part), "{part}: {tried}");
    }
    let (status, tried) =
        ask(&server, "GET", &format!("{}/history/web-1/thresholds?from=now-1h", server.url), "", &Json::Null)
            .await;
    let of_disk =
        tried["thresholds"].as_array().unwrap().iter().find(|one| one["rule"] == "host_disk /").unwrap();
    assert_eq!((status, &of_disk["raised"], &of_disk["highest"]), (200, &json!(1), &json!(75.0)), "{tried}");
    assert!(listed.contains("web-1") && listed.contains("75%"), "{listed}");
    post(&server, json!({"agent_name": "web-1", "seq": 4, "metrics": {"disk": {"/": 20}, "services": {"nginx": "running"}}})).await;
    eventually("both are over", async || {
        let signals = server.get("/api/v1/signals", &[("state", "resolved")]).await.unwrap();
        (signals["total"] == 2).then_some(())
    })
    .await;
    let agent = format!("{}/agents/web-1", server.url);
    assert_eq!(ask(&server, "DELETE", &agent, "", &Json::Null).await.0, 200);
    assert_eq!(ask(&server, "DELETE", &agent, "", &Json::Null).await.0, 404);
    let (_, agents) = ask(&server, "GET", &format!("{}/agents", server.url), "", &Json::Null).await;
    assert_eq!(agents, json!([]));
}

/// What `GET /agents` says of a threshold of the first host, and of where it comes from.
async fn limit(server: &Server, path: &str) -> (Json, Json) {
    let (_, agents) = ask(server, "GET", &format!("{}/agents", server.url), "", &Json::Null).await;
    let held = agents[0]["monitoring"].pointer(&format!("/{}", path.replace('.', "/")));
    (held.cloned().unwrap_or_default(), agents[0]["threshold_origins"][path].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_by_label_has_thresholds_that_are_told_kept_and_taken_back() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), &[]);
    let answer = post(
        &server,
        json!({"agent_name": "web-1", "seq": 1, "labels": {"role": "web", "env": "prod", "bad name": "x"},
            "metrics": {"disk": {"/": 60}}}),
    )
    .await;
    assert_eq!(
        (answer["accepted"].as_u64(), answer["problems"][0]["field"].as_str()),
        (Some(1), Some("labels.bad name"))
    );
    post(&server, json!({"agent_name": "web-2", "seq": 1, "metrics": {"disk": {"/": 60}}})).await;
    let groups = format!("{}/api/v1/host-groups", server.url);
    let of = |group: &str| format!("{groups}/{group}");
    for (group, body, status, field) in [
        ("role", json!({"disk": {"threshold": 50}}), 400, "group"),
        ("role=a%2Cb", json!({"disk": {"threshold": 50}}), 400, "group"),
        ("role=web", json!([]), 400, ""),
        ("role=web", json!({"disk": {"threshold": 500}}), 422, "disk.threshold"),
        ("role=web", json!({"disk": {"paths": ["/"]}}), 422, "disk.paths"),
    ] {
        let (found, answer) = ask(&server, "POST", &of(group), "", &body).await;
        assert_eq!(found, status, "{group}: {answer}");
        assert_eq!(answer["field"].as_str().unwrap_or_default(), field, "{answer}");
    }
    assert_eq!(ask(&server, "GET", &groups, "", &Json::Null).await, (200, json!({"groups": []})));
    let (status, answer) = ask(
        &server,
        "POST",
        &of("role=web"),
        "",
        &json!({"disk": {"threshold": 55}, "cpu": {"threshold": 70}}),
    )
    .await;
    assert_eq!(
        (status, answer["version"].as_u64(), answer["hosts"].as_u64()),
        (200, Some(1), Some(1)),
        "{answer}"
    );
    // The old port takes it too, and labels in any order are the same group.
    let old = format!("{}/api/v1/host-groups/role%3Dweb%2C%20env=prod", server.anomaly_url);
    let (status, answer) =
        ask(&server, "POST", &old, "", &json!({"monitoring": {"disk": {"threshold": 50}}})).await;
    assert_eq!((status, answer["group"].as_str()), (200, Some("env=prod,role=web")), "{answer}");
    let both = json!({"from": "group", "group": "env=prod,role=web"});
    assert_eq!(limit(&server, "disk.threshold").await, (json!(50), both.clone()));
    assert_eq!(
        limit(&server, "cpu.threshold").await,
        (json!(70), json!({"from": "group", "group": "role=web"}))
    );
    assert_eq!(limit(&server, "ram.threshold").await, (json!(85), json!({"from": "default"})));
    for (labels, names) in [("role=web", json!(["web-1"])), ("role=db", json!([]))] {
        let found = server.get("/agents", &[("labels", labels)]).await.unwrap();
        let found: Json = found.as_array().unwrap().iter().map(|agent| agent["name"].clone()).collect();
        assert_eq!(found, names);
    }
    assert_eq!(
        ask(&server, "GET", &format!("{}/agents?labels=web", server.url), "", &Json::Null).await.0,
        400
    );
    let listed = |labels: &str| {
        let output =
            Command::new(BINARY).args(["hosts", "--labels", labels, "--url", &server.url]).output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let of_web = listed("role=web");
    assert!(of_web.contains("web-1") && !of_web.contains("web-2"), "{of_web}");
    assert_eq!(listed("role=db"), "no host carries these labels\n");
    assert!(listed("web").contains("role=web or env=prod,role=web"), "{}", listed("web"));

    // Both hosts measure the same; only that of the group is told, by the group's threshold, also after a kill.
    server.kill().unwrap();
    let server = start(data.path(), &[]);
    for name in ["web-1", "web-2"] {
        post(&server, json!({"agent_name": name, "seq": 2, "metrics": {"disk": {"/": 60}}})).await;
    }
    let alert = eventually("the group's host is told", async || {
        let alerts = server.get("/alerts", &[]).await.unwrap();
        alerts.as_array().unwrap().first().cloned()
    })
    .await;
    assert_eq!((&alert["agent_name"], &alert["threshold"]), (&json!("web-1"), &json!(50.0)), "{alert}");
    let tried = Command::new(BINARY).args(["rules", "backtest", "--url", &server.url]).output().unwrap();
    let tried = String::from_utf8(tried.stdout).unwrap();
    assert!(tried.contains("host_disk      1 time, at 1 place"), "{tried}");

    let groups = format!("{}/api/v1/host-groups", server.url);
    let (_, listed) = ask(&server, "GET", &groups, "", &Json::Null).await;
    assert_eq!(
        (&listed["groups"][0]["group"], &listed["groups"][1]["group"]),
        (&both["group"], &json!("role=web"))
    );
    let config = format!("{}/agent/web-1/config", server.url);
    assert_eq!(ask(&server, "POST", &config, "", &json!({"disk": {"threshold": 95}})).await.0, 200);
    assert_eq!(limit(&server, "disk.threshold").await, (json!(95), json!({"from": "host"})));
    assert_eq!(ask(&server, "POST", &config, "", &json!({"disk": {"threshold": null}})).await.0, 200);
    let both = format!("{groups}/env=prod,role=web");
    assert_eq!(ask(&server, "DELETE", &both, "", &Json::Null).await.0, 200);
    assert_eq!(ask(&server, "DELETE", &both, "", &Json::Null).await.0, 404);
    assert_eq!(
        limit(&server, "disk.threshold").await,
        (json!(55), json!({"from": "group", "group": "role=web"}))
    );
    assert!(server.terminate().unwrap().success());
    let shown = Command::new(BINARY)
        .args(["audit", "show", "-n", "100"])
        .env("LOG_SENTINEL_DATA", data.path())
        .output()
        .unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    for part in ["host_group.configured", "host_group.removed", "env=prod,role=web"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_for_survives_a_kill_and_is_not_kept_twice() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), &[]);
    let sample =
        |seq: u64| json!({"agent_name": "web-1", "seq": seq, "metrics": {"cpu": 20, "disk": {"/": 99}}});
    for seq in 0..20 {
        post(&server, sample(seq)).await;
    }
    server.kill().unwrap();
    let server = start(data.path(), &[]);
    for seq in 10..30 {
        post(&server, sample(seq)).await;
    }
    let chart = server.get("/history/web-1", &[("metric", "cpu.percent")]).await.unwrap();
    let count: u64 =
        chart["points"].as_array().unwrap().iter().map(|point| point["count"].as_u64().unwrap()).sum();
    assert_eq!(count, 30, "{chart}");
    let told = eventually("the disk is told", async || {
        let signals = server.get("/api/v1/signals", &[("kind", "host_disk")]).await.unwrap();
        (signals["total"] != 0).then_some(signals)
    })
    .await;
    assert_eq!((told["total"].as_u64(), told["signals"][0]["count"].as_u64()), (Some(1), Some(1)), "{told}");
    assert!(server.terminate().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_sends_nothing_and_scopes_hold() {
    let data = tempfile::tempdir().unwrap();
    let admin = "a-key-of-the-settings-0123456789";
    let server = start(data.path(), &[("API_KEYS", admin)]);
    let url = |path: &str| format!("{}{path}", server.url);
    let (_, made) = ask(&server, "POST", &url("/api/v1/keys"), admin, &json!({"scopes": ["ingest"]})).await;
    let key = made["key"].as_str().unwrap();
    let sample = json!({"agent_name": "web-1", "metrics": {"cpu": 1}});
    assert_eq!(ask(&server, "POST", &url("/data"), "", &sample).await.0, 401);
    assert_eq!(ask(&server, "POST", &url("/data"), key, &sample).await.0, 200);
    for (method, path) in [
        ("GET", "/agents"),
        ("GET", "/history/web-1"),
        ("GET", "/history/web-1/thresholds"),
        ("POST", "/agent/web-1/config"),
        ("DELETE", "/agents/web-1"),
        ("GET", "/api/v1/host-groups"),
        ("POST", "/api/v1/host-groups/role=web"),
        ("DELETE", "/api/v1/host-groups/role=web"),
    ] {
        assert_eq!(ask(&server, method, &url(path), key, &json!({})).await.0, 403, "{method} {path}");
    }
    assert_eq!(ask(&server, "GET", &url("/agents"), admin, &Json::Null).await.0, 200);
    // Groups reach over organizations: a key of one sees none.
    let body = json!({"scopes": ["read"], "organization": "a"});
    let (_, own) = ask(&server, "POST", &url("/api/v1/keys"), admin, &body).await;
    let own = own["key"].as_str().unwrap();
    for (path, status) in [("/agents", 200), ("/api/v1/host-groups", 403)] {
        assert_eq!(ask(&server, "GET", &url(path), own, &Json::Null).await.0, status, "{path}");
    }
    let revoke = url(&format!("/api/v1/keys/{}", made["id"].as_str().unwrap()));
    assert_eq!(ask(&server, "DELETE", &revoke, admin, &Json::Null).await.0, 200);
    assert_eq!(ask(&server, "POST", &url("/data"), key, &sample).await.0, 401);
    let (_, agent) = ask(&server, "POST", &url("/api/v1/agents"), admin, &json!({"name": "db-1"})).await;
    assert_eq!(agent["name"], "db-1");
    let (_, agents) = ask(&server, "GET", &url("/agents"), admin, &Json::Null).await;
    assert_eq!((agents[0]["name"].as_str(), agents[0]["state"].as_str()), (Some("db-1"), Some("never")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_only_the_anomaly_service_names_the_collector() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_role(Path::new(BINARY), "anomaly", data.path(), &[]).unwrap();
    for (method, path) in [
        ("POST", "/data"),
        ("GET", "/agents"),
        ("GET", "/history/web-1"),
        ("POST", "/ingest"),
        ("GET", "/alerts"),
    ] {
        let url = format!("{}{path}", server.anomaly_url);
        let (status, answer) = ask(&server, method, &url, "", &Json::Null).await;
        assert_eq!((status, answer["code"].as_str()), (421, Some("not_here")), "{method} {path}: {answer}");
        assert!(answer["detail"].as_str().unwrap().contains("collector"));
    }
}
