//! One address that is found in several ways is one signal.

use std::time::Duration;

use finding::{Finding, Level, fact};
use signal::{Change, Deed, Filter, Happening, Label, Matching, NewSuppression, Signal};

use crate::kept::*;

const ADDRESS: &str = "203.0.113.7";

fn found(rule: &str, level: Level, first_event: u32, from: Duration, count: u32) -> Finding {
    let finding = failures(ADDRESS, run(first_event, from, count));
    Finding { rule: rule.to_owned(), level, ..finding }
}

fn fast(first_event: u32, from: Duration, count: u32) -> Finding {
    found("ssh_brute_force", Level::Medium, first_event, from, count)
}

fn patient(count: u32) -> Finding {
    found("ssh_patient_guessing", Level::Informational, 0, NOON, count)
}

fn told(kept: &Kept, finding: Finding) -> Vec<Change> {
    let received = finding.last;
    kept.observe(&[finding], received)
}

fn all(kept: &Kept) -> Vec<Signal> {
    kept.store.list(&Filter { limit: 1000, ..Filter::default() }).unwrap().signals
}

#[test]
fn what_is_found_in_several_ways_is_told_once_under_the_rule_that_says_most() {
    let kept = Kept::new();
    let probing = found("ssh_probing", Level::Low, 3, NOON + Duration::from_secs(3), 12);
    // All of these are events of one hour; later ones of a pace of their own are more.
    let findings = [patient(20), probing, fast(5, NOON + Duration::from_secs(5), 8), fast(900, 2 * HOUR, 6)];
    let whats: Vec<Happening> =
        findings.iter().flat_map(|finding| told(&kept, finding.clone())).map(|change| change.what).collect();
    assert_eq!(
        whats,
        [Happening::New, Happening::Escalated, Happening::Escalated, Happening::Grew],
        "each is graver than the one before, but for the last"
    );
    let signals = all(&kept);
    assert_eq!(signals.len(), 1, "{signals:#?}");
    let signal = &signals[0];
    assert_eq!(
        (signal.rule.as_str(), signal.severity, signal.count),
        ("ssh_brute_force", Level::Medium, 20 + 6)
    );
    assert_eq!((signal.first, signal.last), (at(NOON), findings[3].last));
    let ways = fact::list(["ssh_patient_guessing", "ssh_probing", "ssh_brute_force"]);
    assert_eq!(signal.facts[fact::FOUND_BY], ways);
    for finding in findings {
        assert_eq!(told(&kept, finding), [], "nothing comes of what was told before");
    }
    assert_eq!(all(&kept), signals);
}

#[test]
fn in_whatever_order_it_is_found_it_stands_for_as_much() {
    let long = Finding { last: at(HOUR), ..patient(20) };
    let probing = |first_event, from| found("ssh_probing", Level::Low, first_event, from, 12);
    let findings = [long, fast(0, NOON, 8), probing(3, NOON), probing(60, HOUR - MINUTE)];
    let orders = (0..4).flat_map(|a| (0..4).flat_map(move |b| (0..4).map(move |c| [a, b, c, 6 - a - b - c])));
    let is_order = |order: &[i32; 4]| (0..4).all(|place| order.contains(&place));
    let orders = orders.filter(is_order).collect::<Vec<_>>();
    assert_eq!(orders.len(), 24);
    for order in orders {
        let kept = Kept::new();
        order.iter().for_each(|place| drop(told(&kept, findings[*place as usize].clone())));
        let signals = all(&kept);
        let said = signals.iter().map(|signal| (signal.rule.as_str(), signal.severity, signal.count));
        assert_eq!(said.collect::<Vec<_>>(), [("ssh_brute_force", Level::Medium, 24)], "{order:?}");
    }
}

#[test]
fn of_many_runs_each_counts_once() {
    let kept = Kept::new();
    let runs = (0..60).map(|number| fast(number * 10, 2 * HOUR * number, 6));
    let mut findings: Vec<Finding> = runs.collect();
    findings.insert(1, patient(6));
    findings.push(found("ssh_patient_guessing", Level::Low, 595, 118 * HOUR, 20));
    findings.iter().for_each(|finding| drop(told(&kept, finding.clone())));
    let before = all(&kept);
    assert_eq!(before.iter().map(|signal| signal.count).collect::<Vec<_>>(), [59 * 6 + 20]);
    for finding in findings {
        assert_eq!(told(&kept, finding), []);
    }
    assert_eq!(all(&kept), before);
}

#[test]
fn what_was_said_of_one_way_hides_no_other() {
    let expected = Deed::Label { label: Some(Label::Expected), similar: true };
    let suppress = |kept: &Kept| {
        let suppression = NewSuppression {
            matching: Matching { rule: Some("ssh_patient_guessing".to_owned()), ..Matching::default() },
            reason: "a script of ours".to_owned(),
            by: "ada".to_owned(),
            expires_at: at(DAY * 7),
        };
        kept.store.suppress(&suppression, at(HOUR), nothing).unwrap();
    };
    let ways: [&dyn Fn(&Kept); 2] =
        [&|kept| drop(kept.act(all(kept)[0].id, expected.clone(), at(HOUR))), &suppress];
    for hide in ways {
        let kept = Kept::new();
        told(&kept, patient(6));
        hide(&kept);
        let told = told(&kept, fast(40, HOUR, 9));
        assert_eq!((told[0].what, told[0].signal.severity), (Happening::New, Level::Medium));
        assert!(!told[0].signal.standing.hidden);
    }
}

#[test]
fn what_others_report_counts_once_however_often_it_comes() {
    let kept = Kept::new();
    let report = |event: u32| {
        let alert_type = fact::text("ssh_brute_force");
        fast(event, MINUTE * event, 1).fact(fact::ALERT_TYPE, alert_type)
    };
    for event in [0, 1, 1, 0] {
        told(&kept, report(event));
    }
    assert_eq!(all(&kept).iter().map(|signal| signal.count).collect::<Vec<_>>(), [2]);
}

#[test]
fn another_address_and_another_week_are_others() {
    let kept = Kept::new();
    told(&kept, fast(0, NOON, 8));
    told(&kept, found("ssh_patient_guessing", Level::Low, 500, 3 * DAY, 12));
    let other = Finding { rule: "ssh_probing".to_owned(), ..failures("203.0.113.8", run(700, 3 * DAY, 5)) };
    told(&kept, other);
    assert_eq!(all(&kept).len(), 3);
}
