//! What programs take, against what they took before on the same host.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{path::Path, sync::Arc};

use event::Timestamp;
use fleet::{Config, Fleet, Keeper, Sender};
use sample::Limits;
use serde_json::json;
use signal::{Filter, Signal, Store};
use state::Database;

const BEGAN: i64 = 1_800_000_000;
const LOOK: i64 = 600;

fn at(second: i64) -> Timestamp {
    Timestamp::from_nanos((BEGAN + second) * 1_000_000_000).unwrap()
}

fn open(dir: &Path) -> Arc<Fleet> {
    Arc::new(Fleet::open(Database::open(dir.join("metrics.db")).unwrap(), Config::default(), at(0)).unwrap())
}

/// Two samples within the look of this number: the second is not looked at.
fn send(fleet: &Fleet, look: i64, name: &str, cpu: f64, mib: u64) {
    let top = |cpu: f64| {
        json!([
            {"pid": 7, "name": name, "user": "ann", "command": format!("{name} --all"), "cpu_percent": cpu, "rss_bytes": mib << 20},
            {"pid": 8, "name": name, "user": "ann", "cpu_percent": 1, "rss_bytes": 1024}
        ])
    };
    for (seq, second, cpu) in [(0, 1, cpu), (1, 300, 0.0)] {
        let second = look * LOOK + second;
        let body = json!({"agent_name": "web-1", "timestamp": at(second), "seq": 2 * look + seq, "metrics": {"top": top(cpu)}});
        let readings = sample::read(body.to_string().as_bytes(), &Limits::default()).unwrap();
        let taken = fleet.take(readings, &Sender::default(), at(second)).unwrap();
        assert_eq!((taken.accepted, taken.problems_total), (1, 0), "{taken:?}");
    }
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
    found.into_iter().filter(|signal| signal.kind.as_str() == "process_resources").collect()
}

#[test]
fn a_program_that_takes_more_than_it_ever_did_is_told_once_over_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = open(dir.path());
    for look in 0..440 {
        send(&fleet, look, "worker", if look % 144 == 10 { 40.0 } else { 6.0 }, 300);
    }
    // Two looks are a peak, and a pause of a look ends a row.
    for look in [440, 441, 443, 444] {
        send(&fleet, look, "worker", 200.0, 300);
    }
    assert_eq!(signals(dir.path(), &fleet), []);
    drop(fleet);
    let fleet = open(dir.path());
    for look in 445..460 {
        send(&fleet, look, "worker", 6.0, if look < 450 { 300 } else { 2_000 });
    }
    let found = signals(dir.path(), &fleet);
    let told: Vec<_> =
        found.iter().map(|signal| (signal.rule.as_str(), signal.severity.as_str(), signal.count)).collect();
    assert_eq!(told, [("process_memory", "low", 1)]);
    let facts = &found[0].facts;
    assert_eq!((&facts["takes"], &facts["process.command_line"]), (&json!(2_000), &json!(["worker --all"])));
    assert!(facts["usual.amount"].as_u64().unwrap().abs_diff(300) < 30, "{facts:?}");
}

#[test]
fn a_program_that_was_not_known_for_long_is_not_told() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = open(dir.path());
    for look in 0..400 {
        send(&fleet, look, "young", if look < 300 { 2.0 } else { 300.0 }, 300);
    }
    assert_eq!(signals(dir.path(), &fleet), []);
}
