//! Each rule fired by a real program, and silence over what is ordinary.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod machine;

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::{
        fd::OwnedFd,
        unix::{fs::PermissionsExt, net::UnixStream, process::CommandExt},
    },
    path::Path,
    process::{Command, Stdio},
};

use finding::{FindingKind, Level, fact};
use machine::{Machine, Running};
use suspicion::{Scene, suspicions};
use testkit::program::copy;

/// A folder that is not one in which all may write.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn fires(rule: &str, kind: FindingKind, start: impl FnOnce(&Path) -> Running) -> finding::Finding {
    let folder = folder();
    let mut machine = Machine::new();
    let running = start(folder.path());
    let finding = machine.until(rule, &[running.id()]);
    assert_eq!((finding.kind, finding.entities[0].value.as_str()), (kind, "gate"));
    finding
}

fn named(folder: &Path, name: &str) -> Running {
    let program = folder.join(name);
    copy("/bin/sh", &program);
    Running::waits(&program)
}

/// A shell called like this that has another one called like that wait.
fn parent_of(folder: &Path, parent: &str, child: &str) -> Running {
    let (parent, child) = (folder.join(parent), folder.join(child));
    copy("/bin/sh", &parent);
    copy("/bin/sh", &child);
    let script = format!("{} -c 'read line; true'; true", child.display());
    Running::start(Command::new(parent).args(["-c", &script]).stdin(Stdio::piped()))
}

#[test]
fn a_program_that_never_was_a_file_is_told() {
    let script = "import os\nfd = os.memfd_create('x')\nos.write(fd, open('/bin/sh', 'rb').read())\n\
                  os.execv(f'/proc/self/fd/{fd}', ['x', '-c', 'read line'])";
    let finding = fires("process_in_memory", FindingKind::ProcessNoExecutable, |_| {
        Running::start(Command::new("python3").args(["-c", script]).stdin(Stdio::piped()))
    });
    assert_eq!(finding.facts[fact::FILES], fact::list(["/memfd:x"]));
    assert_eq!(finding.level, Level::High);
}

#[test]
fn a_program_whose_file_is_removed_is_told_and_one_that_is_upgraded_is_not() {
    let finding = fires("process_deleted", FindingKind::ProcessNoExecutable, |folder| {
        let running = named(folder, "app");
        // It has become the program by the time it was started.
        fs::remove_file(folder.join("app")).unwrap();
        running
    });
    assert_eq!(finding.level, Level::Medium);
    let folder = folder();
    let running = named(folder.path(), "app");
    let mut machine = Machine::new();
    copy("/bin/sh", &folder.path().join("new"));
    fs::rename(folder.path().join("new"), folder.path().join("app")).unwrap();
    let hits = machine.hits();
    assert!(machine.process(running.id()).executable_replaced);
    assert!(hits.iter().all(|hit| hit.pid != running.id()), "{hits:?}");
}

/// A kernel writes to no file that runs, so the other content is put in here.
#[test]
fn a_file_that_has_another_content_while_it_runs_is_told() {
    let folder = folder();
    let running = named(folder.path(), "app");
    let before = Machine::new().process(running.id());
    let mut now = before.clone();
    now.executable_hash = Some("0".repeat(64).into());
    let scene = Scene {
        host: "gate",
        at: before.started_at,
        now: &now,
        before: Some(&before),
        ancestors: &[],
        tracer: None,
    };
    let found = suspicions(&scene);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].finding.kind, FindingKind::ProcessChangedExecutable);
    assert_eq!(suspicions(&Scene { now: &before, ..scene }), []);
}

#[test]
fn names_of_the_system_and_names_that_look_so_are_told() {
    fires("process_system_name", FindingKind::ProcessDuplicateName, |folder| named(folder, "sshd"));
    let finding =
        fires("process_similar_name", FindingKind::ProcessDuplicateName, |folder| named(folder, "ssshd"));
    assert_eq!(finding.facts[fact::REASONS], fact::list(["sshd"]));
    let script = "import ctypes, sys\nctypes.CDLL(None).prctl(15, b'sshd')\nsys.stdin.read()";
    fires("process_system_name", FindingKind::ProcessDuplicateName, |_| {
        Running::start(Command::new("python3").args(["-c", script]).stdin(Stdio::piped()))
    });
}

/// A builder's programs are its own affair, those of what only calls itself so are not.
#[test]
fn what_a_builder_runs_is_silent_and_what_calls_itself_one_is_told() {
    let (place, open) = (folder(), tempfile::tempdir_in("/tmp").unwrap());
    copy("/bin/sh", &open.path().join("app"));
    let script = format!("{} -c 'read line; true'; true", open.path().join("app").display());
    let make = |folder: &Path| {
        copy("/bin/sh", &folder.join("make"));
        Running::start(Command::new(folder.join("make")).args(["-c", &script]).stdin(Stdio::piped()))
    };
    let mut machine = Machine::new();
    let false_builder = make(open.path());
    machine.until("process_from_open_folder", &[false_builder.id()]);
    drop(false_builder);
    let builder = make(place.path());
    let child = machine.child(builder.id(), &open.path().join("app"));
    let found = machine.found().iter().filter(|hit| hit.pid == child).cloned().collect::<Vec<_>>();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn what_looks_like_a_thread_of_the_kernel_is_told() {
    fires("process_like_kernel", FindingKind::ProcessMasquerade, |_| {
        Running::start(Command::new("/bin/sh").arg0("[kworker/0:1-events]").stdin(Stdio::piped()))
    });
}

#[test]
fn unusual_parents_are_told() {
    let kind = FindingKind::ProcessUnusualParent;
    let finding = fires("process_server_shell", kind, |folder| parent_of(folder, "nginx", "sh"));
    let parents = finding.facts[fact::PARENTS].to_string();
    assert!(parents.contains("/nginx -c"), "{parents}");
    fires("process_office_shell", kind, |folder| parent_of(folder, "soffice.bin", "bash"));
    fires("process_cron_network", kind, |folder| parent_of(folder, "cron", "nc"));
}

#[test]
fn programs_in_folders_that_all_may_write_to_are_told() {
    let kind = FindingKind::ProcessFromTemp;
    for (place, level) in [("/tmp", Level::Medium), ("/dev/shm", Level::High)] {
        let folder = tempfile::tempdir_in(place).unwrap();
        let finding = fires("process_from_open_folder", kind, |_| named(folder.path(), "app"));
        assert_eq!(finding.level, level, "{place}");
    }
}

#[test]
fn a_process_that_is_traced_is_told() {
    let script = "import ctypes, subprocess, sys\n\
        child = subprocess.Popen(['/bin/sh', '-c', 'read line'], stdin=subprocess.PIPE)\n\
        assert ctypes.CDLL(None).ptrace(16, child.pid, 0, 0) == 0\nsys.stdin.read()\nchild.kill()";
    let finding = fires("process_traced", FindingKind::ProcessTraced, |_| {
        Running::start(Command::new("python3").args(["-c", script]).stdin(Stdio::piped()))
    });
    assert_eq!(finding.facts[fact::REASONS], fact::list(["python"]));
}

#[test]
fn a_shell_on_a_connection_is_told_and_one_on_a_socket_of_this_machine_is_not() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let finding = fires("process_network_shell", FindingKind::ReverseShell, |_| {
        Running::start(Command::new("/bin/sh").arg("-s").stdin(OwnedFd::from(stream)))
    });
    assert_eq!(finding.level, Level::Critical);
    let mut machine = Machine::new();
    let (_ours, theirs) = UnixStream::pair().unwrap();
    let running = Running::start(Command::new("/bin/sh").arg("-s").stdin(OwnedFd::from(theirs)));
    let hits = machine.hits();
    assert!(hits.iter().all(|hit| hit.pid != running.id()), "{hits:?}");
}

#[test]
fn a_program_with_the_rights_of_root_is_told() {
    let own = folder();
    if std::os::unix::fs::MetadataExt::uid(&fs::metadata(own.path()).unwrap()) != 0 {
        eprintln!("not looked at: files of root are made by root only");
        return;
    }
    fires("process_set_uid", FindingKind::SuidExecuted, |folder| {
        let program = folder.join("app");
        copy("/bin/sh", &program);
        fs::set_permissions(&program, fs::Permissions::from_mode(0o4755)).unwrap();
        Running::waits(&program)
    });
}

#[test]
fn a_port_that_is_opened_is_told() {
    let mut machine = Machine::new();
    let listener = (20_000..32_000).find_map(|port| TcpListener::bind(("127.0.0.1", port)).ok()).unwrap();
    let finding = machine.until("process_listens", &[std::process::id()]);
    assert_eq!(finding.kind, FindingKind::ProcessNewListener);
    let place = format!("tcp {}", listener.local_addr().unwrap());
    assert!(finding.facts[fact::LISTENING].to_string().contains(&place), "{finding:?}");
}
