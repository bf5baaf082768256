//! Channels over HTTP: the exact shapes, and what is made of answers.

use std::{collections::BTreeMap, time::Duration};

use alert::{
    Secret,
    channel::{
        ChannelConfig, ChannelKind, DiscordConfig, SendError, SentinelConfig, SlackConfig, TelegramConfig,
        Trust, WebhookConfig,
    },
};
use base64::{Engine, prelude::BASE64_STANDARD};
use ring::hmac;
use serde_json::json;

use crate::{
    message, open, refused, send,
    server::{Answer, Server},
};

fn webhook(url: &str) -> WebhookConfig {
    WebhookConfig {
        url: url.into(),
        secret: None,
        template: None,
        content_type: "application/json".to_owned(),
        headers: BTreeMap::new(),
        trust: Trust::default(),
    }
}

fn telegram(api: String) -> ChannelKind {
    ChannelKind::Telegram(TelegramConfig {
        bot_token: "123:secret-token".into(),
        chat_id: "-100200".to_owned(),
        api: Some(api),
        trust: Trust::default(),
    })
}

fn discord(url: &str) -> ChannelKind {
    ChannelKind::Discord(DiscordConfig { webhook_url: url.into(), trust: Trust::default() })
}

fn slack(url: &str) -> ChannelKind {
    ChannelKind::Slack(SlackConfig { webhook_url: url.into(), trust: Trust::default() })
}

#[tokio::test]
async fn telegram_gets_html_in_which_nothing_of_a_log_is_markup() {
    let server = Server::start(Answer::Status(200, r#"{"ok":true,"result":{"message_id":7}}"#)).await;
    let receipt = send(telegram(server.url(""))).await.unwrap();
    assert_eq!(receipt.answer, "message 7");
    let asked = server.asked();
    assert_eq!(asked.path, "/bot123:secret-token/sendMessage");
    let body = asked.json();
    assert_eq!(body["chat_id"], "-100200");
    assert_eq!(body["parse_mode"], "HTML");
    assert_eq!(body["link_preview_options"], json!({"is_disabled": true}));
    let text = body["text"].as_str().unwrap();
    assert!(text.starts_with("<b>[TEST] Logins of &lt;b&gt;@\u{2060}everyone"), "{text}");
    let tags: Vec<&str> = text.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()).collect();
    assert!(tags.iter().all(|tag| ["b", "/b", "code", "/code"].contains(tag)), "{tags:?}");
    assert!(text.encode_utf16().count() <= 4096);
}

#[tokio::test]
async fn discord_gets_content_that_mentions_nobody() {
    let server = Server::start(Answer::Status(200, r#"{"id":"55"}"#)).await;
    let receipt = send(discord(&server.url("/api/webhooks/1/secret"))).await.unwrap();
    assert_eq!(receipt.answer, "message 55");
    let asked = server.asked();
    assert_eq!(asked.path, "/api/webhooks/1/secret?wait=true");
    let body = asked.json();
    assert_eq!(body["allowed_mentions"], json!({"parse": []}));
    let text = body["content"].as_str().unwrap();
    assert!(text.contains(r"\<!channel>") && text.contains(r"\[a\](http\://b)"), "{text}");
    assert!(text.encode_utf16().count() <= 2000);
}

#[tokio::test]
async fn a_text_that_is_too_long_ends_behind_a_whole_line() {
    let server = Server::start(Answer::Status(200, r#"{"id":"55"}"#)).await;
    let mut message = message();
    message.alerts[0].words.next = vec!["*".repeat(700); 4];
    open(discord(&server.url("/"))).send(&message).await.unwrap();
    let body = server.asked().json();
    let text = body["content"].as_str().unwrap();
    assert!(text.encode_utf16().count() <= 2000 && text.ends_with("\n…"), "{text}");
    assert!(text.matches("**").count() % 2 == 0, "no markup is left open: {text}");
}

#[tokio::test]
async fn slack_gets_plain_text_only() {
    let server = Server::start(Answer::Status(200, "ok")).await;
    assert_eq!(send(slack(&server.url("/services/T/B/secret"))).await.unwrap().answer, "ok");
    let body = server.asked().json();
    assert_eq!(body["mrkdwn"], false);
    let text = body["text"].as_str().unwrap();
    assert!(text.contains("&lt;!channel&gt;") && !text.contains('<') && !text.contains('\n'), "{text}");
    let blocks = body["blocks"].as_array().unwrap();
    let types: Vec<_> = blocks.iter().map(|block| (&block["type"], &block["text"]["type"])).collect();
    assert_eq!(types, [(&json!("header"), &json!("plain_text")), (&json!("section"), &json!("plain_text"))]);
    assert!(blocks[0]["text"]["text"].as_str().unwrap().chars().count() <= 150);
    assert!(blocks[1]["text"]["text"].as_str().unwrap().chars().count() <= 3000);
}

#[tokio::test]
async fn webhooks_are_signed_and_carry_their_key() {
    let server = Server::start(Answer::Status(202, "")).await;
    let secret = format!("whsec_{}", BASE64_STANDARD.encode("a secret of the receiver"));
    let config = WebhookConfig {
        secret: Some(Secret::Text(secret)),
        headers: BTreeMap::from([("authorization".to_owned(), "Bearer x".into())]),
        ..webhook(&server.url("/hook"))
    };
    send(ChannelKind::Webhook(config)).await.unwrap();
    let (asked, message) = (server.asked(), message());
    assert_eq!(asked.header("idempotency-key"), message.key);
    assert_eq!(asked.header("webhook-id"), message.key);
    assert_eq!(asked.header("authorization"), "Bearer x");
    assert_eq!(asked.header("content-type"), "application/json");
    let timestamp = asked.header("webhook-timestamp");
    assert_eq!(timestamp, "1714564800");
    let signature = asked.header("webhook-signature").strip_prefix("v1,").unwrap();
    let signed = [message.key.as_bytes(), b".", timestamp.as_bytes(), b".", &asked.body].concat();
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"a secret of the receiver");
    hmac::verify(&key, &signed, &BASE64_STANDARD.decode(signature).unwrap()).unwrap();
    let body = asked.json();
    assert_eq!(body["key"], message.key);
    assert_eq!(body["alerts"][0]["samples"][0], crate::HOSTILE);
}

#[tokio::test]
async fn a_webhook_has_the_body_that_its_template_makes() {
    let server = Server::start(Answer::Status(200, "")).await;
    let template = Some(r#"{"summary": {{ title }}, "n": {{ alert.count }}}"#.to_owned());
    send(ChannelKind::Webhook(WebhookConfig { template, ..webhook(&server.url("/")) })).await.unwrap();
    let body = server.asked().json();
    assert!(body["summary"].as_str().unwrap().contains(crate::HOSTILE));
    assert_eq!(body["n"], 1);
}

#[tokio::test]
async fn another_log_sentinel_gets_what_its_ingest_takes() {
    let server = Server::start(Answer::Status(200, r#"{"status":"success"}"#)).await;
    let config =
        SentinelConfig { url: server.url(""), api_key: Some("a-key".into()), trust: Trust::default() };
    let mut message = message();
    message.alerts.push(message.alerts[0].clone());
    message.alerts[1].signal = Some(crate::signal());
    open(ChannelKind::Sentinel(config)).send(&message).await.unwrap();
    let asked = server.asked();
    assert_eq!((asked.path.as_str(), asked.header("authorization")), ("/ingest", "Bearer a-key"));
    assert_eq!(asked.header("idempotency-key"), message.key);
    let body = asked.json();
    assert_eq!((&body[0]["alert_type"], &body[0]["severity"]), (&json!("test"), &json!("info")));
    assert_eq!(body[0]["raw_log"], crate::HOSTILE);
    assert_eq!(body[1]["id"], "000000000000000000000000000000ff");
    assert_eq!(body[1]["kind"], "ssh_brute_force");
    assert_eq!(body[1]["technique"], json!(["T1110"]));
    assert_eq!(body[1]["entities"], json!([{"type": "source.ip", "value": "192.0.2.7"}]));
}

#[tokio::test]
async fn one_signal_is_an_object_that_also_has_the_names_of_agents() {
    let server = Server::start(Answer::Status(200, r#"{"status":"success"}"#)).await;
    let config = SentinelConfig { url: server.url("/ingest"), api_key: None, trust: Trust::default() };
    let mut message = message();
    message.alerts[0].signal = Some(crate::signal());
    open(ChannelKind::Sentinel(config)).send(&message).await.unwrap();
    let (asked, main) = (server.asked(), &message.alerts[0]);
    assert_eq!(asked.header("content-type"), "application/json");
    let body = asked.json();
    for (name, expected) in [
        ("id", json!("000000000000000000000000000000ff")),
        ("hostname", json!(main.host().unwrap_or("log-sentinel"))),
        ("timestamp", json!(main.last)),
        ("alert_type", json!(main.kind)),
        ("description", json!(format!("{}. {}", main.words.title, main.words.what))),
        ("raw_log", json!(crate::HOSTILE)),
        ("facts", json!(crate::signal().facts)),
    ] {
        assert_eq!(body[name], expected, "{name}");
    }
}

async fn failure(answer: Answer, of: impl Fn(String) -> ChannelKind) -> SendError {
    let server = Server::start(answer).await;
    let error = send(of(server.url("/secret"))).await.unwrap_err();
    assert!(!error.reason.contains("secret"), "{error}");
    error
}

#[tokio::test]
async fn answers_tell_whether_to_try_again_and_when() {
    let cases: &[(Answer, bool, Option<f64>, &str)] = &[
        (Answer::Header(429, "retry-after", "7"), false, Some(7.0), "answered 429"),
        (Answer::Status(429, r#"{"parameters":{"retry_after":31}}"#), false, Some(31.0), "429"),
        (Answer::Status(429, r#"{"message":"slow","retry_after":0.5}"#), false, Some(0.5), "429: slow"),
        (Answer::Header(503, "retry-after", "120"), false, Some(120.0), "answered 503"),
        (Answer::Status(500, "<html>\n"), false, None, "500: <html>"),
        (Answer::Status(408, ""), false, None, "408"),
        (
            Answer::Status(401, r#"{"ok":false,"description":"Unauthorized"}"#),
            true,
            None,
            "401: Unauthorized",
        ),
        (Answer::Status(404, "no_team"), true, None, "404: no_team"),
        (Answer::Header(302, "location", "http://127.0.0.1:1/"), true, None, "302"),
        (Answer::Header(400, "retry-after", "7"), true, None, "400"),
        (Answer::Header(429, "retry-after", "-1e99"), false, None, "429"),
    ];
    for (answer, is_permanent, retry_after, reason) in cases {
        for of in [discord_at, slack_at, telegram, webhook_at] {
            let error = failure(answer.clone(), of).await;
            assert_eq!(error.is_permanent, *is_permanent, "{answer:?}: {error}");
            assert_eq!(error.retry_after, retry_after.map(Duration::from_secs_f64), "{answer:?}");
            assert!(error.reason.contains(reason), "{answer:?}: {error}");
        }
    }
}

fn discord_at(url: String) -> ChannelKind {
    discord(&url)
}

fn slack_at(url: String) -> ChannelKind {
    slack(&url)
}

fn webhook_at(url: String) -> ChannelKind {
    ChannelKind::Webhook(webhook(&url))
}

#[tokio::test]
async fn a_server_that_is_silent_or_gone_may_come_back() {
    let silent = Server::start(Answer::Nothing).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = format!("http://{}/secret", listener.local_addr().unwrap());
    drop(listener);
    let cuts = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let cut = format!("http://{}/secret", cuts.local_addr().unwrap());
    drop(telemetry::task::spawn("cuts", async move { while cuts.accept().await.is_ok() {} }));
    let nowhere = "http://secret.invalid/secret".to_owned();
    for (url, timeout_ms) in [(silent.url("/secret"), 200), (gone, 5000), (cut, 5000), (nowhere, 5000)] {
        for of in [discord_at, slack_at, telegram, webhook_at] {
            let timeout = Duration::from_millis(timeout_ms);
            let config = ChannelConfig { timeout, ..ChannelConfig::new("ops", of(url.clone())) };
            let error = config.open().unwrap().send(&message()).await.unwrap_err();
            assert!(!error.is_permanent && error.retry_after.is_none(), "{error}");
            assert!(error.reason.contains("cannot be reached"), "{error}");
            assert!(!error.reason.contains("secret-token") && !error.reason.contains("/secret"), "{error}");
        }
    }
}

#[tokio::test]
async fn telegram_must_say_that_it_took_the_message() {
    let error = failure(Answer::Status(200, "<html>a portal</html>"), telegram).await;
    assert!(!error.is_permanent && error.reason.contains("did not say"), "{error}");
}

#[test]
fn settings_that_cannot_be_used_are_named_without_what_is_secret() {
    let good = "http://127.0.0.1:1/";
    let of = |change: fn(&mut WebhookConfig)| {
        let mut config = webhook(good);
        change(&mut config);
        refused(ChannelKind::Webhook(config))
    };
    for (error, reason) in [
        (refused(discord("hunter2")), "url is no address"),
        (refused(slack("ftp://hunter2/")), "url is no address"),
        (of(|config| config.secret = Some("whsec_hunter2!".into())), "secret is not Base64"),
        (of(|config| config.template = Some("{{ nothing }}".to_owned())), "template is wrong in line 1"),
        (
            of(|config| {
                config.headers.insert("a b".to_owned(), "hunter2".into());
            }),
            "header 'a b'",
        ),
        (of(|config| config.trust.ca_file = Some("/no/such.pem".into())), "/no/such.pem"),
        (of(|config| config.url = Secret::File("/no/such".into())), "/no/such"),
    ] {
        assert!(error.starts_with("channel 'ops': ") && error.contains(reason), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    let names = ["", "Ops", "a b", "ö", &"a".repeat(33)];
    assert!(names.iter().all(|name| ChannelConfig::new(*name, discord(good)).open().is_err()));
    let shown = format!("{:?}", discord("http://hunter2/"));
    assert!(!shown.contains("hunter2"), "{shown}");
}
