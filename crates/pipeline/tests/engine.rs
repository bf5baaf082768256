//! The engine of detectors as a reader: over stops and kills it finds what it would have found without them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
        mpsc,
    },
    time::Duration,
};

use detect::Engine;
use event::{Analyzed, Batch, Event, EventId, Position, Timestamp, codec};
use journal::Journal;
use pipeline::{Detector, EngineConfig, EngineReader, Keeper};
use proptest::prelude::*;
use signal::Observed;

const SECOND: i64 = 1_000_000_000;
const START: i64 = 1_780_000_000 * SECOND;

/// What was kept of each finding, by its first event: a run told again takes the place of what was told of it before.
type Kept = Arc<Mutex<BTreeMap<(String, Option<EventId>), u64>>>;

struct Keeps {
    kept: Kept,
    waiting: Vec<Observed>,
    is_broken: Arc<AtomicBool>,
}

impl Keeper for Keeps {
    fn has_room(&self) -> bool {
        self.waiting.len() < 100
    }

    fn take(&mut self, found: Vec<Observed>, _: Position) {
        self.waiting.extend(found);
        self.settle(Duration::ZERO);
    }

    fn settle(&mut self, _: Duration) -> bool {
        if self.is_broken.load(SeqCst) {
            return false;
        }
        let mut kept = self.kept.lock().unwrap();
        for found in self.waiting.drain(..) {
            let first = found.finding.evidence.first().copied();
            assert!(found.evidence.iter().all(|event| event.message.starts_with("Failed password")));
            let last = found.finding.evidence.last();
            assert_eq!(found.evidence.last().map(|event| &event.id), last, "with what the latest event says");
            let count = kept.entry((found.finding.rule, first)).or_default();
            *count = found.finding.count.max(*count);
        }
        true
    }
}

struct World {
    dir: tempfile::TempDir,
    kept: Kept,
    is_broken: Arc<AtomicBool>,
}

struct Life {
    journal: Journal,
    reader: EngineReader,
    position: Position,
}

fn clock() -> Timestamp {
    Timestamp::from_nanos(START).unwrap()
}

fn failure(number: u32) -> Event<'static> {
    let at = Timestamp::from_nanos(START + i64::from(number) * 7 * SECOND).unwrap();
    let mut event = Event::new(format!("Failed password for root, try {number}"), at);
    event.source = Some("sshd".into());
    event.host = Some("gate".into());
    event.set("event.action", "ssh_login");
    event.set("event.outcome", "failure");
    event.set("user.name", "root");
    event.set("source.ip", format!("192.0.2.{}", number % 5));
    event.set("process.pid", i64::from(number));
    event
}

impl World {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), kept: Kept::default(), is_broken: Arc::default() }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn start(&self) -> Life {
        let config = journal::Config { segment_bytes: 4 << 10, ..journal::Config::new(self.path()) };
        let journal = Journal::open(config).unwrap();
        let keeps = Keeps { kept: self.kept.clone(), waiting: vec![], is_broken: self.is_broken.clone() };
        let config = EngineConfig {
            file: self.path().join("detection/state"),
            rules: mpsc::sync_channel(1).1,
            clock,
            progress: pipeline::Progress::default(),
        };
        let engine = Engine::new(detect::Config::default());
        let reader = EngineReader::open(engine, config, Box::new(keeps), &journal).unwrap();
        let position = reader.position();
        let mut life = Life { journal, reader, position };
        life.read();
        life
    }

    fn kept(&self) -> Vec<((String, Option<EventId>), u64)> {
        self.kept.lock().unwrap().iter().map(|(key, count)| (key.clone(), *count)).collect()
    }
}

impl Life {
    fn append(&mut self, numbers: std::ops::Range<u32>) {
        let mut batch = journal::Batch::new();
        numbers.for_each(|number| batch.push_with(|out| codec::encode(&failure(number), out)));
        self.journal.append_blocking(batch).unwrap();
        self.read();
    }

    fn read(&mut self) {
        loop {
            let records = self.journal.read(self.position, 2_000).unwrap();
            if records.end() == self.position {
                return;
            }
            let event = |(position, record)| {
                let id = EventId { journal: self.journal.id(), position };
                Analyzed::unanalyzed(id, codec::decode(record).unwrap())
            };
            let events = records.iter().map(event).collect();
            self.reader.see(&Batch { events, variables: Default::default(), end: records.end() });
            self.position = records.end();
        }
    }

    fn commit(&mut self, is_last: bool) -> bool {
        self.reader.commit(self.position, is_last).is_ok_and(|durable| durable == self.position)
    }
}

#[derive(Debug, Clone)]
enum Step {
    Append(u32),
    Commit,
    Stop,
    Kill,
    /// What is found can be kept no more, or again.
    Keeper(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1u32..40).prop_map(Step::Append),
        2 => Just(Step::Commit),
        1 => Just(Step::Stop),
        2 => Just(Step::Kill),
        1 => any::<bool>().prop_map(Step::Keeper),
    ]
}

fn run(steps: &[Step], kills: bool) -> Vec<(String, u64)> {
    let world = World::new();
    let (mut life, mut appended) = (world.start(), 0);
    for step in steps {
        match step {
            Step::Append(more) => {
                life.append(appended..appended + more);
                appended += more;
            }
            _ if !kills => {}
            Step::Commit => drop(life.commit(false)),
            Step::Stop => {
                let is_kept = life.commit(true);
                assert_eq!(is_kept, !world.is_broken.load(SeqCst) || life.position == life.reader.position());
                drop(life);
                life = world.start();
                assert_eq!(
                    life.reader.position() == life.journal.end(),
                    is_kept,
                    "nothing is looked at again"
                );
            }
            Step::Kill => {
                drop(life);
                life = world.start();
            }
            Step::Keeper(is_broken) => world.is_broken.store(*is_broken, SeqCst),
        }
    }
    world.is_broken.store(false, SeqCst);
    assert!(life.commit(true));
    // Journals of two runs have ids of their own.
    world
        .kept()
        .into_iter()
        .map(|((rule, first), count)| (format!("{rule} {:?}", first.map(|id| id.position)), count))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn stops_and_kills_change_nothing_of_what_is_found(steps in prop::collection::vec(step(), 1..16)) {
        prop_assert_eq!(run(&steps, true), run(&steps, false));
    }
}

#[test]
fn what_is_remembered_and_cannot_be_read_is_begun_anew() {
    let world = World::new();
    let mut life = world.start();
    life.append(0..40);
    assert!(life.commit(true));
    let end = life.position;
    drop(life);
    let file = world.path().join("detection/state");
    let bytes = std::fs::read(&file).unwrap();
    for cut in [0, 7, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&file, &bytes[..cut]).unwrap();
        assert_eq!(world.start().reader.position(), end, "what was found stays found");
    }
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    std::fs::write(&file, flipped).unwrap();
    let mut life = world.start();
    assert_eq!(life.reader.position(), end);
    let before = world.kept().len();
    life.append(40..80);
    assert!(life.commit(true));
    assert!(world.kept().len() > before, "and it goes on");
}
