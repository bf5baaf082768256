//! Against a real server, whose address stands in `LOG_SENTINEL_TEST_ELASTICSEARCH`.

use std::time::Duration;

use event::{Batch, Timestamp};
use index::{
    Index,
    elasticsearch::{Body, Cluster, Config, Flavor, Method, Request, Rollover},
};
use serde_json::{Value as Json, json};
use telemetry::ledger;

use super::{JOURNAL, Setting, alone, at, batch, collisions::others, open};

fn address() -> String {
    #[expect(clippy::disallowed_methods, reason = "a test's own setting")]
    let address = std::env::var("LOG_SENTINEL_TEST_ELASTICSEARCH");
    address.unwrap_or_else(|_| panic!("LOG_SENTINEL_TEST_ELASTICSEARCH names a server"))
}

/// A data stream of its own, empty, on the real server.
struct Place {
    config: Config,
    cluster: Cluster,
}

impl Place {
    async fn new(name: &str) -> Self {
        let config = Config {
            data_stream: format!("logs-writer-{name}"),
            retry_min: Duration::from_millis(10),
            retry_max: Duration::from_millis(200),
            write_wait: super::LONG,
            upkeep_interval: Duration::from_millis(20),
            ..Config::new(vec![address()])
        };
        let cluster = Cluster::new(&config).unwrap();
        let place = Self { config, cluster };
        for name in place.indices().await {
            // The index that is written to goes with its data stream; where that has no route, a
            // rollover makes it an ordinary one.
            place.ask(Method::Post, &format!("{}/_rollover", place.config.data_stream), Json::Null).await;
            place.ask(Method::Delete, &name, Json::Null).await;
        }
        let template = json!({
            "index_patterns": [format!("logs-writer-{name}")],
            "priority": 1000,
            "data_stream": {},
            "template": {
                "settings": {"index.number_of_replicas": 0},
                "mappings": {"properties": {
                    "@timestamp": {"type": "date_nanos"},
                    "event": {"properties": {"created": {"type": "date_nanos"}}},
                    "sentinel": {"properties": {"id": {"type": "keyword"}}},
                    "labels": {"properties": {"record": {"type": "long"}}},
                }},
            },
        });
        let (status, answer) =
            place.ask(Method::Put, &format!("_index_template/writer-{name}"), template).await;
        assert_eq!(status, 200, "{answer}");
        place
    }

    async fn ask(&self, method: Method, path: &str, body: Json) -> (u16, Json) {
        let body = if body.is_null() { Body::None } else { Body::Json(body) };
        let timeout = Duration::from_secs(60);
        let request = Request { method, path: path.into(), query: Vec::new(), body, timeout, action: "test" };
        let answer = self.cluster.send(request).await.unwrap();
        (answer.status, answer.json().unwrap())
    }

    async fn within(&self, method: Method, path: &str, body: Json) -> Json {
        let (status, answer) = self.ask(method, &format!("{}/{path}", self.config.data_stream), body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    async fn indices(&self) -> Vec<String> {
        let path = format!("{}/_settings/index.uuid", self.config.data_stream);
        let (status, answer) = self.ask(Method::Get, &path, Json::Null).await;
        if status == 200 { answer.as_object().unwrap().keys().cloned().collect() } else { Vec::new() }
    }

    /// How many documents there are; no id is there twice.
    async fn count(&self) -> u64 {
        self.within(Method::Post, "_refresh", Json::Null).await;
        let aggs = json!({"twice": {"terms": {"field": "sentinel.id", "min_doc_count": 2}}});
        let body = json!({"size": 0, "track_total_hits": true, "aggs": aggs});
        let answer = self.within(Method::Post, "_search", body).await;
        assert_eq!(answer["aggregations"]["twice"]["buckets"], json!([]));
        answer["hits"]["total"]["value"].as_u64().unwrap()
    }
}

/// A batch whose events are of this time.
fn batch_at(records: std::ops::Range<u32>, time: Timestamp) -> Batch<'static> {
    let mut batch = batch(records);
    for analyzed in &mut batch.events {
        analyzed.event.timestamp = time;
    }
    batch
}

async fn write(setting: &Setting, batch: Batch<'static>) {
    ledger::received(batch.events.len() as u64);
    setting.index.write(&batch).await.unwrap();
    setting.written(batch.end.record).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a server: infra/test/elasticsearch start"]
async fn events_are_there_once_after_restarts_and_rollovers() {
    let (_alone, stored, _) = alone().await;
    let place = Place::new("once").await;
    let setting = open(place.config.clone());
    for from in (0..6000).step_by(500) {
        setting.write(from..from + 500).await;
    }
    setting.written(6000).await;
    drop(setting);
    assert_eq!(place.count().await, 6000);
    for rollover in [false, true, true] {
        if rollover {
            place.within(Method::Post, "_rollover", Json::Null).await;
        }
        // As after a kill: the cursor had not moved, and the journal had gone on.
        let again = open(place.config.clone());
        again.index.attach(JOURNAL, at(1000), at(6500));
        again.write(1000..6500).await;
        again.written(6500).await;
        again.health("ok", &[]).await;
        assert_eq!(place.count().await, 6500, "after a rollover: {rollover}");
    }
    assert_eq!(ledger::snapshot().stored - stored, 6000 + 3 * 5500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a server: infra/test/elasticsearch start"]
async fn a_blocked_index_is_waited_for() {
    let _alone = alone().await;
    let place = Place::new("blocked").await;
    let setting = open(place.config.clone());
    setting.write(0..10).await;
    setting.written(10).await;
    for block in ["index.blocks.write", "index.blocks.read_only", "index.blocks.read_only_allow_delete"] {
        place.within(Method::Put, "_settings", json!({block: true})).await;
        let from = setting.index.commit().await.unwrap().record;
        setting.write(from..from + 10).await;
        setting.health("degraded", &["block"]).await;
        place.within(Method::Put, "_settings", json!({block: null})).await;
        setting.written(from + 10).await;
        setting.health("ok", &[]).await;
    }
    assert_eq!((place.count().await, setting.letters.all()), (40, vec![]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a server: infra/test/elasticsearch start"]
async fn a_mapping_conflict_makes_a_dead_letter() {
    let _alone = alone().await;
    let place = Place::new("conflict").await;
    let setting = open(place.config.clone());
    let mut events = batch(0..10);
    events.events[4].event.set("labels.record", "no number");
    write(&setting, events).await;
    assert_eq!(place.count().await, 9);
    let letters = setting.letters.kept.lock().unwrap();
    let [letter] = letters.as_slice() else { panic!("{letters:?}") };
    assert_eq!(letter.id.position, at(4));
    assert!(
        letter.kind.ends_with("_parsing_exception") && letter.reason.contains("labels.record"),
        "{letter:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a server: infra/test/elasticsearch start"]
async fn without_a_template_no_index_is_guessed() {
    let _alone = alone().await;
    let place = Place::new("guessed").await;
    let server = place.cluster.server().await.unwrap();
    assert_eq!(server.flavor, Flavor::Elasticsearch, "the others cannot be told not to guess");
    let config = Config { data_stream: "nothing-made-for-this".to_owned(), ..place.config.clone() };
    let setting = open(config);
    setting.write(0..3).await;
    setting.health("degraded", &["elastic setup"]).await;
    assert_eq!(place.ask(Method::Get, "nothing-made-for-this", Json::Null).await.0, 404);
    ledger::stored(3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a server: infra/test/elasticsearch start"]
async fn old_events_go_as_whole_indices() {
    let _alone = alone().await;
    let place = Place::new("expiry").await;
    let setting = open(place.config.clone());
    let day = |day: u32| Timestamp::parse(&format!("2024-06-{day:02}T00:00:00Z")).unwrap();
    assert_eq!(setting.index.expire(day(1)).await.unwrap(), 0, "nothing is there yet");
    write(&setting, batch_at(0..10, day(1))).await;
    place.within(Method::Post, "_rollover", Json::Null).await;
    write(&setting, batch_at(10..15, day(2))).await;
    write(&setting, batch_at(15..20, day(4))).await;
    place.within(Method::Post, "_rollover", Json::Null).await;
    write(&setting, batch_at(20..30, day(3))).await;
    assert_eq!(setting.index.expire(day(1)).await.unwrap(), 0, "none is older");
    assert_eq!(setting.index.expire(day(2)).await.unwrap(), 10);
    assert_eq!(
        setting.index.expire(day(3)).await.unwrap(),
        0,
        "one index has a younger event, one is written to"
    );
    assert_eq!(place.count().await, 20);
    let written_to = place.indices().await;
    assert_eq!(setting.index.expire(day(4)).await.unwrap(), 10, "the one that was written to is rolled over");
    assert_eq!(place.count().await, 10);
    assert_ne!(place.indices().await, written_to);
    write(&setting, batch_at(30..40, day(5))).await;
    assert_eq!(setting.index.expire(day(5)).await.unwrap(), 10);
    assert_eq!(place.count().await, 10, "what is written goes on being there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a server: infra/test/elasticsearch start"]
async fn a_restored_or_cloned_journal_loses_nothing() {
    let (_alone, stored, _) = alone().await;
    let place = Place::new("clones").await;
    assert_eq!((open(place.config.clone())).index.reached(JOURNAL).await.unwrap(), at(0), "no index yet");
    // A backup of after 1,000 events; 1,500 more; restored, and 2,000 others.
    let first = open(place.config.clone());
    write(&first, batch(0..2500)).await;
    let restored = open(place.config.clone());
    assert_eq!(restored.index.reached(JOURNAL).await.unwrap(), at(2500), "it is told that it is behind");
    restored.index.attach(JOURNAL, at(900), at(1000));
    write(&restored, batch(900..1000)).await;
    write(&restored, others(1000..3000)).await;
    assert_eq!(place.count().await, 4500, "of 2,500 and 2,000");
    assert_eq!(restored.index.collided(), Some(JOURNAL));
    // And behind a rollover.
    place.within(Method::Post, "_rollover", Json::Null).await;
    let again = open(place.config.clone());
    again.index.attach(JOURNAL, at(1000), at(3000));
    write(&again, others(1000..3000)).await;
    assert_eq!(place.count().await, 4500, "sent again, and there once");
    assert_eq!(ledger::snapshot().stored - stored, 2500 + 100 + 2000 + 2000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a server: infra/test/elasticsearch start"]
async fn an_index_gives_way_by_age_documents_and_bytes_and_goes_once_all_is_too_old() {
    let _alone = alone().await;
    let never = Rollover { age: Duration::from_secs(1 << 30), documents: 1 << 30, bytes: 1 << 50 };
    for (name, rollover) in [
        ("by-documents", Rollover { documents: 50, ..never }),
        ("by-bytes", Rollover { bytes: 1, ..never }),
        ("by-age", Rollover { age: Duration::from_secs(1), ..never }),
    ] {
        let place = Place::new(name).await;
        let setting = open(Config { rollover, ..place.config.clone() });
        assert!(!setting.index.roll_over().await.unwrap(), "{name}: there is no index yet");
        let day = |day: u32| Timestamp::parse(&format!("2024-06-{day:02}T00:00:00Z")).unwrap();
        write(&setting, batch_at(0..60, day(1))).await;
        place.within(Method::Post, "_flush", Json::Null).await;
        let rolled = async {
            while !setting.index.roll_over().await.unwrap() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(super::LONG, rolled).await.unwrap();
        assert!(!setting.index.roll_over().await.unwrap(), "{name}: nothing is in the new one");
        write(&setting, batch_at(60..70, day(20))).await;
        assert_eq!(setting.index.expire(day(10)).await.unwrap(), 60, "{name}");
        assert_eq!(place.count().await, 10, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a server: infra/test/elasticsearch start"]
async fn an_event_of_the_future_keeps_no_index_alive() {
    let _alone = alone().await;
    let place = Place::new("future").await;
    let setting = open(place.config.clone());
    let day = |text: &str| Timestamp::parse(text).unwrap();
    let mut events = batch_at(0..10, day("2024-06-01T00:00:00Z"));
    events.events[3].event.timestamp = day("2199-01-01T00:00:00Z");
    write(&setting, events).await;
    place.within(Method::Post, "_rollover", Json::Null).await;
    write(&setting, batch_at(10..15, day("2024-07-01T00:00:00Z"))).await;
    assert_eq!(
        setting.index.expire(day("2024-06-20T00:00:00Z")).await.unwrap(),
        10,
        "it was received in June"
    );
    assert_eq!(place.count().await, 5);
}
