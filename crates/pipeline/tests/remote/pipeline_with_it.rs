//! The pipeline with a separate anomaly service that comes and goes.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use api::GrpcConfig;
use event::{EventId, Position, Verdict, VerdictState, codec};
use index::{
    Index,
    live::{Newest, Watcher},
    scan::ScanIndex,
};
use journal::Journal;
use pipeline::{
    Analysis, CatchUp, Config, Parts, Pipeline,
    remote::{self, CURSOR, LateScoring, Remote, RemoteAnalysis, Scoring},
};
use telemetry::{
    health::{Health, State},
    task::Tasks,
};

use crate::service::{SOON, Service, Wire, config, event, eventually, expected, same};

type Late = Arc<Mutex<Vec<(EventId, Verdict)>>>;

/// What outlives a restart of the collector.
struct Disk {
    dir: tempfile::TempDir,
    index: Arc<ScanIndex>,
    late: Late,
    service: SocketAddr,
    budget_bytes: u64,
    deadline: Duration,
}

struct Collector {
    journal: Journal,
    analysis: Arc<RemoteAnalysis>,
    live: Watcher,
    seen: Position,
    health: Health,
    tasks: Tasks,
    late: Late,
}

impl Disk {
    fn new(service: SocketAddr) -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            index: Arc::new(ScanIndex::new()),
            late: Late::default(),
            service,
            budget_bytes: 64 << 20,
            deadline: SOON,
        }
    }

    fn start(&self) -> Collector {
        let dir = self.dir.path();
        let journal = Journal::open(journal::Config {
            segment_bytes: 64 << 10,
            budget_bytes: self.budget_bytes,
            ..journal::Config::new(dir)
        })
        .unwrap();
        let health = Health::new();
        let late = self.late.clone();
        let stored: Arc<dyn Index> = self.index.clone();
        let (scoring, late_scoring) = Scoring::open(
            Remote::new(remote::Config { deadline: self.deadline, ..config(self.service) }).unwrap(),
            journal.clone(),
            health.component("anomaly"),
            stored,
            Box::new(move |verdicts| late.lock().unwrap().extend_from_slice(verdicts)),
        )
        .unwrap();
        let analysis = Arc::new(RemoteAnalysis::new(scoring, template::Config::default()));
        let config = Config {
            read_bytes: 64 << 10,
            commit_events: 500,
            commit_idle: Duration::from_millis(20),
            commit_interval: Duration::from_millis(100),
            retry: Duration::from_millis(10),
            drain: SOON,
            live_bytes_max: 8 << 20,
            window_dir: dir.join("window"),
        };
        let index: Arc<dyn Index> = self.index.clone();
        let kept =
            verdicts::Config { dir: dir.join("verdicts"), budget_bytes: 8 << 20, held_bytes_max: 1 << 20 };
        let parts = Parts {
            journal: journal.clone(),
            analysis: Analysis::Remote(analysis.clone()),
            verdicts: verdicts::Verdicts::open(kept, &journal).unwrap(),
            index,
            detector: None,
            health: health.clone(),
        };
        let (pipeline, catch_up) = Pipeline::open(config, parts).unwrap();
        let (live, tasks) = (pipeline.live().watch(), Tasks::new());
        let seen = live.start();
        run(&tasks, pipeline, catch_up, late_scoring);
        Collector { journal, analysis, live, seen, health, tasks, late: self.late.clone() }
    }
}

fn run(tasks: &Tasks, pipeline: Pipeline, catch_up: CatchUp, late: LateScoring) {
    let [analysis, indexing, scoring] = [(); 3].map(|()| tokio::runtime::Handle::current());
    tasks.thread("analysis", move |stop| analysis.block_on(pipeline.run(stop)).unwrap()).unwrap();
    tasks.thread("indexing", move |stop| indexing.block_on(catch_up.run(stop)).unwrap()).unwrap();
    tasks.thread("late-scoring", move |stop| scoring.block_on(late.run(stop))).unwrap();
}

impl Collector {
    async fn append(&self, numbers: std::ops::Range<u64>) {
        let mut batch = journal::Batch::new();
        for number in numbers {
            batch.push_with(|out| codec::encode(&event(number), out));
        }
        self.journal.append(batch).await.unwrap();
    }

    /// The next events that the pipeline passes on.
    async fn passed(&mut self, count: usize) -> Vec<Verdict> {
        let mut verdicts = vec![];
        while verdicts.len() < count {
            assert!(tokio::time::timeout(SOON, self.live.wait_for(self.seen)).await.unwrap());
            let Newest::Events(events, end) = self.live.read(self.seen, 1) else { panic!("it fell behind") };
            self.seen = end;
            for event in events {
                assert!(event.template.is_some(), "templates never wait");
                verdicts.push(event.verdict.clone());
            }
        }
        verdicts
    }

    fn late(&self) -> Vec<Verdict> {
        self.late.lock().unwrap().iter().map(|(_, verdict)| verdict.clone()).collect()
    }

    fn state(&self) -> State {
        let reports = self.health.reports();
        reports.iter().find(|report| report.component == "anomaly").unwrap().state
    }

    fn cursor(&self) -> Position {
        let cursors = self.journal.status().cursors;
        cursors.iter().find(|(name, _)| name == CURSOR).unwrap().1
    }

    async fn stop(self) {
        assert_eq!(self.tasks.shutdown(SOON).await, Vec::<String>::new());
        self.journal.close(SOON).await;
    }
}

fn unscored(verdicts: &[Verdict]) -> bool {
    verdicts.iter().all(|verdict| verdict.state == VerdictState::Unscored)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verdicts_wait_for_the_service_and_come_in_order() {
    let service = Service::start().await;
    let (addr, all) = (service.addr, expected(0..2000));
    let disk = Disk::new(addr);
    let mut collector = disk.start();
    collector.append(0..500).await;
    same(&collector.passed(500).await, &all[..500]);
    assert!(collector.analysis.is_attached());

    // Away: events pass without verdicts, and the cursor stays.
    let snapshot = service.grpc.journals().snapshot();
    service.stop().await;
    for part in 5..10 {
        collector.append(part * 100..(part + 1) * 100).await;
        assert!(unscored(&collector.passed(100).await));
    }
    assert!(!collector.analysis.is_attached());
    assert_eq!(collector.state(), State::Degraded);
    assert_eq!(collector.late(), []);

    // Back: what waited is scored, in order, once, and then events are scored as they come.
    let service = Service::with(addr, &[], GrpcConfig::default()).await;
    service.grpc.journals().restore(&snapshot).unwrap();
    eventually("the verdicts follow", async || collector.late().len() >= 500).await;
    eventually("attached again", async || collector.analysis.is_attached()).await;
    same(&collector.late(), &all[500..1000]);
    eventually("healthy again", async || collector.state() == State::Ok).await;
    collector.append(1000..1500).await;
    same(&collector.passed(500).await, &all[1000..1500]);
    assert_eq!(service.anomaly.stats().scored, 1000);
    assert_eq!(collector.late().len(), 500);
    let places: Vec<EventId> = collector.late.lock().unwrap().iter().map(|(id, _)| *id).collect();
    assert!(places.is_sorted());
    let end = collector.journal.end();
    eventually("the cursor follows", async || collector.cursor() == end).await;
    collector.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verdicts_outlive_a_restart_of_the_collector() {
    let service = Service::start().await;
    let (addr, all) = (service.addr, expected(0..1500));
    service.stop().await;
    let disk = Disk::new(addr);
    let mut collector = disk.start();
    collector.append(0..700).await;
    assert!(unscored(&collector.passed(700).await));
    collector.stop().await;

    let mut collector = disk.start();
    assert!(!collector.analysis.is_attached(), "what was left unscored is known");
    assert_eq!(collector.cursor(), Position::default());
    collector.append(700..900).await;
    assert!(unscored(&collector.passed(200).await));
    let service = Service::with(addr, &[], GrpcConfig::default()).await;
    eventually("attached", async || collector.analysis.is_attached()).await;
    // As if the service had always been there.
    same(&collector.late(), &all[..900]);
    collector.append(900..1500).await;
    same(&collector.passed(600).await, &all[900..]);
    assert_eq!(service.anomaly.stats().scored, 1500);
    collector.stop().await;

    // Nothing is left to catch up with after an orderly stop.
    let collector = disk.start();
    assert!(collector.analysis.is_attached());
    assert_eq!(collector.late().len(), 900);
    collector.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_goes_away_again_and_again_under_load() {
    let mut service = Some(Service::start().await);
    let addr = service.as_ref().unwrap().addr;
    let disk = Disk::new(addr);
    let mut collector = disk.start();
    let (mut scored, mut snapshot) = (vec![], None);
    for round in 0..6u64 {
        match service.take() {
            Some(running) => {
                running.stop.cancel();
                snapshot = Some(running.grpc.journals().snapshot());
                running.stop().await;
            }
            None => {
                let started = Service::with(addr, &[], GrpcConfig::default()).await;
                started.grpc.journals().restore(snapshot.as_ref().unwrap()).unwrap();
                service = Some(started);
            }
        }
        for part in 0..20 {
            let first = round * 1000 + part * 50;
            collector.append(first..first + 50).await;
        }
        scored.extend(collector.passed(1000).await);
    }
    eventually("attached at last", async || collector.analysis.is_attached()).await;
    let late: Vec<EventId> = collector.late.lock().unwrap().iter().map(|(id, _)| *id).collect();
    let mut once = late.clone();
    once.dedup();
    assert_eq!(once.len(), late.len(), "no verdict came twice");
    assert!(late.is_sorted());
    let missing = scored.iter().filter(|verdict| verdict.state == VerdictState::Unscored).count();
    assert_eq!(late.len(), missing, "each event has its verdict, at once or late");
    assert!(missing >= 1000, "the service was away for the whole first round: {missing}");
    collector.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absent_service_never_fills_the_journal() {
    let service = Service::start().await;
    let addr = service.addr;
    service.stop().await;
    let disk = Disk { budget_bytes: 1 << 20, ..Disk::new(addr) };
    let mut collector = disk.start();
    // Several times what the journal may hold.
    for part in 0..400u64 {
        let first = part * 100;
        eventually("the journal takes more", async || {
            let mut batch = journal::Batch::new();
            for number in first..first + 100 {
                batch.push_with(|out| codec::encode(&event(number), out));
            }
            collector.journal.append(batch).await.is_ok()
        })
        .await;
        assert!(unscored(&collector.passed(100).await));
    }
    let service = Service::with(addr, &[], GrpcConfig::default()).await;
    eventually("attached", async || collector.analysis.is_attached()).await;
    let late = collector.late().len() as u64;
    assert!((1..40_000).contains(&late), "{late}: the newest have verdicts, the oldest were given up");
    assert_eq!(service.anomaly.stats().scored, late);
    collector.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_hangs_and_goes_on_learns_nothing_twice() {
    let service = Service::start().await;
    let all = expected(0..3000);
    let wire = Wire::to(service.addr).await;
    let disk = Disk { deadline: Duration::from_millis(200), ..Disk::new(wire.addr) };
    let mut collector = disk.start();
    let mut verdicts = vec![];
    for first in [0, 1000, 2000] {
        collector.append(first..first + 500).await;
        verdicts.extend(collector.passed(500).await);
        eventually("attached", async || collector.analysis.is_attached()).await;
        // What is sent now arrives later, when it has long been given up and is sent again.
        wire.hold(true);
        collector.append(first + 500..first + 1000).await;
        let passed = collector.passed(500).await;
        assert!(unscored(&passed));
        verdicts.extend(passed);
        wire.hold(false);
        eventually("attached again", async || collector.analysis.is_attached()).await;
    }
    let mut late = collector.late().into_iter();
    let with_late = verdicts.into_iter().map(|verdict| match verdict.state {
        VerdictState::Unscored => late.next().unwrap(),
        _ => verdict,
    });
    same(&with_late.collect::<Vec<_>>(), &all);
    assert_eq!((late.next(), service.anomaly.stats().scored), (None, 3000));
    collector.stop().await;
}
