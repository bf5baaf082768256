use std::{
    fs,
    io::Read,
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use process::{
    Change, ChangeKind, Executables, HashLimits, Process, Reader, Scope, Source,
    message::{
        self,
        v1::{
            ProcessAcknowledgement, ProcessComplete, ProcessFrame, ProcessGap, ProcessGreeting,
            process_frame::Content,
        },
    },
};
use telemetry::task::Tasks;

use super::*;

const SOON: Duration = Duration::from_secs(60);

fn at(second: i64) -> Timestamp {
    Timestamp::from_nanos((1_800_000_000 + second) * 1_000_000_000).unwrap()
}

/// A real process, under other numbers.
fn process(pid: u32, name: &str) -> Process {
    let mut reader = Reader::open(Path::new("/proc"), Path::new("/etc/passwd"), Scope::default()).unwrap();
    let own = reader.one(std::process::id(), &mut Executables::new(HashLimits::default())).unwrap();
    Process { pid, started_at: at(0), name: name.into(), ..own }
}

fn change(kind: ChangeKind, pid: u32, name: &str) -> Content {
    Content::Change((&Change { kind, at: at(1), process: process(pid, name), before: None }).into())
}

fn complete() -> Content {
    Content::Complete(ProcessComplete { processes: 0, at_unix_nano: at(9).as_nanos() })
}

fn gap(changes: u64, given_up: bool) -> Content {
    Content::Gap(ProcessGap { changes, reason: "test".to_owned(), given_up })
}

/// Speaks as procmond does.
struct Speaker(UnixStream);

impl Speaker {
    fn greet(listener: &UnixListener, stream: &str, boot_id: &str) -> Self {
        let (connection, _) = listener.accept().unwrap();
        connection.set_read_timeout(Some(SOON)).unwrap();
        let mut speaker = Self(connection);
        speaker.say(
            0,
            Content::Greeting(ProcessGreeting {
                boot_id: boot_id.to_owned(),
                stream: stream.to_owned(),
                told_by_kernel: true,
                ..ProcessGreeting::default()
            }),
        );
        speaker
    }

    fn say(&mut self, sequence: u64, content: Content) {
        message::write(&mut self.0, &ProcessFrame { sequence, content: Some(content) }).unwrap();
    }

    fn heard(&mut self) -> u64 {
        message::read::<ProcessAcknowledgement>(&mut self.0).unwrap().unwrap().sequence
    }
}

struct World {
    listener: UnixListener,
    frames: Arc<Frames>,
    processes: Processes,
    tasks: Tasks,
    _folder: tempfile::TempDir,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("procmond.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let frames = Arc::new(Frames::default());
    let tasks = Tasks::new();
    let read = Arc::clone(&frames);
    tasks.thread("processes", move |stop| connection::follow(&read, &socket, &stop)).unwrap();
    let processes = Processes::new(Arc::clone(&frames), "/proc".into(), folder.path().join("procmond.sock"));
    World { listener, frames, processes, tasks, _folder: folder }
}

impl World {
    /// What is told once so many frames wait.
    fn part(&mut self, frames: usize) -> Part {
        let began = Instant::now();
        while self.frames.count() < frames {
            assert!(began.elapsed() < SOON, "{} frames came", self.frames.count());
            std::thread::yield_now();
        }
        self.processes.take(at(10), 0)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.tasks.stop().cancel();
    }
}

fn told(part: &Part) -> Vec<(ChangeKind, u32)> {
    part.report.iter().flat_map(|report| &report.changes).map(|one| (one.kind, one.process.pid)).collect()
}

#[test]
fn a_list_then_changes_are_told_and_acknowledged_when_they_are_kept() {
    let mut world = world();
    let mut speaker = Speaker::greet(&world.listener, "s", "b");
    speaker.say(1, change(ChangeKind::Present, 1, "init"));
    speaker.say(2, complete());
    let part = world.part(3);
    let report = part.report.as_ref().unwrap();
    assert_eq!(
        (report.begins, report.complete, report.told_by_kernel, report.source),
        (true, true, true, Source::Procmond)
    );
    assert_eq!((report.boot_id.as_str(), told(&part)), ("b", vec![(ChangeKind::Present, 1)]));
    world.processes.kept(&part);
    assert_eq!(speaker.heard(), 2);
    speaker.say(3, change(ChangeKind::Started, 7, "sh"));
    speaker.say(4, gap(5, false));
    let part = world.part(2);
    let report = part.report.as_ref().unwrap();
    assert_eq!(
        (report.begins, report.complete, report.unseen, told(&part)),
        (false, false, 5, vec![(ChangeKind::Started, 7)])
    );
    assert!(world.part(0).report.is_none(), "nothing is told where nothing changed");
}

#[test]
fn another_connection_tells_only_what_differs_and_what_has_gone() {
    let mut world = world();
    let mut speaker = Speaker::greet(&world.listener, "s", "b");
    speaker.say(1, change(ChangeKind::Present, 1, "init"));
    speaker.say(2, change(ChangeKind::Present, 7, "sh"));
    speaker.say(3, complete());
    speaker.say(4, change(ChangeKind::Started, 8, "ls"));
    world.part(5);
    drop(speaker);
    // The same stream: what was not acknowledged comes again and is passed over.
    let mut speaker = Speaker::greet(&world.listener, "s", "b");
    speaker.say(4, change(ChangeKind::Started, 8, "ls"));
    speaker.say(5, change(ChangeKind::Present, 1, "init"));
    speaker.say(6, change(ChangeKind::Present, 8, "other"));
    speaker.say(7, complete());
    let part = world.part(4);
    let report = part.report.as_ref().unwrap();
    assert!(!report.begins && !report.complete);
    assert_eq!(told(&part), [(ChangeKind::Present, 8), (ChangeKind::Ended, 7)]);
    drop(speaker);
    // Another run of the machine: all anew.
    let mut speaker = Speaker::greet(&world.listener, "t", "c");
    speaker.say(1, change(ChangeKind::Present, 1, "init"));
    speaker.say(2, complete());
    let part = world.part(3);
    let report = part.report.as_ref().unwrap();
    assert!(report.begins && report.complete && report.boot_id == "c");
    assert_eq!(told(&part), [(ChangeKind::Present, 1)]);
}

#[test]
fn what_was_given_up_is_counted_and_a_list_is_asked_for() {
    let mut world = world();
    let mut speaker = Speaker::greet(&world.listener, "s", "b");
    speaker.say(1, change(ChangeKind::Present, 1, "init"));
    speaker.say(2, complete());
    speaker.say(3, gap(4, true));
    let part = world.part(4);
    assert_eq!(part.report.as_ref().unwrap().lost, 4);
    // It hangs up.
    assert_eq!(speaker.0.read(&mut [0; 8]).unwrap_or_default(), 0);
    let mut speaker = Speaker::greet(&world.listener, "s", "b");
    speaker.say(4, change(ChangeKind::Present, 1, "init"));
    speaker.say(5, complete());
    assert_eq!(told(&world.part(3)), []);
}

#[test]
fn when_samples_were_given_up_the_next_list_goes_out_whole() {
    let mut world = world();
    let mut speaker = Speaker::greet(&world.listener, "s", "b");
    speaker.say(1, change(ChangeKind::Present, 1, "init"));
    speaker.say(2, complete());
    world.part(3);
    // It hangs up, and may still have something to tell of this connection.
    let early = world.processes.take(at(11), 2).report.map_or(0, |report| report.lost);
    let mut speaker = Speaker::greet(&world.listener, "s", "b");
    speaker.say(3, change(ChangeKind::Present, 1, "init"));
    speaker.say(4, complete());
    let began = Instant::now();
    while world.frames.count() < 3 && began.elapsed() < SOON {
        std::thread::yield_now();
    }
    let part = world.processes.take(at(12), 2);
    let report = part.report.as_ref().unwrap();
    assert!(report.begins && report.complete);
    assert_eq!(early + report.lost, 2);
    assert_eq!(told(&part), [(ChangeKind::Present, 1)]);
}

#[test]
fn bytes_that_are_no_frames_end_the_connection_and_nothing_else() {
    let mut world = world();
    let mut speaker = Speaker::greet(&world.listener, "s", "b");
    std::io::Write::write_all(&mut speaker.0, &[0xff; 64]).unwrap();
    assert_eq!(speaker.0.read(&mut [0; 8]).unwrap_or_default(), 0);
    let mut speaker = Speaker::greet(&world.listener, "s", "b");
    speaker.say(1, change(ChangeKind::Present, 1, "init"));
    // A report is of one list.
    assert_eq!(told(&world.part(3)), []);
    assert_eq!(told(&world.part(2)), [(ChangeKind::Present, 1)]);
}

#[test]
fn without_procmond_the_agent_looks_for_itself() {
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let mut polling = Polling::new(Path::new("/proc"));
    let (report, _) = polling.take(at(1));
    let report = report.unwrap();
    assert!(report.begins && report.complete && report.source == Source::Polling);
    assert_eq!(report.boot_id, boot_id.trim());
    assert!(report.changes.iter().any(|change| change.process.pid == std::process::id()));
    assert!(report.changes.iter().all(|change| change.kind == ChangeKind::Present));
    assert!(polling.take(at(2)).0.is_none(), "looks are apart");
    let (report, wrong) = Polling::new(Path::new("/nowhere")).take(at(1));
    assert!(report.is_none() && wrong[0].1.contains("/nowhere"), "{wrong:?}");
}
