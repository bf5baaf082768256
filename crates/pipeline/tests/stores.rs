//! The pipeline between a journal and an index that are not as they should be.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path, sync::Arc, time::Duration};

use event::{Event, Timestamp, codec};
use index::{
    Index, Limits, SearchRequest, Selection,
    embedded::{self, Embedded},
};
use journal::Journal;
use pipeline::{Analysis, CatchUp, Config, Parts, Pipeline};
use query::Query;
use telemetry::{
    health::{Health, State},
    task::Tasks,
};
use verdicts::Verdicts;

const SOON: Duration = Duration::from_secs(60);

fn open_journal(dir: &Path) -> Journal {
    Journal::open(journal::Config { segment_bytes: 1 << 20, ..journal::Config::new(dir) }).unwrap()
}

fn append(journal: &Journal, numbers: std::ops::Range<u32>) {
    let mut batch = journal::Batch::new();
    for number in numbers {
        let event =
            Event::new(format!("event number {number}"), Timestamp::from_nanos(i64::from(number)).unwrap());
        batch.push_with(|out| codec::encode(&event, out));
    }
    journal.append_blocking(batch).unwrap();
}

fn open_index(dir: &Path) -> Arc<dyn Index> {
    Arc::new(Embedded::open(embedded::Config::new(dir.join("index"))).unwrap())
}

fn open(dir: &Path, journal: &Journal, index: &Arc<dyn Index>, health: &Health) -> (Pipeline, CatchUp) {
    let service = anomaly::Service::open(anomaly::Config::new(dir.join("models"))).unwrap();
    let config = Config {
        read_bytes: 1 << 10,
        commit_events: 500,
        commit_idle: Duration::from_millis(20),
        commit_interval: Duration::from_millis(100),
        retry: Duration::from_millis(10),
        drain: SOON,
        live_bytes_max: 1 << 20,
        window_dir: dir.join("window"),
    };
    let verdicts =
        verdicts::Config { dir: dir.join("verdicts"), budget_bytes: 8 << 20, held_bytes_max: 1 << 20 };
    let parts = Parts {
        journal: journal.clone(),
        analysis: Analysis::InProcess(Arc::new(service)),
        verdicts: Verdicts::open(verdicts, journal).unwrap(),
        index: index.clone(),
        detector: None,
        health: health.clone(),
    };
    Pipeline::open(config, parts).unwrap()
}

fn run((pipeline, catch_up): (Pipeline, CatchUp)) -> Tasks {
    let (tasks, runtime) = (Tasks::new(), tokio::runtime::Handle::current());
    let other = runtime.clone();
    tasks.thread("analysis", move |stop| other.block_on(pipeline.run(stop)).unwrap()).unwrap();
    tasks.thread("indexing", move |stop| runtime.block_on(catch_up.run(stop)).unwrap()).unwrap();
    tasks
}

async fn total(index: &dyn Index, query: &str) -> u64 {
    let selection = Selection { query: Query::parse(query, Timestamp::MAX).unwrap(), ..Selection::all() };
    index.search(SearchRequest::new(selection, 0), &Limits::none()).await.unwrap().total
}

async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_a_journal_that_cannot_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open_journal(dir.path());
    append(&journal, 0..100);
    let (index, health) = (open_index(dir.path()), Health::new());
    let pipeline = open(dir.path(), &journal, &index, &health);
    fs::remove_dir_all(dir.path().join("journal")).unwrap();
    let tasks = run(pipeline);
    eventually("the fault is told", async || health.reports()[0].state == State::Degraded).await;
    assert_eq!(tasks.shutdown(SOON).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_lost_index_file_come_back_from_the_journal_once() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open_journal(dir.path());
    // Keeps the segments although the index has read them.
    journal.cursor("another").unwrap();
    append(&journal, 0..100);
    {
        let index = open_index(dir.path());
        let tasks = run(open(dir.path(), &journal, &index, &Health::new()));
        eventually("all are stored", async || total(index.as_ref(), "").await == 100).await;
        assert_eq!(tasks.shutdown(SOON).await, Vec::<String>::new());
    }
    let segments = fs::read_dir(dir.path().join("index")).unwrap().map(|entry| entry.unwrap().path());
    for path in segments.filter(|path| path.extension().is_some_and(|extension| extension == "segment")) {
        fs::remove_file(path).unwrap();
    }
    for _ in 0..2 {
        let index = open_index(dir.path());
        let tasks = run(open(dir.path(), &journal, &index, &Health::new()));
        eventually("all are there again", async || total(index.as_ref(), "").await == 100).await;
        eventually("nothing is missing", async || index.losses(None, None).places == 0).await;
        assert_eq!(total(index.as_ref(), "sentinel.anomaly.state:unscored").await, 100);
        assert_eq!(tasks.shutdown(SOON).await, Vec::<String>::new());
    }
    let index = open_index(dir.path());
    let tasks = run(open(dir.path(), &journal, &index, &Health::new()));
    append(&journal, 100..150);
    eventually("new ones are stored", async || total(index.as_ref(), "").await == 150).await;
    assert_eq!(tasks.shutdown(SOON).await, Vec::<String>::new());
}
