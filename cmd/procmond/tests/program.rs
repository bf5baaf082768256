//! The program itself: what it writes, what it tells on its socket, and what it gives up.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use process::{
    Change, ChangeKind, Snapshot,
    message::{
        self,
        v1::{ProcessAcknowledgement, ProcessFrame, ProcessGreeting, process_frame::Content},
    },
};

const PROCMOND: &str = env!("CARGO_BIN_EXE_procmond");

fn call(arguments: &[&str]) -> Output {
    Command::new(PROCMOND).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A `procmond run`, ended with the test.
struct Procmond {
    child: Child,
    socket: PathBuf,
    _folder: tempfile::TempDir,
}

impl Procmond {
    fn start(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("procmond.sock");
        let config = folder.path().join("procmond.yaml");
        fs::write(&config, format!("socket: {}\n{settings}", socket.display())).unwrap();
        let mut child = Command::new(PROCMOND)
            .args(["run", "--verbose", "--config"])
            .arg(&config)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap());
        loop {
            let mut line = String::new();
            assert!(told.read_line(&mut line).unwrap() > 0, "it ended before it was ready");
            if line.contains("the agent connects to") {
                break;
            }
        }
        // What it says from here on is of no interest, and must not block it.
        let rest = std::thread::Builder::new().name("rest of stderr".to_owned());
        rest.spawn(move || told.read_to_end(&mut Vec::new())).unwrap();
        Self { child, socket, _folder: folder }
    }

    fn connect(&self) -> (UnixStream, ProcessGreeting) {
        let mut stream = UnixStream::connect(&self.socket).unwrap();
        // What does not come fails the test instead of hanging it.
        stream.set_read_timeout(Some(std::time::Duration::from_secs(120))).unwrap();
        let frame: ProcessFrame = message::read(&mut stream).unwrap().unwrap();
        assert_eq!(frame.sequence, 0);
        let Some(Content::Greeting(greeting)) = frame.content else { panic!("the first frame greets") };
        (stream, greeting)
    }
}

impl Drop for Procmond {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// Reads frames until one has a change that is wanted.
fn until(stream: &mut UnixStream, wanted: impl Fn(&Change) -> bool) -> (u64, Change) {
    loop {
        let frame: ProcessFrame = message::read(stream).unwrap().expect("it goes on");
        if let Some(Content::Change(change)) = frame.content {
            let change = Change::try_from(change).unwrap();
            if wanted(&change) {
                return (frame.sequence, change);
            }
        }
    }
}

/// A shell of this name, which waits for a line and then ends or becomes what it is told.
fn shell(folder: &Path, name: &str) -> Child {
    let program = folder.join(name);
    if !program.exists() {
        testkit::program::copy("/bin/sh", &program);
    }
    Command::new(program).args(["-c", "read line"]).stdin(Stdio::piped()).spawn().unwrap()
}

#[test]
fn one_snapshot_goes_to_a_file_for_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("snapshot.json");
    let output = call(&["run", "--once", "--output", file.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let snapshot: Snapshot = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert!(snapshot.processes.iter().any(|process| process.pid == std::process::id()));
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
}

#[test]
fn a_snapshot_that_cannot_be_written_is_an_error_that_says_where() {
    let output = call(&["run", "--once", "--output", "/nowhere/at/all.json"]);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("/nowhere/at/all.json"), "{}", text(&output.stderr));
}

#[test]
fn the_check_of_itself_names_what_is_lacking_and_succeeds() {
    let output = call(&["self-check", "--verbose"]);
    assert!(output.status.success());
    let told = text(&output.stdout);
    for measure in [
        "no new privileges",
        "bounding set",
        "capabilities of the reader",
        "files and networks of the speaker",
        "system calls of the reader",
    ] {
        assert!(told.lines().any(|line| line.contains(measure)), "{measure} in {told}");
    }
}

#[test]
fn starts_and_ends_reach_who_is_connected() {
    let procmond = Procmond::start("interval: 1\n");
    let (mut stream, greeting) = procmond.connect();
    assert_eq!(greeting.boot_id, fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap().trim());
    let own = std::process::id();
    until(&mut stream, |change| change.kind == ChangeKind::Present && change.process.pid == own);
    let folder = tempfile::tempdir().unwrap();
    let mut child = shell(folder.path(), "visits");
    let id = child.id();
    let (_, change) =
        until(&mut stream, |change| change.process.pid == id && &*change.process.name == "visits");
    assert!(matches!(change.kind, ChangeKind::Started | ChangeKind::Executed), "{change:?}");
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    child.wait().unwrap();
    until(&mut stream, |change| change.process.pid == id && change.kind == ChangeKind::Ended);
}

#[test]
fn what_was_not_acknowledged_comes_again_and_what_was_does_not() {
    let procmond = Procmond::start("interval: 1\n");
    let folder = tempfile::tempdir().unwrap();
    let (mut stream, greeting) = procmond.connect();
    let mut first = shell(folder.path(), "first");
    let first_id = first.id();
    let (sequence, _) =
        until(&mut stream, |change| change.process.pid == first_id && &*change.process.name == "first");
    drop(stream);
    // Nobody acknowledged: the same frame under the same number.
    let (mut stream, again) = procmond.connect();
    assert_eq!(again.stream, greeting.stream);
    let (repeated, _) =
        until(&mut stream, |change| change.process.pid == first_id && &*change.process.name == "first");
    assert_eq!(repeated, sequence);
    message::write(&mut stream, &ProcessAcknowledgement { sequence }).unwrap();
    // It answers after it has looked: the next frames say that it did, by being the only ones that are left.
    let mut second = shell(folder.path(), "second");
    let second_id = second.id();
    until(&mut stream, |change| change.process.pid == second_id && &*change.process.name == "second");
    first.kill().unwrap();
    first.wait().unwrap();
    until(&mut stream, |change| change.process.pid == first_id && change.kind == ChangeKind::Ended);
    drop(stream);
    let (mut stream, _) = procmond.connect();
    let frame: ProcessFrame = message::read(&mut stream).unwrap().unwrap();
    assert!(frame.sequence > sequence, "{} was acknowledged", frame.sequence);
    second.kill().unwrap();
    second.wait().unwrap();
}

#[test]
fn answers_that_are_none_end_the_connection_and_nothing_else() {
    let procmond = Procmond::start("interval: 1\n");
    let (mut stream, _) = procmond.connect();
    stream.write_all(&[0xff; 64]).unwrap();
    let mut rest = Vec::new();
    // It closes; that may show as a reset.
    let _closed = stream.read_to_end(&mut rest);
    let (mut stream, _) = procmond.connect();
    until(&mut stream, |change| change.process.pid == std::process::id());
}

#[test]
fn the_running_program_holds_nothing_that_it_does_not_need() {
    let procmond = Procmond::start("");
    let threads = fs::read_dir(format!("/proc/{}/task", procmond.child.id())).unwrap();
    let mut seen = 0;
    for thread in threads {
        let folder = thread.unwrap().path();
        let name = fs::read_to_string(folder.join("comm")).unwrap();
        let status = fs::read_to_string(folder.join("status")).unwrap();
        let field =
            |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
        let held = u64::from_str_radix(&field("CapEff:"), 16).unwrap();
        // CAP_DAC_READ_SEARCH is 2, CAP_SYS_PTRACE 19.
        let allowed = if name.trim() == "speaker" { 0 } else { 1 << 2 | 1 << 19 };
        assert_eq!(held & !allowed, 0, "{name} holds {held:x}");
        assert_eq!(field("NoNewPrivs:"), "1", "{name}");
        assert_eq!(field("Seccomp:"), "2", "{name} is not held by a filter");
        seen += 1;
    }
    assert_eq!(seen, 2, "a reader and a speaker");
}

/// What a network takes is not even linked.
#[test]
fn no_crate_that_speaks_a_network_is_linked() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--locked",
            "-p",
            "procmond",
            "-e",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let tree = text(&output.stdout);
    let crates: Vec<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(crates.contains(&"process"));
    for forbidden in [
        "tokio", "mio", "socket2", "hyper", "reqwest", "tonic", "rustls", "ring", "axum", "openssl",
        "rusqlite",
    ] {
        assert!(!crates.contains(&forbidden), "{forbidden} is linked");
    }
}

/// The scale of `systemd-analyze security` goes from 0 to 10; up to 2 counts as good.
#[test]
fn the_unit_file_exposes_little() {
    let unit = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/systemd/procmond.service");
    let Ok(output) = Command::new("systemd-analyze").args(["security", "--offline=true", unit]).output()
    else {
        // A machine without systemd runs the program otherwise, and says nothing of the unit.
        assert!(fs::read_to_string(unit).unwrap().contains("NoNewPrivileges=yes"));
        return;
    };
    let told = text(&output.stdout);
    let level =
        told.lines().find_map(|line| line.split("service: ").nth(1)?.split(' ').next()?.parse::<f64>().ok());
    assert!(level.is_some_and(|level| level <= 2.0), "{told}");
}
