//! Real processes of this machine.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

use event::Timestamp;
use process::{ChangeKind, Executables, HashLimits, Process, Reader, Scope, Snapshot, StandardInput, Watch};
use testkit::program::copy;

fn reader() -> Reader {
    Reader::open(Path::new("/proc"), Path::new("/etc/passwd"), Scope::default()).unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_nanos(1_800_000_000_000_000_000).unwrap()
}

fn all() -> HashLimits {
    HashLimits { scan_bytes: u64::MAX, ..HashLimits::default() }
}

/// Ends with the test.
struct Running(Child);

impl Running {
    /// A copy of `cat`, which waits for its standard input.
    fn waiting(program: &Path, arguments: &[&str]) -> Self {
        Self(
            Command::new(program)
                .args(arguments)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }

    fn seen(&self, snapshot: &Snapshot) -> Process {
        snapshot.processes.iter().find(|process| process.pid == self.0.id()).unwrap().clone()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ended = self.0.kill();
        let _status = self.0.wait();
    }
}

#[test]
fn a_process_is_read_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("waits");
    copy("/bin/sh", &program);
    let running = Running::waiting(&program, &["-c", "read line", "--password=hunter2"]);
    let mut executables = Executables::new(all());
    let snapshot = reader().scan(now(), &mut executables).unwrap();
    let process = running.seen(&snapshot);
    assert_eq!(&*process.name, "waits");
    assert_eq!(&*process.command, format!("{} -c read line --password=********", program.display()));
    assert_eq!(process.executable.as_deref(), Some(program.to_str().unwrap()));
    assert_eq!(
        process.executable_hash.as_deref(),
        Some(blake3::hash(&fs::read("/bin/sh").unwrap()).to_hex().as_str())
    );
    assert_eq!(process.ppid, std::process::id());
    assert_eq!(process.standard_input, Some(StandardInput::Pipe));
    assert_eq!(process.cwd.as_deref(), std::env::current_dir().unwrap().to_str());
    assert!(!process.executable_deleted && !process.kernel_thread && process.rss_bytes > 0);
    let written = serde_json::to_value(&snapshot).unwrap();
    assert_eq!(serde_json::from_value::<Snapshot>(written).unwrap(), snapshot);
}

#[test]
fn a_file_that_is_deleted_under_a_process_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("goes (deleted)");
    copy("/bin/cat", &program);
    let running = Running::waiting(&program, &[]);
    let (mut reader, mut executables, mut watch) = (reader(), Executables::new(all()), Watch::default());
    assert_eq!(watch.observe(reader.scan(now(), &mut executables).unwrap()), []);
    let before = watch.processes().find(|process| process.pid == running.0.id()).unwrap().clone();
    assert!(!before.executable_deleted, "a file may be called so");
    fs::remove_file(&program).unwrap();
    let of_it = |watch: &mut Watch, snapshot: Snapshot| {
        watch
            .observe(snapshot)
            .into_iter()
            .filter(|change| change.process.pid == running.0.id())
            .collect::<Vec<_>>()
    };
    let changes = of_it(&mut watch, reader.scan(now(), &mut executables).unwrap());
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].kind, ChangeKind::ExecutableChanged);
    assert_eq!(changes[0].process.executable.as_deref(), program.to_str());
    assert_eq!(changes[0].process.executable_hash, before.executable_hash, "what runs is still hashed");
    assert_eq!(of_it(&mut watch, reader.scan(now(), &mut executables).unwrap()), []);
}

#[test]
fn starts_programs_and_ends_are_told() {
    let (mut reader, mut executables, mut watch) = (reader(), Executables::new(all()), Watch::default());
    watch.observe(reader.scan(now(), &mut executables).unwrap());
    // Says a line as a shell, then becomes another program when it is given one.
    let mut running = Running::waiting(Path::new("/bin/sh"), &["-c", "echo here; read line; exec cat"]);
    let mut out = BufReader::new(running.0.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    let id = running.0.id();
    let kinds = |watch: &mut Watch, snapshot: Snapshot| {
        watch
            .observe(snapshot)
            .into_iter()
            .filter(|change| change.process.pid == id)
            .map(|change| change.kind)
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds(&mut watch, reader.scan(now(), &mut executables).unwrap()), [ChangeKind::Started]);
    let mut input = running.0.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, b"go\nback\n").unwrap();
    out.read_line(&mut String::new()).unwrap();
    assert_eq!(kinds(&mut watch, reader.scan(now(), &mut executables).unwrap()), [ChangeKind::Executed]);
    drop(input);
    out.read_to_end(&mut Vec::new()).unwrap();
    running.0.wait().unwrap();
    assert_eq!(kinds(&mut watch, reader.scan(now(), &mut executables).unwrap()), [ChangeKind::Ended]);
}

#[test]
fn ports_on_which_a_process_listens_are_its_own() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let snapshot = reader().scan(now(), &mut Executables::new(all())).unwrap();
    let own = snapshot.processes.iter().find(|process| process.pid == std::process::id()).unwrap();
    assert!(own.open_ports.contains(&port));
    assert!(
        own.listening
            .iter()
            .any(|place| place.port == port && &*place.address == "127.0.0.1" && &*place.protocol == "tcp")
    );
}

#[test]
fn hashes_are_paced_and_go_on() {
    let mut executables = Executables::new(HashLimits { scan_bytes: 1, ..HashLimits::default() });
    let mut reader = reader();
    let first = reader.scan(now(), &mut executables).unwrap();
    assert_eq!(executables.len(), 1, "one file a scan");
    assert!(first.problems.iter().any(|problem| problem.what == "executable_hash"));
    reader.scan(now(), &mut executables).unwrap();
    assert_eq!(executables.len(), 2);
}
