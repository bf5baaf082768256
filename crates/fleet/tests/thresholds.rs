//! Thresholds over days and weeks: what they would have told of what is kept, and limits that are learned.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::time::Duration;

use event::Timestamp;
use fleet::{Config, Fleet, Sender, Trial};
use sample::Limits;
use serde_json::{Value, json};
use state::Database;

/// A Monday, at midnight.
const BEGAN: i64 = 1_800_230_400;
const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

fn at(second: i64) -> Timestamp {
    Timestamp::from_nanos((BEGAN + second) * 1_000_000_000).unwrap()
}

struct World {
    fleet: Fleet,
    _dir: tempfile::TempDir,
}

fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let database = Database::open(dir.path().join("metrics.db")).unwrap();
    let config = Config { raise_again_after: Duration::from_secs(600), ..Config::default() };
    World { fleet: Fleet::open(database, config, at(0)).unwrap(), _dir: dir }
}

impl World {
    /// Samples of web-1, each as it came, put away at once.
    fn samples(&self, samples: impl Iterator<Item = (i64, Value)>) {
        let mut last = 0;
        let body: Vec<Value> = samples
            .map(|(second, metrics)| {
                last = second;
                json!({"agent_name": "web-1", "timestamp": at(second).to_string(), "metrics": metrics})
            })
            .collect();
        let readings = sample::read(json!(body).to_string().as_bytes(), &Limits::default()).unwrap();
        let taken = self.fleet.take(readings, &Sender::default(), at(last)).unwrap();
        assert_eq!((taken.accepted, taken.problems_total), (body.len(), 0));
        self.fleet.seal(1, at(last)).unwrap();
    }

    fn configure(&self, said: Value) {
        let said = serde_json::from_value(said).unwrap();
        self.fleet.configure("web-1", None, false, &said, at(0)).unwrap().unwrap();
    }

    fn trials(&self, from: i64, to: i64) -> Vec<Trial> {
        self.fleet.backtest("web-1", None, (at(from), at(to)), at(to)).unwrap().thresholds
    }

    /// The value and the threshold of what stands above its threshold, by rule.
    fn standing(&self, second: i64) -> Vec<(String, f64, f64)> {
        let agent = self.fleet.agents(None, at(second)).unwrap().remove(0);
        agent.conditions.into_iter().map(|one| (one.rule, one.value, one.threshold)).collect()
    }
}

/// Seven days by the minute, as anybody can read them: what was measured, and when.
fn week(second: i64) -> Value {
    let (day, minute) = (second / DAY, second % DAY / MINUTE);
    let cpu = match (day, minute) {
        // Ten minutes, and five more within ten minutes after it cleared.
        (0, 600..610 | 615..620) => 90,
        // A single minute is none that lasts.
        (1, 300) => 99,
        (2, 120..240) => 85,
        // In the last two days samples of ten seconds are kept as they are.
        (6, 60..62) => 95,
        _ => 20,
    };
    let disk = if (3 * DAY..4 * DAY).contains(&second) { 93 } else { 60 };
    let nginx = if (5, 700) == (day, minute) { "failed" } else { "running" };
    json!({"cpu": {"percent": cpu, "load": [1, if day == 4 { 9 } else { 1 }, 1], "cores": [1, 2]}, "ram": 50,
        "disk": {"/": disk, "/cd": {"percent": 100, "read_only": true}},
        "network": {"eth0": {"in_kb_s": 5, "out_kb_s": if day == 1 && minute < 3 { 200_000 } else { 5 }}},
        "services": {"nginx": nginx}})
}

#[test]
fn a_dry_run_over_seven_days_tells_what_a_list_by_hand_tells() {
    let world = world();
    for day in 0..7 {
        world.samples((day * DAY..(day + 1) * DAY).step_by(60).map(|second| (second, week(second))));
    }
    let trials = world.trials(0, WEEK);
    let times: Vec<(&str, u64, u64)> =
        trials.iter().map(|trial| (trial.rule.as_str(), trial.raised, trial.cleared)).collect();
    let by_hand = [
        ("host_cpu", 3, 3),
        ("host_memory", 0, 0),
        ("host_load", 1, 1),
        ("host_disk /", 1, 1),
        ("host_network eth0 in", 0, 0),
        ("host_network eth0 out", 1, 1),
        ("service_down nginx", 1, 1),
    ];
    assert_eq!(times, by_hand);
    assert_eq!(
        trials[0].raised_at,
        [at(601 * MINUTE), at(2 * DAY + 121 * MINUTE), at(6 * DAY + 61 * MINUTE)]
    );
    assert_eq!((trials[0].threshold, trials[0].highest, trials[0].samples), (80.0, 99.0, 7 * 1440));
    // Of other limits, and of another time.
    world.configure(json!({"cpu": {"threshold": 88}, "disk": {"enabled": false}}));
    let trials = world.trials(0, DAY);
    assert_eq!((trials[0].raised, trials[0].cleared), (1, 1));
    assert!(trials.iter().all(|trial| !trial.rule.starts_with("host_disk")));
    assert_eq!(world.standing(WEEK), [], "nothing of it is remembered");
}

#[test]
fn a_dry_run_of_what_came_tells_what_was_told_then() {
    let world = world();
    let value = |second: i64| 60 + (second / 10 * 7919) % 41;
    let told = |second: i64| world.standing(second).iter().any(|(rule, ..)| rule == "host_cpu");
    let (mut raised, mut was) = (0, false);
    for begins in (0..2 * HOUR).step_by(10) {
        world.samples([(begins, json!({"cpu": value(begins)}))].into_iter());
        let is = told(begins);
        raised += u64::from(is && !was);
        was = is;
    }
    assert!(raised > 2, "{raised}");
    assert_eq!(world.trials(0, 2 * HOUR)[0].raised, raised);
}

/// Busy every Monday from three to four, else calm.
fn backup(second: i64) -> Value {
    let is_backup = (3 * HOUR..4 * HOUR).contains(&(second % WEEK));
    json!({"cpu": if is_backup { 92 + second / 300 % 5 } else { 8 + second / 300 % 5 }})
}

#[test]
fn a_learned_limit_lets_the_usual_pass_and_tells_the_unusual() {
    let world = world();
    let by_minutes = |from: i64, to: i64| (from..to).step_by(300).map(|second| (second, backup(second)));
    world.samples(by_minutes(0, DAY));
    world.configure(json!({"cpu": {"learned": true}}));
    // The fixed limit holds while there is too little to learn from.
    let last = WEEK + 3 * HOUR + HOUR / 2 - 300;
    world.samples(by_minutes(WEEK, last + 300));
    assert_eq!(world.standing(0), [("host_cpu".to_owned(), backup(last)["cpu"].as_f64().unwrap(), 80.0)]);
    world.samples(by_minutes(WEEK + 3 * HOUR + HOUR / 2, WEEK + DAY));
    for week in 2..5 {
        world.samples(by_minutes(week * WEEK, week * WEEK + DAY));
    }
    // What is usual at three is not told, though it is far above the fixed limit.
    let monday = 5 * WEEK;
    world.samples(by_minutes(monday, monday + 4 * HOUR));
    assert_eq!(world.standing(0), []);
    // Half of it at noon is.
    let noon = monday + 12 * HOUR;
    world.samples((0..4).map(|step| (noon + 10 * step, json!({"cpu": 45}))));
    let standing = world.standing(0);
    assert_eq!(standing.len(), 1, "{standing:?}");
    assert!(
        (20.0..=25.0).contains(&standing[0].2),
        "12 is the most at noon, and ten points the least margin"
    );
    // And is over near what is usual.
    world.samples((4..8).map(|step| (noon + 10 * step, json!({"cpu": 15}))));
    assert_eq!(world.standing(0), []);
    let trials = world.trials(monday, monday + DAY);
    assert_eq!((trials[0].raised, trials[0].cleared), (1, 1));
    assert_eq!(trials[0].raised_at, [at(noon + 10)]);
}

/// Memory of a machine that compiles, in percent, each second of a minute: around 12 % for the half of it.
const RECORDED: &[f64] = &[
    8.57, 8.43, 8.61, 8.94, 9.33, 9.55, 9.78, 9.66, 10.15, 10.31, 10.6, 10.86, 10.98, 11.11, 11.34, 11.6,
    11.79, 12.02, 12.21, 12.32, 12.76, 12.01, 11.9, 11.87, 12.03, 12.18, 12.15, 12.08, 11.94, 11.7, 11.87,
    11.87, 11.86, 11.86, 11.94, 12.17, 12.08, 11.94, 12.27, 12.36, 12.89, 13.0, 12.97, 11.26, 11.33, 11.18,
    10.36, 10.31, 10.33, 10.58, 10.73, 11.16,
];

#[test]
fn a_recorded_series_around_the_level_is_raised_once_and_clears_once() {
    let world = world();
    world.samples([(0, json!({"ram": RECORDED[0]}))].into_iter());
    world.configure(json!({"ram": {"threshold": 12}}));
    let crossings = RECORDED.windows(2).filter(|pair| (pair[0] < 12.0) != (pair[1] < 12.0)).count();
    assert!(crossings > 6, "a single level would have been passed {crossings} times");
    let (mut turns, mut was) = (Vec::new(), false);
    for (step, value) in (1..).zip(RECORDED) {
        world.samples([(10 * step, json!({"ram": value}))].into_iter());
        let is = !world.standing(10 * step).is_empty();
        if is != was {
            turns.push(is);
        }
        was = is;
    }
    assert_eq!(turns, [true, false]);
    let trials = world.trials(0, HOUR);
    assert_eq!((trials[0].raised, trials[0].cleared), (1, 1));
}
