//! Signals through the store: what becomes one, what is counted, what is kept together.

use crate::kept::*;
use std::time::Duration;

use event::Position;
use finding::{Finding, FindingKind, Level, fact};
use signal::{Cursor, Filter, Happening, SignalId, State, StoreError};

#[test]
fn a_run_that_grows_is_one_signal_and_counts_each_event_once() {
    let kept = Kept::new();
    let told = kept.observe(&[failures("203.0.113.7", run(0, NOON, 5))], at(MINUTE));
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].what, told[0].before), (Happening::New, None));

    let told = kept.observe(&[failures("203.0.113.7", more(run(0, NOON, 10)))], at(2 * MINUTE));
    assert_eq!(told[0].what, Happening::Grew);
    let signal = &told[0].signal;
    assert_eq!((signal.count, signal.state), (10, State::Ongoing));
    assert_eq!(
        signal.evidence.iter().map(|event| event.id.position.record).collect::<Vec<_>>(),
        [0, 1, 2, 3, 6, 7, 8, 9]
    );

    let told = kept.observe(&[failures("203.0.113.7", run(20, HOUR, 6))], at(61 * MINUTE));
    assert_eq!(
        (told[0].signal.count, told[0].signal.first, told[0].signal.last),
        (16, at(NOON), at(HOUR + Duration::from_secs(5)))
    );

    let page = kept.store.list(&Filter::default()).unwrap();
    assert_eq!((page.total, page.signals.len(), page.next), (1, 1, None));
    assert_eq!(kept.store.get(page.signals[0].id).unwrap().as_ref(), Some(&page.signals[0]));
    assert_eq!(kept.store.get(SignalId(1)).unwrap(), None);
}

#[test]
fn single_events_of_the_same_second_count_one_each() {
    let kept = Kept::new();
    let of = |number| {
        Finding::of_run(FindingKind::Sigma, Level::High, "r", address("203.0.113.7"), run(number, MINUTE, 1))
    };
    let all: Vec<Finding> = (0..40).map(of).collect();
    kept.observe(&all, at(MINUTE));
    assert_eq!(kept.observe(&all, at(2 * MINUTE)), []);
    let page = kept.store.list(&Filter::default()).unwrap();
    assert_eq!((page.total, page.signals[0].count), (1, 40));
}

#[test]
fn what_succeeded_once_has_succeeded() {
    let kept = Kept::new();
    let told = |number, at, succeeded: bool| {
        failures("203.0.113.7", run(number, at, 5)).fact(fact::SUCCEEDED, succeeded)
    };
    kept.observe(&[told(0, NOON, false)], at(NOON));
    for (number, succeeded, expected) in [(20, true, true), (40, false, true)] {
        let when = NOON + MINUTE * number;
        let told = kept.observe(&[told(number, when, succeeded)], at(when));
        assert_eq!(told[0].signal.facts[fact::SUCCEEDED], expected, "{number}");
    }
}

#[test]
fn findings_cursor_and_what_is_written_beside_are_one_transaction() {
    let kept = Kept::new();
    let (one, two) = (Position { segment: 0, record: 5 }, Position { segment: 0, record: 10 });
    let cursor = |position| Some(Cursor { name: "detection", position });
    let finding = |number| vec![of(failures("203.0.113.7", run(number, MINUTE, 5)))];
    kept.database
        .write(|tx| Ok::<_, StoreError>(tx.execute_batch("CREATE TABLE beside (what TEXT)")?))
        .unwrap();
    let beside = || -> i64 {
        kept.database
            .read(|tx| {
                Ok::<_, StoreError>(tx.query_row("SELECT count(*) FROM beside", [], |row| row.get(0))?)
            })
            .unwrap()
    };
    assert_eq!(kept.store.cursor("detection").unwrap(), None);
    kept.store
        .observe(finding(0), cursor(one), at(MINUTE), |tx, changes| {
            assert_eq!(changes.len(), 1);
            tx.execute("INSERT INTO beside VALUES ('first')", [])?;
            Ok(())
        })
        .unwrap();

    let failed = kept.store.observe(finding(5), cursor(two), at(MINUTE), |tx, changes| {
        assert_eq!(changes.len(), 1);
        tx.execute("INSERT INTO beside VALUES ('second')", [])?;
        Err("the outbox is full".into())
    });
    assert!(matches!(failed, Err(StoreError::Beside { .. })), "{failed:?}");
    let kept_count = kept.store.list(&Filter::default()).unwrap().signals[0].count;
    assert_eq!((kept.store.cursor("detection").unwrap(), beside(), kept_count), (Some(one), 1, 5));
    assert_eq!(kept.store.newest_change().unwrap(), 1);

    kept.store.observe(finding(5), cursor(two), at(MINUTE), nothing).unwrap();
    assert_eq!(kept.store.cursor("detection").unwrap(), Some(two));
}

#[test]
fn what_others_send_is_kept_within_bounds() {
    let kept = Kept::new();
    let long = "ü".repeat(5000);
    let mut finding = failures(&long, run(0, NOON, 5));
    finding.entities = vec![finding::Entity { r#type: finding::EntityType::User, value: long.clone() }; 100];
    finding.rule.clone_from(&long);
    finding.techniques = (0..100).map(|number| format!("T{number}{long}")).collect();
    finding.facts = (0..100).map(|number| (format!("fact {number}"), number.into())).collect();
    finding.facts.insert("a long one".to_owned(), long.clone().into());
    finding.evidence = (0..100).map(event).collect();
    (finding.first, finding.last) = (finding.last, finding.first);
    let mut observed = of(finding);
    observed.organization = Some(long.clone());
    observed.evidence.iter_mut().for_each(|event| event.message.clone_from(&long));
    let told = kept.store.observe(vec![observed], None, at(NOON), nothing).unwrap();
    let signal = &told[0].signal;
    assert!(serde_json::to_string(signal).unwrap().len() < 16_000);
    assert!(signal.first <= signal.last && !signal.facts.contains_key("a long one"));
    assert_eq!((signal.facts.len(), signal.evidence.len(), signal.entities.len()), (32, 8, 1));
    assert_eq!(kept.store.get(signal.id).unwrap().as_ref(), Some(signal));
}

/// As version 0.1 keeps a signal: whatever is added later must have a default.
const KEPT: &str = r#"{"id":"0000000000000000000000000000002a","kind":"ssh_brute_force","severity":"medium",
    "confidence":0.9,"state":"acknowledged","first":"2024-05-01T12:00:00Z","last":"2024-05-01T12:00:04Z",
    "received":"2024-05-01T12:00:05Z","count":5,"entities":[{"type":"source.ip","value":"203.0.113.7"}],
    "rule":"ssh_brute_force","techniques":["T1110"],"facts":{"users":["root"]},"incident":null,
    "organization":null,"evidence":[{"id":"00000000000000000000000000000007-00000000-00000001",
    "@timestamp":"2024-05-01T12:00:00Z","message":"Failed password"}],"rank":45.0,"label":"real","alike":true,
    "assignee":"grace","snoozed_until":"2024-05-02T12:00:00Z","suppression":3,"hidden":true}"#;
const COUNTED: &str = r#"{"runs":[{"first":"2024-05-01T12:00:00Z","last":"2024-05-01T12:00:04Z","count":5,
    "marks":["00000000000000000000000000000007-00000000-00000001"],
    "through":"00000000000000000000000000000007-00000000-00000005"}],
    "earlier":{"runs":1,"count":5,"last":"2024-05-01T11:00:00Z","through":null},"escalates_at":50}"#;

#[test]
fn signals_of_the_first_version_are_read() {
    let kept = Kept::new();
    let id = kept.observe(&[failures("203.0.113.7", run(0, NOON, 5))], at(NOON))[0].signal.id;
    let replace = "UPDATE signal SET document = ?1, counted = ?2";
    kept.database.write(|tx| Ok::<_, StoreError>(tx.execute(replace, [KEPT, COUNTED])?)).unwrap();
    let signal = kept.store.get(id).unwrap().unwrap();
    let document = serde_json::to_value(&signal).unwrap();
    assert_eq!(document, serde_json::from_str::<serde_json::Value>(KEPT).unwrap());

    kept.database.write(|tx| Ok::<_, StoreError>(tx.execute(replace, ["{}", COUNTED])?)).unwrap();
    let damaged = kept.store.get(id).unwrap_err();
    assert_eq!(
        damaged.to_string(),
        format!("what state.db keeps of signal {id} cannot be read; restore the file from a backup")
    );
}
