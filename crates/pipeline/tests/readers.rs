//! Analysis, indexing and detection, each at its own pace, over restarts and crashes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use event::{Analyzed, Batch, Event, EventId, JournalId, Position, Timestamp, Verdict, VerdictState, codec};
use index::{
    FieldInfo, FieldValues, FieldValuesRequest, FollowRequest, Followed, Histogram, HistogramRequest, Index,
    IndexError, IndexStats, Limits, Patterns, PatternsRequest, SearchRequest, SearchResult,
    live::{Newest, Watcher},
    scan::ScanIndex,
};
use journal::Journal;
use pipeline::{Analysis, Config, Detector, DetectorError, Parts, Pipeline};
use proptest::prelude::*;
use telemetry::{health::Health, task::Stop};
use tokio::sync::watch;
use verdicts::Verdicts;

const SOON: Duration = Duration::from_secs(60);

/// An index that can be away: it refuses what it is given, or does not answer for it.
struct Remote {
    stored: Mutex<Stored>,
    written: watch::Sender<Position>,
    refuses: AtomicBool,
    is_silent: AtomicBool,
}

#[derive(Default)]
struct Stored {
    /// Every event with what was said of it, and how often it was stored.
    events: BTreeMap<Position, (Analyzed<'static>, usize)>,
    unanswered: Vec<(Vec<Analyzed<'static>>, Position)>,
}

impl Remote {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            stored: Mutex::default(),
            written: watch::Sender::new(Position::default()),
            refuses: AtomicBool::new(false),
            is_silent: AtomicBool::new(false),
        })
    }

    fn set(&self, refuses: bool, is_silent: bool) {
        self.refuses.store(refuses, SeqCst);
        self.is_silent.store(is_silent, SeqCst);
        if !is_silent {
            self.answer();
        }
    }

    fn answer(&self) {
        let mut stored = self.stored.lock().unwrap();
        for (events, end) in std::mem::take(&mut stored.unanswered) {
            for event in events {
                let at = event.id.position;
                let times = stored.events.get(&at).map_or(0, |(_, times)| *times);
                stored.events.insert(at, (event, times + 1));
            }
            self.written.send_if_modified(|written| {
                let moved = end > *written;
                *written = end.max(*written);
                moved
            });
        }
    }

    /// What was on its way is lost, as when the collector is killed.
    fn crash(&self) {
        self.stored.lock().unwrap().unanswered.clear();
    }

    fn len(&self) -> usize {
        self.stored.lock().unwrap().events.len()
    }
}

fn refused() -> IndexError {
    IndexError::Busy { events: 1, bytes: 1 }
}

#[async_trait]
impl Index for Remote {
    fn attach(&self, _: JournalId, cursor: Position, _: Position) -> Position {
        self.written.send_replace(cursor);
        cursor
    }

    async fn write(&self, batch: &Batch<'_>) -> Result<(), IndexError> {
        if self.refuses.load(SeqCst) {
            return Err(refused());
        }
        let events = batch.events.iter().map(|event| event.clone().into_owned()).collect();
        self.stored.lock().unwrap().unanswered.push((events, batch.end));
        if !self.is_silent.load(SeqCst) {
            self.answer();
        }
        Ok(())
    }

    async fn commit(&self) -> Result<Position, IndexError> {
        Ok(*self.written.borrow())
    }

    fn answers_later(&self) -> bool {
        true
    }

    fn written(&self) -> watch::Receiver<Position> {
        self.written.subscribe()
    }

    async fn search(&self, _: SearchRequest, _: &Limits) -> Result<SearchResult, IndexError> {
        Err(refused())
    }

    async fn follow(&self, _: FollowRequest, _: &Limits) -> Result<Followed, IndexError> {
        Err(refused())
    }

    async fn histogram(&self, _: HistogramRequest, _: &Limits) -> Result<Histogram, IndexError> {
        Err(refused())
    }

    async fn field_values(&self, _: FieldValuesRequest, _: &Limits) -> Result<FieldValues, IndexError> {
        Err(refused())
    }

    async fn fields(&self, _: &Limits) -> Result<Vec<FieldInfo>, IndexError> {
        Err(refused())
    }

    async fn patterns(&self, _: PatternsRequest, _: &Limits) -> Result<Patterns, IndexError> {
        Err(refused())
    }

    async fn amend(&self, _: &[(EventId, Verdict)]) -> Result<u64, IndexError> {
        Ok(0)
    }

    async fn expire(&self, _: Timestamp) -> Result<u64, IndexError> {
        Ok(0)
    }

    fn stats(&self) -> IndexStats {
        IndexStats::default()
    }
}

/// What is durable of a detector's findings: up to which place, and each event with how it was judged.
type Found = Arc<Mutex<(Position, Vec<(EventId, VerdictState)>)>>;

/// A detector that finds every event, and keeps what it found with its place.
struct FindsAll {
    durable: Found,
    found: Vec<(EventId, VerdictState)>,
}

impl Detector for FindsAll {
    fn position(&self) -> Position {
        self.durable.lock().unwrap().0
    }

    fn see(&mut self, batch: &Batch<'_>) {
        self.found.extend(batch.events.iter().map(|event| (event.id, event.verdict.state)));
    }

    fn commit(&mut self, position: Position) -> Result<(), DetectorError> {
        let mut durable = self.durable.lock().unwrap();
        durable.0 = position;
        durable.1.append(&mut self.found);
        Ok(())
    }
}

/// What outlives a restart.
struct World {
    dir: tempfile::TempDir,
    index: Arc<dyn Index>,
    found: Found,
    verdict_bytes: u64,
}

/// One life of the readers.
struct Life {
    journal: Journal,
    verdicts: Verdicts,
    live: Watcher,
    stop: Stop,
    kill: Stop,
    threads: Vec<JoinHandle<()>>,
}

impl World {
    fn new(index: Arc<dyn Index>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir, index, found: Arc::default(), verdict_bytes: 8 << 20 }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn start(&self) -> Life {
        let dir = self.path();
        let journal =
            Journal::open(journal::Config { segment_bytes: 16 << 10, ..journal::Config::new(dir) }).unwrap();
        let service = anomaly::Service::open(anomaly::Config::new(dir.join("models"))).unwrap();
        let kept = verdicts::Config {
            dir: dir.join("verdicts"),
            budget_bytes: self.verdict_bytes,
            held_bytes_max: 16 << 10,
        };
        let verdicts = Verdicts::open(kept, &journal).unwrap();
        let parts = Parts {
            journal: journal.clone(),
            analysis: Analysis::InProcess(Arc::new(service)),
            verdicts: verdicts.clone(),
            index: self.index.clone(),
            detector: Some(Box::new(FindsAll { durable: self.found.clone(), found: vec![] })),
            health: Health::new(),
        };
        let config = Config {
            read_bytes: 1 << 10,
            commit_events: 40,
            commit_idle: Duration::from_millis(5),
            commit_interval: Duration::from_millis(20),
            retry: Duration::from_millis(1),
            drain: Duration::ZERO,
            live_bytes_max: 8 << 20,
            window_dir: dir.join("window"),
        };
        let (pipeline, catch_up) = Pipeline::open(config, parts).unwrap();
        let live = pipeline.live().watch();
        let (stop, kill) = (Stop::new(), Stop::new());
        let (one, other) = (stop.clone(), stop.clone());
        let analysis = in_thread(move || pipeline.run(one), kill.clone());
        let indexing = in_thread(move || catch_up.run(other), kill.clone());
        Life { journal, verdicts, live, stop, kill, threads: vec![analysis, indexing] }
    }

    fn found(&self) -> Vec<(EventId, VerdictState)> {
        self.found.lock().unwrap().1.clone()
    }
}

/// Runs a reader until it ends, or until it is killed in the middle of whatever it waits for.
fn in_thread<F: Future<Output = Result<(), pipeline::PipelineError>>>(
    reader: impl FnOnce() -> F + Send + 'static,
    kill: Stop,
) -> JoinHandle<()> {
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        if let Some(ended) = runtime.block_on(kill.run_until_cancelled(reader())) {
            ended.unwrap();
        }
    };
    std::thread::Builder::new().name("reader".to_owned()).spawn(run).unwrap()
}

impl Life {
    fn append(&self, numbers: std::ops::Range<u32>) {
        let mut batch = journal::Batch::new();
        for number in numbers {
            batch.push_with(|out| codec::encode(&event(number), out));
        }
        self.journal.append_blocking(batch).unwrap();
    }

    fn end(self, stop: Stop) {
        stop.cancel();
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
    }

    /// Stops in order.
    fn stop(self) {
        let stop = self.stop.clone();
        self.end(stop);
    }

    /// Ends at once; what was not durable is lost.
    fn kill(self) {
        let kill = self.kill.clone();
        self.end(kill);
    }
}

fn event(number: u32) -> Event<'static> {
    let at = Timestamp::from_nanos(1_700_000_000_000_000_000 + i64::from(number) * 1_000_000_000).unwrap();
    let message = match number % 7 {
        0 => format!("connection from 10.0.0.{} closed after {number} ms", number % 50),
        1..=4 => format!("user {} logged in from port {number}", ["ann", "bob", "cyd"][number as usize % 3]),
        5 => format!("queue {} holds {number} jobs", number % 5),
        _ => format!(
            "{} strange {number} thing {:x}",
            ["one", "another"][number as usize / 7 % 2],
            number * 77
        ),
    };
    let mut event = Event::new(message, at);
    event.source = Some("app".into());
    event
}

fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let until = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < until, "never: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What a run without any trouble says of so many events, in their order.
fn expected(count: u32) -> Vec<(String, String, Verdict)> {
    let index = Remote::new();
    let world = World::new(index.clone());
    let life = world.start();
    life.append(0..count);
    eventually("all are stored", || index.len() == count as usize);
    life.stop();
    said(&index)
}

fn said(index: &Remote) -> Vec<(String, String, Verdict)> {
    let stored = index.stored.lock().unwrap();
    let said = |event: &Analyzed<'_>| {
        let template = event.template.as_ref().map(|template| template.text.clone()).unwrap_or_default();
        (event.event.message.clone().into_owned(), template, event.verdict.clone())
    };
    stored.events.values().map(|(event, _)| said(event)).collect()
}

/// Reads all that a live tail has.
fn watched(live: &Watcher) -> Vec<Arc<Analyzed<'static>>> {
    match live.read(live.start(), usize::MAX) {
        Newest::Events(events, _) => events,
        Newest::Gone => panic!("the tail holds everything here"),
    }
}

#[test]
fn nothing_waits_for_an_index_that_is_away() {
    let index = Remote::new();
    index.set(true, false);
    let world = World::new(index.clone());
    let life = world.start();
    life.append(0..500);
    eventually("a live tail shows them", || watched(&life.live).len() == 500);
    let shown = watched(&life.live);
    assert!(
        shown.iter().all(|event| event.template.is_some() && event.verdict.state != VerdictState::Unscored)
    );
    assert_eq!(index.len(), 0);
    eventually("they are detected", || world.found().len() == 500);
    index.set(false, false);
    eventually("they are stored when it is back", || index.len() == 500);
    life.append(500..600);
    eventually("it is given what comes", || index.len() == 600);
    eventually("nothing is kept any more", || life.verdicts.is_empty());
    life.stop();
    assert_eq!(said(&index), expected(600));
    assert!(index.stored.lock().unwrap().events.values().all(|(_, times)| *times == 1));
}

#[test]
fn a_restart_while_the_index_is_away_analyses_nothing_again() {
    let index = Remote::new();
    index.set(true, false);
    let world = World::new(index.clone());
    for life_number in 0..4 {
        let life = world.start();
        assert_eq!(watched(&life.live).len(), 0);
        life.append(life_number * 100..(life_number + 1) * 100);
        let so_far = (life_number + 1) as usize * 100;
        eventually("they are detected", || world.found().len() == so_far);
        assert_eq!(watched(&life.live).len(), 100, "those of before were shown before");
        life.stop();
    }
    index.set(false, false);
    let life = world.start();
    eventually("all are stored", || index.len() == 400);
    assert_eq!(watched(&life.live).len(), 0);
    life.stop();
    assert_eq!(said(&index), expected(400));
}

#[test]
fn without_room_for_verdicts_events_come_without_them_and_none_is_lost() {
    let index = Remote::new();
    index.set(true, false);
    let world = World { verdict_bytes: 32 << 10, ..World::new(index.clone()) };
    let life = world.start();
    for part in 0..20 {
        life.append(part * 200..(part + 1) * 200);
    }
    eventually("they are analysed", || watched(&life.live).len() == 4_000);
    index.set(false, false);
    eventually("all are stored", || index.len() == 4_000);
    life.stop();
    let stored = index.stored.lock().unwrap();
    let unscored = stored.events.values().filter(|(event, _)| event.verdict.state == VerdictState::Unscored);
    let unscored = unscored.count();
    assert!((1..4_000).contains(&unscored), "{unscored}");
}

#[test]
fn an_index_in_the_process_is_given_what_it_lacks_after_a_crash() {
    let index = ScanIndex::new();
    let mut world = World::new(Arc::new(index.clone()));
    let life = world.start();
    life.append(0..200);
    eventually("they are detected", || world.found().len() == 200);
    life.append(200..230);
    life.kill();
    let index = index.reopened();
    world.index = Arc::new(index.clone());
    let life = world.start();
    eventually("all are stored", || index.stats().events == 230);
    eventually("they are detected once", || world.found().len() == 230);
    life.stop();
    let ids: Vec<_> = world.found().iter().map(|(id, _)| *id).collect();
    assert!(ids.is_sorted_by(|one, other| one < other));
}

#[derive(Debug, Clone)]
enum Step {
    Append(u32),
    Index {
        refuses: bool,
        is_silent: bool,
    },
    Stop,
    Kill,
    /// Until everything so far was analysed.
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (1u32..60).prop_map(Step::Append),
        3 => any::<(bool, bool)>().prop_map(|(refuses, is_silent)| Step::Index { refuses, is_silent }),
        1 => Just(Step::Stop),
        2 => Just(Step::Kill),
        3 => Just(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn whatever_happens_each_event_is_stored_with_its_verdict_and_detected_once(
        steps in prop::collection::vec(step(), 1..20)
    ) {
        let index = Remote::new();
        let world = World::new(index.clone());
        let (mut life, mut appended) = (world.start(), 0);
        for step in steps {
            match step {
                Step::Append(more) => {
                    life.append(appended..appended + more);
                    appended += more;
                }
                Step::Index { refuses, is_silent } => index.set(refuses, is_silent),
                Step::Stop => {
                    life.stop();
                    life = world.start();
                }
                Step::Kill => {
                    life.kill();
                    index.crash();
                    life = world.start();
                }
                Step::Wait => {
                    let end = life.journal.end();
                    eventually("it is analysed", || world.found.lock().unwrap().0 >= end);
                }
            }
        }
        index.set(false, false);
        let count = appended as usize;
        eventually("all are stored", || index.len() == count);
        eventually("all are detected", || world.found().len() >= count);
        life.stop();
        prop_assert_eq!(said(&index), expected(appended));
        let found = world.found();
        prop_assert_eq!(found.len(), count);
        prop_assert!(found.iter().zip(found.iter().skip(1)).all(|(one, next)| one.0 < next.0));
        prop_assert!(found.iter().all(|(_, state)| *state != VerdictState::Unscored));
    }
}
