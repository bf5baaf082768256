//! Set-up against a real server. Start one with `infra/test/elasticsearch start` (or
//! `--flavor opensearch`), give its URL in `LOG_SENTINEL_TEST_ELASTICSEARCH`, and run with `--ignored`.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "the server's address comes from the environment")]

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use index::elasticsearch::{
    Body, Cluster, Config as ClusterConfig, Method, Request,
    setup::{self, Action, Config, Kind, Refusal, SetupError},
};
use serde_json::{Value as Json, json};

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A data stream name of its own on the shared server.
struct Bench {
    cluster: Cluster,
    config: Config,
}

impl Bench {
    fn new() -> Self {
        let url = std::env::var("LOG_SENTINEL_TEST_ELASTICSEARCH").unwrap();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let data_stream = format!("setup-{}-{number}", std::process::id());
        let retention = Some(Duration::from_secs(30 * 24 * 60 * 60));
        Self {
            cluster: Cluster::new(&ClusterConfig::new(vec![url])).unwrap(),
            config: Config { data_stream, retention, ..Config::default() },
        }
    }

    fn stream(&self) -> &str {
        &self.config.data_stream
    }

    async fn send(&self, method: Method, path: &str, body: Body) -> (u16, Json) {
        let (query, timeout) = (vec![], Duration::from_secs(60));
        let request = Request { method, path: path.into(), query, body, timeout, action: "test" };
        let answer = self.cluster.send(request).await.unwrap();
        (answer.status, answer.json().unwrap())
    }

    async fn get(&self, path: &str) -> Json {
        let (status, json) = self.send(Method::Get, path, Body::None).await;
        assert_eq!(status, 200, "{path}: {json}");
        json
    }

    async fn put(&self, path: &str, body: Json) {
        let (status, json) = self.send(Method::Put, path, Body::Json(body)).await;
        assert_eq!(status, 200, "{path}: {json}");
    }

    async fn set_up(&self, config: &Config) -> setup::Plan {
        let plan = setup::plan(&self.cluster, config).await.unwrap();
        setup::apply(&self.cluster, config, &plan).await.unwrap();
        plan
    }

    async fn plan(&self) -> setup::Plan {
        setup::plan(&self.cluster, &self.config).await.unwrap()
    }

    async fn refusals(&self) -> Vec<Refusal> {
        match setup::plan(&self.cluster, &self.config).await {
            Err(SetupError::Refused { refusals, .. }) => refusals,
            other => panic!("not refused: {other:?}"),
        }
    }

    /// Stores one document by a bulk `create`, as the index does.
    async fn store(&self, document: Json) {
        let lines = format!("{{\"create\":{{}}}}\n{document}\n");
        let path = format!("/{}/_bulk", self.stream());
        let (status, json) = self.send(Method::Post, &path, Body::Ndjson(lines.into())).await;
        assert_eq!((status, &json["errors"]), (200, &json!(false)), "{json}");
        self.send(Method::Post, &format!("/{}/_refresh", self.stream()), Body::None).await;
    }

    /// Settings below `index` of each backing index, the newest last.
    async fn settings(&self) -> Vec<Json> {
        let json = self.get(&format!("/{}/_settings", self.stream())).await;
        let mut indexes: Vec<_> = json.as_object().unwrap().iter().collect();
        indexes.sort_by_key(|(name, _)| (*name).clone());
        indexes.into_iter().map(|(_, index)| index["settings"]["index"].clone()).collect()
    }
}

fn document() -> Json {
    json!({
        "@timestamp": "2026-01-02T03:04:05.123456789Z",
        "message": "Failed password for root",
        "log": {"level": "warn"},
        "labels": {"deep": {"er": 1}}
    })
}

fn component(bench: &Bench, part: &str) -> String {
    format!("/_component_template/{}@{part}", bench.stream())
}

#[tokio::test]
#[ignore = "needs a server: infra/test/elasticsearch start"]
async fn a_fresh_server_is_set_up_once_and_takes_events() {
    let bench = Bench::new();
    let plan = bench.set_up(&bench.config).await;
    assert!(plan.steps.iter().all(|step| step.action == Action::Create), "{plan}");
    let again = bench.plan().await;
    assert!(again.is_empty() && !again.has_kept(), "{again}");
    assert!(again.to_string().contains("retention: 30d"), "{again}");
    let status = setup::status(&bench.cluster, &bench.config).await.unwrap();
    assert_eq!(status.stream, None);
    assert!(status.to_string().contains("state: ready"), "{status}");

    bench.store(document()).await;
    let status = setup::status(&bench.cluster, &bench.config).await.unwrap();
    let stream = status.stream.unwrap();
    assert_eq!((stream.indexes, stream.documents), (1, 1));
    assert!(stream.bytes > 0);
    let mappings = bench.get(&format!("/{}/_mapping", bench.stream())).await;
    let mappings = mappings.as_object().unwrap().values().next().unwrap();
    let kind = |field: &str| mappings["mappings"]["properties"][field]["type"].as_str().unwrap().to_owned();
    assert!(["flattened", "flat_object"].contains(&kind("labels").as_str()));
    assert_eq!(kind("message"), "text");
    let after = bench.plan().await;
    assert!(after.is_empty(), "the stream that began with the template needs nothing:\n{after}");
}

#[tokio::test]
#[ignore = "needs a server: infra/test/elasticsearch start"]
async fn two_at_the_same_time_come_to_the_same() {
    let bench = Bench::new();
    tokio::join!(bench.set_up(&bench.config), bench.set_up(&bench.config));
    assert!(bench.plan().await.is_empty());
}

#[tokio::test]
#[ignore = "needs a server: infra/test/elasticsearch start"]
async fn an_upgrade_reaches_the_next_index() {
    let bench = Bench::new();
    bench.set_up(&bench.config).await;
    bench.store(document()).await;
    let more = Config { shards: Some(2), replicas: Some(0), ..bench.config.clone() };
    let plan = bench.set_up(&more).await;
    assert!(plan.roll_over, "{plan}");
    let shards: Vec<Json> =
        bench.settings().await.iter().map(|index| index["number_of_shards"].clone()).collect();
    assert_eq!(shards, [json!("1"), json!("2")]);
    let after = setup::plan(&bench.cluster, &more).await.unwrap();
    assert!(after.is_empty(), "{after}");
    bench.store(document()).await;
    let status = setup::status(&bench.cluster, &more).await.unwrap();
    assert_eq!(status.stream.unwrap().documents, 2);
}

#[tokio::test]
#[ignore = "needs a server: infra/test/elasticsearch start"]
async fn an_upgrade_cut_short_before_the_rollover_is_finished_by_the_next() {
    let bench = Bench::new();
    bench.set_up(&bench.config).await;
    bench.store(document()).await;
    let more = Config { shards: Some(2), ..bench.config.clone() };
    let mut plan = setup::plan(&bench.cluster, &more).await.unwrap();
    plan.roll_over = false;
    setup::apply(&bench.cluster, &more, &plan).await.unwrap();
    let rest = setup::plan(&bench.cluster, &more).await.unwrap();
    assert!(rest.roll_over && rest.steps.iter().all(|step| step.action == Action::Unchanged), "{rest}");
}

#[tokio::test]
#[ignore = "needs a server: infra/test/elasticsearch start"]
async fn what_an_operator_changed_stays() {
    let bench = Bench::new();
    bench.set_up(&bench.config).await;
    let path = component(&bench, "settings");
    let mut changed = bench.get(&path).await["component_templates"][0]["component_template"].clone();
    // Newer servers tell these and refuse to be told them.
    for key in ["created_date_millis", "modified_date_millis", "created_date", "modified_date"] {
        changed.as_object_mut().unwrap().remove(key);
    }
    changed["template"]["settings"]["index"]["refresh_interval"] = json!("77s");
    bench.put(&path, changed).await;

    let more = Config { shards: Some(2), ..bench.config.clone() };
    let plan = bench.set_up(&more).await;
    assert!(plan.has_kept(), "{plan}");
    assert!(plan.to_string().contains("settings.index.refresh_interval: the server has 77s"), "{plan}");
    bench.store(document()).await;
    let settings = bench.settings().await;
    assert_eq!(settings[0]["refresh_interval"], "77s");
    assert_eq!(settings[0]["number_of_shards"], "1", "the whole object is left alone");
}

#[tokio::test]
#[ignore = "needs a server: infra/test/elasticsearch start"]
async fn own_additions_win_and_survive_upgrades() {
    let bench = Bench::new();
    bench.set_up(&bench.config).await;
    let own = json!({"template": {
        "settings": {"index": {"refresh_interval": "9s"}},
        "mappings": {"properties": {"own": {"properties": {"number": {"type": "long"}}}}}
    }});
    bench.put(&component(&bench, "custom"), own).await;
    let more = Config { shards: Some(2), ..bench.config.clone() };
    let plan = bench.set_up(&more).await;
    assert!(!plan.has_kept(), "{plan}");
    bench.store(document()).await;
    let settings = bench.settings().await;
    assert_eq!(
        (&settings[0]["refresh_interval"], &settings[0]["number_of_shards"]),
        (&json!("9s"), &json!("2"))
    );
    let mappings = bench.get(&format!("/{}/_mapping", bench.stream())).await.to_string();
    assert!(mappings.contains(r#""number":{"type":"long"}"#), "{mappings}");
    let after = setup::plan(&bench.cluster, &more).await.unwrap();
    assert!(after.is_empty(), "{after}");
}

#[tokio::test]
#[ignore = "needs a server: infra/test/elasticsearch start"]
async fn an_index_or_alias_of_the_name_is_refused() {
    let bench = Bench::new();
    let stream = bench.stream().to_owned();
    bench.put(&format!("/{stream}"), json!({})).await;
    assert_eq!(bench.refusals().await, [Refusal::Index]);
    bench.send(Method::Delete, &format!("/{stream}"), Body::None).await;

    bench.put(&format!("/{stream}-old"), json!({"aliases": {stream.clone(): {}}})).await;
    assert_eq!(bench.refusals().await, [Refusal::Alias { indexes: vec![format!("{stream}-old")] }]);
    let (status, _) = bench.send(Method::Get, &format!("/_index_template/{stream}"), Body::None).await;
    assert_eq!(status, 404, "nothing was written");
}

#[tokio::test]
#[ignore = "needs a server: infra/test/elasticsearch start"]
async fn a_stream_with_foreign_mappings_is_refused() {
    let bench = Bench::new();
    let stream = bench.stream().to_owned();
    let foreign = json!({"index_patterns": [stream], "priority": 1, "data_stream": {}});
    bench.put(&format!("/_index_template/{stream}-foreign"), foreign).await;
    // Dynamic mappings: the level becomes a text.
    bench.store(document()).await;
    let text = setup::plan(&bench.cluster, &bench.config).await.unwrap_err().to_string();
    assert!(text.contains("log.level.type: the server has text, wanted is keyword"), "{text}");
    assert!(text.contains("set ELASTIC_INDEX to another name"), "{text}");
    let status = setup::status(&bench.cluster, &bench.config).await.unwrap();
    assert!(status.to_string().contains("state: refused"), "{status}");
}

#[tokio::test]
#[ignore = "needs a server: infra/test/elasticsearch start"]
async fn a_template_that_would_win_is_refused() {
    let bench = Bench::new();
    let stream = bench.stream().to_owned();
    let foreign = json!({"index_patterns": [format!("{stream}*")], "priority": 900, "data_stream": {}});
    bench.put(&format!("/_index_template/{stream}-foreign"), foreign).await;
    let refusals = bench.refusals().await;
    assert!(matches!(&refusals[..], [Refusal::Template { priority: 900, .. }]), "{refusals:?}");
    bench.send(Method::Delete, &format!("/_index_template/{stream}-foreign"), Body::None).await;
    assert!(!bench.plan().await.is_empty());
}

#[tokio::test]
#[ignore = "needs a server: infra/test/elasticsearch start"]
async fn somebody_elses_template_of_the_name_is_refused() {
    let bench = Bench::new();
    bench
        .put(
            &component(&bench, "settings"),
            json!({"template": {"settings": {"index": {"codec": "default"}}}}),
        )
        .await;
    let name = format!("{}@settings", bench.stream());
    assert_eq!(bench.refusals().await, [Refusal::Object { kind: Kind::Component, name }]);
}
