//! Readers over a real journal, an index that can be away, and a detector that finds everything.

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
};
use journal::Journal;
use pipeline::{Analysis, Config, Detector, DetectorError, Parts, Pipeline};
use telemetry::{health::Health, task::Stop};
use tokio::sync::watch;
use verdicts::Verdicts;

pub(crate) const SOON: Duration = Duration::from_secs(60);

/// An index that can be away: it refuses what it is given, or does not answer for it.
pub(crate) struct Remote {
    pub(crate) stored: Mutex<Stored>,
    pub(crate) written: watch::Sender<Position>,
    pub(crate) refuses: AtomicBool,
    pub(crate) is_silent: AtomicBool,
}

#[derive(Default)]
pub(crate) struct Stored {
    /// Every event with what was said of it, and how often it was stored.
    pub(crate) events: BTreeMap<Position, (Analyzed<'static>, usize)>,
    pub(crate) unanswered: Vec<(Vec<Analyzed<'static>>, Position)>,
}

impl Remote {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            stored: Mutex::default(),
            written: watch::Sender::new(Position::default()),
            refuses: AtomicBool::new(false),
            is_silent: AtomicBool::new(false),
        })
    }

    pub(crate) fn set(&self, refuses: bool, is_silent: bool) {
        self.refuses.store(refuses, SeqCst);
        self.is_silent.store(is_silent, SeqCst);
        if !is_silent {
            self.answer();
        }
    }

    pub(crate) fn answer(&self) {
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
    pub(crate) fn crash(&self) {
        self.stored.lock().unwrap().unanswered.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.stored.lock().unwrap().events.len()
    }
}

pub(crate) fn refused() -> IndexError {
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
pub(crate) type Found = Arc<Mutex<(Position, Vec<(EventId, VerdictState)>)>>;

/// A detector that finds every event, and keeps what it found with its place.
pub(crate) struct FindsAll {
    pub(crate) durable: Found,
    pub(crate) found: Vec<(EventId, VerdictState)>,
}

impl Detector for FindsAll {
    fn position(&self) -> Position {
        self.durable.lock().unwrap().0
    }

    fn see(&mut self, batch: &Batch<'_>) {
        self.found.extend(batch.events.iter().map(|event| (event.id, event.verdict.state)));
    }

    fn commit(&mut self, position: Position, _: bool) -> Result<Position, DetectorError> {
        let mut durable = self.durable.lock().unwrap();
        durable.0 = position;
        durable.1.append(&mut self.found);
        Ok(position)
    }
}

/// What outlives a restart.
pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) index: Arc<dyn Index>,
    pub(crate) found: Found,
    pub(crate) verdict_bytes: u64,
}

/// One life of the readers.
pub(crate) struct Life {
    pub(crate) journal: Journal,
    pub(crate) verdicts: Verdicts,
    pub(crate) live: Watcher,
    pub(crate) health: Health,
    pub(crate) stop: Stop,
    pub(crate) kill: Stop,
    pub(crate) threads: Vec<JoinHandle<()>>,
}

impl World {
    pub(crate) fn new(index: Arc<dyn Index>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir, index, found: Arc::default(), verdict_bytes: 8 << 20 }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn start(&self) -> Life {
        self.try_start().unwrap()
    }

    pub(crate) fn try_start(&self) -> Result<Life, Box<dyn std::error::Error>> {
        let dir = self.path();
        let config = journal::Config { segment_bytes: 16 << 10, ..journal::Config::new(dir) };
        let journal = Journal::open(config)?;
        let service = anomaly::Service::open(anomaly::Config::new(dir.join("models")))?;
        let kept = verdicts::Config {
            dir: dir.join("verdicts"),
            budget_bytes: self.verdict_bytes,
            held_bytes_max: 16 << 10,
        };
        let verdicts = Verdicts::open(kept, &journal)?;
        let health = Health::new();
        let parts = Parts {
            journal: journal.clone(),
            analysis: Analysis::InProcess(Arc::new(service)),
            verdicts: verdicts.clone(),
            index: self.index.clone(),
            detector: Some(Box::new(FindsAll { durable: self.found.clone(), found: vec![] })),
            health: health.clone(),
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
        let (pipeline, catch_up) = Pipeline::open(config, parts)?;
        let live = pipeline.live().watch();
        let (stop, kill) = (Stop::new(), Stop::new());
        let (one, other) = (stop.clone(), stop.clone());
        let analysis = in_thread(move || pipeline.run(one), kill.clone());
        let indexing = in_thread(move || catch_up.run(other), kill.clone());
        Ok(Life { journal, verdicts, live, health, stop, kill, threads: vec![analysis, indexing] })
    }

    pub(crate) fn found(&self) -> Vec<(EventId, VerdictState)> {
        self.found.lock().unwrap().1.clone()
    }
}

/// Runs a reader until it ends, or until it is killed in the middle of whatever it waits for.
pub(crate) fn in_thread<F: Future<Output = Result<(), pipeline::PipelineError>>>(
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
    pub(crate) fn append(&self, numbers: std::ops::Range<u32>) {
        let mut batch = journal::Batch::new();
        for number in numbers {
            batch.push_with(|out| codec::encode(&event(number), out));
        }
        self.journal.append_blocking(batch).unwrap();
    }

    pub(crate) fn end(self, stop: Stop) {
        stop.cancel();
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
    }

    /// Stops in order.
    pub(crate) fn stop(self) {
        let stop = self.stop.clone();
        self.end(stop);
    }

    /// Ends at once; what was not durable is lost.
    pub(crate) fn kill(self) {
        let kill = self.kill.clone();
        self.end(kill);
    }
}

pub(crate) fn event(number: u32) -> Event<'static> {
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

pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let until = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < until, "never: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What a run without any trouble says of so many events, in their order.
pub(crate) fn expected(count: u32) -> Vec<(String, String, Verdict)> {
    let index = Remote::new();
    let world = World::new(index.clone());
    let life = world.start();
    life.append(0..count);
    eventually("all are stored", || index.len() == count as usize);
    life.stop();
    said(&index)
}

pub(crate) fn said(index: &Remote) -> Vec<(String, String, Verdict)> {
    let stored = index.stored.lock().unwrap();
    let said = |event: &Analyzed<'_>| {
        let template = event.template.as_ref().map(|template| template.text.clone()).unwrap_or_default();
        (event.event.message.clone().into_owned(), template, event.verdict.clone())
    };
    stored.events.values().map(|(event, _)| said(event)).collect()
}

/// Reads all that a live tail has.
pub(crate) fn watched(live: &Watcher) -> Vec<Arc<Analyzed<'static>>> {
    match live.read(live.start(), usize::MAX) {
        Newest::Events(events, _) => events,
        Newest::Gone => panic!("the tail holds everything here"),
    }
}
