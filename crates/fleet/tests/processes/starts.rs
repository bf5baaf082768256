//! Starts of programs of which several things are rare on their host at once.

use super::*;

/// From one start to the next: a thousand in two days.
const PAUSE: i64 = 180;

/// A program of a user, started at the second of its number.
fn program(pid: u32, ppid: u32, name: &str, (user, arguments): (&str, &str)) -> Value {
    let mut process = below(ppid, process(pid, i64::from(pid), name));
    process["command"] = format!("{name} {arguments}").into();
    process["user"] = user.into();
    (process["uid"], process["gid"], process["real_uid"]) = (7.into(), 7.into(), 7.into());
    process
}

fn started(fleet: &Fleet, second: i64, process: Value) {
    let taken = send(fleet, "web-1", second, report(vec![change("started", second, process)]));
    assert_eq!((taken.accepted, taken.problems_total), (1, 0), "{taken:?}");
}

fn told(dir: &Path, fleet: &Arc<Fleet>) -> Vec<Signal> {
    signals(dir, fleet).into_iter().filter(|signal| signal.rule == "process_strange_start").collect()
}

/// The start of this number in ordinary days: five programs, each as its user, with one of three shapes of arguments.
fn ordinary(fleet: &Fleet, number: u32) {
    let name = ["report", "backup", "rotate", "sync", "mail"][(number % 5) as usize];
    let arguments = ["--all", "--file /srv/x", "-n 5"][(number % 7 % 3) as usize];
    let start = program(1_000 + number, 10 + number % 2, name, (&format!("u{}", number % 5), arguments));
    started(fleet, 100 + i64::from(number) * PAUSE, start);
}

#[test]
fn a_start_that_is_rare_in_several_ways_is_told_with_its_reasons_over_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = Arc::new(open(dir.path(), Config::default()));
    let parents = [(1, "systemd"), (10, "jobs"), (11, "queue"), (12, "web")];
    let parents = parents.map(|(pid, name)| change("present", 1, program(pid, 1, name, ("root", ""))));
    let taken = send(&fleet, "web-1", 1, listed(parents.to_vec()));
    assert_eq!((taken.accepted, taken.problems_total), (1, 0), "{taken:?}");
    for number in 0..1_600 {
        ordinary(&fleet, number);
    }
    assert_eq!(told(dir.path(), &fleet), []);
    drop(fleet);
    let fleet = Arc::new(open(dir.path(), Config::default()));
    let second = 100 + 1_600 * PAUSE;
    // A program that is new, and one thing that is: neither alone is strange.
    started(&fleet, second, program(90, 10, "fresh", ("u0", "--all")));
    started(&fleet, second + 1, program(91, 10, "report", ("u0", "--new-option")));
    assert_eq!(told(dir.path(), &fleet), []);
    let strange = program(92, 12, "report", ("www-data", "http://192.0.2.7/x -o /tmp/x"));
    started(&fleet, second + 2, strange);
    for number in 1_601..1_640 {
        ordinary(&fleet, number);
    }
    let found = told(dir.path(), &fleet);
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
