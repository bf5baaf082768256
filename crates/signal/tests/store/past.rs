//! What came before a signal about the same.

use finding::{Entity, EntityType, Finding, FindingKind, Level};
use signal::{Deed, Label, Observed, narrative::History};

use crate::kept::*;

#[test]
fn earlier_signals_about_the_same_are_counted() {
    let kept = Kept::new();
    let scan = |number, when| {
        let run = run(number, when, 3);
        Finding::of_run(FindingKind::WebScan, Level::Low, "web_scan", address("203.0.113.7"), run)
    };
    let told = |finding: Finding, when| kept.observe(&[finding], at(when)).remove(0).signal;
    let first = told(failures("203.0.113.7", run(0, NOON, 5)), NOON);
    assert_eq!(kept.store.history(&first).unwrap(), History::default());

    let second = told(scan(20, DAY), DAY);
    told(failures("203.0.113.99", run(40, DAY, 5)), DAY);
    let elsewhere = Observed { organization: Some("other".to_owned()), ..of(scan(60, DAY)) };
    kept.store.observe(vec![elsewhere], None, at(DAY), nothing).unwrap();
    let later = told(failures("203.0.113.7", run(80, 20 * DAY, 5)), 20 * DAY);
    let history = |expected| History { count: 2, last: Some(second.last), expected };
    assert_eq!(kept.store.history(&later).unwrap(), history(0));

    kept.act(first.id, Deed::Label { label: Some(Label::Expected), similar: false }, at(20 * DAY));
    kept.act(second.id, Deed::Label { label: Some(Label::Real), similar: false }, at(20 * DAY));
    assert_eq!(kept.store.history(&later).unwrap(), history(1));

    let host = Entity::new(EntityType::Host, "web-1");
    let of_host =
        Finding::of_run(FindingKind::KernelError, Level::Low, "kernel", host, run(100, 21 * DAY, 1));
    let of_host = told(of_host, 21 * DAY);
    assert_eq!(kept.store.history(&of_host).unwrap().count, 3, "also where it is beside the main one");
}

#[test]
fn what_is_about_nothing_has_no_history() {
    let kept = Kept::new();
    let mut signal = kept.observe(&[failures("203.0.113.7", run(0, NOON, 5))], at(NOON)).remove(0).signal;
    signal.entities.clear();
    assert_eq!(kept.store.history(&signal).unwrap(), History::default());
}
