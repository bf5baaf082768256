//! Findings come again whenever a reader goes back, and nothing may come of it.

use std::time::Duration;

use finding::{Finding, FindingKind, Level};
use proptest::prelude::*;
use signal::{Deed, Filter, Signal};

use crate::kept::*;

const ADDRESSES: [&str; 8] = [
    "203.0.113.7",
    "203.0.113.8",
    "203.0.113.9",
    "203.0.113.10",
    "203.0.113.11",
    "203.0.113.12",
    "203.0.113.13",
    "10.0.0.7",
];

/// A run as a detector tells it: first when it has so many events, then each time that it has twice as many.
#[derive(Debug, Clone)]
struct Told {
    address: usize,
    count: u32,
    pause: Duration,
    /// Whether the last that is told of it is graver.
    gets_graver: bool,
    /// Whether it is found as guessing with patience as well, when it has its first events.
    is_patient: bool,
}

fn told() -> impl Strategy<Value = Told> {
    let pause = prop_oneof![0..3600_u64, 0..200_000_u64, 0..1_500_000_u64];
    (0..8_usize, 1..40_u32, pause, any::<bool>(), any::<bool>()).prop_map(
        |(address, count, pause, gets_graver, is_patient)| {
            let pause = Duration::from_secs(pause);
            Told { address, count, pause, gets_graver, is_patient }
        },
    )
}

/// What a detector tells of these runs, one after the other.
fn findings(runs: &[Told]) -> Vec<Finding> {
    let (mut from, mut number) = (NOON, 0);
    let mut findings = Vec::new();
    for Told { address, count, pause, gets_graver, is_patient } in runs {
        let of = |so_far| failures(ADDRESSES[*address], run(number, from, so_far));
        let mut so_far = (*count).min(5);
        findings.push(of(so_far));
        if *is_patient {
            findings.push(Finding { rule: "ssh_patient_guessing".to_owned(), ..of(so_far) });
        }
        while so_far < *count {
            so_far = (2 * so_far).min(*count);
            let more = of(so_far);
            findings.push(Finding { is_update: true, ..more });
        }
        if let Some(last) = findings.last_mut().filter(|_| *gets_graver) {
            last.level = Level::High;
        }
        number += count;
        from += Duration::from_secs((*count).into()) + Duration::from_secs(600) + *pause;
    }
    findings
}

fn all(kept: &Kept) -> Vec<Signal> {
    kept.store.list(&Filter { limit: 1000, ..Filter::default() }).unwrap().signals
}

/// Takes findings in, a few at a time, with what people do between; then some of them again.
fn check_replay(
    findings: &[Finding],
    acts: &[(usize, u8)],
    batch: usize,
    again: usize,
) -> Result<(), TestCaseError> {
    let kept = Kept::new();
    for (place, batch) in findings.chunks(batch).enumerate() {
        let received = batch.iter().map(|finding| finding.last).max().unwrap();
        kept.observe(batch, received);
        for (_, act) in acts.iter().filter(|(at, _)| *at == place) {
            let signals = all(&kept);
            let deed = [Deed::Acknowledge, Deed::Resolve, Deed::Reopen][usize::from(*act) % 3].clone();
            kept.act(signals[usize::from(*act) % signals.len()].id, deed, received);
        }
    }
    let (before, newest) = (all(&kept), kept.store.newest_change().unwrap());
    let later = at(40 * DAY);
    let again = &findings[..again.min(findings.len())];
    prop_assert_eq!(kept.observe(again, later), vec![], "taken in again at once");
    for finding in again {
        prop_assert_eq!(kept.observe(std::slice::from_ref(finding), later), vec![]);
    }
    prop_assert_eq!(all(&kept), before);
    prop_assert_eq!(kept.store.newest_change().unwrap(), newest);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn what_a_detector_told_changes_nothing_when_it_comes_again(
        runs in prop::collection::vec(told(), 1..30),
        acts in prop::collection::vec((0..20_usize, any::<u8>()), 0..6),
        batch in 1..8_usize,
        again in 0..200_usize,
    ) {
        check_replay(&findings(&runs), &acts, batch, again)?;
    }

    #[test]
    fn each_event_counts_once_however_the_findings_come(
        runs in prop::collection::vec(told(), 1..30),
        batch in 1..8_usize,
    ) {
        // Of so few nobody is told in a signal of their host first, and in one of their own later.
        let runs: Vec<Told> = runs.into_iter().map(|told| Told { address: told.address % 2, ..told }).collect();
        let kept = Kept::new();
        for batch in findings(&runs).chunks(batch) {
            kept.observe(batch, batch[batch.len() - 1].last);
        }
        let events: u64 = runs.iter().map(|run| u64::from(run.count)).sum();
        prop_assert_eq!(all(&kept).iter().map(|signal| signal.count).sum::<u64>(), events);
    }
}

#[test]
fn each_kind_rule_entity_and_organization_has_signals_of_its_own() {
    let kept = Kept::new();
    let mut observed = Vec::new();
    let mut number = 0;
    let entities = [
        address("203.0.113.7"),
        address("203.0.113.8"),
        finding::Entity::new(finding::EntityType::Host, "203.0.113.7"),
    ];
    for kind in FindingKind::ALL {
        for rule in ["one", "two"] {
            for about in &entities {
                for organization in [None, Some("north"), Some("south")] {
                    let finding =
                        Finding::of_run(*kind, Level::Low, rule, about.clone(), run(number, NOON, 1));
                    observed.push(signal::Observed {
                        organization: organization.map(str::to_owned),
                        ..of(finding)
                    });
                    number += 1;
                }
            }
        }
    }
    let told = kept.store.observe(observed.clone(), None, at(NOON), nothing).unwrap();
    assert_eq!(told.len(), FindingKind::ALL.len() * 2 * 3 * 3);
    assert_eq!(kept.store.observe(observed.clone(), None, at(NOON), nothing).unwrap(), []);
    let more: Vec<_> = observed
        .into_iter()
        .enumerate()
        .map(|(place, observed)| {
            let next = run(number + u32::try_from(place).unwrap(), 10 * MINUTE, 1);
            let evidence = next.evidence.clone();
            let finding = Finding { first: next.first, last: next.last, evidence, ..observed.finding };
            signal::Observed { finding, ..observed }
        })
        .collect();
    let told = kept.store.observe(more, None, at(HOUR), nothing).unwrap();
    assert!(told.iter().all(|change| change.signal.count == 2 && change.what == signal::Happening::Grew));
    assert_eq!(kept.store.list(&Filter::default()).unwrap().total, told.len() as u64);
}
