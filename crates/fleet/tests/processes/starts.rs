//! Starts of programs of which several things are rare on their host at once.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{path::Path, sync::Arc};

use event::Timestamp;
use fleet::{Config, Fleet, Keeper, Sender};
use sample::Limits;
use serde_json::{Value, json};
use signal::{Filter, Signal, Store};
use state::Database;

const BEGAN: i64 = 1_800_000_000;
/// From one start to the next: a thousand in two days.
const PAUSE: i64 = 180;

fn at(second: i64) -> Timestamp {
    Timestamp::from_nanos((BEGAN + second) * 1_000_000_000).unwrap()
}

fn open(dir: &Path) -> Arc<Fleet> {
    Arc::new(Fleet::open(Database::open(dir.join("metrics.db")).unwrap(), Config::default(), at(0)).unwrap())
}

fn process(pid: i64, ppid: i64, name: &str, (user, arguments): (&str, &str)) -> Value {
    json!({"pid": pid, "started_at": at(pid), "ppid": ppid, "name": name, "command": format!("{name} {arguments}"),
           "executable": format!("/usr/bin/{name}"), "executable_deleted": false, "user": user, "uid": 7, "gid": 7,
           "capabilities": [], "cpu_seconds": 0.5, "rss_bytes": 4096, "open_ports": [], "real_uid": 7,
           "kernel_thread": false, "set_uid": false, "namespaces": [], "listening": []})
}

fn send(fleet: &Fleet, second: i64, begins: bool, processes: Vec<Value>) {
    let kind = if begins { "present" } else { "started" };
    let changes: Vec<Value> = processes
        .into_iter()
        .map(|process| json!({"kind": kind, "at": at(second), "process": process}))
        .collect();
    let report = json!({"boot_id": "b", "source": "procmond", "told_by_kernel": true, "begins": begins, "complete": begins,
                        "changes": changes});
    let body = json!({"agent_name": "web-1", "timestamp": at(second), "seq": second, "processes": report, "metrics": {}});
    let readings = sample::read(body.to_string().as_bytes(), &Limits::default()).unwrap();
    let taken = fleet.take(readings, &Sender::default(), at(second)).unwrap();
    assert_eq!((taken.accepted, taken.problems_total), (1, 0), "{taken:?}");
}

fn signals(dir: &Path, fleet: &Arc<Fleet>) -> Vec<Signal> {
    let state = Arc::new(Database::open(dir.join("state.db")).unwrap());
    let signals = Arc::new(Store::open(state, signal::Config::default()).unwrap());
    let keeper = Keeper {
        fleet: Arc::clone(fleet),
        signals: Arc::clone(&signals),
        beside: Arc::new(|_, _| Ok(())),
        clock: || at(1_000_000),
        health: telemetry::health::Health::new().component("hosts"),
    };
    keeper.tell().unwrap();
    let found = signals.list(&Filter { limit: 100, ..Filter::default() }).unwrap().signals;
    found.into_iter().filter(|signal| signal.rule == "process_strange_start").collect()
}

/// The start of this number in ordinary days: five programs, each as its user, with one of three shapes of arguments.
fn ordinary(fleet: &Fleet, number: i64) {
    let name = ["report", "backup", "rotate", "sync", "mail"][(number % 5) as usize];
    let arguments = ["--all", "--file /srv/x", "-n 5"][(number % 7 % 3) as usize];
    let start = process(1_000 + number, 10 + number % 2, name, (&format!("u{}", number % 5), arguments));
    send(fleet, 100 + number * PAUSE, false, vec![start]);
}

#[test]
fn a_start_that_is_rare_in_several_ways_is_told_with_its_reasons_over_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = open(dir.path());
    let parent = |pid: i64, name: &str| process(pid, 1, name, ("root", ""));
    send(
        &fleet,
        1,
        true,
        vec![parent(1, "systemd"), parent(10, "jobs"), parent(11, "queue"), parent(12, "web")],
    );
    for number in 0..1_600 {
        ordinary(&fleet, number);
    }
    assert_eq!(signals(dir.path(), &fleet), []);
    drop(fleet);
    let fleet = open(dir.path());
    let second = 100 + 1_600 * PAUSE;
    // A program that is new, and one thing that is: neither alone is strange.
    send(&fleet, second, false, vec![process(90, 10, "fresh", ("u0", "--all"))]);
    send(&fleet, second + 1, false, vec![process(91, 10, "report", ("u0", "--new-option"))]);
    assert_eq!(signals(dir.path(), &fleet), []);
    send(
        &fleet,
        second + 2,
        false,
        vec![process(92, 12, "report", ("www-data", "http://192.0.2.7/x -o /tmp/x"))],
    );
    for number in 1_601..1_640 {
        ordinary(&fleet, number);
    }
    let found = signals(dir.path(), &fleet);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].kind.as_str(), found[0].severity.as_str(), found[0].count), ("anomaly", "low", 1));
    let mut reasons: Vec<String> = found[0].facts["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap().to_owned())
        .collect();
    reasons.sort();
    assert_eq!(reasons, ["arguments", "parent", "user"]);
}
