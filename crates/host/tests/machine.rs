//! This machine, as it is.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use host::{Machine, Roots, Selection, Wanted};

#[test]
fn this_machine_is_read() {
    let mut machine = Machine::new(Roots::default());
    let selection = Selection::default();
    let now = Instant::now();
    let first = machine.read(&selection, now);
    assert_eq!((first.elapsed, first.cpu, first.interfaces.len()), (Duration::ZERO, None, 0));
    // Work until the kernel has counted some of it.
    let mut second = machine.read(&selection, now + Duration::from_secs(1));
    while second.cpu.is_none() {
        second = machine.read(&selection, now + Duration::from_secs(1));
    }
    let memory = second.memory.unwrap();
    assert!(memory.total > 64 << 20 && memory.used < memory.total);
    assert!(second.uptime_s.unwrap() > 0.0 && second.booted.unwrap() > 1_000_000_000);
    assert!(second.file_systems.iter().any(|one| one.path == "/" && one.total > 0));
    let own = std::process::id();
    assert!(second.processes.count > 0);
    let all = Selection { top: usize::MAX, ..selection };
    let own =
        machine.read(&all, now + Duration::from_secs(2)).processes.top.into_iter().find(|one| one.pid == own);
    let own = own.unwrap();
    assert!(own.rss_bytes > 0 && own.command.contains("machine"), "{own:?}");
    assert!(!machine.system().is_empty() && machine.name().is_some());
}

#[test]
fn what_is_not_there_is_named_and_the_rest_is_read() {
    let mut machine = Machine::new(Roots::default());
    let selection = Selection {
        mounts: Wanted::These(vec!["/".into(), "/no-such-mount".into()]),
        interfaces: Wanted::These(vec!["nosuch0".into()]),
        ..Selection::default()
    };
    let read = machine.read(&selection, Instant::now());
    let named: Vec<&str> = read.problems.iter().map(|problem| problem.what.as_str()).collect();
    assert!(named.contains(&"/no-such-mount") && named.contains(&"nosuch0"), "{named:?}");
    assert!(read.file_systems.len() == 1 && read.memory.is_some());
}
