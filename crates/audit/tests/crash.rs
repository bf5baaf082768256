//! `kill -9` while records are made: the chain never breaks, and every acknowledged record is there. A program of its
//! own, so that it can start itself as the process that is killed.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it did"
)]

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    thread,
};

use audit::{Action, Actor, Audit, Config, Record, Source, each, verify};
use event::Timestamp;

const ROUNDS: u64 = 20;
const CALLERS: u64 = 3;

fn time(number: u64) -> Timestamp {
    Timestamp::saturating_from_nanos(i128::from(number) * 1_000_000_000)
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("child") => child(Path::new(&arguments[2]), arguments[3].parse().unwrap()),
        Some("--list") => {}
        _ => rounds(),
    }
}

/// Records until it is killed, and prints what was acknowledged.
fn child(dir: &Path, round: u64) {
    let config = Config { file_bytes: 20_000, checkpoint_records: 7, ..Config::new(dir) };
    let audit = Audit::open(config, None, time(round)).unwrap();
    thread::scope(|scope| {
        for caller in 0..CALLERS {
            let audit = audit.clone();
            scope.spawn(move || {
                for number in 0.. {
                    let target = format!("{round}-{caller}-{number}");
                    let record =
                        Record::new(time(round), Actor::system(), Action::ModelTrained, target.clone());
                    let seq = audit.record(&record).unwrap();
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "{seq} {target}").and_then(|()| out.flush()).unwrap();
                }
            });
        }
    });
}

fn rounds() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("audit");
    let mut acknowledged = BTreeSet::new();
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child", dir.to_str().unwrap(), &round.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Killed at another point of its work each time, once it has acknowledged something.
        for line in lines.by_ref().take(1 + (round as usize * 37) % 101) {
            acknowledged.insert(line.unwrap());
        }
        child.kill().unwrap();
        // What it still said before it died was acknowledged too; a line cut short was not read as one.
        acknowledged.extend(lines.map_while(Result::ok).filter(|line| line.split('-').count() == 3));
        child.wait().unwrap();
        let report = verify(&Source::Folder(dir.clone()), None, &[]).unwrap();
        assert!(report.is_sound(), "round {round}: {:?}", report.findings);
    }
    drop(Audit::open(Config::new(&dir), None, time(ROUNDS)).unwrap());
    let mut there = BTreeSet::new();
    let unreadable = each(&dir, |_, entry| {
        there.insert(format!("{} {}", entry.seq, entry.target));
        true
    });
    assert_eq!(unreadable.unwrap(), 0);
    let lost: Vec<_> = acknowledged.difference(&there).collect();
    assert!(lost.is_empty(), "acknowledged and not there: {lost:?}");
    assert!(verify(&Source::Folder(dir), None, &[]).unwrap().is_sound());
    println!("{} acknowledged records survived {ROUNDS} kills", acknowledged.len());
}
