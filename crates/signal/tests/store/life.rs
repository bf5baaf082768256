//! Where a signal stands in its life, and what it takes to get there.

use std::time::Duration;

use finding::{Finding, Level};
use signal::{Act, Deed, ESCALATES_BY, Happening, SignalId, State, StoreError};

use crate::kept::*;

const ADDRESS: &str = "203.0.113.7";

/// What happens to a signal.
enum Step {
    /// So many events, the first so long after noon; taken in as they come.
    Found(u32, Duration),
    /// The same, graver.
    Graver(u32, Duration),
    Act(Deed, Duration),
    /// Time has passed.
    Quiet(Duration),
}

use Step::{Act as Do, Found, Graver, Quiet};

/// Takes the steps, and gives what the last of them made of the signals, the newest first.
fn live(steps: Vec<Step>) -> (Vec<Happening>, Vec<State>) {
    let kept = Kept::new();
    let mut event = 0;
    let mut told = Vec::new();
    for step in steps {
        let found = |count, level, event: &mut u32, from| {
            let finding = Finding { level, ..failures(ADDRESS, run(*event, from, count)) };
            *event += count;
            kept.observe(&[finding], at(from))
        };
        let ids = || kept.store.list(&signal::Filter::default()).unwrap().signals;
        told = match step {
            Found(count, from) => found(count, Level::Medium, &mut event, from),
            Graver(count, from) => found(count, Level::High, &mut event, from),
            Do(deed, when) => kept.act(ids()[0].id, deed, at(when)),
            Quiet(when) => kept.store.resolve_quiet(at(when), nothing).unwrap(),
        };
    }
    let states = kept.store.list(&signal::Filter::default()).unwrap();
    (
        told.iter().map(|change| change.what).collect(),
        states.signals.iter().map(|signal| signal.state).collect(),
    )
}

#[track_caller]
fn check(steps: Vec<Step>, what: Option<Happening>, states: &[State]) {
    assert_eq!(live(steps), (what.into_iter().collect(), states.to_vec()));
}

#[test]
fn each_state_follows_from_what_happened() {
    use Deed::{Acknowledge, Reopen, Resolve};
    use Happening as H;
    use State as S;

    let much = 5 * (ESCALATES_BY as u32 - 1);
    check(vec![Found(5, NOON)], Some(H::New), &[S::New]);
    check(vec![Found(5, NOON), Found(5, HOUR)], Some(H::Grew), &[S::Ongoing]);
    check(vec![Found(5, NOON), Graver(5, HOUR)], Some(H::Escalated), &[S::Escalating]);
    check(vec![Found(5, NOON), Found(much - 1, HOUR)], Some(H::Grew), &[S::Ongoing]);
    check(vec![Found(5, NOON), Found(much, HOUR)], Some(H::Escalated), &[S::Escalating]);
    check(vec![Found(5, NOON), Graver(5, HOUR), Found(5, 2 * HOUR)], Some(H::Grew), &[S::Escalating]);

    let acknowledged = || vec![Found(5, NOON), Do(Acknowledge, HOUR)];
    let and = |mut steps: Vec<Step>, step| {
        steps.push(step);
        steps
    };
    check(acknowledged(), Some(H::Acknowledged), &[S::Acknowledged]);
    check(and(acknowledged(), Do(Acknowledge, HOUR)), None, &[S::Acknowledged]);
    check(and(acknowledged(), Found(much, HOUR)), Some(H::Grew), &[S::Acknowledged]);
    check(and(acknowledged(), Graver(5, HOUR)), Some(H::Escalated), &[S::Escalating]);
    check(and(acknowledged(), Quiet(DAY)), Some(H::Resolved), &[S::Resolved]);
    check(and(acknowledged(), Do(Reopen, HOUR)), Some(H::Reopened), &[S::Reopened]);
    check(vec![Found(5, NOON), Do(Reopen, HOUR)], None, &[S::New]);

    let resolved = || vec![Found(5, NOON), Do(Resolve, HOUR)];
    check(resolved(), Some(H::Resolved), &[S::Resolved]);
    check(and(resolved(), Do(Resolve, HOUR)), None, &[S::Resolved]);
    check(and(resolved(), Do(Acknowledge, HOUR)), None, &[S::Resolved]);
    check(and(resolved(), Do(Reopen, HOUR)), Some(H::Reopened), &[S::Reopened]);
    check(and(resolved(), Found(5, 2 * HOUR)), Some(H::Reopened), &[S::Reopened]);
    check(and(resolved(), Quiet(DAY)), None, &[S::Resolved]);
    check(and(resolved(), Found(5, 7 * DAY)), Some(H::Reopened), &[S::Reopened]);
    check(and(resolved(), Found(5, 7 * DAY + 2 * HOUR)), Some(H::New), &[S::New, S::Resolved]);
}

#[test]
fn it_is_over_when_nothing_came_for_as_long_as_its_kind_is_quiet_by_the_time_of_receipt() {
    use Happening as H;
    use State as S;

    check(vec![Found(5, NOON), Quiet(DAY - MINUTE)], None, &[S::New]);
    check(vec![Found(5, NOON), Quiet(DAY)], Some(H::Resolved), &[S::Resolved]);
    check(vec![Found(5, NOON), Found(5, HOUR), Quiet(DAY)], None, &[S::Ongoing]);
    check(vec![Found(5, NOON), Quiet(DAY), Found(5, 2 * DAY)], Some(H::Reopened), &[S::Reopened]);
    check(vec![Found(5, NOON), Quiet(DAY), Found(5, 9 * DAY)], Some(H::New), &[S::New, S::Resolved]);
    // Nobody looked meanwhile, as when an old file is taken in: the same comes of it.
    check(vec![Found(5, NOON), Found(5, 2 * DAY)], Some(H::Reopened), &[S::Reopened]);
    check(vec![Found(5, NOON), Found(5, 9 * DAY)], Some(H::New), &[S::New, S::New]);
}

#[test]
fn what_comes_late_is_counted_and_reopens_nothing() {
    let kept = Kept::new();
    let id = kept.observe(&[failures(ADDRESS, run(0, HOUR, 5))], at(HOUR))[0].signal.id;
    kept.act(id, Deed::Resolve, at(2 * HOUR));
    let told = kept.observe(&[failures(ADDRESS, run(10, NOON, 5))], at(3 * HOUR));
    assert_eq!(
        (told[0].what, told[0].signal.state, told[0].signal.count),
        (Happening::Grew, State::Resolved, 10)
    );
    assert_eq!(told[0].signal.first, at(NOON));
}

#[test]
fn what_people_do_changes_once_and_is_in_the_history() {
    let kept = Kept::new();
    let id = kept.observe(&[failures(ADDRESS, run(0, NOON, 5))], at(NOON))[0].signal.id;
    let until = Some(at(DAY));
    let acts = [
        (Deed::Assign(Some("grace".to_owned())), Happening::Assigned),
        (Deed::Snooze(until), Happening::Snoozed),
        (Deed::Note, Happening::Noted),
        (Deed::Acknowledge, Happening::Acknowledged),
        // Nobody has it after all.
        (Deed::Reopen, Happening::Reopened),
        (Deed::Acknowledge, Happening::Acknowledged),
        (Deed::Resolve, Happening::Resolved),
        (Deed::Reopen, Happening::Reopened),
    ];
    for (deed, what) in &acts {
        let told = kept.act(id, deed.clone(), at(HOUR));
        assert_eq!(told.iter().map(|change| change.what).collect::<Vec<_>>(), [*what]);
        assert_eq!(kept.act(id, deed.clone(), at(HOUR)), [], "{deed:?} is done twice");
    }
    let signal = kept.store.get(id).unwrap().unwrap();
    assert_eq!(signal.standing.assignee.as_deref(), Some("grace"));
    assert_eq!(signal.standing.snoozed_until, None, "it was resolved meanwhile");
    let timeline = kept.store.timeline(id).unwrap();
    let told: Vec<Happening> = timeline.iter().map(|entry| entry.what).collect();
    assert_eq!(told[0], Happening::New);
    assert_eq!(told[1..], acts.map(|(_, what)| what));
    assert!(timeline[1..].iter().all(|entry| entry.by.as_deref() == Some("ada")));
}

#[test]
fn acts_on_nothing_and_texts_without_end_are_refused() {
    let kept = Kept::new();
    let act = |deed, note: String| Act { deed, by: "ada".to_owned(), note: Some(note) };
    let unknown = kept.store.act(SignalId(1), &act(Deed::Note, "seen".to_owned()), at(HOUR), nothing);
    assert!(matches!(unknown, Err(StoreError::Unknown { id: SignalId(1) })));
    let id = kept.observe(&[failures(ADDRESS, run(0, NOON, 5))], at(NOON))[0].signal.id;
    let long = kept.store.act(id, &act(Deed::Note, "x".repeat(5000)), at(HOUR), nothing);
    assert_eq!(long.unwrap_err().to_string(), "the note has more than 4096 bytes; shorten it");
}

#[test]
fn a_history_keeps_its_first_entry_and_the_newest() {
    let kept = Kept::with(signal::Config { history_max: 5, ..signal::Config::default() });
    let id = kept.observe(&[failures(ADDRESS, run(0, NOON, 5))], at(NOON))[0].signal.id;
    for number in 0..10 {
        let act = Act { deed: Deed::Note, by: "ada".to_owned(), note: Some(format!("note {number}")) };
        kept.store.act(id, &act, at(HOUR), nothing).unwrap();
    }
    let notes: Vec<_> = kept.store.timeline(id).unwrap().into_iter().map(|entry| entry.note).collect();
    let newest = (6..10).map(|number| Some(format!("note {number}")));
    assert_eq!(notes, std::iter::once(None).chain(newest).collect::<Vec<_>>());
}
