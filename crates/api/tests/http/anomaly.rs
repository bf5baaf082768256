//! The anomaly service through its router.

use std::{
    fs,
    ops::ControlFlow,
    path::Path,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use crate::{
    collector::Broken,
    support::{Collector, Reply, ask, four, get},
};
use ::anomaly::{Config, build_starter};
use api::{Access, AccessConfig, AnomalyConfig, AnomalyState, CollectorConfig};
use axum::Router;
use event::{Event, EventId, JournalId, Position, Timestamp};
use search::Searcher;
use serde_json::{Value, json};
use telemetry::task::Stop;

const JSON: (&str, &str) = ("content-type", "application/json");
const TWO: &str = r#"[{"timestamp":"2024-06-01T12:00:00Z","level":"INFO","message":"User login","source":"auth"},{"timestamp":"2024-06-01T12:01:00Z","level":"ERROR","message":"Brute force detected","source":"auth"}]"#;
const ONE: &str = r#"{"timestamp":"2024-06-01T12:01:00Z","level":"ERROR","message":"Brute force detected","source":"auth"}"#;

struct Service {
    router: Router,
    inner: Arc<::anomaly::Service>,
    stop: Stop,
    dir: tempfile::TempDir,
}

fn service(searcher: Option<Searcher>, config: AnomalyConfig) -> Service {
    in_dir(tempfile::tempdir().unwrap(), searcher, config)
}

fn in_dir(dir: tempfile::TempDir, searcher: Option<Searcher>, config: AnomalyConfig) -> Service {
    let inner = Arc::new(::anomaly::Service::open(Config::new(dir.path())).unwrap());
    let stop = Stop::new();
    let state = AnomalyState {
        service: Arc::clone(&inner),
        searcher,
        trainings: api::Trainings::default(),
        stop: stop.clone(),
        health: telemetry::health::Health::new(),
        metrics: telemetry::metric::install("test").unwrap(),
        config,
    };
    let router =
        api::guarded(api::anomaly(state), Access::new(&AccessConfig::default()), &api::anomaly_routes());
    Service { router, inner, stop, dir }
}

/// A router of a service that knows nothing.
pub(crate) fn router() -> Router {
    service(None, AnomalyConfig::default()).router
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
async fn a_log_that_was_cut_is_said_to_be() {
    let service = service(None, AnomalyConfig { line_bytes_max: 1000, ..AnomalyConfig::default() });
    for (length, expected) in [(1000, &Value::Null), (1001, &json!(true))] {
        let log = json!({"message": "x".repeat(length)}).to_string();
        let reply = post(&service, "/predict", &log).await;
        assert_eq!((reply.status, &reply.json["truncated"]), (200, expected), "{length}");
    }
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
    let job = ended(&service, &reply).await;
    assert_eq!((&job["state"], &job["result"]["events"]), (&json!("done"), &json!(2)), "{job}");
    assert_eq!((&job["events"], &job["total"], &job["stage"]), (&json!(2), &json!(2), &Value::Null));
    assert_eq!(get(&service.router, "/jobs/999").await.status, 404);
}

/// The job that was begun, once it has ended.
async fn ended(service: &Service, begun: &Reply) -> Value {
    assert_eq!(begun.status, 202, "{}", begun.text);
    let location = begun.headers["location"].to_str().unwrap();
    let start = Instant::now();
    loop {
        let reply = get(&service.router, location).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        if reply.json["state"] != "running" {
            return reply.json;
        }
        assert!(start.elapsed() < Duration::from_secs(120), "it never ended: {}", reply.text);
        tokio::task::yield_now().await;
    }
}

/// A training that holds all others up until it is let go, and comes to nothing.
struct Held {
    go: mpsc::SyncSender<()>,
    thread: thread::JoinHandle<()>,
}

impl Held {
    fn new(service: &Service) -> Self {
        let (begun, begins) = mpsc::sync_channel(1);
        let (go, wait) = mpsc::sync_channel(1);
        let inner = Arc::clone(&service.inner);
        let work = move || {
            let one = [Event::new("held up", Timestamp::MIN)];
            let cancelled = inner.train_watched(&one, &mut |_| {
                begun.send(()).unwrap();
                wait.recv().unwrap();
                ControlFlow::Break(())
            });
            assert!(cancelled.is_err());
        };
        let thread = thread::Builder::new().name("held".to_owned()).spawn(work).unwrap();
        begins.recv().unwrap();
        Self { go, thread }
    }

    fn let_go(self) {
        self.go.send(()).unwrap();
        self.thread.join().unwrap();
    }
}

#[tokio::test]
async fn a_job_is_cancelled_and_the_model_before_serves_on() {
    let service = service(None, AnomalyConfig { train_sync_events: 2_500, ..AnomalyConfig::default() });
    let ndjson = [("content-type", "application/x-ndjson")];
    let train = async |count| ask(&service.router, "POST", "/train", &ndjson, shop(0, count)).await;
    let cancel = async |uri: &str| ask(&service.router, "DELETE", uri, &[], "").await;
    let first = train(2_500).await.json["model"].clone();
    assert!(first.as_str().is_some_and(|version| !version.is_empty()));

    let held = Held::new(&service);
    let begun = train(3_000).await;
    let location = begun.headers["location"].to_str().unwrap().to_owned();
    let job = get(&service.router, &location).await.json;
    assert_eq!((&job["state"], &job["stage"]), (&json!("running"), &json!("training")), "{job}");
    assert_eq!((&job["events"], &job["total"]), (&json!(0), &json!(3_000)), "{job}");
    assert_eq!(train(1).await.status, 429, "one at a time");
    let reply = cancel(&location).await;
    assert_eq!((reply.status, &reply.json["state"]), (202, &json!("running")), "{}", reply.text);
    held.let_go();
    let job = ended(&service, &begun).await;
    assert_eq!((&job["state"], &job["events"]), (&json!("cancelled"), &json!(0)), "{job}");
    assert!(job.get("result").is_none() && job.get("error").is_none(), "{job}");
    assert_eq!(get(&service.router, "/model").await.json["version"], first);
    assert_eq!(get(&service.router, "/models").await.json["models"].as_array().unwrap().len(), 1);

    let reply = cancel(&location).await;
    assert_eq!((reply.status, &reply.json["code"]), (409, &json!("job_ended")), "{}", reply.text);
    assert_eq!(cancel("/jobs/999").await.json["code"], "job_not_found");
    // The turn is free again.
    let job = ended(&service, &train(3_000).await).await;
    assert_eq!((&job["state"], &job["events"]), (&json!("done"), &json!(3_000)), "{job}");
    assert_eq!(get(&service.router, "/model").await.json["version"], job["result"]["model"]);
}

#[tokio::test]
async fn a_job_that_reads_the_store_is_cancelled() {
    let hanging = Arc::new(Broken { hangs: true, counts: 900_000, ..Broken::default() });
    let collector = Collector::with(hanging, CollectorConfig::default(), search::Config::default());
    let service = service(Some(collector.searcher.clone()), AnomalyConfig::default());
    let begun = post(&service, "/train", r#"{"source":"store"}"#).await;
    let location = begun.headers["location"].to_str().unwrap().to_owned();
    let job = get(&service.router, &location).await.json;
    assert_eq!((&job["stage"], &job["total"]), (&json!("reading"), &json!(500_000)), "{job}");
    assert_eq!(ask(&service.router, "DELETE", &location, &[], "").await.status, 202);
    assert_eq!(ended(&service, &begun).await["state"], "cancelled");
    assert_eq!(post(&service, "/train", ONE).await.status, 200, "the turn is free again");
}

#[tokio::test]
async fn a_stop_waits_for_no_prediction() {
    let service = service(None, AnomalyConfig::default());
    assert_eq!(post(&service, "/predict", TWO).await.status, 200);
    service.stop.cancel();
    let reply = post(&service, "/predict", TWO).await;
    assert_eq!((reply.status, &reply.json["code"]), (503, &json!("stopping")), "{}", reply.text);
}

#[tokio::test]
async fn a_stop_waits_for_no_training() {
    let service = service(None, AnomalyConfig { train_sync_events: 1, ..AnomalyConfig::default() });
    let held = Held::new(&service);
    let begun = post(&service, "/train", TWO).await;
    service.stop.cancel();
    held.let_go();
    assert_eq!(ended(&service, &begun).await["state"], "cancelled");
    let reply = post(&service, "/train", ONE).await;
    assert_eq!((reply.status, &reply.json["code"]), (503, &json!("stopping")), "{}", reply.text);
    assert_eq!(get(&service.router, "/model").await.json["version"], "");
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
    let threshold = get(&service.router, "/model").await.json["threshold"].as_f64().unwrap();
    let score = predicted["anomaly_score"].as_f64().unwrap();
    assert!(
        predicted["is_anomaly"] == json!(true) && (threshold..threshold + 0.001).contains(&score),
        "{predicted}"
    );
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
    assert_eq!(post(&service, "/models/import", &"x".repeat(33 << 20)).await.status, 413);
}

const MODELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/");

#[tokio::test]
async fn starters_serve_from_the_first_event_on() {
    let service = service(None, AnomalyConfig::default());
    let send = async |body: Vec<u8>| {
        let octets = [("content-type", "application/octet-stream")];
        ask(&service.router, "POST", "/starters", &octets, body).await
    };
    assert_eq!(get(&service.router, "/starters").await.json, json!({"starters": [], "most": 16}));
    let made = fs::read(Path::new(MODELS).join("sshd-auth.starter")).unwrap();
    let mut newer = made[..made.len() - 32].to_vec();
    newer[8] = 9;
    newer.extend_from_slice(blake3::hash(&newer.clone()).as_bytes());
    for (body, words) in [
        (Vec::new(), "nothing changed"),
        (b"LSMODEL and something else altogether".to_vec(), "it begins with other bytes"),
        (made[..made.len() - 1].to_vec(), "damaged"),
        (newer, "format version 9"),
    ] {
        let reply = send(body).await;
        assert_eq!((reply.status, &reply.json["code"]), (400, &json!("starter_refused")), "{}", reply.text);
        assert!(reply.json["detail"].as_str().unwrap().contains(words), "{}", reply.text);
    }
    assert_eq!(send(vec![0; (8 << 20) + 1]).await.status, 413);
    assert_eq!(get(&service.router, "/model").await.json["state"], "warming-up", "nothing changed");

    let reply = send(made).await;
    assert_eq!((reply.status, &reply.json["trained_for"]), (200, &json!("starter")), "{}", reply.text);
    assert_eq!((&reply.json["state"], &reply.json["active"]), (&json!("trained"), &json!(true)));
    assert!(reply.json["needed"].as_u64().unwrap() > 0, "one of its own is still to come");
    let log = r#"{"message":"Invalid user oracle from 198.51.100.7","source":"sshd"}"#;
    let predicted = post(&service, "/predict", log).await.json;
    assert_eq!(predicted["state"], "scored", "{predicted}");
    assert!(predicted["template"]["text"].is_string(), "known beforehand: {predicted}");
    assert_eq!(send(fs::read(Path::new(MODELS).join("web-access.starter")).unwrap()).await.status, 200);
    let listed = get(&service.router, "/starters").await.json;
    let names: Vec<&Value> =
        listed["starters"].as_array().unwrap().iter().map(|starter| &starter["name"]).collect();
    assert_eq!(names, ["sshd-auth", "web-access"]);
    assert!(listed["starters"][0]["events"].as_u64() > listed["starters"][0]["templates"].as_u64());
    assert_eq!(get(&service.router, "/model").await.json["events"], 17_121);

    // A file that was damaged since is named after a restart.
    let Service { router, inner, dir, .. } = service;
    drop((router, inner));
    fs::write(dir.path().join("starters/sshd-auth.starter"), "no starter").unwrap();
    let again = in_dir(dir, None, AnomalyConfig::default());
    let listed = get(&again.router, "/starters").await.json;
    assert_eq!(listed["starters"].as_array().unwrap().len(), 1, "{listed}");
    let problems = listed["problems"].as_array().unwrap();
    assert!(problems.len() == 1 && problems[0].as_str().unwrap().contains("sshd-auth.starter"), "{listed}");
}

#[tokio::test]
async fn starters_are_bounded_in_number() {
    let service = service(None, AnomalyConfig::default());
    // With a model of its own none has to be made each time.
    let ndjson = [("content-type", "application/x-ndjson")];
    assert_eq!(ask(&service.router, "POST", "/train", &ndjson, shop(0, 2_000)).await.status, 200);
    let events: Vec<Event<'_>> = (0..100)
        .map(|n| Event::new(format!("took {n} ms"), Timestamp::saturating_from_nanos(n * 1_000_000_000)))
        .collect();
    for n in 0..17 {
        let made = build_starter(&format!("kind-{n}"), &events).unwrap();
        let reply = ask(&service.router, "POST", "/starters", &[], made).await;
        let expected = if n < 16 { (200, Value::Null) } else { (409, json!("starters_full")) };
        assert_eq!((reply.status, reply.json["code"].clone()), expected, "{n}: {}", reply.text);
    }
    assert_eq!(get(&service.router, "/starters").await.json["starters"].as_array().unwrap().len(), 16);
}

/// Messages of one request after the other, each with an id of its own; some lack a step or have one more.
fn requests() -> Vec<(EventId, Event<'static>)> {
    let mut events = Vec::new();
    for n in 0..600_u64 {
        let id = format!("{:016x}", (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut steps = vec![
            format!("request {id} accepted"),
            format!("checked the rights of request {id}"),
            format!("stored request {id} in {} ms", 5 + n % 20),
            format!("answered request {id}"),
        ];
        match n {
            500 => drop(steps.remove(2)),
            550 => steps.insert(3, format!("rolled back request {id}")),
            _ => {}
        }
        for (step, message) in (0..).zip(steps) {
            let nanos = 1_700_000_000_000_000_000 + i128::from(n * 20 + step) * 1_000_000_000;
            let mut event = Event::new(message, Timestamp::saturating_from_nanos(nanos));
            event.source = Some("orders".into());
            let position = Position { segment: 3, record: events.len() as u32 };
            events.push((EventId { journal: JournalId(7), position }, event));
        }
    }
    events
}

#[tokio::test]
async fn strange_sessions_are_listed_the_latest_first() {
    let service = service(None, AnomalyConfig::default());
    let none = get(&service.router, "/sessions").await;
    assert_eq!((none.status, &none.json["sessions"], &none.json["found"]), (200, &json!([]), &json!(0)));
    let events = requests();
    let of = |n: u64| format!("{:016x}", (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let ids: Vec<String> = {
        let of_500 = events.iter().filter(|(_, event)| event.message.contains(&of(500)));
        of_500.map(|(id, _)| id.to_string()).collect()
    };
    let end = events.last().unwrap().0.position.next();
    service.inner.analyze(events, end);

    let all = get(&service.router, "/sessions").await.json;
    let sessions = all["sessions"].as_array().unwrap();
    let keys: Vec<&Value> = sessions.iter().map(|session| &session["key"]).collect();
    assert_eq!(keys, [&json!(of(550)), &json!(of(500))], "{all:#}");
    assert_eq!((&all["found"], &all["evicted"]), (&json!(2), &json!(0)));
    assert!(all["open"].as_u64().unwrap() > 0 && all["ended"].as_u64().unwrap() > 500, "{all}");
    let short = &sessions[1];
    assert_eq!((&short["first"], &short["last"]), (&json!(ids[0]), &json!(ids[2])), "{short:#}");
    assert_eq!((&short["events"], &short["from"]), (&json!(3), &json!("2023-11-15T01:00:00Z")), "{short:#}");
    assert!(["closed", "silent"].contains(&short["end"].as_str().unwrap()), "{short:#}");
    for (session, words) in [(short, "stored request"), (&sessions[0], "rolled back request")] {
        let reasons = session["reasons"].to_string();
        assert!(reasons.contains(words), "{session:#}");
        let score = session["score"].as_f64().unwrap();
        assert!(score > 0.0 && score <= 1.0 && session["p_value"].as_f64().unwrap() < 0.05, "{session:#}");
        let nearest = session["nearest"].as_array().unwrap();
        assert_eq!(nearest.len(), 4, "the four steps of an ordinary request: {session:#}");
        assert!(nearest.iter().all(|one| one["count"] == 1 && one["template"].is_string()), "{session:#}");
        assert!(session["kind"].is_string(), "{session:#}");
    }
    let one = get(&service.router, "/sessions?limit=1").await.json;
    assert_eq!(one["sessions"], json!([sessions[0]]));
    assert_eq!(get(&service.router, "/sessions?limit=0").await.json["sessions"], json!([]));
    assert_eq!(get(&service.router, "/sessions?limit=256").await.status, 200);
    for (query, field) in [("limit=257", "limit"), ("limit=x", "limit"), ("limits=1", "limits")] {
        let reply = get(&service.router, &format!("/sessions?{query}")).await;
        assert_eq!((reply.status, &reply.json["field"]), (400, &json!(field)), "{}", reply.text);
    }
}

/// Whether `/predict` finds the template of a message, and which.
async fn template_of(service: &Service, message: &str) -> Value {
    let log = json!({"message": message, "source": "shop"}).to_string();
    post(service, "/predict", &log).await.json["template"].clone()
}

async fn learn(service: &Service, message: &str) {
    let reply = post(service, "/train", &json!({"message": message}).to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

#[tokio::test]
async fn templates_are_named_pinned_split_merged_and_it_is_undone() {
    let service = service(None, AnomalyConfig::default());
    let ndjson = [("content-type", "application/x-ndjson")];
    let more = "{\"message\":\"queue alpha full\"}\n{\"message\":\"queue beta full\"}\n";
    let reply = ask(&service.router, "POST", "/train", &ndjson, shop(0, 300) + more).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let line = |path: u64, ms: u64| format!("GET /items/{path} took {ms} ms");
    let whole = template_of(&service, &line(3, 18)).await;
    let id = whole["id"].as_str().unwrap().to_owned();
    let listed = get(&service.router, "/templates?q=TOOK&limit=10").await;
    assert!(
        listed.json["templates"].as_array().unwrap().iter().any(|one| one["id"] == id),
        "{}",
        listed.text
    );
    assert!(listed.json["total"].as_u64().unwrap() >= 1);

    let at = |what: &str| format!("/templates/{id}/{what}");
    let named = post(&service, &at("name"), r#"{"name":"pages"}"#).await;
    assert_eq!((named.status, &named.json["operation"]), (200, &json!("name")), "{}", named.text);
    assert_eq!((&named.json["name"], &named.json["in_effect"]), (&json!("pages"), &json!(true)));
    assert_eq!(named.json["templates"][0]["id"], id);
    assert_eq!(template_of(&service, &line(4, 9)).await["name"], "pages");
    assert_eq!(get(&service.router, "/templates?q=Pages").await.json["total"], 1);
    let pinned = post(&service, &at("pin"), "").await;
    assert_eq!((pinned.status, &pinned.json["operation"]), (200, &json!("pin")), "{}", pinned.text);
    let reply = post(&service, &at("pin"), "").await;
    assert_eq!((reply.status, &reply.json["code"]), (409, &json!("already_so")), "{}", reply.text);
    let one = get(&service.router, &format!("/templates/{id}")).await.json;
    assert_eq!((&one["pinned"], &one["name"], &one["split"]), (&json!(true), &json!("pages"), &json!(false)));
    let variables = one["variables"].as_array().unwrap().len();

    let split = post(&service, &at("split"), &format!(r#"{{"variable":{variables}}}"#)).await;
    assert_eq!((split.status, &split.json["variable"]), (200, &json!(variables)), "{}", split.text);
    // Each part is there once a line of it has come.
    learn(&service, &line(5, 18)).await;
    let part = template_of(&service, &line(5, 18)).await;
    assert!(part["id"] != json!(id) && part["text"].as_str().unwrap().ends_with("took 18 ms"), "{part}");
    let part = get(&service.router, &format!("/templates/{}", part["id"].as_str().unwrap())).await.json;
    assert_eq!(part["part_of"], id, "{part}");
    let reply = post(&service, &at("split"), &format!(r#"{{"variable":{variables}}}"#)).await;
    assert_eq!((reply.status, &reply.json["code"]), (409, &json!("already_so")), "{}", reply.text);

    let queues =
        [template_of(&service, "queue alpha full").await, template_of(&service, "queue beta full").await];
    let merge = json!({"templates": [queues[0]["id"], queues[1]["id"]]}).to_string();
    let merged = post(&service, "/templates/merge", &merge).await;
    assert_eq!((merged.status, &merged.json["operation"]), (200, &json!("merge")), "{}", merged.text);
    let result = merged.json["result"]["id"].as_str().unwrap().to_owned();
    learn(&service, "queue gamma full").await;
    assert_eq!(template_of(&service, "queue gamma full").await["id"], result, "it takes in further lines");
    let aliases = get(&service.router, &format!("/templates/{result}")).await.json["aliases"].clone();
    for queue in &queues {
        assert!(aliases.as_array().unwrap().contains(&queue["id"]), "{aliases}");
        let old = format!("/templates/{}", queue["id"].as_str().unwrap());
        assert_eq!(get(&service.router, &old).await.json["id"], result, "the old id still finds it");
    }

    let all = get(&service.router, "/templates/operations").await.json;
    assert_eq!(all["operations"], json!([named.json, pinned.json, split.json, merged.json]), "{all:#}");
    assert!(all["most"].as_u64().unwrap() >= 100 && all.get("problem").is_none());
    for (operation, message, before) in
        [(&merged, "queue alpha full".to_owned(), &queues[0]["id"]), (&split, line(6, 18), &json!(id))]
    {
        let uri = format!("/templates/operations/{}", operation.json["id"]);
        let undone = ask(&service.router, "DELETE", &uri, &[], "").await;
        assert_eq!((undone.status, &undone.json["id"]), (200, &operation.json["id"]), "{}", undone.text);
        assert_eq!(template_of(&service, &message).await["id"], *before);
        let again = ask(&service.router, "DELETE", &uri, &[], "").await;
        assert_eq!((again.status, &again.json["code"]), (404, &json!("operation_not_found")));
    }
    assert_eq!(
        get(&service.router, "/templates/operations").await.json["operations"].as_array().unwrap().len(),
        2
    );
}

#[tokio::test]
async fn what_cannot_be_done_to_templates_is_refused_with_its_reason() {
    let service = service(None, AnomalyConfig::default());
    let ndjson = [("content-type", "application/x-ndjson")];
    let reply = ask(
        &service.router,
        "POST",
        "/train",
        &ndjson,
        shop(0, 300) + "{\"message\":\"queue alpha full\"}\n",
    )
    .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let id = template_of(&service, "GET /items/3 took 18 ms").await["id"].as_str().unwrap().to_owned();
    let other = template_of(&service, "queue alpha full").await["id"].as_str().unwrap().to_owned();
    let merge = |ids: &[&str]| json!({"templates": ids}).to_string();
    const UNKNOWN: &str = "0123456789abcdef";
    for (uri, body) in [
        (format!("/templates/{UNKNOWN}/name"), r#"{"name":"x"}"#.to_owned()),
        (format!("/templates/{UNKNOWN}/pin"), String::new()),
        (format!("/templates/{UNKNOWN}/split"), r#"{"variable":1}"#.to_owned()),
        ("/templates/nonsense/pin".to_owned(), String::new()),
        ("/templates/merge".to_owned(), merge(&[UNKNOWN, &id])),
    ] {
        let reply = post(&service, &uri, &body).await;
        assert_eq!(
            (reply.status, &reply.json["code"]),
            (404, &json!("template_not_found")),
            "{uri}: {}",
            reply.text
        );
    }
    for uri in [format!("/templates/{UNKNOWN}"), "/templates/nonsense".to_owned()] {
        assert_eq!(get(&service.router, &uri).await.json["code"], "template_not_found", "{uri}");
    }
    for uri in ["/templates/operations/1", "/templates/operations/x"] {
        let reply = ask(&service.router, "DELETE", uri, &[], "").await;
        assert_eq!((reply.status, &reply.json["code"]), (404, &json!("operation_not_found")), "{uri}");
    }
    let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(257));
    for (what, body, field) in [
        ("name", "nonsense", Value::Null),
        ("name", "{}", Value::Null),
        ("name", r#"{"name":"x","other":1}"#, Value::Null),
        ("name", r#"{"name":""}"#, json!("name")),
        ("name", &long, json!("name")),
        ("split", "{}", json!("variable")),
        ("split", r#"{"variable":1,"example":"x"}"#, json!("variable")),
        ("split", r#"{"variable":99}"#, json!("variable")),
        ("split", r#"{"variable":0}"#, json!("variable")),
        ("split", r#"{"example":"queue alpha full"}"#, json!("example")),
    ] {
        let reply = post(&service, &format!("/templates/{id}/{what}"), body).await;
        assert_eq!((reply.status, &reply.json["field"]), (400, &field), "{what} {body}: {}", reply.text);
    }
    let (id, other) = (&*id, &*other);
    for ids in [&[][..], &[id], &[id, id], &[id, other], &[id, "nonsense"]] {
        let reply = post(&service, "/templates/merge", &merge(ids)).await;
        assert_eq!(
            (reply.status, &reply.json["field"]),
            (400, &json!("templates")),
            "{ids:?}: {}",
            reply.text
        );
    }
    for (query, field) in [("limit=1001", "limit"), ("size=1", "size")] {
        let reply = get(&service.router, &format!("/templates?{query}")).await;
        assert_eq!((reply.status, &reply.json["field"]), (400, &json!(field)), "{}", reply.text);
    }
    assert_eq!(get(&service.router, "/templates/operations").await.json["operations"], json!([]));
}
