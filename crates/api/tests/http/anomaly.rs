//! The anomaly service through its router.

use std::sync::Arc;

use crate::support::{Collector, Reply, ask, four, get};
use api::{Access, AccessConfig, AnomalyConfig, AnomalyState, Searcher};
use axum::Router;
use serde_json::{Value, json};

const JSON: (&str, &str) = ("content-type", "application/json");
const TWO: &str = r#"[{"timestamp":"2024-06-01T12:00:00Z","level":"INFO","message":"User login","source":"auth"},{"timestamp":"2024-06-01T12:01:00Z","level":"ERROR","message":"Brute force detected","source":"auth"}]"#;
const ONE: &str = r#"{"timestamp":"2024-06-01T12:01:00Z","level":"ERROR","message":"Brute force detected","source":"auth"}"#;

struct Service {
    router: Router,
    _dir: tempfile::TempDir,
}

fn service(searcher: Option<Searcher>, config: AnomalyConfig) -> Service {
    let dir = tempfile::tempdir().unwrap();
    let state = AnomalyState {
        service: Arc::new(::anomaly::Service::open(::anomaly::Config::new(dir.path())).unwrap()),
        searcher,
        health: telemetry::health::Health::new(),
        metrics: telemetry::metric::install("test").unwrap(),
        config,
    };
    let router = api::guarded(api::anomaly(state), Access::new(&AccessConfig::default()));
    Service { router, _dir: dir }
}

async fn post(service: &Service, uri: &str, body: &str) -> Reply {
    ask(&service.router, "POST", uri, &[JSON], body).await
}

#[tokio::test]
async fn two_logs_warm_up_and_one_is_predicted() {
    let service = service(None, AnomalyConfig::default());
    let reply = post(&service, "/train", TWO).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!((&reply.json["state"], &reply.json["events"]), (&json!("warming-up"), &json!(2)));
    assert!(reply.json["needed"].as_u64().unwrap() > 0);
    assert_eq!(reply.json["rejected"], json!([]));
    for member in ["model", "templates", "duration_ms", "rejected_total"] {
        assert!(reply.json.get(member).is_some(), "{member}");
    }

    let check = |prediction: &Value| {
        let score = prediction["anomaly_score"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&score), "{prediction}");
        assert!(prediction["is_anomaly"].is_boolean() && prediction["reasons"].is_array(), "{prediction}");
        assert!(prediction["model"].is_string() && prediction["state"].is_string(), "{prediction}");
        assert!(prediction.get("template").is_some(), "{prediction}");
    };
    check(&post(&service, "/predict", ONE).await.json);
    let many = post(&service, "/predict", TWO).await.json;
    assert_eq!(many.as_array().unwrap().len(), 2);
    many.as_array().unwrap().iter().for_each(check);
}

#[tokio::test]
async fn records_that_cannot_be_read_are_named() {
    let service = service(None, AnomalyConfig::default());
    let half = format!("{ONE}\nnonsense\n");
    let cases = [
        ("/train", "nonsense", 422),
        ("/train", "", 400),
        ("/predict", "nonsense", 400),
        ("/predict", "", 400),
        ("/predict", "[]", 400),
        ("/train", "[]", 422),
    ];
    for (uri, body, expected) in cases {
        let reply = post(&service, uri, body).await;
        assert_eq!(reply.status, expected, "{uri} {body}: {}", reply.text);
        assert_eq!(reply.headers["content-type"], "application/problem+json", "{uri} {body}");
    }
    let ndjson = [("content-type", "application/x-ndjson")];
    let reply = ask(&service.router, "POST", "/train", &ndjson, &half).await;
    assert_eq!((reply.status, &reply.json["events"]), (200, &json!(1)), "{}", reply.text);
    assert_eq!((&reply.json["rejected_total"], &reply.json["rejected"][0]["line"]), (&json!(1), &json!(2)));
    let reply = ask(&service.router, "POST", "/predict", &ndjson, &half).await;
    assert_eq!(reply.json[1]["error"]["line"], 2, "{}", reply.text);
    assert!(reply.json[0]["anomaly_score"].is_number(), "{}", reply.text);
    let reply = ask(&service.router, "POST", "/predict", &[("content-type", "image/png")], ONE).await;
    assert_eq!(reply.status, 415);
}

#[tokio::test]
async fn many_events_make_a_job_that_can_be_asked_for() {
    let service = service(None, AnomalyConfig { train_sync_events: 1, ..AnomalyConfig::default() });
    let reply = post(&service, "/train", TWO).await;
    assert_eq!(reply.status, 202, "{}", reply.text);
    let location = reply.headers["location"].to_str().unwrap().to_owned();
    let job = loop {
        let reply = get(&service.router, &location).await;
        assert_eq!(reply.status, 200);
        if reply.json["state"] != "running" {
            break reply.json;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((&job["state"], &job["result"]["events"]), (&json!("done"), &json!(2)), "{job}");
    assert_eq!(get(&service.router, "/jobs/999").await.status, 404);
}

#[tokio::test]
async fn bounds_on_events() {
    let config = AnomalyConfig { train_events_max: 1, predict_events_max: 1, ..AnomalyConfig::default() };
    let service = service(None, config);
    for uri in ["/train", "/predict"] {
        let reply = post(&service, uri, TWO).await;
        assert_eq!((reply.status, &reply.json["code"]), (413, &json!("too_many_events")), "{uri}");
        assert_eq!(post(&service, uri, ONE).await.status, 200, "{uri}");
    }
}

#[tokio::test]
async fn learning_from_the_store() {
    let alone = service(None, AnomalyConfig::default());
    let reply = post(&alone, "/train", r#"{"source":"store"}"#).await;
    assert_eq!((reply.status, &reply.json["code"]), (400, &json!("no_store")));

    let collector = Collector::new();
    collector.append(&four()).await;
    let with_store = |config| service(Some(collector.searcher.clone()), config);
    let service = with_store(AnomalyConfig::default());
    for (body, status, pointer, expected) in [
        (r#"{"source":"store"}"#, 200, "/events", json!(4)),
        (r#"{"source":"store","query":"level:error"}"#, 200, "/events", json!(2)),
        (r#"{"source":"store","from":"2024-06-01T12:03:00Z"}"#, 200, "/events", json!(1)),
        (r#"{"source":"store","query":"nothing"}"#, 422, "/code", json!("nothing_to_learn")),
        (r#"{"source":"store","query":"(a"}"#, 400, "/field", json!("query")),
        (r#"{"source":"store","from":"never"}"#, 400, "/field", json!("from")),
        (r#"{"source":"store","query":1}"#, 400, "/field", json!("query")),
        (r#"{"source":"store","limit":1}"#, 400, "/field", json!("limit")),
        (r#"{"source":"store","message":"a log of a service named store"}"#, 200, "/events", json!(1)),
    ] {
        let reply = post(&service, "/train", body).await;
        assert_eq!(reply.status, status, "{body}: {}", reply.text);
        assert_eq!(reply.json.pointer(pointer), Some(&expected), "{body}: {}", reply.text);
    }

    let service = with_store(AnomalyConfig { train_sync_events: 1, ..AnomalyConfig::default() });
    let reply = post(&service, "/train", r#"{"source":"store"}"#).await;
    assert_eq!(reply.status, 202, "{}", reply.text);
}

#[tokio::test]
async fn models_probes_and_pages() {
    let service = service(None, AnomalyConfig::default());
    let model = get(&service.router, "/model").await;
    assert_eq!((model.status, &model.json["state"]), (200, &json!("warming-up")));
    assert!(get(&service.router, "/models").await.json["models"].is_array());
    let reply = post(&service, "/models/nonsense/activate", "").await;
    assert_eq!((reply.status, &reply.json["code"]), (404, &json!("model_not_found")));
    for uri in ["/livez", "/readyz", "/health", "/healthz", "/ready", "/metrics", "/openapi.json", "/docs"] {
        assert_eq!(get(&service.router, uri).await.status, 200, "{uri}");
    }
    assert_eq!(get(&service.router, "/train").await.status, 405);
}

#[tokio::test]
async fn feedback_is_given_listed_and_taken_back() {
    let service = service(None, AnomalyConfig::default());
    let given = format!(r#"{{"event":{ONE},"label":"bad","note":"an attack"}}"#);
    assert_eq!(post(&service, "/predict", ONE).await.json["is_anomaly"], json!(false));
    let reply = post(&service, "/feedback", &given).await;
    assert_eq!((reply.status, &reply.json["label"]), (200, &json!("bad")), "{}", reply.text);
    assert_eq!(reply.json["event"]["message"], "Brute force detected");
    assert_eq!(reply.json["holds_for"], "similar events");
    let predicted = post(&service, "/predict", ONE).await.json;
    assert_eq!((&predicted["is_anomaly"], predicted["anomaly_score"].as_f64()), (&json!(true), Some(0.5)));
    assert_eq!(predicted["reasons"], json!(["marked as bad by feedback 1"]));
    let listed = get(&service.router, "/feedback").await.json;
    assert_eq!(listed["feedback"], json!([reply.json]));
    let undone = ask(&service.router, "DELETE", "/feedback/1", &[], "").await;
    assert_eq!((undone.status, &undone.json), (200, &reply.json));
    assert_eq!(ask(&service.router, "DELETE", "/feedback/1", &[], "").await.status, 404);
    assert_eq!(ask(&service.router, "DELETE", "/feedback/x", &[], "").await.status, 404);
    assert_eq!(post(&service, "/predict", ONE).await.json["is_anomaly"], json!(false));
    for (body, field) in [
        ("nonsense".to_owned(), Value::Null),
        (format!(r#"{{"event":{ONE}}}"#), Value::Null),
        (format!(r#"{{"event":{ONE},"label":"odd"}}"#), json!("label")),
        (format!(r#"{{"event":{ONE},"label":"bad","id":3}}"#), Value::Null),
        (r#"{"event":[],"label":"bad"}"#.to_owned(), json!("event")),
        (format!(r#"{{"event":{ONE},"label":"bad","note":"{}"}}"#, "x".repeat(1025)), json!("note")),
    ] {
        let reply = post(&service, "/feedback", &body).await;
        assert_eq!((reply.status, &reply.json["field"]), (400, &field), "{body}: {}", reply.text);
    }
    assert_eq!(get(&service.router, "/feedback").await.json["feedback"], json!([]));
}

/// Logs of a shop as NDJSON, one every two seconds.
fn shop(from: u64, count: u64) -> String {
    let one = |n: u64| {
        let (time, ms) = (1_700_000_000 + n * 2, 5 + n * 13 % 40);
        format!(
            "{{\"timestamp\":{time},\"message\":\"GET /items/{} took {ms} ms\",\"source\":\"shop\"}}\n",
            n % 90
        )
    };
    (from..from + count).map(one).collect()
}

#[tokio::test]
async fn models_are_listed_compared_rolled_back_and_carried_elsewhere() {
    let service = service(None, AnomalyConfig::default());
    let ndjson = [("content-type", "application/x-ndjson")];
    let mut versions = vec![];
    for count in [2_500, 3_000] {
        let reply = ask(&service.router, "POST", "/train", &ndjson, &shop(0, count)).await;
        assert_eq!(reply.json["state"], "trained", "{}", reply.text);
        versions.push(reply.json["model"].as_str().unwrap().to_owned());
    }
    let (a, b) = (versions.remove(0), versions.remove(0));
    let card = get(&service.router, &format!("/models/{b}")).await.json;
    assert_eq!((&card["standing"], &card["trained_for"]), (&json!("serving"), &json!("request")), "{card}");
    assert_eq!(card["features"].as_array().unwrap().len(), 16);
    assert_eq!(get(&service.router, "/model").await.json["drift"]["state"], "stable");
    let compared = get(&service.router, &format!("/models/compare?a={a}&b={b}")).await;
    assert_eq!(compared.status, 200, "{}", compared.text);
    assert!(compared.json["events"].as_u64().unwrap() >= 256, "{}", compared.text);
    assert!(compared.json["rank_correlation"].is_number() && compared.json["a"]["flagged"].is_number());
    assert_eq!(get(&service.router, &format!("/models/compare?a={a}")).await.json["field"], "b");
    assert_eq!(get(&service.router, "/models/compare?a=x&b=y").await.status, 404);
    let reply = post(&service, "/models/rollback", "").await;
    assert_eq!((reply.status, &reply.json["version"]), (200, &json!(a)), "{}", reply.text);
    let reply = post(&service, "/models/rollback", "").await;
    assert_eq!((reply.status, &reply.json["code"]), (409, &json!("nothing_before")));
    let listed = get(&service.router, "/models").await.json;
    let standings: Vec<&Value> =
        listed["models"].as_array().unwrap().iter().map(|m| &m["standing"]).collect();
    assert_eq!(standings, [&json!("serving"), &json!("rolled-back")]);
    assert_eq!(get(&service.router, "/models/nonsense").await.status, 404);
    assert_eq!(get(&service.router, "/models/nonsense/export").await.status, 404);
    for body in ["", "no model", &"x".repeat(1_000)] {
        let reply = post(&service, "/models/import", body).await;
        assert_eq!((reply.status, &reply.json["code"]), (400, &json!("model_refused")), "{}", reply.text);
        assert!(reply.json["detail"].as_str().unwrap().contains("nothing changed"));
    }
    assert_eq!(post(&service, "/models/import", &"x".repeat(9 << 20)).await.status, 413);
}
