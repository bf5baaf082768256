//! Writing to Elasticsearch: against a server that misbehaves as it is told, and against a real one.

#![expect(clippy::unwrap_used, reason = "a test ends at its first failure")]

#[path = "elasticsearch_writer/circumstances.rs"]
mod circumstances;
#[path = "elasticsearch_writer/collisions.rs"]
mod collisions;
#[path = "elasticsearch_writer/real.rs"]
mod real;
#[path = "elasticsearch_writer/scripted.rs"]
mod scripted;
#[path = "elasticsearch_writer/table.rs"]
mod table;
#[path = "elasticsearch_writer/tls.rs"]
mod tls;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use event::{Analyzed, Batch, Event, EventId, JournalId, Position, Timestamp};
use index::{
    DeadLetter, DeadLetters, Index,
    elasticsearch::{Config, Elasticsearch},
};
use scripted::{DATA_STREAM, Server};
use telemetry::{health::Health, ledger};
use tokio::sync::MutexGuard;

pub(crate) const JOURNAL: JournalId = JournalId(0xfeed);
/// Nothing here takes that long, however busy the machine is.
pub(crate) const LONG: Duration = Duration::from_secs(120);

pub(crate) fn at(record: u32) -> Position {
    Position { segment: 0, record }
}

pub(crate) fn id(record: u32) -> EventId {
    EventId { journal: JOURNAL, position: at(record) }
}

pub(crate) fn event(record: u32) -> Analyzed<'static> {
    let nanos = 1_717_243_200_000_000_000 + i64::from(record);
    let mut event = Event::new(format!("event {record}"), Timestamp::from_nanos(nanos).unwrap());
    event.set("labels.record", i64::from(record));
    Analyzed::unanalyzed(id(record), event)
}

pub(crate) fn batch(records: std::ops::Range<u32>) -> Batch<'static> {
    Batch { end: at(records.end), events: records.map(event).collect(), variables: Vec::new() }
}

/// Keeps letters in memory, after so many failures.
#[derive(Debug, Default)]
pub(crate) struct Letters {
    pub(crate) kept: Mutex<Vec<DeadLetter>>,
    pub(crate) failures: Mutex<u32>,
}

#[async_trait]
impl DeadLetters for Letters {
    async fn put(&self, letters: Vec<DeadLetter>) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let mut failures = self.failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err("the disk is full".into());
        }
        self.kept.lock().unwrap().extend(letters);
        Ok(())
    }
}

impl Letters {
    /// What is kept, by record, with its kind.
    pub(crate) fn all(&self) -> Vec<(u32, String)> {
        let kept = self.kept.lock().unwrap();
        let mut all: Vec<_> =
            kept.iter().map(|letter| (letter.id.position.record, letter.kind.clone())).collect();
        all.sort();
        all
    }
}

/// An index on scripted servers, and what surrounds it.
pub(crate) struct Setting {
    pub(crate) index: Elasticsearch,
    pub(crate) letters: Arc<Letters>,
    pub(crate) health: Health,
}

pub(crate) fn config(nodes: Vec<String>) -> Config {
    Config {
        data_stream: DATA_STREAM.to_owned(),
        retry_min: Duration::from_millis(1),
        retry_max: Duration::from_millis(20),
        request_timeout: Duration::from_secs(30),
        write_wait: LONG,
        upkeep_interval: Duration::from_millis(5),
        ..Config::new(nodes)
    }
}

pub(crate) fn open(config: Config) -> Setting {
    let (letters, health) = (Arc::new(Letters::default()), Health::new());
    let component = health.component("elasticsearch");
    Setting { index: Elasticsearch::open(config, letters.clone(), component).unwrap(), letters, health }
}

impl Setting {
    pub(crate) async fn write(&self, records: std::ops::Range<u32>) {
        ledger::received(u64::from(records.end - records.start));
        self.index.write(&batch(records)).await.unwrap();
    }

    pub(crate) async fn written(&self, record: u32) {
        let mut written = self.index.written();
        let reached = written.wait_for(|written| *written >= at(record));
        let reached = tokio::time::timeout(LONG, reached).await;
        assert!(
            reached.is_ok_and(|reached| reached.is_ok()),
            "{record} is not written: {:?}",
            self.health.reports()
        );
    }

    /// Waits until the component's health is of this state and its reason has all these words.
    pub(crate) async fn health(&self, state: &str, words: &[&str]) {
        let mut last = String::new();
        let is_so = async {
            loop {
                let report = self.health.reports().remove(0);
                last = format!("{}: {}", report.state.as_str(), report.reason);
                if report.state.as_str() == state && words.iter().all(|word| report.reason.contains(word)) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let reached = tokio::time::timeout(LONG, is_so).await.is_ok();
        assert!(reached, "the health is '{last}', not {state} with {words:?}");
    }
}

/// The ledger is one for the process: whoever reads it is alone. Gives what has been stored and
/// dead-lettered so far.
pub(crate) async fn alone() -> (MutexGuard<'static, ()>, u64, u64) {
    static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let guard = ALONE.lock().await;
    let ledger = ledger::snapshot();
    assert_eq!(ledger.queued(), 0, "whoever was here before has left nothing");
    (guard, ledger.stored, ledger.dead_lettered)
}

/// Every record below `count` is on the server once or among the dead letters, and the ledger says so.
pub(crate) fn check_complete(server: &Server, setting: &Setting, count: u32, before: (u64, u64)) {
    let letters: Vec<u32> = setting.letters.all().into_iter().map(|(record, _)| record).collect();
    let stored: Vec<String> =
        (0..count).filter(|record| !letters.contains(record)).map(|record| id(record).to_string()).collect();
    assert_eq!(server.state().ids(), stored, "each event once, but for {letters:?}");
    let ledger = ledger::snapshot();
    assert_eq!(ledger.queued(), 0, "{ledger:?}");
    assert_eq!(ledger.stored - before.0, stored.len() as u64);
    assert_eq!(ledger.dead_lettered - before.1, letters.len() as u64);
}
