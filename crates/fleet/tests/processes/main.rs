//! What agents tell of processes: what ran when, what changed, what is missing.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod resources;
mod starts;

use std::{path::Path, sync::Arc};

use event::Timestamp;
use finding::FindingKind;
use fleet::{Config, Fleet, Keeper, ProcessEvent, ProcessPlace, ProcessQuestion, ProcessRow, Sender, Taken};
use sample::Limits;
use serde_json::{Value, json};
use signal::{Filter, Signal, Store};
use state::Database;

const BEGAN: i64 = 1_800_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_nanos((BEGAN + second) * 1_000_000_000).unwrap()
}

fn open(dir: &Path, config: Config) -> Fleet {
    Fleet::open(Database::open(dir.join("metrics.db")).unwrap(), config, at(0)).unwrap()
}

fn all() -> ProcessQuestion {
    ProcessQuestion { limit: 1_000, ..ProcessQuestion::default() }
}

fn process(pid: u32, started: i64, name: &str) -> Value {
    json!({"pid": pid, "started_at": at(started), "ppid": 1, "name": name, "command": name,
           "executable": format!("/usr/bin/{name}"), "executable_deleted": false, "user": "root", "uid": 0, "gid": 0,
           "capabilities": [], "cpu_seconds": 0.5, "rss_bytes": 4096, "open_ports": [], "real_uid": 0,
           "kernel_thread": false, "set_uid": false, "namespaces": [], "listening": []})
}

fn change(kind: &str, second: i64, process: Value) -> Value {
    json!({"kind": kind, "at": at(second), "process": process})
}

fn report(changes: Vec<Value>) -> Value {
    json!({"boot_id": "b", "source": "procmond", "told_by_kernel": true, "changes": changes})
}

fn listed(changes: Vec<Value>) -> Value {
    let mut report = report(changes);
    report["begins"] = true.into();
    report["complete"] = true.into();
    report
}

fn send(fleet: &Fleet, host: &str, second: i64, report: Value) -> Taken {
    let body = json!({"agent_name": host, "timestamp": at(second), "seq": second, "processes": report, "metrics": {}});
    let readings = sample::read(body.to_string().as_bytes(), &Limits::default()).unwrap();
    fleet.take(readings, &Sender::default(), at(second)).unwrap()
}

fn rows(fleet: &Fleet, second: Option<i64>, question: &ProcessQuestion) -> Vec<ProcessRow> {
    let mut rows = Vec::new();
    let take = |row| {
        rows.push(row);
        true
    };
    fleet.processes(second.map(at), question, take).unwrap();
    rows
}

fn names(fleet: &Fleet, second: Option<i64>) -> Vec<String> {
    rows(fleet, second, &all()).iter().map(|row| row.process.name.to_string()).collect()
}

fn events(fleet: &Fleet) -> Vec<(String, String)> {
    let mut events = Vec::new();
    let take = |event: ProcessEvent| {
        events.push((event.kind, event.process.name.to_string()));
        true
    };
    fleet.process_events((at(-1000), at(100_000)), &all(), take).unwrap();
    events
}

/// How many changes are missing between two seconds.
fn missing(fleet: &Fleet, from: i64, to: i64) -> u64 {
    fleet.process_events((at(from), at(to)), &all(), |_| true).unwrap()
}

fn pair(kind: &str, name: &str) -> (String, String) {
    (kind.to_owned(), name.to_owned())
}

#[test]
fn changes_are_read_on_from_a_place_whatever_their_times() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = open(dir.path(), Config::default());
    let names = |behind: ProcessPlace, at_most: usize| {
        let through = fleet.process_place(behind, at_most).unwrap();
        let mut names = Vec::new();
        let take = |event: ProcessEvent| {
            names.push(event.process.name.to_string());
            true
        };
        let missing = fleet.process_events_behind((behind, through), at(0), &all(), take).unwrap();
        (through, names, missing)
    };
    assert_eq!(names(ProcessPlace::default(), 10), (ProcessPlace::default(), vec![], 0));
    let three =
        ["a", "b", "c"].iter().zip(1_u32..).map(|(name, pid)| change("started", 50, process(pid, 50, name)));
    send(&fleet, "web", 100, report(three.collect()));
    let (behind, first, _) = names(ProcessPlace::default(), 2);
    assert_eq!(first, ["a", "b"]);
    // What comes late from another host lies behind it, and so does what was lost.
    let mut late = report(vec![change("started", 10, process(9, 10, "late"))]);
    late["lost"] = 4.into();
    send(&fleet, "db", 20, late);
    let (end, rest, dropped) = names(behind, 10);
    assert_eq!((rest, dropped), (vec!["c".to_owned(), "late".to_owned()], 4));
    assert_eq!(names(end, 10), (end, vec![], 0));
    let since = fleet.process_events_behind((behind, end), at(30), &all(), |_| true).unwrap();
    assert_eq!(since, 0, "what was lost long ago is not counted");
}

#[test]
fn what_ran_at_a_moment_and_what_changed_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = open(dir.path(), Config::default());
    send(&fleet, "a", 10, listed(vec![change("present", 10, process(1, -50, "init"))]));
    send(&fleet, "a", 20, report(vec![change("started", 12, process(7, 12, "sh"))]));
    send(&fleet, "a", 30, report(vec![change("executed", 25, process(7, 12, "cat"))]));
    send(&fleet, "a", 40, report(vec![change("ended", 35, process(7, 12, "cat"))]));
    // The same number anew.
    send(&fleet, "a", 50, report(vec![change("started", 45, process(7, 45, "ls"))]));
    drop(fleet);
    let fleet = open(dir.path(), Config::default());
    assert_eq!(names(&fleet, Some(5)), Vec::<String>::new());
    assert_eq!(names(&fleet, Some(12)), ["init", "sh"]);
    assert_eq!(names(&fleet, Some(25)), ["init", "cat"]);
    assert_eq!(names(&fleet, Some(36)), ["init"]);
    assert_eq!(names(&fleet, None), ["init", "ls"]);
    assert_eq!(
        events(&fleet),
        [
            pair("present", "init"),
            pair("started", "sh"),
            pair("executed", "cat"),
            pair("ended", "cat"),
            pair("started", "ls")
        ]
    );
    let reading = fleet.process_readings(&all()).unwrap().remove(0);
    assert_eq!(
        (reading.source.as_str(), reading.told_by_kernel, reading.is_listed),
        ("procmond", true, true)
    );
}

#[test]
fn a_list_ends_what_it_does_not_have_and_tells_nothing_again() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = open(dir.path(), Config::default());
    let list = |second, name: &str| {
        listed(vec![
            change("present", second, process(1, -50, "init")),
            change("present", second, process(7, 3, name)),
        ])
    };
    send(&fleet, "a", 10, list(10, "sh"));
    let before = events(&fleet).len();
    let mut again = process(1, -50, "init");
    again["rss_bytes"] = 8192.into();
    send(&fleet, "a", 20, listed(vec![change("present", 20, again)]));
    assert_eq!(events(&fleet)[before..], [pair("ended", "sh")]);
    let left = rows(&fleet, None, &all());
    assert_eq!((left.len(), left[0].process.rss_bytes, left[0].since), (1, 8192, at(10)));
    // A list that comes in parts ends nothing before it is complete.
    let mut first = report(vec![change("present", 30, process(9, 25, "new"))]);
    first["begins"] = true.into();
    send(&fleet, "a", 30, first);
    assert_eq!(names(&fleet, None), ["init", "new"]);
    let mut second = report(vec![]);
    second["complete"] = true.into();
    send(&fleet, "a", 40, second);
    assert_eq!(names(&fleet, None), ["new"]);
    // The machine was started anew.
    let mut other = report(vec![]);
    other["boot_id"] = "c".into();
    send(&fleet, "a", 50, other);
    assert_eq!(names(&fleet, None), Vec::<String>::new());
}

#[test]
fn the_same_report_again_changes_nothing_and_a_broken_one_is_a_problem() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = open(dir.path(), Config::default());
    let first = listed(vec![change("present", 10, process(1, -50, "init"))]);
    send(&fleet, "a", 10, first.clone());
    let taken = send(&fleet, "a", 10, first);
    assert_eq!((taken.accepted, taken.duplicates, events(&fleet).len()), (0, 1, 1));
    let taken = send(&fleet, "a", 20, json!({"changes": [{"kind": "no such"}]}));
    assert_eq!((taken.accepted, taken.problems_total, taken.problems[0].field.as_str()), (1, 1, "processes"));
    assert_eq!(names(&fleet, None), ["init"]);
}

#[test]
fn what_is_missing_is_told_to_questions_of_its_time_only() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = open(dir.path(), Config::default());
    let mut gap = listed(vec![change("present", 10, process(1, -50, "init"))]);
    (gap["lost"], gap["unseen"]) = (3.into(), 4.into());
    send(&fleet, "a", 10, gap);
    assert_eq!((missing(&fleet, 0, 20), missing(&fleet, 11, 20)), (7, 0));
}

#[test]
fn no_more_is_read_than_is_taken_or_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = open(dir.path(), Config::default());
    let three =
        ["a", "b", "c"].iter().zip(1_u32..).map(|(name, pid)| change("started", 5, process(pid, 5, name)));
    send(&fleet, "web", 10, report(three.collect()));
    let taken = |limit: usize, wanted: usize| {
        let question = ProcessQuestion { limit, ..ProcessQuestion::default() };
        let (mut now, mut changes) = (0, 0);
        let take = |_| {
            now += 1;
            now < wanted
        };
        fleet.processes(None, &question, take).unwrap();
        let take = |_| {
            changes += 1;
            changes < wanted
        };
        fleet.process_events((at(0), at(20)), &question, take).unwrap();
        (now, changes)
    };
    assert_eq!([taken(10, 10), taken(10, 2), taken(2, 10), taken(0, 10)], [(3, 3), (2, 2), (2, 2), (0, 0)]);
}

#[test]
fn hosts_and_organizations_are_kept_apart_and_removed_with_their_agent() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = open(dir.path(), Config::default());
    send(&fleet, "a", 10, listed(vec![change("present", 10, process(1, -50, "init"))]));
    send(&fleet, "b", 10, listed(vec![change("present", 10, process(1, -50, "other"))]));
    let of = |host: Option<&str>, organization: Option<&str>| {
        let question = ProcessQuestion {
            host: host.map(str::to_owned),
            organization: organization.map(str::to_owned),
            limit: 10,
        };
        rows(&fleet, None, &question).into_iter().map(|row| row.host).collect::<Vec<_>>()
    };
    assert_eq!(
        (of(None, None), of(Some("b"), None), of(None, Some("else"))),
        (vec!["a".into(), "b".into()], vec!["b".into()], vec![])
    );
    fleet.remove("b", None).unwrap();
    assert_eq!(of(None, None), ["a"]);
    assert_eq!(fleet.process_readings(&all()).unwrap().len(), 1);
}

#[test]
fn old_changes_go_and_so_do_the_oldest_beyond_the_bound_which_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = open(dir.path(), Config { processes_max: 10, ..Config::default() });
    send(&fleet, "a", 10, listed(vec![change("present", 10, process(1, -50, "init"))]));
    for number in 0..20 {
        let second = 20 + i64::from(number);
        send(
            &fleet,
            "a",
            second,
            report(vec![
                change("started", second, process(100 + number, second, "job")),
                change("ended", second, process(100 + number, second, "job")),
            ]),
        );
    }
    assert_eq!(fleet.forget_processes(at(100)).unwrap(), 31);
    assert_eq!(events(&fleet).len(), 10);
    assert_eq!(names(&fleet, None), ["init"], "what goes on stays");
    assert_eq!(missing(&fleet, 0, 100), 31);
    fleet.forget_processes(at(8 * 24 * 3600)).unwrap();
    assert_eq!((events(&fleet).len(), names(&fleet, None)), (0, vec!["init".to_owned()]));
    assert_eq!(missing(&fleet, 0, 100), 0);
}

/// Signals of what a fleet found so far.
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
    let mut found = signals.list(&Filter { limit: 100, ..Filter::default() }).unwrap().signals;
    found.sort_by_key(|signal| signal.kind.as_str());
    found
}

fn below(parent: u32, mut process: Value) -> Value {
    process["ppid"] = parent.into();
    process
}

fn listens(port: u16, mut process: Value) -> Value {
    process["listening"] = json!([{"protocol": "tcp", "address": "0.0.0.0", "port": port}]);
    process["open_ports"] = json!([port]);
    process
}

#[test]
fn what_is_suspect_becomes_a_signal_once_and_what_was_there_before_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = Arc::new(open(dir.path(), Config::default()));
    let list = listed(vec![
        change("present", 10, process(1, -50, "init")),
        change("present", 10, listens(80, below(1, process(5, -40, "nginx")))),
    ]);
    send(&fleet, "a", 10, list);
    assert_eq!(signals(dir.path(), &fleet), []);
    let shell = report(vec![change("started", 20, below(5, process(7, 20, "sh")))]);
    send(&fleet, "a", 20, shell.clone());
    send(&fleet, "a", 20, shell);
    // The same port anew is no news, another one is.
    let ports = report(vec![
        change("started", 30, listens(80, below(1, process(8, 30, "nginx")))),
        change("started", 30, listens(4444, below(1, process(9, 30, "nginx")))),
        change("ended", 31, listens(4444, below(1, process(9, 30, "nginx")))),
        change("started", 32, listens(4444, below(1, process(10, 32, "nginx")))),
    ]);
    send(&fleet, "a", 40, ports);
    let found: Vec<_> = signals(dir.path(), &fleet)
        .iter()
        .map(|signal| (signal.kind, signal.rule.clone(), signal.count, signal.entities[0].value.clone()))
        .collect();
    assert_eq!(
        found,
        [
            (FindingKind::ProcessNewListener, "process_listens".to_owned(), 1, "a".to_owned()),
            (FindingKind::ProcessUnusualParent, "process_server_shell".to_owned(), 1, "a".to_owned())
        ]
    );
}

#[test]
fn what_one_rule_finds_in_a_report_is_one_finding_with_all_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = Arc::new(open(dir.path(), Config::default()));
    let shells = (0..50).map(|number| change("present", 10, below(5, process(100 + number, 5, "sh"))));
    let list = [change("present", 10, process(5, -40, "nginx"))].into_iter().chain(shells).collect();
    send(&fleet, "a", 10, listed(list));
    let found = signals(dir.path(), &fleet);
    assert_eq!((found.len(), found[0].count), (1, 50));
    assert_eq!(found[0].facts["process.pid"].as_array().map(Vec::len), Some(10));
}

#[test]
fn rules_can_be_switched_off() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = Arc::new(open(dir.path(), Config { is_judging_processes: false, ..Config::default() }));
    send(&fleet, "a", 10, listed(vec![change("present", 10, process(5, -40, "nginx"))]));
    send(&fleet, "a", 20, report(vec![change("started", 20, below(5, process(7, 20, "sh")))]));
    assert_eq!(signals(dir.path(), &fleet), []);
}

#[test]
fn what_a_program_never_started_before_is_told_once_its_repertoire_is_known() {
    const DAY: i64 = 24 * 3600;
    let dir = tempfile::tempdir().unwrap();
    let fleet = Arc::new(open(dir.path(), Config::default()));
    let master = || below(1, process(10, -50, "postfix-master"));
    let init = process(1, -100, "systemd");
    send(&fleet, "mail", 1, listed(vec![change("present", 1, init), change("present", 1, master())]));
    let start = |fleet: &Fleet, second: i64, name: &str| {
        let child = below(10, process(u32::try_from(second).unwrap() + 100, second, name));
        send(fleet, "mail", second, report(vec![change("started", second, child)]));
    };
    for number in 0..60 {
        start(&fleet, 100 + number, if number % 3 == 0 { "smtpd" } else { "qmgr" });
    }
    start(&fleet, 2 * DAY, "anvil");
    start(&fleet, 2 * DAY + 1, "anvil");
    start(&fleet, 2 * DAY + 2, "python3");
    let about = |fleet: &Arc<Fleet>| {
        let found = signals(dir.path(), fleet).into_iter().filter(|it| it.rule == "process_unusual_child");
        found
            .map(|it| (it.severity.as_str().to_owned(), it.facts["usual.programs"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(about(&fleet), [], "it is not known for three days, and had something new a moment ago");
    // Over a restart what was learned stays, and what is known is no news.
    drop(fleet);
    let fleet = Arc::new(open(dir.path(), Config::default()));
    start(&fleet, 4 * DAY, "python3");
    assert_eq!(about(&fleet), []);
    start(&fleet, 4 * DAY + 1, "bash");
    start(&fleet, 4 * DAY + 2, "bash");
    let usual = json!(["qmgr", "smtpd", "anvil", "python"]);
    assert_eq!(about(&fleet), [("medium".to_owned(), usual)]);
}
