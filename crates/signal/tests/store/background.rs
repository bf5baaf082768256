//! Guessing at a port that is open to the internet: one signal a day for each host.

use std::time::Duration;

use finding::{Entity, EntityType, Finding, FindingKind, Level, fact};
use signal::{
    ADDRESSES_MAX, AT_HOST, Change, Deed, Filter, Happening, Label, Matching, NewSuppression, OPEN_ADDRESSES,
    OPEN_CROWD, Signal,
};

use crate::kept::*;

/// Five failures of an address: of the first five twelve hours after those of the one before, of others an hour.
fn guesses(number: u32) -> Finding {
    let known = OPEN_ADDRESSES - 1;
    let from = 12 * HOUR * number.min(known) + HOUR * number.saturating_sub(known);
    failures(&address_of(number), run(number * 10, from, 5))
}

fn address_of(number: u32) -> String {
    format!("203.0.{}.{}", 113 + number / 256, number % 256)
}

fn all(kept: &Kept) -> Vec<Signal> {
    kept.store.list(&Filter { limit: 1000, ..Filter::default() }).unwrap().signals
}

fn of_hosts(kept: &Kept) -> Vec<Signal> {
    all(kept).into_iter().filter(|signal| signal.rule == AT_HOST).collect()
}

fn names(signal: &Signal, wanted: &str) -> bool {
    signal.entities.iter().any(|entity| entity.value == wanted)
}

/// A store in which the port of web-1 is known to be open.
fn open() -> Kept {
    let kept = Kept::new();
    for number in 0..OPEN_ADDRESSES {
        let told = kept.observe(&[guesses(number)], guesses(number).last);
        assert_eq!((told[0].what, told[0].signal.rule.as_str()), (Happening::New, "ssh_brute_force"));
        assert_eq!(told[0].signal.entities[0], address(&address_of(number)));
    }
    assert_eq!(of_hosts(&kept), []);
    kept
}

fn told(kept: &Kept, finding: Finding) -> Vec<Change> {
    let received = finding.last;
    kept.observe(&[finding], received)
}

#[test]
fn a_day_of_guessing_at_an_open_port_is_one_signal_that_names_everybody() {
    let kept = open();
    let first = OPEN_ADDRESSES;
    for number in first..first + 48 {
        told(&kept, guesses(number));
    }
    let mut days = of_hosts(&kept);
    days.sort_by_key(|signal| signal.first);
    assert_eq!(days.len(), 2, "{days:#?}");
    for (place, day) in (0_u32..).zip(&days) {
        assert_eq!((day.count, day.severity), (24 * 5, Level::Medium));
        assert_eq!(day.entities[0], Entity::new(EntityType::Host, "web-1"));
        for number in first + 24 * place..first + 24 * (place + 1) {
            assert!(names(day, &address_of(number)), "{number}");
        }
        assert_eq!(day.incident, None);
    }
    let found = |entity: String| {
        kept.store.list(&Filter { entity: Some(entity), ..Filter::default() }).unwrap().total
    };
    assert_eq!(found(format!("source.ip:{}", address_of(first + 30))), 1);
    // All of it once more, together and one by one.
    let findings: Vec<Finding> = (0..first + 48).map(guesses).collect();
    let before = all(&kept);
    assert_eq!(kept.observe(&findings, at(DAY * 9)), []);
    for finding in findings {
        assert_eq!(kept.observe(&[finding], at(DAY * 9)), []);
    }
    assert_eq!(all(&kept), before);
}

#[test]
fn it_does_not_matter_in_how_many_parts_findings_come() {
    let findings: Vec<Finding> = (0..60).map(guesses).collect();
    let told = |batch: usize| {
        let kept = Kept::new();
        findings.chunks(batch).for_each(|batch| drop(kept.observe(batch, at(DAY * 3))));
        let mut signals: Vec<_> = all(&kept).into_iter().map(|signal| (signal.id, signal.count)).collect();
        signals.sort_unstable();
        signals
    };
    assert_eq!(told(1), told(60));
    assert_eq!(told(1), told(7));
}

#[test]
fn a_run_that_grows_stays_where_it_is_until_it_stands_out() {
    let kept = open();
    let of = |count| failures(&address_of(99), run(5000, 3 * DAY, count));
    told(&kept, of(5));
    told(&kept, Finding { is_update: true, ..of(80) });
    assert_eq!(of_hosts(&kept)[0].count, 80);
    for count in [100, 200] {
        told(&kept, Finding { is_update: true, ..of(count) });
        let own =
            all(&kept).into_iter().find(|signal| signal.entities[0] == address(&address_of(99))).unwrap();
        assert_eq!((own.count, own.rule.as_str()), (u64::from(count), "ssh_brute_force"));
    }
    let before = all(&kept);
    for count in [5, 80, 100, 200] {
        assert_eq!(told(&kept, of(count)), [], "{count}");
    }
    assert_eq!(all(&kept), before);
}

#[test]
fn who_gets_in_or_comes_from_ones_own_network_has_a_signal_of_its_own() {
    let kept = open();
    let mut is_in = guesses(30);
    is_in.level = Level::High;
    for finding in [is_in, failures("10.0.0.7", run(9000, 3 * DAY, 5))] {
        let about = finding.entities[0].clone();
        let told = told(&kept, finding);
        assert_eq!((told[0].what, &told[0].signal.entities[0]), (Happening::New, &about));
    }
    // And so does everybody at another host.
    let mut elsewhere = guesses(31);
    elsewhere.entities[1].value = "web-2".to_owned();
    assert_eq!(told(&kept, elsewhere)[0].signal.rule, "ssh_brute_force");
    assert_eq!(of_hosts(&kept), []);
}

#[test]
fn many_of_one_day_are_told_singly_until_they_are_a_crowd() {
    let kept = Kept::new();
    for number in 0..OPEN_CROWD + 2 {
        told(&kept, failures(&address_of(number), run(number * 10, MINUTE * number, 5)));
    }
    let hosts = of_hosts(&kept);
    assert_eq!((all(&kept).len() - hosts.len(), hosts[0].count), (OPEN_CROWD as usize, 10));
}

#[test]
fn a_port_that_was_quiet_for_a_week_is_not_known_to_be_open() {
    let kept = open();
    let finding = failures("203.0.113.99", run(9000, DAY * 10, 5));
    assert_eq!(told(&kept, finding)[0].signal.rule, "ssh_brute_force");
}

#[test]
fn what_is_said_of_one_address_holds_for_it_alone() {
    let kept = open();
    let wanted = NewSuppression {
        matching: Matching { entity: Some(format!("source.ip:{}", address_of(7))), ..Matching::default() },
        reason: "our own scanner".to_owned(),
        by: "ada".to_owned(),
        expires_at: at(DAY * 90),
    };
    for number in [6, 7] {
        told(&kept, guesses(number));
    }
    let (hosts, preview) = (of_hosts(&kept), kept.store.preview(&wanted.matching, at(3 * DAY)).unwrap());
    assert!(names(&hosts[0], &address_of(7)));
    assert_eq!(preview.signals, 0, "its host's signal would not be hidden");
    kept.store.suppress(&wanted, at(3 * DAY), nothing).unwrap();
    assert_eq!(of_hosts(&kept), hosts);
    let again = failures(&address_of(7), run(7000, 2 * DAY + 5 * HOUR, 5));
    let told_again = told(&kept, again);
    assert!(told_again[0].signal.standing.hidden && told_again[0].signal.rule == "ssh_brute_force");
    told(&kept, guesses(8));
    assert!(!of_hosts(&kept)[0].standing.hidden);

    let deed = Deed::Label { label: Some(Label::Expected), similar: true };
    kept.act(of_hosts(&kept)[0].id, deed, at(3 * DAY));
    let next_day = failures(&address_of(9), run(8000, DAY * 5, 5));
    assert!(told(&kept, next_day)[0].signal.standing.hidden, "said of all days of this host");
}

#[test]
fn with_more_addresses_than_one_signal_names_another_begins() {
    let kept = open();
    let each = u32::try_from(ADDRESSES_MAX).unwrap();
    let findings: Vec<Finding> = (0..each + 5)
        .map(|number| {
            let from = 3 * DAY + Duration::from_secs(u64::from(number));
            failures(&address_of(100 + number), run(10_000 + number * 5, from, 5))
        })
        .collect();
    kept.observe(&findings, at(DAY * 4));
    let mut counts: Vec<u64> = of_hosts(&kept).iter().map(|signal| signal.count).collect();
    counts.sort_unstable();
    assert_eq!(counts, [5 * 5, 5 * u64::from(each)]);
    assert_eq!(kept.observe(&findings, at(DAY * 4)), []);
}

#[test]
fn a_scan_that_found_nothing_is_more_of_what_the_site_is_asked_that_day() {
    let site = Entity::new(EntityType::Service, "access");
    let asked = |number: u32, from: Duration| {
        let run = run(number, from, 2);
        Finding::of_run(FindingKind::WebScan, Level::Informational, "web_probes", site.clone(), run)
            .and([address("203.0.113.8")])
            .fact(fact::PATHS, fact::list(["/wp-login.php"]))
    };
    let scan = |number: u32, from: Duration, level: Level| {
        Finding::of_run(FindingKind::WebScan, level, "web_scan", address("203.0.113.9"), run(number, from, 8))
            .and([site.clone()])
            .fact(fact::PATHS, fact::list(["/editor/"]))
            .fact(fact::SUCCEEDED, false)
    };
    let kept = Kept::new();
    told(&kept, asked(0, NOON));
    let joined = told(&kept, scan(10, HOUR, Level::Low));
    assert_eq!(joined.len(), 1);
    let signal = &joined[0].signal;
    assert_eq!((signal.rule.as_str(), signal.severity, signal.count), ("web_probes", Level::Low, 10));
    assert!(names(signal, "203.0.113.9"));
    assert_eq!(signal.facts[fact::PATHS], fact::list(["/wp-login.php", "/editor/"]));
    // In the other order it is the same.
    let turned = Kept::new();
    told(&turned, scan(10, 5 * HOUR, Level::Low));
    told(&turned, asked(0, HOUR));
    assert_eq!(all(&turned).iter().map(|signal| signal.count).collect::<Vec<_>>(), [10]);
    // It begins a day of its site, and is of its own where it is grave.
    let begun = told(&kept, scan(50, 3 * DAY, Level::Low));
    assert_eq!((begun[0].what, &begun[0].signal.entities[0]), (Happening::New, &site));
    let own = told(&kept, scan(30, 3 * HOUR, Level::Medium));
    assert_eq!((own[0].what, &own[0].signal.entities[0]), (Happening::New, &address("203.0.113.9")));
    let before = all(&kept);
    for finding in [asked(0, NOON), scan(10, HOUR, Level::Low), scan(30, 3 * HOUR, Level::Medium)] {
        assert_eq!(told(&kept, finding), []);
    }
    assert_eq!(all(&kept), before);
}
