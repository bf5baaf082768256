//! A fleet by its public API: what is kept, what is told, what is refused.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{path::Path, sync::Arc, time::Duration};

use event::Timestamp;
use fleet::{AgentState, Config, Fleet, FleetError, Keeper, Question, Sender, Taken};
use proptest::prelude::*;
use sample::Limits;
use serde_json::{Value, json};
use signal::{Filter, Signal, State, Store};
use state::Database;

const BEGAN: i64 = 1_800_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_nanos((BEGAN + second) * 1_000_000_000).unwrap()
}

fn now() -> Timestamp {
    at(100_000)
}

struct World {
    fleet: Arc<Fleet>,
    keeper: Keeper,
    signals: Arc<Store>,
    dir: tempfile::TempDir,
}

fn open(dir: &Path, config: Config) -> Fleet {
    Fleet::open(Database::open(dir.join("metrics.db")).unwrap(), config, at(0)).unwrap()
}

fn world(config: Config) -> World {
    let dir = tempfile::tempdir().unwrap();
    let fleet = Arc::new(open(dir.path(), config));
    let state = Arc::new(Database::open(dir.path().join("state.db")).unwrap());
    let signals = Arc::new(Store::open(state, signal::Config::default()).unwrap());
    let keeper = Keeper {
        fleet: Arc::clone(&fleet),
        signals: Arc::clone(&signals),
        beside: Arc::new(|_, _| Ok(())),
        clock: now,
        health: telemetry::health::Health::new().component("hosts"),
    };
    World { fleet, keeper, signals, dir }
}

impl World {
    fn send(&self, body: Value, received: i64) -> Taken {
        send(&self.fleet, &body, received)
    }

    /// One sample of web-1.
    fn sample(&self, second: i64, metrics: Value) -> Taken {
        let stamp = at(second).to_string();
        self.send(
            json!({"agent_name": "web-1", "timestamp": stamp, "interval": 10, "metrics": metrics}),
            second,
        )
    }

    fn signals(&self) -> Vec<Signal> {
        self.keeper.tell().unwrap();
        self.signals.list(&Filter::default()).unwrap().signals
    }

    fn kinds(&self) -> Vec<(&'static str, State)> {
        let mut kinds: Vec<_> =
            self.signals().iter().map(|signal| (signal.kind.as_str(), signal.state)).collect();
        kinds.sort_by_key(|(kind, _)| *kind);
        kinds
    }
}

fn send(fleet: &Fleet, body: &Value, received: i64) -> Taken {
    let readings = sample::read(body.to_string().as_bytes(), &Limits::default()).unwrap();
    fleet.take(readings, &Sender::default(), at(received)).unwrap()
}

fn chart(fleet: &Fleet, from: i64, to: i64, points: usize, at_now: i64) -> Vec<fleet::Point> {
    let question = Question { metric: "cpu.percent".to_owned(), from: at(from), to: at(to), points };
    fleet.chart("web-1", None, &question, at(at_now)).unwrap().points
}

fn total(points: &[fleet::Point]) -> u64 {
    points.iter().map(|point| point.count).sum()
}

#[test]
fn what_was_answered_for_is_there_after_a_restart_and_the_same_again_changes_nothing() {
    let world = world(Config::default());
    let body = json!([
        {"agent_name": "web-1", "seq": 1, "timestamp": at(10).to_string(), "metrics": {"cpu": 10}},
        {"agent_name": "web-1", "seq": 2, "timestamp": at(20).to_string(), "metrics": {"cpu": 20}},
    ]);
    let taken = world.send(body.clone(), 20);
    assert_eq!((taken.accepted, taken.duplicates, taken.rejected_total), (2, 0, 0));
    let again =
        json!({"agent_name": "web-1", "seq": 2, "timestamp": at(30).to_string(), "metrics": {"cpu": 99}});
    assert_eq!(world.send(again.clone(), 30).duplicates, 1);
    let World { fleet, keeper, signals, dir } = world;
    drop((fleet, keeper, signals));
    let fleet = open(dir.path(), Config::default());
    assert_eq!(send(&fleet, &body, 40).duplicates, 2);
    for sealed in [false, true] {
        if sealed {
            assert_eq!(fleet.seal(1, at(50)).unwrap(), 2);
            assert_eq!(fleet.seal(1, at(50)).unwrap(), 0);
        }
        let points = chart(&fleet, 0, 60, 6, 60);
        let means: Vec<_> = points.iter().map(|point| (point.t, point.mean, point.count)).collect();
        assert_eq!(means, [(at(10), 10.0, 1), (at(20), 20.0, 1)], "sealed {sealed}");
        let newest = fleet.newest("web-1", None, (at(0), at(60)), 10).unwrap();
        let cpus: Vec<_> = newest.iter().map(|sample| sample["metrics"]["cpu"]["percent"].clone()).collect();
        assert_eq!(cpus, [20, 10]);
    }
}

#[test]
fn a_sample_without_a_sequence_is_known_again_by_its_time() {
    let world = world(Config::default());
    assert_eq!(world.sample(10, json!({"cpu": 1})).accepted, 1);
    assert_eq!(world.sample(10, json!({"cpu": 1})).duplicates, 1);
    let timeless = json!({"name": "web-1", "metrics": {"cpu": 1}});
    assert_eq!(world.send(timeless.clone(), 20).accepted + world.send(timeless, 20).accepted, 2);
}

#[test]
fn noise_around_a_threshold_is_one_signal_that_is_over_once() {
    let world = world(Config::default());
    let top = json!([{"pid": 7, "name": "burn", "cpu_percent": 390, "rss_bytes": 1}, {"pid": 8, "name": "idle", "cpu_percent": 0}]);
    world.sample(0, json!({"cpu": 50}));
    world.sample(10, json!({"cpu": 95}));
    assert_eq!(world.kinds(), [], "one sample is not enough");
    world.sample(20, json!({"cpu": 96.5, "top": top}));
    for step in 3..60 {
        world.sample(10 * step, json!({"cpu": if step % 2 == 0 { 78 } else { 83 }}));
    }
    let signals = world.signals();
    assert_eq!(signals.len(), 1);
    assert_eq!(signals[0].facts["value"], 96.5);
    assert_eq!(signals[0].facts["threshold"], 80.0);
    assert_eq!(signals[0].facts["top_processes"], json!(["burn (7) 390 %"]));
    assert_eq!((signals[0].first, signals[0].count), (at(10), 1));
    world.sample(600, json!({"cpu": 5}));
    assert_ne!(world.signals()[0].state, State::Resolved);
    world.sample(610, json!({"cpu": 5}));
    assert_eq!(world.kinds(), [("host_cpu", State::Resolved)]);
    let timeline = world.signals.timeline(signals[0].id).unwrap();
    assert!(timeline.len() <= 3, "{timeline:?}");
}

#[test]
fn disks_and_services_are_told_with_the_first_sample_each_by_itself() {
    let world = world(Config::default());
    let full = json!({"disk": {"/": 91, "/home": {"percent": 97, "inodes_percent": 95}, "/ok": 89, "/cd": {"percent": 100, "read_only": true}},
        "services": {"nginx": "failed", "cron": "running", "odd": "unknown"}});
    world.sample(0, full.clone());
    let mut rules: Vec<_> = world.signals().into_iter().map(|signal| signal.rule).collect();
    rules.sort();
    assert_eq!(rules, ["host_disk /", "host_disk /home", "host_disk /home inodes", "service_down nginx"]);
    world.sample(10, json!({"disk": {"/": 50}, "services": {"nginx": "running"}}));
    let over = world.signals().into_iter().filter(|signal| signal.state == State::Resolved);
    let mut over: Vec<_> = over.map(|signal| signal.rule).collect();
    over.sort();
    assert_eq!(over, ["host_disk /", "service_down nginx"]);
    let standing = world.fleet.agents(None, at(10)).unwrap().remove(0).conditions;
    let standing: Vec<_> = standing.iter().map(|one| (one.rule.as_str(), one.standing)).collect();
    use fleet::Standing::NoData;
    assert_eq!(standing, [("host_disk /home", NoData), ("host_disk /home inodes", NoData)]);
}

#[test]
fn failed_sign_ins_are_told_by_address() {
    let world = world(Config::default());
    world.sample(0, json!({"ssh": {"failed_attempts": 9, "addresses": {"192.0.2.7": 5, "192.0.2.8": 4}}}));
    let signals = world.signals();
    assert_eq!(signals.len(), 1);
    assert_eq!(signals[0].kind.as_str(), "ssh_brute_force");
    assert_eq!((signals[0].entities[0].value.as_str(), signals[0].count), ("192.0.2.7", 5));
}

#[test]
fn failed_sign_ins_whose_lines_come_too_are_left_to_who_reads_them() {
    let world = world(Config::default());
    let ssh = json!({"failed_attempts": 9, "addresses": {"192.0.2.7": 9}});
    world.sample(0, json!({"ssh": ssh, "other": {"agent.sign_ins_sent": 1}}));
    assert_eq!(world.signals().len(), 0);
}

#[test]
fn configuration_reaches_the_agent_with_its_next_answer_and_thresholds_obey_it() {
    let world = world(Config::default());
    let own = json!({"agent_name": "web-1", "timestamp": at(0).to_string(), "monitoring": {"cpu": {"threshold": 99}, "ram": {"threshold": 50}}});
    let config = world.send(own, 0).config.unwrap();
    assert_eq!((config.version, config.monitoring.object()["cpu"]["threshold"].clone()), (0, json!(99)));
    let said = |value: Value| serde_json::from_value(value).unwrap();
    let set = |value: Value| world.fleet.configure("web-1", None, false, &said(value), at(1)).unwrap();
    assert_eq!(set(json!({"disk": {"threshold": 60}})).unwrap().version, 1);
    assert_eq!(set(json!({"disk": {"threshold": 60}})).unwrap().version, 1, "the same is no new version");
    assert_eq!(set(json!({"disk": {"threshold": "x"}, "cpu": {"enable": true}})).unwrap_err().len(), 2);
    let taken = world.sample(10, json!({"disk": {"/": 61}}));
    let config = taken.config.unwrap();
    assert_eq!(config.version, 1);
    assert_eq!(config.monitoring.object()["disk"]["threshold"], 60);
    assert_eq!(config.monitoring.object()["ram"]["threshold"], 50, "what its own file says holds beside it");
    assert_eq!(world.kinds(), [("host_disk", State::New)]);
    let body = json!({"agent_name": "web-1", "timestamp": at(20).to_string(), "config_version": 1});
    world.send(body, 20);
    let agent = world.fleet.agents(None, at(20)).unwrap().remove(0);
    assert_eq!((agent.config_version, agent.config_taken), (1, Some(1)));
    let unknown = world.fleet.configure("nobody", None, false, &said(json!({})), at(1));
    assert!(matches!(unknown, Err(FleetError::Unknown { .. })));
    assert!(world.fleet.configure("soon", None, true, &said(json!({})), at(1)).unwrap().is_ok());
    assert_eq!(world.fleet.agents(None, at(20)).unwrap()[0].state, AgentState::Never);
}

#[test]
fn what_cannot_be_kept_is_named_and_its_neighbours_are_kept() {
    let config = Config { agents_max: 2, series_max: 3, ..Config::default() };
    let world = world(config);
    let taken = world.send(
        json!([
            {"agent_name": "a", "timestamp": at(100).to_string(), "agent_id": "one", "metrics": {"cpu": "x", "ram": 5}},
            {"metrics": {}},
            {"agent_name": "a", "timestamp": at(5000).to_string()},
            {"agent_name": "a", "timestamp": "1971-01-01T00:00:00Z"},
            {"agent_name": "a", "timestamp": at(101).to_string(), "agent_id": "two"},
            {"agent_name": "b", "metrics": {"cpu": {"percent": 1, "user": 1, "system": 1, "steal": 1}}},
            {"agent_name": "c"},
        ]),
        100,
    );
    assert_eq!((taken.accepted, taken.rejected_total), (3, 4));
    let fields: Vec<_> = taken.rejected.iter().map(|one| (one.line, one.field.as_str())).collect();
    let expected = [(2, "agent_name"), (3, "timestamp"), (5, "agent_id"), (7, "agent_name")];
    assert_eq!(fields, expected);
    let problems: Vec<_> = taken.problems.iter().map(|one| (one.line, one.field.as_str())).collect();
    assert_eq!(problems, [(1, "metrics.cpu"), (4, "timestamp"), (6, "metrics")]);
    assert!(taken.problems[2].reason.contains("1 numbers beyond the 3 series"));
    // The other agent of the name takes it over once the first one is silent.
    let body = json!({"agent_name": "a", "agent_id": "two", "seq": 1});
    assert_eq!(world.send(body, 400).accepted, 1);
}

#[test]
fn agents_of_one_organization_are_not_seen_nor_fed_by_another() {
    let world = world(Config::default());
    let of = |organization: &str| Sender { organization: Some(organization.to_owned()) };
    let send = |sender: &Sender| {
        let readings =
            sample::read(br#"{"name": "web-1", "metrics": {"cpu": 1}}"#, &Limits::default()).unwrap();
        world.fleet.take(readings, sender, at(1)).unwrap()
    };
    assert_eq!(send(&of("north")).accepted, 1);
    assert_eq!(send(&of("south")).rejected[0].field, "agent_name");
    assert_eq!(world.fleet.agents(Some("south"), at(1)).unwrap(), []);
    assert_eq!(world.fleet.agents(Some("north"), at(1)).unwrap().len(), 1);
    let asked = world.fleet.series("web-1", Some("south"));
    assert!(matches!(asked, Err(FleetError::Unknown { .. })));
    assert!(world.fleet.remove("web-1", Some("south")).is_err());
}

#[test]
fn an_agent_that_is_removed_is_gone_with_its_history_and_its_signals() {
    let world = world(Config::default());
    world.sample(0, json!({"disk": {"/": 95}, "cpu": 5}));
    world.fleet.seal(1, at(1)).unwrap();
    world.sample(10, json!({"disk": {"/": 95}, "cpu": 5}));
    assert_eq!(world.signals().len(), 1);
    world.fleet.remove("web-1", None).unwrap();
    assert_eq!(world.kinds(), [("host_disk", State::Resolved)]);
    assert!(matches!(world.fleet.series("web-1", None), Err(FleetError::Unknown { .. })));
    world.sample(20, json!({"cpu": 7}));
    assert_eq!(
        total(&chart(&world.fleet, 0, 100, 10, 100)),
        1,
        "nothing of before comes back under its name"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever the order, and whenever samples are put away: every tier tells what the samples told.
    #[test]
    fn every_tier_agrees_with_the_samples(
        samples in proptest::collection::vec((0_i64..40_000, 0_u32..=10_000), 1..120),
        seals in proptest::collection::vec(0_usize..120, 0..4),
        points in 1_usize..400,
    ) {
        let world = world(Config { is_watching: false, ..Config::default() });
        let mut kept: Vec<(i64, f64)> = vec![];
        for (number, (second, value)) in samples.iter().enumerate() {
            let percent = f64::from(*value) / 100.0;
            let body = json!({"agent_name": "web-1", "seq": number, "timestamp": at(*second).to_string(), "metrics": {"cpu": percent}});
            prop_assert_eq!(world.send(body, 50_000).accepted, 1);
            kept.push((*second, percent));
            if seals.contains(&number) {
                world.fleet.seal(1, at(50_000)).unwrap();
            }
        }
        for (from, to) in [(0, 40_000), (7_200, 14_400)] {
            let got = chart(&world.fleet, from, to, points, 50_000);
            let question = Question { metric: "cpu.percent".to_owned(), from: at(from), to: at(to), points };
            let step = world.fleet.chart("web-1", None, &question, at(50_000)).unwrap().step_s as i64;
            prop_assert!(got.len() <= points);
            for point in &got {
                let begins = point.t.as_nanos() / 1_000_000_000 - BEGAN;
                let within: Vec<f64> = kept
                    .iter()
                    .filter(|(second, _)| *second >= begins && *second < begins + step)
                    .map(|(_, value)| *value)
                    .collect();
                let is_whole = points > 1 && begins >= from && begins + step <= to;
                if is_whole {
                    prop_assert_eq!(point.count as usize, within.len());
                    let mean = within.iter().sum::<f64>() / within.len() as f64;
                    prop_assert!((point.mean - mean).abs() < 1e-6, "{} {}", point.mean, mean);
                    prop_assert_eq!(point.min, within.iter().copied().fold(f64::INFINITY, f64::min));
                    prop_assert_eq!(point.max, within.iter().copied().fold(0.0, f64::max));
                }
            }
            if from == 0 {
                prop_assert_eq!(total(&got) as usize, kept.len());
            }
        }
    }
}

#[test]
fn old_partitions_are_dropped_and_coarse_tiers_remain() {
    let world = world(Config { is_watching: false, ..Config::default() });
    for step in 0..60 {
        world.sample(step * 60, json!({"cpu": 10}));
    }
    world.fleet.seal(1, at(3600)).unwrap();
    assert_eq!(world.fleet.expire(at(3600)).unwrap(), 0);
    let days = |days: i64| days * 86_400;
    assert!(world.fleet.expire(at(days(4))).unwrap() >= 1);
    assert_eq!(total(&chart(&world.fleet, 0, 3600, 360, days(4))), 60, "the next tier reaches back so far");
    assert!(world.fleet.expire(at(days(365))).unwrap() >= 2);
    let year = chart(&world.fleet, 0, days(365), 300, days(365));
    assert_eq!(total(&year), 60);
    assert!(world.fleet.expire(at(days(2000))).unwrap() >= 1);
    assert_eq!(total(&chart(&world.fleet, 0, 3600, 300, days(2000))), 0);
}

#[test]
fn a_silent_agent_is_told_unless_it_comes_and_goes_or_the_server_was_away() {
    let stop = telemetry::task::Stop::new();
    let world = world(Config { silent_after: Duration::from_secs(180), ..Config::default() });
    // The clock of the keeper stands a day later, and the server has listened since the beginning.
    world.sample(10, json!({"cpu": 10}));
    let body = json!({"name": "laptop", "expected": "sometimes", "timestamp": at(10).to_string(), "metrics": {"cpu": 1}});
    world.send(body, 10);
    let fleet = Arc::clone(&world.fleet);
    let agents = fleet.agents(None, at(100)).unwrap();
    assert!(agents.iter().all(|agent| agent.state == AgentState::Online));
    let agents = fleet.agents(None, now()).unwrap();
    assert!(agents.iter().all(|agent| agent.state == AgentState::Silent));
    let World { keeper, signals, dir, .. } = world;
    let keeping = keeper;
    let (ends, stopped) = (stop.clone(), signals.clone());
    let keep = move || {
        keeping.run(&ends);
        keeping
    };
    let thread = std::thread::Builder::new().name("hosts".into()).spawn(keep).unwrap();
    let told = || stopped.list(&Filter::default()).unwrap().signals;
    while told().is_empty() {
        std::thread::yield_now();
    }
    let found = told();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].kind.as_str(), found[0].entities[0].value.as_str()), ("agent_silent", "web-1"));
    assert_eq!(found[0].facts["last_seen"], at(10).to_string());
    let body = json!({"agent_name": "web-1", "metrics": {"cpu": 1}});
    send(&fleet, &body, 99_999);
    while told()[0].state != State::Resolved {
        std::thread::yield_now();
    }
    stop.cancel();
    let keeper = thread.join().unwrap();
    drop((fleet, keeper));
    // A server that begins only now has not listened for long enough to blame anybody.
    let database = Database::open(dir.path().join("metrics.db")).unwrap();
    let fleet = Arc::new(Fleet::open(database, Config::default(), at(2_000_000)).unwrap());
    assert_eq!(fleet.silent(at(2_000_000)).unwrap(), 0);
    assert_eq!(fleet.silent(at(2_000_179)).unwrap(), 0);
    assert_eq!(fleet.silent(at(2_000_181)).unwrap(), 1);
    assert_eq!(fleet.silent(at(2_000_182)).unwrap(), 0, "told once");
}
