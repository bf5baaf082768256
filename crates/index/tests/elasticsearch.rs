//! The contract suite on a real Elasticsearch or OpenSearch, and what differs there. Start one with
//! `infra/test/elasticsearch start`, give its URL in `LOG_SENTINEL_TEST_ELASTICSEARCH`, and run with
//! `--ignored`. Data streams begin with `logs-contract-` and are left behind.

#![expect(clippy::unwrap_used, reason = "a test ends at its first failure")]

mod contract;
#[path = "elasticsearch/differences.rs"]
mod differences;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use contract::{Factory, block_on, random};
use event::{Analyzed, FieldKind, Value};
use index::{
    DeadLetter, DeadLetters, Index,
    elasticsearch::{Cluster, Config, Elasticsearch, setup},
};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config as Cases, TestRunner},
};
use query::Query;
use telemetry::health::Health;

/// How many random sets of events, and how many questions about each.
const SETS: u32 = 8;
const QUERIES: u32 = 5;

/// No event may be refused.
struct NoLetters;

#[async_trait]
impl DeadLetters for NoLetters {
    async fn put(&self, letters: Vec<DeadLetter>) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Err(format!("refused: {letters:?}").into())
    }
}

/// A data stream of its own for each place.
pub(crate) struct OnServer;

pub(crate) fn config(data_stream: &str) -> Config {
    #[expect(clippy::disallowed_methods, reason = "the server's address comes from the environment")]
    let address = std::env::var("LOG_SENTINEL_TEST_ELASTICSEARCH");
    Config {
        data_stream: data_stream.to_owned(),
        write_wait: Duration::from_secs(60),
        upkeep_interval: Duration::from_millis(20),
        concurrency_max: 1,
        ..Config::new(vec![address.unwrap()])
    }
}

pub(crate) fn fresh_name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("logs-contract-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

pub(crate) async fn set_up(data_stream: &str, shards: Option<u32>) {
    let cluster = Cluster::new(&config(data_stream)).unwrap();
    let wanted = setup::Config { data_stream: data_stream.to_owned(), shards, ..Default::default() };
    let plan = setup::plan(&cluster, &wanted).await.unwrap();
    setup::apply(&cluster, &wanted, &plan).await.unwrap();
}

pub(crate) fn open(data_stream: &str) -> Elasticsearch {
    let health = Health::new().component("index");
    Elasticsearch::open(config(data_stream), Arc::new(NoLetters), health).unwrap()
}

#[async_trait]
impl Factory for OnServer {
    const FINDS_EXPRESSIONS: bool = false;
    type Place = String;

    fn place(&self) -> String {
        fresh_name()
    }

    async fn open(&self, place: &String) -> Box<dyn Index> {
        set_up(place, None).await;
        Box::new(open(place))
    }
}

/// What the parsers make of a value that does not fit its field: a label.
fn fitting(mut events: Vec<Analyzed<'static>>) -> Vec<Analyzed<'static>> {
    for analyzed in &mut events {
        for mut field in std::mem::take(&mut analyzed.event.fields) {
            if !fits(&field.path, &field.value) {
                field.path = format!("labels.{}", field.path).into();
            }
            analyzed.event.set(field.path, field.value);
        }
    }
    events
}

fn fits(path: &str, value: &Value<'_>) -> bool {
    match (FieldKind::of(path), value) {
        (_, Value::Null) | (FieldKind::Keyword | FieldKind::Enumeration | FieldKind::Label, _) => true,
        (FieldKind::Long, Value::Int(_)) => true,
        (FieldKind::Ip, Value::String(text)) => text.parse::<std::net::IpAddr>().is_ok(),
        (FieldKind::Date, Value::String(text)) => event::Timestamp::parse(text).is_ok(),
        (_, Value::Json(list)) => match serde_json::from_str(list) {
            Ok(serde_json::Value::Array(elements)) => {
                elements.iter().all(|element| fits(path, &Value::from_json(element)))
            }
            _ => false,
        },
        _ => false,
    }
}

#[test]
#[ignore = "needs a server: infra/test/elasticsearch start"]
fn the_index_in_elasticsearch_keeps_the_contract() {
    block_on(contract::check(&OnServer));
}

#[test]
#[ignore = "needs a server: infra/test/elasticsearch start"]
fn the_index_in_elasticsearch_equals_the_scan() {
    let mut runner = TestRunner::new(Cases::default());
    for _ in 0..SETS {
        let events = fitting(random::events().new_tree(&mut runner).unwrap().current());
        let queries: Vec<_> =
            (0..QUERIES).map(|_| random::queries().new_tree(&mut runner).unwrap().current()).collect();
        block_on(async {
            let place = OnServer.place();
            set_up(&place, None).await;
            let index = open(&place);
            let scan = random::fill(&index, events, false).await;
            for query in queries {
                random::answers_equal(&index, &scan, query).await;
            }
        });
    }
    let events = fitting(random::events().new_tree(&mut runner).unwrap().current());
    block_on(async {
        let place = OnServer.place();
        set_up(&place, None).await;
        random::equals_scan(&open(&place), events, Query::All, true).await;
    });
}
