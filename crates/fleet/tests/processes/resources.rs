//! What programs take, against what they took before on the same host.

use super::*;

const LOOK: i64 = 600;

/// Two samples within the look of this number: the second is not looked at.
fn sample_top(fleet: &Fleet, look: i64, name: &str, cpu: f64, mib: u64) {
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

fn told(dir: &Path, fleet: &Arc<Fleet>) -> Vec<Signal> {
    signals(dir, fleet).into_iter().filter(|signal| signal.kind == FindingKind::ProcessResources).collect()
}

#[test]
fn a_program_that_takes_more_than_it_ever_did_is_told_once_over_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = Arc::new(open(dir.path(), Config::default()));
    for look in 0..440 {
        sample_top(&fleet, look, "worker", if look % 144 == 10 { 40.0 } else { 6.0 }, 300);
    }
    // Two looks are a peak, and a pause of a look ends a row.
    for look in [440, 441, 443, 444] {
        sample_top(&fleet, look, "worker", 200.0, 300);
    }
    assert_eq!(told(dir.path(), &fleet), []);
    drop(fleet);
    let fleet = Arc::new(open(dir.path(), Config::default()));
    for look in 445..460 {
        sample_top(&fleet, look, "worker", 6.0, if look < 450 { 300 } else { 2_000 });
    }
    let found = told(dir.path(), &fleet);
    let said: Vec<_> =
        found.iter().map(|signal| (signal.rule.as_str(), signal.severity.as_str(), signal.count)).collect();
    assert_eq!(said, [("process_memory", "low", 1)]);
    let facts = &found[0].facts;
    assert_eq!((&facts["takes"], &facts["process.command_line"]), (&json!(2_000), &json!(["worker --all"])));
    assert!(facts["usual.amount"].as_u64().unwrap().abs_diff(300) < 30, "{facts:?}");
}

#[test]
fn a_program_that_was_not_known_for_long_is_not_told() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = Arc::new(open(dir.path(), Config::default()));
    for look in 0..400 {
        sample_top(&fleet, look, "young", if look < 300 { 2.0 } else { 300.0 }, 300);
    }
    assert_eq!(told(dir.path(), &fleet), []);
}

#[test]
fn what_no_longer_has_room_is_counted() {
    let metrics = telemetry::metric::install("1.2.3").unwrap();
    let counted = |of: &str| {
        let series = format!("log_sentinel_process_learned_given_up_total{{of=\"{of}\"}} ");
        let text = metrics.render();
        text.lines().find_map(|line| line.strip_prefix(&series)).unwrap().parse::<u64>().unwrap()
    };
    let dir = tempfile::tempdir().unwrap();
    let fleet = open(dir.path(), Config::default());
    for look in 0..503 {
        sample_top(&fleet, look, &format!("program-{look}"), 6.0, 300);
    }
    assert_eq!((counted("programs"), counted("pairs")), (3, 0));
    let mut changes = vec![change("started", 0, process(7, 0, "shop"))];
    changes.extend((10..5_020).map(|pid| {
        let mut child = process(pid, 1, &format!("program-{pid}"));
        child["ppid"] = 7.into();
        change("started", 1, child)
    }));
    send(&fleet, "web-2", 10, report(changes));
    assert_eq!((counted("pairs"), counted("programs")), (250, 3));
}
