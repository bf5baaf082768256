//! What keeping processes costs: `cargo run --release -p fleet --example process_bench`. It prints a JSON object a line: a list of 10,000
//! processes anew and again, then a host that starts and ends processes all the time, with what that takes on disk and how long
//! questions take.
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::{fs, time::Instant};

use event::Timestamp;
use fleet::{Config, Fleet, ProcessQuestion, Sender};
use sample::Limits;
use serde_json::{Value, json};
use state::Database;

const BEGAN: i64 = 1_790_000_000;
/// Of one report of an agent.
const AT_ONCE: usize = 2_500;

fn at(second: i64) -> Timestamp {
    Timestamp::from_nanos((BEGAN + second) * 1_000_000_000).unwrap()
}

fn process(pid: usize, started: i64) -> Value {
    json!({"pid": pid, "started_at": at(started), "ppid": pid / 20, "name": "worker",
        "command": format!("/usr/bin/worker --queue orders-{pid} --config /etc/worker/worker.yaml --verbose"),
        "executable": "/usr/bin/worker", "executable_deleted": false, "executable_hash": "5f".repeat(32),
        "user": "worker", "uid": 1000, "gid": 1000, "capabilities": [], "cgroup": "/system.slice/worker.service",
        "cwd": "/var/lib/worker", "cpu_seconds": 1.5, "rss_bytes": 10_485_760, "open_ports": [], "real_uid": 1000,
        "kernel_thread": false, "set_uid": false, "standard_input": "file", "device": 2049, "inode": 1_234_567,
        "namespaces": [], "listening": []})
}

fn send(fleet: &Fleet, second: i64, report: &Value) {
    let body = json!({"agent_name": "gate", "timestamp": at(second), "seq": second, "processes": report, "metrics": {}});
    let readings = sample::read(body.to_string().as_bytes(), &Limits::default()).unwrap();
    assert_eq!(fleet.take(readings, &Sender::default(), at(second)).unwrap().problems_total, 0);
}

/// A list of so many processes, in reports.
fn list(fleet: &Fleet, count: usize, second: i64) -> f64 {
    let changes: Vec<Value> = (1..=count)
        .map(|pid| json!({"kind": "present", "at": at(second), "process": process(pid, -1000)}))
        .collect();
    let parts = changes.len().div_ceil(AT_ONCE);
    let began = Instant::now();
    for (number, part) in changes.chunks(AT_ONCE).enumerate() {
        let report =
            json!({"boot_id": "b", "begins": number == 0, "complete": number + 1 == parts, "changes": part});
        send(fleet, second + i64::try_from(number).unwrap(), &report);
    }
    began.elapsed().as_secs_f64()
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.db");
    let fleet = Fleet::open(Database::open(path.clone()).unwrap(), Config::default(), at(0)).unwrap();
    println!("{}", json!({"what": "a list of 10,000", "seconds": list(&fleet, 10_000, 10)}));
    println!("{}", json!({"what": "the same list again", "seconds": list(&fleet, 10_000, 100)}));
    let before = fs::metadata(&path).unwrap().len();
    let began = Instant::now();
    let rounds = 100;
    for round in 0..rounds {
        let second = 1_000 + round * 10;
        let of = |number: usize| {
            let process = process(20_000 + number, second);
            [
                json!({"kind": "started", "at": at(second), "process": process}),
                json!({"kind": "ended", "at": at(second + 1), "process": process}),
            ]
        };
        let changes: Vec<Value> = (0..500).flat_map(of).collect();
        send(&fleet, second + 5, &json!({"boot_id": "b", "changes": changes}));
    }
    let (seconds, changes) =
        (began.elapsed().as_secs_f64(), f64::from(i32::try_from(rounds).unwrap() * 1_000));
    let files = ["metrics.db", "metrics.db-wal"]
        .map(|name| fs::metadata(folder.path().join(name)).map_or(0, |file| file.len()));
    let bytes = files.iter().sum::<u64>().saturating_sub(before) as f64;
    println!(
        "{}",
        json!({"what": "changes", "microseconds_each": seconds / changes * 1e6, "bytes_each": bytes / changes})
    );
    let question = ProcessQuestion { limit: 100_000, ..ProcessQuestion::default() };
    for (what, moment) in [("what runs", None), ("what ran", Some(at(1_500)))] {
        let began = Instant::now();
        let mut rows = 0;
        let take = |_| {
            rows += 1;
            true
        };
        fleet.processes(moment, &question, take).unwrap();
        println!("{}", json!({"what": what, "rows": rows, "seconds": began.elapsed().as_secs_f64()}));
    }
    let began = Instant::now();
    let mut events = 0;
    let take = |_| {
        events += 1;
        true
    };
    fleet.process_events((at(1_200), at(1_500)), &question, take).unwrap();
    println!(
        "{}",
        json!({"what": "changes of five minutes", "rows": events, "seconds": began.elapsed().as_secs_f64()})
    );
}
