//! Thresholds of groups of hosts: which of them hold, for whom, and for how long.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::Path;

use event::Timestamp;
use fleet::{Agent, Config, Fleet, FleetError, GROUPS_MAX, Group, Selector, Sender, Taken, Unfit};
use proptest::prelude::*;
use sample::Limits;
use serde_json::{Value, json};
use state::Database;

const BEGAN: i64 = 1_800_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_nanos((BEGAN + second) * 1_000_000_000).unwrap()
}

fn open(dir: &Path) -> Fleet {
    Fleet::open(Database::open(dir.join("metrics.db")).unwrap(), Config::default(), at(0)).unwrap()
}

fn group(text: &str) -> Selector {
    text.parse().unwrap()
}

fn set(fleet: &Fleet, selector: &str, said: Value) -> Result<Group, Vec<Unfit>> {
    fleet.set_group(&group(selector), &serde_json::from_value(said).unwrap(), at(0)).unwrap()
}

fn configure(fleet: &Fleet, name: &str, said: Value) {
    fleet.configure(name, None, false, &serde_json::from_value(said).unwrap(), at(0)).unwrap().unwrap();
}

/// A sample of web-1, with what stands beside its metrics.
fn take(fleet: &Fleet, second: i64, metrics: Value, beside: Value) -> Taken {
    let mut body = json!({"agent_name": "web-1", "timestamp": at(second).to_string(), "interval": 10, "metrics": metrics});
    body.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
    let readings = sample::read(body.to_string().as_bytes(), &Limits::default()).unwrap();
    fleet.take(readings, &Sender::default(), at(second)).unwrap()
}

fn send(fleet: &Fleet, second: i64, metrics: Value, beside: Value) {
    let taken = take(fleet, second, metrics, beside);
    assert_eq!((taken.accepted, taken.problems_total), (1, 0));
}

fn web(fleet: &Fleet) -> Agent {
    fleet.agents(None, at(100)).unwrap().remove(0)
}

/// The threshold at a path below `monitoring`, and where it is said to come from.
fn limit(fleet: &Fleet, path: &str) -> (f64, String) {
    let agent = serde_json::to_value(web(fleet)).unwrap();
    let held = agent["monitoring"].pointer(&format!("/{}", path.replace('.', "/"))).unwrap();
    let origin = &agent["threshold_origins"][path];
    let from = origin["group"].as_str().or(origin["from"].as_str()).unwrap();
    (held.as_f64().unwrap(), from.to_owned())
}

/// What stands above its threshold.
fn raised(fleet: &Fleet) -> Vec<(String, f64)> {
    web(fleet).conditions.into_iter().map(|one| (one.rule, one.threshold)).collect()
}

fn is(value: f64, from: &str) -> (f64, String) {
    (value, from.to_owned())
}

#[test]
fn the_more_particular_holds_field_by_field_and_says_where_it_comes_from() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = open(dir.path());
    send(&fleet, 0, json!({"cpu": 1}), json!({"labels": {"role": "web", "env": "prod", "site": "a"}}));
    assert_eq!(limit(&fleet, "cpu.threshold"), is(80.0, "default"));
    set(&fleet, "site=a", json!({"cpu": {"threshold": 11}, "ram": {"threshold": 12}})).unwrap();
    set(
        &fleet,
        "role=web",
        json!({"cpu": {"threshold": 21}, "ram": {"threshold": 22}, "network": {"threshold": 23}}),
    )
    .unwrap();
    set(&fleet, "env=test", json!({"cpu": {"threshold": 99}})).unwrap();
    // Of two with as many labels the first of the alphabet holds.
    assert_eq!(limit(&fleet, "cpu.threshold"), is(21.0, "role=web"));
    set(&fleet, "role=web,env=prod", json!({"cpu": {"threshold": 31}, "network": {"threshold": {"in": 33}}}))
        .unwrap();
    assert_eq!(limit(&fleet, "cpu.threshold"), is(31.0, "env=prod,role=web"));
    assert_eq!(limit(&fleet, "ram.threshold"), is(22.0, "role=web"));
    assert_eq!(limit(&fleet, "network.threshold.in"), is(33.0, "env=prod,role=web"));
    assert_eq!(limit(&fleet, "network.threshold.out"), is(23.0, "role=web"));
    assert_eq!(limit(&fleet, "disk.threshold"), is(90.0, "default"));
    // What is said for the host itself holds over them: by its own file, and above that by the server.
    send(
        &fleet,
        10,
        json!({"cpu": 1}),
        json!({"monitoring": {"cpu": {"threshold": 41}, "ram": {"threshold": 42}}}),
    );
    configure(&fleet, "web-1", json!({"cpu": {"threshold": 51}}));
    assert_eq!(limit(&fleet, "cpu.threshold"), is(51.0, "host"));
    assert_eq!(limit(&fleet, "ram.threshold"), is(42.0, "file"));
    // Taken back, each falls to the next.
    configure(&fleet, "web-1", json!({"cpu": {"threshold": null}}));
    assert_eq!(limit(&fleet, "cpu.threshold"), is(41.0, "file"));
    send(&fleet, 20, json!({"cpu": 1}), json!({"monitoring": {}}));
    assert_eq!(limit(&fleet, "cpu.threshold"), is(31.0, "env=prod,role=web"));
    set(&fleet, "env=prod,role=web", json!({"cpu": {"threshold": null}})).unwrap();
    assert_eq!(limit(&fleet, "cpu.threshold"), is(21.0, "role=web"));
    fleet.remove_group(&group("role=web")).unwrap();
    assert_eq!(limit(&fleet, "cpu.threshold"), is(11.0, "site=a"));
}

#[test]
fn samples_are_held_against_the_group_and_a_label_that_changes_changes_the_threshold() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = open(dir.path());
    set(&fleet, "role=web", json!({"disk": {"threshold": 50}})).unwrap();
    send(&fleet, 0, json!({"disk": {"/": 60}}), json!({}));
    assert_eq!(raised(&fleet), [], "it carries no label");
    send(&fleet, 10, json!({"disk": {"/": 60}}), json!({"labels": {"role": "web"}}));
    assert_eq!(raised(&fleet), [("host_disk /".to_owned(), 50.0)]);
    let tried = |second: i64| {
        let tried = fleet.backtest("web-1", None, (at(0), at(second)), at(second)).unwrap();
        tried.thresholds.into_iter().map(|trial| (trial.threshold, trial.raised)).collect::<Vec<_>>()
    };
    assert_eq!(tried(20), [(50.0, 1)], "a dry run counts with the group's threshold");
    // Labels hold until others are sent.
    send(&fleet, 20, json!({"disk": {"/": 60}}), json!({}));
    assert_eq!(raised(&fleet), [("host_disk /".to_owned(), 50.0)]);
    send(&fleet, 30, json!({"disk": {"/": 60}}), json!({"labels": {"role": "db"}}));
    assert_eq!(raised(&fleet), []);
    assert_eq!((web(&fleet).labels["role"].as_str(), tried(40)), ("db", vec![(90.0, 0)]));
    send(&fleet, 40, json!({"disk": {"/": 60}}), json!({"labels": {}}));
    assert!(web(&fleet).labels.is_empty());
}

#[test]
fn what_comes_late_or_again_changes_neither_labels_nor_what_the_file_says() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = open(dir.path());
    let told = |seq: u64, role: &str, monitoring: Value| json!({"seq": seq, "labels": {"role": role}, "monitoring": monitoring});
    let earlier = || json!({"cpu": {"threshold": 41}});
    send(&fleet, 10, json!({"cpu": 1}), told(1, "db", earlier()));
    send(&fleet, 30, json!({"cpu": 1}), told(3, "web", json!({})));
    send(&fleet, 20, json!({"cpu": 1}), told(2, "db", earlier()));
    let again = take(&fleet, 40, json!({"cpu": 1}), told(1, "db", earlier()));
    assert_eq!((again.accepted, again.duplicates), (0, 1));
    assert_eq!(web(&fleet).labels["role"], "web");
    assert_eq!(limit(&fleet, "cpu.threshold"), is(80.0, "default"));
}

#[test]
fn groups_and_labels_are_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = open(dir.path());
    send(&fleet, 0, json!({"cpu": 1}), json!({"labels": {"role": "web"}}));
    set(&fleet, "role=web", json!({"cpu": {"threshold": 70}})).unwrap();
    set(&fleet, "role=web", json!({"cpu": {"threshold": 71}, "ram": {"learned": true}})).unwrap();
    set(&fleet, "env=a,role=web", json!({})).unwrap();
    let groups = fleet.groups().unwrap();
    let told: Vec<_> = groups.iter().map(|one| (one.group.to_string(), one.version, one.hosts)).collect();
    assert_eq!(told, [("env=a,role=web".to_owned(), 1, 0), ("role=web".to_owned(), 2, 1)]);
    drop(fleet);
    let fleet = open(dir.path());
    assert_eq!(fleet.groups().unwrap(), groups);
    assert_eq!(limit(&fleet, "cpu.threshold"), is(71.0, "role=web"));
    send(&fleet, 10, json!({"cpu": 72}), json!({}));
    send(&fleet, 20, json!({"cpu": 72}), json!({}));
    assert_eq!(raised(&fleet), [("host_cpu".to_owned(), 71.0)]);
    // The same again is no new version; another is.
    assert_eq!(set(&fleet, "role=web", json!({"cpu": {"threshold": 71}})).unwrap().version, 2);
    assert_eq!(set(&fleet, "role=web", json!({"cpu": {"threshold": 72}})).unwrap().version, 3);
    fleet.remove_group(&group("role=web")).unwrap();
    assert!(matches!(fleet.remove_group(&group("role=web")), Err(FleetError::UnknownGroup { .. })));
    drop(fleet);
    assert_eq!(limit(&open(dir.path()), "cpu.threshold"), is(80.0, "default"));
}

proptest! {
    #[test]
    fn whatever_names_a_group_is_refused_or_has_one_writing(text in "([a-z]{1,2}[=,. ]{0,2}){0,6}|.{0,40}") {
        if let Ok(selector) = text.parse::<Selector>() {
            prop_assert_eq!(selector.to_string().parse(), Ok(selector));
        }
    }
}

#[test]
fn what_does_not_fit_a_group_is_named_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = open(dir.path());
    set(&fleet, "role=web", json!({"cpu": {"threshold": 70}})).unwrap();
    for (wrong, field) in [
        (json!({"cpu": {"threshold": 101}}), "cpu.threshold"),
        (json!({"cpu": {"treshold": 1}}), "cpu.treshold"),
        (json!({"cpu": {"threshold": 1}, "disk": {"paths": ["/"]}}), "disk.paths"),
        (json!({"cpu": {"enabled": false}}), "cpu.enabled"),
        (json!({"network": {"threshold": {"up": 1}}}), "network.threshold"),
    ] {
        let unfit = set(&fleet, "role=web", wrong).unwrap_err();
        assert_eq!(unfit.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), [field]);
    }
    assert_eq!(fleet.groups().unwrap()[0].version, 1);
    for number in 1..GROUPS_MAX {
        set(&fleet, &format!("n={number}"), json!({})).unwrap();
    }
    assert_eq!(set(&fleet, "n=one-more", json!({})).unwrap_err()[0].field, "group");
    set(&fleet, "n=7", json!({"cpu": {"threshold": 5}})).unwrap();
}
