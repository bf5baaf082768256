//! What a list lets through, and the feed of what changed.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use finding::{Entity, EntityType, Finding, FindingKind, Level};
use signal::{Config, Deed, Filter, Happening, Observed, State, StoreError};

use crate::kept::*;

/// Ten signals: kinds and severities in turn, one an hour, of two organizations.
fn ten(config: Config) -> Kept {
    let kept = Kept::with(config);
    for number in 0..10_u32 {
        let place = number as usize;
        let from = HOUR * number;
        let kind = [FindingKind::WebScan, FindingKind::Sigma][place % 2];
        let level = Level::ALL[place % 5];
        let finding = Finding::of_run(
            kind,
            level,
            "a rule",
            address(&format!("192.0.2.{number}")),
            run(number, from, 1),
        )
        .and([Entity::new(EntityType::User, format!("user-{}", number % 3))])
        .fact("path", format!("/wp-admin/{number}/"));
        let organization = Some(["north", "south"][usize::from(number > 3)].to_owned());
        kept.store.observe(vec![Observed { organization, ..of(finding) }], None, at(from), nothing).unwrap();
    }
    let newest = kept.store.list(&Filter::default()).unwrap().signals[0].id;
    kept.act(newest, Deed::Acknowledge, at(DAY));
    kept
}

/// The numbers of the signals that a filter lets through, by pages of three.
fn numbers(kept: &Kept, filter: Filter) -> Vec<u32> {
    let mut filter = Filter { limit: 3, ..filter };
    let mut numbers = Vec::new();
    loop {
        let page = kept.store.list(&filter).unwrap();
        numbers.extend(page.signals.iter().map(|signal| signal.evidence[0].id.position.record));
        filter.cursor = page.next;
        if filter.cursor.is_none() {
            assert_eq!(page.total, numbers.len() as u64, "{filter:?}");
            return numbers;
        }
    }
}

#[test]
fn a_list_lets_through_what_is_asked_for_in_pages_with_an_exact_total() {
    let kept = ten(Config::default());
    let all = Filter::default;
    let text = |text: &str| Filter { text: Some(text.to_owned()), ..all() };
    let entity = |entity: &str| Filter { entity: Some(entity.to_owned()), ..all() };
    let cases: Vec<(Filter, Vec<u32>)> = vec![
        (all(), (0..10).rev().collect()),
        (Filter { states: vec![State::Acknowledged], ..all() }, vec![9]),
        (Filter { states: vec![State::New, State::Acknowledged], ..all() }, (0..10).rev().collect()),
        (Filter { states: vec![State::Resolved], ..all() }, vec![]),
        (Filter { kinds: vec![FindingKind::Sigma], ..all() }, vec![9, 7, 5, 3, 1]),
        (Filter { kinds: vec![FindingKind::Sigma], states: vec![State::New], ..all() }, vec![7, 5, 3, 1]),
        (Filter { severities: vec![Level::High, Level::Critical], ..all() }, vec![9, 8, 4, 3]),
        (entity("192.0.2.4"), vec![4]),
        (entity("user-1"), vec![7, 4, 1]),
        (entity("user:user-1"), vec![7, 4, 1]),
        (entity("host:user-1"), vec![]),
        (Filter { severities: vec![Level::Critical], ..entity("user-1") }, vec![4]),
        (Filter { organization: Some("north".to_owned()), ..all() }, vec![3, 2, 1, 0]),
        (Filter { rule: Some("a rule".to_owned()), ..all() }, (0..10).rev().collect()),
        (Filter { from: Some(at(HOUR * 3)), to: Some(at(HOUR * 6)), ..all() }, vec![5, 4, 3]),
        (Filter { from: Some(at(HOUR * 3)), to: Some(at(HOUR * 6)), ..entity("user-1") }, vec![4]),
        (text("wp-admin"), (0..10).rev().collect()),
        (text("WP-ADMIN/7"), vec![7]),
        (text("192.0.2.4"), vec![4]),
        (text("web scan"), vec![8, 6, 4, 2, 0]),
        (text("\"number 7"), vec![7]),
        (text("nothing"), vec![]),
        (text("* OR ( NEAR -"), vec![]),
        (text("  "), (0..10).rev().collect()),
        (Filter { kinds: vec![FindingKind::Sigma], ..text("wp-admin") }, vec![9, 7, 5, 3, 1]),
        (Filter { hidden: true, ..all() }, vec![]),
    ];
    for (filter, expected) in cases {
        assert_eq!(numbers(&kept, filter.clone()), expected, "{filter:?}");
    }
    for cursor in ["", "x", "1", "1-", "-1", "1-2-3", "ffffffffffffffffffff-1", "Ü-1"] {
        let wrong = kept.store.list(&Filter { cursor: Some(cursor.to_owned()), ..all() });
        assert!(matches!(wrong, Err(StoreError::Cursor { .. })), "{cursor}: {wrong:?}");
    }
    let none = kept.store.list(&Filter { limit: 0, ..all() }).unwrap();
    assert_eq!((none.total, none.signals.len(), none.next), (10, 0, None));
}

#[test]
fn whoever_follows_the_feed_goes_on_where_they_were() {
    let kept = Kept::with(Config { changes_max: 5, ..Config::default() });
    let newest = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&newest);
    kept.store.wake(move |number| told.store(number, Ordering::SeqCst));
    assert!(!kept.store.wait(0, std::time::Duration::ZERO));
    for number in 0..3 {
        kept.observe(&[failures(&format!("192.0.2.{number}"), run(number * 10, NOON, 5))], at(NOON));
    }
    assert!(kept.store.wait(2, DAY) && !kept.store.wait(3, std::time::Duration::ZERO));
    assert_eq!(newest.load(Ordering::SeqCst), 3);
    let seen = kept.store.changes(0, 2).unwrap();
    assert_eq!(seen.iter().map(|change| change.number).collect::<Vec<_>>(), [1, 2]);
    let id = seen[0].signal.id;
    let acknowledged = kept.act(id, Deed::Acknowledge, at(HOUR));
    let after = kept.store.changes(2, 10).unwrap();
    assert_eq!(
        after.iter().map(|change| change.what).collect::<Vec<_>>(),
        [Happening::New, Happening::Acknowledged]
    );
    assert_eq!(after[1], acknowledged[0], "what is read is what was told");
    for number in 3..8 {
        kept.observe(&[failures(&format!("192.0.2.{number}"), run(number * 10, NOON, 5))], at(NOON));
    }
    let numbers: Vec<u64> = kept.store.changes(0, 100).unwrap().iter().map(|change| change.number).collect();
    assert_eq!(numbers, [5, 6, 7, 8, 9]);
    assert_eq!(kept.store.newest_change().unwrap(), 9);
}

#[test]
fn old_signals_are_forgotten_with_all_that_is_kept_of_them() {
    let kept = ten(Config { keep: DAY * 30, ..Config::default() });
    let ids: Vec<_> =
        kept.store.list(&Filter::default()).unwrap().signals.iter().map(|signal| signal.id).collect();
    kept.act(ids[0], Deed::Resolve, at(DAY));
    kept.act(ids[1], Deed::Resolve, at(DAY * 2));
    assert_eq!(kept.store.forget(at(DAY * 31)).unwrap(), 0);
    assert_eq!(kept.store.forget(at(DAY * 31 + HOUR)).unwrap(), 1);
    assert_eq!(numbers(&kept, Filter::default()), (0..9).rev().collect::<Vec<_>>());
    assert_eq!(kept.store.get(ids[0]).unwrap(), None);
    assert_eq!(kept.store.timeline(ids[0]).unwrap(), []);
    assert_eq!(numbers(&kept, Filter { text: Some("9".to_owned()), ..Filter::default() }), Vec::<u32>::new());
    assert_eq!(
        numbers(&kept, Filter { entity: Some("192.0.2.9".to_owned()), ..Filter::default() }),
        Vec::<u32>::new()
    );
}

#[test]
fn beyond_the_number_that_is_kept_those_resolved_longest_ago_go_first() {
    let kept = ten(Config { signals_max: 7, ..Config::default() });
    let ids: Vec<_> =
        kept.store.list(&Filter::default()).unwrap().signals.iter().map(|signal| signal.id).collect();
    kept.act(ids[4], Deed::Resolve, at(DAY));
    assert_eq!(kept.store.forget(at(DAY)).unwrap(), 3);
    assert_eq!(numbers(&kept, Filter::default()), [9, 8, 7, 6, 4, 3, 2]);
    assert_eq!(kept.store.forget(at(DAY)).unwrap(), 0);
}
