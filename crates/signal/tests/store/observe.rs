//! Signals through the store: what becomes one, what is counted, what is kept together.

use crate::kept::*;
use std::time::Duration;

use event::Position;
use finding::{Finding, FindingKind, Level};
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
