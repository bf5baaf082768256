//! Analysis, indexing and detection, each at its own pace, over restarts and crashes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod damage;
mod world;

use std::sync::Arc;

use event::VerdictState;
use index::{Index, scan::ScanIndex};
use proptest::prelude::*;

use world::{Remote, World, eventually, expected, said, watched};

#[test]
fn nothing_waits_for_an_index_that_is_away() {
    let index = Remote::new();
    index.set(true, false);
    let world = World::new(index.clone());
    let life = world.start();
    life.append(0..500);
    eventually("a live tail shows them", || watched(&life.live).len() == 500);
    let shown = watched(&life.live);
    assert!(
        shown.iter().all(|event| event.template.is_some() && event.verdict.state != VerdictState::Unscored)
    );
    assert_eq!(index.len(), 0);
    eventually("they are detected", || world.found().len() == 500);
    index.set(false, false);
    eventually("they are stored when it is back", || index.len() == 500);
    life.append(500..600);
    eventually("it is given what comes", || index.len() == 600);
    eventually("nothing is kept any more", || life.verdicts.is_empty());
    life.stop();
    assert_eq!(said(&index), expected(600));
    assert!(index.stored.lock().unwrap().events.values().all(|(_, times)| *times == 1));
}

#[test]
fn a_restart_while_the_index_is_away_analyses_nothing_again() {
    let index = Remote::new();
    index.set(true, false);
    let world = World::new(index.clone());
    for life_number in 0..4 {
        let life = world.start();
        assert_eq!(watched(&life.live).len(), 0);
        life.append(life_number * 100..(life_number + 1) * 100);
        let so_far = (life_number + 1) as usize * 100;
        eventually("they are detected", || world.found().len() == so_far);
        assert_eq!(watched(&life.live).len(), 100, "those of before were shown before");
        life.stop();
    }
    index.set(false, false);
    let life = world.start();
    eventually("all are stored", || index.len() == 400);
    assert_eq!(watched(&life.live).len(), 0);
    life.stop();
    assert_eq!(said(&index), expected(400));
}

#[test]
fn without_room_for_verdicts_events_come_without_them_and_none_is_lost() {
    let index = Remote::new();
    index.set(true, false);
    let world = World { verdict_bytes: 32 << 10, ..World::new(index.clone()) };
    let life = world.start();
    for part in 0..20 {
        life.append(part * 200..(part + 1) * 200);
    }
    eventually("they are analysed", || watched(&life.live).len() == 4_000);
    index.set(false, false);
    eventually("all are stored", || index.len() == 4_000);
    life.stop();
    let stored = index.stored.lock().unwrap();
    let unscored = stored.events.values().filter(|(event, _)| event.verdict.state == VerdictState::Unscored);
    let unscored = unscored.count();
    assert!((1..4_000).contains(&unscored), "{unscored}");
}

#[test]
fn an_index_in_the_process_is_given_what_it_lacks_after_a_crash() {
    let index = ScanIndex::new();
    let mut world = World::new(Arc::new(index.clone()));
    let life = world.start();
    life.append(0..200);
    eventually("they are detected", || world.found().len() == 200);
    life.append(200..230);
    life.kill();
    let index = index.reopened();
    world.index = Arc::new(index.clone());
    let life = world.start();
    eventually("all are stored", || index.stats().events == 230);
    eventually("they are detected once", || world.found().len() == 230);
    life.stop();
    let ids: Vec<_> = world.found().iter().map(|(id, _)| *id).collect();
    assert!(ids.is_sorted_by(|one, other| one < other));
}

#[derive(Debug, Clone)]
enum Step {
    Append(u32),
    Index {
        refuses: bool,
        is_silent: bool,
    },
    Stop,
    Kill,
    /// Until everything so far was analysed.
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (1u32..60).prop_map(Step::Append),
        3 => any::<(bool, bool)>().prop_map(|(refuses, is_silent)| Step::Index { refuses, is_silent }),
        1 => Just(Step::Stop),
        2 => Just(Step::Kill),
        3 => Just(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn whatever_happens_each_event_is_stored_with_its_verdict_and_detected_once(
        steps in prop::collection::vec(step(), 1..20)
    ) {
        let index = Remote::new();
        let world = World::new(index.clone());
        let (mut life, mut appended) = (world.start(), 0);
        for step in steps {
            match step {
                Step::Append(more) => {
                    life.append(appended..appended + more);
                    appended += more;
                }
                Step::Index { refuses, is_silent } => index.set(refuses, is_silent),
                Step::Stop => {
                    life.stop();
                    life = world.start();
                }
                Step::Kill => {
                    life.kill();
                    index.crash();
                    life = world.start();
                }
                Step::Wait => {
                    let end = life.journal.end();
                    eventually("it is analysed", || world.found.lock().unwrap().0 >= end);
                }
            }
        }
        index.set(false, false);
        let count = appended as usize;
        eventually("all are stored", || index.len() == count);
        eventually("all are detected", || world.found().len() >= count);
        life.stop();
        prop_assert_eq!(said(&index), expected(appended));
        let found = world.found();
        prop_assert_eq!(found.len(), count);
        prop_assert!(found.iter().zip(found.iter().skip(1)).all(|(one, next)| one.0 < next.0));
        prop_assert!(found.iter().all(|(_, state)| *state != VerdictState::Unscored));
    }
}
