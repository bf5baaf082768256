//! What is held comes back, over a restart too, and goes once every reader has passed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{path::Path, sync::Arc};

use event::{Analyzed, Batch, Event, EventId, Position, Template, Timestamp, Verdict, VerdictState};
use journal::Journal;
use proptest::prelude::*;
use verdicts::{Config, Verdicts};

fn open_journal(dir: &Path) -> Journal {
    Journal::open(journal::Config { segment_bytes: 4 << 10, ..journal::Config::new(dir) }).unwrap()
}

/// A journal with so many records of some size.
fn filled(dir: &Path, records: u32) -> Journal {
    let journal = open_journal(dir);
    let mut left = records;
    while left > 0 {
        let mut batch = journal::Batch::new();
        let some = left.min(13);
        (0..some).for_each(|_| batch.push_with(|out| out.extend_from_slice(&[7; 100])));
        journal.append_blocking(batch).unwrap();
        left -= some;
    }
    journal
}

/// The places of all records.
fn places(journal: &Journal) -> Vec<Position> {
    let (mut at, mut found) = (Position::default(), vec![]);
    loop {
        let records = journal.read(at, 1 << 20).unwrap();
        found.extend(records.iter().map(|(place, _)| place));
        if records.end() <= at {
            return found;
        }
        at = records.end();
    }
}

fn config(dir: &Path, budget_bytes: u64, held_bytes_max: usize) -> Config {
    Config { dir: dir.join("verdicts"), budget_bytes, held_bytes_max }
}

fn verdict(at: Position) -> Verdict {
    let score = Verdict::quantize((at.record % 1000) as f32 / 1000.0);
    let reasons = vec![format!("it is {at}")];
    Verdict { score, is_anomaly: at.record.is_multiple_of(2), state: VerdictState::Scored, reasons }
}

fn id(journal: &Journal, at: Position) -> EventId {
    journal.identity().event(at)
}

fn batch(journal: &Journal, places: &[Position]) -> Batch<'static> {
    let event = |at: &Position| Analyzed {
        id: id(journal, *at),
        event: Event::new("message", Timestamp::MIN),
        shape: u64::from(at.record),
        variables: 0..0,
        template: Some(Arc::new(Template::new("message"))),
        verdict: verdict(*at),
    };
    Batch {
        events: places.iter().map(event).collect(),
        variables: vec![],
        end: places.last().unwrap().next(),
    }
}

fn join(verdicts: &Verdicts, journal: &Journal, places: &[Position]) -> Vec<Option<Verdict>> {
    let events = places.iter().map(|at| (id(journal, *at), Event::new("message", Timestamp::MIN))).collect();
    let (batch, unknown) = verdicts.join(events, places.last().unwrap().next());
    assert_eq!(batch.events.iter().map(|event| event.id.position).collect::<Vec<_>>(), places);
    let known = |event: &Analyzed<'_>| event.template.is_some().then(|| event.verdict.clone());
    let found: Vec<_> = batch.events.iter().map(known).collect();
    assert_eq!(found.iter().filter(|verdict| verdict.is_none()).count() as u64, unknown);
    found
}

#[test]
fn what_is_kept_outlives_the_process_and_what_is_held_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let journal = filled(dir.path(), 100);
    let places = places(&journal);
    let open = || Verdicts::open(config(dir.path(), 8 << 20, 1 << 20), &journal).unwrap();
    let verdicts = open();
    verdicts.passed("indexing", Position::default()).unwrap();
    verdicts.hold(Position::default(), &batch(&journal, &places[..40]));
    verdicts.keep().unwrap();
    verdicts.hold(places[39].next(), &batch(&journal, &places[40..70]));
    assert!(verdicts.held_bytes() > 0);
    assert_eq!(verdicts.covered(Position::default()), places[69].next());
    let expected: Vec<_> =
        places.iter().enumerate().map(|(at, place)| (at < 70).then(|| verdict(*place))).collect();
    assert_eq!(join(&verdicts, &journal, &places), expected);
    drop(verdicts);
    let verdicts = open();
    assert_eq!(verdicts.covered(Position::default()), places[39].next());
    assert_eq!(verdicts.covered(places[39]), places[39].next());
    assert_eq!(verdicts.covered(places[50]), places[50], "nothing is there");
    let expected: Vec<_> =
        places.iter().enumerate().map(|(at, place)| (at < 40).then(|| verdict(*place))).collect();
    assert_eq!(join(&verdicts, &journal, &places), expected);
}

#[test]
fn small_batches_are_kept_as_one_record() {
    let dir = tempfile::tempdir().unwrap();
    let journal = filled(dir.path(), 100);
    let places = places(&journal);
    let config = config(dir.path(), 8 << 20, 1 << 20);
    let verdicts = Verdicts::open(config.clone(), &journal).unwrap();
    verdicts.passed("indexing", Position::default()).unwrap();
    let mut start = Position::default();
    for (at, place) in places.iter().enumerate() {
        // One is missing: what comes behind it does not follow what comes before.
        if at != 60 {
            verdicts.hold(start, &batch(&journal, &[*place]));
        }
        start = place.next();
    }
    let expected: Vec<_> =
        places.iter().enumerate().map(|(at, place)| (at != 60).then(|| verdict(*place))).collect();
    assert_eq!(join(&verdicts, &journal, &places), expected);
    let reached = [places[10]..places[60], places[60].next()..places[80]];
    assert_eq!(verdicts.reach(places[10], places[80]), reached);
    assert_eq!(verdicts.reach(places[60], places[60].next()), []);
    // A reader that has come into the middle of them.
    verdicts.passed("indexing", places[30]).unwrap();
    verdicts.keep().unwrap();
    assert_eq!(verdicts.reach(places[40], places[80]), [places[40]..places[60], reached[1].clone()]);
    assert_eq!(verdicts.held_bytes(), 0);
    assert_eq!(join(&verdicts, &journal, &places[30..]), expected[30..]);
    assert_eq!(verdicts.covered(places[30]), places[59].next());
    drop(verdicts);
    let log = Journal::open(journal::Config { dir: config.dir.clone(), ..journal::Config::new(dir.path()) })
        .unwrap();
    assert_eq!(self::places(&log).len(), 2);
    drop(log);
    let verdicts = Verdicts::open(config, &journal).unwrap();
    assert_eq!(join(&verdicts, &journal, &places[30..]), expected[30..]);
    assert_eq!(verdicts.covered(places[30]), places[59].next());
}

#[test]
fn it_goes_once_the_last_reader_has_passed() {
    let dir = tempfile::tempdir().unwrap();
    let journal = filled(dir.path(), 60);
    let places = places(&journal);
    let verdicts = Verdicts::open(config(dir.path(), 8 << 20, 1 << 20), &journal).unwrap();
    for reader in ["indexing", "detection"] {
        verdicts.passed(reader, Position::default()).unwrap();
    }
    for part in places.chunks(20) {
        let start = if part[0] == places[0] {
            Position::default()
        } else {
            places[places.iter().position(|at| *at == part[0]).unwrap() - 1].next()
        };
        verdicts.hold(start, &batch(&journal, part));
        verdicts.keep().unwrap();
    }
    verdicts.passed("detection", places[59].next()).unwrap();
    assert!(join(&verdicts, &journal, &places).iter().all(Option::is_some), "the index has passed none");
    verdicts.passed("indexing", places[19].next()).unwrap();
    let found = join(&verdicts, &journal, &places);
    assert!(found[..20].iter().all(Option::is_none) && found[20..].iter().all(Option::is_some));
    verdicts.passed("indexing", places[59].next()).unwrap();
    assert!(verdicts.is_empty());
    drop(verdicts);
    let verdicts = Verdicts::open(config(dir.path(), 8 << 20, 1 << 20), &journal).unwrap();
    assert!(verdicts.is_empty(), "a start reads nothing that was passed");
}

#[test]
fn beyond_its_bounds_it_gives_up_and_says_which() {
    let dir = tempfile::tempdir().unwrap();
    let journal = filled(dir.path(), 200);
    let places = places(&journal);
    let verdicts = Verdicts::open(config(dir.path(), 16 << 10, 1 << 10), &journal).unwrap();
    verdicts.passed("indexing", Position::default()).unwrap();
    let mut start = Position::default();
    for _ in 0..200 {
        for part in places.chunks(10) {
            verdicts.hold(start, &batch(&journal, part));
            start = part.last().unwrap().next();
        }
        start = Position::default();
        if verdicts.covered(Position::default()) < places[199].next() {
            break;
        }
        verdicts.begin(Position::default());
    }
    let reached = verdicts.covered(Position::default());
    assert!(reached < places[199].next(), "a log of 16 KiB cannot hold them");
    assert!(verdicts.held_bytes() <= 2 << 10);
    let found = join(&verdicts, &journal, &places);
    let covered = places.iter().filter(|at| **at < reached).count();
    assert!(covered > 0 && found[..covered].iter().all(Option::is_some));
}

#[test]
fn verdicts_of_another_journal_or_of_events_that_are_gone_are_nobodys() {
    let dir = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let journal = filled(dir.path(), 30);
    let verdicts = Verdicts::open(config(dir.path(), 8 << 20, 1 << 20), &journal).unwrap();
    verdicts.passed("indexing", Position::default()).unwrap();
    verdicts.hold(Position::default(), &batch(&journal, &places(&journal)));
    verdicts.keep().unwrap();
    drop(verdicts);
    let stranger = filled(other.path(), 30);
    let found = Verdicts::open(config(dir.path(), 8 << 20, 1 << 20), &stranger).unwrap();
    assert_eq!(found.covered(Position::default()), Position::default());
}

#[derive(Debug, Clone)]
enum Step {
    Hold(usize),
    Keep,
    Restart,
    Pass(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1usize..20).prop_map(Step::Hold),
        2 => Just(Step::Keep),
        1 => Just(Step::Restart),
        2 => (0usize..40).prop_map(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Against a list: what was kept and not passed is there, with the right verdict, after whatever happened.
    #[test]
    fn a_list_would_say_the_same(steps in prop::collection::vec(step(), 1..40)) {
        let dir = tempfile::tempdir().unwrap();
        let journal = filled(dir.path(), 300);
        let places = places(&journal);
        let open = || Verdicts::open(config(dir.path(), 8 << 20, 1 << 20), &journal).unwrap();
        let behind = |count: usize| count.checked_sub(1).map_or(Position::default(), |last| places[last].next());
        let (mut held, mut kept, mut passed) = (0, 0, 0);
        let mut verdicts = open();
        verdicts.passed("indexing", behind(passed)).unwrap();
        for step in steps {
            match step {
                Step::Hold(more) => {
                    let to = (held + more).min(places.len());
                    if to > held {
                        verdicts.hold(behind(held), &batch(&journal, &places[held..to]));
                        held = to;
                    }
                }
                Step::Keep => {
                    verdicts.keep().unwrap();
                    kept = held;
                }
                Step::Restart => {
                    drop(verdicts);
                    verdicts = open();
                    verdicts.passed("indexing", behind(passed)).unwrap();
                    // A start goes on where kept verdicts end, or where the index is.
                    held = kept.max(passed);
                    kept = held;
                    prop_assert_eq!(verdicts.covered(behind(passed)).max(behind(passed)), behind(held));
                    verdicts.begin(behind(held));
                }
                Step::Pass(more) => {
                    passed = (passed + more).min(held);
                    verdicts.passed("indexing", behind(passed)).unwrap();
                }
            }
            prop_assert_eq!(verdicts.covered(behind(passed)), behind(held.max(passed)));
            let found = join(&verdicts, &journal, &places);
            for (at, place) in places.iter().enumerate().skip(passed) {
                prop_assert_eq!(found[at].clone(), (at < held).then(|| verdict(*place)), "{}", at);
            }
        }
    }
}
