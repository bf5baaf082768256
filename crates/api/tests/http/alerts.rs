//! Channels, routes and silences over the API: no answer holds a secret, and a test that fails says why.

use std::sync::Arc;

use alert::{Config, Outbox, Routes, Words};
use api::{Access, AccessConfig, AlertsState};
use axum::{Router, http::StatusCode, routing::post};
use serde_json::{Value, json};
use signal::Signal;

use super::support::{Reply, ask};

/// What no answer may hold.
const SECRETS: [&str; 7] = [
    "secret-address",
    "secret-that-signs",
    "secret-header",
    "secret-password",
    "secret-token",
    "secret-hook",
    "secret-key",
];

struct World {
    router: Router,
    _dir: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database = Arc::new(state::Database::open(dir.path().join("state.db")).unwrap());
        let signals = signal::Store::open(Arc::clone(&database), signal::Config::default()).unwrap();
        let words = |signal: &Signal| Words { title: signal.rule.clone(), ..Words::default() };
        let outbox =
            Outbox::open(database, Routes::everything(vec![]), Box::new(words), Config::default()).unwrap();
        let state = AlertsState {
            outbox: Arc::new(outbox),
            signals: Arc::new(signals),
            body: body::Config::default(),
            stop: telemetry::task::Stop::new(),
        };
        let access = Access::new(&AccessConfig::default());
        Self { router: api::guarded(api::alerts(state), access, &api::alerts_routes()), _dir: dir }
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let reply = ask(&self.router, method, path, &[("content-type", "application/json")], body).await;
        for secret in SECRETS {
            assert!(!reply.text.contains(secret), "{method} {path}: {}", reply.text);
        }
        reply
    }
}

/// One of each type that has secrets, each secret of which is one of [`SECRETS`].
fn channels(address: &str) -> Vec<Value> {
    vec![
        json!({"name": "hook", "type": "webhook", "url": format!("{address}/secret-address"), "secret": "secret-that-signs",
               "headers": {"x-key": "secret-header"}}),
        json!({"name": "mail", "type": "email", "from": "a@example.org", "to": ["b@example.org"], "server": "localhost",
               "port": 9, "username": "a", "password": "secret-password"}),
        json!({"name": "bot", "type": "telegram", "bot_token": "1:secret-token", "chat_id": "7", "api": address}),
        json!({"name": "chat", "type": "discord", "webhook_url": format!("{address}/secret-hook")}),
        json!({"name": "team", "type": "slack", "webhook_url": format!("{address}/secret-hook")}),
        json!({"name": "other", "type": "log_sentinel", "url": address, "api_key": "secret-key"}),
    ]
}

/// A server that answers every POST so, with an address that it repeats as careless ones do.
async fn receiver(status: StatusCode) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let answer = move |uri: axum::http::Uri| async move { (status, format!("no such hook: {uri}")) };
    let router = Router::new().route("/{*path}", post(answer));
    drop(telemetry::task::spawn("receiver", async move { axum::serve(listener, router).await.unwrap() }));
    address
}

#[tokio::test]
async fn no_answer_about_a_channel_holds_a_secret() {
    let world = World::new();
    let address = receiver(StatusCode::OK).await;
    let all = channels(&address);
    for channel in &all {
        let reply = world.ask("POST", "/api/v1/channels", channel.clone()).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        let given = reply.json["secrets"].as_array().unwrap();
        assert!(!given.is_empty(), "{}", reply.text);
        assert_eq!(world.ask("POST", "/api/v1/channels", channel.clone()).await.status, 409);
        let path = format!("/api/v1/channels/{}", channel["name"].as_str().unwrap());
        let mut wrong = channel.clone();
        wrong["no_such_member"] = "secret-key".into();
        let reply = world.ask("PUT", &path, wrong).await;
        assert_eq!((reply.status, &reply.json["field"]), (400, &"no_such_member".into()), "{}", reply.text);
        let reply = world.ask("PUT", &path, channel.clone()).await;
        assert_eq!((reply.status, &reply.json["secrets"]), (200, &json!(given)), "{}", reply.text);
    }
    let listed = world.ask("GET", "/api/v1/channels", Value::Null).await;
    assert_eq!(listed.json["channels"].as_array().unwrap().len(), all.len());
    assert_eq!(world.ask("GET", "/api/v1/routes", Value::Null).await.status, 200);
    let planned = world.ask("POST", "/api/v1/routes/test", json!({"severity": "high"})).await;
    assert_eq!(planned.json["planned"].as_array().unwrap().len(), all.len(), "{}", planned.text);
}

#[tokio::test]
async fn a_test_says_whether_it_was_delivered_and_why_not() {
    let world = World::new();
    let good = receiver(StatusCode::OK).await;
    let made = json!({"name": "hook", "type": "webhook", "url": format!("{good}/secret-address")});
    assert_eq!(world.ask("POST", "/api/v1/channels", made).await.status, 201);
    let reply = world.ask("POST", "/api/v1/channels/hook/test", Value::Null).await;
    assert_eq!((reply.status, &reply.json["delivered"]), (200, &true.into()), "{}", reply.text);

    let bad = receiver(StatusCode::FORBIDDEN).await;
    for mut channel in channels(&bad) {
        let name = format!("bad-{}", channel["name"].as_str().unwrap());
        channel["name"] = name.clone().into();
        channel["timeout"] = "2s".into();
        assert_eq!(world.ask("POST", "/api/v1/channels", channel).await.status, 201);
        let reply = world.ask("POST", &format!("/api/v1/channels/{name}/test"), Value::Null).await;
        assert_eq!((reply.status, &reply.json["code"]), (502, &"not_delivered".into()), "{}", reply.text);
        let detail = reply.json["detail"].as_str().unwrap();
        assert!(detail.contains(if name == "bad-mail" { "refused" } else { "403" }), "{detail}");
    }
    let reply = world.ask("POST", "/api/v1/channels/nobody/test", Value::Null).await;
    assert_eq!(reply.status, 404, "{}", reply.text);
}

#[tokio::test]
async fn a_silence_is_made_listed_and_ended_and_a_wrong_one_is_named_at_its_field() {
    let world = World::new();
    for (wrong, field) in [
        (json!({"match": {"host": "db-*"}, "until": "2100-01-01T00:00:00Z"}), "reason"),
        (json!({"match": {"host": "db-*"}, "reason": "disks"}), "until"),
        (
            json!({"match": {"kind": "ssh_brut_force"}, "until": "2100-01-01T00:00:00Z", "reason": "x"}),
            "match.kind",
        ),
        (json!({"match": {"host": "db-*"}, "until": "2000-01-01T00:00:00Z", "reason": "x"}), "until"),
    ] {
        let reply = world.ask("POST", "/api/v1/silences", wrong).await;
        assert_eq!((reply.status, reply.json["field"].as_str()), (400, Some(field)), "{}", reply.text);
    }
    let good = json!({"match": {"host": "db-*"}, "until": "2100-01-01T00:00:00Z", "reason": "disks"});
    let preview = world.ask("POST", "/api/v1/silences/preview", json!({"match": {"host": "db-*"}})).await;
    assert_eq!((preview.status, &preview.json["alerts"]), (200, &0.into()), "{}", preview.text);
    let made = world.ask("POST", "/api/v1/silences", good.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let number = made.json["number"].as_i64().unwrap();
    let listed = world.ask("GET", "/api/v1/silences", Value::Null).await;
    assert_eq!(listed.json["silences"][0]["match"], good["match"], "{}", listed.text);
    assert_eq!(listed.json["silences"][0]["is_active"], true);
    let path = format!("/api/v1/silences/{number}");
    assert_eq!(world.ask("DELETE", &path, Value::Null).await.status, 200);
    assert_eq!(world.ask("DELETE", "/api/v1/silences/x", Value::Null).await.status, 400);
    assert_eq!(world.ask("DELETE", "/api/v1/silences/4711", Value::Null).await.status, 404);
    let listed = world.ask("GET", "/api/v1/silences", Value::Null).await;
    assert!(listed.json["silences"].as_array().unwrap().iter().all(|one| one["is_active"] == false));
}
