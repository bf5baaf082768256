//! What nobody is told of: suppressions, and what people said was expected.

use finding::{Entity, EntityType, Finding, FindingKind, Level};
use signal::{
    Change, Deed, Filter, Happening, Label, Matching, NewSuppression, Observed, Opinion, Signal, SignalId,
    Sort, Standing, StoreError,
};

use crate::kept::*;

fn wanted(matching: Matching) -> NewSuppression {
    NewSuppression {
        matching,
        reason: "the scanner of our own".to_owned(),
        by: "ada".to_owned(),
        expires_at: at(10 * DAY),
    }
}

fn about(entity: &str) -> Matching {
    Matching { entity: Some(entity.to_owned()), ..Matching::default() }
}

fn ids(kept: &Kept, hidden: bool) -> Vec<SignalId> {
    let page = kept.store.list(&Filter { hidden, ..Filter::default() }).unwrap();
    assert_eq!(page.total, page.signals.len() as u64);
    page.signals.iter().map(|signal| signal.id).collect()
}

fn standing(kept: &Kept, id: SignalId) -> Standing {
    kept.store.get(id).unwrap().unwrap().standing
}

#[test]
fn what_is_suppressed_is_counted_and_kept_and_shown_again_when_that_is_over() {
    let kept = Kept::new();
    let old = kept.observe(&[failures("203.0.113.7", run(0, NOON, 5))], at(NOON))[0].signal.id;
    let other = kept.observe(&[failures("203.0.113.8", run(10, NOON, 5))], at(NOON))[0].signal.id;

    let mut seen = Vec::new();
    let suppression = kept.store.suppress(&wanted(about("203.0.113.7")), at(HOUR), |_, changes| {
        seen.extend(changes.iter().map(|change| (change.what, change.signal.id)));
        Ok(())
    });
    let number = suppression.unwrap().number;
    assert_eq!(seen, [(Happening::Hidden, old)]);
    assert_eq!((ids(&kept, false), ids(&kept, true)), (vec![other], vec![old]));
    assert_eq!(standing(&kept, old).suppression, Some(number));

    let told = kept.observe(&[failures("203.0.113.7", run(20, 2 * HOUR, 5))], at(2 * HOUR));
    assert!(told[0].signal.standing.hidden, "it is told to nobody");
    assert_eq!(told[0].signal.count, 10);
    assert_eq!(kept.store.suppressions().unwrap()[0].hidden, 1);

    // It expires, and what comes then is new to everybody.
    let told = kept.observe(&[failures("203.0.113.7", run(30, 11 * DAY, 5))], at(11 * DAY));
    assert_eq!((told[0].what, told[0].before, told[0].signal.standing.hidden), (Happening::New, None, false));

    kept.store.unsuppress(number, "ada", at(11 * DAY), nothing).unwrap();
    assert_eq!(kept.store.suppressions().unwrap(), []);
    assert_eq!(ids(&kept, true), []);
    let again = kept.store.unsuppress(number, "ada", at(11 * DAY), nothing);
    assert!(matches!(again, Err(StoreError::UnknownSuppression { number: 1 })), "{again:?}");
}

#[test]
fn a_signal_that_was_hidden_is_new_when_more_of_it_comes_and_nothing_hides_it() {
    let kept = Kept::new();
    let hours = NewSuppression { expires_at: at(HOUR), ..wanted(about("203.0.113.7")) };
    kept.store.suppress(&hours, at(NOON), nothing).unwrap();
    let told = kept.observe(&[failures("203.0.113.7", run(0, NOON, 5))], at(NOON));
    assert!(told[0].signal.standing.hidden);
    let told = kept.observe(&[failures("203.0.113.7", run(10, 2 * HOUR, 5))], at(2 * HOUR));
    assert_eq!((told[0].what, told[0].before), (Happening::New, None));
    assert_eq!(told[0].signal.count, 10);
}

#[test]
fn a_signal_that_becomes_what_is_suppressed_is_hidden_when_more_of_it_comes() {
    let kept = Kept::new();
    let by = |number, user: &str| {
        failures("203.0.113.7", run(number, MINUTE * number, 5)).and([Entity::new(EntityType::User, user)])
    };
    kept.observe(&[by(0, "root")], at(HOUR));
    kept.store.suppress(&wanted(about("user:scanner")), at(HOUR), nothing).unwrap();
    let told = kept.observe(&[by(10, "admin"), by(20, "scanner"), by(30, "root")], at(HOUR));
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].what, told[0].signal.count), (Happening::Hidden, 20));
    assert_eq!(told[0].before.map(|before| before.count), Some(5));
}

#[test]
fn a_preview_tells_what_of_the_last_days_would_have_been_hidden() {
    let kept = Kept::new();
    let of = |kind, host: &str, number, from| {
        Finding::of_run(kind, Level::High, "r", address("203.0.113.7"), run(number, from, 1))
            .and([Entity::new(EntityType::Host, host)])
    };
    let day = |day: u32| DAY * day;
    let all = [
        (of(FindingKind::WebScan, "web-1", 0, day(0)), "north"),
        (of(FindingKind::WebScan, "web-1", 1, day(10)), "north"),
        (of(FindingKind::Sigma, "web-1", 2, day(10)), "north"),
        (of(FindingKind::Sigma, "web-2", 3, day(10)), "south"),
    ];
    let observed = all.map(|(finding, organization)| Observed {
        organization: Some(organization.to_owned()),
        ..of_plain(finding)
    });
    kept.store.observe(observed.to_vec(), None, at(day(10)), nothing).unwrap();
    let check = |matching: Matching, expected: &[(FindingKind, u64)]| {
        let preview = kept.store.preview(&matching, at(day(11))).unwrap();
        let sort = |(kind, signals): &(FindingKind, u64)| Sort {
            kind: *kind,
            severity: Level::High,
            signals: *signals,
        };
        let mut sorts = preview.sorts.clone();
        sorts.sort_by_key(|sort| sort.kind);
        assert_eq!(sorts, expected.iter().map(sort).collect::<Vec<_>>(), "{matching:?}");
        assert_eq!(preview.signals, preview.newest.len() as u64);
        assert!(preview.newest.iter().all(|signal| matching.matches(signal)), "{matching:?}");
        // What is suppressed then is what the preview told.
        let number = kept
            .store
            .suppress(&wanted_until(matching.clone(), day(20)), at(day(11)), nothing)
            .unwrap()
            .number;
        let hidden: Vec<SignalId> = preview.newest.iter().map(|signal| signal.id).collect();
        assert_eq!(ids(&kept, true), hidden, "{matching:?}");
        kept.store.unsuppress(number, "ada", at(day(11)), nothing).unwrap();
        assert_eq!(ids(&kept, false).len(), 4);
    };
    let (scan, sigma) = (FindingKind::WebScan, FindingKind::Sigma);
    check(Matching { kind: Some(scan), ..Matching::default() }, &[(scan, 1)]);
    check(Matching { rule: Some("r".to_owned()), ..Matching::default() }, &[(scan, 1), (sigma, 2)]);
    check(Matching { rule: Some("s".to_owned()), ..Matching::default() }, &[]);
    check(about("web-1"), &[(scan, 1), (sigma, 1)]);
    check(about("host:web-2"), &[(sigma, 1)]);
    check(about("user:web-2"), &[]);
    check(Matching { organization: Some("south".to_owned()), ..Matching::default() }, &[(sigma, 1)]);
    check(
        Matching { kind: Some(sigma), organization: Some("north".to_owned()), ..about("203.0.113.7") },
        &[(sigma, 1)],
    );
}

fn wanted_until(matching: Matching, until: std::time::Duration) -> NewSuppression {
    NewSuppression { expires_at: at(until), ..wanted(matching) }
}

fn of_plain(finding: Finding) -> Observed {
    Observed { finding, organization: None, evidence: Vec::new() }
}

#[test]
fn a_suppression_says_what_why_and_until_when() {
    let kept = Kept::new();
    let check = |wanted: NewSuppression, reason: &str| {
        let refused = kept.store.suppress(&wanted, at(HOUR), nothing).unwrap_err().to_string();
        assert!(refused.contains(reason), "{refused}");
    };
    check(wanted(Matching::default()), "nothing says which signals");
    check(wanted(about("")), "is empty");
    check(wanted(about(&"x".repeat(2000))), "more than 1024 bytes");
    check(NewSuppression { reason: " ".to_owned(), ..wanted(about("web-1")) }, "no reason");
    check(NewSuppression { expires_at: at(HOUR), ..wanted(about("web-1")) }, "in the past");
    check(NewSuppression { expires_at: at(400 * DAY), ..wanted(about("web-1")) }, "more than a year");
    assert!(kept.store.preview(&Matching::default(), at(HOUR)).is_err());
    assert_eq!(kept.store.suppressions().unwrap(), []);
}

/// Two signals alike, of which the first is over, and one that is not alike.
fn alike(kept: &Kept) -> [Signal; 3] {
    let first = kept.observe(&[failures("203.0.113.7", run(0, NOON, 5))], at(NOON));
    let second = kept.observe(&[failures("203.0.113.7", run(10, 20 * DAY, 5))], at(20 * DAY));
    let other = kept.observe(&[failures("203.0.113.8", run(20, 20 * DAY, 5))], at(20 * DAY));
    [first, second, other].map(|told| told[0].signal.clone())
}

#[test]
fn what_is_said_of_one_signal_ranks_it_at_once_and_no_other() {
    let kept = Kept::new();
    let [first, second, other] = alike(&kept);
    let label = |label| Deed::Label { label, similar: false };
    let told = kept.act(first.id, label(Some(Label::Expected)), at(21 * DAY));
    assert_eq!(told[0].what, Happening::Labelled);
    assert_eq!(kept.act(first.id, label(Some(Label::Expected)), at(21 * DAY)), []);
    let expected = standing(&kept, first.id);
    assert!(expected.rank < first.standing.rank && !expected.hidden);
    assert_eq!([standing(&kept, second.id), standing(&kept, other.id)], [second.standing, other.standing]);

    kept.act(first.id, label(Some(Label::Real)), at(21 * DAY));
    assert!(standing(&kept, first.id).rank > first.standing.rank);
    kept.act(first.id, label(None), at(21 * DAY));
    assert_eq!(standing(&kept, first.id), first.standing);
}

#[test]
fn what_is_said_of_all_alike_holds_for_them_and_for_those_to_come_until_it_is_taken_back() {
    let kept = Kept::new();
    let [first, second, other] = alike(&kept);
    let label = |label| Deed::Label { label, similar: true };
    let told = kept.act(second.id, label(Some(Label::Expected)), at(21 * DAY));
    let what =
        |told: &[Change]| told.iter().map(|change| (change.what, change.signal.id)).collect::<Vec<_>>();
    let hidden = [(Happening::Hidden, second.id), (Happening::Hidden, first.id)];
    assert_eq!(what(&told), [&[(Happening::Labelled, second.id)], &hidden[..]].concat());
    assert_eq!((ids(&kept, false), ids(&kept, true)), (vec![other.id], vec![second.id, first.id]));

    let third =
        kept.observe(&[failures("203.0.113.7", run(30, 40 * DAY, 5))], at(40 * DAY))[0].signal.clone();
    assert_eq!((third.standing.label, third.standing.hidden), (Some(Label::Expected), true));
    let opinions = kept.store.opinions(0, 10).unwrap();
    let of =
        |opinion: &Opinion| (opinion.signal.id, opinion.signal.standing.label, opinion.signal.evidence.len());
    let expected = [first.id, second.id, third.id].map(|id| (id, Some(Label::Expected), 5));
    assert_eq!(opinions.iter().map(of).collect::<Vec<_>>(), expected);
    assert_eq!(kept.store.opinions(opinions[1].place, 10).unwrap(), opinions[2..]);

    let told = kept.act(third.id, label(None), at(41 * DAY));
    let shown = [third.id, second.id, first.id].map(|id| (Happening::Shown, id));
    assert_eq!(what(&told), [&[(Happening::Labelled, third.id)], &shown[..]].concat());
    assert_eq!(ids(&kept, true), []);
    assert_eq!(standing(&kept, first.id), first.standing);
    let fourth =
        kept.observe(&[failures("203.0.113.7", run(40, 60 * DAY, 5))], at(60 * DAY))[0].signal.clone();
    assert_eq!((fourth.standing.label, fourth.standing.hidden), (None, false));
    assert_eq!(kept.store.opinions(0, 10).unwrap(), []);
}
